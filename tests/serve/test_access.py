"""Who gets an answer: tokens, links, Host and Origin, other users, and what browsers are told."""

from __future__ import annotations

import json
import os
import ssl
import stat
import webbrowser
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import trustme

from tests.support.serving import Served, everything, serving
from tests.support.tools import ullage, wait_until
from ullage.base.errors import UsageError
from ullage.serve import ServeError, access_tokens, browser
from ullage.serve.routes import ROUTES

NOW = datetime(2026, 11, 22, 10, 38, 49, tzinfo=UTC)
HERE = "http://127.0.0.1:7733"


@pytest.fixture
def directory(tmp_path: Path) -> str:
    (tmp_path / "serve").mkdir(mode=0o700)
    return str(tmp_path / "serve")


def test_a_token_is_stored_as_what_cannot_be_turned_back(directory: str) -> None:
    secret, token = access_tokens.create(directory, "grafana\x1b[31m", "metrics", NOW)
    stored = Path(access_tokens.locate_tokens(directory))
    assert secret.removeprefix(access_tokens.PREFIX) not in stored.read_text()
    assert stat.S_IMODE(stored.stat().st_mode) == 0o600
    assert token.name == "grafana[31m"
    assert access_tokens.load(directory, NOW) == (token,)
    assert access_tokens.find_matching(access_tokens.load(directory, NOW), secret) == token
    assert access_tokens.find_matching(access_tokens.load(directory, NOW), secret + "x") is None


def test_a_link_is_used_once_and_in_time(directory: str) -> None:
    _, link = access_tokens.create(directory, "link", "read", NOW, link=HERE)
    assert access_tokens.use_link(directory, link, NOW)
    assert not access_tokens.use_link(directory, link, NOW)
    _, late = access_tokens.create(directory, "link", "read", NOW, link=HERE)
    assert late not in access_tokens.load(directory, NOW + access_tokens.LINK_LASTS)


def test_revoke_takes_an_id_or_a_name_that_is_clear(directory: str) -> None:
    first = access_tokens.create(directory, "one", "read", NOW)[1]
    access_tokens.create(directory, "two", "read", NOW)
    access_tokens.create(directory, "two", "read", NOW)
    assert access_tokens.revoke(directory, "one", NOW) == first
    for name in ("one", "two", "nobody"):
        with pytest.raises(UsageError, match="token list"):
            access_tokens.revoke(directory, name, NOW)


def test_links_make_room_and_tokens_stay(directory: str) -> None:
    mine = access_tokens.create(directory, "mine", "read", NOW)[1]
    for number in range(105):
        access_tokens.create(directory, "link", "read", NOW + timedelta(seconds=number), link=HERE)
    kept = access_tokens.load(directory, NOW)
    assert (len(kept), mine in kept) == (100, True)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 2, "tokens": []}', '{"version": 1, "tokens": [{}]}'])
def test_a_file_that_cannot_be_understood_lets_nobody_in(directory: str, content: str) -> None:
    Path(access_tokens.locate_tokens(directory)).write_text(content)
    with pytest.raises(ServeError, match="no token is valid"):
        access_tokens.load(directory, NOW)


@pytest.mark.parametrize("route", [route for route in ROUTES if route.scope is not None], ids=lambda route: route.path)
def test_without_a_valid_token_there_are_no_data(shared: Served, route: object) -> None:
    path, method = route.path, route.method  # type: ignore[attr-defined]  # pytest's parameter
    wrong = access_tokens.PREFIX + "A" * 43
    for header in (
        {},
        {"Authorization": f"Bearer {wrong}"},
        {"Authorization": "Basic eDp5"},
        {"Authorization": "Bearer"},
    ):
        answer = shared.ask(path, None, method, **header)
        assert (answer.status, answer.headers["www-authenticate"]) == (401, 'Bearer realm="ullage"')
        assert b"cafe" not in answer.body


def test_a_token_that_is_revoked_opens_nothing_and_ends_its_streams(served: Served) -> None:
    secret = served.token()
    others = served.token("read")
    stream = served.follow(secret)
    assert stream.event() is not None
    known = access_tokens.load(access_tokens.locate_directory(served.environ), datetime.now(UTC))
    gone = access_tokens.find_matching(known, secret)
    assert gone is not None
    assert ullage("serve", "token", "revoke", gone.id, environ=served.environ).stdout == f"Revoked {gone.id}.\n"
    assert stream.event() is None
    stream.close()
    assert served.ask("/v1/usage", secret).status == 401
    assert served.ask("/v1/usage", others).status == 200


def test_a_session_ends_with_its_token(served: Served) -> None:
    secret = served.token()
    session = served.ask("/v1/session", secret, "POST").json["token"]
    assert served.ask("/v1/usage", session).status == 200
    access_tokens.revoke(access_tokens.locate_directory(served.environ), "test", datetime.now(UTC))
    assert served.ask("/v1/usage", session).status == 401


def test_a_link_opens_one_session_and_nothing_by_itself(shared: Served) -> None:
    link = shared.token(link=True)
    assert shared.ask("/v1/usage", link).status == 401
    session = shared.ask("/v1/session", link, "POST").json["token"]
    assert shared.ask("/v1/session", link, "POST").status == 401
    assert shared.ask("/v1/usage", link).status == 401
    assert shared.ask("/v1/usage", session).status == 200
    assert "browser" in ullage("serve", "token", "list", environ=shared.environ).stdout


def test_a_link_to_another_address_opens_nothing_here(shared: Served) -> None:
    # Another program at that address, which was given the link by mistake, can say whatever it likes in its headers.
    astray = access_tokens.create(
        access_tokens.locate_directory(shared.environ), "link", "read", datetime.now(UTC), link=HERE
    )[0]
    assert shared.ask("/v1/session", astray, "POST").status == 401
    assert shared.ask("/v1/session", astray, "POST", host=HERE.removeprefix("http://")).status == 421


def test_a_scope_is_kept_to(shared: Served) -> None:
    answer = shared.ask("/v1/usage", shared.token("metrics"))
    assert (answer.status, "needs read" in answer.json["detail"]) == (403, True)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example:{port}", "127.0.0.1:1", "[::1]:1", "localhost", "", "10.0.0.1:{port}"],
)
def test_another_host_is_dns_rebinding(shared: Served, host: str) -> None:
    answer = shared.ask("/v1/usage", shared.token(), Host=host.format(port=shared.port))
    assert answer.status == 421


@pytest.mark.parametrize("host", ["localhost:{port}", "127.0.0.1:{port}", "LOCALHOST:{port}", "[::1]:{port}"])
def test_every_name_of_loopback_will_do(shared: Served, host: str) -> None:
    assert shared.ask("/v1/usage", shared.token(), Host=host.format(port=shared.port)).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Origin": "https://localhost:{port}"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
def test_pages_of_other_origins_get_no_answer(shared: Served, headers: dict[str, str]) -> None:
    filled = {name: value.format(port=shared.port) for name, value in headers.items()}
    answer = shared.ask("/v1/usage", shared.token(), **filled)
    assert answer.status == 403
    assert not any(name.startswith("access-control") for name in answer.headers)


def test_our_own_page_may_ask_and_may_be_linked_to(shared: Served) -> None:
    own = {"Origin": f"http://127.0.0.1:{shared.port}", "Sec-Fetch-Site": "same-origin"}
    assert shared.ask("/v1/usage", shared.token(), **own).status == 200
    assert shared.ask("/", None, **{"Sec-Fetch-Site": "cross-site"}).status == 200


@pytest.mark.parametrize("target", ["/", "/healthz", "/v1/usage", "/nowhere"])
def test_browsers_are_told_to_be_careful(shared: Served, target: str) -> None:
    headers = shared.ask(target).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "date" in headers
    assert "server" not in headers


def test_no_secret_is_told_where_others_can_read_it(served: Served) -> None:
    secret, link = served.token(), served.token(link=True)
    stream = served.follow(secret)
    stream.event()
    session = served.ask("/v1/session", link, "POST").json["token"]
    served.ask(f"/v1/usage?token={secret}")
    stream.close()
    served.stop()
    printed = "".join(served.process.communicate())
    kept = Path(access_tokens.locate_tokens(access_tokens.locate_directory(served.environ))).read_text()
    for hidden in (secret, link, session):
        assert hidden not in printed
        assert hidden not in kept


def test_open_names_no_secret_on_a_command_line(known: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "browser").write_text(f'#!/bin/sh\nprintf "%s" "$1" >"{tmp_path}/opened"\n')
    (tmp_path / "browser").chmod(0o755)
    with serving({**known, "BROWSER": f"{tmp_path}/browser %s"}, "--port", "0", "--open") as served:
        wait_until(lambda: (tmp_path / "opened").exists() and (tmp_path / "opened").read_text(), what="the browser")
        address = (tmp_path / "opened").read_text()
        assert address.startswith("file://")
        file = Path(address.removeprefix("file://"))
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        secret = file.read_text().partition("#link=")[2].partition('"')[0]
        assert served.ask("/v1/session", secret, "POST").status == 200
        assert served.ask("/v1/session", secret, "POST").status == 401


def test_a_public_address_needs_tls_and_a_token(environ: dict[str, str], tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.issue_cert("ullage.test").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "pair.pem"))
    pair = ("--tls-cert", str(tmp_path / "pair.pem"), "--tls-key", str(tmp_path / "pair.pem"))
    for options, words in (
        (("--host", "0.0.0.0"), "needs TLS"),
        (("--host", "::"), "needs TLS"),
        (("--host", "0.0.0.0", *pair), "needs a token"),
    ):
        refused = ullage("serve", "--port", "0", *options, environ=environ)
        assert (refused.returncode, words in refused.stderr) == (2, True)
    assert ullage("serve", "token", "create", environ=environ).stdout.startswith(access_tokens.PREFIX)
    refused = ullage("serve", "--port", "0", "--host", "0.0.0.0", *pair, environ=environ)
    assert (refused.returncode, "--allowed-host" in refused.stderr) == (2, True)
    with serving(environ, "--port", "0", "--host", "0.0.0.0", *pair, "--allowed-host", "ullage.test") as served:
        assert served.first_line.startswith("Serving at https://0.0.0.0:")
        assert b"HTTP/1.1" not in served.send(b"GET /healthz HTTP/1.1\r\nHost: ullage.test\r\n\r\n")
        context = ssl.create_default_context()
        authority.configure_trust(context)
        request = f"GET /healthz HTTP/1.1\r\nHost: ullage.test:{served.port}\r\nConnection: close\r\n\r\n".encode()
        with served.connect() as plain, context.wrap_socket(plain, server_hostname="ullage.test") as connection:
            connection.sendall(request)
            assert everything(connection).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--tls-cert", "/nowhere.pem"), "belong together"),
        (("--tls-cert", "/nowhere.pem", "--tls-key", "/nowhere.pem"), "/nowhere.pem is not there"),
        (("--tls-cert", "{junk}", "--tls-key", "{junk}"), "do not make a certificate"),
        (("--host", "no-such-host.invalid"), "There is no address"),
        (("--host", "192.0.2.1"), "needs TLS"),
        (("--port", "70000"), "70000"),
        (("--unix", "/x", "--port", "1"), "--unix excludes"),
    ],
)
def test_wrong_usage_is_said(environ: dict[str, str], tmp_path: Path, options: tuple[str, ...], words: str) -> None:
    (tmp_path / "junk.pem").write_text("no certificate")
    filled = [option.format(junk=tmp_path / "junk.pem") for option in options]
    refused = ullage("serve", *filled, environ=environ)
    assert (refused.returncode, words in refused.stderr) == (2, True), refused.stderr


def test_tokens_by_the_command_line(environ: dict[str, str]) -> None:
    made = ullage("serve", "token", "create", "--name", "grafana", "--scope", "metrics", environ=environ)
    assert made.stdout.startswith(access_tokens.PREFIX)
    listed = ullage("serve", "token", "list", environ={**environ, "TZ": "Asia/Kathmandu"}).stdout
    now = datetime.now(ZoneInfo("Asia/Kathmandu")).replace(tzinfo=None)
    heads, row = (line.split() for line in listed.splitlines())
    assert heads == ["id", "kind", "scope", "made", "until", "name"]
    assert (row[1:3], row[5:]) == (["token", "metrics"], ["grafana"])
    # By the clock on the wall, a moment ago.
    assert timedelta() <= now - datetime.fromisoformat(f"{row[3]} {row[4]}") < timedelta(minutes=10)
    assert made.stdout.strip() not in listed
    assert ullage("serve", "token", "revoke", "grafana", environ=environ).returncode == 0
    assert ullage("serve", "token", "revoke", "grafana", environ=environ).returncode == 2
    assert ullage("serve", "link", environ=environ).stdout.startswith("http://127.0.0.1:7733/#link=ullage_")
    assert ullage("serve", "link", "--base", "javascript:alert(1)", environ=environ).returncode == 2


def test_a_link_is_for_the_server_that_runs(environ: dict[str, str]) -> None:
    with serving(environ) as served:
        made = ullage("serve", "link", environ=environ)
        assert (made.stdout.partition("#")[0], made.stderr) == (f"{served.base}/", "")
    gone = ullage("serve", "link", environ=environ)
    assert gone.stdout.startswith("http://127.0.0.1:7733/#link=")
    assert "No server runs here now" in gone.stderr


def test_a_browser_inherits_no_key(directory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAUDE_CODE_OAUTH_TOKEN", "marker")
    monkeypatch.setenv("MINE", "sk-ant-sid01-marker")
    inherited: list[dict[str, str]] = []

    def opened(_address: str) -> bool:
        inherited.append(dict(os.environ))
        return True

    monkeypatch.setattr(webbrowser, "open", opened)
    assert browser.open_page("http://127.0.0.1:1", "http://127.0.0.1:1/#link=x", directory, ())
    assert not [name for name, value in inherited[0].items() if "marker" in value]
    assert os.environ["MINE"] == "sk-ant-sid01-marker"


def test_an_end_that_cannot_be_read_is_no_token_for_ever(directory: str) -> None:
    now = datetime.now(UTC)
    access_tokens.create(directory, "", "read", now, link=HERE)
    document = json.loads(Path(access_tokens.locate_tokens(directory)).read_text())
    document["tokens"][0]["expires_at"] = "soon"
    Path(access_tokens.locate_tokens(directory)).write_text(json.dumps(document))
    with pytest.raises(ServeError, match="cannot be understood"):
        access_tokens.load(directory, now)

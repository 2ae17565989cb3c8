"""The oauth source over real sockets: what the server says, and what becomes of everything that it fails to say."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import trustme

from tests.support.tools import PATIENCES, PYTHON, run
from ullage.base.errors import SourceError
from ullage.simulate import ACCOUNT_ID, TOKEN, Reply, Simulator
from ullage.sources import credentials, oauth
from ullage.store.cache import ProfileCache
from ullage.system import http

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from ullage.quota.model import Reading

    Simulate = Callable[..., Simulator]


def ask(environ: Mapping[str, str]) -> Reading:
    return oauth.read(environ, oauth.account(environ), datetime.now(UTC))


def refusal(environ: Mapping[str, str]) -> SourceError:
    with pytest.raises(SourceError) as caught:
        ask(environ)
    assert TOKEN not in f"{caught.value} {caught.value.__dict__}"
    return caught.value


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "CONNECT_SECONDS", 0.3)
    monkeypatch.setattr(http, "WHOLE_CALL_SECONDS", 1.0)


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> trustme.CA:
    """A certificate authority that this process trusts."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    return authority


def server_context(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


def test_reading_comes_over_plain_loopback(environ: dict[str, str], simulate: Simulate) -> None:
    simulator = simulate("models")
    reading = ask(environ)
    assert (reading.account.id, reading.account.plan) == (ACCOUNT_ID, "max")
    assert {window.id for window in reading.windows} >= {"five_hour", "seven_day", "seven_day_fable", "seven_day_opus"}
    assert simulator.requests == 1


def test_reading_comes_over_tls(environ: dict[str, str], simulate: Simulate, authority: trustme.CA) -> None:
    simulate("busy-day", tls=server_context(authority, "127.0.0.1"))
    assert environ["ULLAGE_API_BASE"].startswith("https://")
    assert ask(environ).windows


@pytest.mark.parametrize("names", [("elsewhere.example",), None], ids=["another name", "unknown authority"])
def test_bad_certificate_is_not_talked_to(
    names: tuple[str, ...] | None, environ: dict[str, str], simulate: Simulate, authority: trustme.CA
) -> None:
    context = server_context(authority, *names) if names else server_context(trustme.CA(), "127.0.0.1")
    simulator = simulate("busy-day", tls=context)
    error = refusal(environ)
    assert error.code == "bad_certificate"
    assert "SSL_CERT_FILE" in str(error)
    assert not error.reached_server
    assert simulator.requests == 0


def test_certificate_file_that_is_missing_is_named(
    environ: dict[str, str], simulate: Simulate, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulate("busy-day", tls=server_context(authority, "127.0.0.1"))
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/authority.pem")
    error = refusal(environ)
    assert error.code == "bad_certificate"
    assert "SSL_CERT_FILE" in str(error)
    assert not error.reached_server


@pytest.mark.parametrize(
    ("scenario", "code", "advice"),
    [
        ("revoked", "unauthorized", "/login"),
        ("scope", "scope_missing", "setup-token"),
        ("429-storm", "rate_limited", "waits"),
        ("429-storm-no-header", "rate_limited", "waits"),
        ("outage", "server_error", "asks again by itself"),
        ("html", "not_json", "Open a browser"),
        ("truncated", "truncated", "Another attempt"),
        ("cut", "connection_broken", "Another attempt"),
        ("redirect", "redirected", "Check the network"),
        ("huge", "too_large", "more than 1 MiB"),
        ("empty", "unexpected_shape", "newer ullage"),
    ],
)
def test_each_failure_has_its_code_and_its_advice(
    scenario: str, code: str, advice: str, environ: dict[str, str], simulate: Simulate
) -> None:
    simulator = simulate(scenario)
    simulator.requests = 1  # the storms and the outage begin with one good answer
    error = refusal(environ)
    assert (error.code, error.reached_server) == (code, True)
    assert advice in str(error)
    assert simulator.requests == 2


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(status=403, body=b'{"error":{"type":"permission_error","message":"no"}}'), "forbidden"),
        (Reply(status=403, body=b"<html>blocked</html>", headers={"Content-Type": "text/html"}), "forbidden"),
        (Reply(status=418), "unexpected_status"),
        (Reply(status=204), "unexpected_status"),
        (Reply(status=502, body=b"<html>bad gateway</html>"), "server_error"),
        (Reply(body=b"[" * 100_000), "truncated"),
        (Reply(body=b"\xff\xfe{"), "truncated"),
        (Reply(body=b"NaN"), "unexpected_shape"),
        (Reply(body=b"\x1f\x8b\x08", headers={"Content-Encoding": "gzip"}), "not_json"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value.status} {value.body[:12]!r}",
)
def test_odd_answers_are_failures(reply: Reply, code: str, environ: dict[str, str], simulate: Simulate) -> None:
    simulate("busy-day").scenario = lambda moment: reply
    assert refusal(environ).code == code


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        ("600", 600),
        (" 17 ", 17),
        ("999999999", 999_999_999),
        ("99999999999999999999", None),
        ("-5", None),
        ("soon", None),
        ("1.5", None),
        ("²", None),
    ],
)
def test_retry_after_in_seconds(
    status: int, header: str, seconds: int | None, environ: dict[str, str], simulate: Simulate
) -> None:
    simulate("busy-day").scenario = lambda moment: Reply(status=status, headers={"Retry-After": header})
    now = datetime.now(UTC)
    with pytest.raises(SourceError) as caught:
        oauth.read(environ, oauth.account(environ), now)
    assert caught.value.retry_at == (None if seconds is None else now + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("header", "moment"),
    [
        ("Sun, 22 Nov 2026 11:00:00 GMT", datetime(2026, 11, 22, 11, tzinfo=UTC)),
        ("Sun, 22 Nov 2026 11:00:00 -0000", datetime(2026, 11, 22, 11, tzinfo=UTC)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("Fri, 31 Dec 9999 23:59:59 -2359", None),
        ("Sun, 22 Nov 2026 13:00:00 +0200", datetime(2026, 11, 22, 11, tzinfo=UTC)),
        ("Mon, 99 Foo 2026 25:00:00 GMT", None),
        ("Mon, 01 Jan 99999 00:00:00 GMT", None),
        ("Mon, 01 Jan 2026 00:00:00 +9999", None),
        ("", None),
    ],
)
def test_retry_after_as_a_date(header: str, moment: datetime | None, now: datetime) -> None:
    assert http.read_retry_after({"retry-after": header}, now) == moment


@pytest.mark.parametrize(("scenario", "code"), [("stalled", "timeout"), ("silent", "timeout"), ("drip", "timeout")])
def test_no_call_outlives_its_deadline(
    scenario: str, code: str, environ: dict[str, str], simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator = simulate(scenario)
    started = time.monotonic()
    for seconds in PATIENCES:
        if not simulator.requests:
            monkeypatch.setattr(http, "WHOLE_CALL_SECONDS", seconds)
            error = refusal(environ)
    # The server would take two minutes and more.
    assert time.monotonic() - started < 110
    assert (error.code, error.reached_server) == (code, True)
    assert simulator.requests == 1


@contextlib.contextmanager
def deaf_port() -> Iterator[int]:
    """A port whose queue is full, so that a connection is neither taken nor refused."""
    with contextlib.ExitStack() as opened:
        listener = opened.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                waiting.connect(listener.getsockname())
        yield listener.getsockname()[1]


def test_connection_that_nobody_takes(environ: dict[str, str], account: Path, impatient: None) -> None:
    with deaf_port() as port:
        error = refusal({**environ, "ULLAGE_API_BASE": f"http://127.0.0.1:{port}"})
    assert (error.code, error.reached_server) == ("connect_timeout", False)


def test_refused_connection(environ: dict[str, str], account: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        error = refusal({**environ, "ULLAGE_API_BASE": f"http://127.0.0.1:{unused.getsockname()[1]}"})
    assert (error.code, error.reached_server) == ("unreachable", False)
    assert "Check the network" in str(error)


def test_name_that_cannot_be_looked_up(environ: dict[str, str], account: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    error = refusal({**environ, "ULLAGE_API_BASE": "https://api.anthropic.com"})
    assert (error.code, error.reached_server) == ("dns_failure", False)


def test_a_resolver_that_never_answers_holds_nobody(
    environ: dict[str, str], account: Path, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = threading.Event()

    def never(*arguments: object, **options: object) -> None:
        answered.wait(600)
        raise socket.gaierror(socket.EAI_AGAIN, "Too late")

    monkeypatch.setattr(socket, "getaddrinfo", never)
    error = refusal({**environ, "ULLAGE_API_BASE": "https://api.anthropic.com"})
    assert (error.code, error.reached_server) == ("connect_timeout", False)
    answered.set()


def test_a_process_ends_though_its_resolver_does_not(environ: dict[str, str], account: Path) -> None:
    code = (
        "import socket, sys, time; socket.getaddrinfo = lambda *a, **k: time.sleep(1000); "
        "from ullage.system import http; http.CONNECT_SECONDS = 0.3; "
        "from ullage.cli import run; sys.exit(run(['refresh']))"
    )
    environ["ULLAGE_API_BASE"] = "https://api.anthropic.com"
    done = run([PYTHON, "-c", code], environ, seconds=120)
    assert done.returncode == 5
    assert "did not take the connection" in done.stderr
    problem = ProfileCache(environ).load_schedule().problem
    assert problem is not None
    assert problem.code == "connect_timeout"


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "gopher://127.0.0.1:9", "http://127.0.0.1:port"])
def test_proxy_of_an_unknown_kind_is_named(
    proxy: str, environ: dict[str, str], account: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    error = refusal({**environ, "ULLAGE_API_BASE": "https://api.anthropic.com"})
    assert (error.code, error.reached_server) == ("proxy_unusable", False)
    assert "HTTPS_PROXY" in str(error)


def test_loopback_is_never_asked_through_a_proxy(
    environ: dict[str, str], simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Simulator("html").running() as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.address)
        simulate("busy-day")
        assert ask(environ).windows
        assert proxy.requests == 0


def test_netrc_does_not_replace_the_token(
    environ: dict[str, str], simulate: Simulate, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    simulate("busy-day")
    assert ask(environ).windows


@pytest.mark.parametrize(
    "base",
    [
        "http://api.anthropic.com",
        "https://api.anthropic.com:8443",
        "https://api.anthropic.com.evil",
        "https://api.anthropic.com@evil",
        "https://user:word@127.0.0.1",
        "https://api.anthropic.com/v1",
        "https://api.anthropic.com?x=1",
        "https://api.anthropic.com#x",
        "https://evil/https://api.anthropic.com",
        "https://api.anthropic.com\\@evil",
        "https://127.0.0.1\\@evil",
        "http://127.0.0.1.evil.com",
        "http://127.0.0.1@evil.com",
        "http://127.0.0.1:80@evil.com",
        "http://127.0.0.1/elsewhere",
        "http://2130706433",
        "http://0x7f000001",
        "http://0x7f.1",
        "http://127.1",
        "http://0177.0.0.1",
        "http://0.0.0.0",
        "http://[::]",
        "http://[::ffff:10.0.0.1]",
        "http://localhost",
        "http://localhost.evil",
        "http://10.0.0.1",
        "http://169.254.169.254",
        "file:///etc/passwd",
        "ftp://127.0.0.1",
        "127.0.0.1:80",
        "//127.0.0.1",
        "http://",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:port",
        "http://[::1",
        "http://127.0.0.1\r\nX: y",
        "http://\x1b[31m",
        "x" * 100_000,
    ],
)
def test_other_bases_are_refused_before_the_token_is_read(
    base: str, environ: dict[str, str], account: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_token(*arguments: object) -> None:
        pytest.fail("the token was read")

    monkeypatch.setattr(credentials, "_stored", read_token)
    monkeypatch.setattr(http, "get_response", read_token)
    error = refusal({**environ, "ULLAGE_API_BASE": base})
    assert error.code == "base_refused"
    assert "ULLAGE_API_BASE" in str(error)
    assert "\x1b" not in str(error)
    assert len(str(error)) < 500


@pytest.mark.parametrize(
    "base",
    [
        "https://api.anthropic.com",
        "https://api.anthropic.com/",
        "https://API.anthropic.com:443",
        "http://127.0.0.1:8000",
        "https://127.0.0.53",
        "http://[::1]:8000",
    ],
)
def test_bases_that_are_asked(base: str) -> None:
    url = http.check_base(base, http.PROVIDER)
    assert url.host in ("api.anthropic.com", "127.0.0.1", "127.0.0.53", "::1")


def store(directory: Path, **fields: object) -> None:
    (directory / ".credentials.json").write_text(json.dumps({"claudeAiOauth": fields}))


@pytest.mark.parametrize("age", [timedelta(0), timedelta(seconds=1), timedelta(days=400)])
def test_expired_token_is_not_sent(
    age: timedelta, environ: dict[str, str], simulate: Simulate, account: Path, now: datetime
) -> None:
    simulator = simulate("busy-day")
    store(account, accessToken=TOKEN, expiresAt=int((now - age).timestamp() * 1000))
    with pytest.raises(SourceError, match="Open Claude Code once to renew it") as caught:
        oauth.read(environ, oauth.account(environ), now)
    assert (caught.value.code, caught.value.reached_server) == ("token_expired", False)
    assert simulator.requests == 0


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, "token_missing"),
        (b"", "token_missing"),
        (b"{", "token_missing"),
        (b"[]", "token_missing"),
        (b'{"claudeAiOauth": []}', "token_missing"),
        (b'{"claudeAiOauth": {"accessToken": ""}}', "token_missing"),
        (b'{"claudeAiOauth": {"accessToken": 5}}', "token_unreadable"),
        (b'{"claudeAiOauth": {"accessToken": "a b"}}', "token_unreadable"),
        (b'{"claudeAiOauth": {"accessToken": "a\\r\\nX-Evil: 1"}}', "token_unreadable"),
        ('{"claudeAiOauth": {"accessToken": "ä"}}'.encode(), "token_unreadable"),
        (b'{"claudeAiOauth": {"accessToken": "' + b"a" * (2 << 20) + b'"}}', "token_missing"),
    ],
    ids=range(11),
)
def test_credentials_that_hold_no_token(
    content: bytes | None, code: str, environ: dict[str, str], simulate: Simulate, account: Path
) -> None:
    simulator = simulate("busy-day")
    (account / ".credentials.json").unlink()
    if content is not None:
        (account / ".credentials.json").write_bytes(content)
    error = refusal(environ)
    assert error.code == code
    assert "/login" in str(error)
    assert simulator.requests == 0


def test_fifo_in_place_of_the_credentials_is_not_waited_for(
    environ: dict[str, str], simulate: Simulate, account: Path
) -> None:
    simulate("busy-day")
    (account / ".credentials.json").unlink()
    os.mkfifo(account / ".credentials.json")
    assert refusal(environ).code == "token_missing"


def test_variable_goes_before_the_file(environ: dict[str, str], simulate: Simulate, account: Path) -> None:
    simulate("busy-day")
    (account / ".credentials.json").write_text("{")
    environ["CLAUDE_CODE_OAUTH_TOKEN"] = TOKEN
    reading = ask(environ)
    assert reading.account.id is None
    environ["CLAUDE_CODE_OAUTH_TOKEN"] = "not the one"
    assert refusal(environ).code == "token_unreadable"


def security(tmp_path: Path, script: str) -> str:
    """Write a stand-in for macOS's `security`, which keeps the arguments and the environment that it got."""
    program = tmp_path / "security"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >{tmp_path}/arguments\nenv >{tmp_path}/environment\n{script}\n')
    program.chmod(0o755)
    return str(program)


STORED = json.dumps({"claudeAiOauth": {"accessToken": TOKEN}})


@pytest.mark.process
@pytest.mark.parametrize(
    ("script", "found"),
    [
        (f"echo '{STORED}'", STORED.encode()),
        (f"echo {STORED.encode().hex()}", STORED.encode()),
        ("exit 44", None),
        ("echo 'no hex at all'", None),
    ],
)
def test_keychain_payload(script: str, found: bytes | None, environ: dict[str, str], tmp_path: Path) -> None:
    environ["CLAUDE_CODE_OAUTH_TOKEN"] = TOKEN
    assert credentials._keychain(environ, security(tmp_path, script)) == found
    assert (tmp_path / "arguments").read_text().split("\n")[:3] == [
        "find-generic-password",
        "-s",
        "Claude Code-credentials",
    ]
    assert TOKEN not in (tmp_path / "environment").read_text()


def test_keychain_service_names_the_configuration_directory() -> None:
    # The first eight digits of `printf %s /home/me/work | sha256sum`.
    assert (
        credentials.name_keychain_service({"CLAUDE_CONFIG_DIR": "/home/me/work"}) == "Claude Code-credentials-7970b4c9"
    )
    decomposed, composed = ({"CLAUDE_CONFIG_DIR": path} for path in ("/caf\u0065\u0301", "/caf\u00e9"))
    assert credentials.name_keychain_service(decomposed) == credentials.name_keychain_service(composed)


@pytest.mark.process
@pytest.mark.parametrize("status", [1, 36, 51, 128])
def test_a_keychain_that_is_locked_is_not_one_without_the_item(
    status: int, environ: dict[str, str], tmp_path: Path
) -> None:
    with pytest.raises(SourceError, match=f"security: {status}.*locked.*Unlock") as caught:
        credentials._keychain(environ, security(tmp_path, f"echo why >&2; exit {status}"))
    assert caught.value.code == "token_unreadable"


@pytest.mark.process
@pytest.mark.parametrize("program", ["sleeping", "absent"])
def test_keychain_that_does_not_answer(
    program: str, environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials, "_KEYCHAIN_SECONDS", 0.2)
    path = security(tmp_path, "exec sleep 60") if program == "sleeping" else str(tmp_path / "absent")
    with pytest.raises(SourceError, match="Unlock it") as caught:
        credentials._keychain(environ, path)
    assert caught.value.code == "token_unreadable"


@pytest.mark.parametrize(
    "expires_at", [0, "0", 1_700_000_000, "1700000000000", 1_700_000_000_000.0, "2026-01-01T00:00:00Z"]
)
def test_a_token_that_has_expired_is_never_sent_however_that_is_written(
    simulate: Simulate, environ: dict[str, str], account: Path, expires_at: object
) -> None:
    simulator = simulate("busy-day")
    store(account, accessToken=TOKEN, expiresAt=expires_at)
    assert refusal(environ).code == "token_expired"
    assert simulator.requests == 0


@pytest.mark.parametrize("expires_at", [None, 4_100_000_000, "4100000000000", "soon", True, [0]])
def test_one_that_is_not_known_to_have_expired_is(
    simulate: Simulate, environ: dict[str, str], account: Path, expires_at: object
) -> None:
    simulate("busy-day")
    store(account, accessToken=TOKEN, expiresAt=expires_at)
    assert ask(environ).windows


@pytest.mark.parametrize("scopes", [["user:inference"], "user:inference user:file_upload"])
def test_a_token_without_the_scope_is_never_sent(
    simulate: Simulate, environ: dict[str, str], account: Path, scopes: object
) -> None:
    simulator = simulate("busy-day")
    store(account, accessToken=TOKEN, scopes=scopes)
    error = refusal(environ)
    assert (error.code, error.reached_server, simulator.requests) == ("scope_missing", False, 0)

"""The web source over real sockets: whose numbers they are, what stands in the way, and where the key does not go."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from tests.support.tools import ULLAGE, make_due, processes, ullage, wait_until
from ullage import config
from ullage.base.errors import SourceError
from ullage.quota.model import Account
from ullage.simulate import ACCOUNT_ID, Reply, Simulator
from ullage.simulate import web as stand_in
from ullage.sources import web
from ullage.sources.web_account import identify
from ullage.store.account import AccountCache
from ullage.store.cache import ProfileCache
from ullage.system import http
from ullage.system.keys import COMMAND_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ullage.quota.model import Reading

    Simulate = Callable[..., Simulator]

# Our own code starts the command that has the key.
pytestmark = pytest.mark.process

KEY = stand_in.SESSION_KEY
ORGANIZATION = stand_in.ORGANIZATION_ID
OTHER = "5e000000-0000-4000-8000-0000000000cc"
TEAM = {"uuid": OTHER, "name": "Team\x1b[31m \u202eevil", "capabilities": ["chat", "raven"], "raven_type": "team"}


@pytest.fixture
def key_command(environ: dict[str, str], account: Path, tmp_path: Path) -> Path:
    """A password manager that counts how often it is asked; the source is turned on with it."""
    program = tmp_path / "manager"
    program.write_text(f"#!/bin/sh\necho x >>{tmp_path}/asked\ncat {tmp_path}/store\necho secret noise: {KEY} >&2\n")
    program.chmod(0o755)
    (tmp_path / "store").write_text(f"{KEY}\nlogin: me\n")
    Path(environ["ULLAGE_CONFIG"]).write_text(f'web.session_key_command = "{program} show claude"\n')
    environ["ULLAGE_SOURCE"] = "web"
    return program


def source(environ: Mapping[str, str]) -> web.Web:
    return web.Web(config.load(environ)[0].web)


def ask(environ: Mapping[str, str], now: datetime | None = None) -> Reading:
    asked = source(environ)
    return asked.read(environ, asked.account(environ), now or datetime.now(UTC))


def refusal(environ: Mapping[str, str]) -> SourceError:
    with pytest.raises(SourceError) as caught:
        ask(environ)
    assert KEY not in f"{caught.value} {caught.value.__dict__} {caught.value.__cause__!r}"
    return caught.value


def sign_out(account: Path) -> None:
    (account / ".claude.json").write_text("{}")


def test_a_reading_is_of_the_account_that_claude_code_names(
    environ: dict[str, str], simulate: Simulate, key_command: Path
) -> None:
    simulate("models")
    reading = ask(environ)
    assert (reading.source, reading.account.id, reading.account.plan) == ("web", ACCOUNT_ID, "max")
    assert reading.account.tier == "default_claude_max_20x"
    assert {window.id for window in reading.windows} >= {"five_hour", "seven_day", "seven_day_fable"}


def test_it_works_over_tls(
    environ: dict[str, str],
    simulate: Simulate,
    key_command: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    import ssl

    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    simulator = simulate("busy-day", tls=context)
    assert refusal(environ).code == "bad_certificate"
    assert simulator.requests == 0
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    assert ask(environ).windows


class Seen:
    """What a server was asked, by path, and the headers of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        answer = stand_in.answer_web

        def note(simulator: Simulator, path: str, cookies: str) -> Reply:
            self.paths.append(path)
            return answer(simulator, path, cookies)

        monkeypatch.setattr(stand_in, "answer_web", note)


def test_whose_key_it_is_is_asked_once_a_day_and_for_another_key_anew(
    environ: dict[str, str], simulate: Simulate, key_command: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    simulate("busy-day")
    seen = Seen(monkeypatch)
    usage = f"/api/organizations/{ORGANIZATION}/usage"
    first = ["/api/organizations", "/api/account", usage]
    now = datetime.now(UTC)
    ask(environ, now)
    assert seen.paths == first
    ask(environ, now + timedelta(hours=23))
    assert seen.paths == [*first, usage]
    ask(environ, now + timedelta(hours=25))
    assert seen.paths == [*first, usage, *first]
    (tmp_path / "store").write_text("sk-ant-sid01-another\n")
    assert refusal(environ).code == "unauthorized"
    assert seen.paths[-1] == "/api/organizations"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"mark": 5}', b'{"told_at": "2026-11-22T10:00:00Z"}', b"\xff"])
def test_a_note_that_is_damaged_is_as_good_as_none(
    content: bytes, environ: dict[str, str], simulate: Simulate, key_command: Path
) -> None:
    simulate("busy-day")
    ask(environ)
    Path(ProfileCache(environ).directory, "web.json").write_bytes(content)
    assert ask(environ).account.id == ACCOUNT_ID


def test_the_note_is_private_and_holds_no_key(environ: dict[str, str], simulate: Simulate, key_command: Path) -> None:
    simulate("busy-day")
    ask(environ)
    note = Path(ProfileCache(environ).directory, "web.json")
    assert note.stat().st_mode & 0o777 == 0o600
    assert KEY not in note.read_text()


def test_a_variable_goes_before_the_command(
    environ: dict[str, str], simulate: Simulate, key_command: Path, tmp_path: Path
) -> None:
    simulate("busy-day")
    with Path(environ["ULLAGE_CONFIG"]).open("a") as file:
        file.write('web.session_key_variable = "MY_KEY"\n')
    ask({**environ, "MY_KEY": f"sessionKey={KEY}"})
    assert not (tmp_path / "asked").exists()
    ask(environ)
    assert (tmp_path / "asked").exists()


@pytest.mark.parametrize(
    ("setting", "words"),
    [("", "No session key is named"), ('web.session_key_variable = "MY_KEY"', "The variable MY_KEY is not set here")],
)
def test_without_a_key_nobody_is_asked(
    setting: str, words: str, environ: dict[str, str], simulate: Simulate, key_command: Path
) -> None:
    simulator = simulate("busy-day")
    Path(environ["ULLAGE_CONFIG"]).write_text(setting)
    error = refusal(environ)
    assert error.code == "key_missing"
    assert words in str(error)
    assert "session_key_command" in str(error)
    assert simulator.requests == 0


@pytest.mark.parametrize(
    ("scenario", "code", "advice"),
    [
        ("cloudflare", "cloudflare", 'source = "auto"'),
        ("revoked", "unauthorized", "keep the new key"),
        ("scope", "forbidden", "opens in a browser"),
        ("429-storm", "rate_limited", "says nothing about your plan's limits"),
        ("outage", "server_error", "asks again by itself"),
        ("html", "not_json", "Open a browser"),
        ("truncated", "truncated", "Another attempt"),
        ("redirect", "redirected", "does not follow"),
        ("huge", "too_large", "more than 1 MiB"),
        ("empty", "unexpected_shape", "newer ullage"),
    ],
)
def test_each_failure_has_its_code_and_its_advice(
    scenario: str, code: str, advice: str, environ: dict[str, str], simulate: Simulate, key_command: Path
) -> None:
    simulator = simulate(scenario)
    simulator.requests = 1  # the storm and the outage begin with one good answer
    error = refusal(environ)
    assert (error.code, error.reached_server) == (code, True)
    assert advice in str(error)


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(status=403, headers={"Content-Type": "text/html"}, body=b"<html>Just a moment..."), "cloudflare"),
        (Reply(status=503, headers={"cf-mitigated": "challenge"}), "cloudflare"),
        (Reply(headers={"Content-Type": "text/html"}, body=b"<title>Just a moment...</title>"), "cloudflare"),
        (Reply(status=403, headers={"Content-Type": "text/html"}, body=b"<html>no"), "forbidden"),
        (Reply(body=b'{"five_hour": {"utilization": 5, "resets_at": null}, "note": "Just a moment"}'), ""),
        (Reply(status=403, body=b'{"error":{"details":{"error_code":"account_session_invalid"}}}'), "unauthorized"),
        (Reply(status=404, body=b"{}"), "not_found"),
        (Reply(status=418), "unexpected_status"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value.status} {value.body[:12]!r}",
)
def test_a_page_of_cloudflares_is_told_from_other_answers(
    reply: Reply, code: str, environ: dict[str, str], simulate: Simulate, key_command: Path
) -> None:
    simulate("busy-day").scenario = lambda moment: reply
    if code:
        assert refusal(environ).code == code
    else:
        assert ask(environ).windows


def test_a_key_that_is_refused_is_looked_up_anew_next_time(
    environ: dict[str, str], simulate: Simulate, key_command: Path
) -> None:
    simulator = simulate("busy-day")
    ask(environ)
    note = Path(ProfileCache(environ).directory, "web.json")
    simulator.scenario = lambda moment: Reply(status=404, body=b"{}")
    assert refusal(environ).code == "not_found"
    assert not note.exists()


@pytest.mark.parametrize(
    "base",
    [
        "http://claude.ai",
        "https://claude.ai.evil",
        "https://claude.ai@evil",
        "https://evil/https://claude.ai",
        "https://api.anthropic.com",
        "http://localhost",
        "http://10.0.0.1",
        "http://127.0.0.1/elsewhere",
        "http://127.0.0.1@evil",
        "file:///etc/passwd",
    ],
)
def test_other_hosts_are_refused_before_the_key_is_fetched(
    base: str, environ: dict[str, str], key_command: Path, tmp_path: Path
) -> None:
    error = refusal({**environ, "ULLAGE_WEB_BASE": base})
    assert error.code == "base_refused"
    assert "ULLAGE_WEB_BASE" in str(error)
    assert "https://claude.ai" in str(error)
    assert not (tmp_path / "asked").exists()


def test_by_default_it_is_claude_ai_that_is_asked(
    environ: dict[str, str], key_command: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def note(base: object, path: str, headers: Mapping[str, str], seconds: float) -> http.Response:
        asked.append(f"{base}{path}")
        return http.Response(500, {}, b"")

    monkeypatch.setattr(http, "get_response", note)
    del environ["ULLAGE_WEB_BASE"]
    assert refusal(environ).code == "server_error"
    assert asked == ["https://claude.ai/api/organizations"]


def organisations(*more: object) -> list[Any]:
    return [*stand_in.ORGANIZATIONS, *more]


PERSON = {"uuid": ACCOUNT_ID, "email_address": "Simulated@example.com"}
SIGNED_IN = {"accountUuid": ACCOUNT_ID, "emailAddress": "simulated@example.com", "organizationUuid": ORGANIZATION}


@pytest.mark.parametrize(
    ("listed", "told", "signed_in", "wanted", "expected"),
    [
        # The same account and organisation as Claude Code's: one name for both.
        (organisations(), PERSON, SIGNED_IN, "", (ACCOUNT_ID, ORGANIZATION)),
        (organisations(TEAM), PERSON, SIGNED_IN, "", (ACCOUNT_ID, ORGANIZATION)),
        (organisations(TEAM), PERSON, {**SIGNED_IN, "organizationUuid": OTHER}, "", (ACCOUNT_ID, OTHER)),
        # An account that is known by its address alone, here or there.
        (organisations(), {"email_address": "SIMULATED@example.com"}, SIGNED_IN, "", (ACCOUNT_ID, ORGANIZATION)),
        (organisations(), PERSON, {"accountUuid": ACCOUNT_ID}, "", (ACCOUNT_ID, ORGANIZATION)),
        # Nobody is signed in: the key speaks for itself.
        (organisations(), PERSON, {}, "", (ACCOUNT_ID, ORGANIZATION)),
        (organisations(TEAM), PERSON, {}, OTHER, (ACCOUNT_ID, OTHER)),
        (organisations(TEAM), PERSON, {}, ORGANIZATION, (ACCOUNT_ID, ORGANIZATION)),
    ],
)
def test_whose_numbers_they_are(
    listed: object, told: object, signed_in: dict[str, Any], wanted: str, expected: tuple[str, str]
) -> None:
    found = identify(listed, told, signed_in, wanted)
    assert (found.account_id, found.organization) == expected


def test_an_account_without_an_id_is_told_from_another() -> None:
    one, other = (
        identify(organisations(), {"email_address": address}, {}, "").account_id for address in ("a@b.c", "b@b.c")
    )
    assert one != other
    assert "@" not in one


@pytest.mark.parametrize(
    ("listed", "told", "signed_in", "wanted", "code"),
    [
        (organisations(), PERSON, {**SIGNED_IN, "accountUuid": OTHER}, "", "other_account"),
        (organisations(), {"email_address": "else@example.com"}, SIGNED_IN, "", "other_account"),
        (organisations(TEAM), PERSON, SIGNED_IN, OTHER, "other_account"),
        (organisations(), PERSON, {**SIGNED_IN, "organizationUuid": OTHER}, "", "other_account"),
        (organisations(TEAM), PERSON, {"accountUuid": ACCOUNT_ID}, OTHER, "other_account"),
        (organisations(TEAM), PERSON, {}, "", "several_organizations"),
        (organisations(), PERSON, {}, OTHER, "organization_unknown"),
        ([], PERSON, {}, OTHER, "organization_unknown"),
        ([], PERSON, {}, "", "no_plan_limits"),
        ([stand_in.ORGANIZATIONS[0]], PERSON, {}, "", "no_plan_limits"),
        ([{"uuid": "../../x", "capabilities": ["claude_max"]}], PERSON, {}, "", "no_plan_limits"),
        ([{"uuid": 5, "capabilities": "claude_max"}, None, "x"], PERSON, {}, "", "no_plan_limits"),
        ({"error": "x"}, PERSON, {}, "", "no_plan_limits"),
        (organisations(), {}, {}, "", "unexpected_shape"),
        (organisations(), ["x"], SIGNED_IN, "", "unexpected_shape"),
    ],
)
def test_numbers_that_may_be_anothers_are_not_taken(
    listed: object, told: object, signed_in: dict[str, Any], wanted: str, code: str
) -> None:
    with pytest.raises(SourceError) as caught:
        identify(listed, told, signed_in, wanted)
    assert caught.value.code == code
    assert str(caught.value).isprintable()


def test_the_choice_between_organisations_is_listed_with_clean_names() -> None:
    with pytest.raises(SourceError) as caught:
        identify(organisations(TEAM), PERSON, {}, "")
    assert f"{OTHER} (Team[31m evil)" in str(caught.value)
    assert f"{ORGANIZATION} (Sim's Organization)" in str(caught.value)


def test_an_account_that_is_signed_in_elsewhere_never_shows_here(
    environ: dict[str, str], simulate: Simulate, key_command: Path
) -> None:
    simulator = simulate("busy-day")
    simulator.web_account = {"uuid": OTHER, "email_address": "else@example.com"}
    told = ullage("usage", "--json", environ=environ)
    assert told.returncode == 5
    assert json.loads(told.stdout)["problem"]["code"] == "other_account"
    assert json.loads(told.stdout)["windows"] == []
    assert simulator.requests == 0


def test_without_a_sign_in_the_account_is_known_from_the_second_question_on(
    environ: dict[str, str], simulate: Simulate, key_command: Path, account: Path
) -> None:
    simulator = simulate("busy-day")
    sign_out(account)
    assert ullage("refresh", environ=environ).returncode == 0
    make_due(environ)
    assert ullage("refresh", environ=environ).returncode == 0
    assert simulator.requests == 2
    document = json.loads(ullage("usage", "--json", "--no-refresh", environ=environ).stdout)
    assert document["account"]["id"] == ACCOUNT_ID
    assert {window["source"] for window in document["windows"]} == {"web"}


def test_the_answer_to_a_key_that_is_anothers_by_now_is_not_taken_for_the_first_ones(
    environ: dict[str, str], simulate: Simulate, key_command: Path, account: Path
) -> None:
    simulate("busy-day")
    sign_out(account)
    assert ullage("refresh", environ=environ).returncode == 0
    cache = ProfileCache(environ)
    note = Path(cache.directory, "web.json")
    note.write_text(json.dumps({**json.loads(note.read_text()), "account_id": "somebody", "mark": "of another key"}))
    assert source(environ).account(environ).id == "somebody"
    assert ullage("refresh", "--force", environ=environ).returncode == 0
    accounts = [Account(id=name, organization_id=ORGANIZATION) for name in ("somebody", ACCOUNT_ID)]
    known = [AccountCache(cache.environ, account).load_reading("web") for account in accounts]
    assert [reading is not None for reading in known] == [False, True]
    reading = cache.load_reading()
    assert reading is not None
    assert reading.account.id == ACCOUNT_ID


def test_ten_processes_are_one_request_and_the_cadence_holds(
    environ: dict[str, str], simulate: Simulate, key_command: Path
) -> None:
    simulator = simulate("busy-day")
    herd = [subprocess.Popen([ULLAGE, "refresh"], env=environ, stdout=subprocess.DEVNULL) for _ in range(10)]
    assert {process.wait(180) for process in herd} == {0}
    assert ullage("refresh", environ=environ).returncode == 0
    assert simulator.requests == 1


def test_profiles_of_one_account_are_one_request(
    environ: dict[str, str], simulate: Simulate, key_command: Path, account: Path, tmp_path: Path
) -> None:
    simulator = simulate("busy-day")
    second = tmp_path / "second"
    second.mkdir()
    (second / ".claude.json").write_text((account / ".claude.json").read_text())
    for directory in (account, second):
        done = ullage("usage", "--json", environ={**environ, "CLAUDE_CONFIG_DIR": str(directory)})
        assert json.loads(done.stdout)["windows"]
    assert simulator.requests == 1


def test_a_pause_that_the_server_asks_for_is_kept(
    environ: dict[str, str], simulate: Simulate, key_command: Path
) -> None:
    simulator = simulate("429-storm")
    simulator.requests = 1
    ullage("refresh", environ=environ)
    assert simulator.requests == 2
    told = ullage("refresh", "--force", environ=environ)
    assert simulator.requests == 2
    assert "says nothing about your plan's limits" in told.stderr


def everything_under(*directories: Path) -> bytes:
    return b"\n".join(
        path.read_bytes()
        for directory in directories
        for path in directory.rglob("*")
        if path.is_file() and not path.is_symlink()
    )


@pytest.mark.parametrize("scenario", ["busy-day", "cloudflare", "revoked", "redirect", "429-storm-no-header", "cut"])
def test_the_key_is_in_no_output_and_no_file(
    scenario: str, environ: dict[str, str], simulate: Simulate, key_command: Path, tmp_path: Path
) -> None:
    simulate(scenario).requests = 1
    said = []
    for arguments in (
        ["refresh", "--force"],
        ["usage"],
        ["usage", "--json"],
        ["doctor"],
        ["doctor", "--json"],
        ["config"],
        ["config", "check"],
    ):
        done = ullage(*arguments, environ=environ)
        said.append(done.stdout + done.stderr)
    assert "web" in "".join(said)
    assert KEY not in "".join(said)
    kept = (Path(environ["ULLAGE_CACHE_DIR"]), tmp_path / "state", Path(environ["HOME"]))
    assert KEY.encode() not in everything_under(*(directory for directory in kept if directory.exists()))


def test_the_key_goes_to_no_other_program(
    environ: dict[str, str], simulate: Simulate, key_command: Path, tmp_path: Path
) -> None:
    """An alert's command and the user's claude see an environment without it."""
    simulate("over-limit")
    program = tmp_path / "alert"
    program.write_text(
        f"#!/bin/sh\ncat /proc/self/environ /proc/self/cmdline >>{tmp_path}/seen; cat >>{tmp_path}/seen\n"
    )
    program.chmod(0o755)
    Path(environ["ULLAGE_CONFIG"]).write_text(
        f'web.session_key_variable = "MY_KEY"\nalerts.via = ["command"]\nalerts.command = ["{program}"]\n'
    )
    mine = {**environ, "MY_KEY": KEY}
    assert ullage("refresh", environ=mine).returncode == 0
    # A process of its own delivers it, and lives on when the refresh has ended.
    wait_until(lambda: not processes(mine), what="the delivery")
    seen = (tmp_path / "seen").read_bytes()
    assert b"ULLAGE_CACHE_DIR" in seen
    assert KEY.encode() not in seen
    from ullage.sources import claude_cli

    assert KEY not in claude_cli.build_child_environment(mine).values()


def test_no_cookie_of_an_answer_is_sent_with_the_next_question(
    environ: dict[str, str], simulate: Simulate, key_command: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulate("busy-day")
    given: list[str] = []
    answer = stand_in.answer_web

    def note(simulator: Simulator, path: str, cookies: str) -> Reply:
        given.append(cookies)
        return answer(simulator, path, cookies).replace(headers={"Set-Cookie": "tracker=1; Path=/"})

    monkeypatch.setattr(stand_in, "answer_web", note)
    ask(environ)
    assert given == [f"sessionKey={KEY}"] * 3


def test_a_key_with_its_name_before_it_is_understood(
    environ: dict[str, str], simulate: Simulate, key_command: Path, tmp_path: Path
) -> None:
    simulate("busy-day")
    (tmp_path / "store").write_text(f"sessionKey={KEY}\n")
    assert ask(environ).windows


def test_all_of_it_has_one_deadline(
    environ: dict[str, str], simulate: Simulate, key_command: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "ANSWER_SECONDS", 1.0)
    simulate("silent")
    assert refusal(environ).code == "timeout"


def test_the_longest_wait_is_shorter_than_what_a_waiting_command_grants() -> None:
    from ullage.cli.asking import LONGEST_REFRESH_SECONDS

    assert COMMAND_SECONDS < web.ANSWER_SECONDS < LONGEST_REFRESH_SECONDS

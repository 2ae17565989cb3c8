"""`ullage tee` in real pipes: every byte comes out as it went in, whatever becomes of the numbers."""

from __future__ import annotations

import itertools
import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import tools
from tests.support.tools import ULLAGE, needs_linux, ullage, wait_until
from ullage.claude_code.tee import _LARGE_PIECE, EventLines
from ullage.quota.model import Account, Reading, Window
from ullage.sources import tee
from ullage.store.cache import ProfileCache
from ullage.system.places import locate_profile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PERSON = "5e000000-0000-4000-8000-000000000007"
SESSION = "0d9d5b1e-0000-4000-8000-000000000001"
INIT = b'{"type":"system","subtype":"init","session_id":"0d9d5b1e","model":"claude-test-5"}\n'
RESULT = b'{"type":"result","subtype":"success","result":"Simulated."}\n'


def soon(**distance: float) -> int:
    return int((datetime.now(UTC) + timedelta(**distance)).timestamp())


def event(
    five_hour: object = 0.37, week: object = 0.61, model: object = None, *, shift: float = 0, **more: Any
) -> bytes:
    """Return an event as Claude Code 2.1.332 writes it, with values of our own; `shift` moves its resets, in hours."""
    used = {"five_hour": five_hour, "seven_day": week, "seven_day_overage_included": model}
    resets = {"five_hour": soon(hours=2 + shift), "seven_day": soon(hours=50 + shift)}
    windows = {
        name: {"utilization": value, "resetsAt": resets.get(name, resets["seven_day"])}
        for name, value in used.items()
        if value is not None
    }
    info = {"status": "allowed", "rateLimitType": "five_hour", "isUsingOverage": False, "unifiedWindows": windows}
    stated = {"type": "rate_limit_event", "rate_limit_info": info, "uuid": f"{five_hour}/{week}", "session_id": SESSION}
    return json.dumps({**stated, **more}, separators=(",", ":")).encode() + b"\n"


@pytest.fixture(autouse=True)
def _nothing_else_is_asked(environ: dict[str, str]) -> None:
    environ["ULLAGE_SOURCE"] = "tee"


def piped(data: bytes, environ: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run it on data, and insist that this comes out."""
    done = subprocess.run(
        [ULLAGE, "tee", *arguments], env=dict(environ), input=data, capture_output=True, timeout=180, check=False
    )
    assert done.stdout == data
    assert done.returncode == 0, done.stderr
    return done


def known(environ: Mapping[str, str]) -> Reading | None:
    return ProfileCache(environ).load_reading()


def used(environ: Mapping[str, str]) -> dict[str, float | None]:
    reading = known(environ)
    return {window.id: window.used_percent for window in reading.windows} if reading else {}


def test_what_passes_is_known_when_it_has_passed(environ: dict[str, str]) -> None:
    assert piped(INIT + event(model=0.425) + RESULT, environ).stderr == b""
    assert used(environ) == {"five_hour": 37.0, "seven_day": 61.0, "seven_day_fable": 42.5}
    told = json.loads(ullage("usage", "--json", "--no-refresh", environ=environ).stdout)
    assert {(window["source"], window["listed"]) for window in told["windows"]} == {("tee", True)}
    assert told["age_seconds"] < 60
    assert ullage("prompt", environ=environ).stdout == "7d 61%\n"


def test_the_last_of_many_events_counts_and_is_enough(environ: dict[str, str]) -> None:
    piped(b"".join(event(number / 10_000) + RESULT * 20 for number in range(5000)), environ)
    assert used(environ)["five_hour"] == 49.99


def test_an_event_without_the_end_of_its_line_counts(environ: dict[str, str]) -> None:
    piped((RESULT + event(0.8)).rstrip(b"\n"), environ)
    assert used(environ)["five_hour"] == 80


def test_a_later_run_of_the_session_keeps_what_its_answers_leave_out(environ: dict[str, str]) -> None:
    piped(event(0.3, 0.6, 0.2), environ)
    piped(event(0.4, None), environ)
    assert used(environ) == {"five_hour": 40.0, "seven_day": 60.0, "seven_day_fable": 20.0}


def test_the_same_event_again_is_as_old_as_it_was(environ: dict[str, str]) -> None:
    piped(event(0.3), environ)
    before = known(environ)
    time.sleep(0.01)
    piped(event(0.3), environ)
    assert known(environ) == before


def test_the_week_of_the_model_has_the_name_that_a_list_gives_it(environ: dict[str, str]) -> None:
    now = datetime.now(UTC)
    listed = {"seven_day_fable_5_1": "Week (Fable 5.1)", "seven_day_opus": "Week (Opus)"}
    windows = tuple(
        Window(id=name, label=label, kind="model", used_percent=9.0, resets_at=None, source="oauth", as_of=now)
        for name, label in listed.items()
    )
    other = Reading(account=Account(), source="oauth", as_of=now, windows=windows)
    told = tee.parse_event(event(model=0.5), now)
    assert told is not None
    assert [window.label for window in told.reading.windows] == ["Session (5h)", "Week (all models)", "Week (Fable)"]
    named = tee.name_model(told.reading, [other, told.reading])
    assert (named.windows[2].id, named.windows[2].label) == ("seven_day_fable_5_1", "Week (Fable 5.1)")
    several = other.replace(windows=(*windows, windows[0].replace(id="seven_day_fable_5", label="Week (Fable 5)")))
    assert tee.name_model(told.reading, [several]) == told.reading
    assert tee.name_model(told.reading, [told.reading]) == told.reading


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"null",
        b'{"type": "rate_limit_event"}',
        b'{"type": "rate_limit_event", "rate_limit_info": {"unifiedWindows": []}}',
        b'{"type": "rate_limit_event", "rate_limit_info": {"unifiedWindows": {"five_hour": {"utilization": "0.5"}}}}',
        b'{"type": "rate_limit_event", "rate_limit_info": {"unifiedWindows": {"five_hour": {"utilization": true}}}}',
        b'{"type": "rate_limit_event", "rate_limit_info": {"unifiedWindows": {"five_hour": {"utilization": 1e308}}}}',
        b'{"type": "rate_limit_event", "rate_limit_info": {"unifiedWindows": {"five_hour": {"utilization": NaN}}}}',
        b'{"type": "rate_limit_event", "rate_limit_info": {"unifiedWindows": {"five_hour": 7}}}',
        b'{"type": "assistant", "rate_limit_info": {"unifiedWindows": {"five_hour": {"utilization": 0.5}}}}',
        b"[" * 60_000,
        b'{"a": ' * 10_000,
        b"\xff\xfe{}",
        event().replace(b"rate_limit_event", b"rate_limit_evening"),
    ],
    ids=lambda line: repr(line[-40:]),
)
def test_what_is_no_event_says_nothing(line: bytes, now: datetime) -> None:
    assert tee.parse_event(line, now) is None


def test_a_hostile_event_is_only_a_statement_of_its_own(environ: dict[str, str]) -> None:
    session = "../../../etc/\x1b[2J$(touch pwned)\u202e" + "x" * 500
    piped(event(7.2, -0.0, session_id=session, uuid={"a": 1}), environ)
    assert used(environ) == {"five_hour": 720.0, "seven_day": 0.0}
    [path] = Path(locate_profile(environ)).glob("reading.*")
    assert path.name.startswith("reading.tee-etc2Jtouchpwnedx")


def sign_in(environ: Mapping[str, str], person: str) -> None:
    account = {"accountUuid": person, "organizationUuid": "home"}
    Path(environ["HOME"], ".claude.json").write_text(json.dumps({"oauthAccount": account}))


def test_the_numbers_are_the_account_s_that_is_signed_in(environ: dict[str, str]) -> None:
    sign_in(environ, PERSON)
    piped(event(), environ)
    reading = known(environ)
    assert reading is not None
    assert (reading.account.id, reading.account.organization_id) == (PERSON, "home")


def test_under_a_token_they_are_nobody_s_and_join_no_other_quota(environ: dict[str, str]) -> None:
    sign_in(environ, PERSON)
    now = datetime.now(UTC)
    session = Window(
        id="five_hour",
        label="Session (5h)",
        kind="session",
        used_percent=20.0,
        resets_at=now + timedelta(hours=4),
        source="oauth",
        as_of=now,
    )
    windows = (session, session.replace(id="seven_day", kind="weekly", resets_at=now + timedelta(hours=90)))
    ProfileCache(environ).make_private()
    ProfileCache(environ).save_reading(
        Reading(account=Account(id=PERSON, organization_id="home"), source="oauth", as_of=now, windows=windows)
    )
    piped(event(0.9, 0.8), {**environ, "CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-SIMULATED"})
    stated = {reading.source: reading for reading in ProfileCache(environ).load_readings()}
    assert stated["tee"].account == Account()
    assert used(environ) == {"five_hour": 20.0, "seven_day": 20.0}
    kept = [path.read_text() for path in Path(environ["ULLAGE_CACHE_DIR"]).rglob("*") if path.is_file()]
    assert not [text for text in kept if "SIMULATED" in text]


def test_a_session_that_goes_on_after_a_new_sign_in_keeps_its_account(environ: dict[str, str]) -> None:
    sign_in(environ, PERSON)
    piped(event(0.3), environ)
    sign_in(environ, "another")
    piped(event(0.4), environ)
    assert used(environ) == {}
    piped(event(0.05, shift=1, session_id="new"), environ)
    assert used(environ)["five_hour"] == 5
    reading = known(environ)
    assert reading is not None
    assert reading.account.id == "another"


def test_a_profile_has_its_own(environ: dict[str, str], tmp_path: Path) -> None:
    piped(event(), environ, "--profile", str(tmp_path / "work"))
    assert used(environ) == {}
    assert used({**environ, "CLAUDE_CONFIG_DIR": str(tmp_path / "work")})["five_hour"] == 37


LINES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([event(), event(0.5), RESULT, b'"rate_limit', b'"rate_limit_event"']),
    st.builds(lambda part: event()[: part % len(event())], st.integers(min_value=0)),
)


@given(lines=st.lists(LINES, max_size=8), cuts=st.lists(st.integers(min_value=0, max_value=4000), max_size=20))
def test_events_are_found_wherever_the_stream_is_cut(lines: list[bytes], cuts: list[int]) -> None:
    data = b"\n".join(lines)
    bounds = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    finder = EventLines()
    found = [line for start, end in itertools.pairwise(bounds) for line in finder.find(data[start:end])]
    found += finder.finish()
    assert found == [line for line in data.split(b"\n") if b'"rate_limit_event"' in line]


@pytest.mark.parametrize("at", [0, 50, 1999])
def test_one_event_is_found_in_a_large_piece(at: int) -> None:
    lines, said = [RESULT * 2] * 2000, event()
    lines[at] = said
    piece = b"".join(lines)
    assert len(piece) > _LARGE_PIECE
    assert list(EventLines().find(piece)) == [said[:-1]]
    assert list(EventLines().find(RESULT * 4000)) == []


def test_a_line_that_is_too_long_hides_none_after_it() -> None:
    finder = EventLines()
    said = event()
    long = said[:-1] + b"x" * (1 << 17)
    pieces = [long[start : start + 4096] for start in range(0, len(long), 4096)]
    assert [line for piece in pieces for line in finder.find(piece)] == []
    assert list(finder.find(b"\n" + said)) == [said[:-1]]
    assert list(finder.finish()) == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"no end of a line",
        b"\0" * 70_000,
        bytes(range(256)) * 1000,
        b"\r\n\x1a\x04" * 100,
        b"W" * (3 << 20),
        event() * 3000,
    ],
    ids=lambda data: f"{data[:8]!r} × {len(data)}",
)
def test_every_byte_passes(data: bytes, environ: dict[str, str]) -> None:
    assert piped(data, environ).stderr == b""


@needs_linux
def test_a_hundred_megabytes_without_the_end_of_a_line_take_no_memory(environ: dict[str, str]) -> None:
    """The most that a process of ours took is compared with what it takes for nothing."""
    peaks = []
    for megabytes in (0, 100):
        writer = f"import os\nfor _ in range({megabytes}): os.write(1, b'x' * (1 << 20))"
        code = (
            "import os, resource, subprocess, sys; "
            f"writer = subprocess.Popen([sys.executable, '-c', {writer!r}], stdout=subprocess.PIPE); "
            f"done = subprocess.Popen([{ULLAGE!r}, 'tee'], stdin=writer.stdout, stdout=subprocess.PIPE); "
            "count = 0\nwhile piece := os.read(done.stdout.fileno(), 1 << 20): count += len(piece)\n"
            "_, status, used = os.wait4(done.pid, 0); done.returncode = 0; writer.wait()\n"
            "print(count, status, used.ru_maxrss)"
        )
        done = tools.run([sys.executable, "-c", code], environ)
        count, status, kib = map(int, done.stdout.split())
        assert (count, status) == (megabytes << 20, 0)
        peaks.append(kib)
    assert peaks[1] - peaks[0] < 4096


@pytest.fixture
def running(environ: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [ULLAGE, "tee"], env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
    ) as process:
        yield process
        process.kill()


def passed(process: subprocess.Popen[bytes], count: int) -> bytes:
    """Return so many bytes of what comes out, which must come without the end of the input."""
    assert process.stdout is not None
    data = b""
    while len(data) < count:
        assert select.select([process.stdout], [], [], 60)[0], "nothing comes out"
        piece = os.read(process.stdout.fileno(), count - len(data))
        assert piece
        data += piece
    return data


def give(process: subprocess.Popen[bytes], data: bytes) -> None:
    assert process.stdin is not None
    process.stdin.write(data)


def test_a_byte_comes_out_when_it_went_in_and_numbers_are_known_then(
    running: subprocess.Popen[bytes], environ: dict[str, str]
) -> None:
    said = event()
    for data in (b"a", b"\n", said[:50], said[50:]):
        give(running, data)
        assert passed(running, len(data)) == data
    wait_until(lambda: used(environ), what="the numbers while the stream goes on")


def test_an_interrupt_lets_the_last_lines_pass_and_is_passed_on(
    running: subprocess.Popen[bytes], environ: dict[str, str]
) -> None:
    give(running, INIT)
    passed(running, len(INIT))
    running.send_signal(signal.SIGINT)
    said = event() + RESULT
    give(running, said)
    assert running.stdin is not None
    running.stdin.close()
    assert running.stdout is not None
    assert running.stdout.read() == said
    assert running.wait(60) == -signal.SIGINT
    assert used(environ)["five_hour"] == 37


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_ends_it_ends_it(running: subprocess.Popen[bytes], number: signal.Signals) -> None:
    give(running, INIT)
    passed(running, len(INIT))
    running.send_signal(number)
    assert running.wait(60) == -number


def catches_interrupts(process: subprocess.Popen[bytes]) -> bool:
    status = Path(f"/proc/{process.pid}/status").read_text()
    [caught] = [line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")]
    return bool(int(caught, 16) >> (signal.SIGINT - 1) & 1)


@needs_linux
def test_a_second_interrupt_ends_it(running: subprocess.Popen[bytes]) -> None:
    give(running, INIT)
    passed(running, len(INIT))
    running.send_signal(signal.SIGINT)
    # Two that come at once are one.
    wait_until(lambda: not catches_interrupts(running), what="the end of the first signal")
    running.send_signal(signal.SIGINT)
    assert running.wait(60) == -signal.SIGINT
    assert running.stderr is not None
    assert running.stderr.read() == b""


def script(text: str, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return tools.run(["bash", "-c", f"set -o pipefail; {text}"], environ)


@pytest.mark.parametrize("exit_code", [0, 3, 130])
def test_a_shell_has_the_exit_code_of_the_program_in_front(exit_code: int, environ: dict[str, str]) -> None:
    done = script(f"{{ echo said; exit {exit_code}; }} | ullage tee", environ)
    assert (done.returncode, done.stdout, done.stderr) == (exit_code, "said\n", "")


def test_who_writes_hears_that_the_reader_has_gone(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "event").write_bytes(event())
    done = script(f"{{ cat {tmp_path}/event; yes; }} | ullage tee | head -c 5", environ)
    # 141: `yes` ended by SIGPIPE.
    assert (done.returncode, done.stdout, done.stderr) == (141, '{"typ', "")
    assert used(environ)["five_hour"] == 37


@pytest.mark.parametrize(
    ("redirections", "exit_code", "said"),
    [
        ("<&-", 0, ""),
        ("</dev/null", 0, ""),
        (">&-", 0, ""),
        ("2>&-", 0, ""),
        (">/dev/full", 5, "ullage: output: No space left on device\n"),
        ("0>/dev/null", 5, "ullage: input: Bad file descriptor\n"),
    ],
)
def test_broken_streams(redirections: str, exit_code: int, said: str, environ: dict[str, str]) -> None:
    done = script(f"ullage tee <<<said {redirections}", environ)
    assert (done.returncode, done.stderr) == (exit_code, said)


def test_a_pipe_that_does_not_wait_is_waited_for(environ: dict[str, str]) -> None:
    data = event() * 4000
    code = (
        "import fcntl, os\n"
        "for number in (0, 1): fcntl.fcntl(number, fcntl.F_SETFL, fcntl.fcntl(number, fcntl.F_GETFL) | os.O_NONBLOCK)\n"
        f"os.execv({ULLAGE!r}, ['ullage', 'tee'])"
    )
    with subprocess.Popen(
        ["bash", "-c", '{ sleep 0.2; cat; } | "$0" -c "$CODE" | { sleep 0.2; cat; }', sys.executable],
        env={**environ, "CODE": code},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.communicate(data, timeout=180)[0] == data


@pytest.mark.parametrize("trouble", ["a file in its place", "no home"])
def test_where_nothing_can_be_kept_everything_passes(trouble: str, environ: dict[str, str], tmp_path: Path) -> None:
    if trouble == "a file in its place":
        (tmp_path / "file").write_text("")
        environ["ULLAGE_CACHE_DIR"] = str(tmp_path / "file" / "cache")
    else:
        del environ["HOME"], environ["ULLAGE_CACHE_DIR"]
        environ["XDG_CACHE_HOME"] = ""
    done = piped(INIT + event() + RESULT, environ)
    assert done.stderr.startswith(b"ullage tee: The numbers are not kept. ")
    assert done.stderr.count(b"\n") == 1


def test_where_no_file_can_be_opened_everything_passes(environ: dict[str, str], tmp_path: Path) -> None:
    """The limit holds from when the stream has begun to pass."""
    with subprocess.Popen(
        [ULLAGE, "tee"], env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as end:
        give(end, INIT)
        assert passed(end, len(INIT)) == INIT
        resource.prlimit(end.pid, resource.RLIMIT_NOFILE, (3, 3))
        said = event() + RESULT
        out, _ = end.communicate(said, timeout=60)
    assert (out, end.returncode) == (said, 0)


def test_it_says_what_it_is_for_where_nobody_pipes_to_it(environ: dict[str, str]) -> None:
    primary, secondary = os.openpty()
    done = subprocess.run([ULLAGE, "tee"], env=environ, stdin=secondary, capture_output=True, check=False)
    os.close(primary)
    os.close(secondary)
    assert done.returncode == 2
    assert b"stream-json" in done.stderr
    wrong = subprocess.run([ULLAGE, "tee", "--nonsense"], env=environ, input=b"", capture_output=True, check=False)
    assert wrong.returncode == 2


# What is imported before the first byte passes; an event adds what a statement needs.
IMPORTED = {"__future__", "enum", "signal"} | tools.modules(base="arguments text", claude_code="tee", system="streams")


def test_until_there_is_an_event_it_imports_this_and_nothing_else(environ: dict[str, str]) -> None:
    out, modules = tools.imported("tee", environ=environ, given=(INIT + RESULT).decode())
    assert out == (INIT + RESULT).decode()
    assert {name for name in modules if name.startswith("ullage")} == {
        name for name in IMPORTED if name.startswith("ullage")
    }
    assert not modules & {"click", "ctypes", "json", "threading", "subprocess"}
    _, modules = tools.imported("tee", environ=environ, given=event().decode())
    assert not modules & {"click", "json", "subprocess", "sqlite3", "httpx"}

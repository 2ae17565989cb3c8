"""guard, wait and hook as processes: exit codes, one line that says why, and commands that take their place."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pexpect
import pytest

from tests.support.tools import (
    ULLAGE,
    imported,
    make_due,
    modules,
    need,
    postpone,
    processes,
    published,
    run,
    ullage,
    wait_until,
)
from ullage.quota.model import Account, Credits, Money, Reading, Window
from ullage.store.cache import ProfileCache

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ullage.simulate import Simulator

    Simulate = Callable[..., Simulator]


def state(environ: dict[str, str], used: float | None = 85.0, *, age: float = 0, resets_in: float = 3600) -> None:
    """Put a reading into the cache, and a schedule that asks nobody for a while."""
    now = datetime.now(UTC)
    as_of = now - timedelta(seconds=age)
    windows = tuple(
        Window(
            id=id,
            label=label,
            kind=kind,  # type: ignore[arg-type]  # one of its words
            used_percent=percent,
            resets_at=now + timedelta(seconds=reset),
            source="oauth",
            as_of=as_of,
        )
        for id, label, kind, percent, reset in (
            ("five_hour", "Session (5h)", "session", used, resets_in),
            ("seven_day", "Week (all models)", "weekly", 41.0, 86400),
        )
    )
    cache = ProfileCache(environ)
    cache.make_private()
    cache.save_reading(Reading(account=Account(), source="oauth", as_of=as_of, windows=windows))
    later = now + timedelta(hours=2)
    schedule = cache.load_schedule().replace(attempted_at=now, refresh_at=later, idle_refresh_at=later)
    cache.save_schedule(schedule)
    postpone(cache.environ, int(later.timestamp()))


def guard(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return ullage("guard", *arguments, environ=environ)


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [
        ([], 0, "Room: Session (5h) is at 85%, limit 100%"),
        ([], 0, "; 1 other window has room too. Limits of your own: --max"),
        (["--max", "five_hour=90", "--max", "7d=50%"], 0, "Room: "),
        (["--max", "five_hour=80"], 1, "No room: Session (5h) is at 85%, limit 80%, resets"),
        (["--max", "80"], 1, "No room: Session (5h) is at 85%"),
        (["--need", "20%"], 1, "20% wanted"),
        (["--need", "7d=20"], 0, "Room: Week (all models) is at 41%"),
        (["--max", "fable=80"], 2, "Known are 5h, 7d."),
        (["--max", "0.8"], 2, "Write 80 for 80 %, or 0.8% for 0.8 %."),
        (["--max", "nan"], 2, "is not a percentage"),
        (["--max", "1001"], 2, "more than 1000 %"),
        (["--max-age", "soon"], 2, "Write 90s, 10m"),
        (["--timeout", "5s"], 2, "--timeout is for --wait"),
        (["--json", "--", "true"], 2, "use one of them"),
    ],
)
def test_exit_code_and_one_line(environ: dict[str, str], arguments: list[str], exit_code: int, words: str) -> None:
    state(environ)
    said = guard(environ, *arguments)
    assert (said.returncode, said.stdout) == (exit_code, "")
    assert words in said.stderr
    if exit_code < 2:
        assert len(said.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("age", "arguments", "exit_code"),
    [
        (7 * 3600, [], 4),
        (7 * 3600, ["--fail-open"], 0),
        (7 * 3600, ["--fail-closed"], 1),
        (700, ["--max-age", "10m"], 4),
        (700, ["--max-age", "10m", "--fail-open"], 0),
        (700, ["--max-age", "10m", "--max", "80", "--fail-open"], 1),
        (500, ["--max-age", "10m"], 0),
    ],
)
def test_old_numbers(environ: dict[str, str], age: float, arguments: list[str], exit_code: int) -> None:
    state(environ, age=age)
    said = guard(environ, *arguments)
    assert said.returncode == exit_code
    assert len(said.stderr.splitlines()) == 1
    allowed = guard(environ, "--quiet", *arguments, "--", "echo", "run")
    assert (allowed.returncode, allowed.stdout) == (exit_code, "run\n" if exit_code == 0 else "")


@pytest.mark.parametrize(
    ("arguments", "exit_code"), [([], 3), (["--fail-open"], 0), (["--fail-closed"], 1), (["--refresh"], 3)]
)
def test_nothing_known(environ: dict[str, str], arguments: list[str], exit_code: int) -> None:
    assert guard(environ, *arguments).returncode == exit_code


@pytest.mark.parametrize(("scenario", "exit_code"), [("busy-day", 0), ("over-limit", 1), ("outage", 0), ("revoked", 5)])
def test_it_asks_when_it_may(environ: dict[str, str], simulate: Simulate, scenario: str, exit_code: int) -> None:
    server = simulate(scenario)
    assert guard(environ).returncode == 3
    assert server.requests == 0
    assert guard(environ, "--refresh").returncode == exit_code
    # The cadence holds for guards as for everybody.
    assert guard(environ, "--refresh").returncode == exit_code
    assert server.requests == 1


def test_room_that_is_wanted_must_last_beside_the_pace(environ: dict[str, str], simulate: Simulate) -> None:
    simulate("busy-day")
    # 36.8 % in two of five hours.
    assert guard(environ, "--refresh", "--max", "5h=60").returncode == 0
    said = guard(environ, "--need", "5h=20")
    assert said.returncode == 1
    assert "Session (5h) is at 36% and heads for 9" in said.stderr
    assert guard(environ, "--need", "5h=2").returncode == 0


def test_an_age_that_is_asked_for_goes_before_the_cadence_but_not_before_five_minutes(
    environ: dict[str, str], simulate: Simulate
) -> None:
    server = simulate("busy-day")
    assert guard(environ, "--refresh").returncode == 0
    cache = ProfileCache(environ)
    reading, schedule, now = cache.load_reading(), cache.load_schedule(), datetime.now(UTC)
    assert reading is not None
    old = now - timedelta(minutes=8)
    cache.save_reading(
        reading.replace(as_of=old, windows=tuple(window.replace(as_of=old) for window in reading.windows))
    )
    for minutes, requests in ((4, 1), (6, 2)):
        cache.save_schedule(
            schedule.replace(attempted_at=now - timedelta(minutes=minutes), refresh_at=now + timedelta(minutes=9))
        )
        assert guard(environ, "--refresh", "--max-age", "5m").returncode == (4 if requests == 1 else 0)
        assert server.requests == requests


def test_json_says_the_same(environ: dict[str, str]) -> None:
    state(environ)
    said = guard(environ, "--max", "80", "--json", "-q")
    told = json.loads(said.stdout)
    assert (said.returncode, told["exit_code"], told["allowed"], told["outcome"]) == (1, 1, False, "over")
    assert told["message"] in said.stderr
    assert [(window["id"], window["outcome"]) for window in told["windows"]] == [
        ("five_hour", "over"),
        ("seven_day", "under"),
    ]
    assert datetime.fromisoformat(told["room_at"]) > datetime.now(UTC)
    told = json.loads(guard({**environ, "ULLAGE_CACHE_DIR": environ["HOME"] + "/c"}, "--json", "--fail-open").stdout)
    assert (told["allowed"], told["exit_code"], told["windows"]) == (True, 3, [])


def test_a_command_takes_the_place_of_the_guard(environ: dict[str, str]) -> None:
    state(environ)
    command = ["--", "sh", "-c", 'cat; echo "$0 $1" "$$"; exit 7', "--wait", "$(x)"]
    with subprocess.Popen(
        [ULLAGE, "guard", "-q", *command], env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        said, _ = process.communicate("input\n", timeout=180)
    assert process.returncode == 7
    assert said == f"input\n--wait $(x) {process.pid}\n"


def test_signals_reach_the_command(environ: dict[str, str]) -> None:
    state(environ)
    script = 'trap "echo stopped; exit 3" TERM; echo ready; while :; do sleep 0.05; done'
    with subprocess.Popen(
        [ULLAGE, "guard", "-q", "sh", "-c", script], env=environ, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == "stopped\n"
    assert process.returncode == 3
    killed = guard(environ, "-q", "sh", "-c", "kill -9 $$")
    assert killed.returncode == -9


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="only Linux shows a process's signals")
def test_the_command_starts_with_the_signals_that_the_caller_had(environ: dict[str, str]) -> None:
    state(environ)
    # By its path, as the program of ours is: Python starts other names another way, with other signals.
    command = [need("grep"), "^Sig[IB]", "/proc/self/status"]
    assert guard(environ, "-q", *command).stdout == run(command, environ).stdout


@pytest.mark.parametrize(("command", "exit_code"), [("no-such-command", 127), ("/etc/hostname", 126), ("/", 126)])
def test_a_command_that_cannot_be_run(environ: dict[str, str], command: str, exit_code: int) -> None:
    state(environ)
    said = guard(environ, "-q", "--", command)
    assert said.returncode == exit_code
    assert len(said.stderr.splitlines()) == 1
    assert command in said.stderr
    assert "Errno" not in said.stderr


def test_no_command_runs_without_room(environ: dict[str, str], tmp_path: Path) -> None:
    state(environ)
    assert guard(environ, "--max", "80", "--", "touch", str(tmp_path / "ran")).returncode == 1
    assert not (tmp_path / "ran").exists()


def test_it_waits_until_a_reset_has_passed_and_was_read(environ: dict[str, str], simulate: Simulate) -> None:
    server = simulate("busy-day")
    state(environ, resets_in=2)
    make_due(environ)
    state(environ, resets_in=2)
    schedule = ProfileCache(environ).load_schedule()
    ProfileCache(environ).save_schedule(schedule.replace(attempted_at=datetime.now(UTC) - timedelta(minutes=6)))
    said = guard(environ, "--max", "5h=80", "--wait", "--timeout", "150s", "--", "echo", "now")
    assert (said.returncode, said.stdout) == (0, "now\n")
    assert said.stderr.startswith("ullage: Room: Session (5h) is at 36%")
    assert len(said.stderr.splitlines()) == 1
    assert server.requests == 1


def test_a_timeout_ends_the_wait_with_the_verdict(environ: dict[str, str]) -> None:
    state(environ)
    began = time.monotonic()
    said = guard(environ, "--max", "80", "--wait", "--timeout", "1s")
    assert said.returncode == 1
    assert time.monotonic() - began >= 1
    assert len(said.stderr.splitlines()) == 1


def test_waiting_for_nobody_ends_at_once(environ: dict[str, str]) -> None:
    said = guard(environ, "--wait")
    assert said.returncode == 3
    assert len(said.stderr.splitlines()) == 1


def test_another_process_that_brings_room_ends_the_wait(environ: dict[str, str]) -> None:
    state(environ)
    with subprocess.Popen(
        [ULLAGE, "guard", "--max", "80", "--wait"], env=environ, stderr=subprocess.PIPE, text=True
    ) as process:
        wait_until(lambda: processes(environ), what="the guard")
        state(environ, used=3.0)
        assert process.stderr is not None
        assert process.stderr.read().startswith("ullage: Room: Week (all models) is at 41%")
    assert process.returncode == 0


def test_the_countdown_lives_on_a_terminal_and_leaves_nothing(environ: dict[str, str]) -> None:
    state(environ, resets_in=400)
    environ["NO_COLOR"] = "1"
    child = pexpect.spawn(
        ULLAGE, ["guard", "--max", "80", "--wait"], env=environ, dimensions=(24, 50), encoding="utf-8", timeout=90
    )
    child.expect(r"\r\x1b\[K\d:\d\d No room: Session \(5h\) is at 85%")
    child.expect(r"\r\x1b\[K\d:\d\d No room: ")
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
    assert child.before is not None
    assert child.before.replace("^C", "").endswith("\r\x1b[K\r\n")
    assert child.before.count("\n") == 1


@pytest.mark.parametrize("columns", [1, 5, 40])
def test_a_narrow_terminal_gets_no_second_line(environ: dict[str, str], columns: int) -> None:
    state(environ)
    environ["NO_COLOR"] = "1"
    child = pexpect.spawn(
        ULLAGE,
        ["guard", "--max", "80", "--wait", "--timeout", "1s"],
        env=environ,
        dimensions=(24, columns),
        encoding="utf-8",
        timeout=90,
    )
    child.expect(pexpect.EOF)
    assert child.before is not None
    live = child.before.rpartition("\r\x1b[K")[0].split("\r\x1b[K")
    assert max(map(len, live)) < max(columns, 2)


WAITS: dict[str, tuple[list[str], dict[str, Any], int, str]] = {
    "a reset": (["5h"], {"resets_in": 2}, 0, "Session (5h) has reset."),
    "below already": (["5h", "--below", "90"], {}, 0, "Session (5h) is at 85%"),
    "below, timeout": (["5h", "--below", "85", "--timeout", "1s"], {}, 1, "The time is up."),
    "reset, timeout": (["7d", "--timeout", "1s"], {}, 1, "ullage: Week (all models) resets "),
    "a reset of long ago": (["5h"], {"resets_in": -5, "age": 9000}, 0, "has reset"),
    "an unknown window": (["opus"], {}, 2, "Known are 5h, 7d."),
    "what never is": (["5h", "--below", "0"], {}, 2, "never"),
    "a bad percentage": (["5h", "--below", "0.5"], {}, 2, "can mean two things"),
}


@pytest.mark.parametrize(("arguments", "known", "exit_code", "words"), WAITS.values(), ids=WAITS)
def test_wait(environ: dict[str, str], arguments: list[str], known: dict[str, Any], exit_code: int, words: str) -> None:
    state(environ, **known)
    said = ullage("wait", *arguments, environ=environ)
    assert (said.returncode, said.stdout) == (exit_code, "")
    assert words in said.stderr
    state(environ, **known)
    quiet = ullage("wait", "--quiet", *arguments, environ=environ)
    assert quiet.returncode == exit_code
    assert (quiet.stderr == "") == (exit_code == 0)


def test_wait_for_the_fullest(environ: dict[str, str]) -> None:
    # Where the machine is so slow that the first has reset before the look, another one is the fullest.
    for seconds in (2, 20, 80):
        state(environ, resets_in=seconds)
        said = ullage("wait", "--timeout", f"{seconds + 10}s", environ=environ)
        if said.returncode == 0:
            break
    assert (said.returncode, said.stdout) == (0, "")
    assert "Session (5h) has reset." in said.stderr


def test_wait_without_a_reading(environ: dict[str, str]) -> None:
    assert ullage("wait", environ=environ).returncode == 3


def hook(environ: dict[str, str], name: str, *arguments: str, **more: object) -> subprocess.CompletedProcess[str]:
    event = {"hook_event_name": name, "session_id": "s1", "cwd": "/", **more}
    return run([ULLAGE, "hook", *arguments], environ, input=json.dumps(event))


def test_a_hook_lets_pass_without_a_word_while_there_is_room(environ: dict[str, str]) -> None:
    state(environ)
    for name in ("UserPromptSubmit", "PreToolUse", "Stop"):
        said = hook(environ, name, "--block", "90")
        assert (said.returncode, said.stdout, said.stderr) == (0, "", "")


def test_a_hook_warns_once_a_session(environ: dict[str, str]) -> None:
    state(environ)
    first = json.loads(hook(environ, "UserPromptSubmit", "--warn", "80").stdout)
    assert "Session (5h) is at 85%" in first["hookSpecificOutput"]["additionalContext"]
    assert hook(environ, "PreToolUse", "--warn", "80").stdout == ""
    assert hook(environ, "Stop", "--warn", "80").stdout == ""
    assert hook(environ, "PreToolUse", "--warn", "80", session_id="s2").stdout != ""


def test_a_hook_blocks_every_time(environ: dict[str, str]) -> None:
    state(environ)
    for _ in range(2):
        said = hook(environ, "UserPromptSubmit", "--block", "5h=85")
        assert (said.returncode, json.loads(said.stdout)["decision"]) == (0, "block")
        denied = json.loads(hook(environ, "PreToolUse", "--block", "5h=85", tool_name="Bash").stdout)
        assert denied["hookSpecificOutput"]["permissionDecision"] == "deny"
    assert hook(environ, "Stop", "--block", "5h=85").stdout == ""


UNREADABLE = {
    "a number of 5000 digits": b'{"hook_event_name": "PreToolUse", "tool_input": {"n": ' + b"9" * 5000 + b"}}",
    "a nest": b'{"hook_event_name": "PreToolUse", "tool_input": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "no UTF-8": b'{"hook_event_name": "PreToolUse", "tool_input": {"command": "\xff"}}',
}


@pytest.mark.parametrize("given", UNREADABLE.values(), ids=UNREADABLE)
def test_a_tool_cannot_talk_its_way_past_a_limit(environ: dict[str, str], given: bytes) -> None:
    state(environ)
    said = subprocess.run(
        [ULLAGE, "hook", "--block", "5h=85"], env=environ, input=given, capture_output=True, timeout=180, check=False
    )
    assert json.loads(said.stdout)["hookSpecificOutput"]["permissionDecision"] == "deny"


def test_a_limit_for_an_unknown_window_leaves_the_others_in_force(environ: dict[str, str]) -> None:
    state(environ)
    denied = json.loads(hook(environ, "PreToolUse", "--block", "tangelo=50", "--block", "5h=85").stdout)
    assert denied["hookSpecificOutput"]["permissionDecision"] == "deny"


@pytest.mark.parametrize(
    ("limit", "arguments", "pays", "blocks"),
    [
        ("5h=100", ["--allow-credits"], True, False),
        ("100", ["--allow-credits"], True, False),
        ("5h=100", [], True, True),
        ("5h=100", ["--allow-credits"], False, True),
        ("5h=95", ["--allow-credits"], True, True),
    ],
)
def test_a_hook_lets_credits_pay_where_that_is_allowed(
    environ: dict[str, str], limit: str, arguments: list[str], pays: bool, blocks: bool
) -> None:
    state(environ, 100.0)
    cache = ProfileCache(environ)
    known = cache.load_reading()
    assert known is not None
    used, budget = (Money(amount_minor=amount, currency="EUR", exponent=2) for amount in (900, 4000))
    credits = Credits(enabled=pays, used=used, limit=budget)
    cache.save_reading(known.replace(credits=credits))
    said = json.loads(hook(environ, "PreToolUse", "--block", limit, *arguments).stdout)
    denied = said["hookSpecificOutput"].get("permissionDecision") == "deny"
    assert denied is blocks
    # Who spends money hears of it.
    assert blocks or "Session (5h) is used up" in said["systemMessage"]


FAILURES: dict[str, tuple[list[str], str]] = {
    "an option that does not exist": (["--blok", "5"], '{"hook_event_name": "PreToolUse"}'),
    "a limit that is none": (["--block", "nan"], '{"hook_event_name": "PreToolUse"}'),
    "no JSON": ([], "{"),
    "no input": ([], ""),
}


@pytest.mark.parametrize(("arguments", "given"), FAILURES.values(), ids=FAILURES)
def test_a_hook_that_fails_never_blocks(environ: dict[str, str], arguments: list[str], given: str) -> None:
    state(environ)
    said = run([ULLAGE, "hook", *arguments], environ, input=given)
    # 2 would block.
    assert (said.returncode, said.stdout) == (1, "")
    assert "ullage hook" in said.stderr


@pytest.mark.parametrize("given", ["null", "[]", '"x"', "{}", '{"hook_event_name": "SessionEnd"}'])
def test_a_hook_answers_no_other_event(environ: dict[str, str], given: str) -> None:
    said = run([ULLAGE, "hook", "--block", "0"], environ, input=given)
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")


@pytest.mark.parametrize("fault", ["nothing known", "an unknown window", "a wrong environment"])
@pytest.mark.parametrize("name", ["UserPromptSubmit", "PreToolUse", "Stop"])
def test_a_hook_that_cannot_tell_blocks_only_when_told_to(environ: dict[str, str], fault: str, name: str) -> None:
    arguments = ["--block", "90"]
    if fault == "an unknown window":
        state(environ)
        arguments = ["--block", "opus=90"]
    if fault == "a wrong environment":
        environ["ULLAGE_SOURCE"] = "nobody"
    open_said = hook(environ, name, *arguments)
    assert open_said.returncode == 0
    assert '"decision"' not in open_said.stdout
    assert "permissionDecision" not in open_said.stdout
    closed = hook(environ, name, *arguments, "--fail-closed")
    assert closed.returncode == 0
    assert ("block" in closed.stdout or "deny" in closed.stdout) == (name != "Stop")


# Everything: what is added here is paid for at every prompt and every tool of everybody's.
IMPORTED_BY_A_HOOK = {"__future__", "_datetime", "_json", "gc"} | modules(
    base="arguments dates errors jsontext record text values",
    claude_code="answers hook",
    config="palette settings",
    guard="limits",
    prompt="",
    quota="exits model schedule serial timeline",
    render="words",
    store="cache statements",
    system="files places",
)


@pytest.mark.parametrize("limits", [[], ["--block", "95", "--warn=5h=90"], ["--block=100", "--allow-credits"]])
def test_a_hook_that_has_nothing_to_say_imports_this_and_nothing_else(
    limits: list[str], environ: dict[str, str]
) -> None:
    state(environ)
    event = json.dumps({"hook_event_name": "PreToolUse", "session_id": "s1"})
    said, modules = imported("hook", *limits, environ=environ, given=event)
    assert (said, modules) == ("", IMPORTED_BY_A_HOOK)


@pytest.mark.parametrize("argument", ["--help", "-h"])
def test_the_hooks_help_is_that_of_any_command(environ: dict[str, str], argument: str) -> None:
    said = ullage("hook", argument, environ=environ)
    assert said.returncode == 0
    assert "--fail-closed" in said.stdout


def test_a_hook_starts_a_refresh_when_one_is_due(environ: dict[str, str], simulate: Simulate) -> None:
    server = simulate("busy-day")
    assert hook(environ, "PreToolUse").stdout == ""
    wait_until(lambda: b"%" in published(environ), what="the reading")
    assert hook(environ, "PreToolUse").stdout == ""
    assert server.requests == 1

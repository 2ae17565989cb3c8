"""Streams that are closed, are full, or have lost their reader: what each command does with them, in one table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.e2e.test_guard import state
from tests.support.tools import PYTHON, run

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping
    from pathlib import Path

# What is done to a stream, as a shell says it; 3 is a pipe that nobody reads.
CLOSED, FULL, DEAD = "{}>&-", "{}>/dev/full", "{}>&3"
PLACES = {"closed": CLOSED, "full": FULL, "dead": DEAD}


def attacked(
    command: str, redirections: str, environ: Mapping[str, str], *, given: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command line of bash with broken streams; the exit code comes out by a way of its own."""
    # The reader has gone before the command begins.
    script = f"exec 3> >(exec true); wait $!; {{ {command} ; }} {redirections}"
    return run(["bash", "-c", script], environ, input=given if given is not None else "")


BLOCK = json.dumps({"hook_event_name": "PreToolUse", "session_id": "s1"})
# command, exit codes with stdout then stderr closed, full, dead
TABLE: dict[str, tuple[str, tuple[int, int, int], tuple[int, int, int]]] = {
    "usage": ("ullage usage", (0, 5, 0), (0, 0, 0)),
    # As in containers.
    "usage, unbuffered": ("PYTHONUNBUFFERED=1 ullage usage", (0, 5, 0), (0, 0, 0)),
    "history": ("ullage history", (0, 5, 0), (0, 0, 0)),
    "metrics": ("ullage metrics", (0, 5, 0), (0, 0, 0)),
    "panel": ("ullage panel plain", (0, 5, 0), (0, 0, 0)),
    "init": ("ullage init bash", (0, 5, 0), (0, 0, 0)),
    "prompt": ("ullage prompt", (0, 0, 0), (0, 0, 0)),
    "statusline": ("echo {} | ullage statusline", (0, 0, 0), (0, 0, 0)),
    "wrong usage": ("ullage usage --nonsense", (2, 2, 2), (2, 2, 2)),
    # A verdict is its exit code.
    "guard, no room": ("ullage guard --max 5", (1, 1, 1), (1, 1, 1)),
    "guard, no room, in JSON": ("ullage guard --max 5 --json", (1, 1, 1), (1, 1, 1)),
    "guard, room": ("ullage guard --max 99", (0, 0, 0), (0, 0, 0)),
    "guard, too old": ("ullage guard --max-age 1s --max 99", (4, 4, 4), (4, 4, 4)),
    "guard, no program": ("ullage guard -- ./nothing-of-that-name", (127, 127, 127), (127, 127, 127)),
    "wait, in vain": ("ullage wait 5h --below 5 --timeout 1s", (1, 1, 1), (1, 1, 1)),
    "wait, nothing such": ("ullage wait opus", (2, 2, 2), (2, 2, 2)),
    # An answer that blocks, and does not arrive, blocks by the exit code that Claude Code knows for it.
    "hook --block": ("ullage hook --block 5", (2, 2, 2), (0, 0, 0)),
    "hook --warn": ("ullage hook --warn 5", (1, 1, 1), (0, 0, 0)),
    "hook, room": ("ullage hook --block 99", (0, 0, 0), (0, 0, 0)),
}
CASES = [
    (name, number, place, codes[column])
    for name, (_, *both) in TABLE.items()
    for number, codes in enumerate(both, 1)
    for column, place in enumerate(PLACES)
]


@pytest.mark.parametrize(("name", "number", "place", "exit_code"), CASES, ids=lambda value: str(value))
def test_every_command_with_broken_streams(
    name: str, number: int, place: str, exit_code: int, environ: dict[str, str]
) -> None:
    state(environ, age=60)
    said = attacked(TABLE[name][0], PLACES[place].format(number), environ, given=BLOCK)
    assert said.returncode == exit_code
    assert "Traceback" not in said.stderr + said.stdout
    if number == 1 and place == "full" and exit_code == 5:
        assert said.stderr == "ullage: output: No space left on device\n"


@pytest.mark.parametrize("command", [name for name in TABLE if name.startswith(("guard", "wait"))])
@pytest.mark.parametrize("redirections", ["<&- >&- 2>&-", ">&3 2>&3"])
def test_a_verdict_survives_the_loss_of_every_stream(command: str, redirections: str, environ: dict[str, str]) -> None:
    state(environ, age=60)
    line, (exit_code, _, _), _ = TABLE[command]
    assert attacked(line, redirections, environ).returncode == exit_code


@pytest.mark.parametrize("arguments", ["--max 5", "--max 5 --json"])
@pytest.mark.parametrize("redirections", ["2>&-", "2>/dev/full", "2>&3", ">&3 2>&3", "<&- 2>&3"])
def test_no_job_runs_because_nobody_reads_why_not(arguments: str, redirections: str, environ: dict[str, str]) -> None:
    state(environ, used=97)
    said = attacked(f"ullage guard {arguments} {redirections} && echo ran >&2", "", environ)
    assert "ran" not in said.stderr


@pytest.mark.parametrize("redirections", [">&-", "2>&-", "<&- >&- 2>&-", "2>/dev/full", "2>&3", ">&3"])
def test_a_command_runs_with_whatever_streams_there_are(
    redirections: str, environ: dict[str, str], tmp_path: Path
) -> None:
    state(environ)
    mark = tmp_path / "ran"
    job = f"sh -c 'ls -l /proc/self/fd >{mark}; exit 7'"
    said = attacked(f"ullage guard -- {job}", redirections, environ)
    assert said.returncode == 7
    # What was closed is closed for the command too, instead of being some file of ours.
    seen = mark.read_text()
    assert str(environ["ULLAGE_CACHE_DIR"]) not in seen


@pytest.mark.parametrize("redirection", [">/dev/full", ">&3 2>&3", ">&- 2>&-"])
@pytest.mark.parametrize("name", ["UserPromptSubmit", "PreToolUse"])
def test_a_hook_blocks_though_its_answer_is_lost(redirection: str, name: str, environ: dict[str, str]) -> None:
    event = json.dumps({"hook_event_name": name, "session_id": "s1"})
    unknown = attacked("ullage hook --block 90 --fail-closed", redirection, environ, given=event)
    assert unknown.returncode == 2
    state(environ)
    blocked = attacked("ullage hook --block 5h=85", redirection, environ, given=event)
    assert blocked.returncode == 2
    if "2>" not in redirection:
        assert "Session (5h) is at 85%" in blocked.stderr


@pytest.mark.parametrize(("arguments", "exit_code"), [("--fail-closed", 2), ("", 1)])
@pytest.mark.parametrize("redirection", ["<&-", "2>&3 <&-", "2>/dev/full </dev/null"])
def test_a_hook_without_an_event_does_as_it_was_told(
    arguments: str, exit_code: int, redirection: str, environ: dict[str, str]
) -> None:
    state(environ)
    assert attacked(f"ullage hook --block 90 {arguments}", redirection, environ).returncode == exit_code


def test_a_stop_is_never_held_up(environ: dict[str, str]) -> None:
    event = json.dumps({"hook_event_name": "Stop", "session_id": "s1"})
    for place in (">&3", ">/dev/full"):
        assert attacked("ullage hook --block 5 --fail-closed", place, environ, given=event).returncode == 0


@pytest.mark.parametrize("kib", [30_000, 40_000, 60_000, 100_000])
def test_where_no_memory_is_left_a_hook_fails_as_it_was_told(kib: int, environ: dict[str, str]) -> None:
    state(environ)
    said = attacked(f"ulimit -v {kib}; ullage hook --block 5h=85 --fail-closed", "", environ, given=BLOCK)
    denied = '"permissionDecision": "deny"' in said.stdout
    # Where the interpreter itself does not start, nothing of ours has run.
    started = "init" not in said.stderr and "error while loading" not in said.stderr
    assert denied or said.returncode == 2 or not started
    assert not started or "Traceback" not in said.stderr


def test_a_hook_asks_for_no_more_memory_than_its_input_needs(environ: dict[str, str]) -> None:
    state(environ)
    said = attacked("ulimit -v 60000; ullage hook --block 5h=85", "", environ, given=BLOCK)
    assert (said.returncode, said.stderr) == (0, "")
    assert '"permissionDecision": "deny"' in said.stdout


def test_no_file_gets_the_number_of_a_closed_stream(environ: dict[str, str]) -> None:
    state(environ)
    code = (
        "import os, sys; from ullage.system import streams; streams.secure(); "
        "number = os.open(os.devnull, os.O_RDONLY); print('lost'); print('lost', file=sys.stderr); sys.exit(number)"
    )
    # 3 is the pipe without a reader.
    assert attacked(f'{PYTHON} -c "{code}"', "<&- >&- 2>&-", environ).returncode == 4

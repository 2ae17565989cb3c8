"""Programs that a person named: their limits of time and output, and what is left of them."""

from __future__ import annotations

import os
import signal
import time
from typing import IO, TYPE_CHECKING

import pytest

from tests.support.tools import is_running, wait_until
from ullage.system.programs import Finished, Program, ProgramFloodError, ProgramLateError, run_program

if TYPE_CHECKING:
    from pathlib import Path


def sh(script: str, environ: dict[str, str], *, seconds: float = 60.0, given: bytes | None = None) -> Finished:
    return run_program(["sh", "-c", script], environ, seconds=seconds, given=given, largest_bytes=1 << 20)


def test_status_output_and_errors_come_back(environ: dict[str, str]) -> None:
    done = sh("cat; echo out; echo why >&2; exit 3", environ, given=b"in ")
    assert (done.status, done.output, done.errors) == (3, b"in out\n", b"why\n")


def test_what_a_program_printed_is_read_however_late_the_threads_get_their_turn(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pump = Program._pump

    def pump_late(program: Program, name: str, stream: IO[bytes]) -> None:
        program.process.wait()
        time.sleep(0.4)
        pump(program, name, stream)

    monkeypatch.setattr(Program, "_pump", pump_late)
    done = sh("echo out; echo why >&2; exit 3", environ)
    assert (done.status, done.output, done.errors) == (3, b"out\n", b"why\n")


def test_a_program_that_reads_nothing_of_megabytes_is_no_obstacle(environ: dict[str, str]) -> None:
    assert sh("echo done", environ, given=b"x" * (4 << 20)).output == b"done\n"


def test_a_flood_is_ended_with_what_it_has_started(environ: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(ProgramFloodError):
        sh(f"sleep 600 & echo $! >{tmp_path}/child; yes", environ)
    wait_until(lambda: not is_running(int((tmp_path / "child").read_text())), what="the end of the child")


def test_silence_has_an_end(environ: dict[str, str]) -> None:
    began = time.monotonic()
    with pytest.raises(ProgramLateError):
        sh("exec sleep 600", environ, seconds=0.2)
    assert time.monotonic() - began < 300


def test_a_stranger_who_holds_the_pipe_is_not_waited_for(environ: dict[str, str], tmp_path: Path) -> None:
    # A session of its own: the end of the group does not reach it.
    stranger = tmp_path / "stranger"
    started = f"setsid sh -c 'echo $$ >{stranger}; exec sleep 600' & until [ -s {stranger} ]; do sleep 0.05; done"
    done = sh(f"{started}; echo told", environ)
    assert done.output == b"told\n"
    assert is_running(int(stranger.read_text()))
    os.kill(int(stranger.read_text()), signal.SIGKILL)


def test_what_is_left_behind_and_prints_now_and_then_is_not_waited_for(environ: dict[str, str]) -> None:
    done = sh("for each in $(seq 3000); do echo more; sleep 0.02; done & echo told", environ, seconds=1)
    assert b"told" in done.output
    assert done.output.count(b"more") < 3000

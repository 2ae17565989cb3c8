"""The refresh leaves whoever started it: nothing waits for it, nothing is printed, nothing of the shell is held."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect
import pytest

from tests.support.tools import (
    PYTHON,
    ULLAGE,
    ULLAGE_PROMPT,
    make_due,
    processes,
    published,
    run,
    still_hangs,
    ullage,
    wait_until,
)
from ullage import refresh
from ullage.simulate import SCENARIOS, TOKEN, Simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Simulate = Callable[..., Simulator]

STARTERS = {
    "ullage prompt": [ULLAGE, "prompt"],
    "ullage-prompt": ["sh", ULLAGE_PROMPT],
    "ullage refresh --detach": [ULLAGE, "refresh", "--detach"],
    "ullage refresh --detach --force": [ULLAGE, "refresh", "--detach", "--force"],
}
starters = pytest.mark.parametrize("command", STARTERS.values(), ids=STARTERS)


@pytest.fixture
def silent(environ: dict[str, str], simulate: Simulate) -> Iterator[Simulator]:
    """A server that takes requests and says nothing; whoever waits for it is ended with the test."""
    simulator = simulate("silent")
    yield simulator
    for process in processes(environ):
        os.kill(process, signal.SIGKILL)


def only_process(environ: dict[str, str]) -> int:
    """Wait until one process is left, the refresh, and return its id."""
    wait_until(lambda: len(processes(environ)) == 1, what="one refresh")
    return processes(environ).pop()


@starters
def test_no_descriptor_of_the_parent_is_held(command: list[str], environ: dict[str, str], silent: Simulator) -> None:
    began = time.monotonic()
    reader, writer = os.pipe()
    numbers = (3, 7, 9, 42, 200)
    redirections = " ".join(f"{number}>&{writer}" for number in numbers)
    script = ["bash", "-c", f'exec {redirections}; "$@"', "bash", *command]
    started = subprocess.run(script, env=environ, pass_fds=[writer], capture_output=True, check=True, timeout=180)
    os.close(writer)
    wait_until(lambda: silent.requests == 1, what="the request")
    assert (started.stdout, started.stderr) == (b"", b"")
    # The pipe has no writer any more while the refresh is still waiting for the server.
    assert select.select([reader], [], [], 90)[0] == [reader]
    assert os.read(reader, 1) == b""
    assert still_hangs(environ, began)
    os.close(reader)


@starters
def test_refresh_stands_alone(command: list[str], environ: dict[str, str], silent: Simulator, tmp_path: Path) -> None:
    started = run(command, environ)
    assert (started.returncode, started.stdout, started.stderr) == (0, "", "")
    wait_until(lambda: silent.requests == 1, what="the request")
    refresher = only_process(environ)
    assert os.getsid(refresher) not in (os.getsid(0), refresher)
    assert os.readlink(f"/proc/{refresher}/cwd") == "/"
    assert [os.readlink(f"/proc/{refresher}/fd/{number}") for number in (0, 1, 2)] == ["/dev/null"] * 3
    status = Path(f"/proc/{refresher}/status").read_text()
    # Adopted: nobody of ours is its parent, and nobody has to wait for it.
    assert f"PPid:\t{os.getpid()}\n" not in status
    arguments = Path(f"/proc/{refresher}/cmdline").read_bytes().split(b"\0")
    assert arguments[:4] == [PYTHON.encode(), b"-P", b"-S", b"-c"]
    assert b"ullage.refresh" in arguments[4]
    for process in Path("/proc").glob("[0-9]*"):
        # Others come and go meanwhile.
        with contextlib.suppress(OSError):
            assert TOKEN.encode() not in (process / "cmdline").read_bytes()
    assert TOKEN.encode() not in Path(f"/proc/{refresher}/environ").read_bytes()


def test_no_zombie_is_left(environ: dict[str, str], silent: Simulator) -> None:
    script = """
import os, subprocess
from ullage.system import detach
for _ in range(3):
    detach.start_refresh(os.environ, "--force")
try:
    print("a child:", os.waitpid(-1, os.WNOHANG))
except ChildProcessError:
    print("no child")
"""
    told = run([PYTHON, "-c", script], environ)
    assert (told.stdout, told.stderr) == ("no child\n", "")


@pytest.mark.parametrize("disposition", ["trap '' CHLD", "trap '' HUP INT TERM PIPE", "ulimit -n 64", "true"])
def test_shells_of_every_kind_can_start_it(disposition: str, environ: dict[str, str], simulate: Simulate) -> None:
    simulator = simulate("models")
    told = run(["bash", "-c", f'{disposition}; "$@"', "bash", ULLAGE, "prompt"], environ)
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")
    wait_until(lambda: published(environ), what="the reading")
    assert simulator.requests == 1


@starters
def test_refresh_survives_the_closing_of_the_terminal(
    command: list[str], environ: dict[str, str], silent: Simulator
) -> None:
    terminal = pexpect.spawn("bash", ["--norc", "--noprofile", "-i"], env=environ, encoding="utf-8", timeout=90)
    terminal.sendline("PS1='rea''dy> '")
    terminal.expect_exact("ready> ")
    terminal.sendline(" ".join(command))
    terminal.expect_exact("ready> ")
    wait_until(lambda: silent.requests == 1, what="the request")
    # Closing the master end is what a terminal emulator does: everyone of its session gets SIGHUP.
    terminal.close(force=True)
    refresher = only_process(environ)
    assert "ullage.refresh" in Path(f"/proc/{refresher}/cmdline").read_text()


def test_exit_of_the_shell_is_not_delayed(environ: dict[str, str], silent: Simulator) -> None:
    began = time.monotonic()
    terminal = pexpect.spawn("bash", ["--norc", "--noprofile", "-i"], env=environ, encoding="utf-8", timeout=90)
    terminal.sendline(f"{ULLAGE} prompt; sh {ULLAGE_PROMPT}; exit 7")
    # End of file comes when the last process that holds the terminal has left it.
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 7
    wait_until(lambda: silent.requests == 1, what="the request")
    assert still_hangs(environ, began)


@pytest.mark.parametrize("command", [*STARTERS.values(), [ULLAGE, "usage"]], ids=[*STARTERS, "ullage usage"])
def test_hostile_modules_where_the_user_stands_are_not_imported(
    command: list[str], environ: dict[str, str], simulate: Simulate, tmp_path: Path
) -> None:
    simulate("models")
    here = tmp_path / "here"
    here.mkdir()
    evil = f"open({str(tmp_path / 'pwned')!r}, 'w')\nraise SystemExit(66)\n"
    for name in ("ullage", "json", "httpx", "click", "ssl", "asyncio", "sitecustomize", "usercustomize", "runpy"):
        (here / f"{name}.py").write_text(evil)
    started = subprocess.run(command, env=environ, cwd=here, capture_output=True, check=False, timeout=180)
    assert (started.returncode, started.stderr) == (0, b"")
    wait_until(lambda: published(environ), what="the reading")
    assert not (tmp_path / "pwned").exists()


HERD = 'i=0; while [ "$i" -lt 200 ]; do "$@" & i=$((i + 1)); done; wait'


@pytest.mark.parametrize("command", [["sh", ULLAGE_PROMPT], [ULLAGE, "prompt"]], ids=["ullage-prompt", "ullage prompt"])
def test_herd_makes_one_request_and_waits_for_nobody(
    command: list[str], environ: dict[str, str], simulate: Simulate
) -> None:
    simulator = simulate("models")
    assert refresh.refresh(environ).result == "refreshed"
    make_due(environ)
    simulator.requests = 0
    simulator.scenario = SCENARIOS["silent"]
    began = time.monotonic()
    try:
        # run() returns when all prompts have, and the pipe is closed.
        herd = run(["sh", "-c", HERD, "sh", *command], environ)
        assert herd.stdout == "fable 82%!\n" * 200
        assert herd.stderr == ""
        wait_until(lambda: simulator.requests > 0, what="the request")
        wait_until(lambda: len(processes(environ)) <= 1, what="one refresh at most")
        assert still_hangs(environ, began)
        assert simulator.requests == 1
        assert refresh.refresh(environ).result == "not_due"
    finally:
        for process in processes(environ):
            os.kill(process, signal.SIGKILL)


def test_refresh_that_nobody_needs_any_more_asks_nobody(environ: dict[str, str], simulate: Simulate) -> None:
    simulator = simulate("models")
    assert refresh.refresh(environ).result == "refreshed"
    for _ in range(3):
        assert ullage("refresh", "--detach", environ=environ).returncode == 0
    assert processes(environ) == set()
    assert simulator.requests == 1

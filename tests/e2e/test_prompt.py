"""What the prompt costs, counted: modules that it imports, system calls that could wait, processes that it starts."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from tests.support.tools import PYTHON, ULLAGE, ULLAGE_PROMPT, make_due, modules, need, needs_linux, run, ullage
from ullage import refresh
from ullage.quota.timeline import SURFACES
from ullage.store.cache import ProfileCache

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ullage.simulate import Simulator

    Simulate = Callable[..., Simulator]

OWN = {"__future__"} | modules(base="arguments errors record", prompt="", quota="timeline", system="files places")

NETWORK = ("socket", "connect", "sendto")
PROCESSES = ("clone", "clone3", "fork", "vfork")


@pytest.fixture
def fresh(environ: dict[str, str], simulate: Simulate) -> Simulator:
    """A cache with a reading of just now."""
    simulator = simulate("models")
    assert refresh.refresh(environ).result == "refreshed"
    return simulator


def imported(arguments: list[str], environ: dict[str, str]) -> set[str]:
    told = run([PYTHON, "-X", "importtime", *arguments], environ)
    assert told.returncode == 0
    return {line.rpartition("|")[2].strip() for line in told.stderr.splitlines() if line.startswith("import time:")}


@pytest.mark.parametrize("surface", SURFACES)
def test_prompt_imports_next_to_nothing(surface: str, environ: dict[str, str], fresh: Simulator) -> None:
    beyond = imported([ULLAGE, "prompt", "--surface", surface], environ) - imported(["-c", "pass"], environ)
    assert beyond == OWN


@pytest.mark.parametrize("command", [["prompt"], ["refresh", "--detach"]])
def test_prompt_that_starts_a_refresh_imports_little_more(
    command: list[str], environ: dict[str, str], fresh: Simulator
) -> None:
    make_due(environ)
    beyond = imported([ULLAGE, *command], environ) - imported(["-c", "pass"], environ)
    assert beyond == {*OWN, "ullage.system.claim", "ullage.system.detach"}


def traced(command: list[str], environ: dict[str, str], directory: Path) -> list[str]:
    """Return the system calls of a command and of all its children."""
    log = directory / "strace.log"
    told = run([need("strace"), "-f", "-qq", "-s", "256", "-o", str(log), *command], environ)
    assert told.returncode == 0, told.stderr
    return log.read_text().splitlines()


def calls(trace: list[str], *names: str) -> list[str]:
    return [line for line in trace if re.match(rf"\d+ +({'|'.join(names)})\(", line)]


@needs_linux
def test_prompt_opens_no_socket_takes_no_lock_and_writes_nothing(
    environ: dict[str, str], fresh: Simulator, tmp_path: Path
) -> None:
    trace = traced([ULLAGE, "prompt", "--surface", "bash"], environ, tmp_path)
    assert calls(trace, "write")
    assert (
        calls(trace, "socket", "connect", "flock", "fsync", "clone", "clone3", "fork", "vfork", "rename", "mkdir") == []
    )
    assert not [line for line in trace if "F_SETLK" in line or "O_CREAT" in line]


@needs_linux
@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
def test_ullage_prompt_on_a_fresh_timeline_forks_nothing(
    shell: str, surface: str, environ: dict[str, str], fresh: Simulator, tmp_path: Path
) -> None:
    interpreter = {"bash": [need("bash"), "--posix"], "busybox": [need("busybox"), "sh"]}.get(shell) or [need(shell)]
    trace = traced([*interpreter, ULLAGE_PROMPT, surface], environ, tmp_path)
    assert len(calls(trace, "execve")) == 1
    assert calls(trace, *PROCESSES, "flock") == []
    # bash itself asks nscd for the user's name when it starts.
    idle = traced([*interpreter, "-c", ":"], environ, tmp_path)
    assert len(calls(trace, *NETWORK)) == len(calls(idle, *NETWORK))
    assert sum("82%" in line for line in calls(trace, "write", "writev")) == 1


@needs_linux
def test_server_is_asked_when_the_prompt_has_long_ended(
    environ: dict[str, str], fresh: Simulator, tmp_path: Path
) -> None:
    make_due(environ)
    for command in ([ULLAGE, "prompt"], ["sh", ULLAGE_PROMPT]):
        trace = traced(["sh", "-c", '"$@"; echo "after the prompt"', "sh", *command], environ, tmp_path)
        written = {at: line for at, line in enumerate(trace) if re.match(r"\d+ +write\(", line)}
        shown = next(at for at, line in written.items() if "fable 82%!" in line)
        after = next(at for at, line in written.items() if "after the prompt" in line)
        connected = [at for at, line in enumerate(trace) if re.match(r"\d+ +connect\(", line)]
        assert shown < after
        assert connected
        assert min(connected) > after
        make_due(environ)


HOSTILE_PLACES: dict[str, dict[str, str | None]] = {
    "relative cache": {"ULLAGE_CACHE_DIR": "cache"},
    "cache with ..": {"ULLAGE_CACHE_DIR": "/tmp/../tmp/x"},
    "cache that ends with ..": {"ULLAGE_CACHE_DIR": "/tmp/.."},
    "relative profile": {"CLAUDE_CONFIG_DIR": "claude"},
    "profile with ..": {"CLAUDE_CONFIG_DIR": "/tmp/../claude"},
    "no home": {"HOME": None, "ULLAGE_CACHE_DIR": None},
    "empty home": {"HOME": "", "ULLAGE_CACHE_DIR": ""},
    "relative home": {"HOME": "home", "ULLAGE_CACHE_DIR": None},
    "home with ..": {"HOME": "/tmp/../tmp", "ULLAGE_CACHE_DIR": None},
    "XDG with ..": {"XDG_CACHE_HOME": "/tmp/../tmp", "ULLAGE_CACHE_DIR": None},
}


@pytest.mark.parametrize("command", [[ULLAGE, "prompt"], ["sh", ULLAGE_PROMPT]], ids=["ullage prompt", "ullage-prompt"])
@pytest.mark.parametrize("place", HOSTILE_PLACES)
def test_prompt_is_silent_where_it_has_no_place(
    place: str, command: list[str], environ: dict[str, str], account: Path, tmp_path: Path
) -> None:
    environ.update({name: value for name, value in HOSTILE_PLACES[place].items() if value is not None})
    for name, value in HOSTILE_PLACES[place].items():
        if value is None:
            environ.pop(name)
    before = sorted(tmp_path.rglob("*"))
    told = run(["sh", "-c", 'cd "$0" && exec "$@"', str(tmp_path), *command], environ)
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")
    assert sorted(tmp_path.rglob("*")) == before
    if command[0] == ULLAGE:
        explained = ullage("refresh", environ=environ)
        assert explained.returncode == 2
        assert "Set it to the full path" in explained.stderr


@pytest.mark.parametrize(
    "arguments", [["--surface"], ["--surface", "telnet"], ["--surfac=zsh"], ["zsh"], ["--profile"]]
)
def test_wrong_arguments_are_explained(arguments: list[str], environ: dict[str, str]) -> None:
    told = ullage("prompt", *arguments, environ=environ)
    assert (told.returncode, told.stdout) == (2, "")
    assert "Error" in told.stderr


@pytest.mark.parametrize("redirection", [">&-", "<&-", ">/dev/full"])
@pytest.mark.parametrize("command", [[ULLAGE, "prompt"], ["sh", ULLAGE_PROMPT]], ids=["ullage prompt", "ullage-prompt"])
def test_prompt_without_an_output_ends_well(
    redirection: str, command: list[str], environ: dict[str, str], fresh: Simulator
) -> None:
    told = run(["sh", "-c", f'"$@" {redirection}; echo "code $?" >&2', "sh", *command], environ)
    assert "Traceback" not in told.stderr
    assert told.stderr.endswith("code 0\n")


def test_profile_option_reads_the_other_profile(environ: dict[str, str], fresh: Simulator, account: Path) -> None:
    elsewhere = {**environ, "CLAUDE_CONFIG_DIR": environ["HOME"] + "/nothing"}
    assert ullage("prompt", "--profile", str(account), environ=elsewhere).stdout == "fable 82%!\n"
    del environ["CLAUDE_CONFIG_DIR"]
    environ["ULLAGE_SOURCE"] = "auto"
    assert ullage("prompt", environ=environ).stdout == ""
    assert os.path.isdir(ProfileCache({**environ, "CLAUDE_CONFIG_DIR": str(account)}).directory)

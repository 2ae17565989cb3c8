"""Programs that tests drive: found, or the test fails in CI and is skipped with words elsewhere."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ullage.quota import timeline
from ullage.quota.schedule import SHORTEST_INTERVAL
from ullage.quota.timeline import TIMELINES
from ullage.store.account import AccountCache
from ullage.store.cache import ProfileCache
from ullage.system.http import WHOLE_CALL_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SCRIPTS = Path(sysconfig.get_path("scripts"))
ULLAGE = str(SCRIPTS / "ullage")
ULLAGE_PROMPT = str(SCRIPTS / "ullage-prompt")
REPOSITORY = Path(__file__).parents[2]
# What .ci/install-packages has from npm.
PROGRAMS = REPOSITORY / ".programs" / "bin"
# What has coverage measure the processes that a test starts.
MEASURED = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
_PROGRAM_OF = {"nushell": "nu"}
_FROM_ELSEWHERE = {"atuin", "node", "npm", "nu"}
# Debian's packages that are not called as the program is.
_PACKAGE_OF = {
    "/usr/lib/qt6/bin/qml": "qml-qt6 qml6-module-qtquick-controls qml6-module-qtquick-layouts",
    "Xvfb": "xvfb",
    "conky": "conky-std",
    "dbus-daemon": "dbus",
    "dbus-run-session": "dbus",
    "emacs": "emacs-nox",
    "gdbus": "libglib2.0-bin",
    "gio": "libglib2.0-bin",
    "glib-compile-schemas": "libglib2.0-bin",
    "gsettings": "libglib2.0-bin",
    "i3": "i3-wm",
    "nvim": "neovim",
    "promtool": "prometheus",
    "rsvg-convert": "librsvg2-bin",
    "setpriv": "util-linux",
    "sh": "dash",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "sshd": "openssh-server",
    "systemd-analyze": "systemd",
}
# What a program may take that is ended for being slow, in turn: on a busy machine it may not have begun by the first.
PATIENCES = (0.5, 4.0, 32.0)


needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="strace and /proc are Linux's")


def need(program: str) -> str:
    """Return a program's path; a missing one fails the test in CI, and elsewhere skips it with what installs it."""
    program = _PROGRAM_OF.get(program, program)
    found = shutil.which(program) or shutil.which(program, path=f"{PROGRAMS}{os.pathsep}{SCRIPTS}")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{program} is not installed; .ci/packages-debian or .ci/install-packages must name it")
        pytest.skip(f"{program} is not installed: {installed_by(program)}")
    return found


def installed_by(program: str, platform: str = sys.platform) -> str:
    """Return the line for a shell that installs a program of the tests."""
    if program in _FROM_ELSEWHERE:
        return "sh .ci/install-packages"
    if platform == "darwin":
        return f"brew install {program}"
    return f"sudo apt-get install {_PACKAGE_OF.get(program, program)}"


def run(
    arguments: Sequence[str], environ: Mapping[str, str], *, seconds: float = 180, input: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, with this environment and no other."""
    return subprocess.run(
        list(arguments), env=dict(environ), capture_output=True, text=True, timeout=seconds, check=False, input=input
    )


def ullage(*arguments: str, environ: Mapping[str, str], seconds: float = 180) -> subprocess.CompletedProcess[str]:
    """Run the installed `ullage`."""
    return run([ULLAGE, *arguments], environ, seconds=seconds)


# What the interpreter's own start has loaded anyway.
_WITH_THE_INTERPRETER = "import os, sys, time; before = set(sys.modules)"


def imported(*arguments: str, environ: Mapping[str, str], given: str = "") -> tuple[str, set[str]]:
    """Return what a command prints, and every module that it has imported when it has ended well."""
    code = (
        f"{_WITH_THE_INTERPRETER}; sys.path[:0] = {sys.path!r}; sys.argv = ['ullage', *{arguments!r}]; "
        "from ullage.__main__ import main; main(); print(*(set(sys.modules) - before), file=sys.stderr)"
    )
    # Without `site`: what the packages of this interpreter have loaded at its start would not be counted.
    done = run([sys.executable, "-I", "-S", "-c", code], environ, input=given)
    assert done.returncode == 0, done.stderr
    return done.stdout, set(done.stderr.split())


def modules(**houses: str) -> set[str]:
    """Return the modules of ullage that a fast command imports, given by house: `base="errors record"`."""
    inside = {f"ullage.{house}.{module}" for house, names in houses.items() for module in names.split()}
    return {"ullage", "ullage.__main__", *(f"ullage.{house}" for house in houses), *inside}


def wait_until(condition: Callable[[], object], *, seconds: float = 90, what: str = "the condition") -> None:
    """Wait until something holds; fail with its name when it never does."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not come about in {seconds:.0f} s")
        time.sleep(0.02)


def processes(environ: Mapping[str, str]) -> set[int]:
    """Return the ids of the living processes that use this environment's cache, whoever started them."""
    if sys.platform != "linux":
        pytest.skip("only Linux shows the environment of processes")
    needle = f"ULLAGE_CACHE_DIR={environ['ULLAGE_CACHE_DIR']}".encode()
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if needle in (process / "environ").read_bytes().split(b"\0"):
                found.add(int(process.name))
    return found


def settle(environ: Mapping[str, str]) -> None:
    """Wait until nothing uses this environment's cache, as far as the system shows.

    Seen three times in a row: what ends while we look may have started another.
    """
    if sys.platform == "linux":
        wait_until(lambda: not any(processes(environ) for _ in range(3)), what="the end of what goes on behind")


def is_running(process: int) -> bool:
    """Say whether a process runs; one that has ended and waits for its parent does not."""
    try:
        os.kill(process, 0)
        status = Path(f"/proc/{process}/stat").read_text() if sys.platform == "linux" else ") R"
    except OSError:
        # It may end between being found and being read.
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"


def still_hangs(environ: Mapping[str, str], began: float) -> bool:
    """Say whether a refresh waits for a server that is silent; on a slow machine it may have had to give up since."""
    for process in processes(environ):
        # Others come and go meanwhile.
        with contextlib.suppress(OSError):
            if b"ullage.refresh" in Path(f"/proc/{process}/cmdline").read_bytes():
                return True
    return time.monotonic() - began > WHOLE_CALL_SECONDS


def make_due(environ: Mapping[str, str], *, ago: int = 1) -> None:
    """Date a cache back, so that its next refresh has been due since some seconds."""
    cache = ProfileCache(environ)
    due = datetime.now(UTC) - timedelta(seconds=ago)
    begun = due - SHORTEST_INTERVAL
    AccountCache(cache.environ, cache.load_schedule().account).save_asked_at(begun)
    cache.save_schedule(cache.load_schedule().replace(attempted_at=begun, refresh_at=due, idle_refresh_at=due))
    postpone(environ, int(due.timestamp()))


def postpone(environ: Mapping[str, str], refresh_after: int) -> None:
    """Let every timeline say that a refresh is due at a second, and not before; empty ones where there are none."""
    cache = ProfileCache(environ)
    for surface in TIMELINES:
        data = cache.read_timeline(surface)
        header = timeline.read_header(data)
        if header is None:
            data = timeline.encode([], written=0, refresh_after=refresh_after, checkpoint=0, clock=None)
        first, newline, frames = data.partition(b"\n")
        fields = first.split(b" ")
        fields[3] = str(refresh_after).encode()
        cache.save_timeline(surface, b" ".join(fields) + newline + frames, header.checkpoint if header else None)


def put_in_place(kind: str, path: Path) -> None:
    """Put a directory, a fifo or a dead link where a file is expected."""
    if kind == "directory":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.symlink_to("nowhere")


def published(environ: Mapping[str, str]) -> bytes:
    """Return what the timeline that a refresh writes last shows now: something once a first reading is everywhere."""
    return timeline.find_text(ProfileCache(environ).read_timeline(TIMELINES[-1]), int(time.time()))


PYTHON = sys.executable

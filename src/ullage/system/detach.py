"""Start processes that leave the shell: in a session of their own, without any of the starter's descriptors.

A prompt, starship, tmux or ssh waits for every process that keeps one of its descriptors, so the child closes them all
before it does anything else.
"""

from __future__ import annotations

import os
import sys

if sys.platform == "win32":
    from ullage.system import windows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import NoReturn

REFRESH = "ullage.refresh.__main__"
_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# Not the limit in force: it may have been lowered after a higher descriptor was opened.
_HIGHEST_DESCRIPTOR = 1 << 16

# The value of ULLAGE_NOTIFY with which a shell has given the refresh a pipe as its output, to see when it has ended.
_NOTIFY_BY_OUTPUT = "stdout"


def start_refresh(environ: Mapping[str, str], *options: str) -> None:
    """Start a refresh in a detached process, and return at once; `options` are those of its module.

    Where no process can be started the reading stays as it is, with its age, and the next prompt tries again.
    A shell that reads its end in a pipe says so with ULLAGE_NOTIFY: only then a descriptor outlives this process.
    """
    start_program(
        build_command(REFRESH, *options), environ, keeps_output=environ.get("ULLAGE_NOTIFY") == _NOTIFY_BY_OUTPUT
    )


def run_in_fork(work: Callable[[], object]) -> None:
    """Do some work in a detached fork of this process; in this process where the system cannot fork.

    For a process without other threads that is about to end: it does not wait for the fork.
    """
    try:
        child = os.fork() if hasattr(os, "fork") else None
    except OSError:
        child = None
    if child is None:
        work()
    if child == 0:
        _run_detached(work)


def _run_detached(work: Callable[[], object]) -> NoReturn:
    """Leave the session and the descriptors of the parent, do the work, and end."""
    try:
        os.setsid()
        _close_descriptors(keeps_output=False)
        os.chdir("/")
        work()
    finally:
        os._exit(0)


def start(module: str, environ: Mapping[str, str], *arguments: str) -> None:
    """Run one of our modules in a detached process, and return at once.

    It survives the closing of the terminal, leaves no zombie and prints nothing.
    """
    start_program(build_command(module, *arguments), environ)


def start_program(program: list[str], environ: Mapping[str, str], *, keeps_output: bool = False) -> None:
    """Run a program, named by its path, in a detached process, and return at once.

    With `keeps_output` it holds this process's output until it ends, and writes nothing there.
    """
    try:
        if sys.platform == "win32":
            _spawn_on_windows(program, environ)
        else:
            _spawn(program, environ, keeps_output)
    except OSError:
        return


def build_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs the `main` of one of our modules."""
    # -P: a module in the directory where the user happens to be must not be imported in place of one of ours.
    # -c: what -m imports to find a module by its name takes half of the time of a refresh that is not due.
    # _exit: nothing is left to tidy up, which takes Python as long again as such a refresh.
    code = f"from os import _exit; from {module} import main; _exit(main())"
    if module != REFRESH or sys.platform == "win32":
        return [sys.executable, "-P", "-c", code, *arguments]
    # -S: to prepare for libraries takes a quarter of the time of a refresh that is not due. One that is due catches up
    # on it; on Windows even the lock is a library's.
    return [sys.executable, "-P", "-S", "-c", f"import sys; sys.path.append({_ROOT!r}); {code}", *arguments]


def _spawn(command: list[str], environ: Mapping[str, str], keeps_output: bool) -> None:
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        os.setsid()
        if os.fork() == 0:
            _close_descriptors(keeps_output)
            os.chdir("/")
            os.execve(command[0], command, dict(environ))
    finally:
        # Whatever happened here, this process must never go on as a second copy of its parent.
        os._exit(0)


def _close_descriptors(keeps_output: bool) -> None:
    kept = os.dup2(1, 3) if keeps_output else 2
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.closerange(kept + 1, _HIGHEST_DESCRIPTOR)


if sys.platform == "win32":

    def _spawn_on_windows(command: list[str], environ: Mapping[str, str]) -> None:
        import subprocess

        subprocess.Popen(
            command,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            close_fds=True,
            creationflags=windows.HIDDEN,
        )

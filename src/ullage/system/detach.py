"""Leave the shell: a process of its own session that holds nothing of whoever started it.

A prompt, starship, tmux or ssh waits for every process that keeps one of its descriptors, whichever that is; so the
child closes them all before it does anything else.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# Not the limit in force: it may have been lowered after a higher descriptor was opened.
_HIGHEST_DESCRIPTOR = 1 << 16


def start_refresh(environ: Mapping[str, str], *options: str) -> None:
    """Start a refresh in a process that no one waits for, and return at once; `options` are those of its module.

    Where no process can be started the reading stays as it is, with its age, and the next prompt tries again.
    """
    start("ullage.refresh", environ, *options)


def start(module: str, environ: Mapping[str, str], *arguments: str) -> None:
    """Run one of our modules in a process that no one waits for, and return at once.

    It survives the closing of the terminal, leaves no zombie and prints nothing.
    """
    start_program(build_command(module, *arguments), environ)


def start_program(program: list[str], environ: Mapping[str, str]) -> None:
    """Run a program, named by its path, in a process that no one waits for, and return at once."""
    try:
        if sys.platform == "win32":
            _spawn_on_windows(program, environ)
        else:
            _spawn(program, environ)
    except OSError:
        return


def build_command(module: str, *arguments: str) -> list[str]:
    """Return what runs one of our modules."""
    # -P: a module in the directory where the user happens to be must not be imported in place of one of ours.
    return [sys.executable, "-P", "-m", module, *arguments]


def _spawn(command: list[str], environ: Mapping[str, str]) -> None:
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        os.setsid()
        if os.fork() == 0:
            _close_descriptors()
            os.chdir("/")
            os.execve(command[0], command, dict(environ))
    finally:
        # Whatever happened here, this process must never go on as a second copy of its parent.
        os._exit(0)


def _close_descriptors() -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.closerange(3, _HIGHEST_DESCRIPTOR)


def _spawn_on_windows(command: list[str], environ: Mapping[str, str]) -> None:
    import subprocess

    subprocess.Popen(
        command,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        close_fds=True,
        creationflags=getattr(subprocess, "DETACHED_PROCESS", 0) | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )

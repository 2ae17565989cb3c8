"""A command that the user named: run without a shell and without what opens an account, ended with all it started."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess

from ullage.system import programs, secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def start(
    command: Sequence[str], environ: Mapping[str, str], *, stdin: int, stdout: int, stderr: int
) -> subprocess.Popen[bytes]:
    """Start it in a session of its own, with the given streams; raises OSError or ValueError where it cannot be.

    A name without a slash is looked up in PATH, and not in the directory where the user happens to be.
    """
    program = command[0] if os.path.dirname(command[0]) else programs.find(command[0], environ)
    if program is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), command[0])
    return subprocess.Popen(
        [program, *command[1:]],
        # It has no business with what opens an account.
        env=secret.withheld(environ),
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
    )


def kill(process: subprocess.Popen[bytes]) -> None:
    """End it and whatever it has started; that it has ended already is no fault."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()

"""Programs that a person named: found in PATH alone, run without a shell and without what opens an account."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import subprocess

from ullage.system import secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


def find_program(name: str, environ: Mapping[str, str], more: Iterable[str] = ()) -> str | None:
    """Return the full path of a program in PATH, or else in `more` directories; None where there is none.

    What PATH says of `.`, or of nothing between two colons, is passed over: a shell's user sees where they are, and
    what runs in passing does not look.
    """
    directories = [*(environ.get("PATH") or os.defpath).split(os.pathsep), *more]
    found = shutil.which(name, path=os.pathsep.join(filter(os.path.isabs, directories)) or os.devnull)
    return found if found is not None and os.path.isabs(found) else None


def start_command(
    command: Sequence[str], environ: Mapping[str, str], *, stdin: int, stdout: int, stderr: int
) -> subprocess.Popen[bytes]:
    """Start it in a session of its own, with the given streams; raises OSError or ValueError where it cannot be.

    A name without a slash is looked up in PATH, and not in the directory where the user happens to be.
    """
    program = command[0] if os.path.dirname(command[0]) else find_program(command[0], environ)
    if program is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), command[0])
    return subprocess.Popen(
        [program, *command[1:]],
        # It has no business with what opens an account.
        env=secret.withhold_keys(environ),
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
    )


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """End it and whatever it has started; that it has ended already is no fault."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()

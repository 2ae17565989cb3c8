"""A key from a command of the user's, run at the moment of use; and what tells one key from another.

The command runs without a shell, in a session of its own, with nothing on stdin, within a time limit. The first line of
what it prints is the key, as password managers print it; what it says on stderr is not looked at, as it may hold more.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import selectors
import subprocess
import time

from ullage.base.errors import SourceError
from ullage.base.text import clean
from ullage.system import secret, user_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ullage.system.secret import Secret

COMMAND_SECONDS = 15.0
_GOODBYE_SECONDS = 2.0
_LOOK_SECONDS = 0.1
_LARGEST_OUTPUT = 1 << 16


def mark(secret: Secret, about: Sequence[str], salt: str) -> str:
    """Return what tells one key, and what it is used for, from another; the key cannot be found from it."""
    text = "\n".join([secret.reveal(), *about]).encode()
    return hashlib.scrypt(text, salt=salt.encode(), n=1 << 12, r=8, p=1, dklen=16).hex()


def from_command(command: tuple[str, ...], environ: Mapping[str, str], what: str) -> Secret:
    """Return what a command prints first; raise SourceError, which names the program alone, when that is no key."""
    program = clean(os.path.basename(command[0])) or "the command"
    with _ended(_started(command, environ, program, what)) as process:
        output = _output(process, program, what)
        status = _status(process)
    if status != 0:
        raise SourceError(
            "key_command_failed", f"{program} ended with status {status} and gave no {what}. Run it in a terminal."
        )
    lines = output.decode("utf-8", "replace").splitlines()
    return secret.checked(next((line.strip() for line in lines if line.strip()), ""), program, what)


def _started(command: tuple[str, ...], environ: Mapping[str, str], program: str, what: str) -> subprocess.Popen[bytes]:
    try:
        return user_command.start(
            command, environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no command"
        raise SourceError(
            "key_command_failed", f"{program}, which should print the {what}, could not be started: {reason}."
        ) from error


@contextlib.contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """Leave nothing of the command behind, whatever happens."""
    try:
        yield process
    finally:
        user_command.kill(process)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def _output(process: subprocess.Popen[bytes], program: str, what: str) -> bytes:
    """Read to the end, or to the limits of time and size."""
    assert process.stdout is not None
    deadline = time.monotonic() + COMMAND_SECONDS
    output = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while time.monotonic() < deadline:
            if not selector.select(_LOOK_SECONDS):
                if process.poll() is None:
                    continue
                # An agent that it has left behind may hold its output for ever.
                if not selector.select(0):
                    return output
            chunk = os.read(process.stdout.fileno(), 1 << 16)
            output += chunk
            if not chunk:
                return output
            if len(output) > _LARGEST_OUTPUT:
                raise SourceError("key_command_failed", f"{program} printed kilobytes instead of a {what}.")
    raise SourceError(
        "key_command_failed",
        f"{program} gave no {what} in {COMMAND_SECONDS:.0f} s. Run it in a terminal: it may want to be unlocked.",
    )


def _status(process: subprocess.Popen[bytes]) -> int:
    """Return how it ended; one that closes its output and stays is ended."""
    try:
        return process.wait(_GOODBYE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()

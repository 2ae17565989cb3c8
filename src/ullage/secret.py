"""A key of the user's, fetched at the moment of use: from a command or a variable that they name; kept nowhere.

The command runs without a shell, in a session of its own, with nothing on stdin, within a time limit. The first line of
what it prints is the key, as password managers print it; what it says on stderr is not looked at, as it may hold more.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import selectors
import shlex
import signal
import subprocess
import time

from ullage.errors import SourceError
from ullage.text import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_KEYRING = 'must be a service and a user name in the keyring: ["service", "user name"]'
COMMAND_SECONDS = 15.0
_GOODBYE_SECONDS = 2.0
_LARGEST_OUTPUT = 1 << 16
_LONGEST = 4096
# How the provider's keys and tokens begin.
_SHAPE = "sk-ant-"
_TOKENS = ("CLAUDE_CODE_OAUTH_TOKEN", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")


class Secret:
    """A text that no print, log or traceback shows."""

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text, for the one header that carries it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"


def mark(secret: Secret, about: Sequence[str], salt: str) -> str:
    """Return what tells one key, and what it is used for, from another; the key cannot be found from it."""
    text = "\n".join([secret.reveal(), *about]).encode()
    return hashlib.scrypt(text, salt=salt.encode(), n=1 << 12, r=8, p=1, dklen=16).hex()


def withheld(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for a program of the user's: without what opens an account, whatever it is called."""
    return {name: value for name, value in environ.items() if name not in _TOKENS and _SHAPE not in value}


def command_words(value: object) -> tuple[str, ...]:
    """Return a command's program and arguments, given as a list or as a text that is split like a shell's words.

    Raises ValueError, with words that do not repeat the value, for what is neither.
    """
    if isinstance(value, str):
        try:
            words = shlex.split(value)
        except ValueError as error:
            raise ValueError("has a quote without its counterpart") from error
    elif isinstance(value, list) and all(isinstance(word, str) for word in value):
        words = list(value)
    else:
        raise ValueError('must be a program and its arguments: ["pass", "show", "claude"]')
    if any(_SHAPE in word for word in words):
        raise ValueError("holds a key itself. Keep it in a password manager, and name the command that prints it")
    if any("\0" in word for word in words) or (words and not words[0]):
        raise ValueError("names no program")
    return tuple(words)


def check_command(value: object) -> str | None:
    """Return what is wrong with a command, in words that do not repeat it, or None."""
    try:
        command_words(value)
    except ValueError as error:
        return str(error)
    return None


def check_keyring(value: object) -> str | None:
    """Return what is wrong with a service and a user name, in words that do not repeat them, or None."""
    try:
        return None if len(command_words(value)) in (0, 2) else _KEYRING
    except ValueError as error:
        return _KEYRING if "program" in str(error) else str(error)


def check_variable(value: object) -> str | None:
    """Return what is wrong with the name of an environment variable, in words that do not repeat it, or None."""
    if isinstance(value, str) and (not value or (value.isascii() and value.isidentifier())):
        return None
    return "must be the name of an environment variable, in quotes; the key itself does not belong in this file"


def from_variable(name: str, environ: Mapping[str, str], what: str) -> Secret | None:
    """Return what a variable holds, None when it is not set; raise SourceError for what can be no key."""
    value = environ.get(name) if name else None
    return checked(value, f"The variable {name}", what) if value else None


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
    return checked(next((line.strip() for line in lines if line.strip()), ""), program, what)


def _started(command: tuple[str, ...], environ: Mapping[str, str], program: str, what: str) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            env=withheld(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
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
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
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
        while selector.select(max(0.0, deadline - time.monotonic())):
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


def checked(text: str, origin: str, what: str) -> Secret:
    """Return a text as a key; raise SourceError, which does not repeat it, for what can be none."""
    if 0 < len(text) <= _LONGEST and text.isascii() and text.isprintable() and not set(text) & set(' ",;\\'):
        return Secret(text)
    raise SourceError("key_unreadable", f"{origin} gave no {what} of a known form; it should give the key alone.")

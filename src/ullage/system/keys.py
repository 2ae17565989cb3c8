"""A key of the user's, fetched at the moment of use from a variable, a command or the keyring.

The command runs without a shell, in a session of its own, with nothing on stdin, within a time limit. The first line of
what it prints is the key, as password managers print it; what it says on stderr is not looked at, as it may hold more.
"""

from __future__ import annotations

import hashlib

from ullage.base.errors import MissingExtraError, SourceError
from ullage.system import programs, secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Protocol

    from ullage.system.secret import Secret

    class KeyPlaces(Protocol):
        """Where the settings say that a key comes from; what is empty is not used."""

        @property
        def variable(self) -> str: ...
        @property
        def command(self) -> tuple[str, ...]: ...
        @property
        def keyring(self) -> tuple[str, ...]: ...


COMMAND_SECONDS = 15.0
_LARGEST_OUTPUT = 1 << 16


def fingerprint_key(secret: Secret, about: Sequence[str], salt: str) -> str:
    """Return what tells one key, and what it is used for, from another; the key cannot be found from it."""
    text = "\n".join([secret.reveal(), *about]).encode()
    return hashlib.scrypt(text, salt=salt.encode(), n=1 << 12, r=8, p=1, dklen=16).hex()


def fetch_key(names: KeyPlaces, environ: Mapping[str, str], what: str) -> Secret | None:
    """Return the key from the variable if it is set, else the command, else the keyring; None where none is named.

    Raises SourceError where what is named gives no key, MissingExtraError where the keyring's library is missing.
    """
    found = secret.read_variable(names.variable, environ, what)
    if found is None and names.command:
        return read_command(names.command, environ, what)
    if found is None and names.keyring:
        return _read_keyring(names.keyring[0], names.keyring[1], what)
    return found


def _read_keyring(service: str, user: str, what: str) -> Secret:
    try:
        import keyring
        import keyring.errors
    except ImportError as error:
        raise MissingExtraError("The keyring", "keyring", "keyring") from error
    try:
        found = keyring.get_password(service, user)
    except keyring.errors.KeyringError as error:
        raise SourceError(
            "keyring_unusable",
            f"The keyring did not give the {what}: {type(error).__name__}. Unlock it, or name a command instead: "
            "`keyring diagnose` says more.",
        ) from error
    if not found:
        raise SourceError("key_missing", f"The keyring holds no {what} there. Put it in: keyring set SERVICE USER")
    return secret.check_key(found, "The keyring", what)


def read_command(command: tuple[str, ...], environ: Mapping[str, str], what: str) -> Secret:
    """Return what a command prints first; raise SourceError, which names the program alone, when that is no key."""
    program = programs.name_program(command)
    try:
        done = programs.run_named(command, environ, seconds=COMMAND_SECONDS, largest_bytes=_LARGEST_OUTPUT)
    except programs.NotRunError as error:
        hint = " Run it in a terminal: it may want to be unlocked." if error.how == "late" else ""
        raise SourceError("key_command_failed", f"There is no {what}: {error}.{hint}") from error
    if done.status != 0:
        raise SourceError(
            "key_command_failed", f"{program} ended with status {done.status} and gave no {what}. Run it in a terminal."
        )
    lines = done.output.decode("utf-8", "replace").splitlines()
    return secret.check_key(next((line.strip() for line in lines if line.strip()), ""), program, what)

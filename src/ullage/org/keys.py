"""The organisation's key, fetched at the moment of use: a variable, else a command, else the keyring."""

from __future__ import annotations

from ullage.base.errors import MissingExtraError, SourceError, UllageError
from ullage.system import keys, secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ullage.config import KeyNames
    from ullage.org.reports import Key
    from ullage.system.secret import Secret

WORDS: dict[Key, str] = {"admin": "Admin API key", "analytics": "Analytics API key"}


class NoKeyError(UllageError):
    """No key is named, or what is named holds none."""

    exit_code = 3


def fetch(which: Key, names: KeyNames, environ: Mapping[str, str]) -> Secret:
    """Return the key; raise NoKeyError when there is none, SourceError when it cannot be had, MissingExtraError."""
    what = WORDS[which]
    found = secret.from_variable(names.variable, environ, what)
    if found is None and names.command:
        found = keys.from_command(names.command, environ, what)
    if found is None and names.keyring:
        found = _from_keyring(names.keyring[0], names.keyring[1], what)
    if found is None:
        unset = f"{names.variable} is not set here" if names.variable else "no variable is named"
        raise NoKeyError(
            f"There is no {what} to ask with: {unset}. Name a command that prints it in config.toml: [org] "
            f"{which}_key_command; docs/org.md explains the others."
        )
    return found


def _from_keyring(service: str, user: str, what: str) -> Secret:
    try:
        import keyring
        import keyring.errors
    except ImportError as error:
        raise MissingExtraError("The keyring", "org", "keyring") from error
    try:
        found = keyring.get_password(service, user)
    except keyring.errors.KeyringError as error:
        raise SourceError(
            "keyring_unusable",
            f"The keyring did not give the {what}: {type(error).__name__}. Unlock it, or name a command instead: "
            "`keyring diagnose` tells more.",
        ) from error
    if not found:
        raise NoKeyError(f"The keyring holds no {what} there. Put it in: keyring set SERVICE USER")
    return secret.checked(found, "The keyring", what)

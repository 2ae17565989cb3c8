"""Fetch the organisation's key at the moment of use: from a variable, else a command, else the keyring."""

from __future__ import annotations

from ullage.base.errors import SourceError, UllageError
from ullage.base.shipped import find_page
from ullage.system import keys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ullage.config.outside import KeyNames
    from ullage.org.reports import Key
    from ullage.system.secret import Secret

WORDS: dict[Key, str] = {"admin": "Admin API key", "analytics": "Analytics API key"}


class NoKeyError(UllageError):
    """No key is configured, or the place that is configured holds none."""

    exit_code = 3


def fetch_key(which: Key, names: KeyNames, environ: Mapping[str, str]) -> Secret:
    """Return the key; raise NoKeyError without one, SourceError when reading it fails, else MissingExtraError."""
    what = WORDS[which]
    try:
        found = keys.fetch_key(names, environ, what)
    except SourceError as error:
        if error.code == "key_missing":
            raise NoKeyError(str(error)) from error
        raise
    if found is None:
        unset = f"{names.variable} is not set here" if names.variable else "no variable is named"
        raise NoKeyError(
            f"There is no {what} to ask with: {unset}. Name a command that prints it in config.toml: [org] "
            f"{which}_key_command; {find_page('org')} explains the others."
        )
    return found

"""What the settings name outside of this machine's ullage: keys, other machines, and where metrics go."""

from __future__ import annotations

from ullage.base.record import Record
from ullage.system import secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class KeyNames(Record):
    """Where a key of the user's comes from: a variable if it is set, else a command, else the keyring.

    `keyring` is a service and a user name in it; `organization` is whose numbers claude.ai is asked for.
    """

    command: tuple[str, ...] = ()
    variable: str = ""
    keyring: tuple[str, ...] = ()
    organization: str = ""

    def are_given(self, environ: Mapping[str, str]) -> bool:
        """Say whether any of them names a key here; whether it can be read is another question."""
        return bool(self.command or self.keyring or (self.variable and environ.get(self.variable)))


class Remote(Record):
    """Another ullage that is asked for its reading: by a command, at a Unix socket, or at an address with a token."""

    name: str
    command: tuple[str, ...] = ()
    socket: str = ""
    url: str = ""
    token: KeyNames = KeyNames()


class Reporting(Record):
    """Where metrics go after a refresh, and how the account is called there; an empty text is not used."""

    account: str = "pseudonym"
    user: str = ""
    key_file: str = ""
    textfile: str = ""
    push: str = ""
    otlp: str = ""
    auth_file: str = ""
    plain_http: bool = False

    @property
    def is_wanted(self) -> bool:
        """Say whether metrics are to be written or sent after a refresh."""
        return bool(self.textfile or self.push or self.otlp)


def build_key_names(values: Mapping[str, Any], prefix: str) -> KeyNames:
    """Type where a key comes from, by the options or the names in a table that begin so."""
    return KeyNames(
        command=_words(values.get(f"{prefix}command", [])),
        variable=values.get(f"{prefix}variable", ""),
        keyring=_words(values.get(f"{prefix}keyring", [])),
    )


def build_remote(entry: Mapping[str, Any]) -> Remote:
    """Type a table [[remote]]."""
    return Remote(
        name=entry["name"],
        command=_words(entry.get("command", [])),
        socket=entry.get("socket", ""),
        url=entry.get("url", ""),
        token=build_key_names(entry, "token_"),
    )


def _words(value: str | list[str]) -> tuple[str, ...]:
    return secret.split_command(value) if value else ()


def build_reporting(values: Mapping[str, Any]) -> Reporting:
    """Type where metrics go."""
    return Reporting(
        **{key.removeprefix("metrics."): value for key, value in values.items() if key.startswith("metrics.")}
    )

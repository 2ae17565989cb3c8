"""What all profiles of one account share, as the server counts by account: pauses, the last request, its answer.

An account is a person in an organisation.
"""

from __future__ import annotations

import os

from ullage.base.contexts import contextmanager, suppress
from ullage.base.text import make_slug
from ullage.base.values import parse_time
from ullage.quota import serial
from ullage.store import statements
from ullage.system import directories, places
from ullage.system.files import read_regular, remove_file, write_atomically, write_derived
from ullage.system.lock import hold_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from ullage.quota.model import Account, Reading


class AccountCache:
    """The shared files of one account; without an account id there are none, and nothing is kept."""

    def __init__(self, environ: Mapping[str, str], account: Account) -> None:
        self._environ, self._account = environ, account
        self.directory = self._path(account.key)

    def _path(self, key: str | None) -> str | None:
        return os.path.join(places.locate_cache(self._environ), "accounts", make_slug(key)) if key else None

    def take_over(self) -> None:
        """Move what was kept without an organisation to the first organisation that is known."""
        former = self._path(self._account.id)
        if former and self.directory and former != self.directory:
            with suppress(OSError):
                os.rename(former, self.directory)

    def load_hold(self) -> datetime | None:
        """Return the end of the pause that the server asked for; None where there is no pause."""
        return self._time("hold")

    def save_hold(self, until: datetime) -> None:
        """Keep a pause that the server asked for."""
        self._save("hold", until.isoformat().encode())

    def load_asked_at(self) -> datetime | None:
        """Return when a profile of this account last began to ask the server."""
        return self._time("asked")

    def save_asked_at(self, now: datetime | None) -> None:
        """Keep when a profile began to ask; None when it did not come to a request."""
        if now is not None:
            # A power cut may take it, and with it a pause of five minutes.
            self._save("asked", now.isoformat().encode(), durable=False)
        elif self.directory:
            remove_file(os.path.join(self.directory, "asked"))

    def load_reading(self, source: str) -> Reading | None:
        """Return the last answer that a profile of this account got from a source."""
        return serial.decode_reading(self._read(statements.name_file(source)))

    def save_reading(self, reading: Reading) -> None:
        """Keep an answer for the other profiles; a power cut may take it, as the profile that asked keeps its own."""
        self._save(statements.name_file(reading.source), serial.encode(reading), durable=False)

    @contextmanager
    def lock(self) -> Iterator[bool]:
        """Hold the lock of the profile that asks for this account; yield whether it was free."""
        if self.directory is None:
            yield True
            return
        self.make()
        with hold_lock(os.path.join(self.directory, "lock")) as alone:
            yield alone

    def make(self) -> None:
        """Make the directory, readable by the user alone."""
        if self.directory is not None:
            root = places.locate_cache(self._environ)
            directories.make_private(root, self.directory, environ=self._environ)

    def _time(self, name: str) -> datetime | None:
        data = self._read(name)
        return parse_time(data.decode(errors="replace").strip()) if data else None

    def _read(self, name: str) -> bytes | None:
        return read_regular(os.path.join(self.directory, name), own=True) if self.directory else None

    def _save(self, name: str, data: bytes, *, durable: bool = True) -> None:
        if self.directory is None:
            return
        self.make()
        path = os.path.join(self.directory, name)
        if durable:
            write_atomically(path, data)
        else:
            write_derived([path], data)

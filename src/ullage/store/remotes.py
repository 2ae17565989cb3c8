"""Keep the last answer of each other machine, for all profiles of this user: `remotes/<name>.json` under the root.

A refresh that asks a machine, and `ullage receive`, write here; each profile then takes over its account's readings.
"""

from __future__ import annotations

import contextlib
import os

from ullage.quota import serial
from ullage.quota.remotes import RemoteAnswer
from ullage.system.files import LARGEST_FILE, read_regular, remove_file, write_derived
from ullage.system.places import locate_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_SUFFIX = ".json"
_MOST_NAMES = 64
# An answer of a MiB may be larger as it is stored.
_LARGEST = 4 * LARGEST_FILE


class RemoteStore:
    """The answers of other machines, under the root of the cache."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._root = locate_cache(environ)
        self.directory = os.path.join(self._root, "remotes")

    def load(self, name: str) -> RemoteAnswer:
        """Return a machine's last answer; an empty one where there is none."""
        found = serial.decode_remote(read_regular(self._path(name), _LARGEST, own=True))
        return found if found is not None and found.name == name else RemoteAnswer(name=name)

    def load_all(self, configured: Sequence[str]) -> list[RemoteAnswer]:
        """Return the answers of the configured machines, in their order, then of those that push, by name."""
        received = [answer for name in self._names() if name not in configured for answer in [self.load(name)]]
        return [*map(self.load, configured), *(answer for answer in received if answer.is_received)]

    def save(self, answer: RemoteAnswer) -> None:
        """Keep a machine's answer; after a power cut it is asked again."""
        self._make()
        write_derived([self._path(answer.name)], serial.encode(answer))

    def forget(self, name: str) -> None:
        """Remove a machine's answer."""
        remove_file(self._path(name))

    @contextlib.contextmanager
    def lock(self, name: str, wait_seconds: float = 0) -> Iterator[bool]:
        """Try to take the lock under which a machine's answer is written; yield whether that worked."""
        # A prompt's publication reads, and takes no lock.
        from ullage.system.lock import hold_lock

        self._make()
        with hold_lock(os.path.join(self.directory, f"{name}.lock"), wait_seconds) as alone:
            yield alone

    def _make(self) -> None:
        from ullage.system import directories

        directories.make_private(self._root, self.directory, environ=self._environ)

    def _names(self) -> list[str]:
        try:
            found = os.listdir(self.directory)
        except OSError:
            return []
        return sorted(name.removesuffix(_SUFFIX) for name in found if name.endswith(_SUFFIX))[:_MOST_NAMES]

    def _path(self, name: str) -> str:
        return os.path.join(self.directory, name + _SUFFIX)

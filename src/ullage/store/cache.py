"""The cache on disk: private directories, atomic writes, and the files of one profile."""

from __future__ import annotations

import os
import time

from ullage.base.dates import UTC, datetime
from ullage.base.record import Record
from ullage.quota import serial, timeline
from ullage.quota.model import Account
from ullage.quota.timeline import TIMELINES
from ullage.store import statements
from ullage.system.files import read_regular, remove_file, write_atomically, write_derived
from ullage.system.places import locate_cache, locate_profile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from ullage.quota.model import Reading
    from ullage.quota.schedule import Schedule
    from ullage.store.statements import Stated, Version
    from ullage.system.lock import Holder

# After so long the statement of a session says nothing any more: each of its windows has reset since.
_OLDEST_SESSION_SECONDS = 8 * 86400
_MOST_SESSIONS = 32
# No write takes longer: an older temporary file was left by a process that has died.
_OLDEST_WRITE_SECONDS = 60


class Snapshot(Record):
    """What is on disk about a profile at one moment, loaded once and handed down from there."""

    stated: Stated
    schedule: Schedule

    @property
    def reading(self) -> Reading | None:
        """The merge of the sources' statements; None when nothing is known."""
        return self.stated.reading

    @property
    def account(self) -> Account:
        """Whose quota it is, as far as a source tells."""
        return self.reading.account if self.reading else self.schedule.account


class ProfileCache:
    """The files of one profile: the last reading, the schedule, the lock, and a timeline for each surface."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.root = locate_cache(environ)
        self.directory = locate_profile(environ)
        self.environ = environ

    def make_private(self) -> None:
        """Make the directories, each closed to others; raise CacheError where another user could write into one."""
        # A hook reads, and has no time for what it does not need.
        from ullage.system import directories

        directories.make_private(self.root, self.directory, environ=self.environ)

    def sweep(self) -> None:
        """Remove temporary files of processes that have died, and the statements of sessions long over."""
        now = time.time()
        changed: dict[str, float] = {}
        for name in os.listdir(self.directory):
            try:
                # The modification time of a timeline is its checkpoint; the change time cannot be set.
                changed[name] = os.stat(self._path(name)).st_ctime
            except OSError:
                # Another process has just removed it.
                continue
        sessions = sorted(filter(statements.is_of_session, changed), key=lambda name: -changed[name])
        dead = [name for name in changed if name.endswith(".new") and changed[name] < now - _OLDEST_WRITE_SECONDS]
        dead += [name for name in sessions if changed[name] < now - _OLDEST_SESSION_SECONDS]
        dead += self._find_old_parts(name for name in changed if changed[name] < now - _OLDEST_WRITE_SECONDS)
        for name in (*dead, *sessions[_MOST_SESSIONS:]):
            remove_file(self._path(name))

    def _find_old_parts(self, names: Iterable[str]) -> list[str]:
        """Return those of the names that are parts of timelines which have been replaced."""
        parts = [name for name in names if timeline.is_part(name)]
        current = [self.read_timeline(surface) for surface in TIMELINES] if parts else []
        return [name for name in parts if not any(timeline.is_part_of(name, data) for data in current)]

    def lock(self, wait_seconds: float = 0) -> AbstractContextManager[bool]:
        """Hold the refresh lock; yield whether it was free."""
        # Imported late: a hook takes no lock.
        from ullage.system.lock import hold_lock

        return hold_lock(self._path("refresh.lock"), wait_seconds)

    def find_lock_holder(self) -> Holder | None:
        """Return the process that holds the refresh lock; None where it is free."""
        from ullage.system.lock import find_holder

        return find_holder(self._path("refresh.lock"))

    def lacks_flock(self) -> bool:
        """Say whether the cache lies on a file system without flock; False before the first refresh."""
        from ullage.system.lock import lacks_flock

        return lacks_flock(self._path("refresh.lock"))

    def load(self) -> Snapshot:
        """Return what is on disk about the profile now."""
        return Snapshot(stated=self.load_statements(), schedule=self.load_schedule())

    def load_statements(self) -> Stated:
        """Load each source's last statement, and their merge."""
        return statements.load(self.directory, datetime.now(UTC))

    def load_readings(self) -> tuple[Reading, ...]:
        """Return each source's last statement."""
        return self.load_statements().statements

    def load_reading(self) -> Reading | None:
        """Return the merge of the sources' last statements; None when nothing is known."""
        return self.load_statements().reading

    def find_version(self) -> Version:
        """Return a mark that changes whenever a source's last statement does."""
        return statements.find_version(self.directory)

    def load_schedule(self) -> Schedule:
        """Return when to ask again; an empty schedule when nothing has been asked yet."""
        return serial.decode_schedule(self._read("schedule.json"))

    def read_timeline(self, surface: str) -> bytes:
        """Return the bytes of a surface's timeline; none when it is absent."""
        return self._read(f"{surface}.timeline") or b""

    def save_reading(self, reading: Reading | None) -> None:
        """Keep a reading as its source's last statement; None forgets the statements of all sources."""
        if reading is None:
            for name in statements.list_names(self.directory):
                remove_file(self._path(name))
        else:
            write_atomically(self._path(statements.name_file(reading.source)), serial.encode(reading))

    def forget(self, name: str) -> None:
        """Forget a statement by the name of its file."""
        remove_file(self._path(name))

    def keep(self, snapshot: Snapshot, reading: Reading) -> Snapshot:
        """Keep a reading as its source's last statement, and return the statements as they are then."""
        name, data = statements.name_file(reading.source), serial.encode(reading)
        write_atomically(self._path(name), data)
        stated = statements.add(snapshot.stated, {name: reading}, datetime.now(UTC))
        return self.settle(snapshot.replace(stated=stated), name, data)

    def settle(self, snapshot: Snapshot, name: str = "", data: bytes = b"") -> Snapshot:
        """Return the snapshot after this process has written one file; loaded anew if another process wrote too.

        That may have been the same file: a later run of the same session is not waited for.
        """
        version = self.find_version()
        # After the version: a file that is still ours now was ours when the version was taken.
        is_ours = not name or self._read(name) == data
        if not is_ours or not statements.is_same_but_for(name, version, snapshot.stated.version):
            return snapshot.replace(stated=self.load_statements())
        return snapshot.replace(stated=snapshot.stated.replace(version=version))

    def forget_others(self, account: Account, before: Account) -> None:
        """Forget the statements about other accounts; one that names no organisation is about the former account.

        A running session's statement is set apart: what it repeats from then on is still about the former account.
        """
        for name in statements.list_names(self.directory):
            reading, mark = serial.decode_noted_reading(self._read(name), "mark")
            stated = reading.account if reading else Account()
            if stated.organization_id is None and stated.id == before.id:
                stated = stated.replace(organization_id=before.organization_id)
            if reading is not None and stated.id == account.id and stated.may_be(account):
                continue
            if reading is None or mark is None or not statements.is_of_session(name):
                remove_file(self._path(name))
            else:
                apart = reading.replace(account=stated, is_apart=True)
                write_atomically(self._path(name), serial.encode(apart, mark=mark))

    def save_schedule(self, schedule: Schedule) -> None:
        """Keep the schedule."""
        write_atomically(self._path("schedule.json"), serial.encode(schedule))

    def note_schedule(self, schedule: Schedule) -> None:
        """Keep the schedule of a running refresh, without a sync: a power cut may take it."""
        write_derived([self._path("schedule.json")], serial.encode(schedule))

    def save_timeline(self, surface: str, data: bytes, checkpoint: int | None, same: Sequence[str] = ()) -> None:
        """Replace a surface's timeline, dated to its checkpoint; those of the surfaces in `same` are links to it."""
        for name, part in timeline.cut(data).items():
            write_derived([self._path(name)], part)
        paths = [self._path(f"{name}.timeline") for name in (surface, *same)]
        write_derived(paths, data, modified_at=checkpoint)

    def _read(self, name: str) -> bytes | None:
        return read_regular(self._path(name), own=True)

    def _path(self, name: str) -> str:
        return os.path.join(self.directory, name)

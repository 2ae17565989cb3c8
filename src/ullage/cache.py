"""The cache on disk: private directories, atomic writes, the lock, and the files of one profile."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import time

from ullage import serial, timeline
from ullage.errors import CacheError
from ullage.model import parse_time
from ullage.places import SURFACES, cache_root, profile_directory
from ullage.text import slug

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from ullage.model import Reading
    from ullage.schedule import Schedule

_LARGEST_FILE = 1 << 20

# No write takes this long; a file that was begun before is nobody's any more.
_ABANDONED_SECONDS = 60


def read_regular(path: str, largest: int = _LARGEST_FILE, *, own: bool = False) -> bytes | None:
    """Return a regular file's bytes; None when there is none, it is not readable, or it is larger than `largest`.

    A FIFO or a device in its place is not waited for. With `own`, another user's file is none.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError:
        return None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or (own and hasattr(os, "geteuid") and status.st_uid != os.geteuid()):
            return None
        with open(descriptor, "rb", closefd=False) as file:
            data = file.read(largest + 1)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return data if len(data) <= largest else None


def write_atomically(path: str, data: bytes, modified_at: float | None = None) -> None:
    """Replace a file whole: a reader sees the old bytes or the new, whatever happens in between.

    The file is the user's alone (0600). Raises CacheError when it cannot be written; what was there stays.
    """
    temporary = f"{path}.{os.getpid()}.{secrets.token_hex(4)}.new"
    try:
        with contextlib.ExitStack() as undo:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
            descriptor = os.open(temporary, flags, 0o600)
            undo.callback(_remove, temporary)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(descriptor)
            if modified_at is not None:
                os.utime(temporary, (modified_at, modified_at))
            os.replace(temporary, path)
            undo.pop_all()
    except OSError as error:
        raise CacheError(
            f"Cannot write {path}: {error.strerror}. Make room or make the directory writable, "
            "or name another one in ULLAGE_CACHE_DIR."
        ) from error


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)


class ProfileCache:
    """The files of one profile: the last reading, the schedule, the lock, and a timeline for each surface."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.root = cache_root(environ)
        self.directory = profile_directory(environ)

    def make_private(self) -> None:
        """Make the directories, each the user's alone; raise CacheError when another user has a hand in one."""
        directory = self.root
        try:
            os.makedirs(os.path.dirname(self.root), exist_ok=True)
            for part in ("", *os.path.relpath(self.directory, self.root).split(os.sep)):
                directory = os.path.join(directory, part) if part else directory
                with contextlib.suppress(FileExistsError):
                    os.mkdir(directory, 0o700)
                _refuse_strangers(directory)
        except OSError as error:
            raise CacheError(
                f"Cannot make the cache directory {directory}: {error.strerror}. Name one that you can write to in "
                "ULLAGE_CACHE_DIR."
            ) from error

    def sweep(self) -> None:
        """Remove what processes that were killed in the middle of a write have left."""
        for entry in os.scandir(self.directory):
            if (
                entry.name.endswith(".new")
                and entry.stat(follow_symlinks=False).st_ctime < time.time() - _ABANDONED_SECONDS
            ):
                _remove(entry.path)

    @contextlib.contextmanager
    def lock(self, wait_seconds: float = 0) -> Iterator[bool]:
        """Try to become the one that refreshes; yield whether that worked. A dead process holds no lock."""
        # asyncio comes with it, 35 ms that a reader should not pay.
        import filelock

        lock = filelock.FileLock(self._path("refresh.lock"), timeout=wait_seconds, mode=0o600)
        try:
            lock.acquire()
        except filelock.Timeout:
            yield False
            return
        except OSError as error:
            raise CacheError(
                f"Cannot lock {self._path('refresh.lock')}: {error.strerror}. Make the directory writable, or name "
                "another one in ULLAGE_CACHE_DIR."
            ) from error
        try:
            yield True
        finally:
            lock.release()

    def reading(self) -> Reading | None:
        """Return the last reading, None when nothing is known."""
        return serial.decode_reading(self._read("reading.json"))

    def schedule(self) -> Schedule:
        """Return when to ask again; an empty schedule when nothing has been asked yet."""
        return serial.decode_schedule(self._read("schedule.json"))

    def timeline(self, surface: str) -> bytes:
        """Return the bytes of a surface's timeline; none when it is absent."""
        return self._read(f"{surface}.timeline") or b""

    def save_reading(self, reading: Reading | None) -> None:
        """Keep a reading; None forgets the one before."""
        if reading is None:
            _remove(self._path("reading.json"))
        else:
            write_atomically(self._path("reading.json"), serial.encode(reading))

    def save_schedule(self, schedule: Schedule) -> None:
        """Keep the schedule."""
        write_atomically(self._path("schedule.json"), serial.encode(schedule))

    def save_timeline(self, surface: str, data: bytes, checkpoint: int | None) -> None:
        """Replace a surface's timeline, dated to its checkpoint."""
        write_atomically(self._path(f"{surface}.timeline"), data, modified_at=checkpoint)

    def postpone(self, refresh_after: int) -> None:
        """Move every timeline's refresh on, so that no other prompt starts one; empty ones where there are none yet."""
        for surface in SURFACES:
            data = self.timeline(surface)
            header = timeline.read_header(data)
            if header is None:
                data = timeline.encode([], written=0, refresh_after=refresh_after, checkpoint=0, clock=None)
            checkpoint = header.checkpoint if header else None
            self.save_timeline(surface, timeline.postpone(data, refresh_after), checkpoint)

    def hold(self, account_id: str | None) -> datetime | None:
        """Return until when the server does not want to be asked about this account, by any profile."""
        data = read_regular(self._hold_path(account_id), own=True) if account_id else None
        return parse_time(data.decode(errors="replace").strip()) if data else None

    def save_hold(self, account_id: str | None, until: datetime) -> None:
        """Keep a hold for all profiles of an account; without an account the schedule alone knows it."""
        if account_id:
            os.makedirs(os.path.join(self.root, "holds"), mode=0o700, exist_ok=True)
            write_atomically(self._hold_path(account_id), until.isoformat().encode())

    def _hold_path(self, account_id: str) -> str:
        return os.path.join(self.root, "holds", slug(account_id))

    def _read(self, name: str) -> bytes | None:
        return read_regular(self._path(name), own=True)

    def _path(self, name: str) -> str:
        return os.path.join(self.directory, name)


def _refuse_strangers(directory: str) -> None:
    if not hasattr(os, "geteuid"):
        return
    status = os.stat(directory)
    if status.st_uid != os.geteuid():
        raise CacheError(
            f"{directory} belongs to another user, who could show you false numbers. Name a directory of your own in "
            "ULLAGE_CACHE_DIR, or run ullage as yourself."
        )
    if status.st_mode & 0o022:
        raise CacheError(f"Others can write to {directory}. Run: chmod go-w '{directory}'")

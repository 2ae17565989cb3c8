"""A lock file: one process of a user's at a time, and who that is.

`<path>.holder` says which process holds the lock, and since when. Where a file system has no locks, that file is the
lock: it counts while the process that wrote it runs.
"""

from __future__ import annotations

import os
import sys
import time

from ullage.base.contexts import contextmanager, suppress
from ullage.base.errors import CacheError
from ullage.base.record import Record
from ullage.system.files import read_regular, remove_file

if sys.platform == "win32":
    from ullage.system import windows
else:
    import fcntl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_POLL_SECONDS, _WRITE_SECONDS = 0.05, 2


class Holder(Record):
    """The process that holds a lock, since a second of the epoch; `began` tells it from a later one of its number."""

    process: int
    began: str
    since: int

    @property
    def is_stopped(self) -> bool:
        """Say whether it is stopped, as after Ctrl-Z; False where the system does not say."""
        return _status(self.process)[0] in ("T", "t")


@contextmanager
def hold_lock(path: str, wait_seconds: float = 0) -> Iterator[bool]:
    """Hold a lock file, after waiting for it so many seconds at most; yield whether that worked."""
    try:
        with _hold(path, wait_seconds) as held:
            yield held
    except _LockError as error:
        raise CacheError(
            f"Cannot lock {path}: {error}. Make the directory writable, "
            "or name others in ULLAGE_CACHE_DIR and ULLAGE_STATE_DIR."
        ) from error


def find_holder(path: str) -> Holder | None:
    """Return the running process that holds a lock; None where there is none."""
    return _read(_holder_path(path))


def lacks_flock(path: str) -> bool:
    """Say whether a lock file exists on a file system without flock, so that the holder's file is the lock."""
    if sys.platform == "win32":
        return False
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        # This descriptor holds nothing: a refresh that begins meanwhile is not kept from its lock.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


class _LockError(Exception):
    """The lock file cannot be opened or locked; what the caller does while it holds the lock raises its own errors."""


@contextmanager
def _hold(path: str, wait_seconds: float) -> Iterator[bool]:
    """Hold the lock by flock, as filelock does after 25 ms of imports; by filelock on Windows, which has none."""
    if sys.platform == "win32":
        with _hold_by_filelock(path, wait_seconds) as held:
            yield held
        return
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise _LockError(error.strerror) from error
    try:
        locked = _flock(descriptor, time.monotonic() + wait_seconds)
        if locked is None:
            with _hold_by_note(path, wait_seconds) as held:
                yield held
        elif locked:
            with _noted(path):
                yield True
        else:
            yield False
    finally:
        os.close(descriptor)


if sys.platform != "win32":

    def _flock(descriptor: int, deadline: float) -> bool | None:
        """Return whether the descriptor got the lock until the deadline; None where the file system knows no flock."""
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except (PermissionError, BlockingIOError):
                if time.monotonic() >= deadline:
                    return False
                time.sleep(_POLL_SECONDS)
            except OSError:
                return None
            else:
                return True


@contextmanager
def _hold_by_filelock(path: str, wait_seconds: float) -> Iterator[bool]:
    import filelock

    lock = filelock.FileLock(path, timeout=wait_seconds, mode=0o600)
    try:
        lock.acquire()
    except filelock.Timeout:
        yield False
        return
    except OSError as error:
        raise _LockError(error.strerror) from error
    try:
        with _noted(path):
            yield True
    finally:
        lock.release()


@contextmanager
def _noted(path: str) -> Iterator[None]:
    """Write down who holds a lock; it is held all the same where that cannot be."""
    with suppress(_LockError):
        _note(path)
    try:
        yield
    finally:
        remove_file(_holder_path(path))


@contextmanager
def _hold_by_note(path: str, wait_seconds: float) -> Iterator[bool]:
    """Hold a lock where the file system has none: filelock's own way takes whatever was left over for a holder."""
    deadline = time.monotonic() + wait_seconds
    while not _note(path, os.O_EXCL):
        if find_holder(path) is None and not _is_being_written(_holder_path(path)):
            _take_away(_holder_path(path))
        elif time.monotonic() >= deadline:
            yield False
            return
        else:
            time.sleep(_POLL_SECONDS)
    try:
        yield True
    finally:
        remove_file(_holder_path(path))


def _read(note: str) -> Holder | None:
    data = read_regular(note, own=True)
    try:
        process, began, since = (data or b"").decode().split()
        noted = Holder(process=int(process), began=began, since=int(since))
    except ValueError:
        return None
    return noted if noted.process > 0 and _status(noted.process)[1] == began else None


def _is_being_written(note: str) -> bool:
    try:
        status = os.stat(note)
    except OSError:
        return False
    return status.st_size == 0 and abs(time.time() - status.st_mtime) < _WRITE_SECONDS


def _take_away(note: str) -> None:
    """Remove a dead process's note, and no other that has come in its place meanwhile."""
    aside = f"{note}.{os.getpid()}.new"
    try:
        os.rename(note, aside)
        if _read(aside) is not None or _is_being_written(aside):
            os.link(aside, note)
    except OSError:
        # Another process was quicker.
        return
    finally:
        remove_file(aside)


def _note(path: str, *flags: int) -> bool:
    """Write down that this process holds a lock; with O_EXCL, say whether nothing was written there before."""
    how = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(_holder_path(path), how | sum(flags), 0o600)
    except FileExistsError:
        return False
    except OSError as error:
        raise _LockError(error.strerror) from error
    with suppress(OSError):
        os.write(descriptor, f"{os.getpid()} {_status(os.getpid())[1]} {int(time.time())}\n".encode())
    os.close(descriptor)
    return True


def _status(process: int) -> tuple[str, str]:
    """Return a process's state and start time as the system words them; nothing for one that is not running."""
    stat = read_regular(f"/proc/{process}/stat")
    if stat is not None:
        # The second field is a name, which may hold anything.
        fields = stat.rpartition(b")")[2].split()
        return (fields[0].decode(), fields[19].decode()) if len(fields) > 19 and fields[0] != b"Z" else ("", "")
    if sys.platform == "win32":
        return "", "-" if windows.is_running(process) else ""
    try:
        os.kill(process, 0)
    except PermissionError:
        return "", "-"
    except (OSError, OverflowError):
        return "", ""
    return "", "-" if not os.path.exists("/proc/self/stat") else ""


def _holder_path(path: str) -> str:
    return path + ".holder"

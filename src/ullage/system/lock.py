"""A lock file: one process of a user's at a time."""

from __future__ import annotations

import contextlib
import os
import sys
import time

from ullage.base.errors import CacheError

if sys.platform != "win32":
    import fcntl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_POLL_SECONDS = 0.05


@contextlib.contextmanager
def hold_lock(path: str, wait_seconds: float = 0) -> Iterator[bool]:
    """Try to hold a lock file for so many seconds; yield whether that worked. A dead process holds no lock."""
    try:
        with _hold(path, wait_seconds) as held:
            yield held
    except _LockError as error:
        raise CacheError(
            f"Cannot lock {path}: {error}. Make the directory writable, or name another one in ULLAGE_CACHE_DIR."
        ) from error


class _LockError(Exception):
    """The lock file cannot be opened or locked; what the caller does while it holds the lock raises its own errors."""


@contextlib.contextmanager
def _hold(path: str, wait_seconds: float) -> Iterator[bool]:
    """Hold the lock by flock, as filelock does after 25 ms of imports; by filelock where the system has none."""
    held, descriptor = None, None
    if sys.platform != "win32":
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise _LockError(error.strerror) from error
        held = _flock(descriptor, time.monotonic() + wait_seconds)
    try:
        if held is None:
            with _hold_by_filelock(path, wait_seconds) as found:
                yield found
        else:
            yield held
    finally:
        if descriptor is not None:
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


@contextlib.contextmanager
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
        yield True
    finally:
        lock.release()

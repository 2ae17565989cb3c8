"""A lock file: one process of a user's at a time.

By flock where the system has it, which is what filelock calls too, after 25 ms of imports; by filelock elsewhere.
"""

from __future__ import annotations

import os
import sys
import time

from ullage.base.errors import CacheError

if sys.platform != "win32":
    import fcntl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager

_POLL_SECONDS = 0.05


def hold_lock(path: str, wait_seconds: float = 0) -> AbstractContextManager[bool]:
    """Try to hold a lock file for so many seconds, in a `with` that tells whether that worked.

    A dead process holds no lock. Raises CacheError on entry when the file cannot be opened or locked.
    """
    return _Lock(path, wait_seconds)


class _Lock:
    """What `contextlib.contextmanager` would make of a generator; importing that takes longer than the lock."""

    def __init__(self, path: str, wait_seconds: float) -> None:
        self._path, self._wait_seconds = path, wait_seconds
        self._descriptor = -1
        self._by_filelock: AbstractContextManager[object] | None = None

    def __enter__(self) -> bool:
        try:
            held = self._flock()
            return self._enter_by_filelock() if held is None else held
        except OSError as error:
            self.__exit__()
            raise CacheError(
                f"Cannot lock {self._path}: {error.strerror}. Make the directory writable, or name another one in "
                "ULLAGE_CACHE_DIR."
            ) from error

    def __exit__(self, *_error: object) -> None:
        if self._by_filelock is not None:
            self._by_filelock.__exit__(None, None, None)
        if self._descriptor >= 0:
            # Closing it gives the lock up.
            os.close(self._descriptor)
            self._descriptor = -1

    def _flock(self) -> bool | None:
        """Return whether the lock was got in time; None where the system or the file system knows no flock."""
        if sys.platform == "win32":
            return None
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        deadline = time.monotonic() + self._wait_seconds
        while True:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except (PermissionError, BlockingIOError):
                if time.monotonic() >= deadline:
                    return False
                time.sleep(_POLL_SECONDS)
            except OSError:
                return None
            else:
                return True

    def _enter_by_filelock(self) -> bool:
        import filelock

        lock = filelock.FileLock(self._path, timeout=self._wait_seconds, mode=0o600)
        try:
            lock.acquire()
        except filelock.Timeout:
            return False
        self._by_filelock = lock
        return True

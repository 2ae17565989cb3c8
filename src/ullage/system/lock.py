"""A lock file: one process of a user's at a time."""

from __future__ import annotations

import contextlib

from ullage.base.errors import CacheError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def hold_lock(path: str, wait_seconds: float = 0) -> Iterator[bool]:
    """Try to hold a lock file; yield whether that worked. A dead process holds no lock."""
    # asyncio comes with it, 35 ms, and some of those who may lock seldom do.
    import filelock

    lock = filelock.FileLock(path, timeout=wait_seconds, mode=0o600)
    try:
        lock.acquire()
    except filelock.Timeout:
        yield False
        return
    except OSError as error:
        raise CacheError(
            f"Cannot lock {path}: {error.strerror}. Make the directory writable, or name another one in "
            "ULLAGE_CACHE_DIR."
        ) from error
    try:
        yield True
    finally:
        lock.release()

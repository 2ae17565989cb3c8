"""Reading and replacing files: no waiting for a FIFO, no half-written file, nothing heavy imported."""

from __future__ import annotations

import os
import stat

from ullage.base.errors import CacheError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

LARGEST_FILE = 1 << 20


def read_regular(path: str, largest: int = LARGEST_FILE, *, own: bool = False) -> bytes | None:
    """Return a regular file's bytes; None when there is none, it is not readable, or it is larger than `largest`.

    A FIFO or a device in its place is not waited for. With `own`, what another user could have put there is none:
    another's file, a link, or whatever lies in another's directory.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        if own and not _is_own(os.stat(os.path.dirname(path) or ".")):
            return None
        descriptor = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) if own else flags)
    except OSError:
        return None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or (own and not _is_own(status)):
            return None
        with open(descriptor, "rb", closefd=False) as file:
            data = file.read(largest + 1)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return data if len(data) <= largest else None


def _is_own(status: os.stat_result) -> bool:
    return not hasattr(os, "geteuid") or status.st_uid == os.geteuid()


def write_atomically(path: str, data: bytes, modified_at: float | None = None, mode: int = 0o600) -> None:
    """Replace a file whole and for good: a reader sees the old bytes or the new, also after a power cut.

    The file is the user's alone unless `mode` says otherwise, whatever the umask. Raises CacheError when it cannot be
    written; what was there stays.
    """
    _replace((path,), data, modified_at, mode, durable=True)


def write_derived(paths: Sequence[str], data: bytes, modified_at: float | None = None) -> None:
    """Replace each of these files of one directory by the same bytes, written once and linked where links are known.

    A reader sees the old bytes or the new. Nothing waits for the disk: what a power cut may leave half written can be
    derived anew, and whoever reads it must know it for what it is. Raises CacheError when one cannot be written.
    """
    _replace(paths, data, modified_at, 0o600, durable=False)


def _replace(paths: Sequence[str], data: bytes, modified_at: float | None, mode: int, *, durable: bool) -> None:
    written: list[str] = []
    at = paths[0]
    try:
        try:
            for path in paths:
                at = path
                linked = _link_new(written[0], path) if written else None
                written.append(linked or _write_new(path, data, modified_at, mode, durable=durable))
            for at, temporary in zip(paths, written, strict=True):
                os.replace(temporary, at)
        except BaseException:
            for temporary in written:
                remove_file(temporary)
            raise
    except OSError as error:
        raise CacheError(
            f"Cannot write {at}: {error.strerror}. Make room or make the directory writable, "
            "or name another one in ULLAGE_CACHE_DIR."
        ) from error


def _write_new(path: str, data: bytes, modified_at: float | None, mode: int, *, durable: bool) -> str:
    """Write a file beside the one that it is to replace, and return its path; one half written is removed."""
    temporary = _temporary(path)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(temporary, flags, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            if durable:
                os.fsync(descriptor)
            if mode != 0o600 and hasattr(os, "fchmod"):
                # By its name it could be another's link by now, where others may write in the directory.
                os.fchmod(descriptor, mode)
        if modified_at is not None:
            os.utime(temporary, (modified_at, modified_at))
    except BaseException:
        remove_file(temporary)
        raise
    return temporary


def _link_new(source: str, path: str) -> str | None:
    """Give a file a second name beside the one that it is to replace; None where the file system knows no links."""
    temporary = _temporary(path)
    try:
        os.link(source, temporary)
    except (OSError, AttributeError):
        return None
    return temporary


def _temporary(path: str) -> str:
    return f"{path}.{os.getpid()}.{os.urandom(4).hex()}.new"


def remove_file(path: str) -> None:
    """Remove a file; one that is not there, or that cannot be removed, is left."""
    try:
        os.unlink(path)
    except OSError:
        return


def may_write(directory: str) -> bool:
    """Say whether a refresh could keep its answer; without this, a read-only cache would start one at every prompt."""
    while not os.path.exists(directory) and directory != os.path.dirname(directory):
        directory = os.path.dirname(directory)
    return os.access(directory, os.W_OK)

"""Reading and replacing files: no waiting for a FIFO, no half-written file, nothing heavy imported."""

from __future__ import annotations

import os
import stat

from ullage.base.errors import CacheError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LARGEST_FILE = 1 << 20
_STEP = 1 << 16


def read_regular(
    path: str, largest: int = LARGEST_FILE, *, own: bool = False, only: os.stat_result | None = None
) -> bytes | None:
    """Return a regular file's bytes; None when there is none, it is not readable, or it is larger than `largest`.

    A FIFO or a device in its place is not waited for. With `own`, what another user could have put there is none:
    another's file, a link, or whatever lies in another's directory; but for links that does not count in a directory
    that the user trusts. With `only`, what is read is the file of that status and no other.
    """
    any_owner = not own or is_trusted(path)
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        if not any_owner and not _is_own(os.stat(os.path.dirname(path) or ".")):
            return None
        descriptor = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) if own or only else flags)
    except OSError:
        return None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or not (any_owner or _is_own(status)):
            return None
        if only is not None and not os.path.samestat(status, only):
            return None
        data = read_up_to(descriptor, largest + 1, status.st_size + 1)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return data if len(data) <= largest else None


def read_up_to(descriptor: int, most: int, expected: int = _STEP) -> bytes:
    """Return what a descriptor holds, `most` bytes of it at most; raises OSError.

    Memory is asked for as it is needed: a limit on that may be far below what `most` allows for.
    """
    chunks, size, step = [], 0, expected
    while size < most and (chunk := os.read(descriptor, min(most - size, step))):
        chunks.append(chunk)
        size, step = size + len(chunk), _STEP
    return b"".join(chunks)


def is_trusted(path: str) -> bool:
    """Say whether a path lies in the cache that the user trusts whoever fills it, which is only read."""
    root = os.environ.get("ULLAGE_TRUSTED_CACHE", "").rstrip("/\\")
    return bool(root) and (path == root or path.startswith((root + "/", root + os.sep)))


def _is_own(status: os.stat_result) -> bool:
    return not hasattr(os, "geteuid") or status.st_uid == os.geteuid()


def _is_ours_to_fill(status: os.stat_result) -> bool:
    """Say whether we may write there: root could write everywhere, and must not write into a person's home."""
    return _is_own(status) or status.st_uid == 0


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


def may_write(directory: str, environ: Mapping[str, str]) -> bool:
    """Say whether a refresh could keep its answer here; a read-only cache must not start one at every prompt.

    Root could write into another user's home too, where it must keep nothing.
    """
    if environ.get("ULLAGE_TRUSTED_CACHE"):
        return False
    home = environ.get("HOME", "")
    if hasattr(os, "geteuid") and directory.startswith(f"{home}/") and not _is_ours(home):
        return False
    while not os.path.exists(directory) and directory != os.path.dirname(directory):
        directory = os.path.dirname(directory)
    return os.access(directory, os.W_OK) and _is_ours_to_fill(os.stat(directory))


def _is_ours(home: str) -> bool:
    return not os.path.isdir(home) or os.stat(home).st_uid == os.geteuid()

"""Reading and replacing files: no waiting for a FIFO, no half-written file, nothing heavy imported."""

from __future__ import annotations

import os
import stat
import sys

from ullage.base.errors import CacheError

if sys.platform == "win32":
    from ullage.system import windows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    # The time of the last write in nanoseconds, the inode, the size in bytes.
    FileMark = tuple[int, int, int]

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
    any_owner = not own or is_filled_elsewhere(path, os.environ)
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        if not any_owner and not is_own(os.stat(os.path.dirname(path) or ".")):
            return None
        descriptor = open_shared(path, flags | getattr(os, "O_NOFOLLOW", 0) if own or only else flags)
    except OSError:
        return None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or not (any_owner or is_own(status)):
            return None
        if only is not None and not os.path.samestat(status, only):
            return None
        data = read_up_to(descriptor, largest + 1, status.st_size + 1)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return data if len(data) <= largest else None


def open_shared(path: str, flags: int) -> int:
    """Open a file for reading and return its descriptor; raises OSError. It hinders no other from replacing the file.

    The flags, which say what is not followed or waited for, mean nothing on Windows.
    """
    if sys.platform == "win32":
        return windows.open_shared(path)
    return os.open(path, flags)


def replace_file(source: str, target: str) -> None:
    """Put a file in another's place at once; raises OSError. On Windows a reader may have to be waited for."""
    if sys.platform == "win32":
        windows.replace(source, target)
    else:
        os.replace(source, target)


def read_up_to(descriptor: int, most: int, expected: int = _STEP) -> bytes:
    """Return what a descriptor holds, `most` bytes of it at most; raises OSError.

    Memory is asked for as it is needed: a limit on that may be far below what `most` allows for.
    """
    chunks, size, step = [], 0, expected
    while size < most and (chunk := os.read(descriptor, min(most - size, step))):
        chunks.append(chunk)
        size, step = size + len(chunk), _STEP
    return b"".join(chunks)


def is_filled_elsewhere(path: str, environ: Mapping[str, str]) -> bool:
    """Say whether a path lies in the cache that another user or machine fills: trusted, and only read here."""
    root = environ.get("ULLAGE_TRUSTED_CACHE", "").rstrip("/\\")
    return bool(root) and (path == root or path.startswith((root + "/", root + os.sep)))


def is_own(status: os.stat_result) -> bool:
    """Say whether a file is the user's; where the system knows no owners, every file is."""
    return not hasattr(os, "geteuid") or status.st_uid == os.geteuid()


def is_trusted(status: os.stat_result) -> bool:
    """Say whether a file is the user's or root's: only they can do nothing that the user would have to fear.

    The owner of the root directory owns everything: in a sandbox that is often a user who stands for root.
    """
    return is_own(status) or status.st_uid in (0, os.stat("/").st_uid)


def is_home_of_another(environ: Mapping[str, str]) -> bool:
    """Say whether HOME is another user's: `sudo -s` and `su` leave it as it was, and root could write into it."""
    home = environ.get("HOME", "").rstrip("/")
    return os.path.isdir(home) and not is_own(os.stat(home))


def is_in_home_of_another(path: str, environ: Mapping[str, str]) -> bool:
    """Say whether a path leads into another user's home, where nothing is made or written."""
    home = environ.get("HOME", "").rstrip("/")
    return path.startswith(f"{home}/") and is_home_of_another(environ)


def find_mark(path: str) -> FileMark | None:
    """Return what changes whenever a file is written or replaced; None where there is no file."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size


def identify(path: str) -> tuple[int, int] | None:
    """Return a mark that tells a file or directory from one that takes its place; None where there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def write_atomically(path: str, data: bytes, mode: int = 0o600) -> None:
    """Replace a file whole and for good: a reader sees the old bytes or the new, also after a power cut.

    The file is the user's alone unless `mode` says otherwise, whatever the umask. Raises CacheError when it cannot be
    written; what was there stays.
    """
    _replace((path,), data, None, mode, durable=True)


def write_derived(paths: Sequence[str], data: bytes, modified_at: float | None = None) -> None:
    """Replace each of these files of one directory by the same bytes, written once and linked where links are known.

    A reader sees the old bytes or the new. Nothing waits for the disk: what a power cut may leave half written can be
    derived anew, and whoever reads it must know it for what it is. Raises CacheError when one cannot be written.
    """
    _replace(paths, data, modified_at, 0o600, durable=False)


def _replace(paths: Sequence[str], data: bytes, modified_at: float | None, mode: int, *, durable: bool) -> None:
    written: list[str] = []
    at = paths[0]
    if is_filled_elsewhere(at, os.environ):
        raise CacheError(f"{at} is only read here (ULLAGE_TRUSTED_CACHE), and never written to.")
    try:
        try:
            for path in paths:
                at = path
                linked = _link_new(written[0], path) if written else None
                written.append(linked or _write_new(path, data, modified_at, mode, durable=durable))
            refused = _put_in_place(dict(zip(paths, written, strict=True)))
        except BaseException:
            for temporary in written:
                remove_file(temporary)
            raise
    except OSError as error:
        raise _cannot_write(at, error) from error
    for path, reason in refused.items():
        raise _cannot_write(path, reason) from reason


def _put_in_place(written: Mapping[str, str]) -> dict[str, OSError]:
    """Put each file in its place; return why some are not there, none the older for which the others are."""
    refused = {}
    for path, temporary in written.items():
        try:
            replace_file(temporary, path)
        except OSError as error:
            refused[path] = error
            remove_file(temporary)
    return refused


def _cannot_write(path: str, error: OSError) -> CacheError:
    return CacheError(
        f"Cannot write {path}: {error.strerror}. Make room or make the directory writable, "
        "or name others in ULLAGE_CACHE_DIR and ULLAGE_STATE_DIR."
    )


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
    if sys.platform == "win32":
        # Who reads by one name there would hinder the replacement of all.
        return None
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
    """Say whether a refresh could keep its answer here; a read-only cache must not start one at every prompt."""
    if environ.get("ULLAGE_TRUSTED_CACHE") or is_in_home_of_another(directory, environ):
        return False
    while not os.path.exists(directory) and directory != os.path.dirname(directory):
        directory = os.path.dirname(directory)
    return os.access(directory, os.W_OK) and is_trusted(os.stat(directory))

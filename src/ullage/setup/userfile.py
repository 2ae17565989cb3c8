"""Change a person's own file so that nothing of it is lost: checked, shown as a diff, backed up, replaced.

Every refusal says what stands in the way and what to do. Nothing is written before all checks have passed.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import stat

from ullage.base.errors import UsageError
from ullage.base.record import Record
from ullage.base.text import make_visible
from ullage.setup import blocks
from ullage.system import directories
from ullage.system.files import read_regular, remove_file, replace_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal

LARGEST = 4 << 20
_BACKUP = ".before-ullage"
_MOST_BACKUPS = 100
# What follows a file's name, or its backup's, in the name of one that is being written.
_LEFT = re.compile(rf"({re.escape(_BACKUP)}(\.\d+)?)?\.\d+\.[0-9a-f]{{8}}\.new")


class UserFile(Record):
    """A file as it was read: `path` as the user knows it, `real` behind any links; `data` None where there is none.

    `refusal` says why it cannot be written, in a full sentence with what to do; empty where it can.
    """

    path: str
    real: str
    data: bytes | None
    refusal: str = ""


class Change(Record):
    """What a file, or a line of the registry that is taken for one, is to become; `after` None removes it."""

    file: UserFile
    after: bytes | None
    kind: Literal["file", "registry"] = "file"


def read(path: str) -> UserFile:
    """Return the file; raise UsageError when it is not one that can be changed safely."""
    real = os.path.realpath(path)
    try:
        if not os.path.lexists(path):
            refusal = _refuse_directory(directories.find_existing(os.path.dirname(real)))
            return UserFile(path=path, real=real, data=None, refusal=refusal)
        refusal = _refuse_file(path, real, os.stat(real))
    except FileNotFoundError as error:
        raise UsageError(f"{path} is a link to {real}, which is not there. Make that file first.") from error
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}.") from error
    refusal = refusal or _refuse_directory(os.path.dirname(real))
    data = read_regular(real, LARGEST)
    if data is None:
        raise UsageError(f"{path} cannot be read, or is larger than {LARGEST >> 20} MiB. Change it by hand.")
    if b"\0" in data:
        raise UsageError(f"{path} holds NUL bytes: it is no text, or UTF-16. Change it by hand.")
    return UserFile(path=path, real=real, data=data, refusal=refusal)


def plan_change(file: UserFile, after: bytes | None) -> Change:
    """Return the change; raise UsageError where the file cannot be written, which matters to no look at it."""
    if file.refusal:
        raise UsageError(file.refusal)
    return Change(file=file, after=after)


def plan_removal(file: UserFile, after: bytes, *, was_ours_alone: bool) -> Change:
    """Return the change that takes ours out of a file that may hold nothing else.

    Such a file goes away where setup found none, which no backup shows; an empty one that setup found is empty again.
    """
    if not was_ours_alone:
        return plan_change(file, after)
    # One of the file as it is now holds nothing but ours, too.
    kept = [data for backup in _kept(file.path) if (data := read_regular(backup, LARGEST)) != file.data]
    blank = next((data for data in kept if data is not None and not data.strip()), after)
    return plan_change(file, blank if kept else None)


def has_backup(file: UserFile, data: bytes) -> bool:
    """Say whether a backup of the file holds this."""
    return any(read_regular(backup, LARGEST) == data for backup in _kept(file.path))


def _refuse_directory(directory: str) -> str:
    if not os.path.isdir(directory):
        raise UsageError(f"{directory} is no directory. Move it away first.")
    if os.access(directory, os.W_OK | os.X_OK):
        return ""
    return f"Nothing can be written in {directory}. Make it writable, or change the file where it comes from."


def _refuse_file(path: str, real: str, status: os.stat_result) -> str:
    """Return why a file cannot be written, empty where it can; raise UsageError where it is not even to be read."""
    shown = path if path == real else f"{path} (a link to {real})"
    if not stat.S_ISREG(status.st_mode):
        raise UsageError(f"{shown} is no regular file. Move it away first.")
    if status.st_nlink > 1:
        raise UsageError(
            f"{shown} has {status.st_nlink} names (hard links), and replacing it would leave the others behind. "
            "Change it by hand."
        )
    if hasattr(os, "geteuid") and not _is_ours(path, status, os.geteuid()):
        raise UsageError(f"{shown} belongs to another user. Run this as that user.")
    if not status.st_mode & stat.S_IWUSR:
        return (
            f"{shown} is read-only. If a program such as a dotfile manager writes it, change it there; "
            f"else run: chmod u+w {shlex.quote(real)}"
        )
    return "" if os.access(real, os.W_OK) else f"{shown} cannot be written. Change it where it comes from."


def _is_ours(path: str, status: os.stat_result, user: int) -> bool:
    """Root may change the file of the person in whose directory it is, not what that person's link points to."""
    return status.st_uid == user or (user == 0 and status.st_uid == os.stat(os.path.dirname(path)).st_uid)


def format_diff(change: Change) -> str:
    """Return the change as a unified diff, with control characters made visible."""
    before, after = change.file.data, change.after
    old, new = (os.devnull if data is None else make_visible(change.file.path) for data in (before, after))
    # Imported late: a look at what is set up shows no difference.
    import difflib

    return "\n".join(difflib.unified_diff(_lines(before), _lines(after), old, new, lineterm=""))


def _lines(data: bytes | None) -> list[str]:
    if not data:
        return []
    *whole, rest = data.split(b"\n")
    lines = [_visible(line) for line in whole]
    return [*lines, _visible(rest) + "\n\\ No newline at end of file"] if rest else lines


def _visible(line: bytes) -> str:
    text = line.removesuffix(b"\r").decode(errors="backslashreplace")
    return "\t".join(map(make_visible, text.split("\t")))


def apply(change: Change, *, keep: bool) -> str | None:
    """Make the change, and return where what was there before is kept.

    `keep` False is for a change that only takes back what ullage wrote: a backup from before it goes away too. Raises
    UsageError when somebody has changed the file since it was read, or it cannot be written; it is as it was then.
    """
    file = change.file
    directory = os.path.dirname(file.real)
    backup = None
    try:
        if file.data is None:
            _make_directories(directory)
        with _alone_in(directory), contextlib.ExitStack() as undo:
            _sweep(file)
            if _changed_since(file):
                raise UsageError(f"{file.path} has changed in the meantime and stays as it is. Run this again.")
            if keep and file.data is not None and not _is_kept_but_for_ours(change):
                backup, is_new = _back_up(file)
                if is_new:
                    undo.callback(remove_file, backup)
            if change.after is None:
                os.unlink(file.real)
            else:
                _replace(file.real, change.after, file.real if file.data is not None else None)
            undo.pop_all()
            _sync(directory)
            if not keep:
                _forget_backup(file.path, change.after)
    except OSError as error:
        raise UsageError(
            f"{error.filename or file.path} cannot be written: {error.strerror}. Nothing was changed."
        ) from error
    return backup


def _make_directories(directory: str) -> None:
    """Make a directory and those above it that are missing, each owned like the one that it lies in."""
    if os.path.isdir(directory):
        return
    _make_directories(os.path.dirname(directory))
    with contextlib.suppress(FileExistsError):
        os.mkdir(directory)
        _own_like(directory, os.stat(os.path.dirname(directory)), keep_group=False)


def _sweep(file: UserFile) -> None:
    """Remove what a run of ours that was killed in the middle of a write has left; none other runs now."""
    for path in {file.path, file.real}:
        directory, name = os.path.split(path)
        for entry in os.listdir(directory):
            left = os.path.join(directory, entry)
            if entry.startswith(name) and _LEFT.fullmatch(entry, len(name)) and stat.S_ISREG(os.lstat(left).st_mode):
                remove_file(left)


def _changed_since(file: UserFile) -> bool:
    now = read_regular(file.real, LARGEST)
    return now != file.data or (file.data is None and os.path.lexists(file.path))


@contextlib.contextmanager
def _alone_in(directory: str) -> Iterator[None]:
    """Keep other runs of ours away from a directory's files for a moment; leaves nothing behind."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        # Some network file systems know no locks; the comparison with what was read is still made.
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _replace(path: str, data: bytes, like: str | None) -> None:
    """Write a file whole or not at all, with the mode, attributes and owner of another; None makes a fresh file."""
    temporary = f"{path}.{os.getpid()}.{os.urandom(4).hex()}.new"
    with contextlib.ExitStack() as undo:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(temporary, flags, 0o600 if like else 0o666)
        undo.callback(remove_file, temporary)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        _own_like(temporary, os.stat(like or os.path.dirname(path)), keep_group=like is not None)
        if like:
            shutil.copystat(like, temporary)
            os.utime(temporary)
        replace_file(temporary, path)
        undo.pop_all()


def _own_like(path: str, status: os.stat_result, *, keep_group: bool) -> None:
    """Give root's file to the person whose file or directory it is; anybody else keeps the group where that may be."""
    if not hasattr(os, "geteuid"):
        return
    if os.geteuid() == 0:
        os.chown(path, status.st_uid, status.st_gid)
    elif keep_group:
        with contextlib.suppress(OSError):
            os.chown(path, -1, status.st_gid)


def _back_up(file: UserFile) -> tuple[str, bool]:
    """Copy what was read beside the file as the user knows it, never over another copy; say whether it was needed."""
    assert file.data is not None
    for path in _backups(file.path):
        if not os.path.lexists(path):
            _replace(path, file.data, file.real)
            return path, True
        if read_regular(path, LARGEST) == file.data:
            return path, False
    raise UsageError(f"There are {_MOST_BACKUPS} backups of {file.path} already. Remove some.")


def _is_kept_but_for_ours(change: Change) -> bool:
    """Say whether a change only adds to a file of which a copy is there already, from before our first block.

    Otherwise each block would leave a copy of its own, with the blocks that the file had then.
    """
    before, after = change.file.data or b"", change.after or b""
    start = next((at for at, (one, other) in enumerate(zip(before, after, strict=False)) if one != other), len(before))
    if len(after) < len(before) or not after.endswith(before[start:]):
        return False
    try:
        theirs = blocks.remove_all(before)
    except blocks.TornBlockError:
        return False
    return theirs != before and (theirs is None or has_backup(change.file, theirs))


def _backups(path: str) -> Iterator[str]:
    yield path + _BACKUP
    for number in range(2, _MOST_BACKUPS + 1):
        yield f"{path}{_BACKUP}.{number}"


def _kept(path: str) -> Iterator[str]:
    return filter(os.path.lexists, _backups(path))


def _forget_backup(path: str, data: bytes | None) -> None:
    for backup in list(_kept(path)) if data is not None else ():
        if read_regular(backup, LARGEST) == data:
            remove_file(backup)


def _sync(directory: str) -> None:
    if os.name == "posix":
        descriptor = os.open(directory, os.O_RDONLY)
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
        os.close(descriptor)

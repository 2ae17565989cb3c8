"""A desktop's widget: a directory of ours among the desktop's own, written whole, and taken away to the last file.

A list of checksums in it says what was written, so that a directory of somebody else's is never touched, and a file
that was changed since is never lost.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat

from ullage.base.errors import UllageError, UsageError
from ullage.base.record import Record
from ullage.base.shipped import locate
from ullage.setup.hosts import find_home
from ullage.system import programs
from ullage.system.files import read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LIST = ".written-by-ullage"
# Behind the name of a file that is being written: one that has its name is whole.
_HALF = ".half-written"
_LONGEST_ANSWER_SECONDS = 20


class Tree(Record):
    """What a directory of ours is to hold, by names relative to it, with slashes."""

    directory: str
    files: Mapping[str, bytes]


def read_source(desktop: str) -> dict[str, bytes]:
    """Return the files of a desktop's widget by their names; raise UllageError where they are missing."""
    place = locate("desktop", desktop)
    found: dict[str, bytes] = {}
    for directory, _, names in os.walk(place):
        for name in names:
            path = os.path.join(directory, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, place).replace(os.sep, "/")] = file.read()
    if not found:
        raise UllageError(f"The files for {desktop} are missing from {place}. Install ullage again.")
    return found


def is_written(tree: Tree) -> bool:
    """Say whether the directory holds all of this as it is.

    Raises UsageError where something is in the way: a link, a directory of somebody else's, a file changed since.
    """
    directory = tree.directory
    if os.path.islink(directory) or (os.path.lexists(directory) and not os.path.isdir(directory)):
        raise UsageError(f"{directory} is a link or no directory. It stays as it is; move it away first.")
    written = _written(directory)
    if written is None:
        if os.path.isdir(directory) and os.listdir(directory):
            raise UsageError(f"{directory} is there already, and is not from this command. Move it away first.")
        return False
    changed = _changed(directory, written)
    if changed:
        raise UsageError(f"{changed[0]} has changed since this command wrote it. Move {directory} away first.")
    return {name: read_regular(os.path.join(directory, name)) for name in tree.files} == tree.files


def write(tree: Tree) -> None:
    """Write the directory anew; raise UsageError when it cannot be written."""
    remove(tree.directory)
    listed = "".join(f"{_checksum(data)} {name}\n" for name, data in sorted(tree.files.items()))
    try:
        os.makedirs(tree.directory, exist_ok=True)
        # What says that the rest is ours comes first.
        with open(os.path.join(tree.directory, _LIST), "xb") as file:
            file.write(listed.encode())
        for name, data in sorted(tree.files.items()):
            path = os.path.join(tree.directory, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path + _HALF, "xb") as file:
                file.write(data)
            os.rename(path + _HALF, path)
    except OSError as error:
        raise UsageError(f"{error.filename or tree.directory} cannot be written: {error.strerror}.") from error


def remove(directory: str) -> list[str]:
    """Remove what was written, and return the files that were changed since and stay."""
    written = _written(directory)
    if written is None:
        return []
    kept = _changed(directory, written)
    names = [name for name in written if os.path.join(directory, name) not in kept]
    try:
        for name in (*names, *(name + _HALF for name in written)):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(directory, name))
        os.unlink(os.path.join(directory, _LIST))
    except OSError as error:
        raise UsageError(f"{error.filename or directory} cannot be removed: {error.strerror}.") from error
    inside = {name[:end] for name in written for end, sign in enumerate(name) if sign == "/"}
    for folder in sorted(inside | {""}, key=len, reverse=True):
        # What somebody else has put there stays.
        with contextlib.suppress(OSError):
            os.rmdir(os.path.join(directory, folder).rstrip(os.sep))
    return kept


def is_ours(directory: str) -> bool:
    """Say whether this command has written the directory."""
    return _written(directory) is not None


def locate_data_directory(environ: Mapping[str, str]) -> str:
    """Return where a person's desktop looks for what is theirs alone."""
    given = environ.get("XDG_DATA_HOME", "")
    return given if os.path.isabs(given) else os.path.join(find_home(environ), ".local", "share")


def ask(command: Sequence[str], environ: Mapping[str, str]) -> str | None:
    """Return what a program of the desktop prints; None where it is missing, fails or does not answer."""
    done = programs.ask_program(command, environ, seconds=_LONGEST_ANSWER_SECONDS)
    return done.output.decode(errors="replace").strip() if done and done.status == 0 else None


def _written(directory: str) -> dict[str, str] | None:
    """Return the checksums by name of what was written; None where this command has written nothing."""
    data = None if os.path.islink(directory) else read_regular(os.path.join(directory, _LIST))
    if data is None:
        return None
    listed = (line.partition(" ") for line in data.decode(errors="replace").splitlines())
    # A name that leads elsewhere is none of ours.
    return {name: checksum for checksum, _, name in listed if name and ".." not in name and not os.path.isabs(name)}


def _changed(directory: str, written: Mapping[str, str]) -> list[str]:
    """Return the files that are there and hold something else."""
    paths = {os.path.join(directory, name): checksum for name, checksum in written.items()}
    return [path for path, checksum in paths.items() if os.path.lexists(path) and not _is_still(path, checksum)]


def _is_still(path: str, checksum: str) -> bool:
    data = read_regular(path) if stat.S_ISREG(os.lstat(path).st_mode) else None
    return data is not None and _checksum(data) == checksum


def _checksum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

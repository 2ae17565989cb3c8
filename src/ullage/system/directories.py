"""Directories that are the user's alone: made so, and refused where another user has a hand in one."""

from __future__ import annotations

import os
import stat

from ullage.base.errors import CacheError

CACHE, STATE = "ULLAGE_CACHE_DIR", "ULLAGE_STATE_DIR"


def make_private(root: str, directory: str = "", *, variable: str = CACHE) -> None:
    """Make a root and every directory from there down to `directory`, the user's alone whatever the umask.

    Raises CacheError, which names the variable that can name another place, where one cannot be made, or another user
    owns one, may write in one, or may replace the root.
    """
    part = root
    try:
        make_missing(root)
        refuse_replaceable(os.path.realpath(root))
        for step in ("", *os.path.relpath(directory or root, root).split(os.sep)):
            part = os.path.join(part, step) if step else part
            _make_one(part)
            refuse_strangers(part, variable=variable)
    except OSError as error:
        raise CacheError(
            f"Cannot make the directory {part}: {error.strerror}. Name one that you can write to in {variable}."
        ) from error


def make_missing(directory: str) -> None:
    """Make a directory and all above it that are missing, the user's alone; what is there stays as it is.

    `os.makedirs` leaves those above to the umask.
    """
    parent = os.path.dirname(directory)
    if parent != directory and not os.path.isdir(parent):
        make_missing(parent)
    _make_one(directory)


def _make_one(directory: str) -> None:
    try:
        os.mkdir(directory, 0o700)
    except FileExistsError:
        if not os.path.isdir(directory):
            raise


def refuse_strangers(directory: str, *, variable: str = CACHE) -> None:
    """Raise CacheError when another user owns a directory or may write in it."""
    if not hasattr(os, "geteuid"):
        return
    status = os.stat(directory)
    link_owner = os.lstat(directory).st_uid
    if status.st_uid != os.geteuid() or link_owner not in (os.geteuid(), 0):
        raise CacheError(
            f"{directory} belongs to another user, who could show you false numbers. Name a directory of your own in "
            f"{variable}, or run ullage as yourself."
        )
    if status.st_mode & 0o022:
        raise CacheError(f"Others can write to {directory}. Run: chmod go-w {_quoted(directory)}")


def refuse_replaceable(directory: str) -> None:
    """Raise CacheError when every user may rename or replace a directory, or one above it."""
    if not hasattr(os, "geteuid"):
        return
    parent = os.path.dirname(directory)
    while parent != directory:
        mode = os.stat(parent).st_mode
        if mode & 0o002 and not mode & stat.S_ISVTX:
            raise CacheError(f"Every user can replace what lies in {parent}. Run: chmod o-w {_quoted(parent)}")
        directory, parent = parent, os.path.dirname(parent)


def _quoted(path: str) -> str:
    # Nobody else needs it.
    import shlex

    return shlex.quote(path)

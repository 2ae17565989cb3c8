"""Directories that are the user's alone: made so, and refused where another user has a hand in one."""

from __future__ import annotations

import os
import stat

from ullage.base.errors import CacheError, UllageError
from ullage.system import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

CACHE, STATE = "ULLAGE_CACHE_DIR", "ULLAGE_STATE_DIR"
_MOST_LINKS = 40


class MeddledError(UllageError):
    """Another user could have replaced a file, or could write into it."""


def make_private(root: str, directory: str = "", *, environ: Mapping[str, str], variable: str = CACHE) -> None:
    """Make a root and every directory from there down to `directory`, the user's alone whatever the umask.

    Raises CacheError, which names the variable that can name another place, where one cannot be made, or another user
    owns one, may write in one, or may replace the root.
    """
    part = root
    if files.is_filled_elsewhere(root, environ):
        raise CacheError(
            f"{root} is only read here (ULLAGE_TRUSTED_CACHE), and never written to. Do this where it is filled, "
            "or unset the variable."
        )
    if files.is_in_home_of_another(root, environ):
        raise CacheError(
            f"HOME is {environ['HOME']}, which belongs to another user, so nothing is written to {root}. Set HOME to "
            f"your own (sudo -H, su -), or name a directory in {variable}."
        )
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


def find_existing(directory: str) -> str:
    """Return a directory, or the nearest above it that is there."""
    while not os.path.lexists(directory):
        directory = os.path.dirname(directory)
    return directory


def _make_one(directory: str) -> None:
    if not os.path.lexists(directory):
        _refuse_foreign(os.path.dirname(directory))
    try:
        os.mkdir(directory, 0o700)
    except FileExistsError:
        if not os.path.isdir(directory):
            raise


def _refuse_foreign(parent: str) -> None:
    """Raise CacheError where something of ours would lie in another user's directory, as with `sudo -E` in a home.

    Root's directories are no obstacle: in some, such as /tmp, root lets everybody make directories.
    """
    if not files.is_trusted(os.stat(parent)):
        raise CacheError(
            f"{parent} belongs to another user, who could not use what would be made there. Run ullage as that user "
            "(and with sudo, as `sudo -H`), or name directories of your own in ULLAGE_CACHE_DIR and ULLAGE_STATE_DIR."
        )


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
    if status.st_mode & stat.S_ISVTX and status.st_mode & 0o022:
        raise CacheError(f"{directory} is for all users of this machine. Name a directory of your own in {variable}.")
    if status.st_mode & 0o022:
        raise CacheError(f"Others can write to {directory}. Run: chmod go-w {_quoted(directory)}")


def resolve_trusted(path: str) -> tuple[str, os.stat_result]:
    """Return where a file lies once every link is followed, and its status there.

    Raises MeddledError where somebody else could have put another file in its place: who owns it, or may write in it,
    in its directory, in one above, or in a link or a directory of a link on the way. Only root and the user may. What
    has been looked at cannot be replaced by others any more, as the way is gone from the root down.
    """
    if not hasattr(os, "geteuid"):
        return path, os.stat(path)
    here, status, links = "/", os.stat("/"), 0
    names = os.path.join(os.getcwd(), path).split("/")[::-1]
    while names:
        name = names.pop()
        if name in ("", os.curdir, os.pardir):
            here = os.path.dirname(here) if name == os.pardir else here
            continue
        place = os.path.join(here, name)
        status = os.lstat(place)
        if not files.is_trusted(status):
            raise MeddledError(f"{place} belongs to another user")
        if stat.S_ISLNK(status.st_mode):
            links += 1
            if links > _MOST_LINKS:
                import errno

                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
            names += os.readlink(place).split("/")[::-1]
            here = "/" if names[-1] == "" else here
            continue
        # The last two are the file and its directory, which nobody but the user or root may write into.
        _refuse_writers(place, status, strictly=len([name for name in names if name]) < 2)
        here = place
    return here, status


def _refuse_writers(place: str, status: os.stat_result, *, strictly: bool) -> None:
    """Raise MeddledError where others may write in a file or directory; of its group, only with `strictly`.

    A group counts where it is not the user's first one, which is the user's alone on most systems. In a sticky
    directory only the owner of an entry replaces it, who is looked at.
    """
    others = stat.S_IWOTH | (stat.S_IWGRP if strictly and status.st_gid != os.getegid() else 0)
    is_sticky = stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX
    # A device or a FIFO is not opened in any case.
    holds = stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode)
    if holds and status.st_mode & others and not is_sticky:
        raise MeddledError(f"others can write to {place}. Run: chmod go-w {_quoted(place)}")


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

"""Find out by the modes of directories and files who else may look into them."""

from __future__ import annotations

import os
import shlex
import stat

from ullage.doctor.finding import Finding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_OTHERS = 0o077
# A directory that somebody named for the cache can be one that holds the world.
_MOST_LOOKED_AT = 2000


def find_exposure(code: str, directory: str, *, besides: str = "") -> Finding | None:
    """Return that others can look at what lies in a directory, `besides` one file, with the chmod that ends it.

    Nothing where there are no such modes (Windows), or where there is no directory.
    """
    if not hasattr(os, "geteuid") or _holds_other_things(directory):
        return None
    found = [(path, mode) for path, mode in _modes(directory) if mode & _OTHERS and path != besides]
    if not found:
        return None
    path, mode = found[0]
    more, deeply = (f", and {len(found) - 1} more in it", "-R ") if len(found) > 1 else ("", "")
    words = f"{path} is open to other users (mode {mode:04o}){more}. Run: chmod {deeply}go-rwx {shlex.quote(path)}"
    return Finding(code=code, message=words, exit_code=2)


def _holds_other_things(directory: str) -> bool:
    """Say whether a directory is for all users, as /tmp, or holds a home: its modes are not for us to choose."""
    try:
        mode = os.stat(directory).st_mode
    except OSError:
        return False
    inside = os.path.join(os.path.realpath(directory), "")
    return bool(mode & stat.S_ISVTX) or os.path.join(os.path.realpath(os.path.expanduser("~")), "").startswith(inside)


def _modes(directory: str) -> Iterator[tuple[str, int]]:
    """Yield each directory and file of the user's own that others can get at, from above, with its mode; no links.

    What lies in a closed directory is out of reach, whatever its own modes.
    """
    looked_at = 0
    for parent, directories, names in os.walk(directory):
        for path in (parent, *(os.path.join(parent, name) for name in sorted(names))):
            looked_at += 1
            if looked_at > _MOST_LOOKED_AT:
                return
            try:
                status = os.stat(path) if path == directory else os.lstat(path)
            except OSError:
                continue
            mode = stat.S_IMODE(status.st_mode)
            if path == parent and not mode & _OTHERS:
                directories.clear()
                break
            if status.st_uid == os.geteuid() and (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
                yield path, mode

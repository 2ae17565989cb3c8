"""Who else may look into what is kept here, by the modes of its directories and files."""

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


def finding(code: str, directory: str, *, besides: str = "") -> Finding | None:
    """Return what is open to other users of what lies in a directory, `besides` one file, with the chmod that mends it.

    Nothing where there are no such modes (Windows), or where there is no directory.
    """
    if not hasattr(os, "geteuid"):
        return None
    found = [(path, mode) for path, mode in _modes(directory) if mode & _OTHERS and path != besides]
    if not found:
        return None
    path, mode = found[0]
    more = f", and {len(found) - 1} more in {directory}" if len(found) > 1 else ""
    words = f"{path} is open to other users (mode {mode:04o}){more}. Run: {_chmod(directory, path, alone=not more)}"
    return Finding(code=code, message=words, exit_code=2)


def _chmod(directory: str, path: str, *, alone: bool) -> str:
    """Return the command; what lies deep down is reached from above, as ids in its path are not shown."""
    parts = os.path.relpath(path, directory).split(os.sep)
    if alone and len(parts) == 1:
        return f"chmod go-rwx {shlex.quote(path)}"
    return f"chmod -R go-rwx {shlex.quote(os.path.join(directory, parts[0]) if alone else directory)}"


def _modes(directory: str) -> Iterator[tuple[str, int]]:
    """Yield each directory and file of the user's own, and its mode; a link stays what it is."""
    looked_at = 0
    for parent, _, names in os.walk(directory):
        for path in (parent, *(os.path.join(parent, name) for name in sorted(names))):
            looked_at += 1
            if looked_at > _MOST_LOOKED_AT:
                return
            try:
                status = os.stat(path) if path == directory else os.lstat(path)
            except OSError:
                continue
            if status.st_uid == os.geteuid() and (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
                yield path, stat.S_IMODE(status.st_mode)

"""What lies in the state directory: the history, its size and samples, what was set aside, and who could touch it."""

from __future__ import annotations

import os
from typing import NamedTuple

from ullage.base.contexts import suppress
from ullage.base.errors import CacheError
from ullage.quota.schemas import CacheDocument, HistoryFileDocument, StateDocument
from ullage.store import history
from ullage.store.history import HistoryError
from ullage.system import directories
from ullage.system.files import is_filled_elsewhere, is_own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ullage.store.cache import ProfileCache


class _Standing(NamedTuple):
    exists: bool
    mode: str | None
    yours: bool | None


def describe_cache(cache: ProfileCache) -> CacheDocument:
    """Return where a profile's cache is, whose, and whether it is filled elsewhere and only read."""
    trusted, standing = is_filled_elsewhere(cache.root, cache.environ), _find_standing(cache.directory)
    return CacheDocument(directory=cache.directory, trusted=trusted, **standing._asdict())


def describe_state(path: str) -> StateDocument:
    """Return what is to be said of the directory of a history, and of the history in it."""
    directory = os.path.dirname(path)
    return StateDocument(directory=directory, history=_history(path), **_find_standing(directory)._asdict())


def _history(path: str) -> HistoryFileDocument:
    samples = None
    with suppress(HistoryError):
        samples = history.count_samples(path)
    return HistoryFileDocument(
        file=path, bytes=_size(path), samples=samples, damaged=_damaged(path), **_find_standing(path)._asdict()
    )


def _size(path: str) -> int | None:
    try:
        return os.stat(path).st_size
    except OSError:
        return None


def _damaged(path: str) -> list[str]:
    try:
        return history.list_damaged_files(path)
    except OSError:
        return []


def _find_standing(path: str) -> _Standing:
    try:
        status = os.stat(path)
    except OSError:
        return _Standing(exists=os.path.lexists(path), mode=None, yours=None)
    if not hasattr(os, "geteuid"):
        # Neither owner nor mode say anything on Windows.
        return _Standing(exists=True, mode=None, yours=None)
    return _Standing(exists=True, mode=f"{status.st_mode & 0o7777:04o}", yours=is_own(status))


def find_obstacles(path: str) -> list[tuple[str, str]]:
    """Return what stands in the history's way, each with a code and words that say what to do."""
    found = []
    directory = os.path.dirname(path)
    for each in filter(os.path.exists, (directory, path)):
        try:
            directories.refuse_strangers(each, variable=directories.STATE)
        except CacheError as error:
            found.append(("state_not_private", str(error)))
    if not _can_be_written(path):
        words = f"No history can be kept in {directory}. Make it writable, or name another in ULLAGE_STATE_DIR."
        found.append(("state_not_writable", words))
    if os.path.lexists(path):
        try:
            history.count_samples(path)
        except HistoryError as error:
            found.append(("history_unreadable", str(error)))
    return found


def _can_be_written(path: str) -> bool:
    if os.path.lexists(path) and not (os.path.isfile(path) and os.access(path, os.R_OK | os.W_OK)):
        return False
    nearest = directories.find_existing(os.path.dirname(path))
    return os.path.isdir(nearest) and os.access(nearest, os.R_OK | os.W_OK | os.X_OK)

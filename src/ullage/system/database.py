"""SQLite files of our own: private, migrated, set aside when damaged. The only module that imports sqlite3."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3

from ullage.system import directories

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

Connection = sqlite3.Connection
# What every use of a database may raise.
ERRORS = (sqlite3.Error, OSError)

_BUSY_SECONDS = 5.0
_COMPANIONS = ("", "-wal", "-shm")
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _refuse_strange(path: str) -> None:
    """Raise PermissionError for what another user could have put there: SQLite runs the triggers of its files."""
    if path == ":memory:" or not hasattr(os, "geteuid"):
        return
    for place in (os.path.dirname(path), path):
        status = os.stat(place)
        if status.st_uid != os.geteuid() or status.st_mode & 0o022:
            raise PermissionError(errno.EPERM, f"{place} is not yours alone to write")


@contextlib.contextmanager
def open_database(path: str, migrations: Sequence[str], busy_seconds: float | None = None) -> Iterator[Connection]:
    """Open a database, brought up to the last migration; every statement is its own transaction until one is begun.

    `migrations` holds one script a version; a database says in user_version how many of them it has seen.
    """
    _refuse_strange(path)
    database = sqlite3.connect(path, timeout=busy_seconds or _BUSY_SECONDS, isolation_level=None)
    try:
        _migrate(database, migrations)
        yield database
    finally:
        database.close()


@contextlib.contextmanager
def open_read_only(path: str) -> Iterator[Connection]:
    """Open a database as it is, and change nothing: not even its version."""
    _refuse_strange(path)
    # By hand: to import urllib.parse for it takes longer than the look.
    address = f"file:{path.replace('%', '%25').replace('?', '%3f').replace('#', '%23')}?mode=ro"
    with contextlib.closing(sqlite3.connect(address, uri=True, timeout=_BUSY_SECONDS)) as database:
        yield database


def _migrate(database: Connection, migrations: Sequence[str]) -> None:
    version = _version(database)
    if version > len(migrations):
        raise sqlite3.NotSupportedError(f"it was written by a newer ullage (version {version})")
    if version == len(migrations):
        return
    database.execute("PRAGMA journal_mode = WAL")
    with transaction(database):
        for number, script in enumerate(migrations[_version(database) :], _version(database) + 1):
            for statement in filter(str.strip, script.split(";")):
                database.execute(statement)
            database.execute(f"PRAGMA user_version = {number}")


def _version(database: Connection) -> int:
    return int(database.execute("PRAGMA user_version").fetchone()[0])


@contextlib.contextmanager
def transaction(database: Connection) -> Iterator[None]:
    """Write all or nothing; others that want to write wait meanwhile."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def create_private(path: str) -> None:
    """Make the file and its directory, the user's alone, where they are not there yet."""
    directories.make_missing(os.path.dirname(path))
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def repair(path: str, what: str, write: Callable[[], None], now: datetime) -> str | None:
    """Write; where the file turns out damaged, set it aside, write to a new one and return a notice that names both."""
    before = _identity(path)
    try:
        write()
    except sqlite3.DatabaseError as error:
        if _code(error) not in _DAMAGED:
            raise
        aside = _set_aside(path, before, now)
        write()
        return f"{what} in {path} was damaged. It was set aside as {os.path.basename(aside)}, and a new one begun."
    return None


def _set_aside(path: str, identity: tuple[int, int] | None, now: datetime) -> str:
    """Move the damaged file out of the way, unless another process has done so already."""
    aside = f"{path}.damaged-{now:%Y%m%d-%H%M%S}"
    if identity is not None and _identity(path) == identity:
        for companion in _COMPANIONS:
            with contextlib.suppress(FileNotFoundError):
                os.rename(path + companion, aside + companion)
    return aside


def damaged_files(path: str) -> list[str]:
    """Return the names of the files that were set aside, oldest first."""
    directory, name = os.path.split(path)
    if not os.path.isdir(directory):
        return []
    aside = [entry for entry in os.listdir(directory) if entry.startswith(f"{name}.damaged-")]
    return sorted(entry for entry in aside if not entry.endswith(_COMPANIONS[1:]))


def word_error(error: Exception) -> str:
    """Return what went wrong, in a few words without a full stop."""
    return str(error.strerror if isinstance(error, OSError) else error).rstrip(".")


def _identity(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF

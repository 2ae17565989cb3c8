"""SQLite files of our own: private, migrated, set aside when damaged. The only module that imports sqlite3."""

from __future__ import annotations

import errno
import os
import stat
import time

from ullage.base.contexts import contextmanager, suppress
from ullage.system import directories
from ullage.system.files import identify

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from typing import Any

if TYPE_CHECKING:
    import sqlite3
else:
    try:
        # What the package adds around it, adapters for dates, costs as much again to import.
        import _sqlite3 as sqlite3
    except ImportError:
        # Another implementation of Python.
        import sqlite3

Connection = sqlite3.Connection
# What every use of a database may raise.
ERRORS = (sqlite3.Error, OSError)

_BUSY_SECONDS = 5.0
_BUSY_PAUSE_SECONDS = 0.01
# Far beyond any version number of ours: a larger one is damage.
_LAST_VERSION = 1000
_COMPANIONS = ("", "-wal", "-shm")
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT, sqlite3.SQLITE_MISMATCH)
# Messages of SQLite, without an error code of their own, about a file whose bytes are damaged.
_DAMAGED_WORDS = (
    "no such table",
    "no such column",
    "already exists",
    "Could not decode to UTF-8",
    "unsupported file format",
    "has no column named",
)


class DamagedError(sqlite3.DatabaseError):
    """A file holds a value that ullage never writes: of another type, or text that is not UTF-8."""


def _refuse_strange(path: str) -> None:
    """Raise OSError for what is no regular file, which SQLite would wait for, and for what others could have put there.

    SQLite runs the triggers of its files.
    """
    if path == ":memory:":
        return
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(errno.EINVAL, "it is no regular file")
    if not hasattr(os, "geteuid"):
        return
    for place in (os.path.dirname(path), path):
        status = os.stat(place)
        if status.st_uid != os.geteuid() or status.st_mode & 0o022:
            raise PermissionError(errno.EPERM, f"{place} is not yours alone to write")


@contextmanager
def open_database(
    path: str, migrations: Sequence[str], busy_seconds: float | None = None, *, may_be_lost: bool = False
) -> Iterator[Connection]:
    """Open a database, brought up to the last migration; every statement is its own transaction until one is begun.

    `migrations` holds one script a version; a database says in user_version how many of them it has seen. One that may
    be lost to a power cut waits for no disk, not even when it is made.
    """
    _refuse_strange(path)
    patience = busy_seconds or _BUSY_SECONDS
    database = sqlite3.connect(path, timeout=patience, isolation_level=None)
    try:
        with _decoded():
            if may_be_lost:
                database.execute("PRAGMA synchronous = OFF")
            _migrate(database, migrations, patience)
            yield database
    finally:
        database.close()


@contextmanager
def open_read_only(path: str) -> Iterator[Connection]:
    """Open a database as it is, and change nothing: not even its version."""
    _refuse_strange(path)
    database = _connect_read_only(path, "mode=ro")
    try:
        if not _can_be_written(path) and not _can_be_read(database):
            database.close()
            # A reader of WAL makes a file beside it. Where none can be made, no writer of ours is at work either.
            database = _connect_read_only(path, "immutable=1")
        with _decoded():
            yield database
    finally:
        database.close()


@contextmanager
def open_to_read(path: str, migrations: Sequence[str]) -> Iterator[Connection]:
    """Open a database, brought up to the last migration where it can be written."""
    with open_database(path, migrations) if _can_be_written(path) else open_read_only(path) as database:
        database.execute("PRAGMA query_only = 1")
        yield database


def _connect_read_only(path: str, how: str) -> Connection:
    # By hand: importing urllib.parse takes longer than the read itself.
    address = f"file:{path.replace('%', '%25').replace('?', '%3f').replace('#', '%23')}?{how}"
    return sqlite3.connect(address, uri=True, timeout=_BUSY_SECONDS)


def _can_be_read(database: Connection) -> bool:
    try:
        database.execute("PRAGMA schema_version")
    except sqlite3.OperationalError:
        return False
    return True


def _can_be_written(path: str) -> bool:
    return all(os.access(place, os.W_OK) for place in (path, os.path.dirname(path)))


@contextmanager
def _decoded() -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        # sqlite3 lets this one pass where the text is in a message or a name.
        raise DamagedError("it holds text that is no UTF-8") from error


def check_row(row: tuple[Any, ...] | None, *kinds: type | tuple[type, ...]) -> tuple[Any, ...]:
    """Return a row whose values are of these types; raise DamagedError else, as SQLite keeps any in any column."""
    if row is None or not all(map(isinstance, row, kinds)):
        raise DamagedError("it holds values of other types than ullage writes")
    return row


def check(database: Connection) -> None:
    """Raise DamagedError where a file's pages do not fit together, or where rows out of order would not be found.

    It reads the whole file. `quick_check` does not find rows out of order.
    """
    (found,) = database.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        raise DamagedError(str(found).splitlines()[0] if found else "its pages do not fit together")


def _migrate(database: Connection, migrations: Sequence[str], busy_seconds: float) -> None:
    version = _version(database)
    if version > _LAST_VERSION:
        raise DamagedError(f"it names a version that there is not ({version})")
    if version > len(migrations):
        raise sqlite3.NotSupportedError(f"it was written by a newer ullage (version {version})")
    if version == len(migrations):
        return
    _use_wal(database, busy_seconds)
    with transaction(database):
        for number, script in enumerate(migrations[_version(database) :], _version(database) + 1):
            for statement in filter(str.strip, script.split(";")):
                database.execute(statement)
            database.execute(f"PRAGMA user_version = {number}")


def _use_wal(database: Connection, busy_seconds: float) -> None:
    """Let writers and readers work side by side; wait for another writer, for which SQLite itself does not here."""
    ends = time.monotonic() + busy_seconds
    while True:
        try:
            database.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > ends:
                raise
            time.sleep(_BUSY_PAUSE_SECONDS)
        else:
            return


def _version(database: Connection) -> int:
    return int(database.execute("PRAGMA user_version").fetchone()[0])


@contextmanager
def transaction(database: Connection) -> Iterator[None]:
    """Write everything in the block or nothing, while other writers wait."""
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
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def repair(path: str, what: str, write: Callable[[], None], now: datetime) -> str | None:
    """Write; where the file turns out damaged, set it aside, write to a new file and return a notice naming both."""
    try:
        with set_aside_if_damaged(path, now):
            write()
    except SetAsideError as error:
        write()
        return f"{what} in {path} was damaged. It was set aside as {error.aside}, and a new one begun."
    return None


class SetAsideError(sqlite3.DatabaseError):
    """A file was damaged; `aside` is the name that it has now."""

    def __init__(self, aside: str) -> None:
        super().__init__(f"it was damaged, and was set aside as {aside}")
        self.aside = aside


@contextmanager
def set_aside_if_damaged(path: str, now: datetime) -> Iterator[None]:
    """Use a file; where that shows it damaged, move it out of the way and raise SetAsideError."""
    before = identify(path)
    try:
        yield
    except sqlite3.DatabaseError as error:
        if not is_damage(error, path):
            raise
        _let_go(error)
        raise SetAsideError(os.path.basename(_set_aside(path, before, now))) from error


def _let_go(error: BaseException | None) -> None:
    """Free the rows that were being read when an error came up.

    SQLite keeps the file open for them, and Windows renames no open file.
    """
    import traceback

    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__context__


def is_damage(error: Exception, path: str) -> bool:
    """Say whether an error shows that the file is damaged, and not that the disk is full or that it may not be read."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_READONLY:
        # A byte of its head says so, where the system does not.
        return _can_be_written(path)
    return code in _DAMAGED or isinstance(error, DamagedError) or any(words in str(error) for words in _DAMAGED_WORDS)


def _set_aside(path: str, identity: tuple[int, int] | None, now: datetime) -> str:
    """Move the damaged file out of the way, unless another process has done so already."""
    aside = f"{path}.damaged-{now:%Y%m%d-%H%M%S}"
    if identity is not None and identify(path) == identity:
        for companion in _COMPANIONS:
            with suppress(FileNotFoundError):
                os.rename(path + companion, aside + companion)
    return aside


def list_damaged_files(path: str) -> list[str]:
    """Return the names of the files that were set aside, oldest first."""
    directory, name = os.path.split(path)
    if not os.path.isdir(directory):
        return []
    aside = [entry for entry in os.listdir(directory) if entry.startswith(f"{name}.damaged-")]
    return sorted(entry for entry in aside if not entry.endswith(_COMPANIONS[1:]))


def word_error(error: Exception) -> str:
    """Return what went wrong, in a few words without a full stop."""
    return str(error.strerror if isinstance(error, OSError) else error).rstrip(".")

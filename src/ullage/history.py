"""What the windows stood at, reading by reading, in SQLite: the only module that imports sqlite3.

Many processes write; readers wait for nobody (WAL). What stays the same is kept as the first and the last time that it
was seen. After 30 days one sample an hour is kept, after a year one a day. A prompt never comes here.
"""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import urllib.parse
from datetime import UTC, datetime, timedelta

from ullage.errors import HistoryError
from ullage.model import RESET_SLACK, same_reset
from ullage.pace import Sample

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ullage.model import Window

# One script a version; a database says in user_version how many of them it has seen.
MIGRATIONS = (
    """
    CREATE TABLE samples (
        owner TEXT NOT NULL,
        window TEXT NOT NULL,
        at INTEGER NOT NULL,
        used_percent REAL NOT NULL,
        resets_at INTEGER,
        PRIMARY KEY (owner, window, at)
    ) WITHOUT ROWID;
    CREATE TABLE thinned (at INTEGER NOT NULL);
    INSERT INTO thinned VALUES (0);
    """,
)

_BUSY_SECONDS = 5.0
_HOUR_SECONDS = 3600
_DAY_SECONDS = 86400
_HOURLY_AFTER = timedelta(days=30)
_DAILY_AFTER = timedelta(days=365)
_COMPANIONS = ("", "-wal", "-shm")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def record(path: str, owner: str, windows: Iterable[Window], now: datetime) -> str | None:
    """Keep what these windows were stated to stand at; return a notice when a damaged file had to be set aside.

    `owner` is whose windows they are. Raises HistoryError when nothing can be kept.
    """
    stated = [window for window in windows if window.used_percent is not None and window.as_of <= now + RESET_SLACK]
    notice = None
    try:
        identity = _identity(path)
        try:
            _write(path, owner, stated, now)
        except sqlite3.DatabaseError as error:
            if _code(error) not in _DAMAGED:
                raise
            notice = _set_aside(path, identity, now)
            _write(path, owner, stated, now)
    except (sqlite3.Error, OSError) as error:
        raise HistoryError(
            f"The history in {path} cannot be written: {_words(error)}. Readings go on without it; to keep one, make "
            "the file writable or name another directory in ULLAGE_STATE_DIR."
        ) from error
    return notice


def samples(path: str, owner: str, since: datetime) -> dict[str, list[Sample]]:
    """Return an owner's samples since a moment, by window id and in order of time; nothing where there is no file.

    Raises HistoryError when the file cannot be read.
    """
    found: dict[str, list[Sample]] = {}
    if not os.path.exists(path):
        return found
    try:
        with _opened(path) as database:
            database.execute("PRAGMA query_only = 1")
            rows = database.execute(
                "SELECT window, at, used_percent, resets_at FROM samples WHERE owner = ? AND at >= ? "
                "ORDER BY window, at",
                (owner, _seconds(since)),
            )
            for window, at, used_percent, resets_at in rows:
                reset = None if resets_at is None else _moment(resets_at)
                known = Sample(at=_moment(at), used_percent=used_percent, resets_at=reset)
                found.setdefault(window, []).append(known)
    except (sqlite3.Error, OSError) as error:
        raise _unreadable(path, error) from error
    return found


def since_when(text: str, now: datetime) -> datetime:
    """Read a time span back from now, such as 90m, 12h, 7d or 2w, or a date or time; without a zone it is local.

    Raises ValueError, with words, for anything else.
    """
    span = re.fullmatch(r"(\d{1,5})\s*([mhdw])", text.strip())
    if span:
        return now - int(span[1]) * _UNITS[span[2]]
    try:
        moment = datetime.fromisoformat(text.strip()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(
            f"{text!r} is neither a span of time such as 90m, 12h, 7d, 2w nor a date or time such as 2026-11-22 or "
            "2026-11-22T10:30+01:00"
        ) from error
    if moment > now:
        raise ValueError(f"{text!r} lies in the future")
    return moment


def count(path: str) -> int:
    """Return how many samples there are, of all accounts; changes nothing, and raises HistoryError."""
    try:
        with contextlib.closing(
            sqlite3.connect(f"file:{urllib.parse.quote(path)}?mode=ro", uri=True, timeout=_BUSY_SECONDS)
        ) as database:
            return int(database.execute("SELECT count(*) FROM samples").fetchone()[0])
    except (sqlite3.Error, OSError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: str, error: Exception) -> HistoryError:
    return HistoryError(
        f"The history in {path} cannot be read: {_words(error)}. The next refresh sets a damaged file aside and "
        "begins a new one."
    )


def damaged_files(path: str) -> list[str]:
    """Return the names of the files that were set aside, oldest first."""
    directory, name = os.path.split(path)
    if not os.path.isdir(directory):
        return []
    aside = [entry for entry in os.listdir(directory) if entry.startswith(f"{name}.damaged-")]
    return sorted(entry for entry in aside if not entry.endswith(_COMPANIONS[1:]))


@contextlib.contextmanager
def _opened(path: str) -> Iterator[sqlite3.Connection]:
    """Open the database, brought up to this version; every statement is its own transaction until one is begun."""
    database = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
    try:
        _migrate(database)
        yield database
    finally:
        database.close()


def _migrate(database: sqlite3.Connection) -> None:
    version = _version(database)
    if version > len(MIGRATIONS):
        raise sqlite3.NotSupportedError(f"it was written by a newer ullage (version {version})")
    if version == len(MIGRATIONS):
        return
    database.execute("PRAGMA journal_mode = WAL")
    with _transaction(database):
        for number, script in enumerate(MIGRATIONS[_version(database) :], _version(database) + 1):
            for statement in filter(str.strip, script.split(";")):
                database.execute(statement)
            database.execute(f"PRAGMA user_version = {number}")


def _version(database: sqlite3.Connection) -> int:
    return int(database.execute("PRAGMA user_version").fetchone()[0])


@contextlib.contextmanager
def _transaction(database: sqlite3.Connection) -> Iterator[None]:
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def _write(path: str, owner: str, windows: Iterable[Window], now: datetime) -> None:
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    with _opened(path) as database:
        database.execute("PRAGMA synchronous = NORMAL")
        with _transaction(database):
            for window in windows:
                _keep(database, owner, window)
            _thin_daily(database, now)


def _keep(database: sqlite3.Connection, owner: str, window: Window) -> None:
    at, used = _seconds(window.as_of), window.used_percent
    resets_at = None if window.resets_at is None else _seconds(window.resets_at)
    before = database.execute(
        "SELECT at, used_percent, resets_at FROM samples WHERE owner = ? AND window = ? AND at < ? "
        "ORDER BY at DESC LIMIT 2",
        (owner, window.id, at),
    ).fetchall()
    if len(before) == 2 and all(row[1] == used and _is_same_reset(row[2], resets_at) for row in before):
        database.execute(
            "DELETE FROM samples WHERE owner = ? AND window = ? AND at = ?", (owner, window.id, before[0][0])
        )
    database.execute("INSERT OR REPLACE INTO samples VALUES (?, ?, ?, ?, ?)", (owner, window.id, at, used, resets_at))


def _is_same_reset(one: int | None, other: int | None) -> bool:
    return same_reset(*(None if seconds is None else _moment(seconds) for seconds in (one, other)))


def _thin_daily(database: sqlite3.Connection, now: datetime) -> None:
    """Keep the last sample of each hour, later of each day; between two windows none takes another's place."""
    (thinned,) = database.execute("SELECT at FROM thinned").fetchone()
    if thinned <= _seconds(now) < thinned + _DAY_SECONDS:
        return
    for older_than, step in ((_HOURLY_AFTER, _HOUR_SECONDS), (_DAILY_AFTER, _DAY_SECONDS)):
        database.execute(
            "DELETE FROM samples WHERE at < :before AND EXISTS (SELECT 1 FROM samples AS later WHERE "
            "later.owner = samples.owner AND later.window = samples.window AND later.at > samples.at "
            "AND later.at < (samples.at / :step + 1) * :step AND (later.resets_at IS samples.resets_at "
            "OR abs(later.resets_at - samples.resets_at) <= :same))",
            {"before": _seconds(now - older_than), "step": step, "same": RESET_SLACK.total_seconds()},
        )
    database.execute("UPDATE thinned SET at = ?", (_seconds(now),))


def _set_aside(path: str, identity: tuple[int, int] | None, now: datetime) -> str:
    """Move the damaged file out of the way, unless another process has done so already."""
    aside = f"{path}.damaged-{now:%Y%m%d-%H%M%S}"
    if identity is not None and _identity(path) == identity:
        for companion in _COMPANIONS:
            with contextlib.suppress(FileNotFoundError):
                os.rename(path + companion, aside + companion)
    return f"The history in {path} was damaged. It was set aside as {os.path.basename(aside)}, and a new one begun."


def _identity(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _words(error: Exception) -> str:
    return str(error.strerror if isinstance(error, OSError) else error).rstrip(".")


def _seconds(moment: datetime) -> int:
    return round(moment.timestamp())


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)

"""What the windows stood at, reading by reading, in SQLite.

Many processes write; readers wait for nobody (WAL). What stays the same is kept as the first and the last time that it
was seen. After 30 days one sample an hour is kept, after a year one a day. A prompt never comes here.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

from ullage.base.errors import HistoryError
from ullage.quota.model import RESET_SLACK, same_reset
from ullage.quota.pace import Sample
from ullage.system import database

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ullage.quota.model import Window
    from ullage.system.database import Connection

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

_HOUR_SECONDS = 3600
_DAY_SECONDS = 86400
_HOURLY_AFTER = timedelta(days=30)
_DAILY_AFTER = timedelta(days=365)


def record(path: str, owner: str, windows: Iterable[Window], now: datetime) -> str | None:
    """Keep what these windows were stated to stand at; return a notice when a damaged file had to be set aside.

    `owner` is whose windows they are. Raises HistoryError when nothing can be kept.
    """
    stated = [window for window in windows if window.used_percent is not None and window.as_of <= now + RESET_SLACK]
    try:
        return database.repair(path, "The history", lambda: _write(path, owner, stated, now), now)
    except database.ERRORS as error:
        raise HistoryError(
            f"The history in {path} cannot be written: {database.word_error(error)}. Readings go on without it; to "
            "keep one, make the file writable or name another directory in ULLAGE_STATE_DIR."
        ) from error


def samples(path: str, owner: str, since: datetime) -> dict[str, list[Sample]]:
    """Return an owner's samples since a moment, by window id and in order of time; nothing where there is no file.

    Raises HistoryError when the file cannot be read.
    """
    found: dict[str, list[Sample]] = {}
    if not os.path.exists(path):
        return found
    try:
        with database.open_database(path, MIGRATIONS) as connection:
            connection.execute("PRAGMA query_only = 1")
            rows = connection.execute(
                "SELECT window, at, used_percent, resets_at FROM samples WHERE owner = ? AND at >= ? "
                "ORDER BY window, at",
                (owner, _seconds(since)),
            )
            for window, at, used_percent, resets_at in rows:
                reset = None if resets_at is None else _moment(resets_at)
                known = Sample(at=_moment(at), used_percent=used_percent, resets_at=reset)
                found.setdefault(window, []).append(known)
    except database.ERRORS as error:
        raise _unreadable(path, error) from error
    return found


def count(path: str) -> int:
    """Return how many samples there are, of all accounts; changes nothing, and raises HistoryError."""
    try:
        with database.open_read_only(path) as connection:
            return int(connection.execute("SELECT count(*) FROM samples").fetchone()[0])
    except database.ERRORS as error:
        raise _unreadable(path, error) from error


def _unreadable(path: str, error: Exception) -> HistoryError:
    return HistoryError(
        f"The history in {path} cannot be read: {database.word_error(error)}. The next refresh sets a damaged file "
        "aside and begins a new one."
    )


def damaged_files(path: str) -> list[str]:
    """Return the names of the files that were set aside, oldest first."""
    return database.damaged_files(path)


def _write(path: str, owner: str, windows: Iterable[Window], now: datetime) -> None:
    database.create_private(path)
    with database.open_database(path, MIGRATIONS) as connection:
        connection.execute("PRAGMA synchronous = NORMAL")
        with database.transaction(connection):
            for window in windows:
                _keep(connection, owner, window)
            _thin_daily(connection, now)


def _keep(connection: Connection, owner: str, window: Window) -> None:
    at, used = _seconds(window.as_of), window.used_percent
    resets_at = None if window.resets_at is None else _seconds(window.resets_at)
    before = connection.execute(
        "SELECT at, used_percent, resets_at FROM samples WHERE owner = ? AND window = ? AND at < ? "
        "ORDER BY at DESC LIMIT 2",
        (owner, window.id, at),
    ).fetchall()
    if len(before) == 2 and all(row[1] == used and _is_same_reset(row[2], resets_at) for row in before):
        connection.execute(
            "DELETE FROM samples WHERE owner = ? AND window = ? AND at = ?", (owner, window.id, before[0][0])
        )
    connection.execute("INSERT OR REPLACE INTO samples VALUES (?, ?, ?, ?, ?)", (owner, window.id, at, used, resets_at))


def _is_same_reset(one: int | None, other: int | None) -> bool:
    return same_reset(*(None if seconds is None else _moment(seconds) for seconds in (one, other)))


def _thin_daily(connection: Connection, now: datetime) -> None:
    """Keep the last sample of each hour, later of each day; between two windows none takes another's place."""
    (thinned,) = connection.execute("SELECT at FROM thinned").fetchone()
    if thinned <= _seconds(now) < thinned + _DAY_SECONDS:
        return
    for older_than, step in ((_HOURLY_AFTER, _HOUR_SECONDS), (_DAILY_AFTER, _DAY_SECONDS)):
        connection.execute(
            "DELETE FROM samples WHERE at < :before AND EXISTS (SELECT 1 FROM samples AS later WHERE "
            "later.owner = samples.owner AND later.window = samples.window AND later.at > samples.at "
            "AND later.at < (samples.at / :step + 1) * :step AND (later.resets_at IS samples.resets_at "
            "OR abs(later.resets_at - samples.resets_at) <= :same))",
            {"before": _seconds(now - older_than), "step": step, "same": RESET_SLACK.total_seconds()},
        )
    connection.execute("UPDATE thinned SET at = ?", (_seconds(now),))


def _seconds(moment: datetime) -> int:
    return round(moment.timestamp())


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)

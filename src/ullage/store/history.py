"""The history: each window's percentage, reading by reading, in SQLite.

Many processes write; readers never wait for them (WAL). A number that stays the same is kept as the first and the last
time that it was seen. After 30 days one sample an hour is kept, after a year one a day. A prompt never comes here.

A clock that is wrong for a while destroys nothing: samples from the future are not shown, and thinning believes a jump
of the clock by two days at most.
"""

from __future__ import annotations

import math
import os

from ullage.base.contexts import suppress
from ullage.base.dates import UTC, datetime, timedelta
from ullage.base.errors import CacheError, UllageError
from ullage.base.text import clean
from ullage.quota.model import RESET_SLACK, is_same_reset
from ullage.quota.pace import Sample
from ullage.system import database
from ullage.system.files import read_regular, remove_file, write_atomically

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

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
    """
    ALTER TABLE thinned ADD COLUMN trusted INTEGER NOT NULL DEFAULT 0;
    UPDATE thinned SET trusted = at;
    """,
)

_HOUR_SECONDS = 3600
_DAY_SECONDS = 86400
_HOURLY_AFTER = timedelta(days=30)
_DAILY_AFTER = timedelta(days=365)
_LONGEST_STEP_SECONDS = 2 * _DAY_SECONDS
# The year 5138: what the calendar of Python reaches, with room for a window.
_LAST_SECOND = 100_000_000_000
_NOTICE = ".notice"
_LONGEST_NOTICE = 500


class HistoryError(UllageError):
    """The history cannot be used."""


def record(path: str, owner: str, windows: Iterable[Window], now: datetime, formerly: Iterable[str] = ()) -> None:
    """Record the windows' percentages; leave a notice where a damaged file had to be set aside.

    `owner` is whose windows they are, `formerly` the names that the same owner had before. Raises HistoryError when
    nothing can be kept.
    """
    stated = [
        window
        for window in windows
        if window.used_percent is not None and window.as_of <= now + RESET_SLACK and window.is_dated
    ]
    try:
        notice = database.repair(path, "The history", lambda: _write(path, owner, stated, now, formerly), now)
    except database.ERRORS as error:
        raise HistoryError(
            f"The history in {path} cannot be written: {database.word_error(error)}. Readings go on without it; to "
            "keep one, make the file writable or name another directory in ULLAGE_STATE_DIR."
        ) from error
    if notice:
        _leave_notice(path, notice)


def load_samples(path: str, owner: str, since: datetime, now: datetime) -> dict[str, list[Sample]]:
    """Return an owner's samples from a moment until now, by window id, oldest first; none where there is no file.

    Raises HistoryError when the file cannot be read; one that is damaged is set aside, which the next refresh tells.
    """
    if not os.path.exists(path):
        return {}
    try:
        with database.set_aside_if_damaged(path, now), database.open_to_read(path, MIGRATIONS) as connection:
            rows = connection.execute(
                "SELECT window, at, used_percent, resets_at FROM samples WHERE owner = ? AND at BETWEEN ? AND ? "
                "ORDER BY window, at",
                (owner, _seconds(since), _seconds(now + RESET_SLACK)),
            ).fetchall()
            found: dict[str, list[Sample]] = {}
            for row in rows:
                window, sample = _read(row)
                found.setdefault(window, []).append(sample)
            return found
    except database.SetAsideError as error:
        words = f"The history in {path} was damaged. It was set aside as {error.aside}, and a new one begins."
        _leave_notice(path, words)
        raise HistoryError(words) from error
    except database.ERRORS as error:
        raise _unreadable(path, error) from error


def _read(row: tuple[Any, ...]) -> tuple[str, Sample]:
    window, at, used_percent, resets_at = database.check_row(row, str, int, (int, float), (int, type(None)))
    if not (0 <= used_percent < math.inf and 0 <= at < _LAST_SECOND and 0 <= (resets_at or 0) < _LAST_SECOND):
        raise database.DamagedError("it holds numbers that ullage never writes")
    reset = None if resets_at is None else _moment(resets_at)
    return window, Sample(at=_moment(at), used_percent=float(used_percent), resets_at=reset)


def count_samples(path: str) -> int:
    """Count the samples by reading each, so that damage is found; changes nothing. Raises HistoryError."""
    try:
        with database.open_read_only(path) as connection:
            database.check(connection)
            rows = connection.execute("SELECT window, at, used_percent, resets_at FROM samples")
            return sum(1 for _ in map(_read, rows))
    except database.ERRORS as error:
        raise _unreadable(path, error) from error


def _unreadable(path: str, error: Exception) -> HistoryError:
    what_then = (
        "The next look sets it aside, and a new one begins."
        if database.is_damage(error, path)
        else "It stays as it is. Make room on the disk, or make the file readable."
    )
    return HistoryError(f"The history in {path} cannot be read: {database.word_error(error)}. {what_then}")


def _leave_notice(path: str, words: str) -> None:
    with suppress(CacheError):
        write_atomically(path + _NOTICE, words.encode())


def take_notice(path: str) -> str | None:
    """Take the notice of damage that a process has left for the refresh: only that may write what shows it."""
    data = read_regular(path + _NOTICE, own=True)
    if data is None:
        return None
    remove_file(path + _NOTICE)
    return clean(data.decode(errors="replace"), _LONGEST_NOTICE) or None


def list_damaged_files(path: str) -> list[str]:
    """Return the names of the files that were set aside, oldest first."""
    return database.list_damaged_files(path)


def _write(path: str, owner: str, windows: Iterable[Window], now: datetime, formerly: Iterable[str]) -> None:
    database.create_private(path)
    with database.open_database(path, MIGRATIONS) as connection:
        connection.execute("PRAGMA synchronous = NORMAL")
        with database.transaction(connection):
            for name in formerly:
                connection.execute("UPDATE OR REPLACE samples SET owner = ? WHERE owner = ?", (owner, name))
            for window in windows:
                _keep(connection, owner, window)
            _thin_daily(connection, now)


def _keep(connection: Connection, owner: str, window: Window) -> None:
    at, used = _seconds(window.as_of), window.used_percent
    resets_at = None if window.resets_at is None else _seconds(window.resets_at)
    rows = connection.execute(
        "SELECT window, at, used_percent, resets_at FROM samples WHERE owner = ? AND window = ? AND at < ? "
        "ORDER BY at DESC LIMIT 2",
        (owner, window.id, at),
    ).fetchall()
    before = [_read(row)[1] for row in rows]
    if len(before) == 2 and all(
        s.used_percent == used and is_same_reset(s.resets_at, window.resets_at) for s in before
    ):
        connection.execute(
            "DELETE FROM samples WHERE owner = ? AND window = ? AND at = ?", (owner, window.id, rows[0][1])
        )
    connection.execute("INSERT OR REPLACE INTO samples VALUES (?, ?, ?, ?, ?)", (owner, window.id, at, used, resets_at))


def _thin_daily(connection: Connection, now: datetime) -> None:
    """Keep the last sample of each hour, and of each day after a year, of each window by itself."""
    last, trusted = database.check_row(connection.execute("SELECT at, trusted FROM thinned").fetchone(), int, int)
    passed = _seconds(now) - last
    if 0 <= passed < _DAY_SECONDS:
        return
    database.check(connection)
    # How far the clock may have moved without a jump, as this is looked at once a day.
    trusted += min(passed, _LONGEST_STEP_SECONDS) if passed > 0 else 0
    until = min(_seconds(now), trusted) if last else _seconds(now)
    for older_than, step in ((_HOURLY_AFTER, _HOUR_SECONDS), (_DAILY_AFTER, _DAY_SECONDS)):
        connection.execute(
            "DELETE FROM samples WHERE at < :before AND EXISTS (SELECT 1 FROM samples AS later WHERE "
            "later.owner = samples.owner AND later.window = samples.window AND later.at > samples.at "
            "AND later.at < (samples.at / :step + 1) * :step AND (later.resets_at IS samples.resets_at "
            "OR abs(later.resets_at - samples.resets_at) <= :same))",
            {"before": until - older_than.total_seconds(), "step": step, "same": RESET_SLACK.total_seconds()},
        )
    connection.execute("UPDATE thinned SET at = ?, trusted = ?", (_seconds(now), until))


def _seconds(moment: datetime) -> int:
    return round(moment.timestamp())


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)

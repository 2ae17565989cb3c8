"""Moments as people write them: a span back from now, a day by its name or date, a time. Pure."""

from __future__ import annotations

import re
import sys
from datetime import UTC, date, datetime, time, timedelta

from ullage.base.errors import UsageError
from ullage.base.text import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import tzinfo

# What every --help says, and every refusal.
FORMS = "90m, 12h, 7d, 2w, today, yesterday, monday, 2026-11-22 or 2026-11-22T10:30+01:00"

_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_SPAN = re.compile(r"(\d{1,5})\s*([mhdw])", re.ASCII)
_DAY = timedelta(days=1)
_FIRST_YEAR = 1970
_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def parse_beginning(text: str, now: datetime, zone: tzinfo | None = None) -> datetime:
    """Read a moment, in UTC, as a beginning: a span back from now, a day's first moment, a time; without zone local.

    A weekday is the last one, which may be today. Raises UsageError for anything else.
    """
    moment = _span(text, now) or _begin(_day(text, now, zone), text, zone) or _time(text, zone)
    if moment is None:
        raise _unreadable(text)
    if moment > now:
        raise UsageError(f"{quote(text)} lies in the future.")
    return moment


def parse_end(text: str, now: datetime, zone: tzinfo | None = None) -> datetime:
    """Read a moment, in UTC, as an end: of a day its last moment; it may lie in the future."""
    day = _day(text, now, zone)
    # The next midnight of the zone, also where the day has 23 or 25 hours.
    following = day + _DAY if day is not None and day < date.max else None
    moment = _span(text, now) or _begin(following, text, zone) or _time(text, zone)
    if moment is None:
        raise _unreadable(text)
    return moment


def parse_utc_day(text: str, now: datetime) -> date:
    """Read a moment as a day of UTC: 7d is the first of seven days that end today; raise UsageError."""
    span, day = _SPAN.fullmatch(_plain(text)), _day(text, now, UTC)
    if day is not None:
        return day
    moment = _span(text, now) or _time(text, UTC)
    if moment is None or (span and not int(span[1])):
        raise _unreadable(text)
    return (moment + _DAY if span and span[2] in "dw" else moment).date()


def _unreadable(text: str) -> UsageError:
    return UsageError(f"{quote(text)} is none of {FORMS}.")


def _plain(text: str) -> str:
    return text.strip().lower()


def _span(text: str, now: datetime) -> datetime | None:
    found = _SPAN.fullmatch(_plain(text))
    return now - int(found[1]) * _UNITS[found[2]] if found else None


def _day(text: str, now: datetime, zone: tzinfo | None) -> date | None:
    word, today = _plain(text), now.astimezone(zone).date()
    if word in ("today", "yesterday"):
        return today - (_DAY if word == "yesterday" else timedelta(0))
    if word in _WEEK:
        return today - (today.weekday() - _WEEK.index(word)) % 7 * _DAY
    try:
        return date.fromisoformat(word.upper())
    except ValueError:
        return None


def _begin(day: date | None, text: str, zone: tzinfo | None) -> datetime | None:
    return None if day is None else _aware(datetime.combine(day, time()), text, zone)


def _time(text: str, zone: tzinfo | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return _aware(moment, text, zone)


def _aware(moment: datetime, text: str, zone: tzinfo | None) -> datetime:
    if moment.tzinfo is None and zone is not None:
        moment = moment.replace(tzinfo=zone)
    if moment.tzinfo is None and sys.platform == "win32" and moment.year <= _FIRST_YEAR:
        # Windows knows no local time before 1970.
        moment = moment.replace(tzinfo=datetime(_FIRST_YEAR + 1, 1, 1).astimezone().tzinfo)
    try:
        return moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError) as error:
        # OSError: what Windows says of a local time after 3000.
        raise UsageError(f"{quote(text)} lies outside the calendar.") from error

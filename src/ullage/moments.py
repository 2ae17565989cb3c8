"""Moments as people write them: a span back from now, a date, a time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import tzinfo

_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def since_when(text: str, now: datetime, zone: tzinfo | None = None) -> datetime:
    """Read a time span back from now, such as 90m, 12h, 7d or 2w, or a date or time; without a zone it is local.

    Raises ValueError, with words, for anything else.
    """
    moment = _moment(text, now, zone)
    if moment > now:
        raise ValueError(f"{text!r} lies in the future")
    return moment


def until_when(text: str, now: datetime, zone: tzinfo | None = None) -> datetime:
    """Read the same as an end: of a date its last moment, and what lies in the future is no fault."""
    moment = _moment(text, now, zone)
    if not re.fullmatch(r"\d{4}-?\d\d-?\d\d", text.strip()):
        return moment
    # The next midnight of the zone, also where the day has 23 or 25 hours.
    following = moment.astimezone(zone).replace(tzinfo=None) + timedelta(days=1)
    return _aware(following, zone)


def _moment(text: str, now: datetime, zone: tzinfo | None) -> datetime:
    span = re.fullmatch(r"(\d{1,5})\s*([mhdw])", text.strip())
    if span:
        return now - int(span[1]) * _UNITS[span[2]]
    try:
        return _aware(datetime.fromisoformat(text.strip()), zone)
    except (ValueError, OverflowError) as error:
        raise ValueError(
            f"{text!r} is neither a span of time such as 90m, 12h, 7d, 2w nor a date or time such as 2026-11-22 or "
            "2026-11-22T10:30+01:00"
        ) from error


def _aware(moment: datetime, zone: tzinfo | None) -> datetime:
    if moment.tzinfo is None and zone is not None:
        moment = moment.replace(tzinfo=zone)
    return moment.astimezone(UTC)

"""The text that `/usage` prints, for versions of Claude Code without `get_usage`: English, whole percents.

Current session: 36% used · resets Jun 11, 1:10am (Asia/Shanghai)
Current week (all models): 15% used · resets Jun 15, 7am (Asia/Shanghai)
"""

from __future__ import annotations

import re

from ullage.base.dates import UTC, datetime, timedelta
from ullage.base.errors import SourceError
from ullage.sources import wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ullage.quota.model import Account, Reading

_ROW = re.compile(
    r"^[ \t]*Current (session|week(?: \(([^()]{1,48})\))?): (\d{1,3})% used(?: · resets (.*))?$", re.MULTILINE
)
_RESET = re.compile(r"^(?:([A-Z][a-z]{2}) (\d{1,2}), )?(\d{1,2})(?::(\d\d))?(am|pm) \(([\w/+-]{1,64})\)\s*$")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def parse(text: str, *, account: Account, source: str, as_of: datetime) -> Reading:
    """Parse the rows into a Reading; raise SourceError when there is none."""
    limits: list[dict[str, Any]] = []
    for row in _ROW.finditer(text):
        period, scope, percent, reset = row.groups()
        resets_at = _reset(reset or "", as_of)
        kind = "session" if period == "session" else "weekly_all" if scope in (None, "all models") else "weekly_scoped"
        limits.append(
            {
                "kind": kind,
                "percent": int(percent),
                "resets_at": resets_at.isoformat() if resets_at else None,
                "scope": {"model": {"display_name": scope}} if kind == "weekly_scoped" else None,
            }
        )
    if not limits:
        raise SourceError(
            "unexpected_shape", "The text of /usage has no percentage. Run `claude update`, then try again."
        )
    told = wire.parse_usage({"limits": limits}, account=account, source=source, as_of=as_of)
    return told.replace(is_listing=False)


def _reset(text: str, as_of: datetime) -> datetime | None:
    """Parse a local time without a year: the first such time from a day before `as_of` on."""
    found = _RESET.match(text)
    if found is None:
        return None
    month, day, hour, minute, half, zone = found.groups()
    # Imported late: few texts name a zone.
    import zoneinfo

    try:
        local = as_of.astimezone(zoneinfo.ZoneInfo(zone))
        moment = local.replace(
            month=_MONTHS.index(month) + 1 if month else local.month,
            day=int(day) if day else local.day,
            hour=int(hour) % 12 + (12 if half == "pm" else 0),
            minute=int(minute or 0),
            second=0,
            microsecond=0,
        )
        if moment < local - timedelta(days=1):
            moment = moment.replace(year=moment.year + 1) if month else moment + timedelta(days=1)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return None
    if month is None and moment < local:
        moment += timedelta(days=1)
    return moment.astimezone(UTC)

"""Which alerts a person wants, through which channels, and in which quiet hours. Pure, and cheap to import."""

from __future__ import annotations

from ullage.base.dates import datetime, time, timedelta
from ullage.base.errors import UsageError
from ullage.base.record import Record
from ullage.base.text import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo
    from typing import Any

CHANNELS = ("desktop", "bell", "command")

_HOURS = r"([0-2]?[0-9]):([0-5][0-9])\s*-\s*([0-2]?[0-9]):([0-5][0-9])(?:\s+(\S+))?"


class QuietHours(Record):
    """From one time of day to another, past midnight where they are in that order; local time without a zone."""

    start: time
    end: time
    zone: str | None = None

    def cover(self, moment: datetime) -> bool:
        """Say whether a moment falls into them."""
        local = moment.astimezone(find_zone(self.zone) if self.zone else None).time()
        if self.start < self.end:
            return self.start <= local < self.end
        return local >= self.start or local < self.end


class Wishes(Record):
    """Which alerts a person wants, when and how."""

    via: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    thresholds: tuple[float, ...] = (75.0, 90.0, 100.0)
    forecast: bool = True
    failing_after: timedelta | None = timedelta(hours=1)
    quiet: QuietHours | None = None


def build_wishes(values: Mapping[str, Any]) -> Wishes:
    """Type the values of the options, by key."""
    minutes = values["alerts.failing_after_minutes"]
    return Wishes(
        via=tuple(dict.fromkeys(values["alerts.via"])),
        command=tuple(values["alerts.command"]),
        thresholds=tuple(sorted(float(threshold) for threshold in values["alerts.thresholds"])),
        forecast=values["alerts.forecast"],
        failing_after=timedelta(minutes=minutes) if minutes else None,
        quiet=parse_quiet_hours(values["alerts.quiet_hours"]),
    )


def parse_quiet_hours(text: str) -> QuietHours | None:
    """Read `22:00-07:00`, with a zone such as `Europe/Berlin` if it is not the local one; None for an empty text."""
    if not text.strip():
        return None
    # A status line loads the configuration, and has no time for what it does not need.
    import re

    found = re.fullmatch(_HOURS, text.strip())
    if found is None or int(found[1]) > 23 or int(found[3]) > 23:
        raise UsageError(f"is {quote(text)}; write 22:00-07:00, or 22:00-07:00 Europe/Berlin")
    start, end = time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
    if start == end:
        raise UsageError(f"is {quote(text)}, which begins when it ends")
    zone = found[5]
    if zone is not None and find_zone(zone) is None:
        raise UsageError(f"names the zone {quote(zone)}, which is not known here; write one such as Europe/Berlin")
    return QuietHours(start=start, end=end, zone=zone)


def find_zone(name: str) -> tzinfo | None:
    """Return the time zone of this name; None where it is not known here."""
    import zoneinfo

    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return None

"""Choose the days that a report is asked for: days of UTC, as the provider counts them, cut to what it has. Pure."""

from __future__ import annotations

from datetime import timedelta

from ullage.base.errors import UsageError
from ullage.base.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from ullage.org.reports import Report

_DAY = timedelta(days=1)


class Days(Record):
    """Days from `first` to `last`, both included; `notes` explain what was cut off the range, for the user."""

    first: date
    last: date
    notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[date]:
        return (self.first + number * _DAY for number in range((self.last - self.first).days + 1))


def choose_days(first: date, last: date, report: Report, width: str, today: date) -> Days:
    """Return the days of a range, cut to those that the report covers; raise UsageError where no day is left."""
    notes = []
    if first > today:
        raise UsageError(f"{first} lies in the future: there is nothing to report yet. Today is {today} in UTC.")
    if first > last:
        raise UsageError(
            f"The range begins on {first} and ends before that, on {last}. Turn --since and --until round."
        )
    if last > today:
        last = today
        notes.append(f"The report ends today, {today}: later days have not been yet.")
    earliest = _earliest(report, today)
    if earliest is not None and last < earliest:
        raise UsageError(f"This report begins on {earliest}: the provider has nothing of the days before.")
    if earliest is not None and first < earliest:
        first = earliest
        notes.append(f"The report begins on {earliest}: the provider has nothing of the days before.")
    longest = report.longest[width]
    if (last - first).days >= longest:
        first = last - (longest - 1) * _DAY
        notes.append(f"The report begins on {first}: with buckets of {width}, {longest} days are the most.")
    return Days(first=first, last=last, notes=tuple(notes))


def _earliest(report: Report, today: date) -> date | None:
    limits = [report.earliest] if report.earliest else []
    if report.history is not None:
        limits.append(today - report.history)
    return max(limits, default=None)


def split_days(days: list[date], most: int) -> Iterator[tuple[date, date]]:
    """Yield the first and the last day of each run of days that follow one another, none longer than `most`."""
    at = 0
    while at < len(days):
        end = at
        while end + 1 < len(days) and days[end + 1] - days[end] == _DAY and end + 1 - at < most:
            end += 1
        yield days[at], days[end]
        at = end + 1

"""Values from outside, read with suspicion: moments and percentages."""

from __future__ import annotations

from ullage.base.dates import UTC, datetime


def format_time(moment: datetime) -> str:
    """Return a moment as every JSON of ours words it: UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(value: object) -> datetime | None:
    """Read an ISO 8601 string, epoch seconds or epoch milliseconds; anything else, or a year out of reason, is None."""
    if isinstance(value, str):
        try:
            parsed = datetime.fromisoformat(value)
        except ValueError:
            return None
        parsed = parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed
        return parsed.astimezone(UTC) if 2000 < parsed.year < 2200 else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not 1e9 <= value < 7e12:
        return None
    seconds = value / 1000 if value > 1e11 else value
    return datetime.fromtimestamp(seconds, UTC) if 1e9 <= seconds < 7e9 else None


def parse_percent(value: object) -> float | None:
    """Read a percentage; None for anything that cannot be one, such as an epoch that leaked into the field."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1 < value < 1000:
        return None
    return max(0.0, float(value))

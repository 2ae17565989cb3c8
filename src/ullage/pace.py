"""Whether a window will last: used against elapsed share, and a forecast from what was used so far. Pure.

The provider does not publish how its windows run; their lengths are known (`LENGTHS`), of others nothing is said.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from ullage.model import has_reset
from ullage.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ullage.model import Window

_SESSION = timedelta(hours=5)
_WEEK = timedelta(days=7)

# Before this share of a window has passed, what was used in it says nothing yet.
_SHORTEST_SHARE = 0.04


class Sample(Record):
    """What a source stated about one window at `at`."""

    at: datetime
    used_percent: float
    resets_at: datetime | None = None


class Forecast(Record):
    """What a statement lets expect; the low and high ends, earliest and latest, enclose four cases of five.

    `ratio` is the used share against the elapsed share: 1 would just last. The projections are percentages used at the
    reset, and may exceed 100. `exhausts_at` is None when the window is expected to last until its reset, and
    `exhausts_latest` when it may last; `exhausts_earliest` when it lasts in all likelihood. A field that cannot be
    known is None.
    """

    ratio: float | None = None
    projected_percent: float | None = None
    projected_low: float | None = None
    projected_high: float | None = None
    exhausts_at: datetime | None = None
    exhausts_earliest: datetime | None = None
    exhausts_latest: datetime | None = None


def length(window_id: str) -> timedelta | None:
    """Return how long a window of this id runs, None for one of unknown meaning."""
    if window_id == "five_hour":
        return _SESSION
    return _WEEK if window_id == "seven_day" or window_id.startswith("seven_day_") else None


def forecast(window: Window, samples: Sequence[Sample], now: datetime) -> Forecast | None:
    """Return what to expect of a window, from its statement and from earlier samples of the same window, in any order.

    None when nothing can be said: the window's percentage, reset or length is unknown, it has reset, or too little of
    it has passed. Whether the statement is too old to go by is the caller's to decide (`model.state_at`).
    """
    whole = length(window.id)
    if whole is None or window.used_percent is None or window.resets_at is None or has_reset(window, now):
        return None
    elapsed = (window.as_of - (window.resets_at - whole)) / whole
    if not _SHORTEST_SHARE <= elapsed < 1:
        return None
    ratio = window.used_percent / 100 / elapsed
    return Forecast(ratio=ratio)

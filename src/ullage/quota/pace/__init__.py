"""Whether a window will last: used against elapsed share, and a forecast from what was used so far. Pure.

The forecast carries on with the habits of the hours of the day, as far as the samples know them, scaled to how busy
this window has been; what the last hours show beyond that fades within hours. So an idle night neither halves the
rate nor is taken for work to come, and a burst is not carried on for a week. A weekday that was hardly seen may be one
of rest, which the band's lower end allows for, unless the account is seen to rest at no hour.

`course` makes use by the hour of what was stated, `habits` learns from that, and `ahead` goes on from there. Of windows
whose length is not known (`model.length`) nothing is said.
"""

from __future__ import annotations

import itertools

from ullage.base.dates import timedelta
from ullage.base.record import Record
from ullage.quota.model import find_length, has_reset, judge_state
from ullage.quota.pace.ahead import FORESEEN, Point, Way
from ullage.quota.pace.course import Course, Sample, list_run

__all__ = ["MEMORY", "Forecast", "Point", "Sample", "forecast", "forecast_windows", "list_run", "project_trajectory"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from typing import Literal

    from ullage.quota.model import Thresholds, Window

    Verdict = Literal["lasts", "probably_lasts", "just_about_lasts", "runs_out"]

# Before this share of a window has passed, what was used in it says nothing yet.
_SHORTEST_SHARE = 0.04

# How far back habits are learned from.
MEMORY = timedelta(days=28)

# A forecast this near to the reset, as a share of the time that was left when the window was stated, is within its own
# error; where the forecast has a band, so is a middle this near to 100, as a share of the band.
_NEAR_RESET, _NEAR_LIMIT = 0.05, 1 / 6


class Forecast(Record):
    """What a statement lets expect; the low and high ends, earliest and latest, enclose four cases of five.

    `ratio` is the used share against the elapsed share: 1 would just last. The projections are percentages used at the
    reset, and may exceed 100. `exhausts_at` is None when the window is expected to last until its reset,
    `exhausts_latest` when it may last, and `exhausts_earliest` when it lasts in all likelihood. The projections, and
    with them the times, are None when the account has never been seen to use anything.
    """

    ratio: float | None = None
    projected_percent: float | None = None
    projected_low: float | None = None
    projected_high: float | None = None
    exhausts_at: datetime | None = None
    exhausts_earliest: datetime | None = None
    exhausts_latest: datetime | None = None

    def judge(self, window: Window) -> Verdict | None:
        """Return whether the window lasts until its reset, or is too near to its limit to tell; None where unknown."""
        if self._is_too_near_to_tell(window):
            return "just_about_lasts"
        if self.exhausts_at is not None:
            return "runs_out"
        if self.projected_percent is None:
            return None
        return "lasts" if self.exhausts_earliest is None else "probably_lasts"

    def _is_too_near_to_tell(self, window: Window) -> bool:
        low, high, middle = self.projected_low, self.projected_high, self.projected_percent
        if low is not None and high is not None and middle is not None and low < 100 < high:
            return abs(middle - 100) <= (high - low) * _NEAR_LIMIT or self._is_near_reset(window)
        return self.exhausts_latest is None and self._is_near_reset(window)

    def _is_near_reset(self, window: Window) -> bool:
        if self.exhausts_at is None or window.resets_at is None:
            return False
        return window.resets_at - self.exhausts_at <= (window.resets_at - window.as_of) * _NEAR_RESET


def forecast(window: Window, samples: Sequence[Sample], now: datetime) -> Forecast | None:
    """Return what to expect of a window, from its statement and from samples of it and of those before, in any order.

    None when nothing can be said: the window's percentage, reset or length is unknown, it has reset, or too little of
    it has passed. Whether the statement is too old to go by is the caller's to decide (`model.judge_age`).
    """
    elapsed = _elapsed(window, now)
    if elapsed is None or window.used_percent is None:
        return None
    ratio = window.used_percent / 100 / elapsed
    way = _way(window, samples, now)
    if way is None or not way.steps:
        return Forecast(ratio=ratio)
    _, low, middle, high = way.steps[-1]
    latest, exhausts_at, earliest = (_crossing(way, column) for column in (1, 2, 3))
    return Forecast(
        ratio=ratio,
        projected_percent=middle,
        projected_low=low,
        projected_high=high,
        exhausts_at=exhausts_at,
        exhausts_earliest=earliest,
        exhausts_latest=latest,
    )


def forecast_windows(
    windows: Iterable[Window], samples: Mapping[str, Sequence[Sample]], thresholds: Thresholds, now: datetime
) -> dict[str, Forecast]:
    """Return the forecasts by window id, of those windows whose statement is fresh; samples are by window id too."""
    found = {
        window.id: forecast(window, samples.get(window.id, ()), now)
        for window in windows
        if judge_state(window, now, thresholds) == "fresh"
    }
    return {window_id: known for window_id, known in found.items() if known is not None}


def project_trajectory(window: Window, samples: Sequence[Sample], now: datetime) -> tuple[Point, ...]:
    """Return what is expected from the statement until the reset, in equal steps; nothing where nothing can be said.

    That is so of a budget over another time than a session or a week, too: how people use those was never measured.
    """
    way = _way(window, samples, now)
    return way.points() if way else ()


def _way(window: Window, samples: Sequence[Sample], now: datetime) -> Way | None:
    whole = find_length(window)
    if _elapsed(window, now) is None or whole is None or whole not in FORESEEN or window.used_percent is None:
        return None
    stated = Sample(at=window.as_of, used_percent=window.used_percent, resets_at=window.resets_at)
    since = window.as_of - MEMORY
    known = [sample for sample in samples if since <= sample.at < window.as_of]
    return Way(stated, Course([*known, stated], whole), whole)


def _elapsed(window: Window, now: datetime) -> float | None:
    """Return the share of a window that had passed when it was stated, None where nothing can be said of it."""
    whole = find_length(window)
    if whole is None or window.used_percent is None or window.resets_at is None or has_reset(window, now):
        return None
    elapsed = 1 - (window.resets_at - window.as_of) / whole
    return elapsed if _SHORTEST_SHARE <= elapsed < 1 else None


def _crossing(way: Way, column: int) -> datetime | None:
    """Return when a column of the way reaches 100, between two of its steps by the straight line."""
    for one, other in itertools.pairwise(way.steps):
        lower, upper = one[column], other[column]
        if upper >= 100:
            before, after = way.at(one[0]), way.at(other[0])
            return before if lower >= 100 else before + (after - before) * ((100 - lower) / (upper - lower))
    return None

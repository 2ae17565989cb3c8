"""A window's burn-up: what was used, the line that would just last, the forecast's band, the reset. Pure.

Of a budget whose period or reset no source tells it is what was used in the last month, without the rest.
"""

from __future__ import annotations

import itertools
import math

from ullage.base.dates import timedelta
from ullage.base.record import Record
from ullage.base.text import clean
from ullage.quota import pace
from ullage.quota.model import MONTH, find_length, has_reset, is_budget, is_same_reset, judge_state
from ullage.quota.pace import Sample
from ullage.render import words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, tzinfo
    from typing import Literal

    from ullage.quota.model import State, Thresholds, Window
    from ullage.quota.pace import Forecast, Point
    from ullage.render.words import Outlook
    from ullage.store.overview import Overview


FULL = 100.0
_LONGEST_SEEN = 0.1
_FEWEST_SAMPLES = 4
_MINUTE = timedelta(minutes=1)
_SHORTEST_HISTORY = _DAY = timedelta(days=1)
# So many days have a name on the time axis, and so many of them by the weekday.
_MOST_DAYS, _MOST_WEEKDAYS = 10, 8
# By how many percent use falls when a count begins anew, and not by a correction.
_CLEAR_FALL = 1.0


class Burnup(Record):
    """The content of a window's chart, from `begins` to `ends`: its past, and the forecast for the rest of it.

    They are the window's start and its reset; with `is_history`, one of which is not known, some time ago and now.
    `state` is the age of what the window was last stated to stand at.
    """

    window: Window
    begins: datetime
    ends: datetime
    now: datetime
    used: tuple[Sample, ...]
    ahead: tuple[Point, ...]
    forecast: Forecast | None
    timezone: tzinfo | None = None
    is_history: bool = False
    state: State = "fresh"

    @property
    def top(self) -> float:
        """The highest percentage of the chart: 100 and a little, or what is expected, up to half as much again."""
        highest = max([FULL, *(sample.used_percent for sample in self.used), *(point.middle for point in self.ahead)])
        return min(150.0, math.ceil(highest * 1.05 / 10) * 10.0)

    @property
    def used_percent(self) -> float | None:
        """What the window stands at; None where that is not known now."""
        return None if self.state == "expired" or has_reset(self.window, self.now) else self.window.used_percent

    def measure_share(self, moment: datetime) -> float:
        """Return how much of the chart's time has passed at a moment, 0 to 1."""
        return min(max((moment - self.begins) / (self.ends - self.begins), 0.0), 1.0)


class Stretch(Record):
    """The time between two samples, and whether it was seen how use came from one to the other.

    Where it grew between two that lie far apart, nobody knows when it did; where it fell, the count was `restarted` at
    a time that nobody saw.
    """

    before: Sample
    after: Sample
    how: Literal["seen", "unseen", "restarted"]


def plot_known(window: Window, known: Overview, thresholds: Thresholds, now: datetime) -> Burnup | None:
    """Build the content of a window's chart, as `plot_burnup` does, from what an overview knows of it."""
    samples, forecast = known.samples.get(window.id, ()), known.forecasts.get(window.id)
    return plot_burnup(window, samples, forecast, now, thresholds)


def plot_burnup(
    window: Window, samples: Sequence[Sample], forecast: Forecast | None, now: datetime, thresholds: Thresholds
) -> Burnup | None:
    """Build the content of a window's chart; None when it has no course.

    A window that is used up has no forecast, and one that has reset no course until a new reading.
    """
    whole = find_length(window)
    if window.used_percent is not None and is_budget(window) and (whole is None or window.resets_at is None):
        drawn = _plot_history(window, samples, whole or MONTH, now)
        return None if drawn is None else drawn.replace(state=judge_state(window, now, thresholds))
    if whole is None or window.used_percent is None or window.resets_at is None:
        return None
    if has_reset(window, now) or window.used_percent >= FULL:
        forecast = None
    return Burnup(
        window=window,
        begins=window.resets_at - whole,
        ends=window.resets_at,
        now=now,
        used=tuple(pace.list_run(window, samples)),
        ahead=pace.project_trajectory(window, samples, now) if forecast else (),
        forecast=forecast,
        state=judge_state(window, now, thresholds),
    )


def _plot_history(window: Window, samples: Sequence[Sample], longest: timedelta, now: datetime) -> Burnup | None:
    assert window.used_percent is not None
    stated = Sample(at=window.as_of, used_percent=window.used_percent, resets_at=window.resets_at)
    # The history keeps whole seconds, so that the statement itself may lie a little before it.
    until = stated.at - _MINUTE
    used = [*(sample for sample in samples if now - longest <= sample.at < until), stated]
    if len(used) < 2:
        return None
    begins = max(now - longest, min(used[0].at, now - _SHORTEST_HISTORY))
    return Burnup(
        window=window, begins=begins, ends=now, now=now, used=tuple(used), ahead=(), forecast=None, is_history=True
    )


def explain_missing_chart(window: Window) -> str:
    """Return why a window has no chart."""
    label = clean(window.label)
    if is_budget(window) and window.used_percent is not None:
        return (
            f"{label}: {words.describe_use(window)}. It is the first reading of it that is kept; from the next on "
            "there is a course to draw."
        )
    return f"{label} cannot be drawn: it has not started, or its length is unknown."


def format_title(burnup: Burnup) -> str:
    """Return the window's name and what it stands at."""
    window = burnup.window
    if has_reset(window, burnup.now):
        return f"{clean(window.label)}: {words.HAS_RESET}"
    if burnup.used_percent is None:
        return f"{clean(window.label)}: {words.UNKNOWN}"
    old = words.choose_form("stale", ascii_only=False) if burnup.state == "stale" else ""
    return f"{clean(window.label)}: {old}{words.describe_use(window)}"


def describe_outlook(burnup: Burnup) -> Outlook:
    """Return in words whether the window lasts, and when it is back where it is used up."""
    return words.describe_outlook(burnup.window, burnup.forecast, burnup.now, burnup.timezone)


def list_ticks(burnup: Burnup) -> list[tuple[datetime, str]]:
    """Return the moments that the time axis names: full hours, or midnights by the weekday or, of many, by the date."""
    days = (burnup.ends - burnup.begins) / _DAY
    if days <= 1:
        first = burnup.begins.astimezone(burnup.timezone).replace(minute=0, second=0, microsecond=0)
        moments = [(at := first + timedelta(hours=number), f"{at:%H:%M}") for number in range(26)]
    else:
        first = burnup.begins.astimezone(burnup.timezone).replace(hour=0, minute=0, second=0, microsecond=0)
        step = math.ceil(days / _MOST_DAYS)
        each = [first + timedelta(days=number) for number in range(0, math.ceil(days) + 2, step)]
        moments = [(at, words.format_day(at, burnup.timezone) if days > _MOST_WEEKDAYS else f"{at:%a}") for at in each]
    return [(moment, name) for moment, name in moments if burnup.begins <= moment <= burnup.ends]


def draw_sparkline(
    samples: Sequence[Sample], begins: datetime, resets_at: datetime, cells: int, *, ascii_only: bool
) -> str:
    """Draw a window's percentage at the end of each equal part of its time, from its start to its reset.

    A part is empty while it lies ahead, and where it is unknown when use grew. It is full only from 100 % on.
    """
    levels = "_.-=*#" if ascii_only else "▁▂▃▄▅▆▇█"
    step, last = (resets_at - begins) / cells, samples[-1].at
    start = Sample(at=begins, used_percent=0.0, resets_at=samples[0].resets_at)
    gaps = [each for each in _stretches([start, *samples], (resets_at - begins) * _LONGEST_SEEN) if each.how != "seen"]
    shown = ""
    for number in range(cells):
        at = min(begins + step * (number + 1), last)
        to_come = begins + step * number >= last
        if to_come or any(gap.before.at < at < gap.after.at for gap in gaps):
            shown += " "
        else:
            share = min(max(interpolate_used(samples, at, begins) / FULL, 0.0), 1.0)
            shown += levels[math.floor(share * (len(levels) - 1))]
    return shown


def draw_window_course(window: Window, samples: Sequence[Sample], cells: int, *, ascii_only: bool) -> str:
    """Draw a window's sparkline from its start to its reset; nothing where there are too few readings."""
    whole = find_length(window)
    own = pace.list_run(window, samples)
    if whole is None or window.resets_at is None or len(own) < _FEWEST_SAMPLES:
        return ""
    return draw_sparkline(own, window.resets_at - whole, window.resets_at, cells, ascii_only=ascii_only)


def list_stretches(burnup: Burnup) -> list[Stretch]:
    """List the stretches between samples from the window's start on, or from the first sample of a history."""
    start = Sample(at=burnup.begins, used_percent=0.0, resets_at=burnup.used[0].resets_at)
    longest = (burnup.ends - burnup.begins) * _LONGEST_SEEN
    if burnup.is_history:
        return _stretches(burnup.used, max(longest, _DAY))
    return _stretches((start, *burnup.used), longest)


def _stretches(samples: Sequence[Sample], longest: timedelta) -> list[Stretch]:
    return [
        Stretch(before=before, after=after, how=_how(before, after, longest))
        for before, after in itertools.pairwise(samples)
    ]


def _how(before: Sample, after: Sample, longest: timedelta) -> Literal["seen", "unseen", "restarted"]:
    is_same_count = is_same_reset(before.resets_at, after.resets_at)
    if after.used_percent < before.used_percent - _CLEAR_FALL or not is_same_count:
        return "restarted"
    return "seen" if before.used_percent == after.used_percent or after.at - before.at <= longest else "unseen"


def interpolate_used(samples: Sequence[Sample], moment: datetime, begins: datetime) -> float:
    """Interpolate the percentage at a moment linearly between the samples around it."""
    at, used = begins, 0.0
    for sample in samples:
        if sample.at >= moment:
            return used + (sample.used_percent - used) * ((moment - at) / (sample.at - at)) if sample.at > at else used
        at, used = sample.at, sample.used_percent
    return used

"""A window's burn-up: what was used, the line that would just last, the forecast's band, the reset. Pure."""

from __future__ import annotations

import itertools
import math

from ullage.base.dates import timedelta
from ullage.base.record import Record
from ullage.base.text import clean
from ullage.quota import pace
from ullage.quota.model import find_length, has_reset
from ullage.quota.pace import Sample
from ullage.render import words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, tzinfo

    from ullage.quota.model import Window
    from ullage.quota.pace import Forecast, Point
    from ullage.render.words import Outlook


FULL = 100.0
_LONGEST_SEEN = 0.1
_FEWEST_SAMPLES = 4


class Burnup(Record):
    """The content of a window's chart: its past, and the forecast for the rest of it."""

    window: Window
    begins: datetime
    resets_at: datetime
    now: datetime
    used: tuple[Sample, ...]
    ahead: tuple[Point, ...]
    forecast: Forecast | None
    timezone: tzinfo | None = None

    @property
    def top(self) -> float:
        """The highest percentage of the chart: 100 and a little, or what is expected, up to half as much again."""
        highest = max([FULL, *(sample.used_percent for sample in self.used), *(point.middle for point in self.ahead)])
        return min(150.0, math.ceil(highest * 1.05 / 10) * 10.0)

    def measure_share(self, moment: datetime) -> float:
        """Return the fraction of the window's time that has passed at a moment, 0 to 1."""
        return min(max((moment - self.begins) / (self.resets_at - self.begins), 0.0), 1.0)


def plot_burnup(window: Window, samples: Sequence[Sample], forecast: Forecast | None, now: datetime) -> Burnup | None:
    """Build the content of a window's chart; None when it has no course.

    A window that is used up has no forecast, and one that has reset no course until a new reading.
    """
    whole = find_length(window)
    if whole is None or window.used_percent is None or window.resets_at is None:
        return None
    if has_reset(window, now) or window.used_percent >= FULL:
        forecast = None
    return Burnup(
        window=window,
        begins=window.resets_at - whole,
        resets_at=window.resets_at,
        now=now,
        used=tuple(pace.list_run(window, samples)),
        ahead=pace.project_trajectory(window, samples, now) if forecast else (),
        forecast=forecast,
    )


def format_title(burnup: Burnup) -> str:
    """Return the window's name and what it stands at."""
    window = burnup.window
    if has_reset(window, burnup.now):
        return f"{clean(window.label)}: {words.HAS_RESET}"
    used = "" if window.used_percent is None else f": {words.format_percent(window.used_percent)} used"
    return clean(window.label) + used


def describe_outlook(burnup: Burnup) -> Outlook:
    """Return in words whether the window lasts, and when it is back where it is used up."""
    return words.describe_outlook(burnup.window, burnup.forecast, burnup.now, burnup.timezone)


def list_ticks(burnup: Burnup) -> list[tuple[datetime, str]]:
    """Return the moments that the time axis names: full hours, or midnights by the weekday."""
    if burnup.resets_at - burnup.begins <= timedelta(days=1):
        first = burnup.begins.astimezone(burnup.timezone).replace(minute=0, second=0, microsecond=0)
        moments, form = [first + timedelta(hours=number) for number in range(26)], "%H:%M"
    else:
        first = burnup.begins.astimezone(burnup.timezone).replace(hour=0, minute=0, second=0, microsecond=0)
        moments, form = [first + timedelta(days=number) for number in range(33)], "%a"
    return [(moment, moment.strftime(form)) for moment in moments if burnup.begins <= moment <= burnup.resets_at]


def draw_sparkline(
    samples: Sequence[Sample], begins: datetime, resets_at: datetime, cells: int, *, ascii_only: bool
) -> str:
    """Draw a window's percentage at the end of each equal part of its time, from its start to its reset.

    A part is empty while it lies ahead, and where it is unknown when use grew. It is full only from 100 % on.
    """
    levels = "_.-=*#" if ascii_only else "▁▂▃▄▅▆▇█"
    step, last = (resets_at - begins) / cells, samples[-1].at
    gaps = [pair for pair, seen in _stretches(samples, begins, resets_at) if not seen]
    shown = ""
    for number in range(cells):
        at = min(begins + step * (number + 1), last)
        to_come = begins + step * number >= last
        if to_come or any(before.at < at < after.at for before, after in gaps):
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


def list_stretches(burnup: Burnup) -> list[tuple[tuple[Sample, Sample], bool]]:
    """Yield the stretches between samples from the window's start on, and whether each was observed.

    A stretch is unobserved where use grew between two samples that lie far apart.
    """
    return _stretches(burnup.used, burnup.begins, burnup.resets_at)


def _stretches(
    samples: Sequence[Sample], begins: datetime, resets_at: datetime
) -> list[tuple[tuple[Sample, Sample], bool]]:
    start = Sample(at=begins, used_percent=0.0, resets_at=resets_at)
    longest = (resets_at - begins) * _LONGEST_SEEN
    return [
        (pair, pair[0].used_percent == pair[1].used_percent or pair[1].at - pair[0].at <= longest)
        for pair in itertools.pairwise([start, *samples])
    ]


def interpolate_used(samples: Sequence[Sample], moment: datetime, begins: datetime) -> float:
    """Interpolate the percentage at a moment linearly between the samples around it."""
    at, used = begins, 0.0
    for sample in samples:
        if sample.at >= moment:
            return used + (sample.used_percent - used) * ((moment - at) / (sample.at - at)) if sample.at > at else used
        at, used = sample.at, sample.used_percent
    return used

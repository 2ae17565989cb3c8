"""How far off forecasts are: simulated lives are replayed, and each forecast is compared with what then happened.

Beside ours stand what one would do without: the straight line from the window's start, and the last hour's slope. Of
the band it is told how often it held what happened, and how wide it was in the middle of all cases.
"""

from __future__ import annotations

import itertools
import math
import random
import statistics
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from bench.figures import Figure, figure
from bench.lives import LIVES, TICKS_A_DAY, TUNED_ON, whole
from ullage.quota import pace
from ullage.quota.model import WEEK, Window
from ullage.quota.pace import Sample

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from bench.lives import Life, Ticks

TITLE = "Forecasts against simulated weeks (mean error at the reset in points, and of the time it runs out)"

_START = datetime(2026, 9, 7, tzinfo=UTC)
_TICK = timedelta(minutes=5)
_HOUR = timedelta(hours=1)
_MOST_PERCENT = 200.0
_METHODS = ("ours", "line from the start", "last hour")


@dataclass(frozen=True)
class Run:
    """One window from its start to its reset: what was wanted of it, at the end of each tick."""

    window_id: str
    begins: datetime
    resets_at: datetime
    wanted: list[float]
    watched: list[bool]

    @property
    def exhausted_at(self) -> datetime:
        """When it ran out; the reset when it lasted."""
        for number, percent in enumerate(self.wanted, 1):
            if percent >= 100:
                return self.begins + number * _TICK
        return self.resets_at

    def samples(self, life: Life) -> Iterator[Sample]:
        """What readings found: at most so often while it changes, every quarter of an hour else; whole percents."""
        last, waited = -1.0, 0
        for number, (percent, on) in enumerate(zip(self.wanted, self.watched, strict=True), 1):
            waited += 1
            if on and waited >= life.every and (waited >= 3 or percent - last > 0.5):
                found = whole(life.told(percent, number))
                yield Sample(at=self.begins + number * _TICK, used_percent=found, resets_at=self.resets_at)
                last, waited = percent, 0


def weeks(ticks: Ticks) -> list[Run]:
    """Part the ticks into the windows that reset every seven days."""
    count = 7 * TICKS_A_DAY
    return _scaled([_run("seven_day", ticks, first, count) for first in range(0, len(ticks) - count + 1, count)])


def sessions(ticks: Ticks) -> list[Run]:
    """Part the ticks into five-hour windows, each of which begins with the first use after the one before."""
    runs = []
    first = 0
    while first + 60 <= len(ticks):
        if ticks[first][0] > 0:
            runs.append(_run("five_hour", ticks, first, 60))
            first += 60
        else:
            first += 1
    return _scaled(runs)


def _run(window_id: str, ticks: Ticks, first: int, count: int) -> Run:
    used = [used for used, _ in ticks[first : first + count]]
    begins = _START + first * _TICK
    watched = [on for _, on in ticks[first : first + count]]
    return Run(window_id, begins, begins + count * _TICK, list(itertools.accumulate(used)), watched)


def _scaled(runs: list[Run]) -> list[Run]:
    """Fit the plan to the use: the mean window comes to 100 %."""
    scale = 100 * len(runs) / sum(run.wanted[-1] for run in runs)
    return [replace(run, wanted=[percent * scale for percent in run.wanted]) for run in runs]


@dataclass
class Errors:
    """How far off one method was, over all forecasts: points at the reset, hours of the time it runs out."""

    points: list[float] = field(default_factory=list)
    hours: list[float] = field(default_factory=list)
    inside: list[bool] = field(default_factory=list)
    widths: list[float] = field(default_factory=list)

    @property
    def mean_points(self) -> float:
        return sum(self.points) / len(self.points)

    @property
    def mean_hours(self) -> float:
        return sum(self.hours) / len(self.hours)

    @property
    def coverage(self) -> float:
        """The share of forecasts whose band held what happened; four of five is right."""
        return sum(self.inside) / len(self.inside)

    def add_all(self, others: Errors) -> None:
        self.points += others.points
        self.hours += others.hours
        self.inside += others.inside
        self.widths += others.widths

    def add_band(self, run: Run, low: float, high: float) -> None:
        """Hold the band against the percentage that a source would have stated, had the window had no limit."""
        self.inside.append(low <= math.floor(run.wanted[-1]) <= high)
        self.widths.append(min(high, _MOST_PERCENT) - min(low, _MOST_PERCENT))

    def add(self, run: Run, projected: float, exhausts_at: datetime | None) -> None:
        ends = min(exhausts_at or run.resets_at, run.resets_at)
        self.points.append(abs(min(projected, _MOST_PERCENT) - min(run.wanted[-1], _MOST_PERCENT)))
        self.hours.append(abs(ends - run.exhausted_at) / _HOUR)


def replay(runs: Sequence[Run], life: Life, every: int) -> dict[str, Errors]:
    """Forecast each window at every so many of its readings, knowing only what was read until then."""
    errors = {method: Errors() for method in _METHODS}
    history: list[Sample] = []
    for index, run in enumerate(runs):
        for number, sample in enumerate(run.samples(life)):
            # Each window is asked about at other moments of its time.
            if (number + index * 7) % every == 0 and sample.at < run.exhausted_at:
                _forecast(run, sample, history, errors)
            history.append(sample)
        horizon = run.resets_at - pace.MEMORY
        history = [sample for sample in history if sample.at > horizon]
    return errors


def _forecast(run: Run, sample: Sample, history: list[Sample], errors: dict[str, Errors]) -> None:
    ours = pace.forecast(_stated(run.window_id, sample), history, sample.at)
    if ours is None or ours.projected_percent is None:
        return
    assert ours.projected_low is not None and ours.projected_high is not None
    errors["ours"].add(run, ours.projected_percent, ours.exhausts_at)
    errors["ours"].add_band(run, ours.projected_low, ours.projected_high)
    used, left = sample.used_percent, run.resets_at - sample.at
    since_start = used / ((sample.at - run.begins) / _HOUR)
    for method, rate in (("line from the start", since_start), ("last hour", _last_hour(run, sample, history))):
        exhausts_at = sample.at + (100 - used) / rate * _HOUR if rate > (100 - used) / (left / _HOUR) else None
        errors[method].add(run, used + rate * (left / _HOUR), exhausts_at)


def _stated(window_id: str, sample: Sample) -> Window:
    return Window(
        id=window_id,
        label="",
        kind="session" if window_id == "five_hour" else "weekly",
        used_percent=sample.used_percent,
        resets_at=sample.resets_at,
        source="",
        as_of=sample.at,
    )


def _last_hour(run: Run, sample: Sample, history: list[Sample]) -> float:
    """Return percent an hour since the last reading that is an hour old, or since the window's start."""
    before = [s for s in history[-60:] if s.resets_at == run.resets_at and s.at <= sample.at - _HOUR]
    at, used = (before[-1].at, before[-1].used_percent) if before else (run.begins, 0.0)
    return (sample.used_percent - used) / ((sample.at - at) / _HOUR)


# Every so many readings of a window a forecast is made; who works at all hours has too many sessions to ask often.
_EVERY = {"week": 60, "session": 36}
_RESTLESS = ("steady", "every other hour", "shared")
_PARTED: dict[str, Callable[[Ticks], list[Run]]] = {"week": weeks, "session": sessions}
CASES = {f"{name}, {what}": (name, what) for name in LIVES for what in _PARTED}


def compare(case: str, seeds: Iterable[int], days: int = 28) -> dict[str, Errors]:
    """Return each method's errors in so many simulated lives, each from its first day."""
    name, what = CASES[case]
    life = LIVES[name]
    every = _EVERY[what] * (5 if what == "session" and name in _RESTLESS else 1)
    total = {method: Errors() for method in _METHODS}
    for seed in seeds:
        for method, errors in replay(_PARTED[what](life.ticks(random.Random(seed), days)), life, every).items():
            total[method].add_all(errors)
    return total


# Constants of ullage.quota.pace were chosen without a look at these.
UNTOUCHED = range(2000, 2020)


def measure() -> list[Figure]:
    """Compare in lives on which nothing was tuned, and say what a forecast costs."""
    return [*(_row(case) for case in CASES), *_costs()]


def _row(case: str) -> Figure:
    methods = compare(case, UNTOUCHED)
    ours = methods["ours"]
    cells = [f"{method} {errors.mean_points:.1f} pt {errors.mean_hours:.2f} h" for method, errors in methods.items()]
    band = f"{ours.coverage:.0%} in the band, {statistics.median(ours.widths):.0f} pt wide"
    kin = "" if CASES[case][0] in TUNED_ON else " (strange)"
    return Figure(what=case + kin, runs=len(ours.points), note="; ".join([*cells, band]))


def _costs() -> Iterator[Figure]:
    """Time a forecast from so many samples, evenly over four weeks."""
    for count in (1000, 10_000):
        now = _START + pace.MEMORY
        found = [_evenly(_START + pace.MEMORY * (number / count)) for number in range(count)]
        stated = _stated("seven_day", _evenly(now - 3 * _HOUR))
        yield figure(f"a forecast from {count} samples", [_seconds(stated, found) for _ in range(15)])


def _evenly(at: datetime) -> Sample:
    passed = (at - _START) % WEEK
    return Sample(at=at, used_percent=whole(90 * (passed / WEEK)), resets_at=at - passed + WEEK)


def _seconds(stated: Window, found: list[Sample]) -> float:
    started = time.process_time()
    assert pace.forecast(stated, found, stated.as_of) is not None
    return time.process_time() - started

"""How far off forecasts are: simulated weeks are replayed, and each forecast is compared with what then happened.

Beside ours stand what one would do without: the straight line from the window's start, and the last hour's slope.
"""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from bench.figures import Figure
from ullage import pace
from ullage.model import Window
from ullage.pace import Sample

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

TITLE = "Forecasts against simulated weeks (mean error at the reset in points, and of the time it runs out)"

_START = datetime(2026, 9, 7, tzinfo=UTC)
_TICK = timedelta(minutes=5)
_HOUR = timedelta(hours=1)
_TICKS_A_DAY = 288
_MOST_PERCENT = 200.0
_METHODS = ("ours", "line from the start", "last hour")

# What a world uses, tick by tick, in points of a week's window; and whether its machine is on to look.
Ticks = list[tuple[float, bool]]


def steady(chance: random.Random, days: int) -> Ticks:
    """Work that never rests, like an agent's on a server."""
    busy = chance.uniform(0.6, 1.5)
    return [(chance.gammavariate(2, busy * 100 / 7 / _TICKS_A_DAY / 2), True) for _ in range(days * _TICKS_A_DAY)]


def bursts(chance: random.Random, days: int) -> Ticks:
    """Hours of work and hours of nothing, at any time of the day."""
    ticks: Ticks = []
    working, intensity = False, 0.0
    for _ in range(days * _TICKS_A_DAY):
        if chance.random() < (1 / 18 if working else 1 / 60):
            working, intensity = not working, chance.lognormvariate(0, 0.6)
        ticks.append((chance.gammavariate(1, 0.2 * intensity) if working else 0.0, True))
    return ticks


def nights(chance: random.Random, days: int) -> Ticks:
    """A person: by day, with a break at noon and little at weekends; the machine sleeps at night."""
    return _person(chance, days, begins=8, ends=19)


def two_machines(chance: random.Random, days: int) -> Ticks:
    """The same, and evenings at another machine that this one only sees the sum of."""
    office = _person(chance, days, begins=8, ends=18)
    home = _person(chance, days, begins=19, ends=23)
    return [(here + there * 0.6, on) for (here, on), (there, _) in zip(office, home, strict=True)]


def _person(chance: random.Random, days: int, begins: float, ends: float) -> Ticks:
    ticks: Ticks = []
    for day in range(days):
        keen = chance.lognormvariate(0, 0.3) * (0.2 if day % 7 >= 5 else 1.0)
        late = chance.gauss(0, 0.5)
        intensity = 1.0
        for tick in range(_TICKS_A_DAY):
            hour = tick / 12 + late
            if tick % 6 == 0:
                intensity = 0.0 if chance.random() < 0.35 else chance.lognormvariate(0, 0.5)
            at_work = begins <= hour < ends and not 12 <= hour < 13
            used = chance.gammavariate(1, 0.22 * keen * intensity) if at_work and intensity else 0.0
            ticks.append((used, begins - 1 <= hour < ends + 1))
    return ticks


WORLDS: dict[str, Callable[[random.Random, int], Ticks]] = {
    "steady": steady,
    "bursts": bursts,
    "nights": nights,
    "two machines": two_machines,
}


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

    def samples(self) -> Iterator[Sample]:
        """What readings found: every five minutes while it changes, every quarter of an hour else; whole percents."""
        last, waited = -1.0, 0
        for number, (percent, on) in enumerate(zip(self.wanted, self.watched, strict=True), 1):
            waited += 1
            if on and (waited >= 3 or percent - last > 0.5):
                found = float(math.floor(min(percent, 100.0)))
                yield Sample(at=self.begins + number * _TICK, used_percent=found, resets_at=self.resets_at)
                last, waited = percent, 0


def weeks(ticks: Ticks) -> list[Run]:
    """Part the ticks into the windows that reset every seven days."""
    whole = 7 * _TICKS_A_DAY
    return _scaled([_run("seven_day", ticks, first, whole) for first in range(0, len(ticks) - whole + 1, whole)])


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

    def add(self, run: Run, projected: float, exhausts_at: datetime | None) -> None:
        ends = min(exhausts_at or run.resets_at, run.resets_at)
        self.points.append(abs(min(projected, _MOST_PERCENT) - min(run.wanted[-1], _MOST_PERCENT)))
        self.hours.append(abs(ends - run.exhausted_at) / _HOUR)


def replay(runs: Sequence[Run], every: int) -> dict[str, Errors]:
    """Forecast each window at every so many of its readings, knowing only what was read until then."""
    errors = {method: Errors() for method in _METHODS}
    history: list[Sample] = []
    for index, run in enumerate(runs):
        for number, sample in enumerate(run.samples()):
            # Each window is asked about at other moments of its time.
            if (number + index * 7) % every == 0 and sample.at < run.exhausted_at:
                _forecast(run, sample, history, errors)
            history.append(sample)
        horizon = run.resets_at - pace.MEMORY
        history = [sample for sample in history if sample.at > horizon]
    return errors


def _forecast(run: Run, sample: Sample, history: list[Sample], errors: dict[str, Errors]) -> None:
    window = Window(
        id=run.window_id,
        label="",
        kind="session" if run.window_id == "five_hour" else "weekly",
        used_percent=sample.used_percent,
        resets_at=run.resets_at,
        source="",
        as_of=sample.at,
    )
    ours = pace.forecast(window, history, sample.at)
    if ours is None or ours.projected_percent is None:
        return
    assert ours.projected_low is not None and ours.projected_high is not None
    errors["ours"].add(run, ours.projected_percent, ours.exhausts_at)
    errors["ours"].inside.append(ours.projected_low - 1 <= run.wanted[-1] <= ours.projected_high + 1)
    used, left = sample.used_percent, run.resets_at - sample.at
    since_start = used / ((sample.at - run.begins) / _HOUR)
    for method, rate in (("line from the start", since_start), ("last hour", _last_hour(run, sample, history))):
        exhausts_at = sample.at + (100 - used) / rate * _HOUR if rate > (100 - used) / (left / _HOUR) else None
        errors[method].add(run, used + rate * (left / _HOUR), exhausts_at)


def _last_hour(run: Run, sample: Sample, history: list[Sample]) -> float:
    """Return percent an hour since the last reading that is an hour old, or since the window's start."""
    before = [s for s in history[-60:] if s.resets_at == run.resets_at and s.at <= sample.at - _HOUR]
    at, used = (before[-1].at, before[-1].used_percent) if before else (run.begins, 0.0)
    return (sample.used_percent - used) / ((sample.at - at) / _HOUR)


# Every so many readings of a window a forecast is made; who never rests has too many sessions to ask about each often.
CASES: dict[str, tuple[Callable[[random.Random, int], Ticks], Callable[[Ticks], list[Run]], int]] = {
    f"{name}, {what}": (world, part, every * 5 if (world, part) == (steady, sessions) else every)
    for name, world in WORLDS.items()
    for what, part, every in (("week", weeks, 60), ("session", sessions, 36))
}


def compare(case: str, seeds: Iterable[int], days: int = 28) -> dict[str, Errors]:
    """Return each method's errors in so many simulated lives, each from its first day."""
    world, part, every = CASES[case]
    total = {method: Errors() for method in _METHODS}
    for seed in seeds:
        for method, errors in replay(part(world(random.Random(seed), days)), every).items():
            total[method].add_all(errors)
    return total


# Lives that the constants of pace.py were chosen by, and lives that were looked at only then.
TUNED_ON = range(10)
UNTOUCHED = range(100, 106)


def measure() -> list[Figure]:
    """Compare in lives on which nothing was tuned; of the band, say how it held in the others too."""
    rows = []
    for case in CASES:
        methods = compare(case, UNTOUCHED)
        cells = [
            f"{method} {errors.mean_points:.1f} pt {errors.mean_hours:.2f} h" for method, errors in methods.items()
        ]
        ours = methods["ours"]
        tuned = compare(case, TUNED_ON[:6])["ours"]
        inside = f"{ours.coverage:.0%} in the band ({tuned.coverage:.0%} where it was tuned)"
        rows.append(Figure(what=case, runs=len(ours.points), note="; ".join([*cells, inside])))
    return rows

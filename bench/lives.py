"""Simulated lives of an account: what it uses tick by tick, and what a machine that looks is told of it.

The constants of the forecast were first chosen by four of them; the others were added to find what those had not shown,
and some of its steps were then chosen with a look at them, on seeds that are not reported on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    import random
    from collections.abc import Callable

TICKS_AN_HOUR = 12
TICKS_A_DAY = 24 * TICKS_AN_HOUR

# What is used in each tick, in points of a week's window; and whether a machine is on to look.
Ticks = list[tuple[float, bool]]


@dataclass(frozen=True)
class Life:
    """How an account uses its windows and how a source tells of it, at least `every` so many ticks.

    `told` makes what a source states of the percentage at the end of a tick; the second argument is the tick's number.
    """

    ticks: Callable[[random.Random, int], Ticks]
    every: int = 1
    told: Callable[[float, int], float] = lambda percent, _: percent


def steady(chance: random.Random, days: int) -> Ticks:
    """Work that never rests, like an agent's on a server."""
    busy = chance.uniform(0.6, 1.5)
    return [(chance.gammavariate(2, busy * 100 / 7 / TICKS_A_DAY / 2), True) for _ in range(days * TICKS_A_DAY)]


def bursts(chance: random.Random, days: int) -> Ticks:
    """Hours of work and hours of nothing, at any time of the day."""
    ticks: Ticks = []
    working, intensity = False, 0.0
    for _ in range(days * TICKS_A_DAY):
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


def far_west(chance: random.Random, days: int) -> Ticks:
    """A person whose working day ends after midnight of the clock that habits are kept by."""
    return _later(nights(chance, days), 8)


def weekends(chance: random.Random, days: int) -> Ticks:
    """Nothing from Monday to Friday."""
    ticks = _person(chance, days, begins=9, ends=21, weekend=1.0)
    return [(used if number // TICKS_A_DAY % 7 >= 5 else 0.0, on) for number, (used, on) in enumerate(ticks)]


def every_other_hour(chance: random.Random, days: int) -> Ticks:
    """A job that works in every other hour, day and night."""
    return [
        (used * 2 if tick // TICKS_AN_HOUR % 2 else 0.0, True) for tick, (used, _) in enumerate(steady(chance, days))
    ]


def shared(chance: random.Random, days: int) -> Ticks:
    """Two people, one nine hours west of the other; each one's machine looks by that one's day."""
    east = _person(chance, days, begins=8, ends=19)
    west = _later(_person(chance, days, begins=8, ends=19), 9)
    return [(here + there, on) for (here, on), (there, _) in zip(east, west, strict=True)]


def two_days_asleep(chance: random.Random, days: int) -> Ticks:
    """A person with another machine; the one that looks is off from the second day of each week to the fourth."""
    return [
        (used, on and not 1 <= tick // TICKS_A_DAY % 7 < 3)
        for tick, (used, on) in enumerate(two_machines(chance, days))
    ]


def begun_late(chance: random.Random, days: int) -> Ticks:
    """A person who uses nothing in the first two days and a half of each week, for one reason or another."""
    return [
        (0.0 if tick % (7 * TICKS_A_DAY) < 2.5 * TICKS_A_DAY else used, on)
        for tick, (used, on) in enumerate(nights(chance, days))
    ]


def _later(ticks: Ticks, hours: int) -> Ticks:
    return ([(0.0, False)] * (hours * TICKS_AN_HOUR) + ticks)[: len(ticks)]


def _person(chance: random.Random, days: int, begins: float, ends: float, weekend: float = 0.2) -> Ticks:
    ticks: Ticks = []
    for day in range(days):
        keen = chance.lognormvariate(0, 0.3) * (weekend if day % 7 >= 5 else 1.0)
        late = chance.gauss(0, 0.5)
        intensity = 1.0
        for tick in range(TICKS_A_DAY):
            hour = tick / TICKS_AN_HOUR + late
            if tick % 6 == 0:
                intensity = 0.0 if chance.random() < 0.35 else chance.lognormvariate(0, 0.5)
            at_work = begins <= hour < ends and not 12 <= hour < 13
            used = chance.gammavariate(1, 0.22 * keen * intensity) if at_work and intensity else 0.0
            ticks.append((used, begins - 1 <= hour < ends + 1))
    return ticks


def _corrected(percent: float, tick: int) -> float:
    """State too much for some hours, until the server takes it back."""
    return percent * (1.12 if tick % 400 < 50 else 1.0)


TUNED_ON: dict[str, Life] = {
    "steady": Life(steady),
    "bursts": Life(bursts),
    "nights": Life(nights),
    "two machines": Life(two_machines),
}
STRANGE: dict[str, Life] = {
    "far west": Life(far_west),
    "weekends": Life(weekends),
    "every other hour": Life(every_other_hour),
    "shared": Life(shared),
    "two days asleep": Life(two_days_asleep),
    "begun late": Life(begun_late),
    "every ten minutes": Life(nights, every=2),
    "corrected": Life(nights, told=_corrected),
}
LIVES = TUNED_ON | STRANGE


def whole(percent: float) -> float:
    """Return a percentage as sources state it."""
    return float(math.floor(min(percent, 100.0)))

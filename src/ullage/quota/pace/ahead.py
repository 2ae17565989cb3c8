"""From habits to what is to come: the course until the reset, and the band that holds four cases of five. Pure.

Use is taken to stray as counts do: its variance grows with its mean. How many points of variance a point of use has,
the dispersion, is learned from the days of a week or the hours of sessions, so that an even life gets a narrow band and
one of bursts a wide one; while little is known, that of a person stands in.

The constants were chosen by the lives of bench/lives.py, mostly those that `TUNED_ON` names, on seeds that
bench/pace.py does not report on.
"""

from __future__ import annotations

import math

from ullage.base.record import Record
from ullage.quota.model import SESSION, WEEK
from ullage.quota.pace.course import count_epoch_hours, cut_at_hours
from ullage.quota.pace.habits import learn_habits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta

    from ullage.quota.pace.course import Course, Sample
    from ullage.quota.pace.habits import Habits

_STEPS = 120

# What an account is taken to be until its own use says otherwise: the dispersion of a person's use, which weighs as
# much as half a day or half an hour of its own.
_DISPERSION = 3.6
_PRIOR_BLOCKS = 0.5
# Of the days ahead that may be of rest, so many are: a weekend.
_DAYS_OF_REST = 2
# No source states so little.
_LEAST_PERCENT = 1e-6
# An even life still is no clockwork.
_LEAST_DISPERSION = 0.01
# A variance that was estimated from few days is more often too small than too large, as Student's t allows for.
_FEW_BLOCKS = 1.6
# The difference of two percentages that were rounded down strays by this variance, whatever was used between.
_ROUNDING_VARIANCE = 1 / 6
# So many points of use say as much about how busy this window is as all the windows before; of a person, that is. Days
# are as much more alike from week to week as they are within one.
_PRIOR_POINTS = {SESSION: 5.0, WEEK: 40.0}
# Standard deviations to each side that hold four cases of five: 1.28 if chance were normal and days strayed each by
# itself. They stray together within a week; sessions have more outliers, so that most lie nearer.
_DEVIATIONS = {SESSION: 1.18, WEEK: 1.6}
FORESEEN = tuple(_DEVIATIONS)
# What was used so far may be so much more than whole percents tell.
_UNTOLD_PERCENT = 0.25
# How long the last hours count, and for how long what they show beyond habits goes on.
_RECENT_HOURS = 0.5
_FADING_HOURS = 1.0
# Recent use that strays by less is mostly the rounding of percentages.
_ROUNDING_PERCENT = 0.5
# A jump can be known to be no work once a day's hours have shown how much an hour can use.
_ENOUGH_HOURS = 24


class Point(Record):
    """What is expected to be used at a moment, with the interval's ends."""

    at: datetime
    low: float
    middle: float
    high: float


class Way:
    """What is expected from a statement until its reset, in equal steps: the share of the time, low, middle and high.

    Empty where the account has never been seen to use anything: that says nothing of when it will.
    """

    def __init__(self, stated: Sample, course: Course, whole: timedelta) -> None:
        assert stated.resets_at is not None
        self._since, self._left = stated.at, stated.resets_at - stated.at
        self.steps: list[tuple[float, float, float, float]] = []
        if sum(course.used.values()) < _LEAST_PERCENT:
            return
        outlook = _Outlook(stated.used_percent, course, whole, count_epoch_hours(stated.at))
        used, hours = stated.used_percent, self._left.total_seconds() / 3600
        self.steps.append((0.0, used, used, used))
        for share, growth, doubtful in outlook.steps(count_epoch_hours(stated.resets_at)):
            middle, spread = outlook.at(share * hours, growth)
            low = used + max(0.0, middle - math.hypot(spread, doubtful))
            self.steps.append((share, low, used + middle, used + middle + spread))

    def at(self, share: float) -> datetime:
        """Return the moment at which a share of the time has passed."""
        return self._since + self._left * share

    def points(self) -> tuple[Point, ...]:
        """Return the steps with their moments."""
        return tuple(
            Point(at=self.at(share), low=low, middle=middle, high=high) for share, low, middle, high in self.steps
        )


class _Outlook:
    """What a course says of the time after `now`, in hours since the epoch.

    `scale` is how busy this window is, against habits; `evidence` the points of use that this rests on; `excess` by how
    many percent an hour the last hours differ from that.
    """

    def __init__(self, used: float, course: Course, whole: timedelta, now: float) -> None:
        self.habits = learn_habits(course)
        self.dispersion = _dispersion(course, self.habits, whole)
        prior = _PRIOR_POINTS[whole] * math.sqrt(max(1.0, _DISPERSION / self.dispersion))
        before = sum(amount for hour, amount in course.used.items() if hour < course.begins)
        self.scale = (prior + used) / (prior + self.habits.expect_between(course.begins, now))
        self.evidence = used + prior * before / (before + prior)
        self.excess = _recent_excess(course, self.habits, self.scale, now)
        self.deviations = _DEVIATIONS[whole]
        self.now, self.elapsed = now, max(now - course.begins, 1.0)

    def steps(self, end: float) -> Iterator[tuple[float, float, float]]:
        """Go on to the end: the share of the way, and percent used by then, of it on what may be days of rest."""
        step = (end - self.now) / _STEPS
        habits, scale = self.habits, self.scale
        growth, rest = 0.0, 0.0
        doubtful: dict[int, float] = {}
        today = habits.find_day(math.floor(self.now))
        for number in range(_STEPS):
            for hour, hours in cut_at_hours(self.now + step * number, self.now + step * (number + 1)):
                used = scale * habits.expect_hour(hour) * hours
                growth += used
                day = habits.find_day(hour)
                if day != today:
                    doubtful[day] = doubtful.get(day, 0.0) + used * habits.doubt_weekday(day)
            if doubtful:
                rest = sum(sorted(doubtful.values())[-_DAYS_OF_REST:])
            yield (number + 1) / _STEPS, growth, rest

    def at(self, ahead: float, growth: float) -> tuple[float, float]:
        """Return what is used in so many hours more, and how far the band goes to each side of it."""
        faded = self.excess * _FADING_HOURS * (1 - math.exp(-ahead / _FADING_HOURS))
        by_chance = self.dispersion * (growth + abs(faded))
        variance = by_chance * (1 + growth / (self.dispersion + self.evidence))
        untold = _UNTOLD_PERCENT * ahead / self.elapsed
        return max(0.0, growth + faded), math.hypot(self.deviations * math.sqrt(variance), untold)


def _dispersion(course: Course, habits: Habits, whole: timedelta) -> float:
    """Return how much use strays from the habits: the variance, in points, of a share of use that is one point."""

    def block_of(hour: int) -> int:
        return habits.find_day(hour) if whole == WEEK else hour

    used: dict[int, float] = {}
    expected: dict[int, float] = {}
    for hour, amount in course.used.items():
        block = block_of(hour)
        used[block] = used.get(block, 0.0) + amount
        expected[block] = expected.get(block, 0.0) + habits.expect_hour(hour) * course.seen[hour]
    # Between two readings use only looks even: blocks without one bear no witness.
    free = len({block_of(math.ceil(ends) - 1) for _, ends, _ in course.stretches}) - 1
    if not free:
        return _DISPERSION
    strayed = sum(((used[block] - expected[block]) ** 2 - _ROUNDING_VARIANCE) / (expected[block] + 1) for block in used)
    own = max(_LEAST_DISPERSION, strayed / free * (1 + _FEW_BLOCKS / free))
    # Dispersions differ by factors, so that their logarithms are averaged.
    return math.exp((_PRIOR_BLOCKS * math.log(_DISPERSION) + free * math.log(own)) / (_PRIOR_BLOCKS + free))


def _recent_excess(course: Course, habits: Habits, scale: float, now: float) -> float:
    """Return by how many percent an hour the last hours differ from what the habits let expect."""
    used = expected = hours = 0.0
    since = now - 6 * _RECENT_HOURS
    for begins, ends, amount in course.stretches:
        at = max(begins, since)
        for hour, part in cut_at_hours(at, ends):
            weight = part * math.exp((at + part / 2 - now) / _RECENT_HOURS)
            at += part
            used += weight * amount / (ends - begins)
            expected += weight * scale * habits.expect_hour(hour)
            hours += weight
    excess = min(used, hours * _busiest(course, since)) - expected
    trust = abs(excess) / (abs(excess) + _ROUNDING_PERCENT)
    return trust * excess / (hours + _RECENT_HOURS / 2) if hours else 0.0


def _busiest(course: Course, until: float) -> float:
    """Return the most that an hour used before: what jumps by more was corrected or counts by another plan."""
    before = [used for hour, used in course.used.items() if hour < until - 1]
    return max(before) if len(before) >= _ENOUGH_HOURS and any(before) else math.inf

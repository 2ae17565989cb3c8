"""What an account uses by the hour of the day and by the day of the week, learned from what it used so far. Pure."""

from __future__ import annotations

from ullage.quota.pace.course import cut_at_hours

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ullage.quota.pace.course import Course

# How much of the mean is mixed in: an hour of the day that was seen for so many hours, a weekday for so many days,
# counts half by what it showed. Chosen with the constants of ahead.py.
_PRIOR_HOURS = 2.0
_PRIOR_DAYS = 0.3
_NIGHT_HOURS = 6  # Shorter than a night, so that a late evening does not belong to the next day.


class Habits:
    """Percent an hour by the hour of the day, times a factor by the day of the week, and how doubtful that day is.

    Hours and days are numbered since the epoch, in UTC; days begin at `dawn`, an hour of the day.
    """

    def __init__(self, dawn: int, by_hour: list[float], by_weekday: list[float], doubts: list[float]) -> None:
        self._dawn, self._by_hour, self._by_weekday, self._doubts = dawn, by_hour, by_weekday, doubts

    def find_day(self, hour: int) -> int:
        """Return the number of the day that an hour belongs to."""
        return (hour - self._dawn) // 24

    def expect_hour(self, hour: int) -> float:
        """Return what they would use in a full hour."""
        return self._by_hour[hour % 24] * self._by_weekday[(hour - self._dawn) // 24 % 7]

    def doubt_weekday(self, day: int) -> float:
        """Return how far it is unknown whether a day's weekday is one of rest, 0 to 1."""
        return self._doubts[day % 7]

    def expect_between(self, begins: float, ends: float) -> float:
        """Return what they use between two times, in hours since the epoch."""
        return sum(self.expect_hour(hour) * hours for hour, hours in cut_at_hours(begins, ends))


def learn_habits(course: Course) -> Habits:
    """Learn habits: hours and weekdays that were hardly seen are taken to be like the others."""
    used, seen = course.used, course.seen
    mean = sum(used.values()) / sum(seen.values())
    trust = _distinct({hour: used[hour] / seen[hour] for hour in used if seen[hour] > 0.5})
    by_hour = [
        mean + trust * (hour_used - mean * hour_seen) / (hour_seen + _PRIOR_HOURS)
        for hour_used, hour_seen in zip(_by_hour(used), _by_hour(seen), strict=True)
    ]
    dawn, prior = _dawn(by_hour), _PRIOR_DAYS * sum(by_hour)
    expected = {hour: by_hour[hour % 24] * hours for hour, hours in seen.items()}
    trust = _clustered({hour: used[hour] - expected[hour] for hour in used}, dawn)
    expected_by_day = _by_weekday(expected, dawn)
    by_weekday = [
        1 + trust * (day_used - day_expected) / (day_expected + prior)
        for day_used, day_expected in zip(_by_weekday(used, dawn), expected_by_day, strict=True)
    ]
    rests = _rests(course, mean)
    return Habits(dawn, by_hour, by_weekday, [rests * prior / (expected + prior) for expected in expected_by_day])


def _rests(course: Course, mean: float) -> float:
    """Return how far some hour of the day may be one of rest, 0 to 1: who works at all hours has no weekend either."""
    used = _by_hour({hour: course.used[hour] for hour in course.resolved})
    quietest = min(u / (s + _PRIOR_HOURS) for u, s in zip(used, _by_hour(course.resolved), strict=True))
    return max(0.0, 1 - quietest / mean)


def _dawn(by_hour: Sequence[float]) -> int:
    """Return the hour that days begin at: the middle of the quietest stretch of the night, whatever the zone."""
    quiet = [sum(by_hour[(first + hour) % 24] for hour in range(_NIGHT_HOURS)) for first in range(24)]
    return (quiet.index(min(quiet)) + _NIGHT_HOURS // 2) % 24


def _by_hour(amounts: Mapping[int, float]) -> list[float]:
    sums = [0.0] * 24
    for hour, amount in amounts.items():
        sums[hour % 24] += amount
    return sums


def _by_weekday(amounts: Mapping[int, float], dawn: int) -> list[float]:
    sums = [0.0] * 7
    for hour, amount in amounts.items():
        sums[(hour - dawn) // 24 % 7] += amount
    return sums


def _distinct(rates: Mapping[int, float]) -> float:
    """Return how far the hours of the day differ by more than chance, 0 to 1, as an analysis of variance has it."""
    groups: dict[int, list[float]] = {}
    for hour, rate in rates.items():
        groups.setdefault(hour % 24, []).append(rate)
    free = len(rates) - len(groups)
    if free < len(groups) or len(groups) < 2:
        return 1.0
    mean = sum(rates.values()) / len(rates)
    means = {group: sum(members) / len(members) for group, members in groups.items()}
    between = sum(len(members) * (means[group] - mean) ** 2 for group, members in groups.items()) / (len(groups) - 1)
    within = sum((rate - means[hour % 24]) ** 2 for hour, rate in rates.items()) / free
    return max(0.0, 1 - within / between) if between else 0.0


def _clustered(strayed: Mapping[int, float], dawn: int) -> float:
    """Return how far days stray from the hours' habits by more than their hours do by themselves, 0 to 1."""
    by_day: dict[int, float] = {}
    for hour, amount in strayed.items():
        day = (hour - dawn) // 24
        by_day[day] = by_day.get(day, 0.0) + amount
    together = sum(amount**2 for amount in by_day.values())
    return max(0.0, 1 - sum(amount**2 for amount in strayed.values()) / together) if together else 0.0

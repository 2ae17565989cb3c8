"""Whether a window will last: used against elapsed share, and a forecast from what was used so far. Pure.

The forecast carries on with the habits of the hours of the day, as far as the samples know them, scaled to how busy
this window has been; what the last hours show beyond that fades within hours. So an idle night neither halves the
rate nor is taken for work to come, and a burst is not carried on for a week. A weekday that was hardly seen may be one
of rest, which the interval's lower end allows for.

Of windows whose length is not known (`model.length`) nothing is said.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from datetime import datetime, timedelta

from ullage.model import SESSION, WEEK, has_reset, length, same_reset, state_at
from ullage.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ullage.model import Limits, Window

_HOUR = timedelta(hours=1)

# Before this share of a window has passed, what was used in it says nothing yet.
_SHORTEST_SHARE = 0.04

# How far back habits are learned from.
MEMORY = timedelta(days=28)

_STEPS = 120

# Tuned on the simulated weeks of bench/pace.py.
# Sessions of one day differ more from each other than weeks do, and owe less to those before.
_PRIOR_STRENGTH = {SESSION: 1.0, WEEK: 8.0}
_PRIOR_HOURS = 2.0
_PRIOR_DAYS = 0.5
_PRIOR_BLOCKS = 4
_BLOCKS = 7
_CLUSTER = 1.4
_RECENT_HOURS = 0.5
_FADING_HOURS = 1.0
_ROUNDING = 0.5
_DISPERSION = 5.0
# So many standard deviations hold four cases of five; sessions have more outliers than weeks, so that most lie nearer.
_EIGHTY_PERCENT = {SESSION: 1.0, WEEK: 1.28}
# A weekday that was hardly seen may be a day of rest.
_DAYS_OFF = 0.65


class Sample(Record):
    """What a source stated about one window at `at`."""

    at: datetime
    used_percent: float
    resets_at: datetime | None = None


class Forecast(Record):
    """What a statement lets expect; the low and high ends, earliest and latest, enclose four cases of five.

    `ratio` is the used share against the elapsed share: 1 would just last. The projections are percentages used at the
    reset, and may exceed 100. `exhausts_at` is None when the window is expected to last until its reset,
    `exhausts_latest` when it may last, and `exhausts_earliest` when it lasts in all likelihood. A field that cannot be
    known is None.
    """

    ratio: float | None = None
    projected_percent: float | None = None
    projected_low: float | None = None
    projected_high: float | None = None
    exhausts_at: datetime | None = None
    exhausts_earliest: datetime | None = None
    exhausts_latest: datetime | None = None


class Point(Record):
    """What is expected to be used at a moment, with the interval's ends."""

    at: datetime
    low: float
    middle: float
    high: float


def forecast(window: Window, samples: Sequence[Sample], now: datetime) -> Forecast | None:
    """Return what to expect of a window, from its statement and from samples of it and of those before, in any order.

    None when nothing can be said: the window's percentage, reset or length is unknown, it has reset, or too little of
    it has passed. Whether the statement is too old to go by is the caller's to decide (`model.state_at`).
    """
    points = trajectory(window, samples, now)
    if not points:
        return None
    start, last = points[0], points[-1]
    assert window.resets_at is not None
    whole = length(window)
    assert whole is not None
    elapsed = 1 - (window.resets_at - start.at) / whole
    return Forecast(
        ratio=start.middle / 100 / elapsed,
        projected_percent=last.middle,
        projected_low=last.low,
        projected_high=last.high,
        exhausts_at=_crossing([(point.at, point.middle) for point in points]),
        exhausts_earliest=_crossing([(point.at, point.high) for point in points]),
        exhausts_latest=_crossing([(point.at, point.low) for point in points]),
    )


def forecasts(
    windows: Iterable[Window], samples: Mapping[str, Sequence[Sample]], limits: Limits, now: datetime
) -> dict[str, Forecast]:
    """Return the forecasts by window id, of those windows whose statement is fresh; samples are by window id too."""
    found = {
        window.id: forecast(window, samples.get(window.id, ()), now)
        for window in windows
        if state_at(window.as_of, now, limits) == "fresh"
    }
    return {window_id: known for window_id, known in found.items() if known is not None}


def trajectory(window: Window, samples: Sequence[Sample], now: datetime) -> tuple[Point, ...]:
    """Return what is expected from the statement until the reset, in equal steps; nothing where nothing can be said."""
    whole = length(window)
    if whole is None or window.used_percent is None or window.resets_at is None or has_reset(window, now):
        return ()
    elapsed = (window.as_of - (window.resets_at - whole)) / whole
    if not _SHORTEST_SHARE <= elapsed < 1:
        return ()
    stated = Sample(at=window.as_of, used_percent=window.used_percent, resets_at=window.resets_at)
    known = [sample for sample in samples if window.as_of - MEMORY <= sample.at < window.as_of]
    return _projected(stated, _history([*known, stated], whole), whole)


class _Piece:
    """So much was used within one hour of one day; times are hours since the epoch."""

    __slots__ = ("begins", "ends", "used")

    def __init__(self, begins: float, ends: float, used: float) -> None:
        self.begins, self.ends, self.used = begins, ends, used

    @property
    def hours(self) -> float:
        return self.ends - self.begins

    @property
    def hour(self) -> int:
        """The hour of the day, in UTC: habits repeat every 24 hours wherever the day is taken to begin."""
        return int(self.begins) % 24

    @property
    def day(self) -> int:
        return int(self.begins) // 24


def _pieces(begins: float, ends: float, used: float = 0.0) -> Iterator[_Piece]:
    """Cut a stretch of time at the full hours."""
    rate = used / (ends - begins) if ends > begins else 0.0
    while begins < ends:
        cut = min(ends, math.floor(begins) + 1.0)
        yield _Piece(begins, cut, rate * (cut - begins))
        begins = cut


def _history(samples: Sequence[Sample], whole: timedelta) -> list[_Piece]:
    """Take the samples apart into what was used when. A blocked window's rest says nothing about what was wanted."""
    pieces: list[_Piece] = []
    for sequence in by_window(samples):
        resets_at = sequence[-1].resets_at
        assert resets_at is not None
        before, used = _epoch_hours(resets_at - whole), 0.0
        for sample in sequence:
            at = _epoch_hours(sample.at)
            if at > before and used < 100:
                pieces += _pieces(before, at, sample.used_percent - used)
            before, used = max(at, before), sample.used_percent
    return pieces


def _epoch_hours(moment: datetime) -> float:
    return moment.timestamp() / 3600


def by_window(samples: Sequence[Sample]) -> list[list[Sample]]:
    """Sort samples by time and part them by reset; within a window use only grows, so that a later word corrects."""
    sequences: list[list[Sample]] = []
    for sample in sorted((sample for sample in samples if sample.resets_at), key=lambda sample: sample.at):
        assert sample.resets_at is not None
        home = next(
            (each for each in reversed(sequences[-3:]) if same_reset(each[-1].resets_at, sample.resets_at)), None
        )
        if home is None:
            sequences.append([sample])
        else:
            home.append(sample)
    return [_never_falling(sequence) for sequence in sequences]


def of_window(window: Window, samples: Sequence[Sample]) -> list[Sample]:
    """Return the samples of this run of a window alone, with its own statement as the last."""
    if window.used_percent is None or window.resets_at is None:
        return []
    stated = Sample(at=window.as_of, used_percent=window.used_percent, resets_at=window.resets_at)
    earlier = [
        sample for sample in samples if sample.at < window.as_of and same_reset(sample.resets_at, stated.resets_at)
    ]
    return by_window([*earlier, stated])[-1]


def _never_falling(sequence: list[Sample]) -> list[Sample]:
    least = math.inf
    kept = []
    for sample in reversed(sequence):
        least = min(least, sample.used_percent)
        kept.append(sample if sample.used_percent == least else sample.replace(used_percent=least))
    return kept[::-1]


def _projected(stated: Sample, pieces: list[_Piece], whole: timedelta) -> tuple[Point, ...]:
    assert stated.resets_at is not None
    used, now, end = stated.used_percent, _epoch_hours(stated.at), _epoch_hours(stated.resets_at)
    habits = _learned(pieces)
    dispersion = _dispersion(pieces, habits, whole)
    prior = _PRIOR_STRENGTH[whole] * dispersion
    scale = (prior + used) / (prior + habits.expected(end - whole / _HOUR, now))
    excess = _recent_excess(pieces, habits, scale, now)
    step = (end - now) / _STEPS
    points = [Point(at=stated.at, low=used, middle=used, high=used)]
    growth = doubtful = 0.0
    for number in range(1, _STEPS + 1):
        ahead = step * number
        growth += scale * habits.expected(now + ahead - step, now + ahead)
        doubtful += scale * habits.doubtful(now + ahead - step, now + ahead, today=int(now) // 24)
        faded = excess * _FADING_HOURS * (1 - math.exp(-ahead / _FADING_HOURS))
        middle = max(0.0, growth + faded)
        variance = dispersion * (growth + abs(faded)) * (1 + growth / (prior + used))
        spread = _EIGHTY_PERCENT[whole] * math.sqrt(variance)
        at = stated.at + (stated.resets_at - stated.at) * (number / _STEPS)
        low = used + max(0.0, middle - math.hypot(spread, _DAYS_OFF * doubtful))
        points.append(Point(at=at, low=low, middle=used + middle, high=used + middle + spread))
    return tuple(points)


class _Habits:
    """Percent an hour by the hour of the day, times a factor by the day of the week."""

    def __init__(self, by_hour: list[float], by_weekday: list[float], doubt: list[float]) -> None:
        self.by_hour, self.by_weekday, self.doubt = by_hour, by_weekday, doubt

    def of(self, piece: _Piece) -> float:
        """Return what these habits would have used in the piece's time."""
        return self.by_hour[piece.hour] * self.by_weekday[piece.day % 7] * piece.hours

    def expected(self, begins: float, ends: float) -> float:
        """Return what they use between two times."""
        return sum(map(self.of, _pieces(begins, ends)))

    def doubtful(self, begins: float, ends: float, today: int) -> float:
        """Return what of it falls on weekdays that were hardly seen, after today, and may be days of rest."""
        ahead = (piece for piece in _pieces(begins, ends) if piece.day != today)
        return sum(self.of(piece) * self.doubt[piece.day % 7] for piece in ahead)


def _learned(pieces: list[_Piece]) -> _Habits:
    """Learn habits: hours and weekdays that were hardly seen are taken to be like the others."""
    used: dict[tuple[int, int], float] = defaultdict(float)
    seen: dict[tuple[int, int], float] = defaultdict(float)
    for piece in pieces:
        used[piece.hour, piece.day] += piece.used
        seen[piece.hour, piece.day] += piece.hours
    mean = sum(used.values()) / sum(seen.values())
    trust = _distinct({key: used[key] / seen[key] for key in used if seen[key] > 0.5})
    by_hour = [
        mean + trust * (hour_used - mean * hour_seen) / (hour_seen + _PRIOR_HOURS)
        for hour_used, hour_seen in zip(_sums(used, 0, 24), _sums(seen, 0, 24), strict=True)
    ]
    prior = _PRIOR_DAYS * sum(by_hour)
    expected = {key: by_hour[key[0]] * amount for key, amount in seen.items()}
    trust = _clustered({key: used[key] - expected[key] for key in used})
    by_weekday = [
        1 + trust * (day_used - day_expected) / (day_expected + prior) if prior else 1.0
        for day_used, day_expected in zip(_sums(used, 1, 7), _sums(expected, 1, 7), strict=True)
    ]
    doubt = [prior / (day_expected + prior) if prior else 1.0 for day_expected in _sums(expected, 1, 7)]
    return _Habits(by_hour, by_weekday, doubt)


def _sums(amounts: Mapping[tuple[int, int], float], part: int, groups: int) -> list[float]:
    sums = [0.0] * groups
    for key, amount in amounts.items():
        sums[key[part] % groups] += amount
    return sums


def _distinct(values: Mapping[tuple[int, int], float]) -> float:
    """Return how far groups differ by more than chance, 0 to 1; values are keyed by group and repetition."""
    groups: dict[int, list[float]] = defaultdict(list)
    for (group, _), value in values.items():
        groups[group].append(value)
    free = len(values) - len(groups)
    if free < len(groups) or len(groups) < 2:
        return 1.0
    mean = sum(values.values()) / len(values)
    means = {group: sum(members) / len(members) for group, members in groups.items()}
    between = sum(len(members) * (means[group] - mean) ** 2 for group, members in groups.items()) / (len(groups) - 1)
    within = sum((value - means[group]) ** 2 for (group, _), value in values.items()) / free
    return max(0.0, 1 - within / between) if between else 0.0


def _clustered(strayed: Mapping[tuple[int, int], float]) -> float:
    """Return how far days stray from the hours' habits by more than their hours do by themselves, 0 to 1."""
    by_day: dict[int, float] = defaultdict(float)
    for (_, day), amount in strayed.items():
        by_day[day] += amount
    together = sum(amount**2 for amount in by_day.values())
    return max(0.0, 1 - sum(amount**2 for amount in strayed.values()) / together) if together else 0.0


def _dispersion(pieces: list[_Piece], habits: _Habits, whole: timedelta) -> float:
    """Return how much use strays from the habits: the variance, in points, of a share of use that is one point."""
    used: dict[int, float] = defaultdict(float)
    expected: dict[int, float] = defaultdict(float)
    for piece in pieces:
        block = int(piece.begins / (whole / _HOUR) * _BLOCKS)
        used[block] += piece.used
        expected[block] += habits.of(piece)
    strayed = sum((used[block] - expected[block]) ** 2 / (expected[block] + 1) for block in used)
    return (_PRIOR_BLOCKS * _DISPERSION + strayed * _CLUSTER) / (_PRIOR_BLOCKS + len(used))


def _recent_excess(pieces: list[_Piece], habits: _Habits, scale: float, now: float) -> float:
    """Return by how many percent an hour the last hours differ from what the habits let expect."""
    used = expected = hours = 0.0
    for piece in pieces:
        ago = now - (piece.begins + piece.ends) / 2
        if ago < 6 * _RECENT_HOURS:
            weight = math.exp(-ago / _RECENT_HOURS)
            used += weight * piece.used
            expected += weight * scale * habits.of(piece)
            hours += weight * piece.hours
    # What sources round to whole percents strays by about a point without meaning anything.
    strayed = abs(used - expected)
    trust = strayed / (strayed + _ROUNDING)
    return trust * (used - expected) / (hours + _RECENT_HOURS / 2) if hours else 0.0


def _crossing(course: Sequence[tuple[datetime, float]]) -> datetime | None:
    """Return when a course reaches 100, between two of its points by the straight line."""
    for (before, lower), (after, upper) in itertools.pairwise(course):
        if upper >= 100:
            return before if lower >= 100 else before + (after - before) * ((100 - lower) / (upper - lower))
    return None

"""What was used when, from what was stated: the samples of each run of a window, and use by the hour. Pure."""

from __future__ import annotations

import itertools
import math

from ullage.base.record import Record
from ullage.quota.model import RESET_SLACK, is_same_reset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime, timedelta

    from ullage.quota.model import Window

    # From, to, in hours since the epoch, and how many percent of the window were used meanwhile.
    Stretch = tuple[float, float, float]

# Use over a longer time than this may have been used in any part of it.
_BLUR_HOURS = 6.0
# A fall to less than one percent by more than rounding and corrections come to: the count began anew.
_NOTHING_PERCENT, _FALL_PERCENT = 1.0, 5.0


class Sample(Record):
    """What a source stated about one window at `at`."""

    at: datetime
    used_percent: float
    resets_at: datetime | None = None


class Course:
    """Use by the hour, over all runs of a window that the samples know.

    `used` holds percent, `seen` how much of the hour was watched, and `resolved` how much of it other than by a stretch
    too long to tell when in it work was done, all by the hour's number since the epoch, in UTC. `stretches` has the
    same uncut, and `begins` is the time at which the count of the last run began.
    """

    def __init__(self, samples: Iterable[Sample], whole: timedelta) -> None:
        self.stretches: list[Stretch] = []
        self.begins = 0.0
        for run in _runs(samples):
            self._append(run, whole)
        self.used: dict[int, float] = {}
        self.seen: dict[int, float] = {}
        self.resolved: dict[int, float] = {}
        for begins, ends, used in self.stretches:
            rate = used / (ends - begins)
            for hour, hours in cut_at_hours(begins, ends):
                self.used[hour] = self.used.get(hour, 0.0) + rate * hours
                self.seen[hour] = self.seen.get(hour, 0.0) + hours
                if ends - begins < _BLUR_HOURS or not used:
                    self.resolved[hour] = self.resolved.get(hour, 0.0) + hours

    def _append(self, run: list[Sample], whole: timedelta) -> None:
        """Add a run's stretches. The rest of one that ran out says nothing about what was wanted."""
        first = _first_of_count(run)
        resets_at = run[-1].resets_at
        assert resets_at is not None
        began = resets_at - whole
        if first and run[first].at > began + RESET_SLACK:
            began = run[first].at
        self.begins = count_epoch_hours(began)
        before, used = self.begins, 0.0
        for at, percent in _never_falling(run[first:]):
            if at > before and used < 100:
                self.stretches.append((before, at, percent - used))
            before, used = max(at, before), percent


def cut_at_hours(begins: float, ends: float) -> Iterator[tuple[int, float]]:
    """Cut a stretch of time at the full hours: each hour's number, and how much of it belongs to the stretch."""
    hour = math.floor(begins)
    while begins < ends:
        cut = min(ends, hour + 1.0)
        yield hour, cut - begins
        begins, hour = cut, hour + 1


def count_epoch_hours(moment: datetime) -> float:
    """Return a time as hours since the epoch."""
    return moment.timestamp() / 3600


def list_run(window: Window, samples: Sequence[Sample]) -> list[Sample]:
    """Return the samples of this run of a window alone, with its own statement as the last."""
    if window.used_percent is None or window.resets_at is None:
        return []
    stated = Sample(at=window.as_of, used_percent=window.used_percent, resets_at=window.resets_at)
    earlier = [
        sample for sample in samples if sample.at < window.as_of and is_same_reset(sample.resets_at, stated.resets_at)
    ]
    run = list(_runs([*earlier, stated]))[-1]
    counted = run[_first_of_count(run) :]
    return [
        sample if sample.used_percent == percent else sample.replace(used_percent=percent)
        for sample, (_, percent) in zip(counted, _never_falling(counted), strict=True)
    ]


def _runs(samples: Iterable[Sample]) -> list[list[Sample]]:
    """Sort samples by time and part them by reset."""
    runs: list[list[Sample]] = []
    for sample in sorted((sample for sample in samples if sample.resets_at), key=_order):
        home = next((run for run in reversed(runs[-3:]) if _same_run(run[-1], sample)), None)
        if home is None:
            runs.append([sample])
        else:
            home.append(sample)
    return runs


def _same_run(one: Sample, other: Sample) -> bool:
    # Nearly all are equal, which is quicker to see than how far they differ.
    return one.resets_at == other.resets_at or is_same_reset(one.resets_at, other.resets_at)


def _order(sample: Sample) -> tuple[datetime, float, datetime]:
    assert sample.resets_at is not None
    return sample.at, sample.used_percent, sample.resets_at


def _first_of_count(run: list[Sample]) -> int:
    """Return where the count began that a run ends with.

    A percentage that falls to nothing was an echo of the run before, or the server gave back what was used: either way
    nothing before belongs to what is stated now.
    """
    for number in range(len(run) - 1, 0, -1):
        used, before = run[number].used_percent, run[number - 1].used_percent
        if used < _NOTHING_PERCENT and before - used > _FALL_PERCENT:
            return number
    return 0


def _never_falling(run: list[Sample]) -> list[tuple[float, float]]:
    """Return time and percent of each sample; within a run use only grows, so that a later word corrects."""
    least = itertools.accumulate((sample.used_percent for sample in reversed(run)), min)
    return [(count_epoch_hours(sample.at), percent) for sample, percent in zip(run, reversed(list(least)), strict=True)]

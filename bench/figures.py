"""From times to a table: medians with their spread, and ratios to a named baseline. Pure."""

from __future__ import annotations

import math
import statistics
from dataclasses import asdict, dataclass

# A change that is sure and smaller than this is not worth a word.
_MATTERS = 1.02
_UNSURE = 0.01

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    # What a module without a baseline of its own may return: what, median and interquartile range in milliseconds.
    Plain = tuple[str, float, float]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One row: times in milliseconds, memory in MiB; `ratio` and `aim` are to the median of the row `baseline` names.

    A row without a median is a count or a claim that `note` states.
    """

    what: str
    runs: int = 0
    median: float | None = None
    quartiles: tuple[float, float] | None = None
    slowest: float | None = None
    baseline: str | None = None
    ratio: float | None = None
    aim: float | None = None
    peak: float | None = None
    note: str = ""


def figure(what: str, times: Sequence[float], *, peak: float | None = None, note: str = "") -> Figure:
    """Summarise one row's times, given in seconds."""
    milliseconds = [1000 * time for time in times]
    lower, median, upper = quartiles(milliseconds)
    return Figure(
        what=what,
        runs=len(milliseconds),
        median=median,
        quartiles=(lower, upper),
        slowest=max(milliseconds),
        peak=peak,
        note=note,
    )


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Return lower quartile, median and upper quartile; of a single value, three times that."""
    if len(values) == 1:
        return (values[0],) * 3
    lower, _, upper = statistics.quantiles(values, n=4, method="inclusive")
    return lower, statistics.median(values), upper


def compared(
    figures: Iterable[Figure], baselines: Mapping[str, str], aims: Mapping[str, float] | None = None
) -> list[Figure]:
    """Add to each row that `baselines` names its ratio to the other row's median, and the aim where there is one."""
    figures = list(figures)
    medians = {figure.what: figure.median for figure in figures}
    return [_compared(figure, baselines.get(figure.what), medians, (aims or {}).get(figure.what)) for figure in figures]


def _compared(figure: Figure, baseline: str | None, medians: Mapping[str, float | None], aim: float | None) -> Figure:
    if baseline is None:
        return figure
    other = medians[baseline]
    assert figure.median is not None and other
    return Figure(**{**vars(figure), "baseline": baseline, "ratio": figure.median / other, "aim": aim})


@dataclass(frozen=True, kw_only=True)
class Change:
    """What one thing took before and after, in milliseconds, and between what bounds the ratio surely lies."""

    pairs: int
    before: float
    after: float
    ratio: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """`slower`, `faster`, or nothing where the difference may be noise or is too small to matter."""
        if self.low > 1 and self.ratio >= _MATTERS:
            return "slower"
        return "faster" if self.high < 1 and self.ratio <= 1 / _MATTERS else ""


def change(pairs: Sequence[tuple[float, float]]) -> Change:
    """Compare times that were taken in pairs, in seconds: by the median of their ratios, which no outlier moves.

    The bounds are the ratios that the median lies between in 99 of 100 such comparisons, whatever their distribution:
    how many of the pairs lie below their true median is a toss of coins.
    """
    ratios = sorted(after / before for before, after in pairs)
    certain = _certain(len(ratios))
    return Change(
        pairs=len(pairs),
        before=1000 * statistics.median(before for before, _ in pairs),
        after=1000 * statistics.median(after for _, after in pairs),
        ratio=statistics.median(ratios),
        low=ratios[certain - 1] if certain else 0.0,
        high=ratios[-certain] if certain else math.inf,
    )


def _certain(count: int) -> int:
    """Return how many of so many tosses show heads at least, but for one case in two hundred; 0 for too few tosses."""
    fewer = 0.0
    for heads in range(count):
        fewer += math.comb(count, heads) / 2**count
        if fewer > _UNSURE / 2:
            return heads
    return 0


def from_plain(row: Figure | Plain) -> Figure:
    """Accept a bare (what, median, interquartile range) row."""
    if isinstance(row, Figure):
        return row
    what, median, spread = row
    return Figure(what=what, median=median, quartiles=(median - spread / 2, median + spread / 2))


def cells(figure: Figure) -> list[str]:
    """Return the row as the table shows it; what is not known is empty."""
    return [
        figure.what,
        _number(figure.median),
        "–".join(map(_number, figure.quartiles)) if figure.quartiles else "",
        _number(figure.slowest),
        _ratio(figure),
        f"{figure.peak:.1f}" if figure.peak is not None else "",
        str(figure.runs or ""),
        figure.note,
    ]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}" if value < 100 else f"{value:.0f}"


def _ratio(figure: Figure) -> str:
    if figure.ratio is None:
        return ""
    aim = "" if figure.aim is None else f" (≤ {figure.aim:g} {'✓' if figure.ratio <= figure.aim else '✗'})"
    return f"{figure.ratio:.2f} × {figure.baseline}{aim}"


def as_json(figure: Figure) -> dict[str, Any]:
    """Return the row for results.json: milliseconds and MiB, null for what is not known."""
    return asdict(figure)

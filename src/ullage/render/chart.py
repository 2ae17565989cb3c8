"""A window's burn-up, drawn with characters for a terminal. Pure."""

from __future__ import annotations

import math

from ullage.base.record import Record
from ullage.base.text import clean
from ullage.quota.model import grade_percent, has_reset
from ullage.render import words
from ullage.render.burnup import FULL, describe_outlook, interpolate_used, list_stretches, list_ticks
from ullage.render.cells import fit, measure_spans, trim_end, wrap, wrap_parts
from ullage.render.segment import format_number
from ullage.render.surfaces import Span, join_spans

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from typing import Literal

    from ullage.quota.model import Thresholds
    from ullage.quota.pace import Point
    from ullage.quota.timeline import Level
    from ullage.render.burnup import Burnup

    Line = list[Span]

_MARGIN_CELLS = 5
_GAP = "  "
# A cell filled from below by eighths; in ASCII it is either filled or empty.
_EIGHTHS = " ▁▂▃▄▅▆▇█"
_BLANK = Span(text=" ")


class _Signs(Record):
    """The characters of a chart's parts; `fills` go from an empty to a full cell."""

    fills: str = _EIGHTHS
    unseen: str = "▒"
    ideal: str = "·"
    band: str = "░"
    expected: str = "•"
    limit: str = "▁"


_ASCII = _Signs(fills=" #", unseen="+", ideal=".", band=":", expected="o", limit="_")


class ChartForm(Record):
    """How a chart is drawn: `height` counts the plot alone.

    A `brief` chart leaves out the interval, and a `stacked` one has a heading of two lines whatever there is room for.
    With `show_left`, where other numbers say what is left, its number says that it is of what is used.
    The plot stands below at least `heading_lines`, so that those of several charts side by side are level.
    """

    width: int
    height: int
    thresholds: Thresholds
    ascii_only: bool = False
    brief: bool = False
    stacked: bool = False
    heading_lines: int = 0
    show_left: bool = False


def lay_out_page(burnup: Burnup, form: ChartForm) -> list[Line]:
    """Return the chart with a heading, and the forecast's interval and what the signs mean below."""
    width, thresholds, ascii_only = form.width, form.thresholds, form.ascii_only
    signs = _ASCII if ascii_only else _Signs()
    below = [] if form.brief else _interval(burnup)
    above = wrap_heading(burnup, form)
    lines = [
        *above,
        *([] for _ in range(form.heading_lines - len(above))),
        *draw(burnup, width, form.height, thresholds=thresholds, ascii_only=ascii_only),
        *(part for line in below for part in wrap(line, width)),
        *wrap_parts(_legend(burnup, signs, thresholds), width, _GAP),
    ]
    return [fit(trim_end(line), width, ascii_only=ascii_only) for line in lines]


def wrap_heading(burnup: Burnup, form: ChartForm) -> list[Line]:
    """Return the heading's lines, none wider than the chart."""
    width = 0 if form.stacked else form.width
    lines = lay_out_heading(burnup, width, form.thresholds, ascii_only=form.ascii_only, names_use=form.show_left)
    return [part for line in lines for part in wrap_parts(line, form.width, "; ")]


def lay_out_heading(
    burnup: Burnup, width: int, thresholds: Thresholds, *, ascii_only: bool, names_use: bool = False
) -> list[Line]:
    """Return the window's name, its number, what to expect and when it resets: one line where they fit, else two."""
    window, now, used = burnup.window, burnup.now, burnup.used_percent
    level = _level_of(burnup, thresholds)
    name = Span(text=_plain(clean(window.label), ascii_only=ascii_only), style="bold")
    age = words.format_freshness(window, thresholds, now)
    if used is None:
        passed = has_reset(window, now)
        mark = words.choose_reset_mark(ascii_only=ascii_only) if passed else "?"
        shown = [name, Span(text=f"{_GAP}{mark}{_GAP}")]
        return _one_or_two(shown, [Span(text=words.HAS_RESET if passed else age, level="faint")], width)
    number = format_number(window, used, now, thresholds, left=False, ascii_only=ascii_only)
    expected = describe_outlook(burnup)
    said = f"{number.text} {words.USED}" if names_use and number.level != "exhausted" else number.text
    start = [name, Span(text=f"{_GAP}{said}{_GAP}", level=number.level, style="bold")]
    if window.used and window.limit:
        start.append(Span(text=words.format_amounts(window.used, window.limit) + _GAP))
    outlook: Line = [
        Span(text=expected.text, level=level if level == "exhausted" else "warning" if expected.warns else None)
    ]
    if level != "exhausted":
        comma = "; " if expected.text else ""
        outlook.append(Span(text=comma + words.describe_reset(window, now, burnup.timezone), level="faint"))
    if burnup.state != "fresh":
        outlook.append(Span(text=f"; {age}", level="faint"))
    return _one_or_two(start, outlook, width)


def _one_or_two(start: Line, said: Line, width: int) -> list[Line]:
    together = [*start, *said]
    return [together] if measure_spans(together) <= width else [start, said]


def _plain(text: str, *, ascii_only: bool) -> str:
    return text.encode("ascii", "replace").decode() if ascii_only else text


def _level_of(burnup: Burnup, thresholds: Thresholds) -> Level:
    window = burnup.window
    if burnup.used_percent is None or (burnup.state == "stale" and burnup.used_percent < FULL):
        return "stale"
    return grade_percent(burnup.used_percent, window.severity, thresholds)


def _interval(burnup: Burnup) -> list[Line]:
    found = words.format_interval(burnup.forecast, burnup.now, burnup.timezone) if burnup.forecast else ""
    return [[Span(text=f"In four cases of five it runs out {found}", level="faint")]] if found else []


def _legend(burnup: Burnup, signs: _Signs, thresholds: Thresholds) -> Line:
    level = _level_of(burnup, thresholds)
    exhausted = level == "exhausted"
    parts = [
        Span(text=signs.fills[-1], level="normal" if exhausted else level),
        Span(text=f" {words.USED}{_GAP}", level="faint"),
    ]
    if exhausted:
        parts += [Span(text=signs.fills[-1], level=level), Span(text=f" {words.USED_UP}{_GAP}", level="faint")]
    if any(stretch.how == "unseen" for stretch in list_stretches(burnup)):
        parts += [Span(text=signs.unseen, level=level), Span(text=f" {words.UNSEEN}{_GAP}", level="faint")]
    if not burnup.is_history:
        parts += [Span(text=signs.ideal), Span(text=f" {words.JUST_LASTS}{_GAP}", level="faint")]
    if burnup.ahead:
        parts += [
            Span(text=signs.expected, level=_expected_level(burnup)),
            Span(text=f" {words.EXPECTED}{_GAP}", level="faint"),
        ]
        parts += [Span(text=f"{signs.band} four cases of five", level="faint")]
    return [*parts[:-1], parts[-1].replace(text=parts[-1].text.rstrip())]


def _expected_level(burnup: Burnup) -> Level | None:
    return "warning" if describe_outlook(burnup).warns else None


def draw(burnup: Burnup, width: int, height: int, *, thresholds: Thresholds, ascii_only: bool) -> list[Line]:
    """Return the plot and its axis as lines of spans, less than `width` cells wide; `height` counts the plot alone."""
    plot = _Plot(burnup, max(10, width - _MARGIN_CELLS - 1), height, thresholds, _ASCII if ascii_only else _Signs())
    names = {plot.row(FULL): "100% ", plot.row(50): " 50% ", height - 1: "  0% "}
    lines: list[Line] = []
    for number, cells in enumerate(plot.cells):
        margin = Span(text=names.get(number, " " * _MARGIN_CELLS), level="faint")
        lines.append([margin, *join_spans(cells)])
    return [*lines, [Span(text=_axis(burnup, plot.columns), level="faint")]]


class _Plot:
    """The cells of a plot, from the top row down; 100 % is the lower edge of a row."""

    def __init__(self, burnup: Burnup, columns: int, height: int, thresholds: Thresholds, signs: _Signs) -> None:
        self.burnup, self.columns, self.height, self.thresholds, self.signs = burnup, columns, height, thresholds, signs
        self._rows_to_full = max(1, min(height - 1, round(height * FULL / burnup.top)))
        self._level = _level_of(burnup, thresholds)
        self._gaps = [stretch for stretch in list_stretches(burnup) if stretch.how != "seen"]
        self.cells = [[_BLANK] * columns for _ in range(height)]
        for column in range(columns):
            self._draw_column(column)

    def row(self, percent: float) -> int:
        """Return the row that contains a percentage, or has it as its lower edge."""
        return min(max(self.height - 1 - math.floor(self._rows(percent) + 1e-9), 0), self.height - 1)

    def _rows(self, percent: float) -> float:
        return percent / FULL * self._rows_to_full

    def _draw_column(self, column: int) -> None:
        burnup, share = self.burnup, (column + 0.5) / self.columns
        at = burnup.begins + (burnup.ends - burnup.begins) * share
        point = _point_at(burnup.ahead, at)
        if point is not None:
            for line in range(self.row(point.high), self.row(point.low) + 1):
                self._put(line, column, self.signs.band, "faint")
        elif burnup.used and (not burnup.is_history or burnup.used[0].at <= at) and at <= burnup.used[-1].at:
            self._fill(column, at)
        if not burnup.is_history:
            self._draw_ideal(column, FULL * share)
        limit = self.row(FULL)
        if self.cells[limit][column].text in (" ", self.signs.band):
            self._put(limit, column, self.signs.limit, "critical")
        if point is not None and self._rows(point.middle) < self.height:
            self._put(self.row(point.middle), column, self.signs.expected, _expected_level(burnup))

    def _fill(self, column: int, at: datetime) -> None:
        used = min(interpolate_used(self.burnup.used, at, self.burnup.begins), FULL)
        rows = self._rows(used)
        gap = next((gap for gap in self._gaps if gap.before.at < at < gap.after.at), None)
        if gap is not None and gap.how == "restarted":
            return
        level = self._level_at(used)
        fills = self.signs.fills
        for line in range(self.height):
            filled = rows - (self.height - 1 - line)
            step = min(max(math.ceil(filled * (len(fills) - 1)), 0), len(fills) - 1)
            if step and gap is not None:
                self._put(line, column, self.signs.unseen, level)
            elif step:
                self._put(line, column, fills[step], level)

    def _level_at(self, used: float) -> Level:
        """Return the level of a past column: exhausted while the window was used up, else its level now."""
        if used >= FULL or self._level != "exhausted":
            return self._level
        return grade_percent(used, None, self.thresholds)

    def _draw_ideal(self, column: int, percent: float) -> None:
        """Draw the line that would just last: on what is used it shows the terminal's background."""
        line = self.row(percent)
        below = self.cells[line][column]
        is_filled = below.text == self.signs.fills[-1]
        if below.text == " " or below.text in (self.signs.band, self.signs.unseen):
            self._put(line, column, self.signs.ideal, None)
        elif is_filled:
            self.cells[line][column] = Span(text=self.signs.ideal, level=below.level, style="reverse")

    def _put(self, line: int, column: int, text: str, level: Level | Literal["faint"] | None) -> None:
        self.cells[line][column] = Span(text=text, level=level)


def _point_at(points: Sequence[Point], moment: datetime) -> Point | None:
    if not points or moment < points[0].at:
        return None
    return min(points, key=lambda point: abs(point.at - moment))


def _axis(burnup: Burnup, columns: int) -> str:
    cells = [" "] * (columns + _MARGIN_CELLS)
    free_from = _MARGIN_CELLS
    for moment, name in list_ticks(burnup):
        start = _MARGIN_CELLS + round(burnup.measure_share(moment) * (columns - 1))
        if start >= free_from and start + len(name) <= len(cells):
            cells[start : start + len(name)] = name
            free_from = start + len(name) + 1
    return "".join(cells).rstrip()

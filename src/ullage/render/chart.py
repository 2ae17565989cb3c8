"""A window's burn-up, drawn with characters for a terminal. Pure."""

from __future__ import annotations

from ullage.render import words
from ullage.render.burnup import FULL, Burnup, course, outlook, ticks, title, used_at
from ullage.render.surfaces import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ullage.quota.pace import Point
    from ullage.quota.timeline import Level

_MARGIN_CELLS = 5


def page(burnup: Burnup, width: int, height: int, *, ascii_only: bool, brief: bool = False) -> list[list[Span]]:
    """Return the chart with its title above, and the outlook and what the marks mean below.

    A `brief` one leaves the outlook out.
    """
    marks = _ASCII_MARKS if ascii_only else _MARKS
    gaps = any(not seen for _, seen in course(burnup))
    below: list[list[Span]] = []
    expected = outlook(burnup)
    if expected.text:
        below.append([Span(text=_sentence(expected.text), level="warning" if expected.warns else None)])
    if burnup.forecast and words.interval(burnup.forecast, burnup.now, burnup.timezone):
        text = f"Four cases of five: {words.interval(burnup.forecast, burnup.now, burnup.timezone)}"
        below.append([Span(text=text, level="stale")])
    below.append([Span(text=f"Resets {words.clock(burnup.resets_at, burnup.now, burnup.timezone)}", level="stale")])
    legend = [
        Span(text=marks["used"], level="normal"),
        Span(text=" used  ", level="stale"),
        *([Span(text=marks["unseen"], level="normal"), Span(text=" unseen  ", level="stale")] if gaps else ()),
        Span(text=marks["ideal"] + " just lasts  ", level="stale"),
    ]
    if burnup.ahead:
        legend += [Span(text=marks["expected"], level="warning"), Span(text=" expected", level="stale")]
    drawn = draw(burnup, width, height, ascii_only=ascii_only)
    return [[Span(text=title(burnup))], *drawn, *([] if brief else below), legend]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def draw(burnup: Burnup, width: int, height: int, *, ascii_only: bool) -> list[list[Span]]:
    """Return the chart as lines of spans, `width` cells wide; `height` counts the plot alone."""
    columns = max(10, width - _MARGIN_CELLS - 1)
    grid: list[list[tuple[str, Level | None]]] = [[(" ", None)] * columns for _ in range(height)]
    marks = _ASCII_MARKS if ascii_only else _MARKS
    gaps = [stretch for stretch, seen in course(burnup) if not seen]

    def row(percent: float) -> int:
        return min(max(height - 1 - round(percent / burnup.top * (height - 1)), 0), height - 1)

    for column in range(columns):
        share = column / (columns - 1)
        at = burnup.begins + (burnup.resets_at - burnup.begins) * share
        grid[row(FULL * share)][column] = (marks["ideal"], "stale")
        point = _point_at(burnup.ahead, at)
        if point is not None:
            for line in range(row(point.high), row(point.low) + 1):
                grid[line][column] = (marks["band"], "warning")
        elif burnup.used and at <= burnup.used[-1].at:
            mark = "unseen" if any(gap[0].at < at < gap[1].at for gap in gaps) else "used"
            for line in range(row(used_at(burnup.used, at, burnup.begins)), height):
                grid[line][column] = (marks[mark], "normal")
        grid[row(FULL)][column] = (marks["limit"], "critical")
        if point is not None and point.middle <= burnup.top:
            grid[row(point.middle)][column] = (marks["expected"], "warning")
    lines = []
    for number, cells in enumerate(grid):
        percent = {row(FULL): "100% ", row(50): " 50% ", height - 1: "  0% "}.get(number, " " * _MARGIN_CELLS)
        lines.append([Span(text=percent, level="stale"), *(Span(text=text, level=level) for text, level in cells)])
    return [*lines, [Span(text=_axis(burnup, columns), level="stale")]]


_MARKS = {"limit": "─", "ideal": "·", "band": "░", "expected": "•", "used": "█", "unseen": "▒"}
_ASCII_MARKS = {"limit": "-", "ideal": ".", "band": ":", "expected": "o", "used": "#", "unseen": "+"}


def _point_at(points: Sequence[Point], moment: datetime) -> Point | None:
    if not points or moment < points[0].at:
        return None
    return min(points, key=lambda point: abs(point.at - moment))


def _axis(burnup: Burnup, columns: int) -> str:
    cells = [" "] * (columns + _MARGIN_CELLS)
    free_from = _MARGIN_CELLS
    for moment, name in ticks(burnup):
        start = _MARGIN_CELLS + round(burnup.share(moment) * (columns - 1))
        if start >= free_from and start + len(name) <= len(cells):
            cells[start : start + len(name)] = name
            free_from = start + len(name) + 1
    return "".join(cells).rstrip()

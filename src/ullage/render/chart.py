"""A window's burn-up: what was used, the line that would just last, the forecast's band, the reset. Pure.

Drawn with characters for a terminal, or as a scene of shapes that `svg` writes and `render.picture` paints.
"""

from __future__ import annotations

import itertools
import math
from datetime import timedelta
from html import escape

from ullage.base.record import Record
from ullage.base.text import clean
from ullage.quota import pace
from ullage.quota.model import has_reset, length
from ullage.quota.pace import Sample
from ullage.render import words
from ullage.render.surfaces import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, tzinfo

    from ullage.quota.model import Window
    from ullage.quota.pace import Forecast, Point
    from ullage.quota.timeline import Level

_MARGIN_CELLS = 5
_FULL = 100.0
_LONGEST_SEEN = 0.1


class Burnup(Record):
    """What a chart shows of one window: its past, and what is expected of its rest."""

    window: Window
    begins: datetime
    resets_at: datetime
    now: datetime
    used: tuple[Sample, ...]
    ahead: tuple[Point, ...]
    forecast: Forecast | None
    timezone: tzinfo | None = None

    @property
    def top(self) -> float:
        """The highest percentage of the chart: 100 and a little, or what is expected, up to half as much again."""
        highest = max([_FULL, *(sample.used_percent for sample in self.used), *(point.middle for point in self.ahead)])
        return min(150.0, math.ceil(highest * 1.05 / 10) * 10.0)

    def share(self, moment: datetime) -> float:
        """Return how much of the window has passed at a moment, 0 to 1."""
        return min(max((moment - self.begins) / (self.resets_at - self.begins), 0.0), 1.0)


def burnup(window: Window, samples: Sequence[Sample], forecast: Forecast | None, now: datetime) -> Burnup | None:
    """Return what a chart shows of a window; None when it has no course to show."""
    whole = length(window)
    if whole is None or window.used_percent is None or window.resets_at is None or has_reset(window, now):
        return None
    return Burnup(
        window=window,
        begins=window.resets_at - whole,
        resets_at=window.resets_at,
        now=now,
        used=tuple(pace.of_window(window, samples)),
        ahead=pace.trajectory(window, samples, now) if forecast else (),
        forecast=forecast,
    )


def title(burnup: Burnup) -> str:
    """Return the window's name and what it stands at."""
    window = burnup.window
    used = "" if window.used_percent is None else f": {words.percent(window.used_percent)} used"
    return clean(window.label) + used


def outlook(forecast: Forecast | None, resets_at: datetime, now: datetime, timezone: tzinfo | None = None) -> str:
    """Return in words whether a window lasts; nothing where nobody knows."""
    if forecast is None or forecast.projected_percent is None:
        return ""
    if forecast.exhausts_at is None:
        lasts = "lasts" if forecast.exhausts_earliest is None else "probably lasts"
        return f"{lasts}, about {words.percent(forecast.projected_percent)} at the reset"
    if forecast.exhausts_at <= now:
        return "about to run out"
    before = words.countdown(resets_at - forecast.exhausts_at)
    return f"runs out {words.clock(forecast.exhausts_at, now, timezone)}, {before} before reset"


def interval(forecast: Forecast, now: datetime, timezone: tzinfo | None = None) -> str:
    """Return the forecast's interval in words."""
    if forecast.exhausts_earliest is None:
        return ""
    earliest = words.clock(max(forecast.exhausts_earliest, now), now, timezone)
    if forecast.exhausts_latest is None:
        return f"{earliest} at the earliest, or not before the reset"
    return f"between {earliest} and {words.clock(forecast.exhausts_latest, now, timezone)}"


def ticks(burnup: Burnup) -> list[tuple[datetime, str]]:
    """Return the moments that the time axis names: full hours, or midnights by the weekday."""
    if burnup.resets_at - burnup.begins <= timedelta(days=1):
        first = burnup.begins.astimezone(burnup.timezone).replace(minute=0, second=0, microsecond=0)
        moments, form = [first + timedelta(hours=number) for number in range(26)], "%H:%M"
    else:
        first = burnup.begins.astimezone(burnup.timezone).replace(hour=0, minute=0, second=0, microsecond=0)
        moments, form = [first + timedelta(days=number) for number in range(33)], "%a"
    return [(moment, moment.strftime(form)) for moment in moments if burnup.begins <= moment <= burnup.resets_at]


def sparkline(samples: Sequence[Sample], begins: datetime, resets_at: datetime, cells: int, *, ascii_only: bool) -> str:
    """Return what a window stood at by the end of each equal part of its time, from its start to its reset.

    A part is empty while it is to come, and where nobody knows when its use grew. It is full from 100 % on only.
    """
    levels = "_.-=*#" if ascii_only else "▁▂▃▄▅▆▇█"
    step, last = (resets_at - begins) / cells, samples[-1].at
    gaps = [pair for pair, seen in _stretches(samples, begins, resets_at) if not seen]
    shown = ""
    for number in range(cells):
        at = min(begins + step * (number + 1), last)
        to_come = begins + step * number >= last
        if to_come or any(before.at < at < after.at for before, after in gaps):
            shown += " "
        else:
            share = min(max(_used_at(samples, at, begins) / _FULL, 0.0), 1.0)
            shown += levels[math.floor(share * (len(levels) - 1))]
    return shown


def course(burnup: Burnup) -> list[tuple[tuple[Sample, Sample], bool]]:
    """Return the stretches between samples from the window's start on, and whether each was seen.

    Where use grew between two samples that lie far apart, nobody knows when it did.
    """
    return _stretches(burnup.used, burnup.begins, burnup.resets_at)


def _stretches(
    samples: Sequence[Sample], begins: datetime, resets_at: datetime
) -> list[tuple[tuple[Sample, Sample], bool]]:
    start = Sample(at=begins, used_percent=0.0, resets_at=resets_at)
    longest = (resets_at - begins) * _LONGEST_SEEN
    return [
        (pair, pair[0].used_percent == pair[1].used_percent or pair[1].at - pair[0].at <= longest)
        for pair in itertools.pairwise([start, *samples])
    ]


def _used_at(samples: Sequence[Sample], moment: datetime, begins: datetime) -> float:
    """Return what was used at a moment, by the straight line between the samples around it."""
    at, used = begins, 0.0
    for sample in samples:
        if sample.at >= moment:
            return used + (sample.used_percent - used) * ((moment - at) / (sample.at - at)) if sample.at > at else used
        at, used = sample.at, sample.used_percent
    return used


def page(burnup: Burnup, width: int, height: int, *, ascii_only: bool, brief: bool = False) -> list[list[Span]]:
    """Return the chart with its title above, and the outlook and what the marks mean below.

    A `brief` one leaves the outlook out.
    """
    marks = _ASCII_MARKS if ascii_only else _MARKS
    gaps = any(not seen for _, seen in course(burnup))
    below = []
    expected = outlook(burnup.forecast, burnup.resets_at, burnup.now, burnup.timezone)
    if expected:
        runs_out = burnup.forecast is not None and burnup.forecast.exhausts_at is not None
        below.append([Span(text=_sentence(expected), level="warning" if runs_out else None)])
    if burnup.forecast and interval(burnup.forecast, burnup.now, burnup.timezone):
        text = f"Four cases of five: {interval(burnup.forecast, burnup.now, burnup.timezone)}"
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
        grid[row(_FULL * share)][column] = (marks["ideal"], "stale")
        point = _point_at(burnup.ahead, at)
        if point is not None:
            for line in range(row(point.high), row(point.low) + 1):
                grid[line][column] = (marks["band"], "warning")
        elif burnup.used and at <= burnup.used[-1].at:
            mark = "unseen" if any(gap[0].at < at < gap[1].at for gap in gaps) else "used"
            for line in range(row(_used_at(burnup.used, at, burnup.begins)), height):
                grid[line][column] = (marks[mark], "normal")
        grid[row(_FULL)][column] = (marks["limit"], "critical")
        if point is not None and point.middle <= burnup.top:
            grid[row(point.middle)][column] = (marks["expected"], "warning")
    lines = []
    for number, cells in enumerate(grid):
        percent = {row(_FULL): "100% ", row(50): " 50% ", height - 1: "  0% "}.get(number, " " * _MARGIN_CELLS)
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


class Shape(Record):
    """A part of a scene, in pixels from the top left: a polygon is closed and filled, a line is open; or a text.

    `role` chooses the colour. `anchor` says which end of a text lies at its point.
    """

    kind: str
    role: str
    points: tuple[tuple[float, float], ...]
    width: float = 1.0
    dashed: bool = False
    text: str = ""
    size: float = 13.0
    anchor: str = "start"


THEMES = {
    "light": {
        "background": "#ffffff",
        "text": "#1f2328",
        "faint": "#59636e",
        "grid": "#d8dee4",
        "used": "#0072b2",
        "filled": "#cfe6f3",
        "band": "#fbe5c0",
        "expected": "#a86500",
        "limit": "#c0392b",
    },
    "dark": {
        "background": "#0d1117",
        "text": "#e6edf3",
        "faint": "#9198a1",
        "grid": "#2a313a",
        "used": "#56b4e9",
        "filled": "#15364a",
        "band": "#44320f",
        "expected": "#e69f00",
        "limit": "#ff7b72",
    },
}
WIDTH, HEIGHT = 760, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 24, 76, 60


def scene(burnup: Burnup) -> list[Shape]:
    """Return the chart as shapes on a sheet of WIDTH × HEIGHT."""

    def x(moment: datetime) -> float:
        return _LEFT + burnup.share(moment) * (WIDTH - _LEFT - _RIGHT)

    def y(percent: float) -> float:
        return HEIGHT - _BOTTOM - min(percent, burnup.top) / burnup.top * (HEIGHT - _TOP - _BOTTOM)

    shapes = [Shape(kind="polygon", role="background", points=((0, 0), (WIDTH, 0), (WIDTH, HEIGHT), (0, HEIGHT)))]
    right, floor = WIDTH - _RIGHT, HEIGHT - _BOTTOM
    ahead, used = burnup.ahead, burnup.used
    if ahead:
        upper = tuple((x(point.at), y(point.high)) for point in ahead)
        lower = tuple((x(point.at), y(point.low)) for point in reversed(ahead))
        shapes.append(Shape(kind="polygon", role="band", points=upper + lower))
    corners = ((x(burnup.begins), floor), *((x(sample.at), y(sample.used_percent)) for sample in used))
    shapes.append(Shape(kind="polygon", role="filled", points=(*corners, (corners[-1][0], floor))))
    for percent in range(0, int(burnup.top) + 1, 25):
        shapes.append(Shape(kind="line", role="grid", points=((_LEFT, y(percent)), (right, y(percent)))))
        shapes.append(_label(_LEFT - 8, y(percent) + 4, f"{percent}%", anchor="end"))
    free_from = 0.0
    for moment, name in ticks(burnup):
        if x(moment) - 20 >= free_from:
            shapes.append(Shape(kind="line", role="grid", points=((x(moment), floor), (x(moment), floor + 5))))
            shapes.append(_label(x(moment), floor + 20, name, anchor="middle"))
            free_from = x(moment) + 30
    shapes.append(Shape(kind="line", role="faint", points=((_LEFT, floor), (right, y(_FULL))), dashed=True))
    shapes.append(Shape(kind="line", role="limit", points=((_LEFT, y(_FULL)), (right, y(_FULL))), width=1.5))
    if ahead:
        expected = tuple((x(point.at), y(point.middle)) for point in ahead if point.middle <= burnup.top)
        shapes.append(Shape(kind="line", role="expected", points=expected, width=2, dashed=True))
    for seen, stretches in itertools.groupby(course(burnup), key=lambda stretch: stretch[1]):
        ends = [pair for pair, _ in stretches]
        places = [ends[0][0], *(after for _, after in ends)]
        line = tuple((x(sample.at), y(sample.used_percent)) for sample in places)
        shapes.append(Shape(kind="line", role="used", points=line, width=2.5, dashed=not seen))
    return [*shapes, *_captions(burnup)]


def _captions(burnup: Burnup) -> Iterable[Shape]:
    yield _label(_LEFT, 30, title(burnup), role="text", size=18)
    resets = f"resets {words.clock(burnup.resets_at, burnup.now, burnup.timezone)}"
    expected = outlook(burnup.forecast, burnup.resets_at, burnup.now, burnup.timezone)
    yield _label(_LEFT, 52, "; ".join(filter(None, (expected, resets))))
    at = _LEFT
    for role, name, dashed in _LEGEND:
        line = ((at, HEIGHT - 18.0), (at + 22, HEIGHT - 18.0))
        yield Shape(kind="line", role=role, points=line, width=2.5, dashed=dashed)
        yield _label(at + 28, HEIGHT - 14, name, size=12)
        at += 44 + 7 * len(name)


_LEGEND = (
    ("used", "used", False),
    ("used", "nobody saw when", True),
    ("expected", "expected, with 80 % band", True),
    ("faint", "would just last", True),
    ("limit", "limit", False),
)


def _label(x: float, y: float, text: str, *, role: str = "faint", size: float = 13, anchor: str = "start") -> Shape:
    return Shape(kind="text", role=role, points=((x, y),), text=text, size=size, anchor=anchor)


def svg(burnup: Burnup, theme: str) -> str:
    """Return the chart as a standalone SVG; theme is light, dark, or auto, which follows whoever looks at it."""
    colours = THEMES["light" if theme == "auto" else theme]
    described = escape(f"{title(burnup)}; {outlook(burnup.forecast, burnup.resets_at, burnup.now, burnup.timezone)}")
    dark = "".join(f".f-{role}{{fill:{colour}}}.s-{role}{{stroke:{colour}}}" for role, colour in THEMES["dark"].items())
    size = f'width="{WIDTH}" height="{HEIGHT}"'
    font = 'font-family="system-ui, -apple-system, Segoe UI, DejaVu Sans, sans-serif"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {size} role="img" {font}>',
            f"<title>{described}</title>",
            *([f"<style>@media (prefers-color-scheme:dark){{{dark}}}</style>"] if theme == "auto" else ()),
            *(_svg_shape(shape, colours[shape.role]) for shape in scene(burnup)),
            "</svg>\n",
        ]
    )


def _svg_shape(shape: Shape, colour: str) -> str:
    if shape.kind == "text":
        ((x, y),) = shape.points
        place = f'x="{x:.1f}" y="{y:.1f}" font-size="{shape.size:g}" text-anchor="{shape.anchor}"'
        return f'<text class="f-{shape.role}" fill="{colour}" {place}>{escape(shape.text)}</text>'
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in shape.points)
    if shape.kind == "polygon":
        return f'<polygon class="f-{shape.role}" fill="{colour}" points="{points}"/>'
    dashes = ' stroke-dasharray="5 4"' if shape.dashed else ""
    return (
        f'<polyline class="s-{shape.role}" fill="none" stroke="{colour}" stroke-width="{shape.width:g}"{dashes} '
        f'stroke-linejoin="round" points="{points}"/>'
    )

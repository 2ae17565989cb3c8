"""A burn-up as a scene of shapes, which is written as SVG here and painted by `render.picture`. Pure."""

from __future__ import annotations

import itertools
from xml.sax.saxutils import escape

from ullage.base.record import Record
from ullage.config.palette import COLOURS
from ullage.render import words
from ullage.render.burnup import FULL, Burnup, describe_outlook, format_title, list_stretches, list_ticks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from ullage.quota.pace import Sample
    from ullage.render.burnup import Stretch

    Place = tuple[float, float]


class Shape(Record):
    """A part of a scene, in pixels from the top left: a polygon is closed and filled, a line is open; or a text.

    `role` chooses the colour. `anchor` says which end of a text lies at its point. The ends of a line may be rounded.
    """

    kind: str
    role: str
    points: tuple[tuple[float, float], ...]
    width: float = 1.0
    dashed: bool = False
    text: str = ""
    size: float = 13.0
    anchor: str = "start"
    bold: bool = False
    rounded: bool = False


class Area(Record):
    """Where a plot lies on its sheet, in pixels; the names of its axes stand to the left and below, in this size."""

    left: float
    top: float
    right: float
    floor: float
    size: float = 13.0


class _Scale:
    """Places of a burn-up's moments and percentages in an area."""

    def __init__(self, burnup: Burnup, area: Area) -> None:
        self._burnup, self._area = burnup, area

    def x(self, moment: datetime) -> float:
        return self._area.left + self._burnup.measure_share(moment) * (self._area.right - self._area.left)

    def y(self, percent: float) -> float:
        share = min(percent, self._burnup.top) / self._burnup.top
        return self._area.floor - share * (self._area.floor - self._area.top)

    def line(self, samples: Iterable[Sample]) -> tuple[Place, ...]:
        return tuple((self.x(sample.at), self.y(sample.used_percent)) for sample in samples)


WIDTH, HEIGHT = 760, 400
_AREA = Area(left=56, top=76, right=WIDTH - 24, floor=HEIGHT - 60)
_LEFT = _AREA.left


def draw_scene(burnup: Burnup) -> list[Shape]:
    """Return the chart as shapes on a sheet of WIDTH × HEIGHT."""
    return [make_background(WIDTH, HEIGHT), *draw_plot(burnup, _AREA), *_captions(burnup)]


def make_background(width: float, height: float) -> Shape:
    """Return the sheet itself."""
    return Shape(kind="polygon", role="background", points=((0, 0), (width, 0), (width, height), (0, height)))


def draw_plot(burnup: Burnup, area: Area) -> list[Shape]:
    """Return the course of a window, what is expected of it, and the axes, in an area of a sheet."""
    scale = _Scale(burnup, area)
    return [
        *_fills(burnup, scale, area),
        *_axes(burnup, scale, area),
        *_limits(burnup, scale, area),
        *_lines(burnup, scale),
    ]


def _fills(burnup: Burnup, scale: _Scale, area: Area) -> Iterator[Shape]:
    ahead = burnup.ahead
    if ahead:
        upper = tuple((scale.x(point.at), scale.y(point.high)) for point in ahead)
        lower = tuple((scale.x(point.at), scale.y(point.low)) for point in reversed(ahead))
        yield Shape(kind="polygon", role="band", points=upper + lower)
    for stretches in _unbroken(burnup):
        line = scale.line(_samples(stretches))
        corners = ((line[0][0], area.floor), *line, (line[-1][0], area.floor))
        yield Shape(kind="polygon", role="filled", points=corners)


def _axes(burnup: Burnup, scale: _Scale, area: Area) -> Iterator[Shape]:
    for percent in range(0, int(burnup.top) + 1, 25):
        at = scale.y(percent)
        yield Shape(kind="line", role="grid", points=((area.left, at), (area.right, at)))
        yield make_label(area.left - 8, at + 4, f"{percent}%", size=area.size, anchor="end")
    free_from = 0.0
    for moment, name in list_ticks(burnup):
        middle = scale.x(moment)
        if middle - 20 >= free_from:
            yield Shape(kind="line", role="grid", points=((middle, area.floor), (middle, area.floor + 5)))
            yield make_label(middle, area.floor + 20, name, size=area.size, anchor="middle")
            free_from = middle + 30


def _limits(burnup: Burnup, scale: _Scale, area: Area) -> Iterator[Shape]:
    full = scale.y(FULL)
    if not burnup.is_history:
        yield Shape(kind="line", role="faint", points=((area.left, area.floor), (area.right, full)), dashed=True)
    yield Shape(kind="line", role="limit", points=((area.left, full), (area.right, full)), width=1.5)


def _lines(burnup: Burnup, scale: _Scale) -> Iterator[Shape]:
    if burnup.ahead:
        points = [point for point in burnup.ahead if point.middle <= burnup.top]
        expected = tuple((scale.x(point.at), scale.y(point.middle)) for point in points)
        yield Shape(kind="line", role="expected", points=expected, width=2, dashed=True)
    for stretches in _unbroken(burnup):
        for how, alike in itertools.groupby(stretches, key=lambda stretch: stretch.how):
            line = scale.line(_samples(list(alike)))
            yield Shape(kind="line", role="used", points=line, width=2.5, dashed=how == "unseen")


def _unbroken(burnup: Burnup) -> list[list[Stretch]]:
    """Return the stretches in runs that a line can follow: none goes across a restart of the count."""
    runs: list[list[Stretch]] = [[]]
    for stretch in list_stretches(burnup):
        if stretch.how == "restarted":
            runs.append([])
        else:
            runs[-1].append(stretch)
    return [run for run in runs if run]


def _samples(stretches: Sequence[Stretch]) -> list[Sample]:
    return [stretches[0].before, *(stretch.after for stretch in stretches)]


def format_caption(burnup: Burnup) -> str:
    """Return the outlook and the reset in one line."""
    expected = describe_outlook(burnup).text
    is_used_up = expected.startswith(words.USED_UP)
    reset = "" if is_used_up else words.describe_reset(burnup.window, burnup.now, burnup.timezone)
    return "; ".join(filter(None, (expected, reset)))


def _captions(burnup: Burnup) -> Iterable[Shape]:
    yield make_label(_LEFT, 30, format_title(burnup), role="text", size=18)
    yield make_label(_LEFT, 52, format_caption(burnup))
    if burnup.window.is_dated:
        yield make_label(_AREA.right, 30, words.format_date(burnup.window.as_of, burnup.timezone), anchor="end")
    yield from draw_legend(burnup, _LEFT, HEIGHT - 14)


def draw_legend(burnup: Burnup, left: float, floor: float) -> Iterator[Shape]:
    """Draw what the lines mean that this chart has, in a row."""
    at = left
    for role, name, dashed in _legend(burnup):
        yield Shape(kind="line", role=role, points=((at, floor - 4), (at + 22, floor - 4)), width=2.5, dashed=dashed)
        yield make_label(at + 28, floor, name, size=12)
        at += 44 + 7 * len(name)


def _legend(burnup: Burnup) -> Iterator[tuple[str, str, bool]]:
    yield "used", words.USED, False
    if any(stretch.how == "unseen" for stretch in list_stretches(burnup)):
        yield "used", words.UNSEEN, True
    if burnup.ahead:
        yield "expected", f"{words.EXPECTED}, with 80% band", True
    if not burnup.is_history:
        yield "faint", words.JUST_LASTS, True
    yield "limit", "limit", False


def make_label(x: float, y: float, text: str, *, role: str = "faint", size: float = 13, anchor: str = "start") -> Shape:
    """Return a text whose start, middle or end is a point of its base line."""
    return Shape(kind="text", role=role, points=((x, y),), text=text, size=size, anchor=anchor)


def describe_chart(burnup: Burnup) -> str:
    """Return in words what the chart shows."""
    return "; ".join(filter(None, (format_title(burnup), describe_outlook(burnup).text)))


def write_svg(scene: Iterable[Shape], size: tuple[int, int], described: str, theme: str) -> str:
    """Return a scene as a standalone SVG that is described in words."""
    colours = COLOURS["dark" if theme == "dark" else "light"]
    dark = "".join(f".f-{role}{{fill:{shown}}}.s-{role}{{stroke:{shown}}}" for role, shown in COLOURS["dark"].items())
    width, height = size
    sheet = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    font = 'font-family="system-ui, -apple-system, Segoe UI, DejaVu Sans, sans-serif"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {sheet} role="img" {font}>',
            f"<title>{escape(described)}</title>",
            *([f"<style>@media (prefers-color-scheme:dark){{{dark}}}</style>"] if theme == "auto" else ()),
            *(_svg_shape(shape, colours[shape.role]) for shape in scene),
            "</svg>\n",
        ]
    )


def _svg_shape(shape: Shape, colour: str) -> str:
    if shape.kind == "text":
        ((x, y),) = shape.points
        place = f'x="{x:.1f}" y="{y:.1f}" font-size="{shape.size:g}" text-anchor="{shape.anchor}"'
        weight = ' font-weight="600"' if shape.bold else ""
        return f'<text class="f-{shape.role}" fill="{colour}" {place}{weight}>{escape(shape.text)}</text>'
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in shape.points)
    if shape.kind == "polygon":
        return f'<polygon class="f-{shape.role}" fill="{colour}" points="{points}"/>'
    dashes = ' stroke-dasharray="5 4"' if shape.dashed else ""
    ends = ' stroke-linecap="round"' if shape.rounded else ""
    return (
        f'<polyline class="s-{shape.role}" fill="none" stroke="{colour}" stroke-width="{shape.width:g}"{dashes}{ends} '
        f'stroke-linejoin="round" points="{points}"/>'
    )

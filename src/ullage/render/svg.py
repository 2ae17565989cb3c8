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
    from collections.abc import Iterable
    from datetime import datetime


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


WIDTH, HEIGHT = 760, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 24, 76, 60


def draw_scene(burnup: Burnup) -> list[Shape]:
    """Return the chart as shapes on a sheet of WIDTH × HEIGHT."""

    def x(moment: datetime) -> float:
        return _LEFT + burnup.measure_share(moment) * (WIDTH - _LEFT - _RIGHT)

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
    for moment, name in list_ticks(burnup):
        if x(moment) - 20 >= free_from:
            shapes.append(Shape(kind="line", role="grid", points=((x(moment), floor), (x(moment), floor + 5))))
            shapes.append(_label(x(moment), floor + 20, name, anchor="middle"))
            free_from = x(moment) + 30
    shapes.append(Shape(kind="line", role="faint", points=((_LEFT, floor), (right, y(FULL))), dashed=True))
    shapes.append(Shape(kind="line", role="limit", points=((_LEFT, y(FULL)), (right, y(FULL))), width=1.5))
    if ahead:
        expected = tuple((x(point.at), y(point.middle)) for point in ahead if point.middle <= burnup.top)
        shapes.append(Shape(kind="line", role="expected", points=expected, width=2, dashed=True))
    for seen, stretches in itertools.groupby(list_stretches(burnup), key=lambda stretch: stretch[1]):
        ends = [pair for pair, _ in stretches]
        places = [ends[0][0], *(after for _, after in ends)]
        line = tuple((x(sample.at), y(sample.used_percent)) for sample in places)
        shapes.append(Shape(kind="line", role="used", points=line, width=2.5, dashed=not seen))
    return [*shapes, *_captions(burnup)]


def format_caption(burnup: Burnup) -> str:
    """Return the outlook and the reset in one line."""
    expected = describe_outlook(burnup).text
    is_used_up = expected.startswith(words.USED_UP)
    says_reset = is_used_up or burnup.resets_at <= burnup.now
    reset = "" if says_reset else words.format_reset(burnup.resets_at, burnup.now, burnup.timezone)
    return "; ".join(filter(None, (expected, reset)))


def _captions(burnup: Burnup) -> Iterable[Shape]:
    yield _label(_LEFT, 30, format_title(burnup), role="text", size=18)
    yield _label(_LEFT, 52, format_caption(burnup))
    at = _LEFT
    for role, name, dashed in _LEGEND:
        line = ((at, HEIGHT - 18.0), (at + 22, HEIGHT - 18.0))
        yield Shape(kind="line", role=role, points=line, width=2.5, dashed=dashed)
        yield _label(at + 28, HEIGHT - 14, name, size=12)
        at += 44 + 7 * len(name)


_LEGEND = (
    ("used", words.USED, False),
    ("used", words.UNSEEN, True),
    ("expected", f"{words.EXPECTED}, with 80 % band", True),
    ("faint", words.JUST_LASTS, True),
    ("limit", "limit", False),
)


def _label(x: float, y: float, text: str, *, role: str = "faint", size: float = 13, anchor: str = "start") -> Shape:
    return Shape(kind="text", role=role, points=((x, y),), text=text, size=size, anchor=anchor)


def draw_svg(burnup: Burnup, theme: str) -> str:
    """Draw the chart as a standalone SVG; theme is light, dark, or auto, which follows the viewer's own."""
    colours = COLOURS["dark" if theme == "dark" else "light"]
    described = escape("; ".join(filter(None, (format_title(burnup), describe_outlook(burnup).text))))
    dark = "".join(f".f-{role}{{fill:{shown}}}.s-{role}{{stroke:{shown}}}" for role, shown in COLOURS["dark"].items())
    size = f'width="{WIDTH}" height="{HEIGHT}"'
    font = 'font-family="system-ui, -apple-system, Segoe UI, DejaVu Sans, sans-serif"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {size} role="img" {font}>',
            f"<title>{described}</title>",
            *([f"<style>@media (prefers-color-scheme:dark){{{dark}}}</style>"] if theme == "auto" else ()),
            *(_svg_shape(shape, colours[shape.role]) for shape in draw_scene(burnup)),
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

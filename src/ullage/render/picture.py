"""A chart's scene as a PNG: the only module that imports Pillow, which the extra `png` brings."""

from __future__ import annotations

import io
import itertools
import math

from PIL import Image, ImageDraw, ImageFont

from ullage.render.chart import HEIGHT, THEMES, WIDTH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ullage.render.chart import Shape

    Place = tuple[float, float]

# Pillow's lines have hard edges: the sheet is painted larger than it is kept.
_SCALE = 2
_FINE = 2
_ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}
_DASH, _GAP = 5.0, 4.0


def png(scene: Iterable[Shape], theme: str) -> bytes:
    """Return the scene as a PNG of twice its size in pixels, for sharp screens."""
    colours = THEMES[theme]
    fine = _SCALE * _FINE
    image = Image.new("RGB", (WIDTH * fine, HEIGHT * fine), colours["background"])
    pen = ImageDraw.Draw(image)
    for shape in scene:
        _paint(pen, shape, colours[shape.role], fine)
    kept = io.BytesIO()
    image.resize((WIDTH * _SCALE, HEIGHT * _SCALE), Image.Resampling.BOX).save(kept, "PNG", optimize=True)
    return kept.getvalue()


def _paint(pen: ImageDraw.ImageDraw, shape: Shape, colour: str, scale: int) -> None:
    points = [(x * scale, y * scale) for x, y in shape.points]
    if shape.kind == "text":
        font = ImageFont.load_default(shape.size * scale)
        pen.text(points[0], shape.text, fill=colour, font=font, anchor=_ANCHORS[shape.anchor])
    elif shape.kind == "polygon":
        pen.polygon(points, fill=colour)
    else:
        for line in _dashes(points, scale) if shape.dashed else [points]:
            pen.line(line, fill=colour, width=round(shape.width * scale), joint="curve")


def _dashes(points: Sequence[Place], scale: int) -> Iterator[list[Place]]:
    """Cut a line into dashes that go on around its corners."""
    left, drawing = _DASH * scale, True
    dash = [points[0]]
    for (x, y), (to_x, to_y) in itertools.pairwise(points):
        length = math.hypot(to_x - x, to_y - y)
        done = 0.0
        while length - done >= left:
            done += left
            place = (x + (to_x - x) * done / length, y + (to_y - y) * done / length)
            if drawing:
                yield [*dash, place]
            drawing = not drawing
            left = (_DASH if drawing else _GAP) * scale
            dash = [place]
        left -= length - done
        dash.append((to_x, to_y))
    if drawing and len(dash) > 1:
        yield dash

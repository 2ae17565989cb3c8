"""A chart as a PNG, and the ring of a tray: the only module that imports Pillow, which extras bring."""

from __future__ import annotations

import io
import itertools
import math

from PIL import Image, ImageDraw, ImageFont

from ullage.config.palette import COLOURS
from ullage.render.svg import HEIGHT, WIDTH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ullage.render.svg import Shape

    Place = tuple[float, float]

# Pillow's lines have hard edges: the sheet is painted larger than it is kept.
_SCALE = 2
_FINE = 2
_ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}
_DASH, _GAP = 5.0, 4.0

RING_PIXELS = 64
_RING_FINE = 4
_DISC, _TRACK, _EDGE = "#1c2026", "#4b525c", "#f0f2f5"


def png(scene: Iterable[Shape], theme: str) -> bytes:
    """Return the scene as a PNG of twice its size in pixels, for sharp screens."""
    colours = COLOURS["dark" if theme == "dark" else "light"]
    fine = _SCALE * _FINE
    image = Image.new("RGB", (WIDTH * fine, HEIGHT * fine), colours["background"])
    pen = ImageDraw.Draw(image)
    for shape in scene:
        _paint(pen, shape, colours[shape.role], fine)
    kept = io.BytesIO()
    image.resize((WIDTH * _SCALE, HEIGHT * _SCALE), Image.Resampling.BOX).save(kept, "PNG", optimize=True)
    return kept.getvalue()


def ring(share: float | None, colour: str, text: str, *, opaque: bool = False) -> Image.Image:
    """Return a tray's icon: a ring that is filled to `share` of one, clockwise from the top, around a short text.

    The ring lies on a dark disc with a light edge, so that it can be read on a dark panel and on a light one. The
    corners are transparent, or with `opaque` dark, for a tray that knows no transparency. `×` is drawn, not written.
    """
    size = RING_PIXELS * _RING_FINE
    image = Image.new("RGBA", (size, size), (*bytes.fromhex(_DISC[1:]), 255 if opaque else 0))
    pen = ImageDraw.Draw(image)
    pen.ellipse((0, 0, size - 1, size - 1), fill=_EDGE)
    edge, width = size // 32, size // 6
    pen.ellipse((edge, edge, size - 1 - edge, size - 1 - edge), fill=_DISC)
    inset = 2 * edge
    box = (inset, inset, size - 1 - inset, size - 1 - inset)
    pen.arc(box, 0, 360, fill=_TRACK, width=width)
    if share is not None and share > 0:
        pen.arc(box, -90, -90 + 360 * min(share, 1.0), fill=colour, width=width)
    if text == "×":
        # The font that comes with the library has no such sign.
        near, far = size * 0.38, size * 0.62
        for line in ((near, near, far, far), (near, far, far, near)):
            pen.line(line, fill=_EDGE, width=size // 12)
    else:
        pen.text((size / 2, size / 2), text, fill=_EDGE, font=ImageFont.load_default(size * 0.46), anchor="mm")
    return image.resize((RING_PIXELS, RING_PIXELS), Image.Resampling.LANCZOS)


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

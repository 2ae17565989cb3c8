"""A chart as a PNG, and the gauge of a tray: the only module that imports Pillow, which extras bring."""

from __future__ import annotations

import contextlib
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
# How much of its size a bold letter's edge is widened: the library's own font has no bold one.
_BOLD = 1 / 45
_FONTS = ("DejaVuSans.ttf", "LiberationSans-Regular.ttf", "Arial.ttf", "segoeui.ttf", "Helvetica.ttc")

GAUGE_PIXELS = 64
_GAUGE_FINE = 4
_TILE, _TRACK, _TEXT = "#1c2026", "#4b525c", "#ffffff"


def draw_png(scene: Iterable[Shape], theme: str, size: tuple[int, int] = (WIDTH, HEIGHT)) -> bytes:
    """Return the scene as a PNG of twice its size in pixels, for sharp screens."""
    colours = COLOURS["dark" if theme == "dark" else "light"]
    fine = _SCALE * _FINE
    width, height = size
    image = Image.new("RGB", (width * fine, height * fine), colours["background"])
    pen = ImageDraw.Draw(image)
    for shape in scene:
        _paint(pen, shape, colours[shape.role], fine)
    kept = io.BytesIO()
    image.resize((width * _SCALE, height * _SCALE), Image.Resampling.BOX).save(kept, "PNG", optimize=True)
    return kept.getvalue()


def draw_gauge(share: float | None, colour: str, text: str, *, opaque: bool = False) -> Image.Image:
    """Return a tray's icon: a short text over a bar that is filled to `share` of one.

    The text is as wide as the tile, to be read in a tray of 16 pixels; the tile is dark with an edge, to be seen on a
    dark panel and on a light one. Its corners are transparent, or with `opaque` dark, for a tray that knows no
    transparency. `×` is drawn, not written.
    """
    size = GAUGE_PIXELS * _GAUGE_FINE
    image = Image.new("RGBA", (size, size), (*bytes.fromhex(_TILE[1:]), 255 if opaque else 0))
    pen = ImageDraw.Draw(image)
    pen.rounded_rectangle((0, 0, size - 1, size - 1), radius=size // 8, fill=_TILE, outline=_TRACK, width=size // 64)
    top = size - size // 4
    pen.rectangle((0, top, size - 1, size - 1), fill=_TRACK)
    if share is not None and share > 0:
        pen.rectangle((0, top, round(min(share, 1.0) * (size - 1)), size - 1), fill=colour)
    middle = (size / 2, top / 2 + size / 64)
    if text == "×":
        # The font that comes with the library has no such sign.
        half = size * 0.2
        for rise in (half, -half):
            ends = (middle[0] - half, middle[1] - rise, middle[0] + half, middle[1] + rise)
            pen.line(ends, fill=_TEXT, width=size // 9)
    else:
        font = ImageFont.load_default(size * (0.78 if len(text) < 3 else 0.52))
        pen.text(middle, text, fill=_TEXT, font=font, anchor="mm", stroke_width=size // 50, stroke_fill=_TEXT)
    return image.resize((GAUGE_PIXELS, GAUGE_PIXELS), Image.Resampling.LANCZOS)


def _paint(pen: ImageDraw.ImageDraw, shape: Shape, colour: str, scale: int) -> None:
    points = [(x * scale, y * scale) for x, y in shape.points]
    if shape.kind == "text":
        font = _choose_font(shape.text, shape.size * scale)
        stroke = round(shape.size * scale * _BOLD) if shape.bold else 0
        anchor = _ANCHORS[shape.anchor]
        pen.text(points[0], shape.text, fill=colour, font=font, anchor=anchor, stroke_width=stroke, stroke_fill=colour)
    elif shape.kind == "polygon":
        pen.polygon(points, fill=colour)
    else:
        for line in _dashes(points, scale) if shape.dashed else [points]:
            pen.line(line, fill=colour, width=round(shape.width * scale), joint="curve")
        for x, y in (points[0], points[-1]) if shape.rounded else ():
            half = shape.width * scale / 2
            pen.ellipse((x - half, y - half, x + half, y + half), fill=colour)


def _choose_font(text: str, size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the library's own font, or for letters that it does not have one of the system's, where there is one."""
    if not text.isascii():
        for name in _FONTS:
            with contextlib.suppress(OSError):
                return ImageFont.truetype(name, size)
    return ImageFont.load_default(size)


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

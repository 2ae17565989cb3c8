"""Turn a palette's styles into the colours that a bar takes. Pure.

A terminal defines its own `green`; a bar does not, and gets these colours, which are readable on dark and on light.
"""

from __future__ import annotations

import colorsys

from ullage.base.record import Record
from ullage.config.palette import NAMES, convert_number_to_hex, find_colour_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ullage.render.surfaces import Role

_NAMED = {
    "black": "#555555",
    "red": "#e5484d",
    "green": "#3d9a50",
    "yellow": "#d29922",
    "blue": "#3b82f6",
    "magenta": "#b565d9",
    "cyan": "#1d9aa8",
    "white": "#b0b0b0",
}
_DIM = "#888888"
# Below this saturation a colour looks grey.
_GREYEST = 0.2


class Paint(Record):
    """How a span looks: its colour as #rrggbb, None for the bar's own, and its weight and underline."""

    colour: str | None = None
    bold: bool = False
    underline: bool = False


def find_nearest(colour: str) -> str:
    """Return the terminal colour whose hue is nearest to that of a #rrggbb colour; white for a grey."""
    hue, saturation = _hue(colour)

    def distance(name: str) -> float:
        apart = abs(_hue(_NAMED[name])[0] - hue)
        return min(apart, 1 - apart)

    return "white" if saturation < _GREYEST else min(_NAMED.keys() - {"black", "white"}, key=distance)


def _hue(colour: str) -> tuple[float, float]:
    red, green, blue = (part / 255 for part in bytes.fromhex(colour[1:]))
    hue, saturation, _ = colorsys.rgb_to_hsv(red, green, blue)
    return hue, saturation


def paint(palette: Mapping[str, str], level: Role | None) -> Paint:
    """Return how a level looks; its colour is None where the palette gives it none.

    A bar's background is not ours to change, so `reverse` becomes bold.
    """
    words = palette.get(level or "", "").split()
    colour: str | None = None
    for word in words:
        if word.startswith("#"):
            colour = word.lower()
        elif word == "dim":
            colour = colour or _DIM
        elif (number := find_colour_number(word)) is not None:
            colour = convert_number_to_hex(number) if number > 15 else _NAMED[NAMES[number % 8]]
        else:
            colour = _NAMED.get(word.removeprefix("bright_"), colour)
    return Paint(colour=colour, bold="bold" in words or "reverse" in words, underline="underline" in words)

"""The palette, a colour for each level on dark and on light in every surface, and the words of a style. Pure.

Each form keeps a contrast of 4.5:1 or more with the backgrounds that tests/config/test_palette.py lists. Green, amber,
vermilion and purple stay apart for every kind of colour vision, and no level relies on its colour: each has a form too
(`render.words.form`).
"""

from __future__ import annotations

from ullage.base.record import Record
from ullage.base.text import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    Background = Literal["dark", "light"]

LEVELS = ("normal", "warning", "critical", "exhausted", "stale")

# What surfaces need that paint their own background: a level's colour, text, what matters less, and a chart's parts.
COLOURS: dict[Background, dict[str, str]] = {
    "dark": {
        "background": "#0d1117",
        "text": "#e6edf3",
        "faint": "#a3abb6",
        "grid": "#2a313a",
        "normal": "#6ccf9c",
        "warning": "#f2b84b",
        "critical": "#ff8a7d",
        "exhausted": "#d9a5ff",
        "used": "#56b4e9",
        "filled": "#15364a",
        "band": "#44320f",
        "expected": "#f2b84b",
        "limit": "#ff8a7d",
    },
    "light": {
        "background": "#ffffff",
        "text": "#1f2328",
        "faint": "#5a6270",
        "grid": "#d8dee4",
        "normal": "#10704a",
        "warning": "#8a5200",
        "critical": "#b3261e",
        "exhausted": "#7b2fa8",
        "used": "#0072b2",
        "filled": "#cfe6f3",
        "band": "#fbe5c0",
        "expected": "#8a5200",
        "limit": "#b3261e",
    },
}

# The styles of a terminal. The sixteen names are the terminal's own colours, made for dark ones by most; on a light
# background those of the 256 stand in that every terminal draws alike: yellow on white would have a contrast of 1.7:1.
_SIXTEEN: dict[Background, dict[str, str]] = {
    "dark": {
        "normal": "green",
        "warning": "yellow",
        "critical": "bold red",
        "exhausted": "bold magenta",
        "stale": "dim",
        "faint": "dim",
        "accent": "cyan",
    },
    "light": {
        "normal": "color22",
        "warning": "color94",
        "critical": "bold color124",
        "exhausted": "bold color91",
        "stale": "color241",
        "faint": "color241",
        "accent": "color25",
    },
}
_BOLD = ("critical", "exhausted")

# Badges bring the background that their text needs; one that has nothing to say is grey.
_BADGES = {
    "normal": "color254 on_color238",
    "warning": "color16 on_color214",
    "critical": "bold color16 on_color209",
    "exhausted": "bold color16 on_color183",
    "stale": "color250 on_color238",
}

# Each attribute's number that switches it on and the one that switches it off, and tmux's word for it.
ATTRIBUTES = {
    "bold": ("1", "22", "bold"),
    "dim": ("2", "22", "dim"),
    "underline": ("4", "24", "underscore"),
    "reverse": ("7", "27", "reverse"),
}
NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
_STEPS = (0, 95, 135, 175, 215, 255)

# A level's colour on the grey of a badge that has nothing to say.
_ON_GREY = {
    "normal": "color114",
    "warning": "color214",
    "critical": "bold color216",
    "exhausted": "bold color183",
    "stale": "color250",
}

PALETTES = ("16", "truecolor", "none")
BACKGROUNDS = ("auto", "dark", "light")


class Colouring(Record):
    """How levels are coloured: the palette's name, styles of the person's own by level, the terminals' background.

    `background` is None where neither the person nor the environment tells it.
    """

    palette: str = "16"
    own: Mapping[str, str] = {}
    background: Background | None = None

    def in_terminal(self, background: Background | None = None) -> dict[str, str]:
        """Return the style of each level, of faint and of accented text in a terminal, on dark by default."""
        if self.palette == "none":
            return {}
        shown = background or self.background or "dark"
        styles = _SIXTEEN[shown] if self.palette == "16" else _with_hex(shown)
        if shown == "dark":
            # Fainter than the text around it, whichever colour that has.
            styles = {**styles, "stale": "dim", "faint": "dim"}
        return {**styles, **self.own}

    def in_tmux(self) -> dict[str, str]:
        """Return the style of each level in tmux, whose bar is green as it comes, and of any colour once it is themed.

        So a level has no colour there, or one with a background of its own.
        """
        if self.palette == "none":
            return {}
        return {**{level: _BADGES[level] for level in ("warning", *_BOLD)}, **self.own}

    def in_bar(self) -> dict[str, str]:
        """Return the style of each level in a desktop's bar, which has no colours of its own for `green`."""
        return {} if self.palette == "none" else {**_with_hex(self.background or "dark"), **self.own}

    def in_badge(self) -> dict[str, str]:
        """Return the style of each level as a badge: a colour on a background of its own."""
        return {} if self.palette == "none" else dict(_BADGES)

    def on_grey(self) -> dict[str, str]:
        """Return the style of each level on the grey of a normal badge."""
        ground = _BADGES["normal"].rpartition(" ")[2]
        return {} if self.palette == "none" else {level: f"{style} {ground}" for level, style in _ON_GREY.items()}


def _with_hex(background: Background) -> dict[str, str]:
    shown = COLOURS[background]
    styles = {level: f"bold {shown[level]}" if level in _BOLD else shown[level] for level in LEVELS if level in shown}
    return {**styles, "stale": shown["faint"], "faint": shown["faint"], "accent": shown["used"]}


def find_background(environ: Mapping[str, str], wanted: str = "auto") -> Background | None:
    """Return the terminal's background: the configured one, else that of COLORFGBG; None where neither says.

    COLORFGBG is `foreground;background`, or with a word between, in the numbers of the sixteen colours.
    """
    if wanted != "auto":
        return "light" if wanted == "light" else "dark"
    number = environ.get("COLORFGBG", "").rpartition(";")[2]
    if not number.isascii() or not number.isdigit() or int(number) > 15:
        return None
    return "light" if int(number) in (7, *range(9, 16)) else "dark"


def check_style(style: str) -> str | None:
    """Return what is wrong with a style, in words, or None."""
    for word in style.split():
        if word not in ATTRIBUTES and not is_colour(word.removeprefix("on_")):
            return (
                f"holds {quote(word)}; a style is made of {', '.join(ATTRIBUTES)}, a colour ({', '.join(NAMES)}, each "
                "also with bright_ before it), color0 to color255 or #rrggbb; on_ before a colour makes it the "
                "background"
            )
    return None


def is_colour(word: str) -> bool:
    """Say whether a word is a colour: one of the sixteen, one of the 256, or #rrggbb."""
    return is_hex(word) or word.removeprefix("bright_") in NAMES or find_colour_number(word) is not None


def is_hex(word: str) -> bool:
    """Say whether a word is a colour as #rrggbb."""
    return len(word) == 7 and word[0] == "#" and all(character in "0123456789abcdefABCDEF" for character in word[1:])


def find_colour_number(word: str) -> int | None:
    """Return the number of a colour of the 256, such as color130; None for any other word."""
    digits = word.removeprefix("color") if word.startswith("color") else ""
    known = digits.isascii() and digits.isdigit() and len(digits) <= 3 and int(digits) <= 255
    return int(digits) if known else None


def convert_number_to_hex(number: int) -> str:
    """Return the colour of a number from 16 to 255, which terminals draw alike, as #rrggbb."""
    if number >= 232:
        shares = (8 + 10 * (number - 232),) * 3
    else:
        cube = number - 16
        shares = (_STEPS[cube // 36], _STEPS[cube // 6 % 6], _STEPS[cube % 6])
    return "#{:02x}{:02x}{:02x}".format(*shares)

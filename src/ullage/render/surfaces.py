r"""Escapes and colours of each surface: text from outside stays text, whatever the surface makes of special characters.

How each surface reads what it is given was measured with real shells: bash wants zero-width parts between \001 and
\002 and leaves a referenced value alone; zsh expands percent escapes in it; tmux expands formats after a single `#`;
starship escapes by itself.
"""

from __future__ import annotations

from ullage.base.record import Record
from ullage.system.places import is_coloured, surface_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ullage.quota.timeline import Level


class Span(Record):
    """A piece of text and the level that colours it; None for the terminal's own colour."""

    text: str
    level: Level | None = None


PALETTES: dict[str, dict[str, str]] = {
    "16": {
        "normal": "green",
        "warning": "yellow",
        "critical": "bold red",
        "exhausted": "bold reverse red",
        "stale": "dim",
    },
    # Okabe and Ito's colours, which stay apart for every kind of colour vision.
    "truecolor": {
        "normal": "#56b4e9",
        "warning": "#e69f00",
        "critical": "bold #d55e00",
        "exhausted": "bold reverse #d55e00",
        "stale": "dim",
    },
    "none": {},
}

_ATTRIBUTES = {
    "bold": ("1", "bold"),
    "dim": ("2", "dim"),
    "underline": ("4", "underscore"),
    "reverse": ("7", "reverse"),
}
_COLOURS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")


def check_style(style: str) -> str | None:
    """Return what is wrong with a style, in words, or None."""
    for word in style.split():
        if word not in _ATTRIBUTES and not _is_hex(word) and word.removeprefix("bright_") not in _COLOURS:
            return (
                f"holds {word!r}; a style is made of {', '.join(_ATTRIBUTES)}, a colour ({', '.join(_COLOURS)}, each "
                "also with bright_ before it) or #rrggbb"
            )
    return None


def paint(spans: Iterable[Span], timeline: str, palette: Mapping[str, str]) -> str:
    """Return the spans as the timeline's surface wants them: escaped, and coloured where colours are wanted."""
    surface, coloured = surface_of(timeline), is_coloured(timeline)
    painted = []
    for span in spans:
        style = "" if span.level is None else palette.get(span.level, "")
        text = _escape(span.text, surface)
        painted.append(_styled(text, style, surface) if style and text and coloured else text)
    return "".join(painted)


def _escape(text: str, surface: str) -> str:
    if surface == "zsh":
        return text.replace("%", "%%")
    return text.replace("#", "##") if surface == "tmux" else text


def _styled(text: str, style: str, surface: str) -> str:
    if surface == "tmux":
        return f"#[{','.join(_tmux(word) for word in style.split())}]{text}#[default]"
    codes = ";".join(_sgr(word) for word in style.split())
    on, off = f"\033[{codes}m", "\033[0m"
    if surface == "bash":
        return f"\001{on}\002{text}\001{off}\002"
    return f"%{{{on}%}}{text}%{{{off}%}}" if surface == "zsh" else f"{on}{text}{off}"


def _sgr(word: str) -> str:
    if word in _ATTRIBUTES:
        return _ATTRIBUTES[word][0]
    if _is_hex(word):
        return "38;2;" + ";".join(str(int(word[at : at + 2], 16)) for at in (1, 3, 5))
    bright = word.startswith("bright_")
    return str((90 if bright else 30) + _COLOURS.index(word.removeprefix("bright_")))


def _tmux(word: str) -> str:
    if word in _ATTRIBUTES:
        return _ATTRIBUTES[word][1]
    return "fg=" + word.replace("bright_", "bright")


def _is_hex(word: str) -> bool:
    return len(word) == 7 and word[0] == "#" and all(character in "0123456789abcdefABCDEF" for character in word[1:])

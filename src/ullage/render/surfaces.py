r"""Paint spans for a surface: escape outside text by the surface's rules, and colour it by the palette.

How each surface reads what it is given was measured with real shells: bash wants zero-width parts between \001 and
\002 and leaves a referenced value alone; zsh expands percent escapes in it; tmux expands formats after a single `#`;
starship escapes by itself.
"""

from __future__ import annotations

from ullage.base.record import Record
from ullage.config.palette import ATTRIBUTES, NAMES, find_colour_number, is_hex
from ullage.quota.timeline import find_surface, is_ascii, is_coloured, name_ascii

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Literal

    from ullage.quota.timeline import Level

    Role = Level | Literal["faint", "accent"]


class Span(Record):
    """A text with the level that colours it, and further words of a style; None is the terminal's own colour.

    What is `faint` matters less than the text around it; an `accent` is a name, or what can be typed.
    """

    text: str
    level: Role | None = None
    style: str = ""

    @property
    def own_level(self) -> Level | None:
        """The level of a number; None for what has another part."""
        if self.level == "faint":
            return None
        return None if self.level == "accent" else self.level


def join_spans(spans: Iterable[Span]) -> list[Span]:
    """Join neighbouring spans that look alike."""
    found: list[Span] = []
    for span in spans:
        if found and (found[-1].level, found[-1].style) == (span.level, span.style):
            found[-1] = span.replace(text=found[-1].text + span.text)
        else:
            found.append(span)
    return found


def choose_style(span: Span, palette: Mapping[str, str]) -> str:
    """Return the words of a span's style in a palette; none without a palette."""
    return " ".join(filter(None, (span.style, palette.get(span.level or "", "")))) if palette else ""


# Each other surface takes texts as they are, and a terminal's colours.
_WITH_ESCAPES, _WITH_COLOURS = ("zsh", "tmux"), ("bash", "zsh", "tmux")


def choose_form(timeline: str) -> str:
    """Return the timeline that represents all those that paint the same spans in the same way."""
    surface = find_surface(timeline)
    if is_coloured(timeline):
        form = surface if surface in _WITH_COLOURS else "ansi"
    elif surface in _WITH_ESCAPES:
        return timeline
    else:
        form = "plain"
    return name_ascii(form) if is_ascii(timeline) else form


def paint(spans: Iterable[Span], timeline: str, palette: Mapping[str, str]) -> str:
    """Paint spans for a timeline's surface: escaped, and coloured where the timeline has colours."""
    surface, coloured = find_surface(timeline), is_coloured(timeline)
    painted = []
    for span in spans:
        style = choose_style(span, palette)
        text = _escape(span.text, surface)
        painted.append(_styled(text, style, surface) if style and text and coloured else text)
    return "".join(painted)


def _escape(text: str, surface: str) -> str:
    if surface == "zsh":
        return text.replace("%", "%%")
    return text.replace("#", "##") if surface == "tmux" else text


def _styled(text: str, style: str, surface: str) -> str:
    words = style.split()
    if surface == "tmux":
        ons, offs = [*map(_tmux_on, words)], _unique(map(_tmux_off, words))
        # A theme's segment has colours of its own, which are the default for as long as ours lasts.
        return f"#[push-default]#[{','.join(ons)}]{text}#[{','.join(offs)}]#[pop-default]"
    # Only what was switched on is switched off: around a segment a theme may have colours of its own.
    on, off = (f"\033[{';'.join(codes)}m" for codes in ([*map(_sgr_on, words)], _unique(map(_sgr_off, words))))
    if surface == "bash":
        return f"\001{on}\002{text}\001{off}\002"
    return f"%{{{on}%}}{text}%{{{off}%}}" if surface == "zsh" else f"{on}{text}{off}"


def _unique(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))


def _sgr_on(word: str) -> str:
    if word in ATTRIBUTES:
        return ATTRIBUTES[word][0]
    shift, colour = (10, word[3:]) if word.startswith("on_") else (0, word)
    if is_hex(colour):
        return f"{38 + shift};2;" + ";".join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))
    number = find_colour_number(colour)
    if number is not None:
        return f"{38 + shift};5;{number}"
    bright = colour.startswith("bright_")
    return str((90 if bright else 30) + shift + NAMES.index(colour.removeprefix("bright_")))


def _sgr_off(word: str) -> str:
    if word in ATTRIBUTES:
        return ATTRIBUTES[word][1]
    return "49" if word.startswith("on_") else "39"


def _tmux_on(word: str) -> str:
    if word in ATTRIBUTES:
        return ATTRIBUTES[word][2]
    ground, colour = ("bg", word[3:]) if word.startswith("on_") else ("fg", word)
    number = find_colour_number(colour)
    return f"{ground}={colour.replace('bright_', 'bright') if number is None else f'colour{number}'}"


def _tmux_off(word: str) -> str:
    if word in ATTRIBUTES:
        return f"no{ATTRIBUTES[word][2]}"
    return "bg=default" if word.startswith("on_") else "fg=default"

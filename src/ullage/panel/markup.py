r"""Write coloured spans in each bar's markup, with text from outside escaped. Pure.

Every dialect was read in the program's source and tried in the program: polybar takes `%{` for a tag and has no escape,
lemonbar shows `%%` as a percent sign, xmobar takes `<raw=N:…/>` as it is, GNU screen reads ^E in what a backtick prints
as it reads % in its own strings, conky expands after `$` and, when it parses the output of a command, cuts from `#` on.
"""

from __future__ import annotations

from ullage.panel.colours import find_nearest, paint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ullage.panel.colours import Paint
    from ullage.render.surfaces import Span


_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "'": "&#39;", '"': "&quot;", "\\": "&#92;"}


def plain(spans: Iterable[Span]) -> str:
    """Return the text alone."""
    return "".join(span.text for span in spans)


def pango(spans: Iterable[Span], palette: Mapping[str, str]) -> str:
    """Return Pango markup, for waybar, i3bar, genmon."""
    return _painted(spans, palette, pango_text, _pango_style)


def polybar(spans: Iterable[Span], palette: Mapping[str, str]) -> str:
    """Return polybar's formatting tags; an empty line hides the module."""
    return _painted(spans, palette, _polybar_text, _tag_style)


def lemonbar(spans: Iterable[Span], palette: Mapping[str, str]) -> str:
    """Return lemonbar's formatting blocks."""
    return _painted(spans, palette, lambda text: text.replace("%", "%%"), _tag_style)


def xmobar(spans: Iterable[Span], palette: Mapping[str, str]) -> str:
    """Return xmobar's tags; text that holds one of its own signs is marked as raw."""
    return _painted(spans, palette, _xmobar_text, lambda text, look: f"<fc={look.colour}>{text}</fc>")


def conky(spans: Iterable[Span], palette: Mapping[str, str]) -> str:
    """Return what conky's ${execp} and ${execpi} parse; ${exec} and ${execi} would show the tags."""
    return _painted(spans, palette, _conky_text, lambda text, look: f"${{color {look.colour}}}{text}${{color}}")


def screen(spans: Iterable[Span], palette: Mapping[str, str]) -> str:
    """Return what GNU screen reads in the output of a backtick command."""
    return _painted(spans, palette, lambda text: text, _screen_style)


def pango_text(text: str) -> str:
    """Escape text for Pango markup."""
    return "".join(_ENTITIES.get(character, character) for character in text)


def _painted(
    spans: Iterable[Span], palette: Mapping[str, str], escape: Callable[[str], str], style: Callable[[str, Paint], str]
) -> str:
    painted = []
    for span in spans:
        look, text = paint(palette, span.level), escape(span.text)
        painted.append(style(text, look) if look.colour and span.text else text)
    return "".join(painted)


def _pango_style(text: str, look: Paint) -> str:
    # i3blocks ends a JSON string at the first double quote, escaped or not.
    weight = " weight='bold'" if look.bold else ""
    line = " underline='single'" if look.underline else ""
    return f"<span foreground='{look.colour}'{weight}{line}>{text}</span>"


def _screen_style(text: str, look: Paint) -> str:
    assert look.colour is not None
    # screen names colours by their first letter.
    return f"\x05{{{'+b ' if look.bold else ''}.{find_nearest(look.colour)[0]}}}{text}\x05{{-}}"


def _polybar_text(text: str) -> str:
    # polybar has no escape: a tag without effect (%{O0}) between a percent sign and a brace keeps them from starting a
    # tag. The percent sign may also be the last character of the span before.
    text = text.replace("%{", "%%{O0}{")
    return f"%{{O0}}{text}" if text.startswith("{") else text


def _tag_style(text: str, look: Paint) -> str:
    return f"%{{F{look.colour}}}{text}%{{F-}}"


def _xmobar_text(text: str) -> str:
    return f"<raw={len(text)}:{text}/>" if any(sign in text for sign in "<>{}") else text


def _conky_text(text: str) -> str:
    return text.replace("$", "$$").replace("#", r"\#")

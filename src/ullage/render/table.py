"""Lines of spans on a terminal, in its colours and its width: the only module that imports rich."""

from __future__ import annotations

import io
import os
import re
import sys

from rich.console import Console
from rich.text import Text

from ullage.base.text import is_private
from ullage.config.palette import find_colour_number
from ullage.render import usage
from ullage.render.surfaces import choose_style

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from ullage.config import Settings
    from ullage.render.surfaces import Span
    from ullage.store.overview import Overview

# Escapes that change colours, in a group of their own so that they are kept where a text is split at them.
_COLOURS = re.compile(r"(\x1b\[[0-9;:]*m)")


def print_usage(overview: Overview, settings: Settings, now: datetime, *, title: str = "", first: bool = True) -> None:
    """Print what is known, how old it is, who said so and what went wrong; under a title where there are several."""
    console = _console(settings.palette)
    above = [*([] if first else [[]]), *usage.lay_out_title(title, settings, console.width)] if title else []
    for line in [*above, *usage.lay_out_page(overview, settings, now, console.width)]:
        console.print(_text(line, settings))


def adapt_to_output(settings: Settings) -> Settings:
    """Return the settings with plain characters where standard output can carry no others."""
    carries_more = (getattr(sys.stdout, "encoding", None) or "").lower().startswith("utf")
    # Python writes UTF-8 in the C locale too (PEP 540), whatever the terminal makes of it.
    is_plain = os.environ.get("LC_ALL") in ("C", "POSIX")
    return settings.replace(ascii_only=settings.ascii_only or is_plain or not carries_more)


def is_without_colour() -> bool:
    """Say whether the person or the terminal wants no colours."""
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"


def print_lines(lines: Iterable[Sequence[Span]], settings: Settings) -> None:
    """Print lines of spans in the palette's colours."""
    console = _console(settings.palette)
    for line in lines:
        console.print(_text(line, settings))


def print_before(lines: Iterable[Sequence[Span]], rest: str, settings: Settings) -> None:
    """Print lines of spans, each before a text from outside, of which only letters and colours get through."""
    letters = "".join(
        part if _COLOURS.fullmatch(part) else "".join(c for c in part if c.isprintable() or is_private(c))
        for part in _COLOURS.split(rest)
    )
    console = _console(settings.palette)
    for line in lines:
        console.print(_text(line, settings).append_text(Text.from_ansi(letters)), soft_wrap=True)


def measure_width() -> int:
    """Return how many cells a line of the terminal has."""
    return _console({}).width


def paint_lines(lines: Iterable[Sequence[Span]], settings: Settings, width: int) -> list[str]:
    """Return lines of spans as a screen shows them, each with its escapes; what is longer than the screen is folded."""
    kept = io.StringIO()
    console = _console(settings.palette, kept, width)
    for line in lines:
        console.print(_text(line, settings))
    return kept.getvalue().splitlines()


def _console(palette: Mapping[str, str], file: io.StringIO | None = None, width: int | None = None) -> Console:
    force = os.environ.get("CLICOLOR_FORCE", "0") != "0" or file is not None
    has_colours = force or (sys.stdout is not None and sys.stdout.isatty())
    # The palette's colours are printed as in the prompt; rich would change them to what it believes of TERM.
    system = "truecolor" if any("#" in style for style in palette.values()) else "256"
    return Console(
        file=file,
        width=width,
        force_terminal=force or None,
        no_color=is_without_colour(),
        color_system=system if has_colours else None,  # type: ignore[arg-type]  # both are words that it takes
        highlight=False,
        markup=False,
        emoji=False,
    )


def _text(line: Sequence[Span], settings: Settings) -> Text:
    return Text.assemble(*((span.text, _rich_style(choose_style(span, settings.palette))) for span in line))


def _rich_style(style: str) -> str:
    return " ".join(map(_rich_word, style.split()))


def _rich_word(word: str) -> str:
    if word.startswith("on_"):
        return f"on {_rich_word(word[3:])}"
    number = find_colour_number(word)
    return word if number is None else f"color({number})"

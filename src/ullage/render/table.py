"""Lines of spans on a terminal, in its colours and its width: the only module that imports rich."""

from __future__ import annotations

import io
import os
import sys

from rich.console import Console
from rich.text import Text

from ullage.config.palette import find_colour_number, wants_colour
from ullage.render import usage
from ullage.render.cells import trimmed
from ullage.render.surfaces import choose_style

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from ullage.config import Settings
    from ullage.render.surfaces import Span
    from ullage.store.overview import Overview


def print_usage(overview: Overview, settings: Settings, now: datetime, *, title: str = "", first: bool = True) -> None:
    """Print what is known, how old it is, who said so and what went wrong; under a title where there are several."""
    console = _console(settings.palette)
    above = [*([] if first else [[]]), *usage.lay_out_title(title, settings, console.width)] if title else []
    for line in [*above, *usage.lay_out_page(overview, settings, now, console.width)]:
        console.print(_text(line, settings))


def print_lines(lines: Iterable[Sequence[Span]], settings: Settings) -> None:
    """Print lines of spans in the palette's colours."""
    console = _console(settings.palette)
    for line in lines:
        console.print(_text(line, settings))


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
    is_terminal = file is not None or (sys.stdout is not None and sys.stdout.isatty())
    has_colours = wants_colour(os.environ, is_terminal=is_terminal)
    # A palette says what a terminal can show, as in the prompt: rich would fit it to what it makes of TERM.
    system = "truecolor" if any("#" in style for style in palette.values()) else "256"
    return Console(
        file=file,
        width=width,
        force_terminal=has_colours or None,
        color_system=system if has_colours else None,  # type: ignore[arg-type]  # both are words that it takes
        highlight=False,
        markup=False,
        emoji=False,
    )


def _text(line: Sequence[Span], settings: Settings) -> Text:
    return Text.assemble(*((span.text, _rich_style(choose_style(span, settings.palette))) for span in trimmed(line)))


def _rich_style(style: str) -> str:
    return " ".join(map(_rich_word, style.split()))


def _rich_word(word: str) -> str:
    if word.startswith("on_"):
        return f"on {_rich_word(word[3:])}"
    number = find_colour_number(word)
    return word if number is None else f"color({number})"

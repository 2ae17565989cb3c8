"""Lines of spans on standard output, in the colours, the characters and the width that it has."""

from __future__ import annotations

import os
import sys

from ullage.base.text import is_private
from ullage.render import cells, surfaces, usage
from ullage.system.streams import wants_colour

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from ullage.config import Settings
    from ullage.render.surfaces import Span
    from ullage.store.overview import Overview

_WIDTH_WITHOUT_A_TERMINAL = 80
# An escape that changes colours, in a group of its own so that it is kept where a text is split at it.
_COLOURS = r"(\x1b\[[0-9;:]*m)"


def print_usage(overview: Overview, settings: Settings, now: datetime, *, title: str = "", first: bool = True) -> None:
    """Print what is known, how old it is, who said so and what went wrong; under a title where there are several."""
    room = measure_terminal()
    above = [*([] if first else [[]]), *usage.lay_out_title(title, settings, room)] if title else []
    print_lines([*above, *usage.lay_out_page(overview, settings, now, room)], settings)


def adapt_to_output(settings: Settings) -> Settings:
    """Return the settings with plain characters where standard output can carry no others."""
    carries_more = (getattr(sys.stdout, "encoding", None) or "").lower().startswith("utf")
    return settings.replace(ascii_only=settings.ascii_only or not carries_more)


def print_lines(lines: Iterable[Sequence[Span]], settings: Settings) -> None:
    """Print lines of spans in the palette's colours; what is longer than a line of the terminal is folded."""
    width, coloured = measure_terminal(), _has_colours()
    for line in lines:
        # Blanks at the end would be copied along.
        for part in cells.wrap(cells.trim_end(line), width):
            print(_paint(part, settings.palette, coloured=coloured))


def print_before(lines: Iterable[Sequence[Span]], rest: str, settings: Settings) -> None:
    """Print lines of spans, each before a text from outside, of which only letters and colours get through."""
    # Imported late: nothing else here needs it.
    import re

    coloured = _has_colours()
    letters = "".join(
        (part if coloured else "") if at % 2 else "".join(c for c in part if c.isprintable() or is_private(c))
        for at, part in enumerate(re.split(_COLOURS, rest))
    )
    end = "\033[0m" if "\033" in letters else ""
    for line in lines:
        print(f"{_paint(line, settings.palette, coloured=coloured)}{letters}{end}")


def measure_terminal() -> int:
    """Return how many cells a line of the terminal has."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isascii() and columns.isdigit() and int(columns):
        return int(columns)
    for descriptor in (0, 1, 2):
        try:
            found = os.get_terminal_size(descriptor).columns
        except OSError:
            continue
        if found:
            return found
    return _WIDTH_WITHOUT_A_TERMINAL


def paint_lines(lines: Iterable[Sequence[Span]], settings: Settings, width: int) -> list[str]:
    """Return lines of spans as a screen shows them, each with its escapes; what is longer than the screen is folded."""
    coloured = wants_colour(os.environ, is_terminal=True)
    return [_paint(part, settings.palette, coloured=coloured) for line in lines for part in cells.wrap(line, width)]


def _has_colours() -> bool:
    return wants_colour(os.environ, is_terminal=sys.stdout is not None and sys.stdout.isatty())


def _paint(line: Sequence[Span], palette: Mapping[str, str], *, coloured: bool) -> str:
    return surfaces.paint(surfaces.join_spans(line), "ansi" if coloured else "plain", palette)

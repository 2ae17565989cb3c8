"""What people see in a terminal, in its colours and its width: the only module that imports rich."""

from __future__ import annotations

import io
import os
import sys

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ullage.base.text import clean
from ullage.config.palette import number_of
from ullage.render import words
from ullage.render.rows import COURSE_CELLS, rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from rich.console import RenderableType

    from ullage.config import Settings
    from ullage.quota.model import Problem
    from ullage.render.rows import Row
    from ullage.render.surfaces import Span
    from ullage.store.overview import Overview

_WIDE = 72
_ROOMY = 100
_ROOM_FOR_BARS = 64
# Beside a long bar the longest line of an outlook needs more than the usual eighty columns.
_ROOM_FOR_LONG_BARS = 84


def print_usage(overview: Overview, settings: Settings, now: datetime) -> None:
    """Print what is known, how old it is, who said so and what went wrong."""
    console = _console()
    for part in _usage(overview, settings, now, console.width):
        console.print(part)


def for_this_output(settings: Settings) -> Settings:
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
    console = _console()
    for line in lines:
        console.print(_text(line, settings))


def width() -> int:
    """Return how many cells a line of the terminal has."""
    return _console().width


def frame(
    overview: Overview,
    lines: Iterable[Sequence[Span]],
    settings: Settings,
    now: datetime,
    width: int,
    *,
    dense: bool = False,
) -> list[str]:
    """Return the screen of `ullage watch`, line by line with its escapes: the table, then a chart's lines.

    A `dense` table gives each window one line.
    """
    kept = io.StringIO()
    console = _console(kept, width=width)
    for part in _usage(overview, settings, now, width, dense=dense):
        console.print(part)
    console.print()
    for line in lines:
        console.print(_text(line, settings))
    return kept.getvalue().splitlines()


def _console(file: io.StringIO | None = None, width: int | None = None) -> Console:
    force = True if os.environ.get("CLICOLOR_FORCE", "0") != "0" or file is not None else None
    no_colour = is_without_colour()
    return Console(
        file=file, width=width, force_terminal=force, no_color=no_colour, highlight=False, markup=False, emoji=False
    )


def _text(line: Sequence[Span], settings: Settings) -> Text:
    return Text.assemble(*((span.text, _rich_style(settings.palette.get(span.level or "", ""))) for span in line))


def _rich_style(style: str) -> str:
    return " ".join(map(_rich_word, style.split()))


def _rich_word(word: str) -> str:
    if word.startswith("on_"):
        return f"on {_rich_word(word[3:])}"
    number = number_of(word)
    return word if number is None else f"color({number})"


def _usage(
    overview: Overview, settings: Settings, now: datetime, width: int, *, dense: bool = False
) -> list[RenderableType]:
    parts: list[RenderableType] = []
    if overview.reading is None:
        parts.append(Text(words.NOTHING))
    else:
        found = rows(overview, settings, now, bar_cells=_bar_cells(width))
        layout = _dense if dense else _wide if width >= _WIDE else _narrow
        if found:
            table = layout(found, settings, width)
            for column in table.columns if settings.ascii_only else ():
                column.overflow = "crop"
            parts.append(table)
        parts.append(Text(words.origin(overview.reading, settings, now), style="dim"))
        if overview.reading.breakdown and not dense:
            parts.append(Text(words.breakdown(overview.reading), style="dim"))
    problem = overview.problem
    if problem is not None:
        parts.append(Text(f"{clean(problem.message, 500)}{_retry(problem, now)}", style="yellow"))
    return parts


def _bar_cells(width: int) -> int:
    return 8 if _WIDE <= width < _ROOM_FOR_LONG_BARS else 12


def _retry(problem: Problem, now: datetime) -> str:
    at = problem.retry_at
    if at is None:
        return ""
    if at <= now:
        return " The next attempt is due now."
    # A pause that the server asked for counts for everybody.
    forced = "" if problem.code == "rate_limited" else "; `ullage refresh --force` asks now"
    return f" Next attempt {words.clock(at, now)}{forced}."


def _wide(found: Sequence[Row], settings: Settings, width: int) -> Table:
    table = _table(settings)
    # At eighty columns the time of the reset is worth more than the course so far.
    course = width >= _ROOMY and any(row.course.text for row in found)
    pace = any(row.pace for row in found)
    if course:
        table.add_column("Over time", no_wrap=True, min_width=COURSE_CELLS)
    if pace:
        table.add_column("Pace", no_wrap=True)
    table.add_column("Reset and outlook")
    for row in found:
        extra = [*([_text([row.course], settings)] if course else ()), *([Text(row.pace)] if pace else ())]
        outlook = Text("\n").join(_text([span], settings) for span in row.outlook)
        table.add_row(*_start(row, settings), *extra, outlook)
    return table


def _dense(found: Sequence[Row], settings: Settings, width: int) -> Table:
    """Each window on one line, for a screen that has more to show."""
    bar = width >= _ROOM_FOR_BARS
    table = _table(settings, bar=bar)
    course = width >= _ROOMY and any(row.course.text for row in found)
    if course:
        table.add_column("Over time", no_wrap=True, min_width=COURSE_CELLS)
    table.add_column("Pace", no_wrap=True, min_width=4)
    table.add_column("Resets in", no_wrap=True)
    if bar:
        table.add_column("Runs out", no_wrap=True)
    for row in found:
        cells = [*_start(row, settings, bar=bar), *([_text([row.course], settings)] if course else ())]
        cells += [Text(row.pace), Text(row.resets_in), *([_text([row.runs_out], settings)] if bar else ())]
        table.add_row(*cells)
    return table


def _table(settings: Settings, *, bar: bool = True) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2 if bar else 1, 0, 0), header_style="dim")
    table.add_column("Window", no_wrap=True, min_width=8, max_width=24)
    share = "Left" if settings.show_left else "Used"
    if bar:
        table.add_column(share, no_wrap=True)
    table.add_column("" if bar else share, no_wrap=True, justify="right", min_width=5)
    return table


def _start(row: Row, settings: Settings, *, bar: bool = True) -> list[Text]:
    return [Text(row.label), *([_text([row.bar], settings)] if bar else ()), _text([row.number], settings)]


def _narrow(found: Sequence[Row], settings: Settings, _width: int) -> Table:
    """Each window on lines of its own, for a pane of forty cells."""
    table = Table.grid()
    for row in found:
        lines = [Text(" ").join(_text([span], settings) for span in (row.bar, row.number) if span.text)]
        course = Text("over time ").append(_text([row.course], settings)) if row.course.text else Text()
        pace = Text(f"pace {row.pace}" if row.pace else "")
        lines.append(Text("  ").join(part for part in (course, pace) if part.plain))
        lines += [_text([span], settings) for span in row.outlook]
        table.add_row(Text(row.label))
        for line in lines:
            if line.plain:
                table.add_row(Padding(line, (0, 0, 0, 2)))
    return table

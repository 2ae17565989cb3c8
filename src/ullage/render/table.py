"""What people see in a terminal, in its colours and its width: the only module that imports rich."""

from __future__ import annotations

import io
import os
import sys

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ullage.model import has_reset, severity_at, state_at, used_percent_at
from ullage.render import chart, phrases, words
from ullage.text import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from rich.console import RenderableType

    from ullage.config import Settings
    from ullage.model import Credits, Window
    from ullage.overview import Overview
    from ullage.pace import Forecast
    from ullage.render.surfaces import Span

_WIDE = 72
_ROOMY = 100


def print_usage(overview: Overview, settings: Settings, now: datetime) -> None:
    """Print what is known, how old it is, who said so and what went wrong."""
    settings = for_this_output(settings)
    console = _console()
    for part in _usage(overview, settings, now, console.width):
        console.print(part)


def for_this_output(settings: Settings) -> Settings:
    """Return the settings with plain characters where standard output can carry no others."""
    ascii_only = settings.ascii_only or not (getattr(sys.stdout, "encoding", None) or "").lower().startswith("utf")
    return settings.replace(ascii_only=ascii_only)


def print_lines(lines: Iterable[Sequence[Span]], settings: Settings) -> None:
    """Print lines of spans in the palette's colours."""
    console = _console()
    for line in lines:
        console.print(_text(line, settings))


def width() -> int:
    """Return how many cells a line of the terminal has."""
    return _console().width


def frame(
    overview: Overview, lines: Iterable[Sequence[Span]], settings: Settings, now: datetime, width: int
) -> list[str]:
    """Return the screen of `ullage watch`, line by line with its escapes: the table, then a chart's lines."""
    kept = io.StringIO()
    console = _console(kept, width=width)
    for part in _usage(overview, settings, now, width):
        console.print(part)
    console.print()
    for line in lines:
        console.print(_text(line, settings))
    return kept.getvalue().splitlines()


def _console(file: io.StringIO | None = None, width: int | None = None) -> Console:
    force = True if os.environ.get("CLICOLOR_FORCE", "0") != "0" or file is not None else None
    no_colour = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return Console(
        file=file, width=width, force_terminal=force, no_color=no_colour, highlight=False, markup=False, emoji=False
    )


def _text(line: Sequence[Span], settings: Settings) -> Text:
    return Text.assemble(*((span.text, settings.palette.get(span.level or "", "")) for span in line))


def _usage(overview: Overview, settings: Settings, now: datetime, width: int) -> list[RenderableType]:
    parts: list[RenderableType] = []
    if overview.reading is None:
        parts.append(Text("Nothing is known yet."))
    else:
        parts += [_windows(overview, settings, now, width) if width >= _WIDE else _narrow(overview, settings, now)]
        parts.append(Text(phrases.origin(overview.reading, settings, now), style="dim"))
    problem = overview.problem
    if problem is not None:
        retry = f" Next attempt {words.clock(problem.retry_at, now)}." if problem.retry_at else ""
        parts.append(Text(f"{clean(problem.message, 500)}{retry}", style="yellow"))
    return parts


def _rows(overview: Overview, settings: Settings, now: datetime) -> list[tuple[Text, Text, Text, Text, Text, Text]]:
    assert overview.reading is not None
    rows = [_window(window, overview, settings, now) for window in overview.reading.windows]
    credits = overview.reading.credits
    if credits is not None and state_at(credits.as_of or overview.reading.as_of, now, settings.limits) != "expired":
        rows.append(_credits(credits, settings))
    return rows


def _windows(overview: Overview, settings: Settings, now: datetime, width: int) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(overflow="ellipsis", no_wrap=True, min_width=8, max_width=24)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right", min_width=5)
    rows = _rows(overview, settings, now)
    # At eighty columns the time of the reset is worth more than the course so far.
    extra = [any(row[column].plain for row in rows) and width >= least for column, least in ((3, _ROOMY), (4, 0))]
    for shown in extra:
        if shown:
            table.add_column(no_wrap=True)
    table.add_column()
    for label, bar, percent, spark, ratio, resets in rows:
        cells = [cell for cell, shown in zip((spark, ratio), extra, strict=True) if shown]
        table.add_row(label, bar, percent, *cells, resets)
    return table


def _narrow(overview: Overview, settings: Settings, now: datetime) -> Table:
    """Each window on lines of its own, for a pane of forty cells."""
    table = Table.grid()
    for label, bar, percent, spark, ratio, resets in _rows(overview, settings, now):
        table.add_row(label)
        numbers = [part for part in (bar, percent, spark, ratio) if part.plain.strip()]
        if numbers:
            table.add_row(Padding(Text(" ").join(numbers), (0, 0, 0, 2)))
        table.add_row(Padding(resets, (0, 0, 0, 2)))
    return table


def _window(
    window: Window, overview: Overview, settings: Settings, now: datetime
) -> tuple[Text, Text, Text, Text, Text, Text]:
    label, nothing = Text(clean(window.label)), Text("")
    used = used_percent_at(window, now, settings.limits)
    if has_reset(window, now):
        return label, nothing, Text("?"), nothing, nothing, Text("has reset; a new reading is due", style="dim")
    if used is None:
        return label, nothing, Text("?"), nothing, nothing, Text("not known", style="dim")
    severity = severity_at(window, now, settings.limits)
    stale = "~" if state_at(window.as_of, now, settings.limits) == "stale" else ""
    style = settings.palette.get("stale" if stale else severity, "")
    bar = words.bar(used, left=settings.show_left, ascii_only=settings.ascii_only, cells=12)
    percent = words.percent(used, left=settings.show_left) + words.mark(severity, ascii_only=settings.ascii_only)
    forecast, samples = overview.forecasts.get(window.id), overview.samples.get(window.id, ())
    ratio = (
        words.pace(forecast.ratio, ascii_only=settings.ascii_only) if forecast and forecast.ratio is not None else ""
    )
    return (
        label,
        Text(bar, style=style),
        Text(stale + percent, style=style),
        Text(phrases.course(window, samples, ascii_only=settings.ascii_only), style=style),
        Text(ratio),
        _outlook(window, used, forecast, settings, now),
    )


def _outlook(window: Window, used: float, forecast: Forecast | None, settings: Settings, now: datetime) -> Text:
    text = Text(phrases.reset(window, used, now))
    if window.resets_at is not None and used < 100:
        expected = chart.outlook(forecast, window.resets_at, now)
        runs_out = forecast is not None and forecast.exhausts_at is not None
        if expected:
            text.append("\n").append(expected, style=settings.palette.get("warning", "") if runs_out else "")
    return text


def _credits(credits: Credits, settings: Settings) -> tuple[Text, Text, Text, Text, Text, Text]:
    label, nothing = Text("Credits"), Text("")
    if not credits.enabled:
        return label, nothing, nothing, nothing, nothing, Text("off", style="dim")
    amount = Text(phrases.amount(credits))
    if credits.used_percent is None:
        return label, nothing, nothing, nothing, nothing, amount
    bar = words.bar(credits.used_percent, left=settings.show_left, ascii_only=settings.ascii_only, cells=12)
    percent = words.percent(credits.used_percent, left=settings.show_left)
    return label, Text(bar), Text(percent), nothing, nothing, amount

"""`ullage watch`."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime

import click

from ullage import config, prompt
from ullage.base.errors import UsageError
from ullage.base.text import clean
from ullage.cli import options
from ullage.cli.say import has_colours
from ullage.cli.screen import Ended, Screen
from ullage.cli.settings import load_terminal_settings
from ullage.quota.model import find_binding_window, list_limits
from ullage.render import burnup, chart, rows, usage, words
from ullage.render.cells import fit, measure_spans, wrap
from ullage.render.surfaces import Span, join_spans, paint
from ullage.store import overview
from ullage.store.cache import ProfileCache
from ullage.system.files import find_mark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ullage.config import Settings
    from ullage.quota.model import Window
    from ullage.render.burnup import Burnup
    from ullage.render.chart import ChartForm
    from ullage.store.overview import Overview

# How often the cache is checked for changes, by its files' times alone.
_LOOK_SECONDS = 2.0
# The fewest lines of a plot that are worth it, and for which the forecast's interval is left out; and how wide a chart
# must be for another beside it.
_LEAST_PLOT_LINES, _ROOMY_PLOT_LINES = 3, 10
_CHART_CELLS, _GAP_CELLS = 58, 2
_NEXT = ("right", "down", "\t", "l", "j")
_PREVIOUS = ("left", "up", "h", "k")


@click.command(name="watch")
@options.add_profile_option
def command() -> int:
    """Show the windows and the chart of one, live, until q is pressed; of several where there is room.

    The chart is of the window nearest to its limit; the digits and the arrow keys choose another. Redraws when a
    reading comes in and when a minute has passed; a reading that is due is asked for in the background.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()) or os.environ.get("TERM") == "dumb":
        raise UsageError("watch needs a terminal to draw on. `ullage usage` prints once.")
    settings = load_terminal_settings(config.load(os.environ)[0])
    cache = ProfileCache(os.environ)
    try:
        with Screen() as screen:
            return _watch(screen, cache, settings)
    except Ended as ended:
        return ended.code


def _watch(screen: Screen, cache: ProfileCache, settings: Settings) -> int:
    """Redraw when the cache, the minute, the size, the screen or the choice has changed, until q is pressed."""
    chosen: int | None = None
    drawn: object = None
    while True:
        now = datetime.now(UTC)
        seen = (_version(cache), int(now.timestamp()) // 60, screen.measure(), screen.generation, chosen)
        if seen != drawn:
            prompt.start_refresh_if_due(os.environ)
            known = overview.load(cache, settings.thresholds, now)
            windows = _in_order(known, settings, now)
            if windows and chosen is None:
                assert known.reading is not None
                nearest = find_binding_window(list_limits(known.reading), now, settings.thresholds)
                chosen = windows.index(nearest) if nearest in windows else 0
            elif windows and chosen is not None:
                chosen %= len(windows)
            screen.show(_lines(known, settings, now, chosen or 0, screen.measure()))
            drawn = seen
        until_minute = 60 - datetime.now(UTC).timestamp() % 60
        for key in screen.read_keys(min(_LOOK_SECONDS, until_minute)):
            if key in ("q", "Q"):
                return 0
            chosen = _choice(key, chosen or 0)


def _choice(key: str, chosen: int) -> int:
    if key in _NEXT:
        return chosen + 1
    if key in _PREVIOUS:
        return chosen - 1
    return int(key) - 1 if key in "123456789" else chosen


def _version(cache: ProfileCache) -> tuple[object, ...]:
    """Return a version that changes with the reading and with the schedule."""
    return cache.find_version(), find_mark(os.path.join(cache.directory, "schedule.json"))


def _lines(known: Overview, settings: Settings, now: datetime, chosen: int, size: tuple[int, int]) -> list[str]:
    """Return the lines of the screen: the list, a chart of the chosen window or of several, and the keys at the end."""
    # A terminal that erases to the end of a full line takes its last cell with it.
    width, height = size[0] - 1, size[1]
    windows = _in_order(known, settings, now)
    listed = usage.lay_out_page(known, settings, now, width, chosen if windows else None)
    room = height - len(_paint_lines(listed, settings, width)) - 1
    lines = [*listed, *_charts([*windows[chosen:], *windows[:chosen]], known, settings, now, width, room)]
    drawn = _paint_lines(lines, settings, width)[: height - 1]
    below = [""] * (height - 1 - len(drawn))
    return [*drawn, *below, *_paint_lines([_foot(known, len(windows), settings, now, width)], settings, width)]


def _paint_lines(lines: Iterable[Sequence[Span]], settings: Settings, width: int) -> list[str]:
    """Return lines of spans as the screen shows them, each with its escapes; what is longer is folded."""
    surface = "ansi" if has_colours() else "plain"
    return [paint(join_spans(part), surface, settings.palette) for line in lines for part in wrap(line, width)]


def _in_order(known: Overview, settings: Settings, now: datetime) -> list[Window]:
    return rows.list_shown_limits(known.reading, settings, now) if known.reading else []


def _charts(
    windows: Sequence[Window], known: Overview, settings: Settings, now: datetime, width: int, room: int
) -> list[list[Span]]:
    """Return the first windows' charts side by side, each with a blank line above; nothing without room."""
    if not windows:
        return []
    many = min(len(windows), max(1, (width + _GAP_CELLS) // (_CHART_CELLS + _GAP_CELLS)))
    each = (width - _GAP_CELLS * (many - 1)) // many
    plots = [burnup.plot_known(window, known, settings.thresholds, now) for window in windows[:many]]
    for brief in (False, True):

        def draw(height: int, *, brief: bool = brief) -> list[list[list[Span]]]:
            form = chart.ChartForm(
                width=each,
                height=height,
                thresholds=settings.thresholds,
                ascii_only=settings.ascii_only,
                brief=brief,
                stacked=many > 1,
                show_left=settings.show_left,
            )
            headings = [chart.wrap_heading(plot, form) for plot in plots if plot is not None]
            form = form.replace(heading_lines=max(map(len, headings), default=0))
            return [_chart(window, plot, form) for window, plot in zip(windows, plots, strict=False)]

        # A chart's other lines, which take as many as its width asks for, and a blank one above.
        plot = room - 1 - max(0, max(map(len, draw(_LEAST_PLOT_LINES))) - _LEAST_PLOT_LINES)
        if plot >= (_LEAST_PLOT_LINES if brief else _ROOMY_PLOT_LINES):
            return [[], *_beside(draw(plot), each)]
    return []


def _beside(drawn: Sequence[Sequence[list[Span]]], cells: int) -> Iterator[list[Span]]:
    """Yield the lines of charts side by side, each padded to `cells`."""
    for number in range(max(map(len, drawn))):
        line: list[Span] = []
        for picture in drawn:
            part = picture[number] if number < len(picture) else []
            line += [*part, Span(text=" " * (cells + _GAP_CELLS - measure_spans(part)))]
        # Without the padding of the last chart, which would wrap the line.
        yield line[:-1]


def _chart(window: Window, plot: Burnup | None, form: ChartForm) -> list[list[Span]]:
    if plot is None:
        return [[Span(text=f"{clean(window.label)}: no course to draw", level="faint")]]
    return chart.lay_out_page(plot, form)


def _foot(known: Overview, windows: int, settings: Settings, now: datetime, width: int) -> list[Span]:
    """Return the keys, the time, and when the next reading is due, in the last line."""
    dot = " - " if settings.ascii_only else " · "
    keys = f"1-{min(windows, 9)} or arrows choose{dot}q quits" if windows > 1 else "q quits"
    due = known.schedule.find_due(known.reading, attended=True)
    time = f"{words.format_clock(now, now)}{dot}{words.format_next_reading(due, now)}"
    space = width - len(keys) - len(time)
    # Without room for both the keys matter more.
    text = f"{keys}{' ' * space}{time}" if space >= _GAP_CELLS else keys
    return fit([Span(text=text, level="faint")], width, ascii_only=settings.ascii_only)

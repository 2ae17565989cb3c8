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
from ullage.cli.screen import Ended, Screen
from ullage.quota.model import binding_window, listed_windows
from ullage.render import burnup, chart, table
from ullage.render.surfaces import Span
from ullage.store import overview
from ullage.store.cache import ProfileCache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ullage.config import Settings
    from ullage.quota.model import Window
    from ullage.store.overview import Overview

# How often the cache is looked at: a list of its files and their times, no more.
_LOOK_SECONDS = 2.0
_MOST_PLOT_LINES = 20
# Whether the table is dense and the chart brief, and the fewest lines of a plot that are worth it: the first that fits.
_LAYOUTS = ((False, False, 12), (True, False, 6), (True, True, 3))
_NEXT = ("right", "down", "\t", "l", "j")
_PREVIOUS = ("left", "up", "h", "k")


@click.command(name="watch")
@options.profile
def command() -> int:
    """Show the windows and the chart of one, live, until q is pressed.

    The chart is of the window nearest to its limit; the digits and the arrow keys choose another. Redraws when a
    reading comes in and when a minute has passed; a reading that is due is asked for in the background.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("watch needs a terminal to draw on. `ullage usage` prints once.")
    settings = options.for_a_terminal(config.load(os.environ)[0])
    cache = ProfileCache(os.environ)
    try:
        with Screen() as screen:
            return _watch(screen, cache, settings)
    except Ended as ended:
        return ended.code


def _watch(screen: Screen, cache: ProfileCache, settings: Settings) -> int:
    chosen: int | None = None
    drawn: object = None
    while True:
        now = datetime.now(UTC)
        seen = (_version(cache), int(now.timestamp()) // 60, screen.size(), screen.generation, chosen)
        if seen != drawn:
            prompt.start_refresh_if_due(os.environ)
            known = overview.load(cache, settings.thresholds, now)
            windows = listed_windows(known.reading) if known.reading else ()
            if windows and chosen is None:
                nearest = binding_window(windows, now, settings.thresholds)
                chosen = windows.index(nearest) if nearest else 0
            elif windows and chosen is not None:
                chosen %= len(windows)
            screen.show(_lines(known, settings, now, chosen or 0, screen.size()))
            drawn = seen
        until_minute = 60 - datetime.now(UTC).timestamp() % 60
        for key in screen.keys(min(_LOOK_SECONDS, until_minute)):
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
    """Return what changes whenever a reading or the schedule does."""
    try:
        planned = os.stat(os.path.join(cache.directory, "schedule.json")).st_mtime_ns
    except OSError:
        planned = 0
    return cache.version(), planned


def _lines(known: Overview, settings: Settings, now: datetime, chosen: int, size: tuple[int, int]) -> list[str]:
    """Return the screen: the table, as much of a chart as there is room for, and the keys."""
    windows = listed_windows(known.reading) if known.reading else ()
    keys = f"q quits; 1-{len(windows)} or the arrows choose" if len(windows) > 1 else "q quits"
    below = [Span(text=keys, level="stale")]
    for dense, brief, least in _LAYOUTS:
        plot = _MOST_PLOT_LINES
        while windows and plot >= least:
            lines = [*_chart(windows[chosen], known, settings, now, size[0], plot, brief=brief), below]
            drawn = table.frame(known, lines, settings, now, size[0], dense=dense)
            if len(drawn) <= size[1]:
                return drawn
            plot -= len(drawn) - size[1]
    shown = table.frame(known, [below], settings, now, size[0])
    if len(shown) > size[1]:
        shown = table.frame(known, [below], settings, now, size[0], dense=True)
    return shown[: size[1]]


def _chart(
    window: Window, known: Overview, settings: Settings, now: datetime, width: int, plot: int, *, brief: bool
) -> list[list[Span]]:
    drawn = burnup.plot_burnup(window, known.samples.get(window.id, ()), known.forecasts.get(window.id), now)
    if drawn is None:
        return [[Span(text=f"{clean(window.label)}: no course to draw", level="stale")]]
    return chart.page(drawn, width, plot, ascii_only=settings.ascii_only, brief=brief)

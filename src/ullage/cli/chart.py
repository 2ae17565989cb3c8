"""`ullage chart`."""

from __future__ import annotations

import os
import secrets
import sys
from datetime import UTC, datetime

import click

from ullage import config
from ullage.base.errors import MissingExtraError, UllageError, UsageError
from ullage.base.text import clean
from ullage.cli import options
from ullage.cli.settings import load_terminal_settings
from ullage.quota.model import find_binding_window, find_window, list_limits, list_named_limits
from ullage.render import burnup, chart, svg
from ullage.render.segment import shorten_name
from ullage.store import overview
from ullage.store.cache import ProfileCache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ullage.config import Settings
    from ullage.quota.model import Window
    from ullage.render.burnup import Burnup
    from ullage.store.overview import Overview

_PLOT_LINES = 16
_SIGNATURES = {"SVG": b"<svg", "PNG": b"\x89PNG"}


@click.command(name="chart")
@click.argument("window", required=False, shell_complete=options.complete_window)
@click.option("--svg", "svg_file", metavar="FILE", help="Write an SVG; - is standard output.")
@click.option("--png", "png_file", metavar="FILE", help="Write a PNG (needs the extra: ullage[png]).")
@click.option(
    "--theme",
    type=click.Choice(["auto", "light", "dark"]),
    default="auto",
    show_default=True,
    help="The file's colours; auto follows the viewer in an SVG, and is light in a PNG.",
)
@options.add_profile_option
def command(window: str | None, svg_file: str | None, png_file: str | None, theme: str) -> int:
    """Draw how WINDOW was used: beside the line that would just last, with the forecast's band, up to the reset.

    WINDOW is 5h, 7d, a model's name or an id; else the window nearest to its limit. Asks nobody: `ullage refresh`
    does. Exits with 3 when nothing is known yet.
    """
    settings, _ = config.load(os.environ)
    now = datetime.now(UTC)
    known = overview.load(ProfileCache(os.environ), settings.thresholds, now)
    if known.reading is None:
        click.echo("Nothing is known yet. `ullage usage` asks.", err=True)
        return 3
    drawn, why_not = choose(known, settings, window, now)
    if drawn is None:
        click.echo(why_not, err=True)
        return 3
    if svg_file is not None:
        _write(svg_file, "SVG", svg.draw_svg(drawn, theme).encode())
    if png_file is not None:
        _write(png_file, "PNG", _png(drawn, "light" if theme == "auto" else theme))
    if svg_file is None and png_file is None:
        _print(drawn, settings)
    return 0


def choose(known: Overview, settings: Settings, name: str | None, now: datetime) -> tuple[Burnup | None, str]:
    """Return the chart of the window with this name, or else of the drawable window nearest to its limit.

    Where the window has none, return None and why. Raises UsageError for an unknown name.
    """
    assert known.reading is not None
    windows = list_limits(known.reading) if name is None else list_named_limits(known.reading)
    if name is None:
        drawable = tuple(window for window in windows if _burnup(window, known, now) is not None)
        window = find_binding_window(drawable, now, settings.thresholds) or find_binding_window(
            windows, now, settings.thresholds
        )
    else:
        window = find_window(windows, name, now, settings.thresholds)
        if window is None:
            names = ", ".join(shorten_name(each) for each in windows)
            raise UsageError(f"There is no window {clean(name)!r}. Known are {names or 'none'}.")
    if window is None:
        return None, "No window is known that could be drawn. `ullage usage` says what is."
    return _burnup(window, known, now), burnup.explain_missing_chart(window)


def _burnup(window: Window, known: Overview, now: datetime) -> Burnup | None:
    return burnup.plot_burnup(window, known.samples.get(window.id, ()), known.forecasts.get(window.id), now)


def _print(drawn: Burnup, settings: Settings) -> None:
    from ullage.render import table

    settings = load_terminal_settings(settings)
    form = chart.ChartForm(
        width=table.measure_width(),
        height=_PLOT_LINES,
        thresholds=settings.thresholds,
        ascii_only=settings.ascii_only,
    )
    table.print_lines(chart.lay_out_page(drawn, form), settings)


def _png(drawn: Burnup, theme: str) -> bytes:
    try:
        from ullage.render import picture
    except ImportError as error:
        raise MissingExtraError("A PNG", "png", "pillow", " --svg needs nothing.") from error
    return picture.draw_png(svg.draw_scene(drawn), theme)


def _write(path: str, form: str, data: bytes) -> None:
    """Write a file atomically; an existing file is replaced only if it is a picture of the same form."""
    if path == "-":
        sys.stdout.buffer.write(data)
        return
    if os.path.isdir(path):
        raise UsageError(f"{path} is a directory. Name a file.")
    if not os.path.isdir(os.path.dirname(path) or os.curdir):
        raise UsageError(f"{path!r} cannot be written: there is no such directory. Name another file.")
    if os.path.lexists(path):
        with open(path, "rb") as file:
            if not file.read(8).startswith(_SIGNATURES[form]):
                raise UsageError(f"{path} is there already and is no {form}; it stays as it is. Name another file.")
    temporary = f"{path}.{secrets.token_hex(4)}.new"
    try:
        with open(temporary, "xb") as file:
            file.write(data)
        os.replace(temporary, path)
    except OSError as error:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise UllageError(f"{path!r} cannot be written: {error.strerror}. Name another file.") from error
    click.echo(f"Wrote {path}", err=True)

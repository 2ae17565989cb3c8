"""`ullage chart`."""

from __future__ import annotations

import os
import secrets
import sys
from datetime import UTC, datetime

import click

from ullage import config
from ullage.base.errors import MissingExtraError, UllageError, UsageError
from ullage.base.record import Record
from ullage.base.text import quote
from ullage.cli import options
from ullage.cli.parameters import OneOf
from ullage.cli.say import say, say_lines
from ullage.cli.settings import load_terminal_settings
from ullage.quota.model import CREDITS_ID, find_binding_window, find_window, list_limits, list_named_limits
from ullage.render import burnup, card, chart, rows, svg
from ullage.render.segment import explain_unknown
from ullage.store import overview
from ullage.store.cache import ProfileCache
from ullage.system.files import replace_file
from ullage.system.streams import measure_height, measure_terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ullage.config import Settings
    from ullage.render.burnup import Burnup
    from ullage.render.svg import Shape
    from ullage.store.overview import Overview

_PLOT_LINES, _LOW_PLOT_LINES, _PROMPT_LINES = 16, 8, 2
_SIGNATURES = {"SVG": b"<svg", "PNG": b"\x89PNG"}


class _Files(Record):
    """Where a picture is to be written, in which form and in which colours."""

    svg: str | None
    png: str | None
    theme: str

    @property
    def is_any(self) -> bool:
        return self.svg is not None or self.png is not None


@click.command(name="chart")
@click.argument("window", required=False, shell_complete=options.complete_window)
@click.option("--all", "every", is_flag=True, help="Every window: charts below each other, or with a file one card.")
@click.option("--svg", "svg_file", metavar="FILE", help="Write an SVG; - is standard output.")
@click.option("--png", "png_file", metavar="FILE", help="Write a PNG (needs the extra: ullage[png]).")
@click.option(
    "--theme",
    type=OneOf(["auto", "light", "dark"]),
    default="auto",
    show_default=True,
    help="The file's colours; auto follows the viewer in an SVG, and is light in a PNG.",
)
@click.option("--account", "names_account", is_flag=True, help="Name the organisation on the card, or the account.")
@options.add_profile_option
def command(window: str | None, svg_file: str | None, png_file: str | None, theme: str, **how: bool) -> int:
    """Draw how WINDOW was used: beside the line that would just last, with the forecast's band, up to the reset.

    WINDOW is 5h, 7d, a model's name, credits or an id; else the window nearest to its limit. Asks nobody: `ullage
    refresh` does. Exits with 3 when nothing is known yet.

    With --all and --svg or --png it is a card to show to others: every window, the plan and the week's course, and
    nobody's name.
    """
    every, names_account = how["every"], how["names_account"]
    if every and window is not None:
        raise UsageError("--all draws every window. Leave the window out, or --all.")
    if names_account and not (every and (svg_file or png_file)):
        raise UsageError("--account puts a name on the card, which --all makes with --svg or --png.")
    settings, _ = config.load(os.environ)
    now = datetime.now(UTC)
    known = overview.load(ProfileCache(os.environ), settings.thresholds, now)
    if known.reading is None:
        say("Nothing is known yet. `ullage usage` asks.", err=True)
        return 3
    files = _Files(svg=svg_file, png=png_file, theme=theme)
    if every:
        return _draw_every(known, settings, now, files, names_account=names_account)
    drawn, why_not = choose(known, settings, window, now)
    if drawn is None:
        say(why_not, err=True)
        return 3
    if files.is_any:
        _write_files(files, svg.draw_scene(drawn), (svg.WIDTH, svg.HEIGHT), svg.describe_chart(drawn))
    else:
        _print([drawn], settings)
    return 0


def _draw_every(known: Overview, settings: Settings, now: datetime, files: _Files, *, names_account: bool) -> int:
    assert known.reading is not None
    if files.is_any:
        scene = card.draw_card(known, settings, now, names_account=names_account)
        _write_files(files, scene, card.CARD_SIZE, card.describe_card(known, settings, now))
        return 0
    windows = rows.list_shown_limits(known.reading, settings, now)
    drawn = [
        found for window in windows if (found := burnup.plot_known(window, known, settings.thresholds, now)) is not None
    ]
    if not drawn:
        say("No window is known that could be drawn. `ullage usage` says what is.", err=True)
        return 3
    _print(drawn, settings)
    return 0


def choose(known: Overview, settings: Settings, name: str | None, now: datetime) -> tuple[Burnup | None, str]:
    """Return the chart of the window with this name, or else of the drawable window nearest to its limit.

    Where the window has none, return None and why. Raises UsageError for an unknown name.
    """
    assert known.reading is not None
    windows = list_limits(known.reading) if name is None else list_named_limits(known.reading)
    if name is None:
        drawable = tuple(
            window for window in windows if burnup.plot_known(window, known, settings.thresholds, now) is not None
        )
        window = find_binding_window(drawable, now, settings.thresholds) or find_binding_window(
            windows, now, settings.thresholds
        )
    else:
        window = find_window(windows, name, now, settings.thresholds)
        if window is None and name.casefold() == CREDITS_ID:
            return None, "The credits are off or have no limit, so that there is no course to draw."
        if window is None:
            raise UsageError(explain_unknown(name, windows))
    if window is None:
        return None, "No window is known that could be drawn. `ullage usage` says what is."
    return burnup.plot_known(window, known, settings.thresholds, now), burnup.explain_missing_chart(window)


def _print(drawn: Sequence[Burnup], settings: Settings) -> None:
    settings = load_terminal_settings(settings)
    form = chart.ChartForm(
        width=measure_terminal(),
        height=_PLOT_LINES if len(drawn) == 1 else _LOW_PLOT_LINES,
        thresholds=settings.thresholds,
        ascii_only=settings.ascii_only,
        brief=len(drawn) > 1,
        show_left=settings.show_left,
    )
    if len(drawn) == 1:
        form = _fit_screen(drawn[0], form)
    for number, each in enumerate(drawn):
        lines = chart.lay_out_page(each, form)
        say_lines([[], *lines] if number else lines, settings.palette, folded=True)


def _fit_screen(drawn: Burnup, form: chart.ChartForm) -> chart.ChartForm:
    """Return a form as low as the screen asks for, so that the heading is seen above the next prompt."""
    lines = measure_height()
    if lines is None:
        return form
    others = len(chart.lay_out_page(drawn, form)) - form.height
    room = lines - others - _PROMPT_LINES
    return form.replace(height=min(form.height, max(_LOW_PLOT_LINES, room)))


def _write_files(files: _Files, scene: Sequence[Shape], size: tuple[int, int], described: str) -> None:
    if files.svg is not None:
        _write(files.svg, "SVG", svg.write_svg(scene, size, described, files.theme).encode())
    if files.png is not None:
        _write(files.png, "PNG", _png(scene, size, "light" if files.theme == "auto" else files.theme))


def _png(scene: Sequence[Shape], size: tuple[int, int], theme: str) -> bytes:
    try:
        from ullage.render import picture
    except ImportError as error:
        raise MissingExtraError("A PNG", "png", "pillow", " --svg needs nothing.") from error
    return picture.draw_png(scene, theme, size)


def _write(path: str, form: str, data: bytes) -> None:
    """Write a file atomically; an existing file is replaced only if it is a picture of the same form."""
    if path == "-":
        if form == "PNG" and sys.stdout.isatty():
            raise UsageError("A PNG is no text for a terminal. Name a file, or send it into a pipe.")
        sys.stdout.buffer.write(data)
        return
    if os.path.isdir(path):
        raise UsageError(f"{path} is a directory. Name a file.")
    if not os.path.isdir(os.path.dirname(path) or os.curdir):
        raise UsageError(f"{quote(path)} cannot be written: there is no such directory. Name another file.")
    if os.path.lexists(path):
        with open(path, "rb") as file:
            if not file.read(8).startswith(_SIGNATURES[form]):
                raise UsageError(f"{path} is there already and is no {form}; it stays as it is. Name another file.")
    temporary = f"{path}.{secrets.token_hex(4)}.new"
    try:
        with open(temporary, "xb") as file:
            file.write(data)
        replace_file(temporary, path)
    except OSError as error:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise UllageError(f"{quote(path)} cannot be written: {error.strerror}. Name another file.") from error
    say(f"Wrote {path}", err=True)

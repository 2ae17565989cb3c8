"""`ullage panel`."""

from __future__ import annotations

import os
import shutil
import sys
from datetime import UTC, datetime

import click

from ullage import config, prompt
from ullage import panel as panels
from ullage.base.errors import UsageError
from ullage.cli import options
from ullage.config.template import check_template
from ullage.panel.formats import FORMATS
from ullage.quota.model import find_window
from ullage.render import segment
from ullage.store import overview
from ullage.store.cache import ProfileCache
from ullage.system import detach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ullage.panel import Panel, Wanted
    from ullage.panel.formats import Format
    from ullage.store.overview import Overview


def _template(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    wrong = check_template(value) if value is not None else None
    if wrong:
        raise click.BadParameter(f"The template {wrong}.")
    return value


@click.command(name="panel")
@click.argument("format", type=click.Choice(list(FORMATS)), metavar="FORMAT")
@options.window
@click.option(
    "--template", metavar="TEXT", callback=_template, help="What the bar shows; else `segment.template` of config.toml."
)
@click.option("--follow", is_flag=True, help="Go on: an update whenever the cache changes or time changes it.")
@options.profile
def command(format: str, window: str | None, template: str | None, follow: bool) -> int:
    """Print what is used in the format of a bar, a menu or a tray.

    FORMAT is one of waybar, i3bar, i3blocks, i3status-rust, py3status, polybar, lemonbar, xmobar, conky, genmon, argos,
    xbar, swiftbar, sketchybar, plain. Prints no text, and exits with 0, while nothing is known: a bar then hides it.
    Asks nobody, and starts a refresh in the background when one is due.
    """
    chosen, wanted = FORMATS[format], panels.Wanted(template=template, window=window)
    if follow and chosen.update is None:
        raise UsageError(f"{format} runs its command at intervals and reads no stream. Leave --follow away.")
    if follow:
        return _follow(chosen, wanted)
    prompt.start_refresh_if_due(os.environ, panels.UNATTENDED)
    settings, now = options.for_a_desktop(config.load(os.environ)[0]), datetime.now(UTC)
    known = overview.load(ProfileCache(os.environ), settings.thresholds, now)
    _tell_unknown(known, window)
    _print(chosen.render(panels.look_at(known, settings, wanted, now), _refresh_command()))
    return 0


def _follow(chosen: Format, wanted: Wanted) -> int:
    from ullage.panel import clicks, page
    from ullage.panel.follow import Followed, PipeSleep, follow

    refresh, said = _refresh_command(), None
    assert chosen.update is not None

    def say(panel: Panel) -> None:
        nonlocal said
        assert chosen.update is not None
        text = chosen.update(panel, refresh)
        if text != said:
            said = text
            _print(text)

    def clicked(button: int) -> None:
        if button == clicks.LEFT:
            detach.start_refresh(os.environ, "--early")
        elif button == clicks.RIGHT:
            page.open_usage_page(os.environ)

    if chosen.prelude:
        _print(chosen.prelude)
    followed = Followed(os.environ, wanted, options.for_a_desktop)
    with PipeSleep(sys.stdout.fileno(), clicked if chosen.takes_clicks else None) as sleep:
        follow(followed, say, sleep)
    return 0


def _tell_unknown(known: Overview, window: str | None) -> None:
    windows = known.reading.windows if known.reading else ()
    if window is not None and windows and find_window(windows, window) is None:
        names = ", ".join(segment.short_name(each) for each in windows)
        click.echo(f"ullage: There is no window {window!r} now. Known are {names}.", err=True)


def _refresh_command() -> tuple[str, ...]:
    """Return what asks for a new reading of this profile, for menus that start it in another environment."""
    own = os.path.abspath(sys.argv[0])
    if not (os.path.basename(own).startswith("ullage") and os.access(own, os.X_OK)):
        own = shutil.which("ullage") or "ullage"
    return (own, "refresh", "--detach", "--early", "--profile", os.environ.get("CLAUDE_CONFIG_DIR") or "default")


def _print(text: str) -> None:
    """Print UTF-8, whatever the locale says that a bar was started with; a reader that has gone ends the process."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode(errors="replace") + b"\n")
    sys.stdout.buffer.flush()

"""`ullage panel`."""

from __future__ import annotations

import os
import shutil
import sys
from datetime import UTC, datetime

import click

from ullage import config, prompt
from ullage import panel as panels
from ullage.base.errors import CacheError, UsageError
from ullage.base.text import find_near
from ullage.cli import options
from ullage.cli.parameters import OneOf
from ullage.cli.say import remark
from ullage.cli.settings import adapt_to_output, load_desktop_settings
from ullage.config.template import check_template, list_unknown_windows, parse_template
from ullage.panel.formats import FORMATS
from ullage.quota.model import find_window, list_named_limits
from ullage.render.segment import explain_unknown, shorten_name
from ullage.store import overview
from ullage.store.cache import ProfileCache
from ullage.system import detach, files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    from ullage.config import Settings
    from ullage.panel import Panel, Wanted
    from ullage.panel.clicks import Request
    from ullage.panel.formats import Format
    from ullage.quota.model import Reading


def _template(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    wrong = check_template(value) if value is not None else None
    if wrong:
        raise click.BadParameter(f"The template {wrong}{'' if wrong.endswith('?') else '.'}")
    return value


@click.command(name="panel")
@click.argument("format", type=OneOf(list(FORMATS)), metavar="FORMAT")
@options.add_window_option
@click.option(
    "--template", metavar="TEXT", callback=_template, help="What the bar shows; else `segment.template` of config.toml."
)
@click.option("--count", type=OneOf(["used", "left"]), help="What the numbers say; else `segment.show` of config.toml.")
@click.option(
    "--background",
    type=OneOf(["dark", "light"]),
    help="What the colours are to be read on; else `colors.background` of config.toml, or dark.",
)
@click.option(
    "--write",
    metavar="FILE",
    type=click.Path(dir_okay=False, resolve_path=True),
    help="Replace a file by each update instead of printing it.",
)
@click.option(
    "--after", metavar="REVISION", help="For json: wait until there is something else to show, then print it."
)
@click.option("--follow", is_flag=True, help="Go on: an update whenever the cache changes or time changes it.")
@options.add_profile_option
def command(
    format: str,
    window: str | None,
    template: str | None,
    count: str | None,
    background: Literal["dark", "light"] | None,
    write: str | None,
    after: str | None,
    follow: bool,
) -> int:
    """Print what is used in the format of a bar, a menu or a tray.

    FORMAT is one of waybar, i3bar, i3blocks, i3status-rust, py3status, polybar, lemonbar, xmobar, screen (GNU
    screen's), conky, genmon, argos, xbar, swiftbar, sketchybar, plain, json. Prints no text, and exits with 0, while
    nothing is known: a bar then hides it. Asks nobody, and starts a refresh in the background when one is due.
    """
    chosen, wanted = FORMATS[format], panels.Wanted(template=template, window=window)
    if follow and chosen.update is None:
        raise UsageError(f"{format} runs its command at intervals and reads no stream. Leave --follow away.")
    if after is not None and (format != "json" or follow):
        raise UsageError("--after is for json, and in the place of --follow: it waits for one update.")
    if follow or after is not None:
        _refuse_unknown(ProfileCache(os.environ).load_reading(), wanted)
    tell = _print if write is None else _replace(write)
    adapt = _adapt_to(count, background, is_for_reading=format == "plain" and write is None)
    if after is not None:
        return _wait(wanted, adapt, after, tell)
    if follow:
        return _follow(chosen, wanted, adapt, tell)
    prompt.start_refresh_if_due(os.environ, panels.UNATTENDED)
    settings, now = adapt(config.load(os.environ)[0]), datetime.now(UTC)
    known = overview.load(ProfileCache(os.environ), settings.thresholds, now)
    _refuse_unknown(known.reading, wanted)
    tell(chosen.render(panels.look_at(known, settings, wanted, now), _refresh_command()))
    return 0


def _adapt_to(
    count: str | None, background: Literal["dark", "light"] | None, *, is_for_reading: bool
) -> Callable[[Settings], Settings]:
    """Return the function that adapts the settings in force to this bar's options."""

    def adapt(settings: Settings) -> Settings:
        if background is not None:
            settings = settings.replace(colouring=settings.colouring.replace(background=background))
        settings = load_desktop_settings(settings)
        # A bar takes UTF-8 whatever the locale; what a terminal or a script is given keeps to it.
        settings = adapt_to_output(settings) if is_for_reading else settings
        return settings if count is None else settings.replace(show_left=count == "left")

    return adapt


def _follow(chosen: Format, wanted: Wanted, adapt: Callable[[Settings], Settings], tell: Callable[[str], None]) -> int:
    from ullage.panel import page
    from ullage.panel.follow import Followed, follow, sleep_for_bar

    refresh, said = _refresh_command(), None
    assert chosen.update is not None

    def say(panel: Panel) -> None:
        nonlocal said
        assert chosen.update is not None
        text = chosen.update(panel, refresh)
        if text != said:
            said = text
            tell(text)

    def answer(request: Request) -> None:
        if request == "refresh":
            detach.start_refresh(os.environ, "--early")
        else:
            page.open_usage_page(os.environ)

    if chosen.prelude:
        tell(chosen.prelude)
    followed = Followed(os.environ, wanted, adapt)
    with sleep_for_bar(chosen.read, answer) as sleep:
        follow(followed, say, sleep)
    return 0


def _wait(wanted: Wanted, adapt: Callable[[Settings], Settings], revision: str, tell: Callable[[str], None]) -> int:
    """Print the panel's JSON once its revision differs from `revision`."""
    from ullage.panel import document
    from ullage.panel.follow import Followed, follow, sleep_for_bar

    refresh = _refresh_command()

    def say(panel: Panel) -> None:
        if document.digest(panel) != revision:
            sleep.ended = True
            tell(document.write_json(panel, refresh))

    with sleep_for_bar() as sleep:
        follow(Followed(os.environ, wanted, adapt), say, sleep)
    return 0


def _replace(path: str) -> Callable[[str], None]:
    def replace(text: str) -> None:
        try:
            files.write_atomically(path, text.encode(errors="replace") + b"\n")
        except CacheError as error:
            reason = getattr(error.__cause__, "strerror", None) or "it was refused"
            raise UsageError(f"Cannot write {path}: {reason}. Name a file in a directory of yours.") from error

    return replace


def _refuse_unknown(reading: Reading | None, wanted: Wanted) -> None:
    """Raise UsageError for a window's name that is a slip of another; say of any other that no window has it now.

    A model's window may come and go, or get another version, which is no reason for a bar to end.
    """
    windows = list_named_limits(reading) if reading else ()
    asked = [wanted.window] if wanted.window is not None and find_window(windows, wanted.window) is None else []
    asked += list_unknown_windows(parse_template(wanted.template), windows) if wanted.template else []
    for name in asked if windows else ():
        words = explain_unknown(name, windows)
        near = find_near(name, map(shorten_name, windows))
        if near is not None and _keep_letters(near) != _keep_letters(name):
            raise UsageError(words)
        remark(words)


def _keep_letters(name: str) -> str:
    return "".join(filter(str.isalpha, name.lower()))


def _refresh_command() -> tuple[str, ...]:
    """Return the command that refreshes this profile, for menus that run it in another environment."""
    own = os.path.abspath(sys.argv[0])
    if not (os.path.basename(own).startswith("ullage") and os.access(own, os.X_OK)):
        own = shutil.which("ullage") or "ullage"
    return (own, "refresh", "--detach", "--early", "--profile", os.environ.get("CLAUDE_CONFIG_DIR") or "default")


def _print(text: str) -> None:
    """Print a line as UTF-8, whatever the bar's locale is; a reader that has gone ends the process."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode(errors="replace") + b"\n")
    sys.stdout.buffer.flush()

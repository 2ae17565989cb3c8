"""Options that several commands share."""

from __future__ import annotations

import os

import click
from click.core import ParameterSource

from ullage import config
from ullage.base.errors import UllageError, UsageError
from ullage.base.text import clean
from ullage.cli.say import say
from ullage.config.template import PLAIN_SUBJECTS, check_template
from ullage.system import places
from ullage.system.places import choose_profile
from ullage.system.terminal import ask_background

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ullage.config import Settings
    from ullage.config.checks import Issue

# The refresh lock is waited for longer than any source may take to answer.
LONGEST_REFRESH_SECONDS = 45


def _choose(_context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value == "":
        raise click.BadParameter("it is empty. Name a directory, or `default`.")
    choose_profile(value, os.environ)
    directory = os.environ.get("CLAUDE_CONFIG_DIR")
    if value is None or not directory or os.path.isdir(directory):
        return
    # A directory that was deleted since may still have a cache to show.
    if not os.path.isdir(places.locate_profile(os.environ)):
        raise click.BadParameter(f"there is no directory {clean(directory)}. Name one that is there, or `default`.")


def is_profile_named() -> bool:
    """Say whether --profile was given to the command that runs."""
    return click.get_current_context().get_parameter_source("profile") is ParameterSource.COMMANDLINE


def add_profile_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --profile, which puts a profile in effect before the command runs."""
    return click.option(
        "--profile",
        metavar="DIR",
        expose_value=False,
        is_eager=True,
        callback=_choose,
        help="A Claude Code configuration directory, or `default`. Otherwise: CLAUDE_CONFIG_DIR.",
    )(command)


def _window_name(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    wrong = check_template(f"{{{value}}}")
    if wrong or "." in value or value in (*PLAIN_SUBJECTS, "credits"):
        raise click.BadParameter(f"{value!r} is no window's name; it can be 5h, 7d, a model's name or an id.")
    return value


def complete_window(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the names of the windows in the last reading, for completion."""
    # Imported late: only completion needs these modules.
    from ullage.render.segment import shorten_name
    from ullage.store.cache import ProfileCache

    try:
        reading = ProfileCache(os.environ).load_reading()
    except UllageError:
        return []
    windows = reading.windows if reading else ()
    names = [name for each in windows for name in (shorten_name(each), each.id)]
    return [name for name in dict.fromkeys(names) if name.startswith(incomplete)]


def complete_limit(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the start of a limit for each window in the last reading, such as `5h=`, for completion."""
    return [f"{name}=" for name in complete_window(context, parameter, incomplete)] if "=" not in incomplete else []


def add_window_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --window, which names the window that a bar or an icon shows."""
    return click.option(
        "--window",
        metavar="NAME",
        callback=_window_name,
        shell_complete=complete_window,
        help="5h, 7d, a model's name or an id. Else the window nearest to its limit.",
    )(command)


def load_desktop_settings(settings: Settings) -> Settings:
    """Return the settings with a bar's palette, empty under NO_COLOR."""
    return settings.replace(palette={} if os.environ.get("NO_COLOR") else settings.look.in_bar())


def load_terminal_settings(settings: Settings) -> Settings:
    """Return the settings adapted to what stdout can show, and to the terminal's background."""
    from ullage.render import table

    settings = table.adapt_to_output(settings)
    if settings.look.background is not None or not settings.palette or table.is_without_colour():
        return settings
    background = ask_background(os.environ)
    if background is None:
        return settings
    look = settings.look.replace(background=background)
    return settings.replace(look=look, palette=look.in_terminal())


def load_settings() -> tuple[Settings, tuple[Issue, ...]]:
    """Return the settings in force and the issues of the file; raise UsageError for an unknown source."""
    settings, issues = config.load(os.environ)
    wrong = config.find_wrong_source(settings)
    if wrong:
        raise UsageError(wrong)
    return settings, issues


def tell_issues(issues: tuple[Issue, ...], path: str | None = None) -> None:
    """Print the issues of a configuration file: that at `path`, else the file in force."""
    for issue in issues:
        # An issue of the whole file has no line.
        place = f":{issue.line}:" if issue.line else ""
        say(f"ullage: {path or config.locate_config(os.environ)}{place} {issue.message}", err=True)

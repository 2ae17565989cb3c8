"""The settings in force, for the commands: loaded, checked, and fitted to where they print."""

from __future__ import annotations

import os
import sys

from ullage import config
from ullage.base.errors import UsageError
from ullage.cli.say import remark
from ullage.system.streams import wants_colour

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ullage.config import Settings
    from ullage.config.file import Issue


def load_desktop_settings(settings: Settings) -> Settings:
    """Return the settings with a bar's palette, empty under NO_COLOR."""
    return settings.replace(palette={} if os.environ.get("NO_COLOR") else settings.colouring.in_bar())


def adapt_to_output(settings: Settings) -> Settings:
    """Return the settings with plain characters where standard output can carry no others."""
    carries_more = (getattr(sys.stdout, "encoding", None) or "").lower().startswith("utf")
    return settings.replace(ascii_only=settings.ascii_only or not carries_more)


def load_terminal_settings(settings: Settings) -> Settings:
    """Return the settings adapted to what stdout can show, and to the terminal's background."""
    settings = adapt_to_output(settings)
    if settings.colouring.background is not None or not settings.palette:
        return settings
    if not wants_colour(os.environ, is_terminal=True):
        return settings
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return settings
    # Imported late: on a pipe there is nothing to ask.
    from ullage.system import terminal

    background = terminal.ask_background(os.environ)
    if background is None:
        return settings
    colouring = settings.colouring.replace(background=background)
    return settings.replace(colouring=colouring, palette=colouring.in_terminal())


def load_settings() -> tuple[Settings, tuple[Issue, ...]]:
    """Return the settings in force and the issues of the file; raise UsageError for an unknown source."""
    settings, issues = config.load(os.environ)
    wrong = config.find_wrong_source(settings)
    if wrong:
        raise UsageError(wrong)
    return settings, issues


def print_issues(issues: tuple[Issue, ...], path: str | None = None) -> None:
    """Print the issues of a configuration file: that at `path`, else the file in force."""
    for issue in issues:
        # An issue of the whole file has no line.
        place = f":{issue.line}:" if issue.line else ""
        remark(f"{path or config.locate_config(os.environ)}{place} {issue.message}")

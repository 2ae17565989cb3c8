"""Options that several commands share."""

from __future__ import annotations

import os

import click
from click.core import ParameterSource

from ullage.base.errors import UllageError
from ullage.base.text import make_slug, quote
from ullage.cli import profiles
from ullage.config.template import PLAIN_SUBJECTS, check_template

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def _choose(_context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    wrong = profiles.choose(value, os.environ)
    if wrong:
        raise click.BadParameter(wrong)


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
    # In a template a name is one word, fable_5_1; 5h.used is not a window, but what is known of one.
    name = make_slug(value)
    is_field = value.rpartition(".")[2].isalpha() and "." in value
    if is_field or check_template(f"{{{name}}}") or name in (*PLAIN_SUBJECTS, "credits"):
        raise click.BadParameter(f"{quote(value)} is no window's name; it can be 5h, 7d, a model's name or an id.")
    return name


def complete_window(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the names of the windows in the last reading, for completion, in letters that mean nothing to a shell.

    bash puts what is completed into the line as it is, and the server's names may hold anything.
    """
    # Imported late: only completion needs these modules.
    from ullage.render.segment import shorten_name
    from ullage.store.cache import ProfileCache

    try:
        reading = ProfileCache(os.environ).load_reading()
    except UllageError:
        return []
    windows = reading.windows if reading else ()
    names = [name for each in windows for name in (make_slug(shorten_name(each)), each.id)]
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

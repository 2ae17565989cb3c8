"""Options that several commands share."""

from __future__ import annotations

import os

import click

from ullage import config
from ullage.errors import UsageError
from ullage.prompt import choose_profile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ullage.config import Issue, Settings

# Longer than any source may take to answer.
LONGEST_REFRESH_SECONDS = 45


def _choose(_context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    choose_profile(value, os.environ)


def profile(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --profile, which puts a profile in effect before the command runs."""
    return click.option(
        "--profile",
        metavar="DIR",
        expose_value=False,
        is_eager=True,
        callback=_choose,
        help="A Claude Code configuration directory, or `default`. Otherwise: CLAUDE_CONFIG_DIR.",
    )(command)


def load_settings() -> tuple[Settings, tuple[Issue, ...]]:
    """Return the values in force and what is wrong with the file; raise UsageError for an unknown source."""
    settings, issues = config.load(os.environ)
    wrong = config.wrong_source(settings)
    if wrong:
        raise UsageError(wrong)
    return settings, issues


def tell_issues(issues: tuple[Issue, ...], path: str | None = None) -> None:
    """Say what is wrong with a configuration file, the one in force if not another."""
    for issue in issues:
        click.echo(f"ullage: {path or config.config_path(os.environ)}:{issue.line}: {issue.message}", err=True)

"""Options that several commands share."""

from __future__ import annotations

import os

import click

from ullage.prompt import choose_profile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


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

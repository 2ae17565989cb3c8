"""Parse option values with pure functions; their UsageError becomes click's, which names the option."""

from __future__ import annotations

import re

import click

from ullage.base.errors import UsageError
from ullage.base.text import find_near, quote, suggest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_LAST_PORT = 65_535


class OneOf(click.Choice[str]):
    """A choice that suggests the nearest of its words for an unknown one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value in self.choices:
            return str(value)
        words = f"{quote(value)} is none of {', '.join(self.choices)}{suggest(value, self.choices)}"
        if isinstance(param, click.Argument):
            # click would call it by the list of what it can be.
            raise click.UsageError(words, ctx)
        raise click.BadParameter(words, ctx, param)


class Subcommands(click.Group):
    """A group that suggests the nearest of its commands for an unknown one."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = self.list_commands(ctx)
        if args and args[0] not in known:
            near = find_near(args[0], known)
            hint = f"Did you mean {near}?" if near else f"`{ctx.command_path} --help` lists the commands."
            raise click.UsageError(f"There is no command {quote(args[0])}. {hint}", ctx)
        return super().resolve_command(ctx, args)


def parse_port(text: str) -> int:
    """Read the number of a port, where 0 means a free one; raise UsageError for anything else."""
    if not re.fullmatch("[0-9]{1,5}", text) or int(text) > _LAST_PORT:
        raise UsageError(f"{quote(text)} is no port, which is a number from 0 to {_LAST_PORT}.")
    return int(text)


def parse_with(parse: Callable[[str], object]) -> Callable[[click.Context, click.Parameter, Any], object]:
    """Return a click callback that parses an option's value, or each of its values; UsageError names the option."""

    def callback(context: click.Context, parameter: click.Parameter, value: Any) -> object:
        try:
            if isinstance(value, tuple):
                return tuple(parse(text) for text in value)
            return None if value is None else parse(value)
        except UsageError as error:
            raise click.BadParameter(str(error), context, parameter) from error

    return callback

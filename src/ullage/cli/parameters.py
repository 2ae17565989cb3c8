"""Parse option values with pure functions; their UsageError becomes click's, which names the option."""

from __future__ import annotations

import click

from ullage.base.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


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

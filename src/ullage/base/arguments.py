"""The options of the commands that run without click."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def parse_options(
    arguments: Sequence[str], *, valued: Sequence[str], flags: Sequence[str] = ()
) -> dict[str, str] | None:
    """Return the options by name, a flag with no text; None when there is anything else, which click explains."""
    options: dict[str, str] = {}
    rest = iter(arguments)
    for argument in rest:
        if argument in flags:
            options[argument] = ""
            continue
        name, equals, value = argument.partition("=")
        given = value if equals else next(rest, None)
        if name not in valued or given is None:
            return None
        options[name] = given
    return options

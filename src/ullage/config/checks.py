"""Checks of config.toml's values: each returns what is wrong, in words that follow the key, or None."""

from __future__ import annotations

from ullage.base.errors import UsageError
from ullage.config.wishes import parse_quiet_hours

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    # Returns what is wrong with a value, in words, or None.
    Check = Callable[[Any], str | None]

_LONGEST_IDENTIFIER = 64


def one_of(*words: str) -> Check:
    def check(value: object) -> str | None:
        return None if value in words else f"is {value!r}; it can be {', '.join(words)}"

    return check


def between(lowest: float, highest: float) -> Check:
    def check(value: object) -> str | None:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if number and lowest <= value <= highest:  # type: ignore[operator]  # a number by the line above
            return None
        return f"is {value!r}; it must be a number from {lowest:g} to {highest:g}"

    return check


def true_or_false(value: object) -> str | None:
    return None if isinstance(value, bool) else f"is {value!r}; it can be true or false"


def text_checked_by(check_text: Check) -> Check:
    def check(value: object) -> str | None:
        return check_text(value) if isinstance(value, str) else f"is {value!r}; it must be a text in quotes"

    return check


def list_of(check_item: Check) -> Check:
    def check(value: object) -> str | None:
        if not isinstance(value, list):
            return f"is {value!r}; it must be a list in square brackets"
        return next((wrong for wrong in map(check_item, value) if wrong), None)

    return check


def quiet_hours(value: str) -> str | None:
    try:
        parse_quiet_hours(value)
    except UsageError as error:
        return str(error)
    return None


def identifier(value: str) -> str | None:
    if len(value) <= _LONGEST_IDENTIFIER and all(c.isascii() and (c.isalnum() or c in "-_") for c in value):
        return None
    return "must be an id of letters, digits and hyphens, as claude.ai gives it"


def target(value: str) -> str | None:
    # `target` looks closer when something is sent; a status line, which reads this file too, should not load what it
    # needs for that.
    if value and not value.startswith(("https://", "http://")):
        return "is no address of the form https://host"
    return "holds more than a host, a port and a path" if set(value) & set("@?# ") else None


def prices_of_models(value: object) -> str | None:
    # Imported late: few people have prices of their own, and every command reads the configuration.
    from ullage.config.rates import check_overrides

    return check_overrides(value)


def remotes(value: object) -> str | None:
    # Likewise: few have other machines.
    from ullage.config.remotes import check_remotes

    return check_remotes(value)


def commands_of_push(value: object) -> str | None:
    from ullage.config.remotes import check_push

    return check_push(value)

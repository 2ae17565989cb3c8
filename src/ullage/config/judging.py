"""Judge what a config.toml sets by the table of options: what is right counts, and what is wrong is named."""

from __future__ import annotations

from ullage.base.text import find_near
from ullage.config.options import OPTIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from ullage.config.options import Option


def take_in(given: Mapping[str, Any], values: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Put correct values over the others; yield each wrong one's key, the key to look for in the file, and why."""
    for key, value in given.items():
        option = next((option for option in OPTIONS if option.key == key), None)
        if option is not None and isinstance(option.default, dict) and isinstance(value, dict):
            right, wrong = _entries(option, value)
            values[key] = right
            yield from ((key, place, words) for place, words in wrong)
            continue
        words = f"is not an option{_nearest(key)}" if option is None else option.check(value)
        if words:
            yield key, key, words
        if option is not None:
            values[key] = value if words is None else _right_tables(option, value) or values[key]
    yield from ((key, key, words) for key, words in _check_together(values))


def _check_together(values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each option that contradicts another one, with what is wrong, and give it a value that fits."""
    warning, critical = values["severity.warning_percent"], values["severity.critical_percent"]
    if warning > critical:
        values["severity.warning_percent"] = critical
        yield "severity.warning_percent", f"is {warning:g}, above critical_percent ({critical:g}): none would be seen"
    stale, expired = values["age.stale_after_minutes"], values["age.expire_after_minutes"]
    if stale > expired:
        values["age.stale_after_minutes"] = expired
        yield "age.stale_after_minutes", f"is {stale:g}, above expire_after_minutes ({expired:g}): none would be seen"


def _entries(option: Option, table: Mapping[str, Any]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Return a table's correct entries, and for each wrong one the key to look for and what is wrong."""
    right, wrong = {}, []
    for name, value in table.items():
        words = option.check({name: value})
        if words is None:
            right[name] = value
            continue
        fields = value if isinstance(value, dict) else {}
        at_fault = [field for field in fields if option.check({name: {field: fields[field]}}) == words]
        wrong.append((".".join([option.key, name, *at_fault[:1]]), words))
    return right, wrong


def _right_tables(option: Option, value: object) -> list[Any]:
    """Return the tables of an array that are right together: a mistake in one silences no other."""
    right: list[Any] = []
    for entry in value if isinstance(value, list) else ():
        if isinstance(entry, dict) and option.check([*right, entry]) is None:
            right.append(entry)
    return right


def _nearest(key: str) -> str:
    known = [option.key for option in OPTIONS]
    end = "." + key.rsplit(".", maxsplit=1)[-1]
    near = find_near(key, known) or next((each for each in known if each.endswith(end)), None)
    return f"; did you mean {near}?" if near else ". `ullage config` lists them"

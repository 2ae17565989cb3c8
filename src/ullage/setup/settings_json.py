"""Claude Code's settings.json as text: our status line put in and taken out, everything else left as it stands. Pure.

The file belongs to the user: keys, order, indentation and line ends stay, and taking out undoes putting in to the byte.
An existing status line is chained, not replaced: `ullage statusline --then 'what was there'`.
"""

from __future__ import annotations

import json
import shlex

from ullage.errors import UsageError
from ullage.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

KEY = "statusLine"
COMMAND = "ullage statusline"
_WHITE_SPACE = " \t\r\n"
_decoder = json.JSONDecoder()


class _Member(Record):
    """A key of the outermost object: where its name begins, where its value begins and ends, and the value."""

    name: str
    start: int
    value_start: int
    end: int
    value: Any


def with_status_line(text: str, command: str = COMMAND) -> str:
    """Return the settings with our command as the status line, or before the one that is there.

    An empty text becomes a file. Settings that have it already come back as they are. Raises UsageError for a text that
    is no JSON object, or whose status line is of a kind that this version does not know.
    """
    if not text.strip():
        return f'{{\n  "{KEY}": {_value(command, "  ")}\n}}\n'
    members, close = _members(text)
    present = next((member for member in members if member.name == KEY), None)
    if present is not None:
        return _chained(text, present, command)
    if not members:
        start, newline = text.index("{") + 1, _newline(text)
        # What stands between the braces stays behind the addition, so that taking it out leaves it there.
        lines = f'{newline}  "{KEY}": {_value(command, "  ", newline)}'
        return text[:start] + (lines if close > start else f'"{KEY}": {_compact(command)}') + text[start:]
    last = members[-1]
    gap = text[_before(text, last.start) : last.start]
    unit = gap.rpartition("\n")[2] if "\n" in gap else None
    addition = _value(command, unit, _newline(text)) if unit is not None else _compact(command)
    return f'{text[: last.end]},{gap}"{KEY}": {addition}{text[last.end :]}'


def without_status_line(text: str, command: str = COMMAND) -> str:
    """Return the settings without our command: with the status line that it chained, or with none."""
    if not text.strip():
        return text
    members, _ = _members(text)
    present = next((member for member in members if member.name == KEY), None)
    ours = _command(present)
    if present is None or ours is None or not _is_ours(ours, command):
        return text
    previous = _previous(ours, command)
    if previous is not None:
        return _with_command(text, present, previous)
    if len(members) == 1:
        return text[: text.index("{") + 1] + text[present.end :]
    at = members.index(present)
    if at > 0:
        return text[: members[at - 1].end] + text[present.end :]
    return text[: present.start] + text[members[1].start :]


def _members(text: str) -> tuple[list[_Member], int]:
    """Return the outermost object's members and where its closing brace stands."""
    try:
        whole = _decoder.decode(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"The settings file is not JSON, so it is not touched: {error}. Mend it first.") from error
    if not isinstance(whole, dict):
        raise UsageError("The settings file holds no JSON object, so it is not touched. Mend it first.")
    members: list[_Member] = []
    at = _skip(text, text.index("{") + 1)
    while text[at] != "}":
        start = at
        name, at = _decoder.raw_decode(text, at)
        value_start = _skip(text, _skip(text, at) + 1)
        value, end = _decoder.raw_decode(text, value_start)
        members.append(_Member(name=name, start=start, value_start=value_start, end=end, value=value))
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    if sum(member.name == KEY for member in members) > 1:
        raise UsageError(f"The settings file names {KEY} twice, so it is not touched. Remove one of them.")
    return members, at


def _skip(text: str, at: int) -> int:
    while text[at] in _WHITE_SPACE:
        at += 1
    return at


def _before(text: str, at: int) -> int:
    while text[at - 1] in _WHITE_SPACE:
        at -= 1
    return at


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _value(command: str, indentation: str, newline: str = "\n") -> str:
    step = indentation or "  "
    fields = f",{newline}{indentation}{step}".join(['"type": "command"', f'"command": {json.dumps(command)}'])
    return f"{{{newline}{indentation}{step}{fields}{newline}{indentation}}}"


def _compact(command: str) -> str:
    return json.dumps({"type": "command", "command": command})


def _command(member: _Member | None) -> str | None:
    command = member.value.get("command") if member and isinstance(member.value, dict) else None
    return command if isinstance(command, str) else None


def _is_ours(present: str, command: str) -> bool:
    return present == command or present.startswith(command + " ")


def _previous(present: str, command: str) -> str | None:
    """Return the command that ours runs as well."""
    words = shlex.split(present[len(command) :])
    return words[words.index("--then") + 1] if "--then" in words[:-1] else None


def _chained(text: str, present: _Member, command: str) -> str:
    known = _command(present)
    if known is None:
        raise UsageError(f"The settings file has a {KEY} that is no command, so it is not touched. Remove it first.")
    if _is_ours(known, command):
        return text
    return _with_command(text, present, f"{command} --then {shlex.quote(known)}")


def _with_command(text: str, present: _Member, command: str) -> str:
    """Replace the command's text alone, wherever in the value it stands."""
    at = _skip(text, present.value_start + 1)
    found = None
    while text[at] != "}":
        name, at = _decoder.raw_decode(text, at)
        start = _skip(text, _skip(text, at) + 1)
        _, end = _decoder.raw_decode(text, start)
        found = (start, end) if name == "command" else found
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    assert found is not None
    return text[: found[0]] + json.dumps(command, ensure_ascii=False) + text[found[1] :]

"""Edit JSON as text: add or remove one element, and leave everything else to the byte. Pure.

An added element takes its neighbours' indentation and the file's step, so that removing it gives the same bytes.
"""

from __future__ import annotations

import json

from ullage.base.errors import UsageError
from ullage.base.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_WHITE_SPACE = " \t\r\n"
_decoder = json.JSONDecoder()


class Element(Record):
    """An item of an array or a member of an object: where it begins and ends, where its value begins, its name."""

    start: int
    value_start: int
    end: int
    value: Any
    name: str | None = None


def find_outermost(text: str) -> int:
    """Return where the object that is the whole text begins; raise UsageError where there is none."""
    try:
        whole = _decoder.decode(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"The settings file is not JSON, so it is not touched: {error}. Mend it first.") from error
    if not isinstance(whole, dict):
        raise UsageError("The settings file holds no JSON object, so it is not touched. Mend it first.")
    return text.index("{")


def list_elements(text: str, container: int) -> list[Element]:
    """Return what the array or object that begins at `container` holds."""
    found, at = [], _skip(text, container + 1)
    while text[at] not in "]}":
        start, name = at, None
        if text[container] == "{":
            name, at = _decoder.raw_decode(text, at)
            at = _skip(text, _skip(text, at) + 1)
        value, end = _decoder.raw_decode(text, at)
        found.append(Element(start=start, value_start=at, end=end, value=value, name=name))
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return found


def find_member(text: str, container: int, name: str) -> Element | None:
    """Return an object's member of this name; raise UsageError where there are two."""
    found = [element for element in list_elements(text, container) if element.name == name]
    if len(found) > 1:
        raise UsageError(f"The settings file names {name} twice, so it is not touched. Remove one of them.")
    return found[0] if found else None


def append(text: str, container: int, value: object, name: str | None = None) -> str:
    """Put a value behind the last element of an array, or with a name behind the last member of an object."""
    prefix = "" if name is None else f"{json.dumps(name)}: "
    there = list_elements(text, container)
    if there:
        last = there[-1]
        gap = text[_before(text, last.start) : last.start]
        return f"{text[: last.end]},{gap}{prefix}{_rendered(value, gap, _step(text))}{text[last.end :]}"
    at = container + 1
    gap = ""
    if text[at] in "\r\n":
        # White space between the brackets stays behind the addition, so that removing the addition restores it.
        line = text[text.rfind("\n", 0, container) + 1 : container + 1]
        indentation = line[: len(line) - len(line.lstrip(" \t"))]
        gap = f"{_newline(text)}{indentation}{_step(text)}"
    return f"{text[:at]}{gap}{prefix}{_rendered(value, gap, _step(text))}{text[at:]}"


def append_marked(text: str, container: int, value: object, name: str | None = None) -> str:
    """Append; in a container that was empty leave a space behind, which marks the container as not ours."""
    was_empty = not list_elements(text, container)
    text = append(text, container, value, name)
    end = list_elements(text, container)[0].end
    return f"{text[:end]} {text[end:]}" if was_empty else text


def is_marked(text: str, container: int) -> bool:
    """Say whether a container that is empty again was empty before something was appended to it."""
    return text[container + 1] == " " and not list_elements(text, container)


def unmark(text: str, container: int) -> str:
    """Remove the space that marks an empty container."""
    return text[: container + 1] + text[container + 2 :]


def get_raw(text: str, element: Element) -> str:
    """Return an element's value as it is written."""
    return text[element.value_start : element.end]


def replace(text: str, element: Element, written: str) -> str:
    """Put a value, written as JSON on one line, in the place of an element's own."""
    return text[: element.value_start] + written + text[element.end :]


def drop(text: str, container: int, element: Element) -> str:
    """Take an element out."""
    there = list_elements(text, container)
    at = there.index(element)
    if at > 0:
        return text[: there[at - 1].end] + text[element.end :]
    following = there[1].start if len(there) > 1 else element.end
    return text[: element.start if len(there) > 1 else container + 1] + text[following:]


def _rendered(value: object, gap: str, step: str) -> str:
    if "\n" not in gap:
        return json.dumps(value, ensure_ascii=False)
    newline = "\r\n" if "\r" in gap else "\n"
    lines = json.dumps(value, ensure_ascii=False, indent=step).split("\n")
    return (newline + gap.rpartition("\n")[2]).join(lines)


def _step(text: str) -> str:
    """Return what the first member of the file is indented by, or the usual where that says nothing."""
    start = text.index("{") + 1
    _, newline, indentation = text[start : _skip(text, start)].rpartition("\n")
    return indentation if newline and indentation and text[_skip(text, start)] != "}" else "  "


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _skip(text: str, at: int) -> int:
    while text[at] in _WHITE_SPACE:
        at += 1
    return at


def _before(text: str, at: int) -> int:
    while text[at - 1] in _WHITE_SPACE:
        at -= 1
    return at

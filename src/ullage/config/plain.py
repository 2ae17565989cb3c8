"""Read the kinds of lines that almost every config.toml consists of, without tomllib.

tomllib takes several times as long to import as a status line takes for all else. Anything but comments, tables' names,
and names with a text, a number, a flag or a list of these is left to it, errors included.
"""

from __future__ import annotations

from ullage.base import jsontext

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PLAIN = (str, int, float, bool)


class _NotPlainError(ValueError):
    """A line that only tomllib can read."""


def loads(text: str) -> dict[str, Any] | None:
    """Return what tomllib would; None for a text that only tomllib can read."""
    root: dict[str, Any] = {}
    table, named = root, set()
    lines = text.split("\n")
    if not "".join(lines).isprintable():
        return None
    try:
        for line in (stripped for line in lines if (stripped := line.strip(" ")) and stripped[0] != "#"):
            if line.startswith("[["):
                table = _entry(root, line, is_first=line not in named)
                named.add(line)
            elif line.startswith("["):
                if line in named:
                    return None
                named.add(line)
                table = _table(root, line)
            else:
                name, value = _pair(line)
                if name in table:
                    return None
                table[name] = value
    except ValueError:
        return None
    return root


def _entry(root: dict[str, Any], line: str, *, is_first: bool) -> dict[str, Any]:
    """Begin another table of an array of them."""
    name = _bare(line.removeprefix("[[").removesuffix("]]"))
    if not line.endswith("]]") or (is_first and name in root):
        raise _NotPlainError
    entry: dict[str, Any] = {}
    root.setdefault(name, []).append(entry)
    return entry


def _table(root: dict[str, Any], line: str) -> dict[str, Any]:
    table = root
    for name in line[1:-1].split("."):
        table = table.setdefault(_bare(name), {})
        if not line.endswith("]") or not isinstance(table, dict):
            raise _NotPlainError
    return table


def _pair(line: str) -> tuple[str, Any]:
    name, _, written = line.partition("=")
    # Without a backslash, what is both JSON and one of these is the same in TOML.
    value = jsontext.loads(written)
    if "\\" in written or not _is_plain(value):
        raise _NotPlainError
    return _bare(name.rstrip(" ")), value


def _is_plain(value: object) -> bool:
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return isinstance(value, _PLAIN)


def _bare(name: str) -> str:
    if not name.isascii() or not name.replace("-", "_").replace("_", "a").isalnum():
        raise _NotPlainError
    return name

"""Read a config.toml: its correct values count, and each wrong one is reported with its line."""

from __future__ import annotations

from ullage.base.record import Record
from ullage.base.text import clean
from ullage.config import plain
from ullage.config.settings import DEFAULTS
from ullage.system import directories
from ullage.system.files import read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

_LARGEST_FILE = 1 << 16
_MOST_ISSUES = 20
# Options whose value is a table with names of the user's choice.
_TABLES = tuple(key for key, default in DEFAULTS.items() if isinstance(default, dict))


class Issue(Record):
    """What is wrong with a configuration file, and where; line 0 is the file as a whole."""

    line: int
    message: str


def read(path: str, values: dict[str, Any]) -> tuple[dict[str, Any], tuple[Issue, ...]]:
    """Return the values with a file's correct ones put over them, and the file's issues.

    It names commands that are run, so nothing of a file that another user could have written is looked at. Links are
    followed, as many keep such files in a place of their own.
    """
    try:
        real, status = directories.resolve_trusted(path)
        data = read_regular(real, _LARGEST_FILE, only=status)
    except directories.MeddledError as error:
        return values, (Issue(line=0, message=f"is not read, as it can name commands: {error}"),)
    except OSError:
        data = None
    if data is None:
        return values, (
            Issue(line=0, message="cannot be read: it is no regular file, too large, or not yours to read"),
        )
    return check_file(data, values)


def check_file(data: bytes, values: dict[str, Any]) -> tuple[dict[str, Any], tuple[Issue, ...]]:
    """Put a file's correct values over the given ones, and return the issues of the file."""
    try:
        text = data.decode()
        given = {key: value for key, value in list_options(_loads(text)) if value != {}}
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return values, (Issue(line=line, message="is not in UTF-8. Save it in that encoding"),)
    except ValueError as error:
        return values, (Issue(line=_line_of_error(error), message=f"is not TOML: {error}"),)
    except RecursionError:
        return values, (Issue(line=0, message="is nested too deeply"),)
    if not given:
        # A file that only explains the options, as `ullage config write` makes it.
        return values, ()
    from ullage.config import judging

    issues = [_issue(text, *fault) for fault in judging.take_in(given, values)]
    return values, tuple(issues[:_MOST_ISSUES])


def _issue(text: str, key: str, place: str, words: str) -> Issue:
    return Issue(line=_line_of_key(text, place), message=f"{clean(key, 100)} {words}")


def _loads(text: str) -> dict[str, Any]:
    known = plain.loads(text)
    if known is None:
        import tomllib

        known = tomllib.loads(text)
    return known


def list_options(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each option's dotted key and its value."""
    for key, value in table.items():
        if isinstance(value, dict) and f"{prefix}{key}" not in _TABLES:
            yield from list_options(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _line_of_error(error: Exception) -> int:
    import re

    found = re.search(r"at line (\d+)", str(error))
    return int(found.group(1)) if found else 0


def _line_of_key(text: str, key: str) -> int:
    """Find the line that sets a dotted key, which tomllib does not report."""
    key, table = _bare(key) + ".", ""
    for number, line in enumerate(text.splitlines(), 1):
        header = line.partition("#")[0].strip()
        if header.startswith("["):
            table = _bare(header.strip("[]")) + "."
            # A value given as an array of tables has no line with an equals sign.
            if table.startswith(key):
                return number
        elif "=" in line and key.startswith(f"{table}{_bare(line.partition('=')[0])}."):
            return number
    return 0


def _bare(key: str) -> str:
    return "".join(character for character in key if not character.isspace() and character not in "\"'")

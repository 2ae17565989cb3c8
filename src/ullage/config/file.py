"""Read a config.toml: its correct values count, and each wrong one is reported with its line."""

from __future__ import annotations

from ullage.base.text import clean, find_near
from ullage.config import plain
from ullage.config.checks import Issue
from ullage.config.options import OPTIONS
from ullage.system import directories
from ullage.system.files import read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from ullage.config.options import Option

_LARGEST_FILE = 1 << 16
_MOST_ISSUES = 20
# Options whose value is a table with names of the user's choice.
_TABLES = tuple(option.key for option in OPTIONS if isinstance(option.default, dict))


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
        given = dict(list_options(_loads(text)))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return values, (Issue(line=line, message="is not in UTF-8. Save it in that encoding"),)
    except ValueError as error:
        return values, (Issue(line=_line_of_error(error), message=f"is not TOML: {error}"),)
    except RecursionError:
        return values, (Issue(line=0, message="is nested too deeply"),)
    issues: list[Issue] = []
    for key, value in given.items():
        option = next((option for option in OPTIONS if option.key == key), None)
        if option is not None and key in _TABLES and isinstance(value, dict):
            right, wrong = _entries(option, value)
            values[key] = right
            issues += [_issue(text, key, place, words) for place, words in wrong]
            continue
        words = f"is not an option{_nearest(key)}" if option is None else option.check(value)
        if words:
            issues.append(_issue(text, key, key, words))
        if option is not None:
            values[key] = value if words is None else _right_tables(option, value) or values[key]
    issues += [_issue(text, key, key, words) for key, words in _check_together(values)]
    return values, tuple(issues[:_MOST_ISSUES])


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


def _issue(text: str, key: str, place: str, words: str) -> Issue:
    return Issue(line=_line_of_key(text, place), message=f"{clean(key, 100)} {words}")


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


def _nearest(key: str) -> str:
    known = [option.key for option in OPTIONS]
    end = "." + key.rsplit(".", maxsplit=1)[-1]
    near = find_near(key, known) or next((each for each in known if each.endswith(end)), None)
    return f"; did you mean {near}?" if near else ". `ullage config` lists them"


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

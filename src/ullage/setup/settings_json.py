"""Claude Code's settings.json as text: our status line put in and taken out, everything else left as it stands. Pure.

The file belongs to the user: keys, order, indentation and line ends stay, and taking out undoes putting in to the byte.
An existing status line is chained, not replaced: `ullage statusline --then 'what was there'`. So that an idle session
counts down and shows what others heard, it is run every minute; an interval that is there already is kept. Which of the
two it was is seen by the form of the option: `--then=` where the interval is ours to take out.
"""

from __future__ import annotations

import json
import re
import shlex

from ullage.base.errors import UsageError
from ullage.setup import jsonedit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ullage.setup.jsonedit import Element

KEY = "statusLine"
COMMAND = "ullage statusline"
INTERVAL_KEY, INTERVAL_SECONDS = "refreshInterval", 60


def add_status_line(text: str) -> str:
    """Return the settings with our command as the status line, or before the one that is there.

    An empty text becomes a file. Settings that have it already come back as they are. Raises UsageError for a text that
    is no JSON object, or whose status line is of a kind that this version does not know.
    """
    line = {"type": "command", "command": COMMAND, INTERVAL_KEY: INTERVAL_SECONDS}
    if not text.strip():
        return json.dumps({KEY: line}, indent=2) + "\n"
    present = _status_line(text)
    if present is None:
        return jsonedit.append(text, jsonedit.find_outermost(text), line, KEY)
    named = _command(text, present)
    if named is None:
        raise UsageError(
            f'`{KEY}` is not of the form {{"type": "command", "command": …}}, so the file is not touched. Correct it '
            "or take it out, and run this again."
        )
    if _is_ours(named.value):
        return text
    if jsonedit.find_member(text, present.value_start, INTERVAL_KEY) is not None:
        return jsonedit.replace(text, named, _chained(jsonedit.get_raw(text, named), _THEN))
    text = jsonedit.append(text, present.value_start, INTERVAL_SECONDS, INTERVAL_KEY)
    named = _named_command(text)
    return jsonedit.replace(text, named, _chained(jsonedit.get_raw(text, named), _THEN_AND_INTERVAL))


def remove_status_line(text: str) -> str:
    """Return the settings without our command: with the status line that it chained, or with none."""
    present = _status_line(text) if text.strip() else None
    named = _command(text, present) if present is not None else None
    if present is None or named is None or not _is_ours(named.value):
        return text
    previous = _previous(named.value)
    if previous is None:
        return jsonedit.drop(text, jsonedit.find_outermost(text), present)
    separator = _THEN_AND_INTERVAL if named.value.startswith(COMMAND + _THEN_AND_INTERVAL) else _THEN
    before = _unchained(jsonedit.get_raw(text, named), previous, separator)
    if separator == _THEN_AND_INTERVAL:
        interval = jsonedit.find_member(text, present.value_start, INTERVAL_KEY)
        if interval is not None and interval.value == INTERVAL_SECONDS:
            text = jsonedit.drop(text, present.value_start, interval)
    return jsonedit.replace(text, _named_command(text), before)


def _named_command(text: str) -> Element:
    present = _status_line(text)
    named = _command(text, present) if present is not None else None
    assert named is not None
    return named


# What stands between our command and the one that was there before; the second says that the interval is ours too.
_THEN, _THEN_AND_INTERVAL = " --then ", " --then="

# A character of a JSON string, as it is written.
_CHARACTER = re.compile(r"\\u[0-9a-fA-F]{4}|\\.|.", re.DOTALL)
_QUOTES = ("'", "\\u0027")


def _chained(written: str, separator: str) -> str:
    """Put our command before one that is written as a JSON string, whose every character stays written as it is."""
    prefix = json.dumps(COMMAND + separator, ensure_ascii=False)[:-1]
    inner = written[1:-1]
    if shlex.quote(json.loads(written)) == json.loads(written):
        return f'{prefix}{inner}"'
    # A shell's single quotes end for a quote, which stands in double ones.
    quoted = (f"'\\\"{each}\\\"'" if each.lower() in _QUOTES else each for each in _CHARACTER.findall(inner))
    return f"{prefix}'{''.join(quoted)}'\""


def _unchained(written: str, previous: str, separator: str) -> str:
    """Return the command behind ours as it was written, or the usual way where ours has been written anew since."""
    inner = written[len(json.dumps(COMMAND + separator, ensure_ascii=False)) - 1 : -1]
    if inner[:1] == inner[-1:] == "'":
        inner = inner[1:-1]
        for quote in _QUOTES:
            inner = inner.replace(f"'\\\"{quote}\\\"'", quote)
    candidate = f'"{inner}"'
    try:
        if _chained(candidate, separator) == written and json.loads(candidate) == previous:
            return candidate
    except ValueError:
        pass
    return json.dumps(previous, ensure_ascii=False)


def _status_line(text: str) -> Element | None:
    return jsonedit.find_member(text, jsonedit.find_outermost(text), KEY)


def _command(text: str, status_line: Element) -> Element | None:
    if not isinstance(status_line.value, dict):
        return None
    named = jsonedit.find_member(text, status_line.value_start, "command")
    return named if named is not None and isinstance(named.value, str) else None


def _is_ours(present: str) -> bool:
    return present == COMMAND or present.startswith(COMMAND + " ")


def _previous(present: str) -> str | None:
    """Return the command that ours runs as well."""
    try:
        words = shlex.split(present[len(COMMAND) :].replace("--then=", "--then ", 1))
    except ValueError as error:
        raise UsageError(f"The {KEY} command cannot be read ({error}), so it is not touched. Mend it first.") from error
    return words[words.index("--then") + 1] if "--then" in words[:-1] else None

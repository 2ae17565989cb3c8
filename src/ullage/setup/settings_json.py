"""Claude Code's settings.json as text: our status line put in and taken out, everything else left as it stands. Pure.

The file belongs to the user: keys, order, indentation and line ends stay, and taking out undoes putting in to the byte.
An existing status line is chained, not replaced: `ullage statusline --then 'what was there'`.
"""

from __future__ import annotations

import json
import shlex

from ullage.base.errors import UsageError
from ullage.setup import jsonedit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ullage.setup.jsonedit import Element

KEY = "statusLine"
COMMAND = "ullage statusline"


def with_status_line(text: str, command: str = COMMAND) -> str:
    """Return the settings with our command as the status line, or before the one that is there.

    An empty text becomes a file. Settings that have it already come back as they are. Raises UsageError for a text that
    is no JSON object, or whose status line is of a kind that this version does not know.
    """
    line = {"type": "command", "command": command}
    if not text.strip():
        return json.dumps({KEY: line}, indent=2) + "\n"
    present = _status_line(text)
    if present is None:
        return jsonedit.append(text, jsonedit.outermost(text), line, KEY)
    named = _command(text, present)
    if named is None:
        raise UsageError(
            f'`{KEY}` is not of the form {{"type": "command", "command": …}}, so the file is not touched. Correct it '
            "or take it out, and run this again."
        )
    if _is_ours(named.value, command):
        return text
    return jsonedit.replace(text, named, f"{command} --then {shlex.quote(named.value)}")


def without_status_line(text: str, command: str = COMMAND) -> str:
    """Return the settings without our command: with the status line that it chained, or with none."""
    present = _status_line(text) if text.strip() else None
    named = _command(text, present) if present is not None else None
    if present is None or named is None or not _is_ours(named.value, command):
        return text
    previous = _previous(named.value, command)
    if previous is None:
        return jsonedit.drop(text, jsonedit.outermost(text), present)
    return jsonedit.replace(text, named, previous)


def _status_line(text: str) -> Element | None:
    return jsonedit.member(text, jsonedit.outermost(text), KEY)


def _command(text: str, status_line: Element) -> Element | None:
    if not isinstance(status_line.value, dict):
        return None
    named = jsonedit.member(text, status_line.value_start, "command")
    return named if named is not None and isinstance(named.value, str) else None


def _is_ours(present: str, command: str) -> bool:
    return present == command or present.startswith(command + " ")


def _previous(present: str, command: str) -> str | None:
    """Return the command that ours runs as well."""
    try:
        words = shlex.split(present[len(command) :].replace("--then=", "--then ", 1))
    except ValueError as error:
        raise UsageError(f"The {KEY} command cannot be read ({error}), so it is not touched. Mend it first.") from error
    return words[words.index("--then") + 1] if "--then" in words[:-1] else None

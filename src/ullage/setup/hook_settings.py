"""Claude Code's settings.json as text: our hooks put in and taken out, everything else left as it stands. Pure."""

from __future__ import annotations

import itertools
import json
import shlex

from ullage.base.errors import UsageError
from ullage.claude_code import answers
from ullage.setup import jsonedit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ullage.setup.jsonedit import Element

_KEY = "hooks"

# What a hook may take of a prompt's time before Claude Code goes on without it.
_TIMEOUT_SECONDS = 10


def add_hooks(text: str, arguments: Sequence[str]) -> str:
    """Return the settings with our hooks, in place of those with other arguments; an empty text becomes a file.

    Raises UsageError for a text that is no JSON object, or whose hooks are not of the form that Claude Code documents.
    """
    if not text.strip():
        return _file(arguments)
    _refuse_strange(_hooks(text))
    if _arguments(text) == [*arguments] and _is_whole(text):
        return text
    return _added(remove_hooks(text), arguments)


def remove_hooks(text: str) -> str:
    """Return the settings without our hooks, and without what was made for them."""
    if not text.strip():
        return text
    arguments = _arguments(text)
    if arguments is None:
        return text
    bare = text
    while (place := _first_of_ours(bare)) is not None:
        bare = jsonedit.drop(bare, *place)
    # Empty containers that were there before are marked; putting the hooks in again must give the same text.
    candidates = _pruned(bare)
    return next((each for each in candidates if _added(each, arguments) == text), candidates[0])


def is_ours_alone(text: str) -> bool:
    """Say whether a file holds what an empty one would become, and no more."""
    arguments = _arguments(text) if text.strip() else None
    return arguments is not None and text == _file(arguments)


def takes_back(before: str, after: str) -> bool:
    """Say whether removing our hooks, which turned `before` into `after`, loses nothing that is not ours."""
    arguments = _arguments(before)
    if arguments is None or is_ours_alone(before):
        return True
    try:
        return add_hooks(after, arguments) == before
    except UsageError:
        return False


def has_hooks(text: str) -> bool:
    """Say whether any of our hooks is in the settings; what is no JSON object has none."""
    try:
        return bool(text.strip()) and _arguments(text) is not None
    except UsageError:
        return False


def _refuse_strange(table: Element | None) -> None:
    found = table.value if table is not None else {}
    if not isinstance(found, dict):
        raise _strange(_KEY, "an object")
    wrong = next((name for name in answers.EVENTS if not isinstance(found.get(name, []), list)), None)
    if wrong:
        raise _strange(f"{_KEY}.{wrong}", "a list")


def _strange(key: str, form: str) -> UsageError:
    return UsageError(
        f"`{key}` is not {form}, as Claude Code wants it, so the file is not touched. Correct it or take it out, and "
        "run this again."
    )


def _file(arguments: Sequence[str]) -> str:
    return json.dumps({_KEY: build_entries(arguments)}, indent=2) + "\n"


def _added(text: str, arguments: Sequence[str]) -> str:
    entries = build_entries(arguments)
    if _hooks(text) is None:
        return jsonedit.append(text, jsonedit.find_outermost(text), entries, _KEY)
    for name, [group] in entries.items():
        table = _hooks(text)
        assert table is not None
        event = jsonedit.find_member(text, table.value_start, name)
        if event is None:
            text = jsonedit.append_marked(text, table.value_start, [group], name)
        else:
            text = jsonedit.append_marked(text, event.value_start, group)
    return text


def _hooks(text: str) -> Element | None:
    return jsonedit.find_member(text, jsonedit.find_outermost(text), _KEY)


def _lists(text: str) -> list[Element]:
    table = _hooks(text)
    if table is None or not isinstance(table.value, dict):
        return []
    return [event for event in jsonedit.list_elements(text, table.value_start) if isinstance(event.value, list)]


def _first_of_ours(text: str) -> tuple[int, Element] | None:
    """Return the container and the element to take out next: a group that is all ours, else one handler of a group."""
    for event in _lists(text):
        for group in jsonedit.list_elements(text, event.value_start):
            handlers = group.value.get("hooks") if isinstance(group.value, dict) else None
            if isinstance(handlers, list) and any(map(answers.is_hook_of_ours, handlers)):
                if all(map(answers.is_hook_of_ours, handlers)):
                    return event.value_start, group
                inner = jsonedit.find_member(text, group.value_start, "hooks")
                assert inner is not None
                found = jsonedit.list_elements(text, inner.value_start)
                return inner.value_start, next(handler for handler in found if answers.is_hook_of_ours(handler.value))
    return None


def _pruned(text: str) -> list[str]:
    """Return the settings without empty lists of ours: first without all, and without the table, last with all."""
    found = []
    made = []
    for name in answers.EVENTS:
        event = _event(text, name)
        if event is not None and jsonedit.is_marked(text, event.value_start):
            text = jsonedit.unmark(text, event.value_start)
        else:
            made.append(name)
    for count in range(len(made), -1, -1):
        for names in itertools.combinations(made, count):
            pruned = text
            for name in names:
                pruned = _without_empty(pruned, name)
            table = _hooks(pruned)
            if table is not None and jsonedit.is_marked(pruned, table.value_start):
                pruned = jsonedit.unmark(pruned, table.value_start)
            elif table is not None and table.value == {}:
                found.append(jsonedit.drop(pruned, jsonedit.find_outermost(pruned), table))
            found.append(pruned)
    return found


def _event(text: str, name: str) -> Element | None:
    table = _hooks(text)
    return jsonedit.find_member(text, table.value_start, name) if table is not None else None


def _without_empty(text: str, name: str) -> str:
    table, event = _hooks(text), _event(text, name)
    if table is None or event is None or event.value != []:
        return text
    return jsonedit.drop(text, table.value_start, event)


def _ours(text: str) -> list[Any]:
    groups = [group for event in _lists(text) for group in event.value if isinstance(group, dict)]
    handlers = [group["hooks"] for group in groups if isinstance(group.get("hooks"), list)]
    return [handler for several in handlers for handler in several if answers.is_hook_of_ours(handler)]


def _arguments(text: str) -> list[str] | None:
    """Return the arguments that our hooks have, None where there are none."""
    found = _ours(text)
    return shlex.split(found[0]["command"])[2:] if found else None


def _is_whole(text: str) -> bool:
    found = _ours(text)
    return len(found) == len(answers.EVENTS) and all(handler == found[0] for handler in found)


def build_entries(arguments: Sequence[str] = (), program: str = "ullage") -> dict[str, list[dict[str, Any]]]:
    """Return what belongs into the `hooks` of Claude Code's settings.json, by event."""
    handler = {"type": "command", "command": shlex.join([program, "hook", *arguments]), "timeout": _TIMEOUT_SECONDS}
    return {
        "UserPromptSubmit": [{"hooks": [handler]}],
        "PreToolUse": [{"matcher": "*", "hooks": [handler]}],
        "Stop": [{"hooks": [handler]}],
    }

"""Answer the events of Claude Code's hooks. Pure.

UserPromptSubmit  {"decision": "block", "reason": …}, shown to the person; additionalContext goes to the model
PreToolUse        permissionDecision "deny" with a reason for the model; additionalContext beside the tool's result
Stop              only a message: blocking it would make the model go on

The answers are dictionaries, which a test holds to the schema of `quota.schemas`: a hook has no time for msgspec.
"""

from __future__ import annotations

from ullage.base.dates import timedelta
from ullage.base.record import Record
from ullage.base.text import clean
from ullage.base.values import parse_time
from ullage.quota.model import (
    FULL_PERCENT,
    find_binding_window,
    find_used_percent,
    is_same_reset,
    list_limits,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ullage.base.dates import datetime
    from ullage.guard import WindowVerdict
    from ullage.quota.model import Reading, Thresholds, Window

# A reset that is nearer than this is worded by its time of day alone.
_IS_SOON = timedelta(hours=18)

EVENTS = ("UserPromptSubmit", "PreToolUse", "Stop")


class Event(Record):
    """An event as Claude Code passes it to a hook; `repeated` is a Stop that a hook has blocked before."""

    name: str
    session: str = ""
    repeated: bool = False


def read_event(decoded: object) -> Event | None:
    """Return the event in a decoded input; None for an event that this version does not answer."""
    if not isinstance(decoded, dict) or decoded.get("hook_event_name") not in EVENTS:
        return None
    return Event(
        name=decoded["hook_event_name"],
        session=clean(decoded.get("session_id")),
        repeated=decoded.get("stop_hook_active") is True,
    )


def block_event(event: Event, why: str) -> dict[str, Any] | None:
    """Return the answer that blocks an event for a reason; None for Stop, where blocking makes the model go on."""
    if event.name == "UserPromptSubmit":
        where = "The limits are those of the hook, in settings.json or at /plugin."
        return {"decision": "block", "reason": f"ullage: {why} {where}"}
    if event.name == "PreToolUse":
        reason = (
            f"{why} The user has set this limit to keep room in the plan. Do not try other tools: say what is done and "
            "what is left, then stop."
        )
        decision = {"permissionDecision": "deny", "permissionDecisionReason": reason}
        return {"hookSpecificOutput": {"hookEventName": event.name, **decision}, "systemMessage": f"ullage: {why}"}
    return None


def find_block_reason(answer: Mapping[str, Any]) -> str | None:
    """Return the reason in an answer that blocks its event; None for an answer that lets the event pass."""
    reason = answer.get("reason") or answer.get("hookSpecificOutput", {}).get("permissionDecisionReason")
    return reason if isinstance(reason, str) else None


def build_warning(event: Event, whys: Sequence[str]) -> dict[str, Any] | None:
    """Return the answer that lets an event pass and warns the person, and the model where the event allows it.

    None for a repeated Stop.
    """
    said = f"ullage: {'; '.join(whys)}."
    if event.name == "Stop":
        return None if event.repeated else {"systemMessage": said}
    context = (
        f"The Claude plan's room is running low: {'; '.join(whys)}. Finish what is under way in small steps, and ask "
        "the user before anything long."
    )
    return {
        "systemMessage": said,
        "hookSpecificOutput": {"hookEventName": event.name, "additionalContext": context},
    }


def tell_room(event: Event, reading: Reading, thresholds: Thresholds, now: datetime) -> dict[str, Any] | None:
    """Return the answer that tells the model what is left: of the session, and of the fullest window if it is another.

    None for another event than a prompt, and where nothing is known that may still be shown.
    """
    if event.name != "UserPromptSubmit":
        return None
    windows = list_limits(reading)
    fullest = find_binding_window(windows, now, thresholds)
    shown = [window for window in windows if window.kind == "session" or window is fullest]
    known = [(window, find_used_percent(window, now, thresholds)) for window in shown]
    told = [_word_room(window, used, now) for window, used in known if used is not None]
    if not told:
        return None
    context = f"Of the user's Claude plan {' and '.join(told)}. Plan long work so that it fits."
    return {"hookSpecificOutput": {"hookEventName": event.name, "additionalContext": context}}


def _word_room(window: Window, used: float, now: datetime) -> str:
    name = {"session": "the session", "weekly": "the week"}.get(window.kind, window.label)
    until = ""
    if window.resets_at is not None:
        at = window.resets_at.astimezone()
        is_soon = window.resets_at - now < _IS_SOON
        until = f" until {at:%H:%M}" if is_soon else f" until {at:%A} {at:%H:%M}"
    return f"about {max(0.0, FULL_PERCENT - used):.0f} % of {name} is left{until}"


def notify_person(why: str) -> dict[str, Any]:
    """Return the answer that lets an event pass with a message for the person alone."""
    return {"systemMessage": f"ullage: {why}"}


def mark_warning(event: Event, finding: WindowVerdict) -> str:
    """Return the mark of a warning (session, window, limit, reset), by which each session is warned of it once."""
    return f"{_subject(event, finding)} {finding.room_at.isoformat() if finding.room_at else ''}"


def was_warned(event: Event, finding: WindowVerdict, marks: Sequence[str]) -> bool:
    """Say whether one of the marks is of this warning; resets that differ by seconds are the same reset."""
    parts = (mark.rpartition(" ") for mark in marks)
    return any(
        subject == _subject(event, finding) and is_same_reset(parse_time(reset), finding.room_at)
        for subject, _, reset in parts
    )


def _subject(event: Event, finding: WindowVerdict) -> str:
    return f"{event.session} {finding.id} {finding.limit:g}"


def is_hook_of_ours(handler: object) -> bool:
    """Say whether a handler of settings.json runs `ullage hook`, by whatever path."""
    command = handler.get("command") if isinstance(handler, dict) else None
    if not isinstance(command, str) or "hook" not in command:
        return False
    # Imported late, as it takes longer than the rest: most commands are another's.
    import shlex

    try:
        words = shlex.split(command)
    except ValueError:
        return False
    return len(words) > 1 and words[0].replace("\\", "/").rsplit("/", 1)[-1] == "ullage" and words[1] == "hook"

"""Answer the events of Claude Code's hooks. Pure.

UserPromptSubmit  {"decision": "block", "reason": …}, shown to the person; additionalContext goes to the model
PreToolUse        permissionDecision "deny" with a reason for the model; additionalContext beside the tool's result
Stop              only a message: blocking it would make the model go on
"""

from __future__ import annotations

from ullage.base.record import Record
from ullage.base.text import clean
from ullage.base.values import parse_time
from ullage.quota.model import is_same_reset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ullage.guard import Verdict, WindowVerdict

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
        return {"decision": "block", "reason": f"ullage: {why} The limits are those of the hook in settings.json."}
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


def notify_person(why: str) -> dict[str, Any]:
    """Return the answer that lets an event pass with a message for the person alone."""
    return {"systemMessage": f"ullage: {why}"}


def list_over(verdict: Verdict) -> tuple[WindowVerdict, ...]:
    """Return the findings of a verdict that are over their limit."""
    return tuple(finding for finding in verdict.findings if finding.outcome == "over")


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

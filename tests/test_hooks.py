"""What Claude Code's hooks are answered, and what its settings get."""

from __future__ import annotations

from datetime import timedelta

import pytest
from samples import NOW

from ullage.guard import Finding, hooks
from ullage.guard.hooks import EVENTS, Event

WHY = "No room: Session (5h) is at 96%, limit 95%, resets in 2h13."


@pytest.mark.parametrize("name", EVENTS)
def test_the_event_is_read(name: str) -> None:
    given_input = {"hook_event_name": name, "session_id": "a\x1b[1mb", "stop_hook_active": True, "prompt": "hi"}
    assert hooks.read_event(given_input) == Event(name=name, session="a[1mb", repeated=True)


@pytest.mark.parametrize("decoded", [None, [], "Stop", {}, {"hook_event_name": "SessionEnd"}, {"hook_event_name": []}])
def test_what_is_no_event_of_ours_is_none(decoded: object) -> None:
    assert hooks.read_event(decoded) is None


def test_a_prompt_is_blocked_as_documented() -> None:
    answer = hooks.blocking(Event(name="UserPromptSubmit"), WHY)
    assert answer is not None
    assert answer["decision"] == "block"
    assert WHY in answer["reason"]


def test_a_tool_is_denied_as_documented() -> None:
    answer = hooks.blocking(Event(name="PreToolUse"), WHY)
    assert answer is not None
    output = answer["hookSpecificOutput"]
    assert (output["hookEventName"], output["permissionDecision"]) == ("PreToolUse", "deny")
    assert WHY in output["permissionDecisionReason"]


def test_a_stop_is_never_blocked() -> None:
    assert hooks.blocking(Event(name="Stop"), WHY) is None
    assert hooks.warning(Event(name="Stop"), ["it is full"]) == {"systemMessage": "ullage: it is full."}
    assert hooks.warning(Event(name="Stop", repeated=True), ["it is full"]) is None


@pytest.mark.parametrize("name", ["UserPromptSubmit", "PreToolUse"])
def test_a_warning_reaches_the_person_and_the_model(name: str) -> None:
    answer = hooks.warning(Event(name=name), ["one is full", "another too"])
    assert answer is not None
    assert answer["systemMessage"] == "ullage: one is full; another too."
    assert answer["hookSpecificOutput"]["hookEventName"] == name
    assert "one is full; another too" in answer["hookSpecificOutput"]["additionalContext"]
    # Without a decision the ordinary rules for permissions go on.
    assert "permissionDecision" not in answer["hookSpecificOutput"]
    assert "decision" not in answer


def test_a_mark_tells_sessions_windows_limits_and_resets_apart_but_not_the_servers_wording() -> None:
    finding = Finding(id="five_hour", label="5h", outcome="over", exit_code=1, limit=90.0, why="", room_at=NOW)
    event = Event(name="Stop", session="one")
    assert hooks.mark(event, finding) == hooks.mark(
        event.replace(name="PreToolUse"), finding.replace(room_at=NOW + timedelta(milliseconds=20), why="x")
    )
    others = [
        hooks.mark(event.replace(session="two"), finding),
        hooks.mark(event, finding.replace(id="seven_day")),
        hooks.mark(event, finding.replace(limit=95.0)),
        hooks.mark(event, finding.replace(room_at=NOW + timedelta(hours=5))),
    ]
    assert len({hooks.mark(event, finding), *others}) == 5


def test_the_entries_are_those_that_claude_code_documents() -> None:
    entries = hooks.entries(["--block", "five_hour=95"])
    assert set(entries) == set(EVENTS)
    for name, [group] in entries.items():
        [handler] = group["hooks"]
        assert handler == {"type": "command", "command": "ullage hook --block five_hour=95", "timeout": 10}
        assert group.get("matcher") == ("*" if name == "PreToolUse" else None)


def test_hostile_arguments_stay_one_word_of_the_command() -> None:
    [group] = hooks.entries(["--block", "$(touch pwned)=9"], "/opt/my tools/ullage")["Stop"]
    assert group["hooks"][0]["command"] == "'/opt/my tools/ullage' hook --block '$(touch pwned)=9'"
    assert hooks.is_ours(group["hooks"][0])


@pytest.mark.parametrize(
    ("command", "ours"),
    [
        ("ullage hook", True),
        ("/usr/bin/ullage hook --warn 5", True),
        ("'C:\\tools\\ullage' hook", True),
        ("ullage statusline", False),
        ("my-ullage hook", False),
        ("echo ullage hook", False),
        ("ullage", False),
        ("'", False),
        (None, False),
    ],
)
def test_our_handlers_are_known(command: object, ours: bool) -> None:
    assert hooks.is_ours({"type": "command", "command": command}) is ours
    assert hooks.is_ours(command) is False

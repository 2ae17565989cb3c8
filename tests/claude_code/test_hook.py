"""What Claude Code's hooks are answered, and what its settings get."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.samples import NOW
from ullage.claude_code import answers, hook
from ullage.claude_code.answers import EVENTS, Event
from ullage.guard import WindowVerdict
from ullage.setup import hook_settings

WHY = "No room: Session (5h) is at 96%, limit 95%, resets in 2h13."


@pytest.mark.parametrize("name", EVENTS)
def test_the_event_is_read(name: str) -> None:
    given_input = {"hook_event_name": name, "session_id": "a\x1b[1mb", "stop_hook_active": True, "prompt": "hi"}
    assert answers.read_event(given_input) == Event(name=name, session="a[1mb", repeated=True)


@pytest.mark.parametrize("decoded", [None, [], "Stop", {}, {"hook_event_name": "SessionEnd"}, {"hook_event_name": []}])
def test_what_is_no_event_of_ours_is_none(decoded: object) -> None:
    assert answers.read_event(decoded) is None


def test_a_prompt_is_blocked_as_documented() -> None:
    answer = answers.block_event(Event(name="UserPromptSubmit"), WHY)
    assert answer is not None
    assert answer["decision"] == "block"
    assert WHY in answer["reason"]


def test_a_tool_is_denied_as_documented() -> None:
    answer = answers.block_event(Event(name="PreToolUse"), WHY)
    assert answer is not None
    output = answer["hookSpecificOutput"]
    assert (output["hookEventName"], output["permissionDecision"]) == ("PreToolUse", "deny")
    assert WHY in output["permissionDecisionReason"]


def test_a_stop_is_never_blocked() -> None:
    assert answers.block_event(Event(name="Stop"), WHY) is None
    assert answers.build_warning(Event(name="Stop"), ["it is full"]) == {"systemMessage": "ullage: it is full."}
    assert answers.build_warning(Event(name="Stop", repeated=True), ["it is full"]) is None


@pytest.mark.parametrize("name", ["UserPromptSubmit", "PreToolUse"])
def test_a_warning_reaches_the_person_and_the_model(name: str) -> None:
    answer = answers.build_warning(Event(name=name), ["one is full", "another too"])
    assert answer is not None
    assert answer["systemMessage"] == "ullage: one is full; another too."
    assert answer["hookSpecificOutput"]["hookEventName"] == name
    assert "one is full; another too" in answer["hookSpecificOutput"]["additionalContext"]
    # Without a decision the ordinary rules for permissions go on.
    assert "permissionDecision" not in answer["hookSpecificOutput"]
    assert "decision" not in answer


FINDING = WindowVerdict(id="five_hour", label="5h", outcome="over", exit_code=1, limit=90.0, why="", room_at=NOW)


@pytest.mark.parametrize(
    ("session", "changes", "told"),
    [
        ("one", {"why": "x"}, True),
        ("one", {"room_at": NOW + timedelta(milliseconds=20)}, True),
        ("two", {}, False),
        ("one", {"id": "seven_day"}, False),
        ("one", {"limit": 95.0}, False),
        ("one", {"room_at": NOW + timedelta(hours=5)}, False),
        ("one", {"room_at": None}, False),
    ],
)
def test_a_session_is_told_once_of_each_window_limit_and_reset(
    session: str, changes: dict[str, object], told: bool
) -> None:
    marks = ["", "rubbish", answers.mark_warning(Event(name="Stop", session="one"), FINDING)]
    assert answers.was_warned(Event(name="PreToolUse", session=session), FINDING.replace(**changes), marks) is told


@pytest.mark.parametrize("minutes", range(11))
def test_the_servers_wording_of_a_reset_tells_no_session_twice(minutes: int) -> None:
    event, reset = Event(name="Stop", session="one"), NOW + timedelta(minutes=minutes, seconds=-1)
    mark = answers.mark_warning(event, FINDING.replace(room_at=reset))
    assert answers.was_warned(event, FINDING.replace(room_at=reset + timedelta(seconds=2)), [mark])


def test_a_reset_that_is_not_told_is_told_once() -> None:
    event, finding = Event(name="Stop", session="one"), FINDING.replace(room_at=None)
    assert answers.was_warned(event, finding, [answers.mark_warning(event, finding)])


def test_the_entries_are_those_that_claude_code_documents() -> None:
    entries = hook_settings.build_entries(["--block", "five_hour=95"])
    assert set(entries) == set(EVENTS)
    for name, [group] in entries.items():
        [handler] = group["hooks"]
        assert handler == {"type": "command", "command": "ullage hook --block five_hour=95", "timeout": 10}
        assert group.get("matcher") == ("*" if name == "PreToolUse" else None)


def test_hostile_arguments_stay_one_word_of_the_command() -> None:
    [group] = hook_settings.build_entries(["--block", "$(touch pwned)=9"], "/opt/my tools/ullage")["Stop"]
    assert group["hooks"][0]["command"] == "'/opt/my tools/ullage' hook --block '$(touch pwned)=9'"
    assert answers.is_hook_of_ours(group["hooks"][0])


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
    assert answers.is_hook_of_ours({"type": "command", "command": command}) is ours
    assert answers.is_hook_of_ours(command) is False


@pytest.mark.parametrize(("fail_closed", "exit_code"), [(True, 2), (False, 1)])
def test_a_fault_that_nothing_foresaw_keeps_the_hooks_promise(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fail_closed: bool, exit_code: int
) -> None:
    def fail() -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr(hook, "_event", fail)
    assert hook.perform(hook.Orders(fail_closed=fail_closed), {}) == exit_code
    assert "RecursionError" in capsys.readouterr().err

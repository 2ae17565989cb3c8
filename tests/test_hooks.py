"""What Claude Code's hooks are answered, and what its settings get."""

from __future__ import annotations

import copy
import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import NOW

from ullage.errors import UsageError
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


FINDING = Finding(id="five_hour", label="5h", outcome="over", exit_code=1, limit=90.0, why="", room_at=NOW)


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
    session: str, changes: dict[str, Any], told: bool
) -> None:
    marks = ["", "rubbish", hooks.mark(Event(name="Stop", session="one"), FINDING)]
    assert hooks.is_told(Event(name="PreToolUse", session=session), FINDING.replace(**changes), marks) is told


@pytest.mark.parametrize("minutes", range(11))
def test_the_servers_wording_of_a_reset_tells_no_session_twice(minutes: int) -> None:
    event, reset = Event(name="Stop", session="one"), NOW + timedelta(minutes=minutes, seconds=-1)
    mark = hooks.mark(event, FINDING.replace(room_at=reset))
    assert hooks.is_told(event, FINDING.replace(room_at=reset + timedelta(seconds=2)), [mark])


def test_a_reset_that_is_not_told_is_told_once() -> None:
    event, finding = Event(name="Stop", session="one"), FINDING.replace(room_at=None)
    assert hooks.is_told(event, finding, [hooks.mark(event, finding)])


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


OTHER = {"type": "command", "command": "./check.sh"}


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"model": "opus"},
        {"hooks": {}},
        {"hooks": {"Stop": []}, "model": "opus"},
        {"hooks": {"Stop": [{"hooks": [OTHER]}], "SessionEnd": [{"hooks": [OTHER]}]}},
        {"hooks": {"PreToolUse": [{"matcher": "Bash", "hooks": [OTHER, OTHER]}, "strange", {"hooks": "strange"}]}},
    ],
)
def test_what_is_installed_is_taken_out_again(settings: dict[str, Any]) -> None:
    before = copy.deepcopy(settings)
    installed = hooks.installed(settings, ["--warn", "80"])
    assert settings == before
    assert json.dumps(installed).count("ullage hook --warn 80") == 3
    assert hooks.installed(installed, ["--warn", "80"]) == installed
    changed = hooks.installed(installed, ["--warn", "90"])
    assert json.dumps(changed).count("ullage hook") == 3
    undone = hooks.removed(changed)
    # A list that was empty before is the one thing that cannot be told from one that ours were alone in.
    assert undone == {
        key: value for key, value in {**before, "hooks": _filled(before)}.items() if value or key != "hooks"
    }
    assert hooks.removed(undone) == undone


def _filled(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: groups for name, groups in settings.get("hooks", {}).items() if groups}


def test_a_handler_beside_ours_in_one_group_stays() -> None:
    ours = hooks.entries()["Stop"][0]["hooks"][0]
    settings = {"hooks": {"Stop": [{"hooks": [OTHER, ours]}]}}
    assert hooks.removed(settings) == {"hooks": {"Stop": [{"hooks": [OTHER]}]}}


@pytest.mark.parametrize("strange", [[], "x", None, {"Stop": "x"}, {"PreToolUse": {"matcher": "*"}}])
def test_what_is_no_table_of_hooks_is_refused(strange: object) -> None:
    with pytest.raises(UsageError, match="Nothing is changed"):
        hooks.installed({"hooks": strange})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from([*EVENTS, "hooks", "SessionEnd"]), json_values, max_size=4))
def test_strange_settings_are_left_as_they_are(hooks_table: dict[str, Any]) -> None:
    settings = {"hooks": hooks_table}
    assert hooks.removed(settings) == settings

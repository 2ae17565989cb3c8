"""settings.json: our hooks in and out, and nothing else moved."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.samples import reading, window
from tests.support.tools import run, ullage
from ullage.base.errors import UsageError
from ullage.claude_code import answers
from ullage.setup import hook_settings
from ullage.setup.hook_settings import add_hooks, remove_hooks
from ullage.store.cache import ProfileCache

ARGUMENTS = ["--warn=80", "--block=five_hour=95"]
OTHER = '{"type": "command", "command": "./check.sh"}'

TEXTS = [
    "{}",
    "{}\n",
    "{\n}\n",
    '{"model": "opus"}',
    '{\n  "model": "opus"\n}\n',
    '{\n    "z": 1,\n    "hooks": {},\n    "a": [1, 2]\n}\n',
    '{"hooks":{"Stop":[],"PreToolUse":[]},"b":2}',
    '{\n  "hooks": {\n    "Stop": [\n    ],\n    "SessionEnd": []\n  }\n}\n',
    '{\n\t"env": {\n\t\t"A": "ä\\u00e4"\n\t}\n}',
    '{\r\n  "model": "opus"\r\n}\r\n',
    '\ufeff{\n  "model": "opus"\n}\n',
    f'{{\n  "hooks": {{\n    "Stop": [\n      {{\n        "hooks": [{OTHER}]\n      }}\n    ]\n  }},\n  "x": 1\n}}',
    f'{{"hooks":{{"PreToolUse":[{{"matcher":"Bash","hooks":[{OTHER}]}}],"Stop":[{{"hooks":[{OTHER}]}}]}}}}',
    '{"hooks": {"PreToolUse": ["strange", {"hooks": "strange"}, {"hooks": []}]}}',
]


def parsed(text: str) -> dict[str, Any]:
    loaded = json.loads(text.removeprefix("\ufeff"))
    assert isinstance(loaded, dict)
    return loaded


def expected(settings: dict[str, Any], arguments: list[str]) -> dict[str, Any]:
    """Return what settings without hooks of ours become, by meaning."""
    table = settings.get("hooks", {})
    added = {name: [*table.get(name, []), *found] for name, found in hook_settings.build_entries(arguments).items()}
    return {**settings, "hooks": {**table, **added}}


@pytest.mark.parametrize("text", TEXTS)
def test_they_come_in_and_go_out_to_the_byte(text: str) -> None:
    added = add_hooks(text, ARGUMENTS)
    assert parsed(added) == expected(parsed(text), ARGUMENTS)
    assert add_hooks(added, ARGUMENTS) == added
    assert remove_hooks(added) == text
    assert remove_hooks(text) == text


EMPTY = ("", "[]", "[ ]", "[\n]", "[\n    ]", "[  \n]")


@pytest.mark.parametrize("gaps", [("", ""), (" ", " "), ("\n  ", "\n"), (" ", "\n")])
def test_what_was_there_and_empty_is_there_and_empty_again(gaps: tuple[str, str]) -> None:
    before, after = gaps
    for lists in itertools.product(EMPTY, repeat=len(answers.EVENTS)):
        members = [f'"{name}": {each}' for name, each in zip(answers.EVENTS, lists, strict=True) if each]
        table = f"{before}{f',{before}'.join(members)}{after}"
        text = f'{{{before}"hooks": {{{table}}}{after}}}'
        assert remove_hooks(add_hooks(text, ARGUMENTS)) == text


@pytest.mark.parametrize("text", TEXTS)
def test_other_limits_take_the_place_of_those_that_are_there(text: str) -> None:
    added = add_hooks(text, ARGUMENTS)
    changed = add_hooks(added, ["--warn=70"])
    assert changed == add_hooks(text, ["--warn=70"])
    assert remove_hooks(changed) == text


def test_they_are_indented_as_their_neighbours() -> None:
    added = add_hooks('{\n\t"hooks": {\n\t\t"SessionEnd": []\n\t}\n}\n', [])
    assert added.startswith('{\n\t"hooks": {\n\t\t"SessionEnd": [],\n\t\t"UserPromptSubmit": [\n\t\t\t{\n')
    assert added.endswith("\t\t]\n\t}\n}\n")


@pytest.mark.parametrize("indent", [1, 2, 3, 4, "\t"])
@pytest.mark.parametrize(
    "table", [{}, {"hooks": {"SessionEnd": []}}, {"hooks": {"Stop": [{"hooks": [json.loads(OTHER)]}]}}]
)
def test_they_are_indented_by_the_step_of_the_file(indent: int | str, table: dict[str, Any]) -> None:
    text = json.dumps({"model": "opus", **table}, indent=indent)
    added = add_hooks(text, ARGUMENTS)
    assert added == json.dumps(json.loads(added), indent=indent)


def test_an_empty_file_becomes_one() -> None:
    added = add_hooks("", ARGUMENTS)
    assert json.loads(added) == {"hooks": hook_settings.build_entries(ARGUMENTS)}
    assert hook_settings.is_ours_alone(added)
    assert not hook_settings.is_ours_alone(add_hooks("{}", ARGUMENTS))
    assert remove_hooks("") == ""


def test_what_a_user_has_added_to_ours_stays() -> None:
    added = parsed(add_hooks("{}", ARGUMENTS))
    added["hooks"]["Stop"][0]["hooks"].insert(0, json.loads(OTHER))
    added["hooks"]["PreToolUse"][0]["matcher"] = "Bash"
    assert parsed(remove_hooks(json.dumps(added))) == {"hooks": {"Stop": [{"hooks": [json.loads(OTHER)]}]}}


@pytest.mark.parametrize("text", ["[]", "{", "null", '{"hooks": []}', '{"hooks": {"Stop": {}}}', '{"hooks": null}'])
def test_what_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        add_hooks(text, ARGUMENTS)


def test_hooks_that_are_named_twice_are_refused() -> None:
    with pytest.raises(UsageError, match="twice"):
        add_hooks('{"hooks": {}, "hooks": {}}', ARGUMENTS)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
groups = st.lists(st.just({"matcher": "Bash", "hooks": [json.loads(OTHER)]}), max_size=2)
tables = st.dictionaries(st.sampled_from([*answers.EVENTS, "SessionEnd"]), groups, max_size=4)


def meaning(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings without the empty lists that mean nothing, which cannot always be told from those that we made."""
    table = {name: found for name, found in settings.get("hooks", {}).items() if found or name not in answers.EVENTS}
    return {**settings, "hooks": table} if table else {key: settings[key] for key in settings if key != "hooks"}


@given(
    st.dictionaries(st.text(max_size=5).filter(lambda key: key != "hooks"), json_values, max_size=3),
    st.none() | tables,
    st.sampled_from([None, 1, 2, 4, "\t"]),
    st.lists(st.text(max_size=8), max_size=3),
)
def test_any_settings_keep_what_they_say(
    rest: dict[str, Any], table: dict[str, Any] | None, indent: int | str | None, arguments: list[str]
) -> None:
    before = rest if table is None else {**rest, "hooks": table}
    text = json.dumps(before, indent=indent)
    added = add_hooks(text, arguments)
    assert parsed(added) == expected(before, arguments)
    assert meaning(parsed(remove_hooks(added))) == meaning(before)
    if table is None or all(table.values()):
        assert remove_hooks(added) == text


@pytest.mark.parametrize("before", [None, "", "\n", '{\n  "model": "opus"\n}\n', '{"hooks":{}}', "{}"])
def test_setup_installs_hooks_that_run_and_takes_them_out(environ: dict[str, str], before: str | None) -> None:
    path = Path(environ["HOME"], ".claude", "settings.json")
    if before is not None:
        path.parent.mkdir()
        path.write_text(before)
    done = ullage("setup", "claude-code", "--guard", "--block", "5h=95", "--yes", environ=environ)
    assert (done.returncode, done.stderr) == (0, "")
    [group] = json.loads(path.read_text())["hooks"]["PreToolUse"]
    event = json.dumps({"hook_event_name": "PreToolUse", "session_id": "a"})
    asked = run(["sh", "-c", group["hooks"][0]["command"]], environ, input=event)
    assert (asked.returncode, asked.stdout, asked.stderr) == (0, "", "")
    again = ullage("setup", "claude-code", "--guard", "--block", "5h=95", "--yes", environ=environ)
    assert "nothing to add" in again.stdout
    undone = ullage("setup", "claude-code", "--guard", "--undo", "--yes", environ=environ)
    assert (undone.returncode, undone.stderr) == (0, "")
    assert (path.read_text() if path.exists() else None) == before
    assert "nothing to undo" in ullage("setup", "claude-code", "--guard", "--undo", environ=environ).stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["bash", "--guard"],
        ["claude-code", "--block", "5h=95"],
        ["claude-code", "--guard", "--block", "nan"],
        ["claude-code", "--guard", "--warn", "0.8"],
    ],
)
def test_setup_refuses_what_means_nothing(environ: dict[str, str], arguments: list[str]) -> None:
    done = ullage("setup", *arguments, "--yes", environ=environ)
    assert done.returncode == 2
    assert not Path(environ["HOME"], ".claude").exists()


@pytest.mark.parametrize("option", ["--warn", "--block"])
def test_a_window_that_the_guard_does_not_know_is_refused_in_its_words(environ: dict[str, str], option: str) -> None:
    cache = ProfileCache(environ)
    cache.make_private()
    cache.save_reading(reading(window("five_hour", 5.0), window("seven_day_fable", 5.0)))
    done = ullage("setup", "claude-code", "--guard", option, "zz=4", "--yes", environ=environ)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "ullage: There is no window 'zz'. Known are 5h, fable.\n"
    assert ullage("guard", "--max", "zz=4", environ=environ).stderr == done.stderr
    assert not Path(environ["HOME"], ".claude").exists()
    for name in ("fable", "7d"):
        assert ullage("setup", "claude-code", "--guard", option, f"{name}=4", "--yes", environ=environ).returncode == 0


def test_while_nothing_is_known_a_name_is_taken_and_that_is_said(environ: dict[str, str]) -> None:
    limits = ("--block", "opus=80", "--warn", "5h=70", "--warn", "opus=70")
    done = ullage("setup", "claude-code", "--guard", *limits, "--yes", environ=environ)
    assert (done.returncode, done.stderr) == (0, "")
    assert "so 'opus' could not be checked: `ullage refresh` asks" in done.stdout
    plain = ullage("setup", "claude-code", "--guard", "--block", "7d=80", "--yes", environ=environ)
    assert "could not be checked" not in plain.stdout


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        ('{"hooks": "no"}', ["--guard"], "`hooks` is not an object"),
        ('{"hooks": {"Stop": 3}}', ["--guard"], "`hooks.Stop` is not a list"),
        ('{"hooks": [], "hooks": {}}', ["--guard"], "names hooks twice"),
        ('{"hooks": {}, "hooks": {}}', ["--guard", "--undo"], "names hooks twice"),
        ('{"statusLine": "no"}', [], "`statusLine` is not of the form"),
        ('{"statusLine": {"type": "command", "command": 3}}', [], "`statusLine` is not of the form"),
        ('{"statusLine": 1, "statusLine": 2}', ["--undo"], "names statusLine twice"),
    ],
)
def test_what_is_wrong_in_the_settings_is_said_with_the_file(
    environ: dict[str, str], content: str, options: list[str], words: str
) -> None:
    path = Path(environ["HOME"], ".claude", "settings.json")
    path.parent.mkdir()
    path.write_text(content)
    done = ullage("setup", "claude-code", *options, "--yes", environ=environ)
    assert (done.returncode, done.stdout, path.read_text()) == (2, "", content)
    assert done.stderr.startswith(f"ullage: {path}: ")
    assert words in done.stderr
    assert any(advice in done.stderr for advice in ("Correct it or take it out", "Remove one of them"))


def test_both_the_status_line_and_the_hooks_come_and_go(environ: dict[str, str]) -> None:
    path = Path(environ["HOME"], ".claude", "settings.json")
    path.parent.mkdir()
    path.write_text('{\n  "model": "opus"\n}\n')
    for options in ([], ["--guard"], ["--undo"], ["--guard", "--undo"]):
        assert ullage("setup", "claude-code", *options, "--yes", environ=environ).returncode == 0
    assert path.read_text() == '{\n  "model": "opus"\n}\n'


AS_NEW_AS_A_REFRESH = "the hooks know numbers only as new as the last refresh. `ullage setup claude-code` adds"


@pytest.mark.parametrize("limits", [[], ["--block", "5h=95"], ["--block", "opus=80"]])
def test_hooks_without_the_status_line_are_said_to_know_only_what_a_refresh_does(
    environ: dict[str, str], limits: list[str]
) -> None:
    alone = ullage("setup", "claude-code", "--guard", *limits, "--yes", environ=environ)
    assert AS_NEW_AS_A_REFRESH in alone.stdout
    assert ("'opus' could not be checked" in alone.stdout) is ("opus=80" in limits)
    for options in (["--guard", "--undo"], []):
        assert ullage("setup", "claude-code", *options, "--yes", environ=environ).returncode == 0
    both = ullage("setup", "claude-code", "--guard", *limits, "--yes", environ=environ)
    assert (both.returncode, AS_NEW_AS_A_REFRESH in both.stdout) == (0, False)


@pytest.mark.parametrize("status_line", [True, False])
def test_undoing_the_status_line_names_the_hooks_that_stay(environ: dict[str, str], status_line: bool) -> None:
    for options in [["--guard"], []] if status_line else [["--guard"]]:
        assert "stay;" not in ullage("setup", "claude-code", *options, "--yes", environ=environ).stdout
    undone = ullage("setup", "claude-code", "--undo", "--yes", environ=environ)
    assert (undone.returncode, undone.stderr) == (0, "")
    assert ("nothing to undo" in undone.stdout) is not status_line
    assert "`ullage setup claude-code --guard --undo` takes them out" in undone.stdout
    assert ullage("setup", "claude-code", "--guard", "--undo", "--yes", environ=environ).returncode == 0
    assert "stay;" not in ullage("setup", "claude-code", "--undo", "--yes", environ=environ).stdout


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"timeout": 10', '"timeout": 60'),
        ('"matcher": "*"', '"matcher": "Bash"'),
        ("ullage hook", "/opt/ullage hook"),
    ],
)
def test_undoing_hooks_that_were_edited_keeps_a_copy(environ: dict[str, str], old: str, new: str) -> None:
    path = Path(environ["HOME"], ".claude", "settings.json")
    path.parent.mkdir()
    path.write_text('{\n  "model": "opus"\n}\n')
    assert ullage("setup", "claude-code", "--guard", "--yes", environ=environ).returncode == 0
    edited = path.read_text().replace(old, new, 1)
    path.write_text(edited)
    undone = ullage("setup", "claude-code", "--guard", "--undo", "--yes", environ=environ)
    assert undone.returncode == 0
    assert json.loads(path.read_text()) == {"model": "opus"}
    copies = [found.read_text() for found in path.parent.iterdir() if ".before-ullage" in found.name]
    assert edited in copies
    assert "What was there before is in" in undone.stdout


def test_undoing_hooks_as_they_were_written_leaves_no_copy(environ: dict[str, str]) -> None:
    path = Path(environ["HOME"], ".claude", "settings.json")
    path.parent.mkdir()
    path.write_text('{\n  "model": "opus"\n}\n')
    for options in (["--guard", "--warn", "80"], ["--guard", "--undo"]):
        assert ullage("setup", "claude-code", *options, "--yes", environ=environ).returncode == 0
    assert [found.name for found in path.parent.iterdir()] == ["settings.json"]

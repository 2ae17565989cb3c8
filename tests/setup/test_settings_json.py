"""settings.json: our status line in and out, and nothing else moved."""

from __future__ import annotations

import json
import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ullage.base.errors import UsageError
from ullage.setup.settings_json import COMMAND, add_status_line, remove_status_line

OURS = {"type": "command", "command": COMMAND, "refreshInterval": 60}

TEXTS = [
    "{}",
    "{}\n",
    "{\n}\n",
    '{"model": "opus"}',
    '{\n  "model": "opus"\n}\n',
    '{\n    "z": 1,\n    "a": [1, 2],\n\n    "hooks": {"Stop": []}\n}\n',
    '{\n\t"env": {\n\t\t"A": "ä\\u00e4"\n\t}\n}',
    '{\r\n  "model": "opus"\r\n}\r\n',
    '\ufeff{\n  "model": "opus"\n}\n',
    '{"a":1,"b":{"statusLine":{"type":"command","command":"not this one"}}}',
]


@pytest.mark.parametrize("text", TEXTS)
def test_it_comes_in_and_goes_out_to_the_byte(text: str) -> None:
    added = add_status_line(text)
    before, after = (json.loads(one.removeprefix("\ufeff")) for one in (text, added))
    assert after == {**before, "statusLine": OURS}
    assert list(after)[:-1] == list(before)
    assert remove_status_line(added) == text


def test_it_is_indented_as_its_neighbours() -> None:
    assert add_status_line('{\n\t"model": "opus"\n}\n') == (
        '{\n\t"model": "opus",\n\t"statusLine": {\n\t\t"type": "command",\n\t\t"command": "ullage statusline",'
        '\n\t\t"refreshInterval": 60\n\t}\n}\n'
    )


@pytest.mark.parametrize("indent", [1, 2, 3, 4, "\t"])
def test_it_is_indented_by_the_step_of_the_file(indent: int | str) -> None:
    added = add_status_line(json.dumps({"model": "opus"}, indent=indent))
    assert added == json.dumps(json.loads(added), indent=indent)


def test_an_empty_file_becomes_one() -> None:
    assert json.loads(add_status_line("")) == {"statusLine": OURS}


@pytest.mark.parametrize(
    "previous", ["~/bin/line.sh", "echo 'it''s' \"$HOME\" | sed s/a/ä/", "npx -y ccstatusline@latest"]
)
@pytest.mark.parametrize(
    "form",
    [
        '{{"statusLine": {{"type": "command", "command": {command}, "padding": 0}}, "z": 1}}',
        '{{\n  "a": 1,\n  "statusLine": {{\n    "padding": 1,\n    "command": {command}\n  }}\n}}\n',
    ],
)
def test_the_line_that_is_there_is_chained_and_comes_back(form: str, previous: str) -> None:
    text = form.format(command=json.dumps(previous, ensure_ascii=False))
    chained = add_status_line(text)
    line = json.loads(chained)["statusLine"]
    assert shlex.split(line["command"]) == ["ullage", "statusline", f"--then={previous}"]
    assert line == {**json.loads(text)["statusLine"], "command": line["command"], "refreshInterval": 60}
    assert remove_status_line(chained) == text


@pytest.mark.parametrize("interval", [1, 60, 300])
def test_an_interval_that_is_there_is_kept(interval: int) -> None:
    text = json.dumps({"statusLine": {"type": "command", "refreshInterval": interval, "command": "mine"}})
    chained = add_status_line(text)
    assert json.loads(chained)["statusLine"]["refreshInterval"] == interval
    assert remove_status_line(chained) == text


def test_an_interval_that_was_changed_since_stays() -> None:
    chained = add_status_line('{"statusLine": {"type": "command", "command": "mine"}}').replace(": 60", ": 30")
    assert json.loads(remove_status_line(chained))["statusLine"] == {
        "type": "command",
        "command": "mine",
        "refreshInterval": 30,
    }


@pytest.mark.parametrize("text", TEXTS)
def test_twice_is_once(text: str) -> None:
    once = add_status_line(text)
    assert add_status_line(once) == once


@pytest.mark.parametrize(
    "text", ["", "{}", '{"statusLine": {"type": "command", "command": "mine"}}', '{"statusLine": 3}']
)
def test_what_is_not_ours_is_not_taken_out(text: str) -> None:
    assert remove_status_line(text) == text


def test_the_first_of_several_goes_out() -> None:
    text = '{\n  "statusLine": {"type": "command", "command": "ullage statusline"},\n  "model": "opus"\n}\n'
    assert remove_status_line(text) == '{\n  "model": "opus"\n}\n'


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{",
        "nonsense",
        '{"a": 1,}',
        '{"statusLine": 3}',
        '{"statusLine": {}}',
        '{"statusLine": 1, "statusLine": 2}',
    ],
)
def test_what_cannot_be_understood_is_not_touched(text: str) -> None:
    with pytest.raises(UsageError, match="not touched"):
        add_status_line(text)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.text(max_size=6).filter(lambda name: name != "statusLine"), VALUES, max_size=5),
    st.sampled_from([None, 2, 4, "\t"]),
    st.text(max_size=20).filter(lambda command: command.isprintable() and not command.startswith("ullage")),
    st.booleans(),
    st.sampled_from(["", "\n"]),
)
def test_any_settings_survive(
    stated: dict[str, object], indent: int | str | None, previous: str, has_line: bool, end: str
) -> None:
    if has_line:
        stated = {**stated, "statusLine": {"type": "command", "command": previous}}
    text = json.dumps(stated, indent=indent, ensure_ascii=False) + end
    added = add_status_line(text)
    after = json.loads(added)
    assert {**after, "statusLine": None} == {**stated, "statusLine": None}
    assert after["statusLine"]["command"].startswith(COMMAND)
    assert remove_status_line(added) == text


def test_both_forms_of_then_give_back_what_they_chain() -> None:
    text = json.dumps({"statusLine": {"type": "command", "command": "ullage statusline --then='mine --x'"}})
    assert json.loads(remove_status_line(text))["statusLine"]["command"] == "mine --x"


def test_a_command_that_no_shell_reads_is_not_touched() -> None:
    text = json.dumps({"statusLine": {"type": "command", "command": "ullage statusline # it's mine"}})
    with pytest.raises(UsageError, match="cannot be read"):
        remove_status_line(text)


SPELLINGS = [
    r'"caf\u00e9 --x"',
    '"café --x"',
    r'"it\u0027s \"mine\" and \/that\/ \u0022too\u0022"',
    r'"\ud83d\ude00 \\n \t"',
    r'"plain"',
    r'"pl\u0061in"',
    r'"a\u0027\"\u0027b \"\u0027\" c"',
]


@pytest.mark.parametrize("written", SPELLINGS)
@pytest.mark.parametrize(
    "form",
    [
        '{{"statusLine": {{"type": "command", "command": {}}}}}',
        '{{\n "statusLine": {{\n  "command": {},\n  "type": "command"}}}}',
    ],
)
def test_a_command_comes_back_as_it_was_written(written: str, form: str) -> None:
    text = form.format(written)
    added = add_status_line(text)
    command = json.loads(added)["statusLine"]["command"]
    assert shlex.split(command)[2:] == [f"--then={json.loads(written)}"]
    assert remove_status_line(added) == text


@settings(max_examples=2 * settings().max_examples)
@given(
    st.lists(st.sampled_from(["'", r"\u0027", r"\"", "\\\\", r"\/", "é", r"\u00e9", r"\u00E9", "a", " ", "$", r"\n"]))
)
def test_any_spelling_survives(characters: list[str]) -> None:
    written = "".join(characters)
    text = f'{{"statusLine": {{"type": "command", "command": "mine {written}"}}}}'
    assert remove_status_line(add_status_line(text)) == text

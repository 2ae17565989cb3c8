"""The recipes of docs/machines.md are what ullage takes."""

from __future__ import annotations

import json
import re
import shlex

import pytest
import yaml

from tests.support.tools import REPOSITORY
from ullage.cli.guard import command as guard
from ullage.cli.receive import command as receive
from ullage.cli.setup_remote import command as setup_remote
from ullage.config.file import check_file
from ullage.config.settings import DEFAULTS

PAGE = (REPOSITORY / "docs" / "machines.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = [line for _, block in BLOCKS for line in block.splitlines() if line.startswith("ullage setup remote")]
FORCED = re.findall(r'command="ullage receive ([^"]*)"', PAGE)


@pytest.mark.parametrize("block", [block for language, block in BLOCKS if language == "toml"])
def test_what_is_to_stand_in_config_toml_is_right(block: str) -> None:
    values, issues = check_file(block.encode(), dict(DEFAULTS))
    assert issues == ()
    assert values["remote"] or values["push.commands"]


@pytest.mark.parametrize("line", COMMANDS)
def test_what_is_to_be_typed_is_understood(line: str) -> None:
    words = shlex.split(line, comments=True)
    setup_remote.make_context("setup remote", words[3:])


def test_what_a_key_is_allowed_is_a_command() -> None:
    assert FORCED
    for arguments in FORCED:
        receive.make_context("receive", shlex.split(arguments))


def test_the_devcontainer_is_json() -> None:
    [block] = [block for language, block in BLOCKS if language == "json"]
    assert json.loads(f"{{{block}}}")["containerEnv"]["ULLAGE_TRUSTED_CACHE"] in block


def test_what_the_action_is_given_are_its_inputs() -> None:
    steps = [
        step for language, block in BLOCKS if language == "yaml" and "uses:" in block for step in yaml.safe_load(block)
    ]
    given = [step["with"] for step in steps if "uses" in step]
    declared = yaml.safe_load((REPOSITORY / "action.yml").read_text("utf-8"))
    assert {name for each in given for name in each} <= {*declared["inputs"]}
    assert {"usage", "url", "token"} < {name for each in given for name in each}
    for name in declared["outputs"]:
        assert f"`{name}`" in PAGE


GUARDS = re.findall(r"^[ 0-9*-]*(ullage guard .*)$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("line", GUARDS)
def test_what_other_runners_ask_is_understood(line: str) -> None:
    words = shlex.split(line)
    ends = [words.index(end) for end in ("||", ">room.json") if end in words]
    guard.make_context("guard", words[2 : min(ends, default=None)])


def test_what_a_job_of_gitlab_hands_on_is_understood() -> None:
    [block] = [block for language, block in BLOCKS if language == "yaml" and "before_script" in block]
    lines = yaml.safe_load(block)["review"]["before_script"]
    [line] = [line for line in lines if "ullage receive" in line]
    receive.make_context("receive", shlex.split(line, comments=True)[6:])
    assert any(line in guarded for guarded in lines for line in GUARDS)

"""The recipes of docs/machines.md are what ullage takes."""

from __future__ import annotations

import json
import re
import shlex

import pytest

from tests.support.tools import REPOSITORY
from ullage.cli.receive import command as receive
from ullage.cli.remote_setup import command as setup_remote
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

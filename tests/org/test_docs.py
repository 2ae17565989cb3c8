"""docs/org.md is held to the code."""

from __future__ import annotations

import re

from tests.support.tools import REPOSITORY
from ullage.cli.org import command
from ullage.config.options import OPTIONS
from ullage.org import client, reports

DOCS = (REPOSITORY / "docs" / "org.md").read_text("utf-8")


def test_every_command_is_there_and_no_other() -> None:
    assert set(re.findall(r"^\| `ullage org ([a-z-]+)`", DOCS, re.MULTILINE)) == set(command.commands)


def test_every_option_of_an_example_is_one() -> None:
    for line in re.findall(r"^ullage org (.*)$", DOCS, re.MULTILINE):
        name, *words = line.split()
        known = {option for parameter in command.commands[name].params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known


def test_every_setting_is_one() -> None:
    named = set(re.findall(r"\b((?:admin|analytics)_key_\w+)", DOCS))
    assert {f"org.{name}" for name in named} == {option.key for option in OPTIONS if option.key.startswith("org.")}


def test_the_limits_are_those_of_the_code() -> None:
    longest = reports.USAGE.longest
    assert f"{longest['1d']} days by days, {longest['1h']} by hours, {longest['1m']} by minutes" in DOCS
    assert {report.settles.total_seconds() / 3600 for report in reports.REPORTS} == {3, 48}
    assert "three hours" in DOCS
    assert "48 hours" in DOCS
    assert client._MOST_TRIES == 6
    assert client.WHOLE_SECONDS == 300

"""The options of the commands that run without click are those that click is told."""

from __future__ import annotations

import importlib

import click
import pytest

from ullage.base import arguments
from ullage.base.arguments import find_last_value, parse_options


@pytest.mark.parametrize("name", arguments.VALUED)
def test_both_ways_know_the_same_options(name: str) -> None:
    command: click.Command = importlib.import_module(f"ullage.cli.{name}").command
    options = [option for option in command.params if isinstance(option, click.Option)]
    known = {name: option.is_flag for option in options for name in (*option.opts, *option.secondary_opts)}
    assert {option for option, is_flag in known.items() if not is_flag} == {*arguments.VALUED[name]}
    assert {option for option, is_flag in known.items() if is_flag} == {*arguments.FLAGS[name]}


@pytest.mark.parametrize(
    ("given", "options"),
    [
        ([], {}),
        (["--quiet"], {"--quiet": []}),
        (["--then", "a b", "--quiet"], {"--then": ["a b"], "--quiet": []}),
        (["--then=a=b"], {"--then": ["a=b"]}),
        (["--then="], {"--then": [""]}),
        (["--profile", "x", "--profile", "y"], {"--profile": ["x", "y"]}),
        (["--then"], None),
        (["--quiet=yes"], None),
        (["--help"], None),
        (["word"], None),
        (["--then", "--quiet", "--quiet"], {"--then": ["--quiet"], "--quiet": []}),
        (["--", "--quiet"], None),
    ],
)
def test_options_by_name(given: list[str], options: dict[str, list[str]] | None) -> None:
    assert parse_options("statusline", given) == options


@pytest.mark.parametrize(
    ("given", "options"),
    [
        (["--max", "5", "make", "--quiet"], {"--max": ["5"], "--": ["make", "--quiet"]}),
        (["-q", "--", "--max"], {"-q": [], "--": ["--max"]}),
        (["--max", "--", "make"], {"--max": ["--"], "--": ["make"]}),
        (["--"], {"--": []}),
        (["-"], None),
        ([""], {"--": [""]}),
        (["--nonsense", "--", "make"], None),
    ],
)
def test_a_command_follows_the_options(given: list[str], options: dict[str, list[str]] | None) -> None:
    assert parse_options("guard", given) == options


def test_the_last_value_counts() -> None:
    assert find_last_value({"--profile": ["x", "y"]}, "--profile") == "y"
    assert find_last_value({"--quiet": []}, "--quiet") is None
    assert find_last_value({}, "--then") is None

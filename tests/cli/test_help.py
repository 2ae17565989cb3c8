"""The words of the command line: help for everything, and a hint for a slip."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click
import pytest

from tests.support.tools import ullage
from ullage import __version__
from ullage.cli import run
from ullage.cli.group import main
from ullage.cli.listing import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterator


def walk(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from walk(inner, (*path, name))


EVERY = dict(walk(main))
# Those that do nothing without one of their commands.
GROUPS = [path for path, each in EVERY.items() if path and isinstance(each, click.Group) and each.no_args_is_help]
paths = pytest.mark.parametrize("path", EVERY, ids=" ".join)


@paths
def test_help_says_what_a_command_does(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*path, "--help"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"Usage: {' '.join(('ullage', *path))} ")
    explained = (EVERY[path].help or "").split("\n")[0]
    assert len(explained) > 20
    assert explained[0].isupper()
    assert explained[-1] in ".:;," or explained.count(" ") > 5
    assert explained.split()[0] in printed


@paths
def test_help_fits_into_eighty_columns(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*path, "--help"]) == 0
    assert [line for line in capsys.readouterr().out.splitlines() if len(line) > 80] == []


@paths
def test_every_option_says_what_it_is_for(path: tuple[str, ...]) -> None:
    for parameter in EVERY[path].params:
        if isinstance(parameter, click.Option):
            assert parameter.help or isinstance(parameter.type, click.Choice), parameter.opts


def test_a_short_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["usage", "-h"]) == 0
    assert "--json" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("typed", "meant"),
    [(["help"], ["--help"]), (["help", "usage"], ["usage", "--help"]), (["status", "-h"], ["usage", "-h"])],
)
def test_what_people_type_from_habit(typed: list[str], meant: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(typed) == 0
    printed = capsys.readouterr().out
    assert run(meant) == 0
    assert capsys.readouterr().out == printed


@pytest.mark.parametrize("name", COMMANDS)
def test_wrong_usage_of_any_command_exits_with_2(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    # A hook must never end with the code that blocks.
    assert run([name, "--nonsense"]) == (1 if name == "hook" else 2)
    assert "--nonsense" in capsys.readouterr().err


@pytest.mark.parametrize("path", GROUPS, ids=" ".join)
def test_a_group_alone_shows_its_help_once(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(path) == 2
    told = capsys.readouterr().err
    assert told.count("Usage: ") == 1
    assert "Error: " not in told


def test_what_there_is_to_choose_from_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init"]) == 2
    assert "\n  bash,\n  zsh," in capsys.readouterr().err


def test_the_list_names_every_command_in_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    printed = capsys.readouterr().out
    for name in COMMANDS:
        assert re.search(rf"^  {name} +\S.*\S$", printed, re.MULTILINE)
    assert "Exit codes: 0 done" in printed


@pytest.mark.parametrize("path", [path for path, command in EVERY.items() if isinstance(command, click.Group)])
def test_no_list_of_commands_is_cut_off(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*path, "--help"]) == 0
    assert "...\n" not in capsys.readouterr().out.partition("\n\n")[2]


def test_a_group_without_a_command_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2
    printed = capsys.readouterr()
    assert "Usage: ullage" in printed.out + printed.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["usge"], "There is no command 'usge'. Did you mean usage?"),
        (["refesh"], "Did you mean refresh?"),
        (["xyzzy"], "`ullage --help` lists the commands."),
        (["usage", "--jsn"], "--json"),
        (["usage", "much"], "unexpected extra argument"),
        (["prompt", "--surface", "zhs"], "zsh"),
        (["usage", "--profile", ""], "it is empty"),
        (["usage", "--profile", "/nowhere/claude"], "there is no directory /nowhere/claude"),
        (["usage", "--all", "--profile", "default"], "--all"),
        (["config", "chek"], "chek"),
        (["config", "check", "/nowhere/config.toml"], "/nowhere/config.toml"),
    ],
)
def test_wrong_usage_is_said_and_exits_with_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    printed = capsys.readouterr()
    assert words in printed.err
    assert printed.out == ""


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_version(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([option]) == 0
    assert capsys.readouterr().out == f"ullage, version {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "changes", "code", "words"),
    [
        (["tokens", "prices", "--update", "http://127.0.0.1:99999/"], {}, 2, "Ports are 1 to 65535."),
        (["tokens", "prices", "--update", ""], {}, 2, "Name a file with prices, or an https:// address."),
        (["tokens", "--json"], {"ULLAGE_CONFIG": "here.toml"}, 2, "ULLAGE_CONFIG must be an absolute path"),
        (["config", "write"], {"ULLAGE_CONFIG": "/dev/null/config.toml"}, 5, "Name another file in ULLAGE_CONFIG."),
        (["serve", "token", "revoke", ""], {}, 2, "No token is called ''."),
        (["serve", "--unix", ""], {}, 2, "Name a socket, or leave the path out."),
        (["guard", "--", ""], {}, 2, "Name a program."),
        (["simulate", "--speed", "nan"], {}, 2, "'nan' is no number above 0"),
        (["simulate", "--key", "/dev/null"], {}, 2, "--key is for --certificate."),
        (["simulate", "--account", "/dev/null/x"], {}, 2, "Name another new directory."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_sentence_says_what_to_do_next(
    environ: dict[str, str], arguments: list[str], changes: dict[str, str], code: int, words: str
) -> None:
    if "revoke" in arguments:
        assert ullage("serve", "token", "create", environ=environ).returncode == 0
    done = ullage(*arguments, environ={**environ, **changes})
    assert (done.returncode, done.stdout) == (code, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr

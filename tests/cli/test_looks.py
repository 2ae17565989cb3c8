"""How every command looks: in colours on a terminal and nowhere else, in plain characters where there are no others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support.terminal import Terminal
from tests.support.tools import ULLAGE, ullage
from tests.support.transcript import line, write
from ullage.simulate import org

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ullage.simulate import Simulator

    Simulate = Callable[..., Simulator]

# What a person reads of each command, and how it ends.
COMMANDS: dict[str, int] = {
    "--help": 0,
    "usage --help": 0,
    "sources --help": 0,
    "usge": 2,
    "usage --nope": 2,
    "usage": 0,
    "usage --all": 0,
    "chart": 0,
    "chart nope": 2,
    "history": 0,
    "tokens": 0,
    "tokens --by window": 0,
    "tokens prices": 0,
    "org usage": 0,
    "org claude-code": 0,
    "doctor": 0,
    "sources": 0,
    "guard": 0,
    "guard --max 1": 1,
    "wait --timeout 1s": 1,
    "alerts": 0,
    "config": 0,
    "config preset": 0,
    "config preset spark": 0,
    "config check": 0,
    "panel plain": 0,
    "setup bash": 2,
    "demo": 0,
}


@pytest.fixture
def signed_in(environ: dict[str, str], account: Path, simulate: Simulate, tmp_path: Path) -> dict[str, str]:
    """An environment with something to say for each command, in signs and letters that ASCII has not."""
    simulate("models")
    environ |= {"ANTHROPIC_ADMIN_KEY": org.ADMIN_KEY, "COLUMNS": "100"}
    (tmp_path / "config.toml").write_text('[segment]\npreset = "spark"\n')
    write(account, "-home-zoe/s1.jsonl", line(cwd="/home/zoë/bücher", at="2026-11-20T10:00:00Z", gitBranch="größer"))
    assert ullage("refresh", environ=environ).returncode == 0
    return environ


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_but_ascii_is_printed_where_the_locale_has_no_more(command: str, signed_in: dict[str, str]) -> None:
    done = ullage(*command.split(), environ={**signed_in, "LC_ALL": "C"})
    assert done.returncode == COMMANDS[command], done.stderr
    assert (done.stdout + done.stderr).isascii()
    assert "\\u2" not in done.stdout + done.stderr, "a sign of ours has a plain form"


@pytest.mark.parametrize("command", COMMANDS)
def test_no_colour_reaches_a_pipe_and_no_blank_ends_a_line(command: str, signed_in: dict[str, str]) -> None:
    done = ullage(*command.split(), environ=signed_in)
    assert done.returncode == COMMANDS[command]
    assert "\033" not in done.stdout + done.stderr
    assert [row for row in (done.stdout + done.stderr).splitlines() if row != row.rstrip()] == []


@pytest.mark.parametrize(
    "command", ["--help", "usge", "usage", "chart", "config", "doctor", "sources", "tokens", "guard --max 1"]
)
def test_colours_can_be_asked_for_and_forbidden(command: str, signed_in: dict[str, str]) -> None:
    forced = {**signed_in, "CLICOLOR_FORCE": "1"}
    done = ullage(*command.split(), environ=forced)
    assert "\033[" in done.stdout + done.stderr
    for changes in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        plain = ullage(*command.split(), environ={**forced, **changes})
        assert "\033" not in plain.stdout + plain.stderr
        # Colours change no word.
        shown = re.sub(r"\033\[[0-9;]*m", "", done.stdout + done.stderr)
        assert re.sub(r"\d+", "", shown) == re.sub(r"\d+", "", plain.stdout + plain.stderr)


def test_help_and_errors_are_coloured_on_a_terminal(environ: dict[str, str]) -> None:
    with Terminal([ULLAGE, "guard", "--help"], environ, rows=50) as terminal:
        terminal.wait_for_end()
        assert set(terminal.colours("Options:")) == {"bold default"}
        assert set(terminal.colours("--max-age")) == {"cyan"}
    with Terminal([ULLAGE, "guard", "--max-age", "soon"], environ) as terminal:
        terminal.wait_for_end()
        assert set(terminal.colours("Error:")) == {"bold red"}


@pytest.mark.parametrize("columns", [40, 60])
def test_the_help_is_broken_between_words(columns: int, environ: dict[str, str]) -> None:
    with Terminal([ULLAGE, "--help"], environ, rows=120, columns=columns) as terminal:
        terminal.wait_for_end()
        # A terminal would break a line in its last cell; what is too long was broken before.
        assert max(map(len, terminal.lines)) < columns
        assert terminal.text.split() == ullage("--help", environ=environ).stdout.split()


def test_values_of_the_configuration_stand_out_that_are_not_the_default(signed_in: dict[str, str]) -> None:
    with Terminal([ULLAGE, "config"], signed_in, rows=120) as terminal:
        terminal.wait_for_end()
        assert set(terminal.colours("segment.preset")) == {"cyan"}
        assert set(terminal.colours('"spark"')) == {"bold default"}
        assert set(terminal.colours('"unicode"')) == {"default"}


def test_no_picture_is_written_to_a_terminal(signed_in: dict[str, str]) -> None:
    with Terminal([ULLAGE, "chart", "--png", "-"], signed_in) as terminal:
        assert terminal.wait_for_end() == 2
        assert terminal.text.startswith("ullage: A PNG is no text for a terminal. Name a file,")


def test_a_terminal_that_says_it_is_light_gets_colours_for_that(environ: dict[str, str]) -> None:
    with Terminal([ULLAGE, "--help"], {**environ, "COLORFGBG": "0;15"}, rows=60) as terminal:
        terminal.wait_for_end()
        assert set(terminal.colours("history")) == {"005faf"}


@pytest.mark.parametrize("columns", [40, 60])
def test_a_remark_is_broken_between_words(columns: int, signed_in: dict[str, str]) -> None:
    del signed_in["COLUMNS"]
    with Terminal([ULLAGE, "guard", "--max", "1"], signed_in, columns=columns) as terminal:
        terminal.wait_for_end()
        shown = terminal.lines
    words = ullage("guard", "--max", "1", environ=signed_in).stderr.split()
    assert len([row for row in shown if row]) > 1
    assert re.sub(r"\d+", "", " ".join(" ".join(shown).split())) == re.sub(r"\d+", "", " ".join(words))


@pytest.mark.parametrize(
    "command",
    ["alerts test", "config preset", "tokens", "usge", "config preset pil", "setup remote x", "serve token list"],
)
def test_a_sentence_is_broken_between_words(command: str, environ: dict[str, str]) -> None:
    with Terminal([ULLAGE, *command.split()], {**environ, "HOME": "/nowhere"}, columns=40, rows=40) as terminal:
        terminal.wait_for_end()
        shown = terminal.lines
    done = ullage(*command.split(), environ={**environ, "HOME": "/nowhere", "COLUMNS": "40"})
    words = (done.stdout + done.stderr).split()
    # What is longer than a line is broken by the terminal.
    assert {word for word in words if len(word) < 39 and "/" not in word} <= {*" ".join(shown).split()}

"""Traps on DEBUG, with which people clock their commands and name their windows: the hook is no command of theirs."""

from __future__ import annotations

import os
import re

import pytest

from tests.support.shells import BASH, publish
from tests.support.tools import need

# As in the answers that people copy.
CLOCK = [
    "timer_start() { timer=${timer:-$SECONDS}; }",
    "timer_stop() { took=$((SECONDS - ${timer:-$SECONDS})); unset timer; }",
    "trap 'timer_start' DEBUG",
    "PROMPT_COMMAND=timer_stop",
    "PS1='<$took> $ '",
]
TITLE = [
    """trap 'printf "\\e]0;%s\\a" "${BASH_COMMAND//[^[:print:]]}"' DEBUG""",
    """PROMPT_COMMAND='printf "\\e]0;%s\\a" at-the-prompt'""",
    "PS1='$ '",
]


@pytest.fixture(params=["list", "string"])
def init(request: pytest.FixtureRequest) -> str:
    """Load the hook as in this bash, or as in one before 5.1, which has no list of commands."""
    old = " | sed 's/== 5\\[1-9\\]/== 9[1-9]/; s/-gt 5/-gt 8/')\""
    return BASH.init() if request.param == "list" else BASH.init().replace(')"', old)


@pytest.fixture
def bash() -> str:
    return os.environ.get("ULLAGE_TEST_BASH") or need("bash")


def test_clock_counts_no_time_at_the_prompt(environ: dict[str, str], init: str, bash: str) -> None:
    publish(environ, "42%")
    with BASH.start(environ, [*CLOCK, init], program=bash) as terminal:
        terminal.wait_for_line("42% <0> $")
        terminal.enter("SECONDS=1000")
        terminal.wait(lambda terminal: re.fullmatch(r"42% <\d+> [$]", terminal.line), "the prompt")
        terminal.enter("clear")
        terminal.wait(lambda terminal: terminal.text == "42% <0> $", "a prompt")
        # A minute passes at the prompt.
        terminal.enter("SECONDS=2000; unset timer; clear")
        terminal.wait(lambda terminal: terminal.text.startswith("42% <") and terminal.screen.cursor.y == 0, "a prompt")
        terminal.enter("clear; echo ${timer-none}; clear; echo clocked ${timer:+yes}")
        terminal.wait_for("clocked yes")
        terminal.enter("clear")
        terminal.wait(lambda terminal: terminal.text == "42% <0> $", "a prompt")


def test_no_timer_runs_while_the_shell_waits(environ: dict[str, str], init: str, bash: str) -> None:
    publish(environ, "42%")
    # The prompt itself shows whether a timer runs.
    with BASH.start(environ, [*CLOCK, "PS1='<${timer-none}> $ '", init], program=bash) as terminal:
        for _ in range(2):
            terminal.wait(lambda terminal: terminal.line == "42% <none> $", "the prompt")
            terminal.enter("clear")


def test_title_is_never_the_hook(environ: dict[str, str], init: str, bash: str) -> None:
    publish(environ, "42%")
    with BASH.start(environ, [*TITLE, init], program=bash) as terminal:
        terminal.wait_for_line("42% $")
        terminal.enter("echo next")
        terminal.wait(lambda terminal: "next" in terminal.lines and terminal.line == "42% $")
        assert terminal.screen.title == "at-the-prompt"


def test_prompt_that_is_made_anew_keeps_the_segment_under_a_trap(environ: dict[str, str], init: str, bash: str) -> None:
    publish(environ, "42%")
    rc = [
        "trap : DEBUG",
        'number=0; made() { number=$((number + 1)); PS1="made $number $ "; }',
        "PROMPT_COMMAND=made",
        init,
    ]
    with BASH.start(environ, rc, program=bash) as terminal:
        for _ in range(3):
            terminal.wait(lambda terminal: terminal.line.endswith("$"), "a prompt")
            terminal.enter("clear")
        terminal.wait(lambda terminal: re.fullmatch(r"42% made \d+ [$]", terminal.line), "the segment")


def test_without_a_trap_a_prompt_that_is_made_anew_has_it_at_once(
    environ: dict[str, str], init: str, bash: str
) -> None:
    publish(environ, "42%")
    with BASH.start(environ, ["PROMPT_COMMAND='PS1=\"made $ \"'", init], program=bash) as terminal:
        terminal.wait_for_line("42% made $")

"""Asking a terminal for its background: a real pseudo-terminal, with a person on it or without."""

from __future__ import annotations

import os
import select
import sys

import pytest

if sys.platform == "win32":
    pytest.skip("a pseudo-terminal is POSIX's", allow_module_level=True)

import pexpect

from ullage.system.terminal import read_background

ASK = "import os; from ullage.system.terminal import ask_background; print('it is', ask_background(os.environ))"
# What a process says last may still be on its way when it has ended, and would then be missed: it stays for its reader.
STAY = "import signal; signal.pause()"
QUESTION = "\033]11;?\033\\\033[c"
ANSWER = "\033]11;rgb:{}\033\\\033[?62;22c"


@pytest.mark.parametrize(
    ("answer", "background"),
    [
        (b"\033]11;rgb:ffff/ffff/ffff\033\\", "light"),
        (b"\033]11;rgb:fd/f6/e3\a", "light"),
        (b"\033]11;rgba:0000/2b2b/3636/ffff\a", "dark"),
        (b"\033]11;rgb:0/0/0\033\\", "dark"),
        (b"\033[?62;22c", None),
        (b"", None),
    ],
)
def test_an_answer(answer: bytes, background: str | None) -> None:
    assert read_background(answer) == background


def asking(**variables: str) -> pexpect.spawn[str]:
    environ = {**os.environ, "TERM": "xterm-256color", **variables}
    return pexpect.spawn(sys.executable, ["-c", f"{ASK}; {STAY}"], env=environ, encoding="utf-8", timeout=60)


@pytest.mark.parametrize(
    ("colour", "background"), [("ffff/ffff/ffff", "light"), ("1e1e/1e1e/2e2e", "dark")], ids=["light", "dark"]
)
def test_a_terminal_that_answers(colour: str, background: str) -> None:
    with asking() as terminal:
        terminal.expect_exact(QUESTION)
        terminal.send(ANSWER.format(colour))
        terminal.expect_exact(f"it is {background}")


def test_a_terminal_that_knows_no_such_question_is_not_waited_for_long() -> None:
    with asking() as terminal:
        terminal.expect_exact(QUESTION)
        terminal.expect_exact("it is None")


@pytest.mark.parametrize("name", ["dumb", "linux"])
def test_a_terminal_that_cannot_answer_is_not_asked(name: str) -> None:
    with asking(TERM=name) as terminal:
        terminal.expect_exact("it is None")
        assert "\033" not in (terminal.before or "")


def test_what_was_typed_ahead_is_left_alone() -> None:
    read = f"{ASK}; print('then', input()); {STAY}"
    environ = {**os.environ, "TERM": "xterm-256color"}
    program = f"input('ready'); {read}"
    with pexpect.spawn(sys.executable, ["-c", program], env=environ, encoding="utf-8", timeout=60) as terminal:
        terminal.expect_exact("ready")
        # Both lines at once: the second lies there when the question would be asked.
        terminal.send("\nls -l\n")
        terminal.expect_exact("it is None")
        terminal.expect_exact("then ls -l")
        assert QUESTION not in (terminal.before or "")


def test_a_pipe_is_not_asked() -> None:
    reader, writer = os.pipe()
    process = os.posix_spawn(
        sys.executable,
        [sys.executable, "-c", ASK],
        {**os.environ, "TERM": "xterm-256color"},
        file_actions=[(os.POSIX_SPAWN_DUP2, writer, 1), (os.POSIX_SPAWN_CLOSE, reader)],
    )
    os.close(writer)
    os.waitpid(process, 0)
    assert select.select([reader], [], [], 10)[0]
    assert os.read(reader, 100) == b"it is None\n"
    os.close(reader)

"""A terminal as a person has it: a shell on a pty, and an emulator that says what is on the screen."""

from __future__ import annotations

import math
import os
import re
import signal
import time
from typing import TYPE_CHECKING, Self

import pexpect
import pyte
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

# What fish 4 says to terminals that know more than the emulator, which would print it, or take it for colours: the
# protocols of keyboards, and questions about what a terminal can do.
_UNKNOWN = re.compile(rb"\x1b\[[<>=?][0-9;]*[umq]|\x1bP[^\x1b]*\x1b\\")
_UNFINISHED = re.compile(rb"\x1b(\[[<>=?]?[0-9;]*|P[^\x1b]*\x1b?)?$")

_PATIENCE_SECONDS = 90.0


class _Screen(pyte.Screen):
    """A screen that answers: a line editor may ask where the cursor is, and wait."""

    def __init__(self, columns: int, rows: int, answer: Callable[[str], object]) -> None:
        self._answer = answer
        super().__init__(columns, rows)

    def write_process_input(self, data: str) -> None:
        self._answer(data)


class Terminal:
    """A program on a pty; `screen` is what it has drawn so far."""

    def __init__(
        self, command: Sequence[str], environ: Mapping[str, str], *, rows: int = 24, columns: int = 80
    ) -> None:
        self.child: pexpect.spawn[bytes] = pexpect.spawn(
            command[0], list(command[1:]), env=dict(environ), dimensions=(rows, columns), timeout=_PATIENCE_SECONDS
        )
        self.child.delaybeforesend = None
        self.screen = _Screen(columns, rows, self.child.send)
        self._stream = pyte.ByteStream(self.screen)
        self._unread = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # A shell that is told politely to go may have something to ask first.
        self.child.kill(signal.SIGKILL)
        self.child.close(force=True)

    @property
    def lines(self) -> list[str]:
        """The screen's lines, without the blanks at their ends."""
        return [line.rstrip() for line in self.screen.display]

    @property
    def text(self) -> str:
        """All lines, without the empty ones at the end."""
        return "\n".join(self.lines).rstrip()

    @property
    def line(self) -> str:
        """The line that the cursor is in."""
        return self.lines[self.screen.cursor.y]

    def send(self, keys: str) -> None:
        """Type."""
        self.child.send(keys)

    def enter(self, command: str) -> None:
        """Type a line and press Enter."""
        self.child.send(command + "\r")

    def resize(self, rows: int, columns: int) -> None:
        """Give the window another size."""
        self.screen.resize(rows, columns)
        self.child.setwinsize(rows, columns)

    def wait(self, condition: Callable[[Terminal], object], what: str = "") -> None:
        """Read what is drawn until something holds; fail with the screen when it never does."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        self._read(0)
        while not condition(self):
            if time.monotonic() > deadline:
                pytest.fail(f"{what or 'the condition'} did not come about; on the screen:\n{self.text}")
            self._read(0.05)

    def insist(
        self, keys: str, condition: Callable[[Terminal], object], what: str = "", *, every_seconds: float = 3.0
    ) -> None:
        """Type keys, and again after a while, until something holds: they may get lost where a program is not ready."""
        typed_at = -math.inf

        def holds(terminal: Terminal) -> bool:
            nonlocal typed_at
            if typed_at > 0 and condition(terminal):
                return True
            if time.monotonic() - typed_at > every_seconds:
                terminal.send(keys)
                typed_at = time.monotonic()
            return False

        self.wait(holds, what)

    def wait_for(self, text: str) -> None:
        """Wait until a text is on the screen."""
        self.wait(lambda terminal: text in terminal.text, f"{text!r}")

    def wait_for_line(self, text: str) -> None:
        """Wait until the cursor's line is this text."""
        self.wait(lambda terminal: terminal.line == text, f"the line {text!r}")

    def wait_for_end(self) -> int:
        """Wait until the program ends; return its exit status."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while self.child.isalive():
            if time.monotonic() > deadline:
                pytest.fail(f"the program does not end; on the screen:\n{self.text}")
            self._read(0.05)
        # What it said last may still be on its way when it has ended.
        while self._read(0):
            continue
        return self.child.exitstatus if self.child.exitstatus is not None else -(self.child.signalstatus or 0)

    def colours(self, text: str) -> list[str]:
        """Return the colour of each character of a text that is on the screen, at its last occurrence."""
        return [self._style(character) for character in _find(self.screen, text)]

    def grounds(self, text: str) -> list[str]:
        """Return the background of each character of a text, as `colours` does its colour."""
        return find_grounds(self.screen, text)

    @staticmethod
    def _style(character: pyte.screens.Char) -> str:
        words = ["bold"] if character.bold else []
        words += ["reverse"] if character.reverse else []
        return " ".join([*words, character.fg])

    def _read(self, seconds: float) -> bool:
        try:
            data = self.child.read_nonblocking(1 << 16, timeout=seconds)
        except (pexpect.TIMEOUT, pexpect.EOF):
            return False
        data = self._unread + data
        unfinished = _UNFINISHED.search(data)
        shown = data[: unfinished.start()] if unfinished else data
        self._unread = data[len(shown) :]
        self._stream.feed(_UNKNOWN.sub(b"", shown))
        return True


def find_grounds(screen: pyte.Screen, text: str) -> list[str]:
    """Return the background of each character of a text at its last occurrence on a screen."""
    return [character.bg for character in _find(screen, text)]


def find_colours(screen: pyte.Screen, text: str) -> list[str]:
    """Return the colour of each character of a text at its last occurrence on a screen."""
    return [character.fg for character in _find(screen, text)]


def _find(screen: pyte.Screen, text: str) -> list[pyte.screens.Char]:
    for y in reversed(range(screen.lines)):
        x = screen.display[y].rfind(text)
        if x >= 0:
            return [screen.buffer[y][column] for column in range(x, x + len(text))]
    pytest.fail(f"{text!r} is not on the screen:\n" + "\n".join(line.rstrip() for line in screen.display))


def environment_of(process: int) -> dict[str, str]:
    """Return a running process's environment as it was given at its start."""
    with open(f"/proc/{process}/environ", "rb") as file:
        entries = os.fsdecode(file.read()).split("\0")
    return dict(entry.split("=", 1) for entry in entries if "=" in entry)

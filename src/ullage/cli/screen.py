"""Use the terminal's alternate screen and single keys, and restore the terminal however the process ends."""

from __future__ import annotations

import os
import select
import signal
import sys

from ullage.base.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType
    from typing import Any, Self

_ENTER = "\033[?1049h\033[?25l\033[2J"
# A terminal that has no other screen is left empty, not with a prompt in the middle of what was drawn.
_LEAVE = "\033[0m\033[?25h\033[H\033[J\033[?1049l"
_ARROWS = {"A": "up", "B": "down", "C": "right", "D": "left"}
_ENDING = ("SIGTERM", "SIGHUP")


class Ended(Exception):  # noqa: N818  # being asked to end is no error
    """A signal asked the process to end; `code` is the exit code for it, 128 and its number."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.code = 128 + number


class Screen:
    """The alternate screen, as a context manager; `generation` changes when the drawn lines are lost."""

    def __init__(self) -> None:
        self.generation = 0
        self._input = sys.stdin.fileno()
        self._output = sys.stdout.fileno()
        self._handlers: dict[int, Any] = {}
        self._kept: list[Any] = []

    def __enter__(self) -> Self:
        try:
            import termios
        except ImportError as error:
            raise UsageError("watch needs a terminal of a Unix system. `ullage usage` prints once.") from error
        self._wake, self._waker = os.pipe()
        for end in (self._wake, self._waker):
            os.set_blocking(end, False)
        self._woken_before = signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        self._kept = termios.tcgetattr(self._input)
        for name in _ENDING:
            self._handle(getattr(signal, name), self._end)
        self._handle(signal.SIGTSTP, self._pause)
        self._handle(signal.SIGWINCH, self._lose)
        self._take()
        return self

    def __exit__(self, *_error: object) -> None:
        self._give_back()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._woken_before)
        os.close(self._wake)
        os.close(self._waker)

    def measure(self) -> tuple[int, int]:
        """Return the terminal's width and height in cells."""
        size = os.get_terminal_size(self._output)
        return (size.columns or 80, size.lines or 24)

    def show(self, lines: Sequence[str]) -> None:
        """Draw lines over the last ones, without clearing the screen first, which would flicker."""
        text = "\033[K\r\n".join(lines)
        self._write(f"\033[H{text}\033[K\033[J")

    def read_keys(self, seconds: float) -> list[str]:
        """Wait up to `seconds` for keys or a signal; return the keys: characters, and up, down, left, right."""
        ready, _, _ = select.select([self._input, self._wake], [], [], seconds)
        if self._wake in ready:
            os.read(self._wake, 512)
        if self._input not in ready:
            return []
        typed = os.read(self._input, 512)
        if not typed:
            # The terminal has gone: quit.
            return ["q"]
        return _keys(typed.decode(errors="replace"))

    def _take(self) -> None:
        import termios
        import tty

        tty.setcbreak(self._input, termios.TCSADRAIN)
        self._write(_ENTER)
        self.generation += 1

    def _give_back(self) -> None:
        import termios

        try:
            self._write(_LEAVE)
            termios.tcsetattr(self._input, termios.TCSADRAIN, self._kept)
        except (OSError, termios.error):
            # The terminal has gone: there is nothing to restore.
            return

    def _write(self, text: str) -> None:
        data = text.encode()
        while data:
            data = data[os.write(self._output, data) :]

    def _handle(self, number: int, handler: Any) -> None:
        self._handlers[number] = signal.signal(number, handler)

    def _end(self, number: int, _frame: FrameType | None) -> None:
        # The context manager restores the terminal as this propagates.
        raise Ended(number)

    def _pause(self, number: int, _frame: FrameType | None) -> None:
        self._give_back()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        # The process is stopped here until SIGCONT.
        signal.signal(number, self._pause)
        self._take()

    def _lose(self, _number: int, _frame: FrameType | None) -> None:
        self.generation += 1


def _keys(typed: str) -> list[str]:
    keys = []
    at = 0
    while at < len(typed):
        if typed[at : at + 2] in ("\033[", "\033O") and at + 2 < len(typed):
            keys.append(_ARROWS.get(typed[at + 2], ""))
            at += 3
        else:
            keys.append(typed[at])
            at += 1
    return [key for key in keys if key]

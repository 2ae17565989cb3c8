"""Ask the terminal itself whether it is dark or light."""

from __future__ import annotations

import os
import re
import select
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

# The background (OSC 11), and what every terminal answers to (DA1), so that one without the first is not waited for.
_QUESTION = b"\033]11;?\033\\\033[c"
_ANSWER = re.compile(rb"\033\]11;rgba?:([0-9a-fA-F]+)/([0-9a-fA-F]+)/([0-9a-fA-F]+)")
_END = re.compile(rb"\033\[\?[0-9;]*c")
_MUTE = ("", "dumb", "linux")
_PATIENCE_SECONDS = 0.5
_LONGEST_ANSWER = 4096
# Where black and white text have the same contrast.
_MIDDLE_LUMINANCE = 0.179


def ask_background(environ: Mapping[str, str]) -> Literal["dark", "light"] | None:
    """Return what the terminal says of its background; None where it cannot be asked without getting in the way.

    It is asked only where the answer reaches us alone: in the foreground, as standard input and output, and with
    nothing typed ahead that would mix with the answer.
    """
    if environ.get("TERM", "") in _MUTE or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return None
    try:
        import termios
        import tty
    except ImportError:
        return None
    descriptor = sys.stdin.fileno()
    try:
        if os.tcgetpgrp(descriptor) != os.getpgrp():
            return None
        kept = termios.tcgetattr(descriptor)
        try:
            tty.setcbreak(descriptor, termios.TCSADRAIN)
            # Without echo and line by line no more, what was typed ahead shows.
            return None if _is_ready(descriptor, 0) else read_background(_ask(descriptor))
        finally:
            termios.tcsetattr(descriptor, termios.TCSADRAIN, kept)
    except (OSError, termios.error):
        return None


def _ask(descriptor: int) -> bytes:
    os.write(sys.stdout.fileno(), _QUESTION)
    answer, deadline = b"", time.monotonic() + _PATIENCE_SECONDS
    while not _END.search(answer) and len(answer) < _LONGEST_ANSWER:
        left = deadline - time.monotonic()
        if left <= 0 or not _is_ready(descriptor, left):
            break
        # Byte by byte: what follows the answer was typed, and belongs to the next reader.
        answer += os.read(descriptor, 1)
    return answer


def _is_ready(descriptor: int, seconds: float) -> bool:
    return bool(select.select([descriptor], [], [], seconds)[0])


def read_background(answer: bytes) -> Literal["dark", "light"] | None:
    """Return the background of an answer to OSC 11, such as rgb:ffff/ffff/ffff; None where there is none in it."""
    found = _ANSWER.search(answer)
    if found is None:
        return None
    red, green, blue = (_linear(int(digits, 16) / (16 ** len(digits) - 1)) for digits in found.groups())
    return "light" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > _MIDDLE_LUMINANCE else "dark"


def _linear(share: float) -> float:
    return share / 12.92 if share <= 0.04045 else float(((share + 0.055) / 1.055) ** 2.4)

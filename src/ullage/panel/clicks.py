"""Read what a bar or a widget writes to a follower's stdin: clicks of the i3bar protocol, or a word a line. Pure."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    Request = Literal["refresh", "open"]

# The left button and the right.
_BUTTONS: dict[int, Request] = {1: "refresh", 3: "open"}
_WORDS: dict[bytes, Request] = {b"refresh": "refresh", b"open": "open"}


def read_click(line: bytes) -> Request | None:
    """Return the request of a click on our block: one line of the i3bar protocol's endless array.

    None for the array's bracket, for other buttons, and for any other line.
    """
    try:
        event = json.loads(line.strip().lstrip(b",").rstrip(b","))
    except (ValueError, RecursionError):
        return None
    pressed = event.get("button") if isinstance(event, dict) else None
    return _BUTTONS.get(pressed) if isinstance(pressed, int) and not isinstance(pressed, bool) else None


def read_word(line: bytes) -> Request | None:
    """Return the request that a widget's word names; None for any other line."""
    return _WORDS.get(line.strip())

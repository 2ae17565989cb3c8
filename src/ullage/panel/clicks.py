"""What a bar tells of clicks: the i3bar protocol's endless array, an object a line. Pure."""

from __future__ import annotations

import json

LEFT, RIGHT = 1, 3


def read_button(line: bytes) -> int | None:
    """Return the button of a click on our block; None for the array's bracket and whatever else is no click."""
    try:
        event = json.loads(line.strip().lstrip(b",").rstrip(b","))
    except (ValueError, RecursionError):
        return None
    pressed = event.get("button") if isinstance(event, dict) else None
    return pressed if isinstance(pressed, int) and not isinstance(pressed, bool) else None

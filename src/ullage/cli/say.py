"""Print text with paths, variables or values of this machine, which may hold any characters."""

from __future__ import annotations

import sys

from ullage.base.text import make_visible


def say(text: str, *, err: bool = False) -> None:
    """Print lines; characters that a terminal acts on or hides are shown as escapes."""
    print("\n".join(map(make_visible, text.split("\n"))), file=sys.stderr if err else sys.stdout)

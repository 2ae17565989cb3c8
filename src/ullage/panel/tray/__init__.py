"""Show an icon in a desktop's tray: a number over a bar that fills as a window is used, and a menu."""

from __future__ import annotations

import importlib.util

from ullage.base.errors import MissingExtraError


def check_installed() -> None:
    """Raise MissingExtraError, which says what to install, where the extra is missing."""
    if any(importlib.util.find_spec(name) is None for name in ("pystray", "PIL")):
        raise MissingExtraError("The tray", "tray", "pystray pillow")

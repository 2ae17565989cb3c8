"""Show an icon in a desktop's tray: a number over a bar that fills as a window is used, and a menu."""

from __future__ import annotations

import importlib.util

from ullage.base.errors import MissingExtraError


def is_installed() -> bool:
    """Say whether the extra is there."""
    return all(importlib.util.find_spec(name) is not None for name in ("pystray", "PIL"))


def check_installed() -> None:
    """Raise MissingExtraError, which says what to install, where the extra is missing."""
    if not is_installed():
        raise MissingExtraError("The tray", "tray", "pystray pillow")

"""An icon in a desktop's tray: a ring that fills as a window is used, and a menu of all windows."""

from __future__ import annotations

import importlib.util

from ullage.errors import UsageError


def check_installed() -> None:
    """Raise UsageError, with what to install, where the extra is missing."""
    if any(importlib.util.find_spec(name) is None for name in ("pystray", "PIL")):
        raise UsageError(
            "The tray needs pystray and Pillow, which the extra brings: pip install 'ullage[tray]', or pipx inject "
            "ullage pystray pillow."
        )

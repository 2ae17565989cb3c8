"""A mixin over pystray's icon of Windows that keeps a menu as it is while it is open.

Without it, pystray destroys the menu at each change, from any thread: at the latest when a minute has passed. One that
is open then stays on the screen, takes no click, and keeps the icon from opening another.
"""

from __future__ import annotations

import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class SteadyMenu:
    """The mixin, to be put before pystray's class."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        # The icon's own thread is given further clicks while its menu is open.
        self._in_use = threading.RLock()
        super().__init__(*arguments, **options)

    def _on_notify(self, wparam: int, lparam: int) -> None:
        with self._in_use:
            super()._on_notify(wparam, lparam)  # type: ignore[misc]  # the library's class comes after this one

    def _update_menu(self) -> None:
        with self._in_use:
            super()._update_menu()  # type: ignore[misc]  # the same

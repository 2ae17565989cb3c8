"""pystray's XEmbed icon, with all that concerns X in one thread: a mixin over the library's own class.

As it comes, the icon's methods talk to X from whichever thread calls them, while another waits for events; python-xlib
then loses a wake-up every now and then, and the icon stands still for good. It also asks the tray for a place again
with every new image, which trayer answers by shrinking the icon to a pixel.
"""

from __future__ import annotations

import os
import queue
import select

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any


# ButtonPress, StructureNotify and Exposure, of the X protocol.
_EVENTS = 1 << 2 | 1 << 17 | 1 << 15


class OneThread:
    """To be put before the library's class; `post` runs an action in the thread of the icon's loop."""

    _display: Any
    _window: Any
    _systray_manager: Any

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._posted: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._woken, self._waking = os.pipe()
        super().__init__(*arguments, **options)
        # The library handles clicks, and selects none.
        self._window.change_attributes(event_mask=_EVENTS)

    def post(self, action: Callable[[], None]) -> None:
        """Have an action done by the loop, and return at once."""
        self._posted.put(action)
        os.write(self._waking, b".")

    def _events(self) -> Iterator[Any]:
        while True:
            while self._display.pending_events():
                yield self._display.next_event()
            ready, _, _ = select.select([self._display, self._woken], [], [])
            if self._woken in ready:
                os.read(self._woken, 4096)
                while not self._posted.empty():
                    self._posted.get()()

    def _assert_docked(self) -> None:
        if self._systray_manager is None:
            super()._assert_docked()  # type: ignore[misc]  # the library's class comes after this one

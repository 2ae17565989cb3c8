"""A mixin over pystray's XEmbed icon that makes all calls to X in one thread, and draws the icon square.

Without it, the icon's methods call X from any thread while another waits for events; python-xlib then loses a wake-up
now and then, and the icon freezes. pystray also docks anew with every image, and trayer then shrinks the icon to a
pixel.
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
# The number of Pillow's best filter, which one other module may import.
_LANCZOS = 1


class OneThread:
    """The mixin, to be put before pystray's class; `post` runs an action in the thread of the icon's loop."""

    _display: Any
    _window: Any
    _systray_manager: Any
    _icon: Any
    _icon_data: Any

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._posted: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._woken, self._waking = os.pipe()
        super().__init__(*arguments, **options)
        # pystray handles button events, but does not select them.
        self._window.change_attributes(event_mask=_EVENTS)

    def post(self, action: Callable[[], None]) -> None:
        """Queue an action for the loop, and return at once."""
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

    def _assert_icon_data(self, width: int, height: int) -> None:
        """Fit the icon into the tray's window, which pystray stretches it to, whatever the window's sides are."""
        if self._icon_data is not None and self._icon_data.size == (width, height):
            return
        side = max(1, min(width, height))
        left, top = (width - side) // 2, (height - side) // 2
        image = self._icon.resize((side, side), _LANCZOS)
        self._icon_data = image.convert("RGB").crop((-left, -top, width - left, height - top))
        # python-xlib asks for the bytes by a name that Pillow has given up.
        self._icon_data.tostring = self._icon_data.tobytes

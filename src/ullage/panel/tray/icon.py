"""Run the icon, and keep it current by a thread that follows the cache; the only module that imports pystray.

On Linux pystray shows the icon by AppIndicator or GTK where PyGObject is installed, else by XEmbed, which has a click
but no menu.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
from datetime import UTC, datetime

from ullage.base.errors import UllageError
from ullage.base.text import clean
from ullage.panel import markup
from ullage.panel.follow import Followed, QueueSleep, follow
from ullage.panel.page import open_usage_page
from ullage.panel.tray.face import draw_face, list_menu, word_title
from ullage.panel.tray.win32 import SteadyMenu
from ullage.panel.tray.xembed import OneThread
from ullage.system import detach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from ullage.panel import Panel

_LONGEST_STOP_SECONDS = 1.0
# By the last part of the name of pystray's module.
_MIXINS = {"xorg": OneThread, "win32": SteadyMenu}


class TrayError(UllageError):
    """There is no display or tray to show an icon on."""


def load_library() -> Any:
    """Return pystray; raise TrayError where there is no display to show an icon on."""
    # pystray logs a failure to dock as a traceback.
    logging.getLogger("pystray").propagate = False
    try:
        import pystray  # type: ignore[import-untyped]  # it has no types
    except Exception as error:
        raise TrayError(
            "There is no display to show an icon on. Start `ullage tray` in your desktop's session; on Linux it needs "
            "X11, or a tray for AppIndicators and PyGObject."
        ) from error
    return pystray


def run(followed: Followed, say: Callable[[str], None]) -> None:
    """Show the icon until its menu or a signal ends it; `say` is called with a notice for the user, at most once."""
    pystray = load_library()
    tray = _Tray(pystray, followed)
    logger = logging.getLogger("pystray")
    logger.addHandler(_Notice(say))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: tray.sleep.end())
    if sys.platform == "darwin":
        # macOS lets only the main thread show anything; elsewhere the main thread stays free, to receive signals.
        tray.show()
    else:
        shown = threading.Thread(target=tray.show, daemon=True)
        shown.start()
        tray.done.wait()
        shown.join(_LONGEST_STOP_SECONDS)
    if tray.failure is not None:
        raise tray.failure


class _Tray:
    def __init__(self, pystray: Any, followed: Followed) -> None:
        self.sleep = QueueSleep()
        self.done = threading.Event()
        self.failure: UllageError | None = None
        self._pystray, self._followed = pystray, followed
        self._shown: Panel | None = None
        backend = pystray.Icon.__module__.rpartition("_")[2]
        # pystray's XEmbed backend supports no transparency, and no title beyond Latin-1.
        self._by_xembed = backend == "xorg"
        first, _ = followed.look(datetime.now(UTC))
        self._panel = first
        kind = type("Icon", (_MIXINS[backend], pystray.Icon), {}) if backend in _MIXINS else pystray.Icon
        self._icon = kind("ullage", self._image(), title=self._title(), menu=pystray.Menu(self._items))

    def show(self) -> None:
        """Run the icon's loop until it is stopped, or has lost its display."""
        try:
            self._icon.run(setup=self._begin)
        except Exception as error:
            # The errors of X, GLib and D-Bus share no base class. Errors while the icon is removed are ignored.
            if not self.sleep.ended:
                self.failure = TrayError(
                    f"The desktop does not take the icon: {clean(str(error), 200)}. Start `ullage tray` in your "
                    "desktop's session; PYSTRAY_BACKEND=xorg leaves AppIndicators and D-Bus out of it."
                )
        finally:
            self.sleep.end()
            self.done.set()

    def _begin(self, _icon: object) -> None:
        """Keep the icon current until the sleep ends; pystray calls this in a thread of its own."""
        self._post(self._appear)
        try:
            follow(self._followed, self._say, self.sleep)
        except UllageError as error:
            self.failure = error
        finally:
            self._post(self._icon.stop)
            self.done.set()

    def _post(self, action: Callable[[], None]) -> None:
        """Run an action on the icon: by XEmbed in the icon's own thread, with other backends in this one."""
        if self._by_xembed:
            self._icon.post(action)
        else:
            action()

    def _appear(self) -> None:
        self._icon.visible = True
        self._tell_label()

    def _say(self, panel: Panel) -> None:
        if panel != self._shown:
            self._shown = panel
            self._post(lambda: self._change(panel))

    def _change(self, panel: Panel) -> None:
        self._panel = panel
        self._icon.icon, self._icon.title = self._image(), self._title()
        self._icon.update_menu()
        self._tell_label()

    def _tell_label(self) -> None:
        """Set the label beside an AppIndicator; pystray has no public call for it."""
        if not hasattr(self._icon, "_appindicator"):
            return
        from pystray._util.gtk import mainloop  # type: ignore[import-untyped]  # it has no types

        text = markup.plain(self._panel.spans)
        # The second text is a guide to the label's width.
        mainloop(self._icon._appindicator.set_label)(text, text)

    def _image(self) -> Any:
        from ullage.render import picture

        share, colour, text = draw_face(self._panel)
        return picture.draw_gauge(share, colour, text, opaque=self._by_xembed)

    def _title(self) -> str:
        text = word_title(self._panel)
        return text.encode("ascii", "replace").decode() if self._by_xembed else text

    def _items(self) -> Iterator[Any]:
        item = self._pystray.MenuItem
        for text in list_menu(self._panel):
            # What is disabled is grey, at 2.4:1 in Breeze; what is enabled must do something.
            yield item(_unmarked(text), self._open_page)
        yield self._pystray.Menu.SEPARATOR
        yield item("Refresh now", lambda: detach.start_refresh(self._followed.environ, "--early"))
        yield item("Open usage page", self._open_page, default=True)
        yield item("Quit", lambda: self.sleep.end())

    def _open_page(self) -> None:
        open_usage_page(self._followed.environ)


def _unmarked(text: str) -> str:
    """Return a menu entry's text with ampersands doubled for Windows, which takes a single one for an access key."""
    return text.replace("&", "&&") if sys.platform == "win32" else text


class _Notice(logging.Handler):
    """Turn pystray's logged error that no tray takes the icon into one notice; its other errors are rare."""

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__(logging.ERROR)
        self._say: Callable[[str], None] | None = say

    def emit(self, record: logging.LogRecord) -> None:
        if self._say is not None and "dock" in record.getMessage():
            self._say("No tray on this display takes icons yet; the icon is offered again every minute.")
            self._say = None

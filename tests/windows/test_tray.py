"""The tray on Windows: the value by which it starts at each login, and a menu that stays while it is open."""

from __future__ import annotations

import contextlib
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from tests.support.tools import SCRIPTS, wait_until
from ullage.panel.tray.win32 import SteadyMenu

assert sys.platform == "win32"

import ctypes  # noqa: E402  # with what is of Windows alone
import winreg  # noqa: E402
from ctypes import wintypes  # noqa: E402

from ullage.setup import registry  # noqa: E402

pytestmark = pytest.mark.windows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from tests.windows.conftest import Desk

RUN = registry.PATH.removeprefix("HKCU\\").rpartition("\\")[0]
OFF = r"Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run"
# WM_KEYDOWN, and the keys Up and Return.
KEY_DOWN, UP, RETURN = 0x0100, 0x26, 0x0D


def read_values(path: str = RUN) -> dict[str, object]:
    found: dict[str, object] = {}
    with contextlib.suppress(OSError), winreg.OpenKey(winreg.HKEY_CURRENT_USER, path) as key:
        while True:
            name, value, _ = winreg.EnumValue(key, len(found))
            found[name] = value
    return found


def put(name: str, kind: int, value: str | bytes, path: str = RUN) -> None:
    with winreg.CreateKey(winreg.HKEY_CURRENT_USER, path) as key:
        winreg.SetValueEx(key, name, 0, kind, value)


def take(name: str, path: str = RUN) -> None:
    with contextlib.suppress(OSError), winreg.OpenKey(winreg.HKEY_CURRENT_USER, path, 0, winreg.KEY_SET_VALUE) as key:
        winreg.DeleteValue(key, name)


@pytest.fixture
def before() -> Iterator[dict[str, object]]:
    """What else starts at login: a value of another program; afterwards all is as it was found."""
    found = read_values().get("ullage")
    take("ullage")
    put("beside ullage", winreg.REG_EXPAND_SZ, r"%windir%\system32\notepad.exe")
    try:
        yield read_values()
    finally:
        take("beside ullage")
        take("ullage")
        take("ullage", OFF)
        if isinstance(found, str):
            put("ullage", winreg.REG_SZ, found)


def test_the_value_is_set_shown_and_taken_back(known: Desk, before: dict[str, object]) -> None:
    command = f'"{SCRIPTS / "ullage-tray.exe"}"'
    assert known.run("setup", "tray").returncode == 2
    assert read_values() == before
    done = known.run("setup", "tray", "--yes")
    assert (done.returncode, f"+{command}\n" in done.stdout) == (0, True), done.stderr
    assert read_values() == {**before, "ullage": command}
    assert "set up already" in known.run("setup", "tray").stdout
    assert registry.PATH in known.run("setup", "--undo").stdout
    assert known.run("setup", "tray", "--undo", "--yes").returncode == 0
    assert read_values() == before
    assert "nothing to undo" in known.run("setup", "tray", "--undo", "--yes").stdout


def test_an_ullage_that_was_elsewhere_is_replaced(known: Desk, before: dict[str, object]) -> None:
    put("ullage", winreg.REG_SZ, r'"C:\old place\Scripts\ullage-tray.exe"')
    assert '-"C:\\old place' in known.run("setup", "tray", "--yes").stdout
    assert read_values()["ullage"] == f'"{SCRIPTS / "ullage-tray.exe"}"'


@pytest.mark.parametrize("value", [r"C:\other\ullage.exe --serve", r'"C:\a\ullage-tray.exe" & "C:\evil.exe"'])
def test_a_value_of_somebody_elses_stays(known: Desk, before: dict[str, object], value: str) -> None:
    put("ullage", winreg.REG_SZ, value)
    done = known.run("setup", "tray", "--yes")
    assert (done.returncode, "not from this command" in done.stderr) == (2, True)
    assert "nothing to undo" in known.run("setup", "tray", "--undo", "--yes").stdout
    assert read_values() == {**before, "ullage": value}


def test_what_the_task_manager_has_turned_off_is_said(known: Desk, before: dict[str, object]) -> None:
    put("ullage", winreg.REG_BINARY, b"\x03" + bytes(11), OFF)
    assert "Task Manager" in known.run("setup", "tray", "--yes").stdout
    put("ullage", winreg.REG_BINARY, b"\x02" + bytes(11), OFF)
    assert "Task Manager" not in known.run("setup", "tray").stdout


class Clicked:
    """An icon of pystray in a thread of its own, whose menu a click opens and keys use."""

    def __init__(self, kind: type, *labels: str) -> None:
        import pystray  # type: ignore[import-untyped]  # it has no types
        from PIL import Image

        self.chosen = threading.Event()
        items = [pystray.MenuItem(label, lambda *_: self.chosen.set()) for label in labels]
        self.icon: Any = kind("ullage", Image.new("RGB", (16, 16)), menu=pystray.Menu(*items))
        self._user = ctypes.WinDLL("user32")
        self._thread = threading.Thread(target=self.icon.run, daemon=True)
        self._thread.start()
        wait_until(lambda: self.icon._hwnd and self.icon.visible, what="the icon")

    def open(self) -> None:
        from pystray._util import win32  # type: ignore[import-untyped]  # the same

        self.post(win32.WM_NOTIFY, win32.WM_RBUTTONUP)
        wait_until(self.find_menu, what="the menu")

    def find_menu(self) -> int:
        """Return the window of this process's menu; 0 where none is open."""
        find, own, at = self._user.FindWindowExW, wintypes.DWORD(), 0
        while at := find(None, at, "#32768", None):
            self._user.GetWindowThreadProcessId(at, ctypes.byref(own))
            if own.value == ctypes.WinDLL("kernel32").GetCurrentProcessId() and self._user.IsWindowVisible(at):
                return int(at)
        return 0

    def post(self, message: int, what: int, *, key: int = 0) -> None:
        self._user.PostMessageW(wintypes.HWND(self.icon._hwnd), message, key, what)

    def end(self) -> None:
        self.icon.stop()
        self._thread.join(90)
        assert not self._thread.is_alive()


def test_a_menu_that_is_open_stays_through_a_change() -> None:
    import pystray

    clicked = Clicked(type("Icon", (SteadyMenu, pystray.Icon), {}), "Refresh now", "Quit")
    try:
        clicked.open()
        changing = threading.Thread(target=clicked.icon.update_menu)
        changing.start()
        # Without the mixin this ends at once, and has destroyed the menu.
        changing.join(1)
        clicked.post(KEY_DOWN, 0, key=UP)
        clicked.post(KEY_DOWN, 0, key=RETURN)
        wait_until(clicked.chosen.is_set, what="what was chosen")
        changing.join(90)
        assert not changing.is_alive()
    finally:
        clicked.end()

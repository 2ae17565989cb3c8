"""What shows on the screen: the tray, by its start at login and its menu, and no window of what runs in the background.

In one file, so that no two of these run at once.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
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

    from tests.windows.conftest import Desk

RUN = registry.PATH.removeprefix("HKCU\\").rpartition("\\")[0]
OFF = r"Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run"
# WM_KEYDOWN, and the keys Up and Return.
KEY_DOWN, UP, RETURN = 0x0100, 0x26, 0x0D
USER = ctypes.WinDLL("user32")


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


@pytest.fixture
def _taskbar() -> None:
    """Skip where there is no taskbar, as in a session of no person; Wine starts one when it is asked for a window."""
    USER.GetDesktopWindow()
    deadline = time.monotonic() + 60
    while not USER.FindWindowW("Shell_TrayWnd", None):
        if time.monotonic() > deadline:
            pytest.skip("this session has no taskbar")
        time.sleep(0.1)


def find_windows(kind: str) -> dict[int, int]:
    """Return the process of each window of a class."""
    found: dict[int, int] = {}
    signature = ctypes.WINFUNCTYPE(wintypes.BOOL, wintypes.HWND, wintypes.LPARAM)

    def see(window: int, _: int) -> bool:
        name, process = ctypes.create_unicode_buffer(256), wintypes.DWORD()
        USER.GetClassNameW(wintypes.HWND(window), name, 256)
        USER.GetWindowThreadProcessId(wintypes.HWND(window), ctypes.byref(process))
        if kind in name.value:
            found[window] = process.value
        return True

    USER.EnumWindows(signature(see), 0)
    return found


def post(window: int, message: int, *, key: int = 0, what: int = 0) -> None:
    USER.PostMessageW(wintypes.HWND(window), message, key, what)


def open_menu(process: int) -> int:
    """Click on the icon of a process with the right button, until its menu is open; return its window, for keys."""
    from pystray._util import win32  # type: ignore[import-untyped]  # it has no types

    icons: list[int] = []

    def is_open() -> bool:
        icons[:] = [window for window, owner in find_windows("SystemTrayIcon").items() if owner == process]
        menus = [window for window, owner in find_windows("#32768").items() if owner == process]
        if any(USER.IsWindowVisible(wintypes.HWND(menu)) for menu in menus):
            return True
        # The icon has a second window, for the menu, which takes no notice.
        for window in icons:
            post(window, win32.WM_NOTIFY, what=win32.WM_RBUTTONUP)
        return False

    wait_until(is_open, what="the menu")
    return icons[0]


def choose_last(window: int) -> None:
    for key in (UP, RETURN):
        post(window, KEY_DOWN, key=key)


@pytest.mark.usefixtures("_taskbar")
def test_a_menu_that_is_open_stays_through_a_change() -> None:
    import pystray  # type: ignore[import-untyped]  # it has no types
    from PIL import Image

    chosen = threading.Event()
    items = [pystray.MenuItem("Refresh now", None), pystray.MenuItem("Quit", lambda *_: chosen.set())]
    kind = type("Icon", (SteadyMenu, pystray.Icon), {})
    icon = kind("ullage", Image.new("RGB", (16, 16)), menu=pystray.Menu(*items))
    running = threading.Thread(target=icon.run, daemon=True)
    running.start()
    try:
        window = open_menu(os.getpid())
        changing = threading.Thread(target=icon.update_menu)
        changing.start()
        # Without the mixin this ends at once, and has destroyed the menu.
        changing.join(1)
        choose_last(window)
        wait_until(chosen.is_set, what="what was chosen")
        changing.join(90)
        assert not changing.is_alive()
    finally:
        icon.stop()
        running.join(90)
    assert not running.is_alive()


@pytest.mark.usefixtures("_taskbar")
def test_the_tray_ends_by_its_menu(known: Desk) -> None:
    ours, pipe = {os.getpid(), *find_windows("SystemTrayIcon").values()}, subprocess.PIPE

    def others() -> set[int]:
        return set(find_windows("SystemTrayIcon").values()) - ours

    program = [str(SCRIPTS / "ullage-tray.exe")]
    tray = subprocess.Popen(program, env=known.environ, stdin=pipe, stdout=pipe, stderr=pipe)
    try:
        wait_until(others, what="the icon's window")
        choose_last(open_menu(others().pop()))
        assert tray.wait(90) == 0
    finally:
        tray.kill()
        tray.communicate()
    assert not others()


def visible_windows() -> set[int]:
    found: set[int] = set()
    user = ctypes.WinDLL("user32")
    kind = ctypes.WINFUNCTYPE(wintypes.BOOL, wintypes.HWND, wintypes.LPARAM)

    def see(window: int, _: int) -> bool:
        if user.IsWindowVisible(window):
            found.add(window)
        return True

    user.EnumWindows(kind(see), 0)
    return found


def seen_while(run: subprocess.Popen[bytes] | threading.Thread) -> set[int]:
    """Return the windows that showed while something ran."""
    before, seen = visible_windows(), set[int]()
    alive = run.is_alive if isinstance(run, threading.Thread) else lambda: run.poll() is None
    while alive():
        seen |= visible_windows() - before
        time.sleep(0.002)
    return seen


def test_a_refresh_in_the_background_shows_no_window(desk: Desk) -> None:
    # That a console would be seen is seen first.
    waits = [sys.executable, "-c", "import time; time.sleep(2)"]
    shown = subprocess.Popen(waits, creationflags=subprocess.CREATE_NEW_CONSOLE)
    assert seen_while(shown)

    def refresh() -> None:
        desk.run("prompt")
        wait_until(lambda: (desk.cache() / "fish.timeline").exists() or list(desk.directory.rglob("*.timeline")))
        wait_until(lambda: "%" in desk.run("prompt").stdout, what="a prompt with a number")

    running = threading.Thread(target=refresh)
    # A console of our own children is the one that this process has.
    running.start()
    assert not seen_while(running)

"""The tray's icon and menu: what they show, and that real trays show it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.bars import (
    GREEN,
    RED,
    SYSTEM_GI,
    click,
    know,
    running,
    stand_in_for_the_browser,
    system_gi,
    x_server,
    xfce_panel,
)
from tests.support.desktop import running as session_bus
from tests.support.samples import NOW, reading, settings, window
from tests.support.tools import ULLAGE, need, run, ullage, wait_until
from ullage import panel
from ullage.panel import Wanted
from ullage.panel.tray import check_installed, face
from ullage.panel.tray.xembed import OneThread
from ullage.quota.model import Problem
from ullage.quota.schedule import Schedule
from ullage.render import picture
from ullage.store.overview import Overview

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.bars import Screen


def look(*windows: Any, now: Any = NOW, problem: Problem | None = None, **changes: Any) -> panel.Panel:
    stated = reading(*windows) if windows else None
    known = Overview(reading=stated, schedule=Schedule(problem=problem), samples={}, forecasts={})
    return panel.look_at(known, settings(**changes), Wanted(), now)


@pytest.mark.parametrize(
    ("used", "minutes", "shown"),
    [
        (37.9, 0, (0.37, "#3d9a50", "37")),
        (82.0, 0, (0.82, "#d29922", "82")),
        (99.9, 0, (0.99, "#e5484d", "99")),
        (100.0, 0, (1.0, "#b565d9", "×")),
        (140.0, 0, (1.0, "#b565d9", "×")),
        (0.0, 0, (0.0, "#3d9a50", "0")),
        (82.0, 20, (0.82, "#888888", "82")),
        (82.0, 140, (None, "#9aa4b2", "?")),
        (None, 0, (None, "#9aa4b2", "?")),
    ],
)
def test_the_face_tells_what_is_known(used: float | None, minutes: int, shown: object) -> None:
    assert face.draw_face(look(window(used=used), now=NOW + timedelta(minutes=minutes))) == shown


def test_the_face_counts_what_is_left_where_that_is_wanted() -> None:
    assert face.draw_face(look(window(used=37.9), show_left=True)) == (0.63, "#3d9a50", "63")
    assert face.draw_face(look(window(used=100.0), show_left=True)) == (0.0, "#b565d9", "×")


def test_nothing_known_is_an_empty_bar() -> None:
    nothing = look(problem=Problem(code="signed_out", message="Nobody is signed in."))
    assert face.draw_face(nothing) == (None, "#9aa4b2", "")
    assert face.list_menu(nothing) == ["Nothing is known yet.", "Nobody is signed in."]
    assert face.word_title(nothing) == "ullage: Nothing is known yet."


def test_the_menu_has_used_reset_age_and_source() -> None:
    lines = face.list_menu(
        look(
            window(used=37.0, label="Session (5h)"),
            window("seven_day", 82.0, label="Week", as_of=NOW - timedelta(minutes=20), source="statusline"),
            window("seven_day_fable", 10.0, label="Fable", resets_at=NOW - timedelta(minutes=1)),
        )
    )
    assert lines == [
        "▰▰▰▰▱▱▱▱▱▱▱▱  \N{FIGURE SPACE}37%   Session (5h)",
        "    resets at 12:51, in 2h13",
        "    read just now, from oauth",
        "▰▰▰▰▰▰▰▰▰▰▱▱  ~82%!  Week",
        "    resets at 12:51, in 2h13",
        "    read 20m ago, from statusline",
        "?  Fable",
        "    has reset",
        "    a new reading is due",
        "    read just now, from oauth",
        "Max 20x plan, read just now, from oauth",
    ]


def test_age_and_source_stand_once_where_they_are_the_same() -> None:
    lines = face.list_menu(look(window(used=37.0, label="Session (5h)"), window("seven_day", 82.0, label="Week")))
    assert [line for line in lines if "from oauth" in line] == ["Max 20x plan, read just now, from oauth"]


def test_no_line_is_longer_than_a_menu_is_wide() -> None:
    lines = face.list_menu(look(problem=Problem(code="signed_out", message="Sign in again, then try. " * 12)))
    assert max(len(text) for text in lines) <= face.LONGEST_LINE


def test_a_title_is_no_longer_than_windows_shows() -> None:
    assert len(face.word_title(look(window()).replace(origin="y" * 300))) == face.LONGEST_TITLE


def test_the_bar_fills_below_the_number() -> None:
    image = picture.draw_gauge(0.25, "#e5484d", "25")
    assert [image.getpixel((x, 58)) for x in (12, 20)] == [(229, 72, 77, 255), (75, 82, 92, 255)]
    assert image.getpixel((0, 0))[3] < 64  # type: ignore[index]  # four numbers
    assert picture.draw_gauge(0.25, "#e5484d", "", opaque=True).getpixel((0, 0))[3] == 255  # type: ignore[index]  # the same


@pytest.mark.parametrize("text", ["7", "42", "88", "100", "×", "?"])
def test_the_number_fills_a_tray_of_16_pixels(text: str) -> None:
    small = picture.draw_gauge(0.5, "#3d9a50", text).convert("L").resize((16, 16)).crop((0, 0, 16, 11))
    bright = [place for place, value in enumerate(small.tobytes()) if value > 150]
    rows = {place // 16 for place in bright}
    assert len(rows) >= 5
    assert max(rows) - min(rows) + 1 >= (7 if len(text) < 3 else 5)
    assert len({place % 16 for place in bright}) <= 15


@pytest.mark.parametrize("sides", [(16, 16), (22, 22), (24, 40), (40, 22), (64, 64), (1, 1)])
def test_icon_is_square_in_a_window_of_any_sides(sides: tuple[int, int]) -> None:
    icon = OneThread.__new__(OneThread)
    icon._icon, icon._icon_data = picture.draw_gauge(1.0, "#ff0000", "88", opaque=True), None
    icon._assert_icon_data(*sides)
    assert icon._icon_data.size == sides
    # What stands around the icon is black, which the tile is not.
    left, top, right, bottom = icon._icon_data.getbbox()
    assert (right - left, bottom - top) == (min(sides), min(sides))
    assert abs(left - (sides[0] - right)) <= 1
    assert abs(top - (sides[1] - bottom)) <= 1


@pytest.fixture
def screen(environ: dict[str, str]) -> Iterator[Screen]:
    with x_server(environ) as shown:
        yield shown


def xembed_tray() -> list[str]:
    return [need("trayer"), *["--edge", "top", "--align", "left", "--widthtype", "request", "--height", "40"]]


@contextlib.contextmanager
def ended_well(environ: dict[str, str], number: int = signal.SIGTERM) -> Iterator[subprocess.Popen[bytes]]:
    """Run the tray, and hold it to an exit of its own, without a word."""
    process = subprocess.Popen([ULLAGE, "tray"], env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        yield process
        # Twice, as a session's end may: the second must not find the first in its way.
        process.send_signal(number)
        process.send_signal(number)
        said, _ = process.communicate(timeout=90)
        assert (process.returncode, said) == (0, b"")
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_by_xembed(environ: dict[str, str], tmp_path: Path, screen: Screen, number: int) -> None:
    opened = stand_in_for_the_browser(environ, tmp_path)
    environ["PYSTRAY_BACKEND"] = "xorg"
    know(environ, 95.0)
    with running(xembed_tray(), environ), ended_well(environ, number):
        screen.shows(RED, of=40)
        for used, colour in ((30.0, GREEN), (96.0, RED), (31.0, GREEN)):
            know(environ, used)
            screen.shows(colour, of=40)
        click(environ, 15, 15)
        wait_until(opened.exists, what="the usage page")
    assert opened.read_text() == "https://claude.ai/settings/usage\n"


def with_menu(environ: dict[str, str], folder: Path) -> dict[str, str]:
    """The environment with the system's PyGObject, which a menu needs on Linux."""
    packages = system_gi(folder)
    if packages is None and os.environ.get("CI") == "true" and not os.path.isdir(SYSTEM_GI):
        pytest.fail("PyGObject is not installed; .ci/packages-debian must name python3-gi")
    if packages is None:
        pytest.skip(f"the system's PyGObject is not there, or not made for Python 3.{sys.version_info[1]}")
    return {**environ, "PYTHONPATH": packages}


def the_menu_works(environ: dict[str, str], screen: Screen, opened: Path, button: int, x: int) -> None:
    """The icon turns with the cache; its menu opens, and a key chooses a window in it: the usage page opens."""
    screen.shows(RED, of=40)
    know(environ, 30.0)
    screen.shows(GREEN, of=15)

    def chosen() -> bool:
        click(environ, x, 18, button)
        run([need("xdotool"), "key", "--delay", "100", "Down", "Return"], environ)
        return opened.exists()

    wait_until(chosen, seconds=120, what="the usage page, by the menu")


def test_by_gtk(environ: dict[str, str], tmp_path: Path, screen: Screen) -> None:
    opened = stand_in_for_the_browser(environ, tmp_path)
    know(environ, 95.0)
    inside = {**with_menu(environ, tmp_path), "PYSTRAY_BACKEND": "gtk"}
    command = [need("dbus-run-session"), "--", ULLAGE, "tray"]
    with running(xembed_tray(), environ), running(command, inside):
        the_menu_works(environ, screen, opened, 3, 15)


def test_by_appindicator(environ: dict[str, str], tmp_path: Path, screen: Screen) -> None:
    opened = stand_in_for_the_browser(environ, tmp_path)
    know(environ, 95.0)
    inside = {**with_menu(environ, tmp_path), "PYSTRAY_BACKEND": "appindicator"}
    panel_command = xfce_panel(environ, tmp_path, "systray")
    # On one bus, where the two find each other; the panel is of the system's own Python, if of any.
    both = f'(unset PYTHONPATH; exec {" ".join(panel_command[2:])}) & exec "{ULLAGE}" tray'
    with running([*panel_command[:2], "sh", "-c", both], inside, folder=tmp_path):
        the_menu_works(environ, screen, opened, 1, 30)


def ask_item(environ: dict[str, str], below: str, *method: str) -> str:
    """Return what the icon answers on the bus to whatever tray asks; nothing while it is not there."""
    call = ["gdbus", "call", "--session", "--dest", "org.freedesktop.DBus", "--object-path", "/org/freedesktop/DBus"]
    names = re.findall(r":1\.\d+", run([*call, "--method", "org.freedesktop.DBus.ListNames"], environ).stdout)
    for name in names:
        item = ["gdbus", "call", "--session", "--dest", name]
        asked = [*item, "--object-path", f"/org/ayatana/NotificationItem/ullage{below}", "--method", *method]
        told = run(asked, environ)
        if told.returncode == 0:
            return told.stdout
    return ""


def test_text_beside_an_appindicator_and_a_menu_without_grey(
    environ: dict[str, str], tmp_path: Path, screen: Screen
) -> None:
    need("gdbus")
    know(environ, 95.0)
    label = ("org.freedesktop.DBus.Properties.Get", "org.kde.StatusNotifierItem", "XAyatanaLabel")
    with session_bus(tmp_path, service=False) as bus:
        environ["DBUS_SESSION_BUS_ADDRESS"] = bus.address
        inside = {**with_menu(environ, tmp_path), "PYSTRAY_BACKEND": "appindicator"}
        with running([ULLAGE, "tray"], inside):
            for used in (95, 96, 30):
                know(environ, used)
                wait_until(lambda shown=f"'5h {used}%": shown in ask_item(environ, "", *label), what=f"{used}%")  # type: ignore[misc]  # a default binds it
            menu = ask_item(environ, "/Menu", "com.canonical.dbusmenu.GetLayout", "--", "0", "-1", "[]")
    assert "resets " in menu
    assert "'enabled': <false>" not in menu


def test_no_tray_is_said_once_and_waited_for(environ: dict[str, str], screen: Screen) -> None:
    environ["PYSTRAY_BACKEND"] = "xorg"
    know(environ, 95.0)
    process = subprocess.Popen([ULLAGE, "tray"], env=environ, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        assert process.stderr.readline() == (
            "ullage: No tray on this display takes icons yet; the icon is offered again every minute.\n"
        )
        with running(xembed_tray(), environ):
            # A change offers it at once; which of them finds the tray there is a matter of its start.
            used = iter(range(1000))

            def offered() -> bool:
                know(environ, 91.0 + next(used) % 8)
                return screen.has(RED, of=40)

            wait_until(offered, seconds=120, what="the icon")
        process.terminate()
        assert process.wait(90) == 0
        assert process.stderr.read() == ""
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def test_no_display(environ: dict[str, str]) -> None:
    done = ullage("tray", environ=environ)
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr.startswith("ullage: There is no display to show an icon on.")
    assert done.stderr.count("\n") == 1


def test_the_extra_is_missing(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pystray", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    from ullage.base.errors import MissingExtraError

    with pytest.raises(MissingExtraError, match=r"pip install pystray pillow"):
        check_installed()

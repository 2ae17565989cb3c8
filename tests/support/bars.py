"""Displays of the tests' own for real bars: an X server, a headless Wayland session, and what can be seen there."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from PIL import Image, ImageGrab

from tests.support.samples import reading, window
from tests.support.tools import REPOSITORY, need, postpone, run, wait_until
from ullage.config.palette import COLOURS
from ullage.quota.schedule import Schedule
from ullage.store.cache import ProfileCache

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

DOCS = (REPOSITORY / "docs" / "panels.md").read_text("utf-8")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WIDTH, HEIGHT = 900, 300
SYSTEM_GI = "/usr/lib/python3/dist-packages/gi"

# Of the default palette, as bars show it.
GREEN, YELLOW, RED, GREY = (COLOURS["dark"][name] for name in ("normal", "warning", "critical", "faint"))

HOSTILE = (
    "%{A1:touch OWNED:}x%{A} %%{F#f00}",
    "<span foreground='#ff00ff'>x</span> & \"q\" \\",
    "<action=`touch OWNED`>x</action> }{",
    "x | bash='touch OWNED' terminal=false",
    "${exec touch OWNED} $(touch OWNED) # c",
    "--- `touch OWNED` ;touch OWNED;",
    "%pid% %output% {output} \\?color=#f00 100%",
    "a\u202eb\nc\x1b[31m</txt><click>touch OWNED</click>",
)

# A display for every label takes its time: to the bars that need one go those that speak their language.
HOSTILE_TAGS = (HOSTILE[0], HOSTILE[6])
HOSTILE_MARKUP = (HOSTILE[1], HOSTILE[7])


def recipe(heading: str, docs: str = DOCS) -> list[str]:
    """Return the code blocks that stand below a heading of docs/panels.md, or of another text, as they stand there."""
    found = re.search(rf"^###? {re.escape(heading)}(?: ✓)?\n(.*?)(?=^##|\Z)", docs, re.DOTALL | re.MULTILINE)
    assert found is not None, heading
    return re.findall(r"^```[a-z]*\n(.*?)^```", found.group(1), re.DOTALL | re.MULTILINE)


def know(environ: Mapping[str, str], used: float, *, label: str = "Session (5h)", ago: timedelta = timedelta()) -> None:
    """Fill the cache with a reading that is not due for an hour."""
    now = datetime.now(UTC)
    cache = ProfileCache(environ)
    cache.make_private()
    cache.save_schedule(Schedule().begun(now).replace(refresh_at=now + HOUR, idle_refresh_at=now + HOUR))
    postpone(cache.environ, int((now + HOUR).timestamp()))
    stated = now - ago
    cache.save_reading(
        reading(
            window("five_hour", used, label=label, as_of=stated, resets_at=now + 2 * HOUR),
            window("seven_day", 5.0, label="Week (all models)", as_of=stated, resets_at=now + 4 * DAY),
            as_of=stated,
        )
    )


@contextlib.contextmanager
def running(
    command: Sequence[str], environ: Mapping[str, str], *, output: int | None = None, folder: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program and all that it starts for as long as the context lasts."""
    kept = subprocess.DEVNULL if output is None else output
    process = subprocess.Popen(
        list(command), env=dict(environ), stdin=subprocess.DEVNULL, stdout=kept, stderr=subprocess.DEVNULL,
        start_new_session=True, cwd=folder,
    )  # fmt: skip
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


class Screen:
    """What a display shows."""

    def __init__(self, grab: Callable[[], Image.Image]) -> None:
        self.grab = grab

    def has(self, colour: str, *, of: int = 3) -> bool:
        """Say whether so many pixels come near a colour, as the smoothed edges of letters do."""
        wanted = bytes.fromhex(colour[1:])
        colours = self.grab().convert("RGB").getcolors(WIDTH * HEIGHT) or []
        near = (count for count, seen in colours if all(abs(a - b) < 36 for a, b in zip(seen, wanted, strict=True)))  # type: ignore[arg-type]  # RGB: three numbers
        return sum(near) >= of

    def shows(self, colour: str, *, of: int = 3) -> None:
        """Wait until a colour can be seen."""
        wait_until(lambda: self.has(colour, of=of), seconds=120, what=f"{colour} on the screen")


@contextlib.contextmanager
def x_server(environ: dict[str, str]) -> Iterator[Screen]:
    """Run an X server; `environ` then names it."""
    reading_end, writing_end = os.pipe()
    command = [need("Xvfb"), "-displayfd", str(writing_end), "-screen", "0", f"{WIDTH}x{HEIGHT}x24", "-nolisten", "tcp"]
    # Else it starts anew, and turns others away, whenever its only client has gone.
    command.append("-noreset")
    with subprocess.Popen(command, pass_fds=[writing_end], stderr=subprocess.DEVNULL) as server:
        os.close(writing_end)
        with os.fdopen(reading_end) as told:
            display = ":" + told.readline().strip()
        environ["DISPLAY"] = display
        try:
            yield Screen(lambda: ImageGrab.grab(xdisplay=display))
        finally:
            server.terminate()


@contextlib.contextmanager
def wayland(environ: dict[str, str], folder: Path, config: str) -> Iterator[Screen]:
    """Run sway without a screen, with this configuration."""
    runtime = folder / "run"
    runtime.mkdir(mode=0o700)
    (folder / "sway.conf").write_text(f"output HEADLESS-1 resolution {WIDTH}x{HEIGHT}\n{config}")
    environ |= {"XDG_RUNTIME_DIR": str(runtime), "WLR_BACKENDS": "headless", "WLR_RENDERER": "pixman"}
    environ |= {"WLR_LIBINPUT_NO_DEVICES": "1"}
    command = [need("sway"), "-c", str(folder / "sway.conf")]
    if os.geteuid() == 0:
        # sway refuses to be root; in a namespace of its own it is somebody else, with the same files.
        command = ["unshare", "--user", "--map-user=1000", "--map-group=1000", *command]
    sockets = re.compile(r"wayland-\d+\Z")
    grim = need("grim")
    with running(command, environ, folder=folder):
        wait_until(lambda: any(map(sockets.match, os.listdir(runtime))), seconds=120, what="a Wayland display")
        display = next(filter(sockets.match, os.listdir(runtime)))

        def grab() -> Image.Image:
            shot = folder / "shot.png"
            done = run([grim, str(shot)], {**environ, "WAYLAND_DISPLAY": display})
            return Image.open(shot) if done.returncode == 0 else Image.new("RGB", (1, 1))

        yield Screen(grab)


def click(environ: Mapping[str, str], x: int, y: int, button: int = 1) -> None:
    """Click at a place of the X server."""
    assert run([need("xdotool"), "mousemove", str(x), str(y), "click", str(button)], environ).returncode == 0


def stand_in_for_the_browser(environ: dict[str, str], folder: Path) -> Path:
    """Put an `xdg-open` first on the PATH that keeps what it is to open in a file."""
    programs, opened = folder / "programs", folder / "opened"
    programs.mkdir()
    program = programs / "xdg-open"
    program.write_text(f'#!/bin/sh\necho "$@" >> "{opened}"\n')
    program.chmod(0o755)
    environ["PATH"] = f"{programs}{os.pathsep}{environ['PATH']}"
    return opened


def system_gi(folder: Path) -> str | None:
    """Return a directory that holds the system's PyGObject alone; None where it is made for another Python."""
    version = f"cpython-{sys.version_info[0]}{sys.version_info[1]}-"
    if not os.path.isdir(SYSTEM_GI) or not any(version in name for name in os.listdir(SYSTEM_GI)):
        return None
    (folder / "gi-alone").mkdir()
    (folder / "gi-alone" / "gi").symlink_to(SYSTEM_GI)
    return str(folder / "gi-alone")


def xfce_panel(environ: dict[str, str], folder: Path, plugin: str) -> list[str]:
    """Write the settings of a panel with one plugin, and return the command that runs it on a bus of its own."""
    channel = folder / "home" / ".config" / "xfce4" / "xfconf" / "xfce-perchannel-xml"
    channel.mkdir(parents=True)
    (channel / "xfce4-panel.xml").write_text(
        '<?xml version="1.0"?><channel name="xfce4-panel" version="1.0"><property name="configver" type="int" '
        'value="2"/><property name="panels" type="array"><value type="int" value="1"/><property name="panel-1" '
        'type="empty"><property name="position" type="string" value="p=6;x=0;y=0"/><property name="length" type="uint" '
        'value="100"/><property name="size" type="uint" value="40"/><property name="plugin-ids" type="array"><value '
        'type="int" value="1"/></property></property></property><property name="plugins" type="empty"><property '
        f'name="plugin-1" type="string" value="{plugin}"/></property></channel>'
    )
    need("xfce4-panel")
    return [need("dbus-run-session"), "--", "xfce4-panel", "--disable-wm-check"]

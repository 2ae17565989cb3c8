"""Pictures of what is no terminal: bars on a desktop, and the page in a browser; PNGs, as small as they can be."""

from __future__ import annotations

import contextlib
import json
import shlex
import subprocess
import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from PIL import Image

from gallery.scenes import MOMENT, digest
from tests.support.bars import WIDTH, recipe, running, wayland, x_server, xfce_panel
from tests.support.browser import chromium
from tests.support.serving import Served
from tests.support.tools import SCRIPTS, ULLAGE, need, run, wait_until
from ullage.serve import page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Literal

    from gallery.scenes import Stage
    from tests.support.bars import Screen

FROZEN = ("LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC")
# What the session stands at in the pictures of bars, and the week and a model's week beside it.
LEVELS, QUIET = (61.0, 82.0, 96.0, 100.0), (56.0, 44.0)


@dataclass(frozen=True)
class Photo:
    """How a picture is taken, and a digest of the text that it is taken of."""

    read: Callable[[Stage], str]
    take: Callable[[Stage, Path], None]


def _on_a_desktop(stage: Stage) -> dict[str, str]:
    """Return the environment of a desktop whose own clock runs on, with our programs in it whose clock stands still."""
    programs = stage.home / "programs"
    programs.mkdir(exist_ok=True)
    frozen = " ".join(shlex.quote(f"{name}={stage.environ[name]}") for name in FROZEN)
    for name in ("ullage", "ullage-prompt"):
        (programs / name).write_text(f'#!/bin/sh\nexec env {frozen} {shlex.quote(str(SCRIPTS / name))} "$@"\n')
        (programs / name).chmod(0o755)
    environ = {name: value for name, value in stage.environ.items() if name not in FROZEN}
    return {**environ, "PATH": f"{programs}:{environ['PATH']}"}


def _save(image: Image.Image, path: Path) -> None:
    image.convert("RGB").quantize(160, dither=Image.Dither.NONE).save(path, optimize=True)


def _take_waybar(stage: Stage, folder: Path) -> None:
    config = {"height": 32, "position": "top", **json.loads(recipe("waybar")[0])}
    style = "* { font: 15px 'DejaVu Sans'; } window { background: #222222; color: #e6edf3; } "
    (stage.home / "waybar").write_text(json.dumps(config))
    (stage.home / "style.css").write_text(style + "#custom-ullage { padding: 0 12px; }")
    sway = f"exec {need('waybar')} -c {stage.home}/waybar -s {stage.home}/style.css\n"
    shots = []
    for number, session in enumerate(LEVELS):
        stage.stand_at(session, *QUIET)
        place = stage.home / f"sway-{number}"
        place.mkdir()
        with wayland(_on_a_desktop(stage), place, sway) as screen:
            shots.append(_wait_for_bar(screen, 32))
    _save(_pile(shots), folder / "waybar.png")


def _take_i3bar(stage: Stage, folder: Path) -> None:
    bar = recipe("i3bar")[0].replace("bar {", "bar {\n position top\n workspace_buttons no\n")
    (stage.home / "i3").write_text("# i3 config file (v4)\nfont pango:DejaVu Sans 11\n" + bar)
    shots = []
    for session in LEVELS:
        stage.stand_at(session, *QUIET)
        environ = _on_a_desktop(stage)
        i3 = [need("i3"), "-c", str(stage.home / "i3")]
        with x_server(environ) as screen, running(i3, environ, folder=stage.home):
            shots.append(_wait_for_bar(screen, 22))
    _save(_pile(shots), folder / "i3bar.png")


def _take_tooltip(stage: Stage, folder: Path) -> None:
    """Take what Xfce's generic monitor shows when the pointer rests on it."""
    environ = _on_a_desktop(stage)
    (stage.home / "xfce").mkdir()
    panel = xfce_panel(environ, stage.home, "genmon")
    settings = stage.home / "home" / ".config" / "xfce4" / "panel"
    settings.mkdir(parents=True)
    (settings / "genmon-1.rc").write_text(
        "Command=ullage panel genmon --background light\nUseLabel=0\nUpdatePeriod=60000\nFont=DejaVu Sans 14\n"
    )
    environ["HOME"] = str(stage.home / "home")
    with x_server(environ) as screen, running(panel, environ, folder=stage.home):
        wait_until(lambda: _is_shown(screen.grab().crop((0, 0, 200, 40))), what="the bar")
        run([need("xdotool"), "mousemove", "30", "20"], environ)
        wait_until(lambda: _is_shown(screen.grab().crop((0, 48, WIDTH, 250))), what="the tooltip")
        time.sleep(0.5)
        shot = screen.grab()
    _, _, right, bottom = shot.crop((0, 44, WIDTH, 300)).getbbox() or (0, 0, WIDTH, 300)
    # The panel goes on to the right.
    width = next(
        x
        for x in range(WIDTH - 1, 0, -1)
        if len(shot.crop((x, 44, x + 1, 300)).convert("RGB").getcolors(1 << 20) or []) > 1
    )
    _save(shot.crop((0, 0, min(right, width) + 1, 44 + bottom)), folder / "tooltip.png")


def _wait_for_bar(screen: Screen, height: int) -> Image.Image:
    """Return the right end of a bar, once it shows something that stays."""
    shots: list[Image.Image] = [Image.new("RGB", (1, 1)), Image.new("RGB", (2, 2))]

    def shows() -> bool:
        shots.append(screen.grab().convert("RGB").crop((WIDTH - 320, 0, WIDTH, height)))
        time.sleep(0.3)
        return _is_shown(shots[-1]) and shots[-1].tobytes() == shots[-2].tobytes()

    wait_until(shows, what="the bar")
    return shots[-1]


def _is_shown(image: Image.Image) -> bool:
    # Letters have edges of many shades, which an empty ground has not.
    return len(image.convert("RGB").getcolors(1 << 20) or []) > 12


def _pile(shots: list[Image.Image]) -> Image.Image:
    """Put pictures below each other."""
    width, height = shots[0].size
    whole = Image.new("RGB", (width, (height + 6) * len(shots) - 6), (0x80, 0x80, 0x80))
    for number, shot in enumerate(shots):
        whole.paste(shot, (0, (height + 6) * number))
    return whole


@contextlib.contextmanager
def _page(stage: Stage) -> Iterator[Callable[[Literal["dark", "light"], Path], None]]:
    command = [ULLAGE, "serve", "--port", "0"]
    # What watches the cache's files sleeps by a clock that may not stand still, and says so; nothing changes here.
    with subprocess.Popen(
        command, env=stage.environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process, chromium() as browser:  # fmt: skip
        assert process.stdout is not None
        served = Served(process, stage.environ, process.stdout.readline())

        def take(scheme: Literal["dark", "light"], path: Path) -> None:
            context = browser.new_context(
                color_scheme=scheme, viewport={"width": 960, "height": 970}, timezone_id="UTC"
            )
            shown = context.new_page()
            shown.clock.set_fixed_time(datetime.fromisoformat(f"{MOMENT}+00:00"))
            shown.goto(f"{served.base}/#link={served.token(link=True)}")
            shown.wait_for_selector("#chart svg")
            shown.wait_for_selector("#past svg")
            # Colours fade in.
            shown.wait_for_timeout(1000)
            shown.screenshot(path=path)
            context.close()
            with Image.open(path) as image:
                image.load()
            _save(image, path)

        yield take
        process.terminate()


def _take_page(stage: Stage, folder: Path) -> None:
    with _page(stage) as take:
        take("dark", folder / "page-dark.png")
        take("light", folder / "page-light.png")


def _read_panel(form: str, *levels: float) -> Callable[[Stage], str]:
    def read(stage: Stage) -> str:
        told = [stage.run("ullage", "panel", form)]
        for session in levels:
            stage.stand_at(session, *QUIET)
            told.append(stage.run("ullage", "panel", form))
        return digest(*told)

    return read


def _read_page(stage: Stage) -> str:
    return digest(
        page.assemble_page()[0], stage.run("ullage", "usage", "--json"), stage.run("ullage", "chart", "--svg", "-")
    )


PHOTOS = {
    "waybar": Photo(read=_read_panel("waybar", *LEVELS), take=_take_waybar),
    "i3bar": Photo(read=_read_panel("i3bar", *LEVELS), take=_take_i3bar),
    "tooltip": Photo(read=_read_panel("genmon"), take=_take_tooltip),
    "page": Photo(read=_read_page, take=_take_page),
}

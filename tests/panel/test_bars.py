"""The recipes of docs/panels.md in the real bars, with hostile labels too."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.bars import (
    GREEN,
    HOSTILE,
    HOSTILE_MARKUP,
    HOSTILE_TAGS,
    RED,
    Screen,
    know,
    recipe,
    running,
    stand_in_for_the_browser,
    wayland,
    x_server,
    xfce_panel,
)
from tests.support.bars import click as click_at
from tests.support.tools import need, wait_until
from ullage.base.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LABELLED = '--template "{top.label}= {top}"'
MAGENTA = "#ff00ff"


def as_said(text: str, label: str | None) -> str:
    """A recipe with another template, where a label is to be seen."""
    if label is None:
        return text
    words = text.split("\n")
    return "\n".join(line.replace("--follow", f"--follow {LABELLED}") for line in words)


def lines_of(command: list[str], environ: dict[str, str], until: str, folder: Path) -> str:
    """Wait until a bar's output has a line that holds some text, and return the line."""
    kept = folder / "said"

    def found() -> list[str]:
        lines = kept.read_text("utf-8", "replace").splitlines(keepends=True)
        return [line for line in lines if until in line and line[-1] == "\n"]

    with kept.open("wb") as output, running(command, environ, output=output.fileno(), folder=folder):
        wait_until(found, seconds=120, what=f"{until!r} from {command[0]}")
    return found()[0]


def blocks(line: str) -> list[dict[str, Any]]:
    decoded = json.loads(line.strip().lstrip(","))
    assert isinstance(decoded, list)
    return decoded


@pytest.fixture
def screen(environ: dict[str, str]) -> Iterator[Screen]:
    with x_server(environ) as shown:
        yield shown


def turns_green(environ: dict[str, str], screen: Screen) -> None:
    """The cache changes, and the bar shows it long before a minute has passed."""
    screen.shows(RED)
    know(environ, 30.0)
    screen.shows(GREEN)
    assert not screen.has(RED)


def nothing_was_run(folder: Path, environ: dict[str, str]) -> None:
    assert not (folder / "OWNED").exists()
    assert not os.path.exists(os.path.join(environ["HOME"], "OWNED"))


class TestI3blocks:
    @pytest.mark.parametrize("label", [None, *HOSTILE])
    def test_it_persists(self, environ: dict[str, str], tmp_path: Path, label: str | None) -> None:
        know(environ, 95.0, label=label or "x")
        (tmp_path / "config").write_text(as_said(recipe("i3blocks")[0], label))
        shown = lines_of([need("i3blocks"), "-c", str(tmp_path / "config")], environ, "95%", tmp_path)
        block = blocks(shown)[-1]
        assert f"<span foreground='{RED}' weight='bold'>95%!!</span>" in block["full_text"]
        assert block["markup"] == "pango"
        if label is not None:
            assert text_of(block["full_text"]) == f"{clean(label)}= 95%!!"
        nothing_was_run(tmp_path, environ)

    def test_once_a_minute(self, environ: dict[str, str], tmp_path: Path) -> None:
        know(environ, 95.0)
        (tmp_path / "config").write_text(recipe("i3blocks")[1])
        shown = lines_of([need("i3blocks"), "-c", str(tmp_path / "config")], environ, "95%", tmp_path)
        block = blocks(shown)[-1]
        assert (block["full_text"], block["short_text"], block["color"]) == ("5h 95%!!", "95%!!", RED)


def text_of(markup: str) -> str:
    """What Pango would show."""
    import xml.etree.ElementTree as ET

    return "".join(ET.fromstring(f"<markup>{markup}</markup>").itertext())


@pytest.mark.parametrize("label", [None, *HOSTILE])
def test_py3status(environ: dict[str, str], tmp_path: Path, label: str | None) -> None:
    know(environ, 95.0, label=label or "x")
    config = recipe("py3status")[0]
    if label is not None:
        config = config.replace('panel py3status"', "panel py3status --template '{top.label}= {top}'\"")
    (tmp_path / "config").write_text(config)
    # A bar of the system's own Python, which must not see the tests' one.
    shown = lines_of([need("py3status"), "-b", "-c", str(tmp_path / "config")], environ, "95%", tmp_path)
    block = blocks(shown)[-1]
    assert block["full_text"] == ("5h 95%!!" if label is None else f"{clean(label)}= 95%!!")
    assert block["color"] == RED
    nothing_was_run(tmp_path, environ)


@pytest.mark.parametrize("label", [None, *HOSTILE])
def test_conky(environ: dict[str, str], tmp_path: Path, label: str | None) -> None:
    know(environ, 95.0, label=label or "x")
    line = recipe("conky")[0]
    if label is not None:
        line = line.replace("panel conky", f"panel conky {LABELLED}")
    (tmp_path / "config").write_text(f"conky.config = {{ out_to_console = true, out_to_x = false }}\n{line}")
    shown = lines_of([need("conky"), "-c", str(tmp_path / "config")], environ, "95%", tmp_path)
    assert shown.strip() == ("5h 95%!!" if label is None else f"{clean(label)}= 95%!!")
    nothing_was_run(tmp_path, environ)


@pytest.mark.parametrize("label", [None, *HOSTILE])
def test_xmobar(environ: dict[str, str], tmp_path: Path, label: str | None) -> None:
    know(environ, 95.0, label=label or "x")
    config = recipe("xmobar")[0]
    if label is not None:
        config = config.replace("--follow", "--follow --template '{top.label}= {top}'")
    (tmp_path / "xmobarrc").write_text(config)
    shown = lines_of([need("xmobar"), "-TPango", str(tmp_path / "xmobarrc")], environ, "95%", tmp_path)
    assert text_of(shown.strip()) == ("5h 95%!!" if label is None else f"{clean(label)}= 95%!!")
    assert f'foreground="{RED}"' in shown
    assert MAGENTA not in shown.replace("&apos;", "'").split("&lt;")[0]
    nothing_was_run(tmp_path, environ)


def polybar(folder: Path, text: str) -> list[str]:
    (folder / "config.ini").write_text(
        "[bar/main]\nwidth = 100%\nheight = 40\nbackground = #222222\nfont-0 = DejaVu Sans:size=14\n"
        f"modules-left = ullage\n{text}"
    )
    return [need("polybar"), "-c", str(folder / "config.ini"), "main"]


def test_polybar(environ: dict[str, str], tmp_path: Path, screen: Screen) -> None:
    opened = stand_in_for_the_browser(environ, tmp_path)
    know(environ, 95.0)
    with running(polybar(tmp_path, recipe("polybar")[0]), environ, folder=tmp_path):
        turns_green(environ, screen)
        click_at(environ, 20, 20, 3)
        wait_until(opened.exists, what="the usage page")


@pytest.mark.parametrize("label", HOSTILE_TAGS)
def test_polybar_with_a_hostile_label(environ: dict[str, str], tmp_path: Path, screen: Screen, label: str) -> None:
    know(environ, 95.0, label=label)
    text = "\n".join(line for line in as_said(recipe("polybar")[0], label).splitlines() if "click" not in line)
    with running(polybar(tmp_path, text), environ, folder=tmp_path):
        screen.shows(RED)
        for x in range(10, 400, 40):
            click_at(environ, x, 20)
        # What the bar does next comes after what the clicks would have done.
        turns_green(environ, screen)
    nothing_was_run(tmp_path, environ)


def test_lemonbar(environ: dict[str, str], tmp_path: Path, screen: Screen) -> None:
    need("lemonbar")
    know(environ, 95.0)
    command = recipe("lemonbar")[0].strip() + " -g 900x40 -B '#222222'"
    with running(["sh", "-c", command], environ, folder=tmp_path):
        turns_green(environ, screen)


@pytest.mark.parametrize("label", HOSTILE_TAGS)
def test_lemonbar_with_a_hostile_label(environ: dict[str, str], tmp_path: Path, screen: Screen, label: str) -> None:
    need("lemonbar")
    know(environ, 95.0, label=label)
    # What is clicked is printed: a shell that runs it is what people put behind it.
    command = as_said(recipe("lemonbar")[0].strip(), label) + " -g 900x40 -B '#222222' | sh"
    with running(["sh", "-c", command], environ, folder=tmp_path):
        screen.shows(RED)
        for x in range(10, 400, 40):
            click_at(environ, x, 10)
        turns_green(environ, screen)
    nothing_was_run(tmp_path, environ)


def i3(folder: Path, text: str) -> list[str]:
    (folder / "config").write_text(
        "# i3 config file (v4)\nfont pango:DejaVu Sans 14\n" + text.replace("bar {", "bar {\n position top\n")
    )
    return [need("i3"), "-c", str(folder / "config")]


def test_i3bar(environ: dict[str, str], tmp_path: Path, screen: Screen) -> None:
    opened = stand_in_for_the_browser(environ, tmp_path)
    know(environ, 95.0)
    with running(i3(tmp_path, recipe("i3bar")[0]), environ, folder=tmp_path):
        turns_green(environ, screen)
        click_at(environ, 880, 12, 3)
        wait_until(opened.exists, what="the usage page")
    assert opened.read_text() == "https://claude.ai/settings/usage\n"


@pytest.mark.parametrize("label", HOSTILE_MARKUP)
def test_i3bar_with_a_hostile_label(environ: dict[str, str], tmp_path: Path, screen: Screen, label: str) -> None:
    know(environ, 95.0, label=label)
    with running(i3(tmp_path, as_said(recipe("i3bar")[0], label)), environ, folder=tmp_path):
        screen.shows(RED)
        assert not screen.has(MAGENTA)
    nothing_was_run(tmp_path, environ)


def waybar(folder: Path, label: str | None = None) -> str:
    config = json.loads(recipe("waybar")[0])
    if label is not None:
        config["custom/ullage"]["exec"] += " --template '{top.label}= {top}'"
    (folder / "config").write_text(json.dumps({"height": 40, **config}))
    (folder / "style.css").write_text(
        "* { font: 20px 'DejaVu Sans'; } window { background: #222222; }" + recipe("waybar")[1]
    )
    return f"exec {need('waybar')} -c {folder}/config -s {folder}/style.css\n"


def test_waybar(environ: dict[str, str], tmp_path: Path) -> None:
    know(environ, 95.0)
    with wayland(environ, tmp_path, waybar(tmp_path)) as screen:
        turns_green(environ, screen)


@pytest.mark.parametrize("label", HOSTILE_MARKUP)
def test_waybar_with_a_hostile_label(environ: dict[str, str], tmp_path: Path, label: str) -> None:
    know(environ, 95.0, label=label)
    with wayland(environ, tmp_path, waybar(tmp_path, label)) as screen:
        screen.shows(RED)
        assert not screen.has(MAGENTA)
    nothing_was_run(tmp_path, environ)


def test_swaybar(environ: dict[str, str], tmp_path: Path) -> None:
    know(environ, 95.0)
    config = "font pango:DejaVu Sans 14\n" + recipe("swaybar")[0]
    with wayland(environ, tmp_path, config) as screen:
        turns_green(environ, screen)


@pytest.mark.parametrize("label", [None, *HOSTILE_MARKUP])
def test_genmon(environ: dict[str, str], tmp_path: Path, screen: Screen, label: str | None) -> None:
    know(environ, 95.0, label=label or "x")
    command = recipe("Xfce: genmon")[0].strip() + ("" if label is None else f" {LABELLED}")
    panel = xfce_panel(environ, tmp_path, "genmon")
    settings = tmp_path / "home" / ".config" / "xfce4" / "panel"
    settings.mkdir(parents=True)
    (settings / "genmon-1.rc").write_text(f"Command={command}\nUseLabel=0\nUpdatePeriod=60000\nFont=DejaVu Sans 14\n")
    with running(panel, environ, folder=tmp_path):
        screen.shows(RED)
        assert not screen.has(MAGENTA)
    nothing_was_run(tmp_path, environ)

"""The widget for Plasma, as `ullage setup plasma` installs it, in Qt's own engine."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.bars import know
from tests.support.contrast import READABLE, contrast
from tests.support.plasma import Widget, running
from tests.support.tools import processes, ullage, wait_until
from ullage.config.palette import COLOURS
from ullage.setup import plasma, widgets

if TYPE_CHECKING:
    from collections.abc import Iterator

HOSTILE = "<b>x</b> & <font color='#ff00ff'>y</font>"
GROUNDS = {"dark": "#292c30", "light": "#eff0f1"}
INSTALL = "ullage is not installed. In a clone of it, run: pipx install ."


def locate_main(environ: dict[str, str]) -> Path:
    return Path(plasma.locate_directory(environ)) / "contents" / "ui" / "main.qml"


@pytest.fixture
def widget(environ: dict[str, str], tmp_path: Path) -> Iterator[Widget]:
    know(environ, 30.0, label=HOSTILE)
    done = ullage("setup", "plasma", "--yes", environ=environ)
    assert done.returncode == 0, done.stderr
    with running(environ, tmp_path, locate_main(environ)) as widget:
        yield widget


def says(widget: Widget, text: str) -> None:
    """Wait until the text in the panel is this, whatever its colours are."""

    def said() -> list[str]:
        return [re.sub("<.*?>", "", label["text"]).replace("&nbsp;", " ") for label in widget.labels("small")]

    wait_until(lambda: said() == [text], what=text)


def waiting(environ: dict[str, str]) -> set[int]:
    """Return the processes of ours that wait for a change."""
    found = set()
    for process in processes(environ):
        with contextlib.suppress(OSError):
            if b"\0--after\0" in Path(f"/proc/{process}/cmdline").read_bytes():
                found.add(process)
    return found


def test_it_follows_with_one_process_and_no_more(widget: Widget) -> None:
    says(widget, "5h 30%")
    for used, level in ((95.0, "critical"), (31.0, "normal"), (100.0, "exhausted")):
        know(widget.environ, used, label=HOSTILE)
        widget.screen.shows(COLOURS["light"][level], of=20)
    wait_until(lambda: len(waiting(widget.environ)) == 1, what="a process that waits")
    assert not widget.screen.has("#ff00ff")
    # One that is asked for, and one for each change.
    assert all(" --after " in command for command in widget.commands)


def test_what_stands_in_the_panel_is_no_markup(widget: Widget) -> None:
    says(widget, "5h 30%")
    Path(widget.environ["ULLAGE_CONFIG"]).write_text('[segment]\ntemplate = "<s>&amp; {top}"\n')
    know(widget.environ, 95.0)
    written = '&lt;s&gt;&amp;amp;&nbsp;<font color="#b3261e"><b>95%!!</b></font>'
    wait_until(lambda: [label["text"] for label in widget.labels("small")] == [written], what="the template")


@pytest.mark.parametrize("ground", GROUNDS)
def test_its_popup_can_be_read_on_any_ground(widget: Widget, ground: str) -> None:
    says(widget, "5h 30%")
    widget.evaluate(f"theme.isDark = {str(ground == 'dark').lower()}")
    know(widget.environ, 95.0, label=HOSTILE)
    says(widget, "5h 95%!!")
    widget.evaluate("widget.expanded = true")
    widget.shows("large", "95%!!")
    labels = widget.labels("large")
    texts = [label["text"] for label in labels]
    assert texts[:2] == ["Claude usage", "Max 20x plan, read just now, from oauth"]
    assert texts[2:4] == [HOSTILE, "95%!!"]
    assert texts[4].startswith("resets ")
    assert texts[5:7] == ["Week (all models)", "5%"]
    for label in labels:
        assert contrast(mix(label["colour"], GROUNDS[ground], label["opacity"]), GROUNDS[ground]) >= READABLE, label
        assert label["ends"]["x"] <= widget.evaluate("widget.large.width")
        assert label["ends"]["y"] <= widget.evaluate("widget.large.y + widget.large.height")
    for level in ("critical", "normal"):
        widget.screen.shows(COLOURS["dark" if ground == "dark" else "light"][level], of=20)


def mix(colour: str, ground: str, opacity: float) -> str:
    parts = zip(bytes.fromhex(colour[-6:]), bytes.fromhex(ground[1:]), strict=True)
    return "#" + bytes(round(over * opacity + under * (1 - opacity)) for over, under in parts).hex()


def test_a_bar_shows_what_is_used_and_ticks_at_the_time_that_has_passed(widget: Widget) -> None:
    says(widget, "5h 30%")
    widget.evaluate("widget.expanded = true")
    widget.shows("large", "30%")

    def shares() -> list[float]:
        found = widget.evaluate("find(widget.large, each => each.radius).map(({item}) => [item.x, item.width])")
        (_, whole), (_, used), (passed, _) = found[:3]
        return [round(used / whole, 2), round(passed / whole, 2)]

    assert shares() == [0.3, 0.6]
    widget.evaluate("plasmoid.configuration.count = 'left'")
    widget.shows("large", "70%")
    assert shares() == [0.7, 0.4]


def test_what_is_preferred_takes_effect_at_once(widget: Widget) -> None:
    says(widget, "5h 30%")
    widget.evaluate("plasmoid.configuration.window = 'seven_day'")
    says(widget, "7d 5%")
    widget.evaluate("plasmoid.configuration.count = 'left'")
    says(widget, "7d 95%")
    wait_until(lambda: len(waiting(widget.environ)) == 1, what="the end of those that waited for something else")
    widget.evaluate("plasmoid.configuration.show = 'ring'")
    assert widget.labels("small") == []


def test_an_upright_panel_has_the_number_alone(widget: Widget) -> None:
    says(widget, "5h 30%")
    widget.evaluate("plasmoid.formFactor = 3")
    says(widget, "30%")


def test_refresh_runs_what_the_program_names(widget: Widget) -> None:
    says(widget, "5h 30%")
    widget.evaluate("widget.expanded = true")
    widget.shows("large", "30%")
    widget.evaluate("press('Refresh')")
    wait_until(
        lambda: any("'refresh' '--detach' '--early'" in command for command in widget.commands), what="a refresh"
    )


def test_a_program_that_is_missing_is_said_and_found_later(environ: dict[str, str], tmp_path: Path) -> None:
    program = tmp_path / "it's here"
    widgets.write(plasma.build_tree(environ, str(program)))
    know(environ, 30.0)
    with running(environ, tmp_path, locate_main(environ)) as widget:
        says(widget, "?")
        widget.evaluate("widget.expanded = true")
        widget.shows("large", INSTALL)
        asked = len(widget.commands)
        program.symlink_to(next(Path(place) / "ullage" for place in environ["PATH"].split(":")))
        assert len(widget.commands) == asked
        widget.evaluate("press('Refresh')")
        says(widget, "5h 30%")


def test_a_program_that_fails_is_said(environ: dict[str, str], tmp_path: Path) -> None:
    program = tmp_path / "failing"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    widgets.write(plasma.build_tree(environ, str(program)))
    with running(environ, tmp_path, locate_main(environ)) as widget:
        widget.evaluate("widget.expanded = true")
        widget.shows("large", "`ullage panel json` failed. Run it in a terminal to see why.")

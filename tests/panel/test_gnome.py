"""The extension in a real GNOME Shell, as `ullage setup gnome` installs it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.bars import GREEN, RED, know, stand_in_for_the_browser
from tests.support.gnome import Shell, shell
from tests.support.tools import need, processes, run, ullage, wait_until
from ullage.setup import gnome, widgets

if TYPE_CHECKING:
    from collections.abc import Iterator

BUTTON = f'Main.panel.statusArea["{gnome.UUID}"]'
HOSTILE = "<b>x</b> & <span foreground='#ff00ff'>y</span>"


@pytest.fixture
def session(environ: dict[str, str]) -> dict[str, str]:
    environ["GSETTINGS_BACKEND"] = "keyfile"
    return environ


@pytest.fixture
def opened(session: dict[str, str], tmp_path: Path) -> Path:
    return stand_in_for_the_browser(session, tmp_path)


@pytest.fixture
def desktop(session: dict[str, str], opened: Path, tmp_path: Path) -> Iterator[Shell]:
    need("gnome-shell")
    know(session, 30.0, label=HOSTILE)
    done = ullage("setup", "gnome", "--yes", environ=session)
    assert done.returncode == 0, done.stderr
    assert "Log out and in" in done.stdout
    with shell(session, tmp_path) as running:
        yield running


def says(desktop: Shell, name: str) -> None:
    wait_until(lambda: desktop.evaluate(f"{BUTTON}.accessible_name") == name, what=name)


def followers(environ: dict[str, str]) -> set[int]:
    """The processes of ours that the shell has started."""
    return {process for process in processes(environ) if b"\0json\0" in Path(f"/proc/{process}/cmdline").read_bytes()}


def test_it_follows_and_starts_nothing_else(desktop: Shell) -> None:
    says(desktop, "ullage: 5h 30%")
    [follower] = followers(desktop.environ)
    for used, colour in ((95.0, RED), (31.0, GREEN), (96.0, RED)):
        know(desktop.environ, used, label=HOSTILE)
        says(desktop, f"ullage: 5h {used:.0f}%{'!!' if used > 90 else ''}")
        desktop.screen.shows(colour, of=20)
    assert not desktop.screen.has("#ff00ff")
    assert followers(desktop.environ) == {follower}
    desktop.evaluate(f"Main.extensionManager.disableExtension('{gnome.UUID}')")
    wait_until(lambda: followers(desktop.environ) == set(), what="the end of the follower")


def test_its_menu(desktop: Shell, opened: Path) -> None:
    says(desktop, "ullage: 5h 30%")
    desktop.click(BUTTON)
    wait_until(lambda: desktop.evaluate(f"{BUTTON}.menu.isOpen"), what="the menu")
    entries = desktop.evaluate(f"{BUTTON}._rows._getMenuItems().map(item => item.accessible_name)")
    assert entries[0].startswith(f"{HOSTILE}, 30%, resets ")
    assert entries[1].startswith("Week (all models), 5%, resets ")
    assert entries[2:] == ["Max 20x plan, read just now, from oauth"]
    bars = f"{BUTTON}._rows._getMenuItems().slice(0, 2).map(item => item.get_last_child().get_child_at_index(1))"
    shares = "[bar._share, Math.round(100 * bar._elapsed)]"
    assert desktop.evaluate(f"{bars}.map(bar => {shares})") == [[0.3, 60], [0.05, 43]]
    actions = f"{BUTTON}.menu._getMenuItems().filter(item => item.label?.text)"
    assert desktop.evaluate(f"{actions}.map(item => item.label.text)") == [
        "Refresh", "Open the usage page", "Preferences",
    ]  # fmt: skip
    desktop.click(f"{actions}[1]")
    wait_until(opened.exists, what="the usage page")


def test_a_follower_that_ended_is_started_again(desktop: Shell) -> None:
    says(desktop, "ullage: 5h 30%")
    [follower] = followers(desktop.environ)
    os.kill(follower, 15)
    says(desktop, "ullage: `ullage panel json --follow` ended. Run it in a terminal to see why.")
    says(desktop, "ullage: 5h 30%")
    assert len(followers(desktop.environ) - {follower}) == 1


def test_what_is_preferred_takes_effect_at_once(desktop: Shell) -> None:
    says(desktop, "ullage: 5h 30%")
    for key, value, name in (("window", "seven_day", "ullage: 7d 5%"), ("count", "left", "ullage: 7d 95%")):
        settings = f"Main.extensionManager.lookup('{gnome.UUID}').stateObj._settings"
        desktop.evaluate(f"{settings}.set_string('{key}', '{value}')")
        says(desktop, name)


def test_a_program_that_is_missing_is_said(session: dict[str, str], tmp_path: Path) -> None:
    need("gnome-shell")
    widgets.write(gnome.build_tree(session, "/nowhere/ullage"))
    gnome.turn_on(session)
    scripts, _, session["PATH"] = session["PATH"].partition(os.pathsep)
    with shell(session, tmp_path) as desktop:
        says(desktop, "ullage: ullage is not installed. In a clone of it, run: pipx install .")
        know(session, 30.0)
        programs = Path(session["HOME"]) / ".local" / "bin"
        programs.mkdir(parents=True)
        (programs / "ullage").symlink_to(Path(scripts) / "ullage")
        says(desktop, "ullage: 5h 30%")


@pytest.mark.parametrize(("version", "suffix"), [(44, "js"), (45, "mjs")])
@pytest.mark.parametrize("file", ["extension.js", "prefs.js"])
def test_both_forms_are_javascript(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: int, suffix: str, file: str
) -> None:
    need("glib-compile-schemas")
    monkeypatch.setattr(gnome, "find_version", lambda environ: version)
    files = gnome.build_tree(environ, "/usr/bin/ullage").files
    (tmp_path / f"x.{suffix}").write_bytes(files[file])
    checked = run([need("node"), "--check", str(tmp_path / f"x.{suffix}")], environ)
    assert checked.returncode == 0, checked.stderr
    assert (b"imports.gi" in files[file]) == (version < 45)

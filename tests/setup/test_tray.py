"""`ullage setup tray`: what starts it at login, checked by what reads it, and undone."""

from __future__ import annotations

import configparser
import os
import plistlib
import sys
from pathlib import Path

import pytest

from tests.support.tools import need, run, ullage, wait_until
from ullage.base.errors import UsageError
from ullage.setup import tray, userfile
from ullage.setup.survey import find_set_up, survey_machine

pytestmark = pytest.mark.posix("the files of XDG and launchd")

GENERATOR = Path("/usr/lib/systemd/user-generators/systemd-xdg-autostart-generator")
HOSTILE = "a \"quoted\" 100% 'odd' zoë"


def put_program(directory: Path) -> Path:
    """Put a program that notes its arguments, and a variable, beside itself."""
    directory.mkdir()
    program = directory / "ullage"
    script = ["#!/bin/sh", 'cd "${0%/*}"', 'printf \'%s|\' "$@" "$CLAUDE_CONFIG_DIR" >new', "mv new note", ""]
    program.write_text("\n".join(script))
    program.chmod(0o755)
    return program


@pytest.mark.skipif(sys.platform != "linux", reason="desktops of Linux")
def test_a_desktop_starts_it_from_any_path(environ: dict[str, str], tmp_path: Path) -> None:
    gio = need("gio")
    program = put_program(tmp_path / HOSTILE)
    environ["CLAUDE_CONFIG_DIR"] = str(tmp_path / HOSTILE / "claude")
    entry = tmp_path / "entry.desktop"
    entry.write_bytes(tray.build_text(environ, str(program)))
    assert run([gio, "launch", str(entry)], environ).returncode == 0
    note = program.parent / "note"
    wait_until(note.exists, what="the program's note")
    assert note.read_text() == f"tray|{environ['CLAUDE_CONFIG_DIR']}|"


@pytest.mark.parametrize("odd", ["$HOME", "`id`", "back\\slash"])
def test_what_systemd_and_desktops_read_apart_is_refused(environ: dict[str, str], odd: str) -> None:
    with pytest.raises(UsageError, match="Choose paths without it"):
        tray.build_text(environ | {"CLAUDE_CONFIG_DIR": f"/srv/{odd}"}, "/usr/bin/ullage", "linux")


@pytest.mark.skipif(not GENERATOR.exists(), reason="systemd begins no desktop here")
def test_systemd_makes_a_service_of_it(environ: dict[str, str], tmp_path: Path) -> None:
    """GNOME and Plasma have systemd start what is in the directory."""
    program = put_program(tmp_path / "bin")
    environ |= {"XDG_CONFIG_HOME": str(tmp_path / "config"), "XDG_CONFIG_DIRS": str(tmp_path / "no"), "PATH": "/bin"}
    entry = Path(tray.locate(environ))
    entry.parent.mkdir(parents=True)
    entry.write_bytes(tray.build_text(environ, str(program)))
    places = [tmp_path / name for name in ("normal", "early", "late")]
    for place in places:
        place.mkdir()
    assert run([str(GENERATOR), *map(str, places)], environ).returncode == 0
    (unit,) = places[2].glob("app-*.service")
    service = configparser.ConfigParser(strict=False, interpolation=None)
    service.optionxform = str  # type: ignore[assignment]  # as configparser's documentation does
    service.read(unit)
    assert service["Service"]["ExecStart"].endswith(f" {program} tray")


def test_what_is_set_up_is_taken_back(environ: dict[str, str]) -> None:
    environ["XDG_CURRENT_DESKTOP"] = "XFCE"
    home = Path(environ["HOME"])
    done = ullage("setup", "tray", "--yes", environ=environ)
    path = home / ".config" / "autostart" / "ullage-tray.desktop"
    assert (done.returncode, done.stderr) == (0, "")
    assert "i3" not in done.stdout
    assert f"+++ {path}" in done.stdout
    assert "set up already" in ullage("setup", "tray", environ=environ).stdout
    assert [place.name for place in find_set_up(environ)] == ["tray"]
    assert ullage("setup", "tray", "--undo", "--yes", environ=environ).returncode == 0
    assert [file for file in home.rglob("*") if file.is_file()] == []
    assert "nothing to undo" in ullage("setup", "tray", "--undo", environ=environ).stdout


def test_nothing_is_written_without_an_answer(environ: dict[str, str]) -> None:
    assert ullage("setup", "tray", environ=environ).returncode == 2
    assert not os.path.lexists(tray.locate(environ))


def test_a_file_that_a_desktop_has_changed_is_kept_in_a_copy(environ: dict[str, str]) -> None:
    """As Xfce's and KDE's settings do, where it is turned off there."""
    assert ullage("setup", "tray", "--yes", environ=environ).returncode == 0
    path = Path(tray.locate(environ))
    path.write_bytes(path.read_bytes() + b"Hidden=true\n")
    changed = path.read_bytes()
    assert ullage("setup", "tray", "--yes", environ=environ).returncode == 2
    assert ullage("setup", "tray", "--undo", "--yes", environ=environ).returncode == 0
    assert not path.exists()
    assert Path(f"{path}.before-ullage").read_bytes() == changed


def test_a_window_manager_is_told_its_own_line(environ: dict[str, str]) -> None:
    assert "exec ullage tray" in tray.plan(environ, "/usr/bin/ullage").note
    assert tray.plan({**environ, "XDG_CURRENT_DESKTOP": "ubuntu:GNOME"}, "/usr/bin/ullage").note == ""


@pytest.mark.process
def test_setup_offers_it_where_a_desktop_would_start_it(environ: dict[str, str], tmp_path: Path) -> None:
    def offered(desktop: str, *, has_tray: bool = True) -> bool:
        told = {**environ, "PATH": str(tmp_path), "XDG_CURRENT_DESKTOP": desktop}
        return "tray" in [place.name for place in survey_machine(told, "ullage", has_tray=has_tray).places]

    assert offered("XFCE")
    assert not offered("XFCE", has_tray=False)
    assert not offered("sway")
    # Whoever has the extension needs no tray.
    (tmp_path / "gnome-shell").symlink_to("/bin/true")
    assert not offered("ubuntu:GNOME")


def test_the_agent_is_a_property_list(environ: dict[str, str]) -> None:
    environ["CLAUDE_CONFIG_DIR"] = "/a/<name> & more"
    path = Path(tray.locate(environ, "darwin"))
    planned = tray.plan(environ, "/opt/ullage", "darwin")
    assert planned.change is not None
    userfile.apply(planned.change, keep=False)
    agent = plistlib.loads(path.read_bytes())
    assert (agent["Label"], agent["ProgramArguments"]) == ("ullage.tray", ["/opt/ullage", "tray"])
    assert agent["RunAtLoad"] is True
    # Whoever chooses Quit wants no other.
    assert "KeepAlive" not in agent
    assert agent["EnvironmentVariables"]["CLAUDE_CONFIG_DIR"] == "/a/<name> & more"
    undone = tray.plan_undo(environ, "darwin").change
    assert undone is not None
    userfile.apply(undone, keep=False)
    assert not path.exists()


@pytest.mark.parametrize("platform", ["linux", "darwin"])
@pytest.mark.parametrize("path", ["/a\nExec=/bin/evil", "/a\x1b[31m", "/a\udcff"])
def test_no_path_can_add_a_line(environ: dict[str, str], path: str, platform: str) -> None:
    with pytest.raises(UsageError, match="control characters"):
        tray.build_text({**environ, "ULLAGE_CONFIG": path}, "/usr/bin/ullage", platform)
    with pytest.raises(UsageError, match="control characters"):
        tray.build_text(environ, path, platform)


def test_a_program_that_env_would_take_for_a_variable_is_refused(environ: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="whose path holds a ="):
        tray.build_text(environ, "/opt/a=b/ullage", "linux")
    assert plistlib.loads(tray.build_text(environ, "/opt/a=b/ullage", "darwin"))

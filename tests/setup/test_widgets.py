"""A desktop's widget is written whole, and taken away to the last file; what is not ours, or was changed, stays."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.support.tools import ULLAGE, need, run, ullage
from ullage.base.errors import UsageError
from ullage.setup import gnome, plasma, widgets

FILES = {"a.js": b"1\n", "in/b.js": b"2\n", "in/deep/er/c": b"\0"}


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def tree(tmp_path: Path) -> widgets.Tree:
    return widgets.Tree(directory=str(tmp_path / "share" / "ours"), files=FILES)


def test_it_is_written_and_taken_away(tree: widgets.Tree, tmp_path: Path) -> None:
    assert not widgets.is_written(tree)
    widgets.write(tree)
    assert widgets.is_written(tree)
    assert widgets.is_ours(tree.directory)
    assert FILES.items() < everything(tmp_path / "share" / "ours").items()
    assert widgets.remove(tree.directory) == []
    assert os.listdir(tmp_path / "share") == []


def test_a_newer_one_takes_the_place_of_an_older(tree: widgets.Tree, tmp_path: Path) -> None:
    widgets.write(tree)
    newer = tree.replace(files={"a.js": b"3\n"})
    assert not widgets.is_written(newer)
    widgets.write(newer)
    assert widgets.is_written(newer)
    assert sorted(os.listdir(tree.directory)) == [".written-by-ullage", "a.js"]


def test_what_was_changed_since_stays(tree: widgets.Tree, tmp_path: Path) -> None:
    widgets.write(tree)
    (tmp_path / "share" / "ours" / "a.js").write_text("mine")
    (tmp_path / "share" / "ours" / "in" / "notes").write_text("mine too")
    with pytest.raises(UsageError, match=r"a\.js has changed since this command wrote it"):
        widgets.is_written(tree)
    assert widgets.remove(tree.directory) == [f"{tree.directory}/a.js"]
    assert everything(tmp_path / "share") == {"ours/a.js": b"mine", "ours/in/notes": b"mine too"}


@pytest.mark.parametrize("listed", ["../../outside", "/etc/hostname", "in/../../../outside"])
def test_a_list_that_leads_elsewhere_leads_nowhere(tree: widgets.Tree, tmp_path: Path, listed: str) -> None:
    (tmp_path / "outside").write_text("mine")
    widgets.write(tree)
    (tmp_path / "share" / "ours" / ".written-by-ullage").write_text(f"0 {listed}\n")
    assert widgets.remove(tree.directory) == []
    assert (tmp_path / "outside").read_text() == "mine"


@pytest.mark.parametrize("kind", ["directory", "file", "link"])
def test_what_is_not_ours_is_not_touched(tree: widgets.Tree, tmp_path: Path, kind: str) -> None:
    ours = tmp_path / "share" / "ours"
    ours.parent.mkdir()
    if kind == "directory":
        ours.mkdir()
        (ours / "a.js").write_text("mine")
    elif kind == "file":
        ours.write_text("mine")
    else:
        (tmp_path / "elsewhere").mkdir()
        ours.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match=r"[Mm]ove it away first"):
        widgets.is_written(tree)
    assert not widgets.is_ours(tree.directory)


def enabled(environ: dict[str, str]) -> str:
    return run([need("gsettings"), "get", "org.gnome.shell", "enabled-extensions"], environ).stdout.strip()


def test_what_was_cut_short_is_written_anew_and_taken_away(environ: dict[str, str]) -> None:
    directory = Path(plasma.locate_directory(environ))
    # Some versions of Python would leave compiled modules cut short, too.
    limited = {**environ, "PYTHONDONTWRITEBYTECODE": "1"}
    cut = run(["sh", "-c", 'ulimit -f 8; exec "$0" setup plasma --yes', ULLAGE], limited)
    assert cut.returncode == 2
    assert "cannot be written" in cut.stderr
    assert any(directory.rglob("*.half-written"))
    assert ullage("setup", "plasma", "--yes", environ=environ).returncode == 0
    assert not any(directory.rglob("*.half-written"))
    run(["sh", "-c", 'ulimit -f 8; exec "$0" setup plasma --yes', ULLAGE], limited)
    assert ullage("setup", "plasma", "--undo", "--yes", environ=environ).returncode == 0
    assert not directory.exists()


def test_gnome_set_up_and_undone(environ: dict[str, str]) -> None:
    need("gnome-shell")
    environ["GSETTINGS_BACKEND"] = "keyfile"
    for key in ("enabled-extensions", "disabled-extensions"):
        run(["gsettings", "set", "org.gnome.shell", key, "['a@b']"], environ)
    done = ullage("setup", "gnome", environ=environ)
    assert done.returncode == 2
    assert done.stderr == "Nothing was written: there is no terminal to ask on. --yes goes on without asking.\n"
    assert "\n  extension.js\n" in done.stdout
    assert not os.path.exists(gnome.locate_directory(environ))
    assert ullage("setup", "gnome", "--yes", environ=environ).returncode == 0
    assert enabled(environ) == "['a@b', 'ullage@ullage']"
    with open(os.path.join(gnome.locate_directory(environ), "metadata.json")) as file:
        described = json.load(file)
    assert described["shell-version"] == [str(gnome.find_version(environ))]
    assert os.access(described["ullage-program"], os.X_OK)
    assert "is set up already" in ullage("setup", "gnome", "--yes", environ=environ).stdout
    done = ullage("setup", "gnome", "--undo", "--yes", environ=environ)
    assert (done.returncode, done.stdout.splitlines()[1:]) == (0, ["It is gone from the bar."])
    assert enabled(environ) == "['a@b']"
    assert os.listdir(os.path.dirname(gnome.locate_directory(environ))) == []
    assert "nothing to undo" in ullage("setup", "gnome", "--undo", environ=environ).stdout


def test_gnome_where_there_is_none(environ: dict[str, str]) -> None:
    environ["PATH"] = environ["PATH"].split(os.pathsep)[0]
    done = ullage("setup", "gnome", "--yes", environ=environ)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("ullage: No `gnome-shell` is on your PATH.")


def test_plasma_set_up_and_undone(environ: dict[str, str]) -> None:
    environ["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=/nowhere"
    done = ullage("setup", "plasma", "--yes", environ=environ)
    assert done.returncode == 0, done.stderr
    assert "Add it: right-click a panel, Add Widgets, ullage." in done.stdout
    directory = plasma.locate_directory(environ)
    with open(os.path.join(directory, "metadata.json")) as file:
        assert json.load(file)["KPlugin"]["Id"] == os.path.basename(directory)
    done = ullage("setup", "plasma", "--undo", "--yes", environ=environ)
    assert done.returncode == 0
    assert os.listdir(os.path.dirname(directory)) == []

"""What is published: wheel and sdist hold what they should, and what they install runs without the repository."""

from __future__ import annotations

import os
import re
import subprocess
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import filelock
import pytest

from tests.support.tools import PYTHON, REPOSITORY, published, run, wait_until
from ullage import __version__

if TYPE_CHECKING:
    from collections.abc import Callable

    from ullage.simulate import Simulator


# What the release workflow says of where it runs.
HOME_PAGE = "https://forge.example/someone/ullage"


def make(command: list[str | Path]) -> None:
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with wheel and sdist in dist/ and the wheel installed in venv/, made once for all workers."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    place = shared / "release"
    with filelock.FileLock(shared / "release.lock"):
        if not (place / "ready").exists():
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("ULLAGE_REPOSITORY_URL", HOME_PAGE)
                make([PYTHON, "-m", "build", "--outdir", place / "dist", REPOSITORY])
            make([PYTHON, "-m", "venv", place / "venv"])
            make([place / "venv/bin/pip", "install", "--quiet", next((place / "dist").glob("*.whl"))])
            (place / "ready").touch()
    return place


def test_wheel_holds_the_package_and_the_script_as_it_is(release: Path) -> None:
    [path] = (release / "dist").glob("*.whl")
    assert path.name == f"ullage-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(path) as wheel:
        names = set(wheel.namelist())
        [script] = [name for name in names if name.endswith("/scripts/ullage-prompt")]
        assert wheel.read(script) == (REPOSITORY / "shell/ullage-prompt").read_bytes()
        assert wheel.getinfo(script).external_attr >> 16 & 0o111 == 0o111
    source = REPOSITORY / "src"
    files = (path for path in source.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    modules = {str(path.relative_to(source)) for path in files}
    hooks = {f"ullage/shell/{path.name}" for path in (REPOSITORY / "shell").glob("ullage.*")}
    pages = {f"ullage/docs/{path.name}" for path in (REPOSITORY / "docs").glob("*.md")}
    folders = [REPOSITORY / "desktop" / desktop for desktop in ("gnome", "plasma")]
    listed = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    widgets = {f"ullage/{path.relative_to(REPOSITORY)}" for path in listed}
    assert {name for name in names if name.startswith("ullage/")} == {*modules, *hooks, *pages, *widgets}
    assert not [name for name in names if "test" in name]
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_package_names_the_repository_that_it_was_released_from(release: Path) -> None:
    [path] = (release / "dist").glob("*.whl")
    with zipfile.ZipFile(path) as wheel:
        [name] = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = wheel.read(name).decode()
    addresses = dict(re.findall(r"^Project-URL: (.+?), (.+)$", metadata, re.MULTILINE))
    assert addresses["Source"] == HOME_PAGE
    assert addresses["Issues"] == f"{HOME_PAGE}/issues"
    assert all(address.startswith(HOME_PAGE) for address in addresses.values())


def test_sdist_holds_what_builds_and_tests_it(release: Path) -> None:
    [path] = (release / "dist").glob("*.tar.gz")
    with tarfile.open(path) as sdist:
        members = {member.name.partition("/")[2]: member for member in sdist.getmembers()}
    assert members.keys() >= {
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
        "Makefile",
        "constraints/action.txt",
        "hatch_build.py",
        "shell/ullage-prompt",
        "src/ullage/py.typed",
        "tests/conftest.py",
    }
    assert members["shell/ullage-prompt"].mode & 0o111
    assert not [name for name in members if "__pycache__" in name or name.startswith((".git/", ".venv"))]


def test_installed_programs_run(
    release: Path, environ: dict[str, str], simulate: Callable[..., Simulator], tmp_path: Path
) -> None:
    scripts = release / "venv/bin"
    installed = scripts / "ullage-prompt"
    assert installed.read_bytes() == (REPOSITORY / "shell/ullage-prompt").read_bytes()
    assert installed.stat().st_mode & 0o111 == 0o111
    # Nothing of the repository's own environment is on the path.
    environ["PATH"] = os.defpath
    simulator = simulate("models")
    version = run([str(scripts / "ullage"), "--version"], environ)
    assert version.stdout == f"ullage, version {__version__}\n"
    first = run([str(installed)], environ)
    assert (first.returncode, first.stdout, first.stderr) == (0, "", "")
    wait_until(lambda: published(environ), what="the reading")
    assert simulator.requests == 1
    asked = run([str(scripts / "ullage"), "org", "usage"], environ)
    [page] = re.findall(r"(/\S+/docs/org\.md) explains", asked.stderr)
    assert (release / "venv").resolve() in Path(page).resolve().parents
    assert Path(page).read_bytes() == (REPOSITORY / "docs/org.md").read_bytes()
    for command in ([str(installed)], [str(scripts / "ullage"), "prompt"]):
        shown = run(command, environ)
        assert (shown.stdout, shown.stderr) == ("fable 82%!\n", "")
    assert "82%" in run([str(scripts / "ullage"), "usage"], environ).stdout

"""What runs on Windows alone: on a machine of its own, or in Wine by `make windows`; elsewhere nothing is collected."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.tools import REPOSITORY, SCRIPTS
from ullage.simulate import Simulator, write_account

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

collect_ignore_glob = [] if sys.platform == "win32" else ["test_*.py"]

# Once in some thousands of times Wine does not start a process, and nothing of ours has run. The system's error,
# and what python.exe of an environment says where its interpreter was not started.
INTERNAL_ERROR = 1359
NOT_STARTED = "Unable to create process using"
STANDIN = REPOSITORY / "tests" / "support" / "standins" / "claude"


class Desk:
    """A user's environment on Windows, without HOME, and `ullage.exe` in it."""

    def __init__(self, directory: Path, address: str) -> None:
        self.directory = directory
        self.programs = directory / "programs"
        places = {"USERPROFILE": "zoë", "LOCALAPPDATA": "zoë/AppData/Local", "APPDATA": "zoë/AppData/Roaming"}
        for place in places.values():
            (directory / place).mkdir(parents=True, exist_ok=True)
        self.programs.mkdir()
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("CLAUDE", "ANTHROPIC", "ULLAGE", "XDG_", "HOME", "PYTHON")) and name != "TERM"
        }
        self.environ = {
            **kept,
            **{name: str(directory / place) for name, place in places.items()},
            "PATH": os.pathsep.join([str(self.programs), str(SCRIPTS), os.environ["PATH"]]),
            "ULLAGE_STATE_DIR": str(directory / "state"),
            "ULLAGE_CONFIG": str(directory / "config.toml"),
            "ULLAGE_API_BASE": address,
            "ULLAGE_WEB_BASE": address,
            # An old code page, as where the language of Windows is none of Unicode's alone.
            "PYTHONIOENCODING": "cp437",
        }

    def run(self, *arguments: str, given: str = "", **changes: str) -> subprocess.CompletedProcess[str]:
        """Run `ullage.exe` to its end; what it prints is UTF-8."""
        for last in (False, False, True):
            try:
                done = self._run_once(arguments, given, changes)
            except OSError as error:
                if last or getattr(error, "winerror", 0) != INTERNAL_ERROR:
                    raise
                continue
            if NOT_STARTED not in done.stderr:
                break
        return done

    def _run_once(
        self, arguments: tuple[str, ...], given: str, changes: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(SCRIPTS / "ullage.exe"), *arguments],
            env={**self.environ, **changes},
            input=given,
            capture_output=True,
            encoding="utf-8",
            timeout=180,
            check=False,
            cwd=self.directory,
        )

    def put_script(self, name: str, *lines: str) -> Path:
        """Put a .cmd into PATH."""
        path = self.programs / f"{name}.cmd"
        path.write_text("\r\n".join(["@echo off", *lines, ""]), "utf-8")
        return path

    def put_claude(self) -> None:
        """Put a `claude` into PATH, as npm does, that answers as Claude Code's does."""
        self.put_script("claude", f'"{sys.executable}" "{STANDIN}" %*')

    def cache(self, environ: Mapping[str, str] | None = None) -> Path:
        """Return the cache directory of the default profile."""
        return Path((environ or self.environ)["LOCALAPPDATA"]) / "ullage" / "Cache" / "default"


@contextlib.contextmanager
def set_up(directory: Path, *, source: str) -> Iterator[Desk]:
    with Simulator("models").running() as simulator:
        desk = Desk(directory, simulator.address)
        write_account(str(directory / "claude"))
        desk.environ["CLAUDE_CONFIG_DIR"] = str(directory / "claude")
        desk.environ["ULLAGE_SOURCE"] = source
        yield desk


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk with a reading, which the tests of a module share."""
    with set_up(tmp_path_factory.mktemp("known"), source="oauth") as desk:
        assert desk.run("refresh").stdout == "Refreshed.\n"
        yield desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk that knows nothing yet, where `claude` is the one that answers."""
    with set_up(tmp_path, source="claude-cli") as desk:
        desk.put_claude()
        yield desk

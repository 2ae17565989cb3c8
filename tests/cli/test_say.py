"""What names a path or a variable: no control character of it reaches the terminal, in whatever command."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from tests.support.tools import ULLAGE, run
from ullage.store.cache import ProfileCache

HOSTILE = "a\x1b]0;owned\x07\x9b31m\u202eb"
COMMANDS = (
    ["usage"],
    ["usage", "--all"],
    ["config"],
    ["config", "check"],
    ["config", "write"],
    ["config", "write"],
    ["setup", "bash", "--yes"],
    ["setup", "bash", "--undo", "--yes"],
    ["setup", "claude-code", "--yes"],
    ["setup", "claude-code"],
    ["doctor"],
    ["refresh"],
    ["prompt"],
    ["history"],
    ["sources"],
    ["tokens"],
    ["guard"],
    ["alerts"],
)


@pytest.fixture
def hostile(environ: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """Every directory has a name that a terminal would act on."""
    home = tmp_path / HOSTILE
    (home / "claude").mkdir(parents=True, mode=0o700)
    places = {"HOME": home, "ULLAGE_CACHE_DIR": home / "cache", "ULLAGE_STATE_DIR": home / "state"}
    environ.update({name: str(path) for name, path in places.items()})
    environ.update(ULLAGE_CONFIG=str(home / "config.toml"), CLAUDE_CONFIG_DIR=str(home / "claude"))
    ProfileCache(environ).make_private()
    (Path(ProfileCache(environ).directory) / "plain.timeline").touch()
    return environ


def test_no_path_speaks_to_the_terminal(hostile: dict[str, str]) -> None:
    for command in COMMANDS:
        said = run([ULLAGE, *command], {**hostile, "NO_COLOR": "1"})
        shown = said.stdout + said.stderr
        assert "Traceback" not in shown, command
        bad = [c for c in shown if unicodedata.category(c) in ("Cc", "Cf") and c not in "\n\t"]
        assert bad == [], command


@pytest.mark.parametrize("name", ["ULLAGE_SOURCE", "ULLAGE_API_BASE", "ULLAGE_CACHE_DIR", "ULLAGE_CONFIG", "HOME"])
def test_no_variable_speaks_to_the_terminal(name: str, environ: dict[str, str]) -> None:
    for command in (["usage"], ["config"], ["doctor"], ["guard"]):
        said = run([ULLAGE, *command], {**environ, "NO_COLOR": "1", name: HOSTILE})
        assert "Traceback" not in said.stderr, command
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & {*said.stdout, *said.stderr}, command
    assert os.path.isabs(environ["HOME"])

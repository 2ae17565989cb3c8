"""A module that a full disk has cut short when Python compiled it: one line, an exit code of ours, no traceback."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

import pytest

from tests.support.tools import PYTHON, REPOSITORY, run

pytestmark = pytest.mark.process


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the program, whose compiled files the test may spoil."""
    ignored = shutil.ignore_patterns("__pycache__")
    return Path(shutil.copytree(REPOSITORY / "src" / "ullage", tmp_path / "copy" / "ullage", ignore=ignored))


@pytest.mark.parametrize(
    ("arguments", "module", "expected"),
    [
        (["usage"], "store/cache.py", 5),
        (["guard"], "base/text.py", 5),
        (["config", "get"], "cli/config.py", 5),
        (["statusline"], "claude_code/statusline.py", 5),
        (["hook"], "guard/__init__.py", 5),
        (["hook", "--fail-closed"], "guard/__init__.py", 2),
    ],
)
def test_a_module_cut_short_is_named_in_one_line(
    copy: Path, environ: dict[str, str], arguments: list[str], module: str, expected: int
) -> None:
    environ |= {"PYTHONPATH": str(copy.parent), "ULLAGE_SOURCE": "statusline"}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [PYTHON, "-m", "ullage", *arguments]
    run(command, environ, input="")
    compiled = Path(importlib.util.cache_from_source(str(copy / module)))
    os.truncate(compiled, 900)
    said = run(command, environ, input="")
    assert (said.returncode, said.stdout) == (expected, "")
    line = f"ullage: A full disk has cut a file of it short. Remove the directories __pycache__ below {copy}."
    assert said.stderr.strip("\n") == line

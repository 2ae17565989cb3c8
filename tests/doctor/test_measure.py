"""What is timed is what runs; how long it takes is nobody's business here."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.tools import need
from ullage.doctor import measure

if TYPE_CHECKING:
    from pathlib import Path

# Our own code starts what it measures.
pytestmark = pytest.mark.process


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "_SECONDS", 180)


HOOKS = {
    "bash": "f() { echo x >>'%s'; }; PROMPT_COMMAND='f;'",
    "zsh": "f() { echo x >>'%s' }; precmd_functions+=(f)",
    "fish": "function f --on-event fish_prompt; echo x >>'%s'; end",
}


@pytest.mark.parametrize("shell", ["elvish", "nushell", "xonsh"])
def test_shells_that_start_slowly_time_their_own_hook(environ: dict[str, str], shell: str) -> None:
    with measure.cache(environ, int(time.time())) as inside:
        taken = measure.hook(shell, need(shell), inside)
    assert taken is not None
    assert taken > 0


@pytest.mark.parametrize("shell", HOOKS)
def test_a_hook_runs_at_every_prompt_that_is_timed(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shell: str
) -> None:
    count, code = tmp_path / "count", tmp_path / "code"
    code.write_text(HOOKS[shell] % count + "\n")
    monkeypatch.setattr(measure, "_ULLAGE", ["sh", "-c", f"cat '{code}'"])
    with measure.cache(environ, int(time.time())) as inside:
        taken = measure.hook(shell, need(shell), inside)
    assert taken is not None
    assert taken > 0
    assert count.read_text().count("x") == 3 * 500


@pytest.mark.parametrize("code", ["exit 1", "true", "echo 'exit 7'"])
def test_a_hook_that_does_not_run_is_not_timed(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    monkeypatch.setattr(measure, "_ULLAGE", ["sh", "-c", code])
    with measure.cache(environ, int(time.time())) as inside:
        assert measure.hook("bash", need("bash"), inside) is None


def test_programs_are_timed_against_a_cache_of_their_own(environ: dict[str, str]) -> None:
    with measure.cache(environ, int(time.time())) as inside:
        timed = measure.programs(inside)
        left = inside["ULLAGE_CACHE_DIR"]
        assert inside["HOME"] != environ["HOME"]
    assert timed["ullage-prompt"]
    assert timed["ullage prompt"]
    assert not os.path.exists(left)
    assert not os.path.exists(environ["ULLAGE_CACHE_DIR"])


def test_a_program_that_is_not_there_is_not_timed(environ: dict[str, str]) -> None:
    environ["PATH"] = "/nonexistent"
    with measure.cache(environ, int(time.time())) as inside:
        assert measure.programs(inside)["ullage-prompt"] is None

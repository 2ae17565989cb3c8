"""Prompts that something saves and restores, and what reads or exports them: the segment stands there once."""

from __future__ import annotations

import re
import sys
import time
import venv
from typing import TYPE_CHECKING

import pytest

from tests.support.shells import BASH, SHELLS, ZSH, publish
from tests.support.tools import need, published, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.shells import Shell
    from tests.support.terminal import Terminal
    from ullage.simulate import Simulator

each_shell = pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell.version)
each_posix_shell = pytest.mark.parametrize("shell", [BASH, ZSH], ids=lambda shell: shell.version)


@pytest.fixture(autouse=True)
def _somewhere(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(environ["HOME"])


@each_shell
def test_deactivate_leaves_one_segment_whatever_the_colour_has_become(
    shell: Shell, environ: dict[str, str], tmp_path: Path
) -> None:
    venv.create(tmp_path / "env", with_pip=False, symlinks=sys.platform != "win32")
    publish(environ, [("42%", "normal")])
    suffix = ".fish" if shell.name == "fish" else ""
    with shell.start(environ, [shell.prompt, shell.init()]) as terminal:
        terminal.wait_for_line("42% $")
        terminal.enter(f"source {tmp_path}/env/bin/activate{suffix}")
        terminal.wait(lambda terminal: "(env)" in terminal.line and "42% " in terminal.line, "the environment's prompt")
        publish(environ, [("82%!", "warning"), " ", ("97%!!", "critical")])
        terminal.enter("")
        terminal.wait(lambda terminal: "(env)" in terminal.line and "82%! 97%!!" in terminal.line, "another colour")
        terminal.enter("deactivate")
        terminal.wait_for_line("82%! 97%!! $")
        publish(environ, [("7%", "normal")])
        terminal.enter("clear")
        terminal.wait(lambda terminal: terminal.text == "7% $", "one segment")


@pytest.mark.parametrize("promptvars", ["shopt -s promptvars", "shopt -u promptvars"])
def test_prompt_saved_by_hand_in_bash(environ: dict[str, str], promptvars: str) -> None:
    publish(environ, [("42%", "normal")])
    with BASH.start(environ, [BASH.prompt, promptvars, BASH.init()]) as terminal:
        terminal.wait_for_line("42% $")
        terminal.enter('saved=$PS1; PS1="(env) $PS1"')
        publish(environ, [("82%!", "warning")])
        terminal.enter("")
        terminal.wait_for_line("(env) 82%! $")
        terminal.enter("PS1=$saved")
        terminal.wait_for_line("82%! $")
        terminal.enter("clear")
        terminal.wait(lambda terminal: terminal.text == "82%! $", "one segment")


# What VS Code's shell integration for zsh does to a prompt, in its own words: marks around it for the time of editing.
_VSCODE = """\
__vsc_in_command_execution=1
__vsc_update_prompt() {
    __vsc_prior_prompt="$PS1"
    __vsc_in_command_execution=""
    PS1="%{$(printf '\\033]633;A\\007')%}$PS1%{$(printf '\\033]633;B\\007')%}"
}
__vsc_precmd() { if [ -n "$__vsc_in_command_execution" ]; then __vsc_update_prompt; fi; }
__vsc_preexec() { PS1="$__vsc_prior_prompt"; __vsc_in_command_execution=1; }
add-zsh-hook precmd __vsc_precmd
add-zsh-hook preexec __vsc_preexec
"""


@pytest.mark.parametrize("order", ["before", "after"])
def test_landing_while_a_line_is_edited_between_the_marks_of_vs_code(
    environ: dict[str, str], simulate: Callable[..., Simulator], order: str
) -> None:
    simulate("models")
    rc = [
        ZSH.prompt,
        "autoload -Uz add-zsh-hook",
        *([_VSCODE, ZSH.init()] if order == "after" else [ZSH.init(), _VSCODE]),
    ]
    with ZSH.start(environ, rc) as terminal:
        terminal.wait(lambda terminal: terminal.line.endswith("$"), "the prompt")
        terminal.send("echo typed")
        wait_until(lambda: b"%" in published(environ), what="the reading")
        terminal.wait(lambda terminal: terminal.line == "fable 82%! $ echo typed", "the landing")
        publish(environ, [("7%", "normal")])
        terminal.send("\r")
        terminal.wait(lambda terminal: "typed" in terminal.lines and terminal.line == "7% $", "the next prompt")
        publish(environ, [("97%!!", "critical")])
        terminal.enter("clear")
        terminal.wait(lambda terminal: terminal.text == "97%!! $", "one segment")


def _typed(terminal: Terminal, number: int) -> bool:
    terminal.enter(f"echo $(({number} + 0))")
    time.sleep(0.3)
    return str(number) in re.findall(r"\d+(?= *$)", terminal.text, re.MULTILINE)


@each_posix_shell
@pytest.mark.parametrize("child", ["bash --norc", "bash --norc --posix -u", "zsh -f", "dash", "sh", "busybox sh"])
def test_exported_prompt_is_harmless_in_any_child(shell: Shell, child: str, environ: dict[str, str]) -> None:
    publish(environ, [("42%", "normal")])
    need(child.split()[0])
    with shell.start(environ, [f"export {shell.prompt}", "export PROMPT_COMMAND=true", shell.init()]) as terminal:
        terminal.wait_for_line("42% $")
        terminal.enter(child)
        # What is typed while a shell starts may be lost.
        for number in (77, 78):
            terminal.wait(lambda terminal, number=number: _typed(terminal, number), "the child's answer")  # type: ignore[misc]
        for word in ("not found", "ullage_hook", "%{", "unbound", "V."):
            assert word not in terminal.text


def test_nested_shell_that_reads_no_dotfile_has_no_hook_to_miss(environ: dict[str, str]) -> None:
    publish(environ, "42%")
    # What bash before 5.1 does, which has no list of commands.
    old = BASH.init().replace(')"', " | sed 's/== 5\\[1-9\\]/== 9[1-9]/; s/-gt 5/-gt 8/')\"")
    with BASH.start(environ, [BASH.prompt, "export PROMPT_COMMAND='printf .'", old]) as terminal:
        terminal.wait_for_line(".42% $")
        terminal.enter("echo \"<$PROMPT_COMMAND>\"; PS1='> ' bash --norc")
        terminal.wait_for_line(".>")
        assert "__ullage_hook" in terminal.text
        terminal.enter("(exit 3)")
        terminal.enter("echo status $?")
        terminal.wait_for("status 3")
        assert "not found" not in terminal.text

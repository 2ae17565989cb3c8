"""Prompts that begin with an empty line, or draw a frame as wide as the terminal: the segment breaks none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.shells import BASH, FISH, FISH_4, ZSH, publish

if TYPE_CHECKING:
    from tests.support.shells import Shell

EMPTY_FIRST = {
    "bash": [r"PS1='\n$ '", "PS1=$'\\n$ '"],
    "zsh": ["PROMPT=$'\\n$ '", "setopt prompt_subst; mark='$'; PROMPT=$'\\n\\n$mark '"],
    "fish": ["function fish_prompt; builtin printf '\\n$ '; end"],
}


@pytest.mark.parametrize(
    ("shell", "prompt"),
    [(shell, prompt) for shell in (BASH, ZSH, FISH, FISH_4) for prompt in EMPTY_FIRST[shell.name]],
    ids=lambda value: getattr(value, "version", None),
)
def test_segment_stands_on_the_line_that_people_read(shell: Shell, prompt: str, environ: dict[str, str]) -> None:
    publish(environ, [("42%", "normal")])
    with shell.start(environ, [prompt, shell.init()]) as terminal:
        terminal.wait_for_line("42% $")
        terminal.enter("echo next")
        terminal.wait(lambda terminal: "next" in terminal.lines and terminal.line == "42% $", "the next prompt")
        assert terminal.lines[terminal.screen.cursor.y - 1] == ""


@pytest.mark.parametrize("shell", [FISH, FISH_4], ids=lambda shell: shell.version)
def test_prompt_below_an_empty_line_may_be_changed_and_sees_the_status(shell: Shell, environ: dict[str, str]) -> None:
    publish(environ, "42%")
    prompt = "function fish_prompt; printf '\\n<%s> ' \"$status $pipestatus\"; end"
    with shell.start(environ, [prompt, shell.init()]) as terminal:
        terminal.wait_for_line("42% <0 0>")
        terminal.enter("emit fish_prompt; emit fish_prompt")
        terminal.wait_for_line("42% <0 0>")
        terminal.enter("false | sh -c 'exit 7'")
        terminal.wait_for_line("42% <7 1 7>")
        terminal.enter(shell.prompt)
        terminal.enter("")
        terminal.wait_for_line("42% $")


@pytest.mark.parametrize("theme", ["adam2", "jonathan"])
def test_frame_as_wide_as_the_terminal_is_not_broken(theme: str, environ: dict[str, str]) -> None:
    publish(environ, [("42%", "normal")], then=[(3, [("82%!", "warning")])])
    # adam2 comes with zsh; what the other, which comes with oh-my-zsh, does to fill its line.
    themes = {
        "adam2": "autoload -Uz promptinit; promptinit; prompt adam2 8bit",
        "jonathan": "setopt prompt_subst; precmd() { bar=${(l:COLUMNS-12::-:):-} }; "
        "PROMPT=$'%{\\e[36m%}<%~${bar}>%{\\e[0m%}\\n$ '",
    }
    with ZSH.start(environ, [themes[theme], "cd /", ZSH.init()]) as terminal:
        terminal.wait(lambda terminal: terminal.lines[0] == "42%", "the segment above")
        frame = terminal.lines[1]
        assert len(frame) > 60
        for number in range(3):
            terminal.enter(f"clear; echo {number}")
            terminal.wait(lambda terminal, first=str(number): terminal.lines[0] == first, "the output")  # type: ignore[misc]
            terminal.wait(
                lambda terminal: terminal.lines[1][-1:] in ("%", "!") and terminal.lines[2] == frame, "the frame"
            )
            terminal.wait(lambda terminal: terminal.screen.cursor.y == 3, "the last line")
        terminal.enter("ullage_off; clear; echo off")
        terminal.wait(lambda terminal: terminal.lines[:2] == ["off", frame], "no empty line")


@pytest.mark.parametrize("shell", [FISH, FISH_4], ids=lambda shell: shell.version)
@pytest.mark.parametrize("first", ["", "\\n"], ids=["frame", "frame below an empty line"])
def test_frame_in_fish_is_not_broken(shell: Shell, first: str, environ: dict[str, str]) -> None:
    publish(environ, [("42%", "normal")])
    # What tide's prompt of two lines does to fill its first.
    frame = "(set_color red)top(set_color normal)(string repeat -n (math $COLUMNS - 6) -)end"
    prompt = f"function fish_prompt; printf '{first}%s\\n$ ' (string join '' {frame}); end"
    with shell.start(environ, [prompt, shell.init()]) as terminal:
        terminal.wait(lambda terminal: "42%" in terminal.lines, "the segment on a line of its own")
        above = terminal.lines.index("42%")
        terminal.wait(lambda terminal: terminal.lines[above + 1 : above + 3] == ["top" + "-" * 74 + "end", "$"])
        terminal.enter("ullage_off; clear; echo off")
        frame = "top" + "-" * 74 + "end"
        terminal.wait(lambda terminal: terminal.text.split() == ["off", frame, "$"], "the frame alone")


def test_line_with_room_has_the_segment_in_it(environ: dict[str, str]) -> None:
    publish(environ, "42%")
    with ZSH.start(environ, ["PROMPT=$'%F{red}top%f line\\n$ '", ZSH.init()]) as terminal:
        terminal.wait(lambda terminal: terminal.lines[:2] == ["42% top line", "$"])


@pytest.mark.parametrize("shell", [FISH, FISH_4], ids=lambda shell: shell.version)
def test_done_lines_of_starship_lose_the_segment(shell: Shell, environ: dict[str, str]) -> None:
    publish(environ, "42%")
    # What `enable_transience` of starship does when Enter is pressed.
    starship = """\
function fish_prompt
    if test "$TRANSIENT" = 1
        set -g TRANSIENT 0
        printf '\\e[0J> '
    else
        printf '$ '
    end
end
function transient_execute
    commandline --is-valid; or test -z "$(commandline | string collect)"; and begin
        set -g TRANSIENT 1
        commandline -f repaint
    end
    commandline -f execute
end
bind \\r transient_execute"""
    with shell.start(environ, [starship, shell.init()]) as terminal:
        terminal.wait_for_line("42% $")
        terminal.enter("echo next")
        terminal.wait(lambda terminal: terminal.lines[:3] == ["> echo next", "next", "42% $"], "the done line")

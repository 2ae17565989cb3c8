"""What a user calls things: variables, functions and aliases of every name leave the hook alone, and are left alone."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.shells import BASH, SHELLS, ZSH, a_refresh_under_way, publish
from tests.support.tools import REPOSITORY, need, run

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.support.shells import Shell

each_shell = pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell.version)
PROMPTS = 100

# What scripts call their variables. `status` and some others belong to a shell, which says so.
EVERYDAY = [
    *("after", "age", "before", "begin", "clock", "colour", "columns", "command", "data", "date", "day"),
    *("directory", "due", "end", "file", "fn", "from", "header", "home", "i", "item", "key", "level", "line", "lines"),
    *("locale", "me", "n", "name", "now", "path_", "piece", "pieces", "place", "plain", "profile", "program"),
    *("result", "root", "segment", "shown", "start", "state", "surface", "tail", "text", "theirs", "time_", "tmp"),
    *("until", "update", "user_", "value", "version_", "whole", "x"),
]


@pytest.fixture(autouse=True)
def _somewhere(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(environ["HOME"])


@pytest.fixture
def bash() -> str:
    return os.environ.get("ULLAGE_TEST_BASH") or need("bash")


# Prints all variables and functions that there are, with their values.
_DUMPS = {
    "bash": "{{ (set -o posix; set); declare -f; alias; shopt; set -o; }} >{}",
    "zsh": "{{ typeset -p; functions; alias; setopt; }} >{}",
    "fish": "begin; set --show; functions --all --names; end >{}",
}
# What a shell itself changes from prompt to prompt, and how it says that.
_ITS_OWN = re.compile(
    r"(BASH_\w+|EPOCH\w+|RANDOM|SRANDOM|SECONDS|LINENO|_|PIPESTATUS|HISTCMD|PPID|BASHPID|FUNCNAME|COLUMNS|LINES|"
    r"history\w*|epochtime|TTYIDLE|pipestatus|status|_comp\w*|jobstates|funcstack|funcfiletrace|funcsourcetrace|"
    r"functrace|dirstack|userdirs|usergroups|nameddirs|historywords|funcstack|CMD_DURATION|status_generation|last_pid|hash_commands|"
    r"commands|parameters|functions\w*|options|widgets|keymaps|builtins|modules|mapfile|psvar|PSVAR|PROMPT|PS1|prompt|"
    r"precmd_functions|PROMPT_COMMAND|killring|fish_killring|fish_pid|fish_handle_reflow)\b"
)


def _known(dump: str) -> set[str]:
    """Return the lines of a dump that say what is the user's."""
    kept = set()
    is_ours = False
    for line in dump.splitlines():
        name = re.sub(r"^(typeset|export|declare)( [-+]\w+)* |^\$|^set [-\w ]*", "", line)
        function = re.match(r"(\w+) \(\) ?\{?", line)
        if function:
            is_ours = bool(re.match(r"_*ullage|prompt_ullage", function[1]))
        # The words of a function of ours are indented below its name.
        ours = re.match(r"_*ullage|_*ULLAGE|prompt_ullage|fish_mode_prompt", name) or (
            is_ours and (line[:1] in " \t{}" or function)
        )
        if not ours and not _ITS_OWN.match(name):
            kept.add(line)
    return kept


@each_shell
def test_hundred_prompts_change_no_variable_and_no_function(shell: Shell, environ: dict[str, str], bash: str) -> None:
    publish(environ, [("42%", "normal")], then=[(second, f"{second}%") for second in range(1, 40)], due_in=-1)
    scopes = ("-g", "-U") if shell.name == "fish" else ("",)
    values = [
        f"set {scopes[number % 2]} {name} mine" if shell.name == "fish" else f"{name}=mine"
        for number, name in enumerate(EVERYDAY)
    ]
    lines = [shell.prompt, *values, "function named; end" if shell.name == "fish" else "named() { :; }", shell.init()]
    program = bash if shell is BASH else ""
    with a_refresh_under_way(environ), shell.start(environ, lines, program=program) as terminal:
        terminal.wait(lambda terminal: terminal.line.endswith("% $"), "the first prompt")
        terminal.enter(_DUMPS[shell.name].format("before") + "; echo dum''ped")
        terminal.wait_for("dumped")
        for _ in range(PROMPTS // 10):
            terminal.enter("clear; echo shown")
            terminal.wait_for("shown")
            terminal.send("\r" * 9)
        terminal.enter("clear")
        terminal.enter(_DUMPS[shell.name].format("after") + "; echo dum''ped again")
        terminal.wait_for("dumped again")
    before, after = (_known(Path(environ["HOME"], name).read_text()) for name in ("before", "after"))
    assert len(before) > len(EVERYDAY)
    assert (before - after, after - before) == (set(), set())


def _words(shell: Shell) -> set[str]:
    """Return every word of a hook's file that could be a command's name."""
    text = (REPOSITORY / "shell" / f"ullage.{shell.name}").read_text()
    return set(re.findall(r"(?<![\w$-])[a-z]+(?![\w-])", re.sub(r"(?m)(^|\s)#.*", "", text)))


def _builtins(shell: Shell) -> set[str]:
    ask = {"bash": "compgen -b", "zsh": "print -l ${(k)builtins}", "fish": "builtin --names"}[shell.name]
    options = {"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[shell.name]
    return set(run([need(shell.version), *options, "-c", ask], {"PATH": os.environ["PATH"]}).stdout.split())


def _is_reserved_in_fish(word: str) -> bool:
    return (
        run([need("fish"), "--no-config", "-c", f"function {word}; end"], {"PATH": os.environ["PATH"]}).returncode != 0
    )


def _shadows(shell: Shell, words: Iterable[str]) -> list[str]:
    lines = []
    for word in sorted(words):
        if shell.name == "fish":
            # fish's own functions call them too, from files that may lie in a directory of our name.
            ours = "status stack-trace | string match -qr 'in function .(_*ullage|fish_mode_prompt)|of file -$'"
            lines.append(f"function {word}; {ours}; and command touch stolen-{word}; builtin {word} $argv; end")
        else:
            lines.append(f"{word}() {{ command touch stolen-{word}; }}")
    return lines


@each_shell
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("due_in", [3600, -1], ids=["fresh", "due"])
def test_functions_of_the_user_stand_for_no_builtin(
    shell: Shell, when: str, due_in: int, environ: dict[str, str], bash: str
) -> None:
    publish(environ, [("42%", "normal")], due_in=due_in)
    # Without these two no script could call a builtin at all, and the words of the language are no commands.
    words = (_words(shell) & _builtins(shell)) - {"builtin", "command", "source", "eval"}
    words |= {"date", "touch"} if shell.name != "fish" else set()
    if shell.name == "fish":
        words = {word for word in words if not _is_reserved_in_fish(word)}
    shadows = _shadows(shell, words)
    # What loads the hook is the user's own line.
    lines = [*shadows, shell.init()] if when == "before" else [shell.init(), *shadows]
    prompt = shell.prompt.replace("echo", "builtin echo")
    with (
        a_refresh_under_way(environ),
        shell.start(environ, [prompt, *lines], program=bash if shell is BASH else "") as terminal,
    ):
        terminal.wait_for_line("42% $")
        terminal.enter("")
        terminal.wait(lambda terminal: terminal.lines[:2] == ["42% $", "42% $"], "the next prompt")
    assert len(words) > 4
    assert sorted(path.name for path in Path(environ["HOME"]).glob("stolen-*")) == []


@pytest.mark.parametrize("shell", [BASH, ZSH], ids=lambda shell: shell.version)
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("way", ["init", "source"])
def test_aliases_of_the_user_stand_for_no_command(
    shell: Shell, when: str, way: str, environ: dict[str, str], bash: str
) -> None:
    publish(environ, [("42%", "normal")], due_in=-1)
    words = _words(shell) & (_builtins(shell) | {"date"})
    if way == "source":
        words -= {"source", "eval"}
    load = shell.init() if way == "init" else f"\\source {REPOSITORY}/shell/ullage.{shell.name}"
    aliases = [f"\\alias {word}='command touch stolen-{word};'" for word in sorted(words - {"eval"})]
    # The user's own prompt and line come first, or are quoted.
    lines = [*aliases, load] if when == "before" else [load, *aliases]
    with (
        a_refresh_under_way(environ),
        shell.start(environ, [shell.prompt, *lines], program=bash if shell is BASH else "") as terminal,
    ):
        terminal.wait_for_line("42% $")
        terminal.send("\r")
        terminal.wait(lambda terminal: terminal.lines[:2] == ["42% $", "42% $"], "the next prompt")
        terminal.enter("\\builtin alias shown='echo shown'; \\builtin eval shown")
        terminal.wait(lambda terminal: "shown" in terminal.lines, "aliases, which are still on")
    assert sorted(path.name for path in Path(environ["HOME"]).glob("stolen-*")) == []


@pytest.mark.parametrize("shell", [BASH, ZSH], ids=lambda shell: shell.version)
@pytest.mark.parametrize("due_in", [3600, -1], ids=["fresh", "due"])
def test_readonly_variables_of_everyday_names(shell: Shell, due_in: int, environ: dict[str, str], bash: str) -> None:
    publish(environ, [("42%", "normal")], due_in=due_in)
    names = [*EVERYDAY, "status"] if shell is BASH else EVERYDAY
    lines = [shell.prompt, *(f"readonly {name}=mine" for name in names), shell.init()]
    with a_refresh_under_way(environ), shell.start(environ, lines, program=bash if shell is BASH else "") as terminal:
        terminal.wait(lambda terminal: terminal.lines[0] == "42% $", "the first prompt, and nothing before it")
        terminal.enter("")
        terminal.wait(lambda terminal: terminal.lines[:2] == ["42% $", "42% $"], "the next prompt")


@pytest.mark.parametrize("shell", [BASH, ZSH], ids=lambda shell: shell.version)
@pytest.mark.parametrize("known", [True, False])
def test_trace_does_not_show_the_hook(shell: Shell, known: bool, environ: dict[str, str], bash: str) -> None:
    if known:
        publish(environ, [("42%", "normal")], then=[(1, "43%"), (2, "44%"), (3, "45%")], due_in=-1)
    # Nothing of the shell's own either: what a prompt says besides would be traced too.
    program = bash if shell is BASH else ""
    with a_refresh_under_way(environ), shell.start(environ, [shell.prompt, shell.init()], program=program) as terminal:
        terminal.wait_for("$")
        terminal.enter("set -x")
        for number in range(3):
            terminal.enter(f"echo {number} | cat; sleep 1")
            terminal.wait(lambda terminal, shown=str(number): shown in terminal.lines, "the output")  # type: ignore[misc]
        terminal.enter("set +x; echo finished")
        terminal.wait(lambda terminal: "finished" in terminal.lines)
        assert "ullage" not in terminal.text


def test_assignments_may_stand_anywhere(environ: dict[str, str], bash: str) -> None:
    publish(environ, [("42%", "normal")], due_in=-1)
    with (
        a_refresh_under_way(environ),
        BASH.start(environ, [BASH.prompt, "set -k", BASH.init()], program=bash) as terminal,
    ):
        terminal.wait_for_line("42% $")
        terminal.enter("")
        terminal.wait(lambda terminal: terminal.lines[:2] == ["42% $", "42% $"], "the next prompt")


@pytest.mark.parametrize("shell", [BASH, ZSH], ids=lambda shell: shell.version)
def test_segment_for_starship_is_exported_where_assignments_may_stand_anywhere(
    shell: Shell, environ: dict[str, str], bash: str
) -> None:
    publish(environ, "42%")
    rc = [shell.prompt, "set -k" if shell is BASH else "setopt force_float", shell.init("--starship")]
    with shell.start(environ, rc, program=bash if shell is BASH else "") as terminal:
        terminal.wait_for_line("$")
        terminal.enter("printenv ULLAGE_SEGMENT")
        terminal.wait(lambda terminal: terminal.lines[1] == "42%")

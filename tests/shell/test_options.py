"""The hooks under every option that changes what a line of shell means: nothing is printed, the shell lives on."""

from __future__ import annotations

import itertools
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.shells import BASH, ZSH, a_refresh_under_way, publish
from tests.support.tools import REPOSITORY, ULLAGE, need, run, wait_until
from ullage.system.places import locate_profile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.support.shells import Shell
    from tests.support.terminal import Terminal
    from ullage.simulate import Simulator

HOSTILE = "A$(touch pwned)`touch pwned`${HOME}%n!!\\u\\[&100%"
FRESH, DUE = 3600, -1

BASH_OPTIONS = [
    list(filter(None, options))
    for options in itertools.product(
        ["", "set -e"],
        ["", "set -u"],
        ["", "set -o posix"],
        ["", "shopt -u promptvars"],
        ["unset PROMPT_COMMAND", "PROMPT_COMMAND='printf .; '", "PROMPT_COMMAND=('printf .' 'printf .')"],
    )
]
ZSH_OPTIONS = [
    *itertools.product(["", "prompt_subst"], ["", "prompt_bang"], ["", "ksh_arrays"], ["", "no_unset err_exit"]),
    ("sh_word_split", "glob_subst"),
    ("warn_create_global", "warn_nested_var"),
    ("err_return", "pipe_fail"),
    ("no_monitor",),
    ("no_clobber", "no_glob"),
    ("csh_null_glob", "no_nomatch"),
    ("rc_expand_param", "rc_quotes"),
    ("posix_builtins", "posix_identifiers"),
    ("no_prompt_cr", "typeset_silent"),
    ("no_multi_func_def", "no_function_argzero"),
    ("octal_zeroes", "c_bases"),
    ("no_bare_glob_qual", "sh_glob"),
    ("extended_glob", "ksh_glob"),
    ("local_options", "all_export"),
    ("ignore_braces", "ignore_close_braces"),
    ("force_float",),
    ("no_multibyte",),
]


@pytest.fixture(autouse=True)
def _somewhere(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(environ["HOME"])


def _three_prompts(terminal: Terminal, prompt: str, before: str = "") -> None:
    """See three prompts, one after a command that fails, with nothing between them."""
    terminal.wait(lambda terminal: terminal.lines[0] == before + prompt, "the first prompt")
    terminal.enter("echo two")
    terminal.wait(lambda terminal: terminal.lines[1:3] == ["two", before + prompt], "the second prompt")
    terminal.enter("false || :; echo three")
    terminal.wait(lambda terminal: terminal.lines[3:5] == ["three", before + prompt], "the third prompt")


def _fresh_and_due_in_turn(options: Sequence[str], more: bool = False) -> int:
    """Whether a refresh is due changes with every option that is added: each is met with both, at half the cost."""
    return DUE if (sum(map(bool, options)) + more) % 2 else FRESH


@pytest.mark.parametrize(
    ("options", "due_in"),
    [(options, _fresh_and_due_in_turn(options)) for options in BASH_OPTIONS],
    ids=map(" ".join, BASH_OPTIONS),
)
def test_bash(options: Sequence[str], due_in: int, environ: dict[str, str], bash: str) -> None:
    publish(environ, [("42%", "normal"), " ", HOSTILE], due_in=due_in)
    text = f"42% {HOSTILE} $"
    if "shopt -u promptvars" in options and "set -o posix" not in options:
        # What could be run if promptvars came back is defused.
        text = text.replace("$(", "?(").replace("${", "?{").replace("`", "'")
    if "set -o posix" in options:
        # There ! is the number of the line in the history, but not in what PS1 refers to.
        assert "!!" in text
    commands = options[-1].count("printf")
    if "PROMPT_COMMAND=(" in options[-1] and _version(bash) < (5, 1):
        commands = 1
    lines = [*options, BASH.prompt, BASH.init()]
    # In this order: the first prompt may start a refresh.
    with a_refresh_under_way(environ), BASH.start(environ, lines, columns=150, program=bash) as terminal:
        _three_prompts(terminal, text, "." * commands)
    assert not (Path(environ["HOME"]) / "pwned").exists()


@pytest.mark.parametrize("options", ZSH_OPTIONS, ids=lambda options: " ".join(filter(None, options)))
@pytest.mark.parametrize("when", ["before", "after"])
def test_zsh(options: Sequence[str], when: str, environ: dict[str, str]) -> None:
    due_in = _fresh_and_due_in_turn(options, when == "after")
    publish(environ, [("42%", "normal"), " ", HOSTILE], due_in=due_in)
    setting = ["setopt " + " ".join(options)] if any(options) else []
    lines = [*setting, ZSH.init()] if when == "before" else [ZSH.init(), *setting]
    with a_refresh_under_way(environ), ZSH.start(environ, [ZSH.prompt, *lines], columns=150) as terminal:
        _three_prompts(terminal, f"42% {HOSTILE} $")
        assert terminal.colours("42%") == ["green"] * 3
    assert not (Path(environ["HOME"]) / "pwned").exists()


@pytest.mark.parametrize("options", ["", "prompt_subst", "prompt_subst prompt_bang"])
@pytest.mark.parametrize("emulate", ["setopt no_prompt_percent", "emulate sh", "emulate ksh"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_zsh_without_percents(emulate: str, options: str, when: str, environ: dict[str, str]) -> None:
    publish(environ, [("42%", "normal"), " ", HOSTILE])
    setting = [emulate, f"setopt {options}" if options else ""]
    lines = [*setting, ZSH.init()] if when == "before" else [ZSH.init(), *setting]
    with ZSH.start(environ, [ZSH.prompt, *lines], columns=150) as terminal:
        # With neither percents nor parameters there is nothing that a prompt could refer with.
        refers = bool(options) or emulate != "setopt no_prompt_percent"
        _three_prompts(terminal, f"42% {HOSTILE} $" if refers else "$")
        terminal.enter("emulate zsh; setopt prompt_percent")
        terminal.wait_for_line(f"42% {HOSTILE} $")
        terminal.enter("clear")
        terminal.wait(lambda terminal: terminal.text == f"42% {HOSTILE} $", "one segment")
        assert terminal.colours("42%") == ["green"] * 3
    assert not (Path(environ["HOME"]) / "pwned").exists()


def test_zsh_has_room_for_many_colours(environ: dict[str, str]) -> None:
    publish(environ, [(f"{number}%", "normal") for number in range(10, 50)])
    with ZSH.start(environ, [ZSH.prompt, ZSH.init()], columns=150) as terminal:
        terminal.wait_for_line("".join(f"{number}%" for number in range(10, 50)) + " $")
        assert terminal.colours("10%11%") == ["green"] * 6
        assert terminal.colours("$") == ["default"]


@pytest.fixture
def bash() -> str:
    """The bash to test; ULLAGE_TEST_BASH names another one, an old one say."""
    return os.environ.get("ULLAGE_TEST_BASH") or need("bash")


def _version(bash: str) -> tuple[int, ...]:
    told = run([bash, "-c", 'printf "%s.%s" "${BASH_VERSINFO[0]}" "${BASH_VERSINFO[1]}"'], {}).stdout
    return tuple(map(int, told.split(".")))


def test_bash_changes_its_mind_about_promptvars(environ: dict[str, str], bash: str) -> None:
    publish(environ, [("42%", "normal"), "$(touch pwned)"])
    with BASH.start(environ, [r"PS1='\nmine $ '", BASH.init()], program=bash) as terminal:
        terminal.wait_for_line("42%$(touch pwned) mine $")
        terminal.enter("shopt -u promptvars; clear")
        terminal.wait_for_line("42%?(touch pwned) mine $")
        publish(environ, [("43%", "warning")])
        terminal.enter("clear")
        terminal.wait_for_line("43% mine $")
        assert terminal.colours("43%") == ["brown"] * 3
        terminal.enter("shopt -s promptvars; clear")
        terminal.wait_for_line("43% mine $")
        terminal.enter("ullage_off; clear")
        terminal.wait_for_line("mine $")
    assert not (Path(environ["HOME"]) / "pwned").exists()


def test_prompt_that_was_pasted_runs_nothing_when_the_hook_is_gone(environ: dict[str, str], bash: str) -> None:
    publish(environ, "$(touch pwned)`touch pwned`$$(touch pwned)${x:=$(touch pwned)}$[$(touch pwned)]")
    with BASH.start(environ, ["shopt -u promptvars", BASH.prompt, BASH.init()], program=bash) as terminal:
        terminal.wait_for("?(touch pwned)")
        terminal.enter("unset PROMPT_COMMAND; shopt -s promptvars; clear")
        terminal.wait(lambda terminal: terminal.lines[0].startswith("?(touch pwned)'touch"))
        terminal.enter("echo done")
        terminal.wait(lambda terminal: "done" in terminal.lines)
    assert not (Path(environ["HOME"]) / "pwned").exists()


def test_prompt_that_the_user_changes_keeps_the_segment(environ: dict[str, str], bash: str) -> None:
    publish(environ, "42%")
    with BASH.start(environ, [BASH.prompt, BASH.init()], program=bash) as terminal:
        terminal.wait_for_line("42% $")
        terminal.enter("PS1='other> '")
        terminal.wait_for_line("42% other>")
        terminal.enter('PS1="more $PS1"')
        terminal.wait_for_line("more 42% other>")


def test_prompt_of_zsh_that_the_user_changes_keeps_the_segment(environ: dict[str, str]) -> None:
    publish(environ, "42%")
    with ZSH.start(environ, [ZSH.prompt, ZSH.init()]) as terminal:
        terminal.wait_for_line("42% $")
        terminal.enter("PROMPT='other> '")
        terminal.wait_for_line("42% other>")
        terminal.enter('PROMPT="more $PROMPT"')
        terminal.wait_for_line("more 42% other>")
        publish(environ, "a % b")
        terminal.enter("")
        terminal.wait_for_line("more a % b other>")


def test_others_may_write_to_psvar(environ: dict[str, str]) -> None:
    publish(environ, [("42%", "normal"), " a:b"])
    theirs = "psvar=(); n=$((n + 1)); psvar[1]=theirs$n"
    with ZSH.start(environ, ["PROMPT='%1v $ '", ZSH.init(), f"precmd() {{ {theirs} }}"]) as terminal:
        terminal.wait_for_line("42% a:b theirs1 $")
        terminal.enter("")
        terminal.wait_for_line("42% a:b theirs2 $")
        publish(environ, "7%")
        terminal.enter("")
        terminal.wait_for_line("7% theirs3 $")


def test_other_commands_of_the_prompt_see_the_status(environ: dict[str, str], bash: str) -> None:
    publish(environ, "42%")
    after = 'PROMPT_COMMAND="$PROMPT_COMMAND;"\'printf "<%s>" "$?"\''
    with BASH.start(environ, [BASH.prompt, BASH.init(), after], program=bash) as terminal:
        terminal.wait_for_line("<0>42% $")
        terminal.enter("(exit 7)")
        terminal.wait_for_line("<7>42% $")


def _fail_once(terminal: Terminal, prompt: str) -> None:
    """See one line of the user's trap after a command that fails, and none beside it."""
    terminal.wait_for_line(prompt)
    terminal.enter("false")
    terminal.wait(lambda terminal: terminal.lines[1:3] == ["trapped", prompt], "the prompt after a failure")
    terminal.enter("echo $?")
    terminal.wait(lambda terminal: terminal.lines[3:5] == ["1", prompt], "the status")
    assert terminal.text.count("trapped") == 1


@pytest.mark.parametrize("trap", ["trap 'echo trapped' ERR", "set -E; trap 'echo trapped' ERR"])
@pytest.mark.parametrize("known", [True, False])
def test_hook_of_bash_sets_off_no_trap_of_the_users(environ: dict[str, str], trap: str, known: bool, bash: str) -> None:
    if known:
        publish(environ, "42%")
    with BASH.start(environ, [BASH.prompt, BASH.init(), trap], program=bash) as terminal:
        _fail_once(terminal, "42% $" if known else "$")


@pytest.mark.parametrize("known", [True, False])
def test_hook_of_zsh_sets_off_no_trap_of_the_users(environ: dict[str, str], known: bool) -> None:
    if known:
        publish(environ, "42%")
    with ZSH.start(environ, [ZSH.prompt, "trap 'echo trapped' ZERR", ZSH.init()]) as terminal:
        _fail_once(terminal, "42% $" if known else "$")


@pytest.mark.parametrize("options", ["", "set -e"])
@pytest.mark.parametrize("variable", ["PS1", "PROMPT_COMMAND"])
def test_bash_lives_on_where_a_variable_is_readonly(
    environ: dict[str, str], variable: str, options: str, bash: str
) -> None:
    publish(environ, "42%")
    rc = [options, BASH.prompt, "PROMPT_COMMAND=:", f"readonly {variable}", f"{BASH.init()} 2>/dev/null", "clear"]
    with BASH.start(environ, rc, program=bash) as terminal:
        _three_prompts(terminal, "$")


def test_zsh_is_quiet_where_the_prompt_is_readonly(environ: dict[str, str]) -> None:
    publish(environ, "42%")
    with ZSH.start(environ, [ZSH.prompt, "readonly PROMPT", ZSH.init(), "setopt err_exit"]) as terminal:
        _three_prompts(terminal, "$")


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("shell", [BASH, ZSH], ids=lambda shell: shell.version)
def test_nothing_is_said_in_a_restricted_shell(environ: dict[str, str], shell: Shell, known: bool, bash: str) -> None:
    if known:
        publish(environ, "42%")
    program, options = (bash, ["-r"]) if shell is BASH else ("", [])
    rc = [shell.prompt, shell.init(), "" if shell is BASH else "setopt restricted"]
    with shell.start(environ, rc, program=program, options=options) as terminal:
        _three_prompts(terminal, "$")


@pytest.mark.parametrize("name", ["a b", "it's", 'q"$(touch pwned)`touch pwned`\\', "ünï"])
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_program_may_lie_anywhere(shell: str, name: str, environ: dict[str, str], tmp_path: Path) -> None:
    directory = tmp_path / name
    directory.mkdir()
    program = directory / "ullage"
    program.symlink_to(ULLAGE)
    quoted = (
        str(program).replace("\\", "\\\\").replace("'", "\\'")
        if shell == "fish"
        else str(program).replace("'", "'\\''")
    )
    load = f"'{quoted}' init fish | source" if shell == "fish" else f"eval \"$('{quoted}' init {shell})\""
    result = run([need(shell), "-c", f'{load}; printf %s "$__ullage_program"'], environ)
    assert (result.stdout, result.stderr) == (str(program), "")


# What bash 3.2, which macOS ships, does not know.
NEWER_THAN_3_2 = {
    "associative array": r"(declare|typeset|local) -[a-zA-Z]*A",
    "name reference": r"(declare|typeset|local) -[a-zA-Z]*n\b",
    "global declaration": r"(declare|typeset) -[a-zA-Z]*g",
    "case conversion": r"\$\{[a-zA-Z_]+(\[[^]]*\])?(\^|,)",
    "transformation": r"\$\{[a-zA-Z_]+(\[[@*]\])?@[A-Za-z]\}",
    "negative index or length": r"\$\{[a-zA-Z_]+\[-|\$\{[a-zA-Z_]+:[^}]*: *-",
    "mapfile": r"\b(mapfile|readarray|coproc)\b",
    "redirection of both": r"&>>|\|&",
    "fall through": r";;?&",
    "variable descriptor": r"\{[a-zA-Z_]+\}[<>]",
    "is set": r"\[\[ -v |test -v ",
    "fraction of a second": r"read [^|;]*-t *(0\b|\d*\.)",
    "array of printf": r"printf -v [a-zA-Z_]+\[",
    "command in the shell": r"\$\{[ |]",
    "shopt of 4": r"shopt -[su] (globstar|autocd|dirspell|checkjobs|lastpipe|inherit_errexit)",
    "unicode escape": r"\$'[^']*\\[uU]",
    "brace with a step": r"\{[0-9]+\.\.[0-9]+\.\.",
    "variable of 4 and 5": r"\$\{?(BASHPID|BASHOPTS|EPOCHREALTIME|SRANDOM|PROMPT_DIRTRIM)",
}

# What each pattern is there to find.
SAMPLES = {
    "associative array": ["declare -A a", "local -rA a"],
    "name reference": ["local -n a=b", "declare -gn a=b"],
    "global declaration": ["declare -g a=1"],
    "case conversion": ["${a^^}", "${a,}", "${a[0]^}"],
    "transformation": ["${a@P}", "${a[@]@Q}"],
    "negative index or length": ["${a[-1]}", "${a:0:-1}", "${a:1: -1}"],
    "mapfile": ["mapfile -t a <f", "readarray a", "coproc cat"],
    "redirection of both": ["cat &>>f", "cat |& cat"],
    "fall through": ["a) ;&", "a) ;;&"],
    "variable descriptor": ["exec {fd}<f", "{fd}>&-"],
    "is set": ["[[ -v a ]]", "test -v a"],
    "fraction of a second": ["read -t 0.1 a", "read -t .1 a", "read -r -t 0 a"],
    "array of printf": ["printf -v a[0] x"],
    "command in the shell": ["${ cat; }", "${|REPLY=1;}"],
    "shopt of 4": ["shopt -s globstar"],
    "unicode escape": ["$'\\u00e9'", "$'a\\U1f600'"],
    "brace with a step": ["{1..9..2}"],
    "variable of 4 and 5": ["$BASHPID", "${EPOCHREALTIME-}"],
}


@pytest.mark.parametrize("what", NEWER_THAN_3_2)
def test_newer_syntax_would_be_found(what: str) -> None:
    assert [sample for sample in SAMPLES[what] if not re.search(NEWER_THAN_3_2[what], sample)] == []


def _bash_file() -> list[str]:
    return (REPOSITORY / "shell" / "ullage.bash").read_text().splitlines()


@pytest.mark.parametrize("what", NEWER_THAN_3_2)
def test_bash_file_is_in_the_grammar_of_3_2(what: str) -> None:
    found = [line for line in _bash_file() if re.search(NEWER_THAN_3_2[what], re.sub(r"(^|\s)#.*", "", line))]
    assert found == []


def test_newer_builtins_of_bash_are_used_only_where_they_exist() -> None:
    lines = _bash_file()
    for number, line in enumerate(lines):
        if "%(" in line and "printf" in line:
            assert "BASH_VERSINFO" in "".join(lines[number - 2 : number])
        if "EPOCHSECONDS" in line and not line.lstrip().startswith("#"):
            assert "${EPOCHSECONDS-}" in line


@pytest.mark.parametrize("clock", ["x[$(touch pwned)]", "x", "-1"])
def test_what_the_environment_calls_the_clock_is_not_calculated(clock: str, environ: dict[str, str], bash: str) -> None:
    publish(environ, [("42%", "normal")])
    # What older ones find in the environment, a newer one finds once the variable is no longer its own.
    given = ["unset EPOCHSECONDS", f"EPOCHSECONDS='{clock}'"]
    with BASH.start(environ, [*given, BASH.prompt, BASH.init()], program=bash) as terminal:
        _three_prompts(terminal, "42% $")
    assert not (Path(environ["HOME"]) / "pwned").exists()


def test_hostile_name_of_the_server_reaches_the_prompt_as_text(
    environ: dict[str, str], simulate: Callable[..., Simulator], bash: str
) -> None:
    simulate("hostile-names")
    with BASH.start(environ, [BASH.prompt, BASH.init()], columns=150, program=bash) as terminal:
        path = Path(locate_profile(environ), "starship.timeline")
        wait_until(lambda: path.exists() and "%" in path.read_text(), what="the reading")
        terminal.wait_for_line("$")
        terminal.enter("")
        terminal.wait(lambda terminal: "95%" in terminal.line)
    assert not (Path(environ["HOME"]) / "pwned").exists()

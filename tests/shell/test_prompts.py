"""What a person sees in bash, zsh and fish: real shells on a terminal."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.shells import BASH, COLOURS, FISH, SHELLS, ZSH, a_refresh_under_way, publish
from tests.support.tools import PYTHON, REPOSITORY, need, run, still_hangs, wait_until
from ullage.base.errors import UsageError
from ullage.quota.timeline import SURFACES
from ullage.store.cache import ProfileCache
from ullage.system.places import locate_profile

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.shells import Shell
    from ullage.simulate import Simulator

HOSTILE = "A$(touch pwned)`touch pwned`${HOME}%n%F{red}!!!1\\u\\[\\001#S%{x%}100%"

each_shell = pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell.version)


@pytest.fixture(autouse=True)
def _somewhere(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Shells start in the test's own home: what is run there by mistake shows there."""
    monkeypatch.chdir(environ["HOME"])


@each_shell
def test_segment_stands_before_the_prompt_in_its_colours(shell: Shell, environ: dict[str, str]) -> None:
    publish(environ, ["5h ", ("42%", "normal"), " Fable ", ("82%!", "warning"), " 7d ", ("97%!!", "critical")])
    with shell.start(environ, [shell.prompt, shell.init()]) as terminal:
        terminal.wait_for_line("5h 42% Fable 82%! 7d 97%!! $")
        assert terminal.colours("42%") == [COLOURS["normal"]] * 3
        assert terminal.colours("82%!") == [COLOURS["warning"]] * 4
        assert terminal.colours("97%!!") == [COLOURS["critical"]] * 5
        assert set(terminal.colours(" 7d ") + terminal.colours(" $")) == {"default"}
        terminal.enter("echo again")
        terminal.wait(lambda terminal: terminal.lines[1:3] == ["again", "5h 42% Fable 82%! 7d 97%!! $"])


@each_shell
def test_no_colour_where_none_is_wanted(shell: Shell, environ: dict[str, str]) -> None:
    publish(environ, [("42%", "normal"), " 100% %n"])
    environ["NO_COLOR"] = "1"
    with shell.start(environ, [shell.prompt, shell.init()]) as terminal:
        terminal.wait_for("42% 100% %n $")
        assert set(terminal.colours("42%")) == {"default"}


@each_shell
def test_hostile_text_is_printed_and_not_run(shell: Shell, environ: dict[str, str]) -> None:
    publish(environ, [HOSTILE, (HOSTILE, "warning")])
    with shell.start(environ, [shell.prompt, shell.init()], columns=200) as terminal:
        terminal.wait_for_line(f"{HOSTILE}{HOSTILE} $")
        terminal.enter("echo next")
        terminal.wait(lambda terminal: terminal.lines[1:3] == ["next", f"{HOSTILE}{HOSTILE} $"])
    assert not (Path(environ["HOME"]) / "pwned").exists()


@each_shell
def test_long_command_line_wraps_right(shell: Shell, environ: dict[str, str]) -> None:
    publish(environ, [("42%", "normal"), " ", ("82%!", "warning")])
    typed = "echo " + "x" * 90 + "END"
    with shell.start(environ, [shell.prompt, shell.init()], columns=40) as terminal:
        terminal.wait_for_line("42% 82%! $")
        terminal.send(typed)
        whole = "42% 82%! $ " + typed
        wrapped = [whole[at : at + 40] for at in range(0, len(whole), 40)]
        terminal.wait(lambda terminal: terminal.lines[: len(wrapped)] == wrapped, "the wrapped line")
        terminal.send("\x01")
        terminal.wait(lambda terminal: (terminal.screen.cursor.y, terminal.screen.cursor.x) == (0, 11), "Home")
        terminal.send("\x05")
        terminal.wait(lambda terminal: terminal.screen.cursor.y == len(wrapped) - 1, "End")
        terminal.send("\x01# \r")
        terminal.wait(lambda terminal: terminal.line == "42% 82%! $")
        assert terminal.lines[0] == "42% 82%! $ # " + typed[:27]


@each_shell
def test_interrupt_leaves_a_prompt_with_the_segment(shell: Shell, environ: dict[str, str]) -> None:
    publish(environ, "42%")
    with shell.start(environ, [shell.prompt, shell.init()]) as terminal:
        terminal.wait_for_line("42% $")
        terminal.send("half a li")
        terminal.wait_for_line("42% $ half a li")
        # One that comes while a shell is drawing can get lost, with or without us; a person presses again.
        terminal.insist("\x03", lambda terminal: terminal.line == "42% $", "the next prompt")
        terminal.enter("sleep 100")
        wait_until(lambda: os.tcgetpgrp(terminal.child.fileno()) != terminal.child.pid, what="the command")
        terminal.insist("\x03", lambda terminal: terminal.line == "42% $", "the prompt after a command")
        terminal.enter("echo alive")
        terminal.wait(lambda terminal: "alive" in terminal.lines)


@each_shell
def test_resize_keeps_the_segment(shell: Shell, environ: dict[str, str]) -> None:
    publish(environ, "42%")
    with shell.start(environ, [shell.prompt, shell.init()], columns=80) as terminal:
        terminal.wait_for_line("42% $")
        terminal.send("echo typed")
        terminal.wait_for_line("42% $ echo typed")
        terminal.resize(20, 50)
        terminal.send(" more\r")
        terminal.wait(lambda terminal: "typed more" in terminal.lines and terminal.line == "42% $")


@each_shell
def test_prompt_of_two_lines(shell: Shell, environ: dict[str, str]) -> None:
    publish(environ, "42%")
    with shell.start(environ, [shell.two_lines, shell.init()]) as terminal:
        terminal.wait(lambda terminal: terminal.lines[:2] == ["42% top line", "$"])
        terminal.enter("echo next")
        terminal.wait(lambda terminal: terminal.lines[1:5] == ["$ echo next", "next", "42% top line", "$"])


@each_shell
def test_vi_mode(shell: Shell, environ: dict[str, str]) -> None:
    publish(environ, [("42%", "normal")])
    inserting, commanding = ("42% [I] $", "42% [N] $") if shell.name == "fish" else ("42% $", "42% $")
    with shell.start(environ, [shell.prompt, shell.init()]) as terminal:
        terminal.wait_for_line("42% $")
        terminal.enter(shell.vi)
        terminal.wait(lambda terminal: terminal.lines[1] == inserting)
        terminal.send("echo abc")
        terminal.wait_for_line(f"{inserting} echo abc")
        terminal.send("\x1b")
        # A lone Escape is told from the start of a key by the time that passes; the cursor then goes back by a letter.
        back = len(f"{commanding} echo ab")
        terminal.wait(
            lambda terminal: terminal.line == f"{commanding} echo abc" and terminal.screen.cursor.x == back, "commands"
        )
        terminal.send("xxax\r")
        terminal.wait(lambda terminal: "ax" in terminal.lines and terminal.line == inserting)


@each_shell
def test_status_of_the_last_command_is_kept(shell: Shell, environ: dict[str, str]) -> None:
    publish(environ, "42%", due_in=-1)
    pipeline, shown = "sh -c 'exit 3' | sh -c 'exit 4'", "[4:3 4]"
    with a_refresh_under_way(environ), shell.start(environ, [shell.prompt, shell.init()]) as terminal:
        for command in (pipeline, shell.status):
            terminal.wait(lambda terminal: terminal.line == "42% $")
            terminal.enter(command)
            terminal.wait_for(command)
        terminal.wait_for(shown)


def test_prompt_of_fish_sees_the_status(environ: dict[str, str]) -> None:
    publish(environ, "42%")
    prompt = 'function fish_prompt; echo -n "<$status $pipestatus> "; end'
    with FISH.start(environ, [prompt, FISH.init()]) as terminal:
        terminal.wait_for_line("42% <0 0>")
        terminal.enter("false | true | sh -c 'exit 7'")
        terminal.wait_for_line("42% <7 1 0 7>")


@each_shell
def test_loaded_twice_is_the_same_as_once(shell: Shell, environ: dict[str, str]) -> None:
    publish(environ, "42%")
    with shell.start(environ, [shell.prompt, shell.init(), shell.init()]) as terminal:
        terminal.wait_for_line("42% $")
        terminal.enter(shell.init())
        terminal.enter("echo next")
        terminal.wait(lambda terminal: "next" in terminal.lines and terminal.line == "42% $")
        assert terminal.text.count("42% 42%") == 0


@each_shell
def test_file_can_be_sourced_as_it_is(shell: Shell, environ: dict[str, str]) -> None:
    publish(environ, "42%")
    with shell.start(environ, [shell.prompt, f"source {REPOSITORY}/shell/ullage.{shell.name}"]) as terminal:
        terminal.wait_for_line("42% $")


def test_plugin_file_of_zsh(environ: dict[str, str]) -> None:
    publish(environ, "42%")
    with ZSH.start(environ, [ZSH.prompt, f"source {REPOSITORY}/ullage.plugin.zsh"]) as terminal:
        terminal.wait_for_line("42% $")


@each_shell
def test_nothing_happens_in_a_shell_that_is_not_interactive(shell: Shell, environ: dict[str, str]) -> None:
    look = (
        'functions -q fish_mode_prompt __ullage_hook; echo "$__ullage_key"'
        if shell.name == "fish"
        else 'echo "${PS1-}"'
    )
    look += "" if shell.name == "fish" else '"${PROMPT_COMMAND-}${precmd_functions-}"'
    result = run([need(shell.name), "-c", f"{shell.init()}\necho alive; {look}"], environ)
    assert (result.stdout.strip(), result.stderr) == ("alive", "")


@each_shell
def test_switch(shell: Shell, environ: dict[str, str]) -> None:
    publish(environ, "42%", due_in=-1)
    with shell.start({**environ, "ULLAGE_OFF": "1"}, [shell.prompt, shell.init()]) as terminal:
        terminal.wait_for_line("$")
        # Nothing asks for a refresh either: the refresh would have taken the lock.
        assert not os.path.exists(os.path.join(locate_profile(environ), "refresh.lock"))
        with a_refresh_under_way(environ):
            terminal.enter("ullage_on")
            terminal.wait_for_line("42% $")
            terminal.enter("ullage_off")
            terminal.wait(lambda terminal: terminal.lines[2:3] == ["$"])
            terminal.enter("ullage_on; ullage_segment; echo .")
            terminal.wait(lambda terminal: terminal.line == "42% $")


@each_shell
def test_profile_may_change_under_the_shell(shell: Shell, environ: dict[str, str], tmp_path: Path) -> None:
    publish(environ, "first")
    publish({**environ, "CLAUDE_CONFIG_DIR": str(tmp_path / "work")}, "second")
    with shell.start(environ, [shell.prompt, shell.init()]) as terminal:
        terminal.wait_for_line("first $")
        terminal.enter(shell.export.format("CLAUDE_CONFIG_DIR", tmp_path / "work"))
        terminal.wait_for_line("second $")
        terminal.enter(shell.export.format("CLAUDE_CONFIG_DIR", ""))
        terminal.wait_for_line("first $")


@each_shell
def test_frames_follow_the_clock(shell: Shell, environ: dict[str, str]) -> None:
    publish(environ, "first", then=[(4, "second"), (3000, "third")])
    with shell.start(environ, [shell.prompt, shell.init()]) as terminal:
        terminal.wait(lambda terminal: re.match("(first|second) [$]", terminal.line))
        # Until its time has come.
        terminal.insist("\r", lambda terminal: terminal.line == "second $", "the second frame", every_seconds=0.5)


@each_shell
def test_second_reading_within_a_second_is_shown(shell: Shell, environ: dict[str, str]) -> None:
    now = int(time.time())
    publish(environ, "first", now=now)
    with shell.start(environ, [shell.prompt, shell.init()]) as terminal:
        terminal.wait_for_line("first $")
        publish(environ, "second", now=now)
        terminal.enter("")
        terminal.wait_for_line("second $")


@each_shell
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"ullage-timeline 2 1 9000000000 - - -\n1 normal no\n",
        b"ullage-timeline 1 1\n1 normal no\n",
        b"ullage-timeline 1 x[$(touch$IFS@pwned)] 9000000000\n1 normal no\n",
        b"ullage-timeline 1 1 9000000000 - - -\nx[$(touch pwned)] normal no\n",
        b"ullage-timeline 1 1 9000000000 - - -\n9000000000 normal no\n",
        b"ullage-timeline 1 1 9000000000 - - -\n1 normal\n2 normal no\n",
        b"ullage-timeline 1 1 9000000000 - - -",
        b"\xff\xfe\0\n\n\n",
    ],
)
def test_what_is_no_timeline_shows_nothing(shell: Shell, content: bytes, environ: dict[str, str]) -> None:
    publish(environ, "42%")
    Path(locate_profile(environ), f"{shell.name}.timeline").write_bytes(content)
    with shell.start(environ, [shell.prompt, "echo start", shell.init()]) as terminal:
        terminal.wait(lambda terminal: terminal.lines[:2] == ["start", "$"])
        terminal.enter("echo next")
        terminal.wait(lambda terminal: terminal.lines[2:4] == ["next", "$"])
    assert not (Path(environ["HOME"]) / "pwned").exists()


@each_shell
def test_file_of_another_kind_or_owner_is_not_read(shell: Shell, environ: dict[str, str]) -> None:
    publish(environ, "42%")
    path = Path(locate_profile(environ), f"{shell.name}.timeline")
    path.unlink()
    os.mkfifo(path)
    with shell.start(environ, [shell.prompt, "echo start", shell.init()]) as terminal:
        terminal.wait(lambda terminal: terminal.lines[:2] == ["start", "$"])
        if os.geteuid() == 0:
            # A landing may have the shell look at any moment.
            prepared = path.parent / "zsh-plain.timeline"
            os.chown(prepared, 12345, 12345)
            prepared.replace(path)
            terminal.enter("echo next")
            terminal.wait(lambda terminal: terminal.lines[2:4] == ["next", "$"])


@pytest.mark.parametrize("shell", [ZSH, FISH], ids=lambda shell: shell.version)
def test_right_prompt(shell: Shell, environ: dict[str, str]) -> None:
    publish(environ, [("42%", "normal")])
    mine = "RPROMPT=mine" if shell is ZSH else "function fish_right_prompt; echo mine; end"
    with shell.start(environ, [shell.prompt, mine, shell.init("--right")]) as terminal:
        shown = "42% mine" if shell is ZSH else "mine 42%"
        terminal.wait(lambda terminal: re.fullmatch(rf"[$] +{shown}", terminal.line), "the right prompt")
        assert terminal.colours("42%") == ["green"] * 3


@pytest.mark.parametrize(
    ("shell", "prompt"),
    [
        (BASH, "PS1='<${ullage_segment-}> '"),
        (BASH, "PS1='<$(ullage_segment)> '"),
        (ZSH, "setopt prompt_subst; PROMPT='<$ullage_segment> '"),
        (FISH, "function fish_prompt; echo -n '<'; ullage_segment; echo -n '> '; end"),
    ],
    ids=lambda value: getattr(value, "name", value[:20] if isinstance(value, str) else None),
)
def test_placed_by_hand(shell: Shell, prompt: str, environ: dict[str, str]) -> None:
    publish(environ, [("42%", "normal"), " 7%"])
    with shell.start(environ, [prompt, shell.init("--manual")]) as terminal:
        terminal.wait_for_line("<42% 7%>")
        assert terminal.colours("42%") == ["green"] * 3
        terminal.send("x" * 75)
        terminal.wait(lambda terminal: terminal.lines[:2] == ["<42% 7%> " + "x" * 71, "xxxx"])


@each_shell
def test_segment_for_starship_is_exported(shell: Shell, environ: dict[str, str]) -> None:
    publish(environ, [("42%", "normal"), HOSTILE])
    with shell.start(environ, [shell.prompt, shell.init("--starship")], columns=200) as terminal:
        terminal.wait_for_line("$")
        terminal.enter("sh -c 'printf %s \"$ULLAGE_SEGMENT\" >shown'; echo done")
        terminal.wait(lambda terminal: "done" in terminal.lines)
    shown = (Path(environ["HOME"]) / "shown").read_text()
    assert shown == f"\033[32m42%\033[39m{HOSTILE}"


@each_shell
def test_refresh_lands_and_is_shown(shell: Shell, environ: dict[str, str], simulate: Callable[..., Simulator]) -> None:
    simulator = simulate("models")
    with shell.start(environ, [shell.prompt, shell.init()]) as terminal:
        terminal.wait_for_line("$")
        terminal.send("typed")
        if shell is BASH:
            wait_until(lambda: b"%" in ProfileCache(environ).read_timeline(SURFACES[-1]))
            terminal.send("\x15\r")
            terminal.wait(lambda terminal: terminal.line == "fable 82%! $")
        else:
            terminal.wait(lambda terminal: terminal.line == "fable 82%! $ typed", "the same prompt with the reading")
            terminal.send(" on")
            terminal.wait_for_line("fable 82%! $ typed on")
        assert terminal.colours("82%!") == ["brown"] * 4
    assert simulator.requests == 1


@pytest.mark.parametrize("shell", [ZSH, FISH], ids=lambda shell: shell.version)
def test_landing_keeps_the_status(shell: Shell, environ: dict[str, str], simulate: Callable[..., Simulator]) -> None:
    simulate("models")
    with shell.start({**environ, "ULLAGE_OFF": "1"}, [shell.prompt, shell.init()]) as terminal:
        terminal.wait_for_line("$")
        off = "set -e ULLAGE_OFF" if shell.name == "fish" else "unset ULLAGE_OFF"
        terminal.enter(f"{off}; sh -c 'exit 3' | sh -c 'exit 4'")
        terminal.wait(lambda terminal: terminal.line == "fable 82%! $", "the landing")
        terminal.enter(shell.status)
        terminal.wait_for("[4:3 4]")


@each_shell
@pytest.mark.parametrize("way", ["exit", "hang up"])
def test_shell_ends_at_once_while_a_refresh_hangs(
    shell: Shell, way: str, environ: dict[str, str], simulate: Callable[..., Simulator]
) -> None:
    simulator = simulate("silent")
    began = time.monotonic()
    with shell.start(environ, [shell.prompt, shell.init()]) as terminal:
        terminal.wait_for_line("$")
        wait_until(lambda: simulator.requests, what="the refresh")
        terminal.enter("jobs; echo none")
        said = ["jobs: There are no jobs", "none", "$"] if shell.name == "fish" else ["none", "$"]
        terminal.wait(lambda terminal: terminal.text.splitlines() == ["$ jobs; echo none", *said], "no job")
        if way == "exit":
            terminal.enter("exit")
        else:
            terminal.child.kill(signal.SIGHUP)
        terminal.wait_for_end()
        assert still_hangs(environ, began)
    assert "refresh.lock" in os.listdir(locate_profile(environ))


@each_shell
def test_fifty_shells_start_one_refresh(
    shell: Shell, environ: dict[str, str], simulate: Callable[..., Simulator]
) -> None:
    simulator = simulate("models")
    with contextlib.ExitStack() as shells:
        terminals = []
        # Their start takes a while, and is not what is tried here: they are turned on together.
        for _ in range(5):
            off = {**environ, "ULLAGE_OFF": "1"}
            batch = [shells.enter_context(shell.start(off, [shell.prompt, shell.init()])) for _ in range(10)]
            for terminal in batch:
                terminal.wait_for_line("$")
            terminals += batch
        assert simulator.requests == 0
        for terminal in terminals:
            terminal.enter("ullage_on")
        wait_until(lambda: b"%" in ProfileCache(environ).read_timeline(SURFACES[-1]), seconds=90, what="the reading")
        for terminal in terminals:
            # What was typed last may be read after the reading has come, or before.
            terminal.wait(lambda terminal: re.fullmatch("(fable 82%! )?[$]", terminal.line), "a prompt")
            terminal.enter("")
        for terminal in terminals:
            terminal.wait(lambda terminal: terminal.line == "fable 82%! $", "the reading in the prompt")
    assert simulator.requests == 1


@each_shell
def test_a_prompt_starts_no_process(shell: Shell, environ: dict[str, str], tmp_path: Path) -> None:
    publish(environ, "42%", then=[(2, "43%")])
    with shell.start(environ, [shell.prompt, shell.init()]) as terminal:
        terminal.wait(lambda terminal: terminal.line.endswith("% $"))
        trace = tmp_path / "trace"
        command = [need("strace"), "-f", "-o", str(trace), "-e", "trace=clone,clone3,fork,vfork,execve,openat"]
        import pexpect

        tracer = pexpect.spawn(command[0], [*command[1:], "-p", str(terminal.child.pid)])
        tracer.expect("attached")
        for _ in range(3):
            terminal.enter("")
        wait_until(lambda: trace.read_text().count(f"{shell.name}.timeline") >= 3, what="three prompts")
        tracer.close(force=True)
    lines = trace.read_text().splitlines()
    # fish runs builtins whose output is kept in threads.
    processes = [
        line for line in lines if re.search(r"\b(clone3?|v?fork|execve)\(", line) and "CLONE_THREAD" not in line
    ]
    assert processes == []


PLACES = [
    {"ULLAGE_CACHE_DIR": "/c"},
    {"ULLAGE_CACHE_DIR": "/c d/é"},
    {"ULLAGE_CACHE_DIR": "relative"},
    {"ULLAGE_CACHE_DIR": "/c/../d"},
    {"ULLAGE_CACHE_DIR": "/c..d"},
    {"XDG_CACHE_HOME": "/x"},
    {"XDG_CACHE_HOME": "relative"},
    {"CLAUDE_CONFIG_DIR": "/work/claude"},
    {"CLAUDE_CONFIG_DIR": "/"},
    {"CLAUDE_CONFIG_DIR": "/work/../claude"},
    {"CLAUDE_CONFIG_DIR": "relative"},
    {"CLAUDE_CONFIG_DIR": ""},
    {"HOME": "relative"},
    {},
]


@each_shell
@pytest.mark.parametrize("setting", PLACES, ids=str)
def test_file_lies_where_the_refresh_puts_it(shell: Shell, setting: dict[str, str], environ: dict[str, str]) -> None:
    given = {name: environ[name] for name in ("PATH", "LC_ALL", "TERM", "HOME")} | setting
    try:
        expected = f"{locate_profile(given)}/{shell.name}.timeline"
    except UsageError:
        expected = ""
    look = f"source {REPOSITORY}/shell/ullage.{shell.name}; __ullage_locate; printf '<%s>' \"$__ullage_file\""
    quiet = {"bash": ["--norc", "--noprofile"], "zsh": ["-f"], "fish": ["--no-config"]}[shell.name]
    result = run([need(shell.version), *quiet, "-i", "-c", look], given)
    assert result.stdout == f"<{expected}>"


def test_redraw_leaves_a_continued_command_alone(environ: dict[str, str], simulate: Callable[..., Simulator]) -> None:
    simulate("models")
    with ZSH.start({**environ, "ULLAGE_OFF": "1"}, [ZSH.prompt, "PROMPT2='more> '", ZSH.init()]) as terminal:
        terminal.wait_for_line("$")
        terminal.enter("unset ULLAGE_OFF; precmd() { precmd() { :; }; touch asked }")
        terminal.wait_for_line("$")
        terminal.enter("echo 'one")
        path = Path(locate_profile(environ), f"{SURFACES[-1]}.timeline")
        wait_until(lambda: path.exists() and "%" in path.read_text(), what="the reading")
        terminal.send("two")
        terminal.wait(lambda terminal: terminal.line.endswith("> two"), "the second line of the command")
        assert terminal.line == "more> two"
        terminal.enter("'")
        terminal.wait(lambda terminal: terminal.line == "fable 82%! $")
        assert terminal.lines[-24:].count("two") == 1


def test_landing_does_not_cut_a_wait_short(environ: dict[str, str], simulate: Callable[..., Simulator]) -> None:
    simulate("models")
    timeline = f"{locate_profile(environ)}/{SURFACES[-1]}.timeline"
    landed = f"until grep -q % {timeline}; do sleep 0.1; done"
    with ZSH.start(environ, [ZSH.prompt, ZSH.init()]) as terminal:
        terminal.enter(f"sh -c '{landed}; sleep 1; exit 5' 2>/dev/null & wait $!; echo \"<$?>\"")
        terminal.wait_for("<5>")


@pytest.mark.parametrize("process", ["", "0", "1", "-1", "x", "²", "99999999999999999999", str(2**22 + 1)])
def test_refresh_tells_nobody_who_is_not_there(process: str, environ: dict[str, str]) -> None:
    result = run([PYTHON, "-P", "-m", "ullage.refresh"], {**environ, "ULLAGE_NOTIFY": process})
    assert (result.returncode, result.stderr) == (0, "")

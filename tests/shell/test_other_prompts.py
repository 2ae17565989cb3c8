"""What a person sees in elvish, nushell and xonsh: real shells on a terminal."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.shells import COLOURS, a_refresh_under_way, publish
from tests.support.terminal import Terminal
from tests.support.tools import need, published, run, wait_until
from ullage.base.record import Record
from ullage.system.places import locate_profile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ullage.simulate import Simulator

HOSTILE = "A$(touch pwned)`touch pwned`${HOME}{RED}{ullage_segment}@(1)%n!1\\u\\['\"#S{"


class Other(Record):
    """How a shell is given a prompt and told to show the segment."""

    name: str
    dotfile: str
    load: str
    prompt: str
    two_lines: str
    right: str
    set: str

    def init(self, *options: str) -> str:
        """Return the line of a dotfile."""
        return self.load.format(" ".join([self.name, *options]))

    def start(self, environ: Mapping[str, str], *configuration: str, columns: int = 80) -> Terminal:
        """Start an interactive shell that reads this configuration."""
        path = Path(environ["HOME"], self.dotfile)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([*configuration, ""]))
        return Terminal([need(self.name)], environ, columns=columns)


ELVISH = Other(
    name="elvish",
    dotfile=".config/elvish/rc.elv",
    load="eval (ullage init {} | slurp)",
    prompt="set edit:prompt = { put '$ ' }; set edit:rprompt = { }",
    two_lines='set edit:prompt = { print "top line\\n$ " }; set edit:rprompt = { }',
    right="set edit:rprompt = { put mine }",
    set="set E:{} = '{}'",
)
XONSH = Other(
    name="xonsh",
    dotfile=".xonshrc",
    # What xonsh captures by `$()` is empty now and then on a busy machine.
    load="execx(__import__('subprocess').run('ullage init {}'.split(), capture_output=True, text=True, "
    "env=__xonsh__.env.detype()).stdout)",
    prompt="$PROMPT = '$ '; $SUPPRESS_BRANCH_TIMEOUT_MESSAGE = True",
    two_lines="$PROMPT = lambda: 'top line\\n$ '",
    right="$RIGHT_PROMPT = 'mine'",
    set="${} = '{}'",
)
NUSHELL = Other(
    name="nushell",
    dotfile=".config/nushell/config.nu",
    # Its own file is read before a line of it runs; those in autoload are read after it has run.
    load="mkdir ~/.config/nushell/autoload; ullage init {} | save --force ~/.config/nushell/autoload/ullage.nu",
    prompt="$env.config.show_banner = false; $env.PROMPT_INDICATOR = ''; $env.PROMPT_COMMAND_RIGHT = {|| null}; "
    "$env.PROMPT_COMMAND = {|| '$ ' }",
    two_lines='$env.PROMPT_COMMAND = {|| "top line\n$ " }',
    right="$env.PROMPT_COMMAND_RIGHT = {|| 'mine' }",
    set="$env.{} = '{}'",
)
XONSH_READLINE = XONSH.replace(prompt=f"{XONSH.prompt}; $SHELL_TYPE = 'readline'")
OTHERS = {"elvish": ELVISH, "nushell": NUSHELL, "xonsh": XONSH, "xonsh-readline": XONSH_READLINE}

each_shell = pytest.mark.parametrize("shell", OTHERS.values(), ids=list(OTHERS))
each_program = pytest.mark.parametrize("shell", [ELVISH, NUSHELL, XONSH], ids=lambda shell: shell.name)


@pytest.fixture(autouse=True)
def _somewhere(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Shells start in the test's own home; prompt_toolkit does not ask our emulator where the cursor is."""
    monkeypatch.chdir(environ["HOME"])
    environ["PROMPT_TOOLKIT_NO_CPR"] = "1"


@each_shell
def test_segment_stands_before_the_prompt_in_its_colours(shell: Other, environ: dict[str, str]) -> None:
    publish(environ, ["5h ", ("42%", "normal"), " Fable ", ("82%!", "warning"), " 7d ", ("97%!!", "critical")])
    with shell.start(environ, shell.prompt, shell.init(), shell.init()) as terminal:
        terminal.wait_for_line("5h 42% Fable 82%! 7d 97%!! $")
        assert terminal.colours("42%") == [COLOURS["normal"]] * 3
        assert terminal.colours("82%!") == [COLOURS["warning"]] * 4
        assert terminal.colours("97%!!") == [COLOURS["critical"]] * 5
        assert set(terminal.colours(" 7d ")) == {"default"}
        assert terminal.colours("$") == ["brightgreen" if shell is NUSHELL else "default"]
        terminal.enter("echo again")
        terminal.wait(lambda terminal: "again" in terminal.lines and terminal.line == "5h 42% Fable 82%! 7d 97%!! $")


@pytest.mark.parametrize(
    "prompt",
    [
        'print "\\n\\e[33mtop\\e[m line\\n$ "',
        'put "\\ntop "; put "line\\n$ "',
        'put "\\n"; styled top red; put " line\\n"; print "$ "',
    ],
    ids=["printed", "put", "both"],
)
def test_segment_in_elvish_stands_below_empty_lines(prompt: str, environ: dict[str, str]) -> None:
    publish(environ, [("42%", "normal")])
    theirs = f"set edit:prompt = {{ {prompt} }}; set edit:rprompt = {{ }}"
    with ELVISH.start(environ, theirs, ELVISH.init()) as terminal:
        terminal.wait(lambda terminal: terminal.lines[:3] == ["", "42% top line", "$"], "the segment")
        assert terminal.colours("42%") == [COLOURS["normal"]] * 3
        terminal.enter("echo next")
        terminal.wait(lambda terminal: terminal.lines[4:8] == ["", "42% top line", "$", ""], "the next prompt")
        terminal.enter("ullage_off")
        # In which order elvish shows what is put and what is printed is chance where nobody orders it.
        alone = sorted("topline$")
        terminal.wait(lambda terminal: sorted("".join(terminal.lines[7:]).replace(" ", "")) == alone, "theirs alone")


@pytest.mark.parametrize("place", ["left", "right"])
def test_segment_in_elvish_keeps_its_place_beside_printed_text(place: str, environ: dict[str, str]) -> None:
    """Elvish reads values and bytes side by side: beside a prompt that prints, a value would stand where it falls."""
    publish(environ, [("42%", "normal")])
    theirs = "set edit:prompt = { print 'top $ ' }; set edit:rprompt = { print mine }"
    init = ELVISH.init("--right") if place == "right" else ELVISH.init()
    with ELVISH.start(environ, theirs, init) as terminal:
        words = ["top", "$", "mine", "42%"] if place == "right" else ["42%", "top", "$", "mine"]
        for _ in range(5):
            terminal.wait(lambda terminal: terminal.line.split() == words, "the segment")
            assert terminal.colours("42%") == [COLOURS["normal"]] * 3
            terminal.enter("")


def test_nushell_keeps_its_colour_for_the_prompt(environ: dict[str, str]) -> None:
    with NUSHELL.start(environ, NUSHELL.prompt) as terminal:
        terminal.wait_for_line("$")
        assert terminal.colours("$") == ["brightgreen"]


@each_program
def test_chosen_colours(shell: Other, environ: dict[str, str]) -> None:
    publish(environ, "42%")
    path = Path(locate_profile(environ), "fish.timeline")
    path.write_text(path.read_text().replace("42%", "\033[1;7;38;2;213;94;0m42%\033[0m \033[92m7%\033[0m"))
    with shell.start(environ, shell.prompt, shell.init()) as terminal:
        terminal.wait_for_line("42% 7% $")
        # prompt_toolkit takes the nearest of 256 colours.
        expected = "bold reverse d75f00" if shell is XONSH else "bold reverse d55e00"
        assert terminal.colours("42% 7%") == [expected] * 3 + ["default"] + ["brightgreen"] * 2


def test_chosen_colours_of_256_and_backgrounds_in_elvish(environ: dict[str, str]) -> None:
    publish(environ, "42%")
    path = Path(locate_profile(environ), "fish.timeline")
    # The numbers of the colours alone would be red, bold and reverse.
    shown = "\033[38;5;31;48;2;31;1;7m42%\033[39;49m \033[1;30;103m7%\033[22;39;49m"
    path.write_text(path.read_text().replace("42%", shown))
    with ELVISH.start(environ, ELVISH.prompt, ELVISH.init()) as terminal:
        terminal.wait_for_line("42% 7% $")
        assert terminal.colours("42% 7%") == ["0087af"] * 3 + ["default"] + ["bold black"] * 2
        assert terminal.grounds("42% 7%") == ["1f0107"] * 3 + ["default"] + ["brightbrown"] * 2


@each_shell
def test_no_colour_where_none_is_wanted(shell: Other, environ: dict[str, str]) -> None:
    publish(environ, [("42%", "normal"), " 100% %n"])
    environ["NO_COLOR"] = "1"
    with shell.start(environ, shell.prompt, shell.init()) as terminal:
        terminal.wait_for("42% 100% %n $")
        assert set(terminal.colours("42%")) == {"default"}


@each_shell
def test_hostile_text_is_printed_and_not_run(shell: Other, environ: dict[str, str]) -> None:
    publish(environ, [HOSTILE, (HOSTILE, "warning")])
    with shell.start(environ, shell.prompt, shell.init(), columns=200) as terminal:
        terminal.wait_for_line(f"{HOSTILE}{HOSTILE} $")
        terminal.enter("echo next")
        terminal.wait(lambda terminal: "next" in terminal.lines and terminal.line == f"{HOSTILE}{HOSTILE} $")
    assert not (Path(environ["HOME"]) / "pwned").exists()


@each_program
def test_prompt_of_two_lines(shell: Other, environ: dict[str, str]) -> None:
    publish(environ, "42%")
    with shell.start(environ, shell.prompt, shell.two_lines, shell.init()) as terminal:
        terminal.wait(lambda terminal: terminal.lines[:2] == ["42% top line", "$"])


@each_program
def test_right_prompt(shell: Other, environ: dict[str, str]) -> None:
    publish(environ, [("42%", "normal")])
    with shell.start(environ, shell.prompt, shell.right, shell.init("--right"), shell.init("--right")) as terminal:
        terminal.wait(lambda terminal: terminal.line.split() == ["$", "mine", "42%"], "the right prompt")
        assert terminal.colours("42%") == ["green"] * 3


@pytest.mark.parametrize(
    ("place", "prompt", "shown"),
    [
        ("--manual", "{|| $'<(ullage_segment)> '}", "<42% 7%>"),
        ("--starship", "{|| $'<(^printenv ULLAGE_SEGMENT)> '}", "<42% 7%>"),
        ("--left", "{|| null }", "42% 7%"),
        ("--left", "'text '", "42% 7% text"),
    ],
)
def test_other_places_and_prompts_in_nushell(environ: dict[str, str], place: str, prompt: str, shown: str) -> None:
    publish(environ, [("42%", "normal"), " 7%"])
    # A closure that names ullage_segment is read after the file that has it.
    last = Path(environ["HOME"], ".config/nushell/autoload/zz.nu")
    last.parent.mkdir(parents=True)
    last.write_text(f"$env.PROMPT_COMMAND = {prompt}\n")
    with NUSHELL.start(environ, NUSHELL.prompt, NUSHELL.init(place)) as terminal:
        terminal.wait_for_line(shown)


def test_nushell_keeps_the_status_and_what_children_inherit(
    environ: dict[str, str], simulate: Callable[..., Simulator]
) -> None:
    simulate("models")
    status = "{|| $'<($env.LAST_EXIT_CODE)> '}"
    with NUSHELL.start(environ, NUSHELL.prompt, f"$env.PROMPT_COMMAND = {status}", NUSHELL.init()) as terminal:
        # The first prompt starts a refresh, which has a status of its own.
        terminal.wait_for_line("<0>")
        wait_until(lambda: b"%" in published(environ), what="the reading")
        terminal.enter("^sh -c 'exit 3'")
        terminal.wait_for_line("fable 82%! <3>")
        terminal.enter(
            "print (^printenv | lines | where $it =~ '(?i)^_*ullage' | each { split row '=' | first } | to nuon)"
        )
        terminal.wait_for("[ULLAGE_")
        assert "__ullage" not in terminal.text.partition("to nuon)")[2]


def _let_answer(terminal: Terminal, number: int) -> None:
    terminal.enter(f"{number} + 70")
    terminal.wait(lambda terminal: str(number + 70) in terminal.lines and terminal.line == "42% $", "the next prompt")


def test_nushell_asks_only_once_in_a_while(environ: dict[str, str], tmp_path: Path) -> None:
    publish(environ, "42%", due_in=-1)
    asked = tmp_path / "asked"
    program = tmp_path / "ullage"
    program.write_text(f"#!/bin/sh\necho \"$*\" >>'{asked}'\n")
    program.chmod(0o755)
    last = Path(environ["HOME"], ".config/nushell/autoload/zz.nu")
    last.parent.mkdir(parents=True)
    last.write_text(f"$env.__ullage.program = '{program}'\n")
    began = time.monotonic()
    with NUSHELL.start(environ, NUSHELL.prompt, NUSHELL.init()) as terminal:
        terminal.wait_for_line("42% $")
        for number in range(3):
            _let_answer(terminal, number)
        wait_until(asked.exists, what="a refresh")
    times = asked.read_text().splitlines()
    assert set(times) == {"refresh --detach"}
    # Once in 30 seconds, which a busy machine may take for some prompts.
    assert len(times) <= 1 + (time.monotonic() - began) // 30


def test_prompt_in_nushell_starts_no_process(environ: dict[str, str], tmp_path: Path) -> None:
    publish(environ, "42%")
    log = tmp_path / "log"
    NUSHELL.start(environ, NUSHELL.prompt, NUSHELL.init()).child.close(force=True)
    trace = [need("strace"), "-f", "-qq", "-e", "trace=fork,vfork,clone,clone3,execve", "-o", str(log), need("nushell")]
    with Terminal(trace, environ) as terminal:
        terminal.wait_for_line("42% $")
        before = len(log.read_text().splitlines())
        for number in range(10):
            _let_answer(terminal, number)
        started = [line for line in log.read_text().splitlines()[before:] if "CLONE_THREAD" not in line]
    assert started == []


def test_placed_by_hand_in_xonsh(environ: dict[str, str]) -> None:
    publish(environ, [("42%", "normal"), " 7%"])
    with XONSH.start(environ, "$PROMPT = '<{ullage_segment}> '", XONSH.init("--manual")) as terminal:
        terminal.wait_for_line("<42% 7%>")


@each_program
def test_switch_and_profile_may_change_under_the_shell(shell: Other, environ: dict[str, str], tmp_path: Path) -> None:
    publish(environ, "first")
    publish({**environ, "CLAUDE_CONFIG_DIR": str(tmp_path / "work")}, "second")
    with shell.start(environ, shell.prompt, shell.init()) as terminal:
        terminal.wait_for_line("first $")
        terminal.enter(shell.set.format("CLAUDE_CONFIG_DIR", tmp_path / "work"))
        terminal.wait_for_line("second $")
        terminal.enter("ullage_off")
        terminal.wait_for_line("$")
        terminal.enter(shell.set.format("ULLAGE_OFF", ""))
        terminal.wait_for_line("second $")
        terminal.enter(shell.set.format("CLAUDE_CONFIG_DIR", tmp_path / "work" / ".." / "work"))
        terminal.wait_for_line("$")


@each_program
def test_frames_follow_the_clock(shell: Other, environ: dict[str, str]) -> None:
    publish(environ, "first", then=[(6, "second"), (3000, "third")])
    with shell.start(environ, shell.prompt, shell.init()) as terminal:

        def again(terminal: Terminal) -> bool:
            if terminal.line == "first $":
                terminal.enter("")
                time.sleep(0.2)
            return terminal.line == "second $"

        terminal.wait(again, "the second frame")


@each_program
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"ullage-timeline 2 1 9000000000 - - -\n1 normal no\n",
        b"ullage-timeline 1 1\n1 normal no\n",
        b"ullage-timeline 1 1 9000000000 - - -\n9000000000 normal no\n",
        b"ullage-timeline 1 1 9000000000 - - -\n1 normal\n2 normal no\n",
        b"\xff\xfe\0\n\n\n",
    ],
)
def test_what_is_no_timeline_shows_nothing(shell: Other, content: bytes, environ: dict[str, str]) -> None:
    publish(environ, "42%")
    Path(locate_profile(environ), "fish.timeline").write_bytes(content)
    with shell.start(environ, shell.prompt, shell.init()) as terminal:
        terminal.wait_for_line("$")
        terminal.enter("echo next")
        terminal.wait(lambda terminal: "next" in terminal.lines and terminal.line == "$")


@each_program
def test_file_of_another_kind_or_owner_is_not_read(shell: Other, environ: dict[str, str], tmp_path: Path) -> None:
    publish(environ, "42%")
    path = Path(locate_profile(environ), "fish.timeline")
    path.rename(tmp_path / "elsewhere")
    os.mkfifo(path)
    with shell.start(environ, shell.prompt, shell.init()) as terminal:
        terminal.wait_for_line("$")
        path.unlink()
        path.symlink_to(tmp_path / "elsewhere")
        terminal.enter("echo linked")
        terminal.wait(lambda terminal: "linked" in terminal.lines and terminal.line == "$", "the prompt beside a link")
        if os.geteuid() == 0:
            path.unlink()
            publish(environ, "42%")
            os.chown(path, 12345, 12345)
            terminal.enter("echo owned")
            terminal.wait(lambda terminal: "owned" in terminal.lines and terminal.line == "$", "the next prompt")


def test_nushell_may_load_it_twice(environ: dict[str, str]) -> None:
    publish(environ, "42%")
    with NUSHELL.start(environ, NUSHELL.prompt, NUSHELL.init()) as terminal:
        terminal.wait_for_line("42% $")
        terminal.enter("source ~/.config/nushell/autoload/ullage.nu; 70 + 7")
        terminal.wait(lambda terminal: "77" in terminal.lines and terminal.line == "42% $", "the next prompt")
        terminal.enter("$env.config.hooks.pre_prompt | length | $in + 70")
        terminal.wait(lambda terminal: "71" in terminal.lines and terminal.line == "42% $", "one hook")


@each_program
def test_refresh_lands_and_the_shell_ends_at_once(
    shell: Other, environ: dict[str, str], simulate: Callable[..., Simulator]
) -> None:
    simulator = simulate("models")
    with shell.start(environ, shell.prompt, shell.init()) as terminal:
        terminal.wait_for_line("$")
        wait_until(lambda: b"%" in published(environ), what="the reading")
        terminal.enter("")
        terminal.wait(lambda terminal: terminal.line == "fable 82%! $")
        terminal.enter("exit")
        assert terminal.wait_for_end() == 0
    assert simulator.requests == 1


def test_nothing_happens_in_a_xonsh_that_is_not_interactive(environ: dict[str, str]) -> None:
    look = f"{XONSH.init()}; print('ullage_segment' in $PROMPT_FIELDS)"
    result = run([need("xonsh"), "--no-rc", "-c", look], environ)
    assert (result.stdout.strip(), result.stderr) == ("False", "")
    assert not os.path.exists(locate_profile(environ))


@each_shell
def test_nothing_is_put_into_a_prompt_on_a_dumb_terminal(shell: Other, environ: dict[str, str]) -> None:
    publish(environ, "42%")
    environ["TERM"] = "dumb"
    with shell.start(environ, shell.prompt, shell.init()) as terminal:
        terminal.wait_for("$")
        terminal.enter("echo next")
        terminal.wait(lambda terminal: "next" in terminal.lines and terminal.line.endswith("$"), "the next prompt")
        assert "42%" not in terminal.text


@pytest.mark.parametrize("shell", [NUSHELL, XONSH, XONSH_READLINE], ids=["nushell", "xonsh", "xonsh-readline"])
def test_segment_stands_below_an_empty_line(shell: Other, environ: dict[str, str]) -> None:
    publish(environ, "42%")
    below = shell.prompt.replace("'$ '", '"\\n$ "')
    with shell.start(environ, below, shell.init()) as terminal:
        terminal.wait_for_line("42% $")


def test_aliases_and_definitions_of_the_user_stand_for_nothing_in_nushell(environ: dict[str, str]) -> None:
    publish(environ, "42%", due_in=-1)
    mine = "alias open = ^touch stolen-open; def ls [] { ^touch stolen-ls; [] }"
    with a_refresh_under_way(environ), NUSHELL.start(environ, NUSHELL.prompt, mine, NUSHELL.init()) as terminal:
        terminal.wait_for_line("42% $")
        _let_answer(terminal, 0)
    assert list(Path(environ["HOME"]).glob("stolen-*")) == []


def test_functions_of_the_user_stand_for_nothing_in_xonsh(environ: dict[str, str]) -> None:
    publish(environ, "42%")
    mine = "def open(*_): raise SystemExit\nstr = int = len = getattr = callable = open"
    with XONSH.start(environ, XONSH.prompt, mine, XONSH.init()) as terminal:
        terminal.wait_for_line("42% $")
        terminal.enter("print(sorted(name for name in __xonsh__.ctx if 'ullage' in name.lower()))")
        terminal.wait(lambda terminal: "[]" in terminal.lines, "none")


@each_program
@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_timeline_in_ascii_where_the_locale_is_no_utf_8(shell: Other, locale: str, environ: dict[str, str]) -> None:
    publish(environ, "42%")
    path = Path(locate_profile(environ), "fish-ascii.timeline")
    path.write_bytes(path.read_bytes().replace(b"42%", b"31%"))
    environ["LC_ALL"] = locale
    with shell.start(environ, shell.prompt, shell.init()) as terminal:
        terminal.wait_for("31% $" if locale == "C" else "42% $")

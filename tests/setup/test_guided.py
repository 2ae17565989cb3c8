"""`ullage setup` without a host: what it finds, what it asks, and that nothing is written before the last answer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.terminal import Terminal
from tests.support.tools import SCRIPTS, ULLAGE, need, ullage
from ullage import config
from ullage.config.settings import DEFAULTS
from ullage.setup import look, userfile
from ullage.setup.survey import find_set_up, survey_machine

if TYPE_CHECKING:
    from collections.abc import Mapping

BASHRC = b"PS1='\\[\\e[32m\\]me@host\\[\\e[0m\\]:\\w\\$ '\n"
# Each question, and the answer that leads to the next.
QUESTIONS = [
    ("Set up which?", ""),
    ("Is there a diamond", "n"),
    ("Are these a diamond", "y"),
    ("Which preset", "bar"),
    ("Write this?", "y"),
]


def tree(environ: Mapping[str, str]) -> dict[str, bytes]:
    home = Path(environ["HOME"])
    return {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}


@pytest.fixture(autouse=True)
def _at_home(environ: dict[str, str], tmp_path: Path) -> None:
    """A person who works in bash and tmux, with Claude Code; other shells, which write files of their own, are away."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("bash", "sh", "tmux"):
        (programs / name).symlink_to(need(name))
    for name in ("ullage", "ullage-prompt"):
        (programs / name).symlink_to(SCRIPTS / name)
    (programs / "claude").symlink_to("/bin/true")
    home = Path(environ["HOME"])
    (home / ".bashrc").write_bytes(BASHRC)
    (home / ".tmux.conf").write_bytes(b"set -g mouse on\n")
    environ["PATH"] = str(programs)
    environ["SHELL"] = "/bin/bash"
    environ["ULLAGE_CONFIG"] = str(home / ".config" / "ullage" / "config.toml")


def add_program(environ: Mapping[str, str], name: str) -> None:
    Path(environ["PATH"], name).symlink_to("/bin/true")


def found(environ: Mapping[str, str]) -> dict[str, bytes]:
    """What setting up would leave in each file, by host."""
    changes = {place.name: place.plan.change for place in survey_machine(environ, "ullage").places if place.plan}
    return {name: change.after or b"" for name, change in changes.items() if change}


def put_there(environ: Mapping[str, str], place: str, data: bytes) -> None:
    path = Path(environ["HOME"], place)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def test_without_a_terminal_it_lists_what_it_would_do(environ: dict[str, str]) -> None:
    add_program(environ, "waybar")
    at_first = tree(environ)
    done = ullage("setup", environ=environ)
    assert (done.returncode, done.stderr) == (0, "")
    rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines() if line.startswith("  ")}
    assert rows["bash"] == ["~/.bashrc", "6", "lines", "to", "add"]
    assert rows["tmux"][0] == "~/.tmux.conf"
    assert rows["claude-code"][0] == "~/.claude/settings.json"
    assert "waybar" in done.stdout
    assert "Nothing was asked or written" in done.stdout
    assert tree(environ) == at_first


def test_it_asks_shows_and_writes_and_undo_takes_all_of_it_out(environ: dict[str, str]) -> None:
    at_first = tree(environ)
    with Terminal([ULLAGE, "setup"], environ, rows=200, columns=120) as terminal:
        for question, answer in QUESTIONS:
            terminal.wait_for(question)
            if question == "Which preset":
                # In the person's own prompt, whose colours are kept.
                terminal.wait_for("fable \u25b0\u25b0\u25b0\u25b0\u25b0\u25b0\u25b1\u25b1 81%! me@host:")
                assert terminal.colours("me@host") == ["green"] * 7
            if question == "Write this?":
                assert '+preset = "bar"' in terminal.lines
                assert "+# >>> ullage setup bash >>>" in terminal.lines
                assert tree(environ) == at_first
            terminal.enter(answer)
        assert terminal.wait_for_end() == 0
        assert "`ullage setup --undo` takes all of it out again" in terminal.text
    assert config.read(environ["ULLAGE_CONFIG"])[0]["segment.preset"] == "bar"
    for file in (".bashrc", ".tmux.conf", ".claude/settings.json"):
        assert b"ullage" in tree(environ)[file]
    told = ullage("setup", "--undo", environ=environ)
    assert told.returncode == 0
    assert "Nothing was asked or undone" in told.stdout
    with Terminal([ULLAGE, "setup", "--undo"], environ, rows=200, columns=120) as terminal:
        terminal.wait_for("Take this out?")
        terminal.enter("y")
        assert terminal.wait_for_end() == 0
    assert tree(environ) == at_first
    assert ullage("setup", "--undo", environ=environ).stdout == "Nothing is set up by this command.\n"


def test_enter_answers_every_question_as_it_says(environ: dict[str, str]) -> None:
    at_first = tree(environ)
    answers = [
        ("Set up which?", "", ""),
        ("between the arrows? (y or n; Enter: no)", "", ""),
        ("quarter full? (y or n; Enter: yes)", "maybe", "'maybe' is neither y nor n."),
        ("", "", ""),
        ("[plain]", "", "The segment has that look already."),
        ("Write this? (y or n; Enter: no)", "", "Nothing was written."),
    ]
    with Terminal([ULLAGE, "setup"], environ, rows=200, columns=120) as terminal:
        for question, answer, after in answers:
            terminal.wait_for(question)
            terminal.enter(answer)
            terminal.wait_for(after)
        assert terminal.wait_for_end() == 0
    assert tree(environ) == at_first


@pytest.mark.parametrize("at", range(len(QUESTIONS)))
@pytest.mark.parametrize("key", ["\x03", "\x04"], ids=["^C", "^D"])
def test_whoever_leaves_at_a_question_has_changed_nothing(environ: dict[str, str], at: int, key: str) -> None:
    at_first = tree(environ)
    with Terminal([ULLAGE, "setup"], environ, rows=200, columns=120) as terminal:
        for question, answer in QUESTIONS[:at]:
            terminal.wait_for(question)
            terminal.enter(answer)
        terminal.wait_for(QUESTIONS[at][0])
        terminal.send(key)
        assert terminal.wait_for_end() == 130
        assert "Nothing was written." in terminal.text
    assert tree(environ) == at_first


def test_some_are_enough_and_a_wrong_answer_is_asked_again(environ: dict[str, str]) -> None:
    with Terminal([ULLAGE, "setup"], environ, rows=200, columns=120) as terminal:
        terminal.wait_for("Set up which?")
        terminal.enter("bash cash")
        terminal.wait_for("'cash' is none of bash, tmux, claude-code.")
        terminal.enter("tmux")
        terminal.wait_for("Is there a diamond")
        terminal.enter("y")
        terminal.wait_for("Which preset")
        terminal.enter("99")
        terminal.wait_for("'99' is neither a name nor a number")
        terminal.enter("9")
        terminal.wait_for("Write this?")
        assert '+preset = "powerline"' in terminal.lines
        assert '+glyphs = "nerd"' in terminal.lines
        terminal.enter("y")
        assert terminal.wait_for_end() == 0
    assert tree(environ)[".bashrc"] == BASHRC
    assert b"ullage" in tree(environ)[".tmux.conf"]


def test_all_of_it_without_a_question(environ: dict[str, str]) -> None:
    at_first = tree(environ)
    assert ullage("setup", "--yes", environ=environ).returncode == 0
    assert ".config/ullage/config.toml" not in tree(environ)
    assert b"ullage" in tree(environ)[".bashrc"]
    again = ullage("setup", "--yes", environ=environ)
    assert "There is nothing to write" in again.stdout
    assert ullage("setup", "--undo", "--yes", environ=environ).returncode == 0
    assert tree(environ) == at_first


@pytest.mark.parametrize("order", [([], ["--guard"]), (["--guard"], [])], ids=["hooks last", "hooks first"])
@pytest.mark.parametrize("before", [None, b"", b'{\n  "model": "x"\n}\n'])
def test_hooks_and_status_line_go_together(
    environ: dict[str, str], before: bytes | None, order: tuple[list[str], list[str]]
) -> None:
    if before is not None:
        put_there(environ, ".claude/settings.json", before)
    at_first = tree(environ)
    for options in order:
        ullage("setup", "claude-code", "--yes", *options, environ=environ)
    assert ullage("setup", "--undo", "--yes", environ=environ).returncode == 0
    assert tree(environ) == at_first


def test_starship_shows_it_where_its_format_has_room(environ: dict[str, str]) -> None:
    add_program(environ, "starship")
    put_there(environ, ".bashrc", b'eval "$(starship init bash)"\n')
    changes = found(environ)
    assert b"ULLAGE_PLACE=starship\n" in changes["bash"]
    assert b"[env_var.ULLAGE_SEGMENT]" in changes["starship"]
    put_there(environ, ".config/starship.toml", b'format = "$directory$character"\n')
    changes = found(environ)
    assert b"ULLAGE_PLACE" not in changes["bash"]
    assert "starship" not in changes
    put_there(environ, ".bashrc", b'# eval "$(starship init bash)"\n')
    assert "starship" not in found(environ)


def test_a_shell_without_a_file_is_named_and_left(environ: dict[str, str]) -> None:
    add_program(environ, "zsh")
    add_program(environ, "fish")
    here = survey_machine(environ, "ullage")
    assert here.unused == ("zsh", "fish")
    assert "zsh" not in {place.name for place in here.places}
    put_there(environ, ".config/fish/config.fish", b"")
    environ["SHELL"] = "/usr/bin/zsh"
    assert {"zsh", "fish"} < found(environ).keys()


def test_what_cannot_be_changed_is_said_and_the_rest_goes_on(environ: dict[str, str]) -> None:
    Path(environ["HOME"], ".bashrc").chmod(0o400)
    done = ullage("setup", "--yes", environ=environ)
    assert done.returncode == 0
    assert "is read-only" in done.stdout
    assert b"ullage" in tree(environ)[".tmux.conf"]
    assert find_set_up(environ)
    # A file that cannot be changed and holds nothing of ours is not spoken of.
    assert "bash" not in {place.name for place in find_set_up(environ)}


CHOSEN = {
    "": ("spark", "nerd"),
    "# mine\n[colors]\nbackground = 'dark'": ("spark", "unicode"),
    "[segment]\nshow = 'left'\n\n[colors]\nbackground = 'dark'\n": ("pill", "nerd"),
    "[segment] # mine": ("plain", "ascii"),
}


@pytest.mark.parametrize("before", [None, *CHOSEN])
def test_a_look_is_chosen_changed_and_undone_to_the_byte(environ: dict[str, str], before: str | None) -> None:
    path = Path(config.locate_config(environ))
    path.parent.mkdir(parents=True)
    if before is not None:
        path.write_text(before)
    at_first = tree(environ)
    for preset, glyphs in (CHOSEN[before or ""], ("dots", "unicode"), ("ring", "nerd")):
        plan = look.plan(environ, preset, glyphs)
        assert plan.change
        userfile.apply(plan.change, keep=not plan.takes_back)
        values, issues = config.read(str(path))
        assert (values["segment.preset"], values["segment.glyphs"], issues) == (preset, glyphs, ())
        assert look.plan(environ, preset, glyphs).change is None
        assert look.read_chosen(environ) == look.ChosenLook(preset=preset, glyphs=glyphs)
    undone = look.plan_undo(environ)
    assert undone.change
    userfile.apply(undone.change, keep=not undone.takes_back)
    assert tree(environ) == at_first


@pytest.mark.parametrize("line", ['preset = "bar"', 'template = "{top}"', 'glyphs = "ascii"', "preset = "])
def test_a_look_of_ones_own_is_not_asked_about(environ: dict[str, str], line: str) -> None:
    put_there(environ, ".config/ullage/config.toml", f"[segment]\n{line}\n".encode())
    assert look.read_chosen(environ).by_hand
    assert not look.read_chosen({**environ, "ULLAGE_CONFIG": f"{environ['HOME']}/elsewhere/config.toml"}).by_hand


def test_what_has_no_place_for_a_block_is_told(environ: dict[str, str]) -> None:
    put_there(environ, ".config/ullage/config.toml", b'segment = {show = "left"}\n')
    plan = look.plan(environ, "spark", str(DEFAULTS["segment.glyphs"]))
    assert plan.change is None
    assert 'preset = "spark"' in plan.words

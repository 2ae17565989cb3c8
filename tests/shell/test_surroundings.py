"""Where a shell runs: a directory that chooses another account, a locale without UTF-8, a home of somebody else."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.shells import BASH, FISH_4, SHELLS, ZSH, publish
from tests.support.tools import ULLAGE_PROMPT, need, run, ullage, wait_until
from ullage.system.places import locate_profile

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.shells import Shell
    from ullage.simulate import Simulator

each_shell = pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell.version)


@pytest.fixture(autouse=True)
def _somewhere(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(environ["HOME"])


@each_shell
@pytest.mark.parametrize("place", ["--left", "--manual", "--starship"])
@pytest.mark.parametrize("order", ["direnv first", "direnv last"])
def test_account_that_direnv_chooses_counts_in_the_same_prompt(
    shell: Shell, place: str, order: str, environ: dict[str, str], tmp_path: Path
) -> None:
    direnv = need("direnv")
    publish(environ, "mine")
    publish({**environ, "CLAUDE_CONFIG_DIR": str(tmp_path / "work")}, "theirs")
    directory = Path(environ["HOME"], "project")
    directory.mkdir()
    (directory / ".envrc").write_text(f"export CLAUDE_CONFIG_DIR='{tmp_path}/work'\n")
    environ |= {"XDG_DATA_HOME": str(tmp_path / "data"), "DIRENV_LOG_FORMAT": ""}
    assert run([direnv, "allow", str(directory)], environ).returncode == 0
    prompts = {
        "--left": shell.prompt,
        "--manual": {
            "bash": "PS1='${ullage_segment-} $ '",
            "zsh": "setopt prompt_subst; PROMPT='$ullage_segment $ '",
            "fish": "function fish_prompt; ullage_segment; builtin echo -n ' $ '; end",
        }[shell.name],
        # What starship does: it reads its environment when the prompt is drawn.
        "--starship": {
            "bash": "PS1='${ULLAGE_SEGMENT-} $ '",
            "zsh": "setopt prompt_subst; PROMPT='$ULLAGE_SEGMENT $ '",
            "fish": 'function fish_prompt; builtin echo -n "$ULLAGE_SEGMENT \\$ "; end',
        }[shell.name],
    }
    theirs = f"{direnv} hook fish | source" if shell.name == "fish" else f'eval "$({direnv} hook {shell.name})"'
    ours = shell.init(place)
    if shell.name == "fish" and order == "direnv last":
        # As `ullage setup fish` does it: conf.d is read before config.fish.
        conf = Path(environ["HOME"], ".config/fish/conf.d/ullage.fish")
        conf.parent.mkdir(parents=True)
        conf.write_text(ours + "\n")
        ours = ""
    lines = [prompts[place], *([theirs, ours] if order == "direnv first" else [ours, theirs])]
    with shell.start(environ, lines) as terminal:
        terminal.wait_for_line("mine $")
        terminal.enter("cd project; clear; echo in")
        terminal.wait(lambda terminal: terminal.lines[0] == "in" and terminal.line.endswith(" $"), "the next prompt")
        assert terminal.line == "theirs $"
        terminal.enter("cd ..; clear; echo out")
        terminal.wait(lambda terminal: terminal.lines[0] == "out" and terminal.line.endswith(" $"), "the next prompt")
        assert terminal.line == "mine $"


# fish makes itself a locale of UTF-8 where it is given none.
@pytest.mark.parametrize(
    ("shell", "locale"),
    [(shell, locale) for shell in SHELLS for locale in ("C", "POSIX", "") if shell.name != "fish" or locale],
    ids=lambda value: getattr(value, "name", value or "none"),
)
def test_no_locale_of_utf_8_shows_ascii(
    shell: Shell, locale: str, environ: dict[str, str], simulate: Callable[..., Simulator]
) -> None:
    del environ["LC_ALL"]
    if locale:
        environ["LC_ALL"] = locale
    simulate("models")
    Path(environ["ULLAGE_CONFIG"]).write_text('[segment]\ntemplate = "⏳ {5h} {5h.bar} {fable.pace}"\n')
    assert ullage("refresh", environ=environ).returncode == 0
    printed = run([ULLAGE_PROMPT, shell.name], environ).stdout
    assert printed.isascii()
    assert "#" in printed
    assert ullage("prompt", "--surface", shell.name, environ=environ).stdout == printed
    with shell.start(environ, [shell.prompt, shell.init()]) as terminal:
        terminal.wait(lambda terminal: "#" in terminal.line, "the segment")
        assert terminal.text.isascii()
        # The line editor knows how wide it is.
        terminal.send("y" * 70)
        terminal.wait(lambda terminal: terminal.text.count("y") == 70, "a long line")
        terminal.send("\x01")
        column = terminal.lines[0].index("$ ") + 2
        terminal.wait(lambda terminal: (terminal.screen.cursor.y, terminal.screen.cursor.x) == (0, column), "its start")


@pytest.mark.parametrize(
    "locale", [{"LC_CTYPE": "C.UTF-8"}, {"LC_CTYPE": "C.UTF-8", "PYTHONUTF8": "1"}, {"LANG": "en_US.UTF-8"}], ids=str
)
def test_locale_that_was_set_is_none_of_python(locale: dict[str, str], environ: dict[str, str]) -> None:
    publish(environ, "42%×")
    del environ["LC_ALL"]
    assert ullage("prompt", environ=environ | locale).stdout == "42%×\n"


@pytest.mark.parametrize("shell", [BASH, ZSH], ids=lambda shell: shell.version)
def test_locale_that_changes_in_a_shell_counts_at_once(shell: Shell, environ: dict[str, str]) -> None:
    publish(environ, "42%")
    for path in Path(locate_profile(environ)).glob("*-ascii.timeline"):
        path.write_bytes(path.read_bytes().replace(b"42", b"31"))
    with shell.start(environ, [shell.prompt, shell.init()]) as terminal:
        terminal.wait_for_line("42% $")
        terminal.enter("LC_ALL=C")
        terminal.wait_for_line("31% $")
        terminal.enter("LC_ALL=C.UTF-8")
        terminal.wait_for_line("42% $")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be in the home of somebody else")
@each_shell
@pytest.mark.parametrize("asks", ["at the prompt", "ullage-prompt", "ullage prompt", "ullage refresh"])
def test_root_leaves_nothing_in_the_home_of_somebody_else(
    shell: Shell, asks: str, environ: dict[str, str], simulate: Callable[..., Simulator]
) -> None:
    simulator = simulate("models")
    # `sudo -s` and `su` keep HOME.
    for name in ("ULLAGE_CACHE_DIR", "ULLAGE_STATE_DIR", "ULLAGE_CONFIG"):
        del environ[name]
    os.chown(environ["HOME"], 12345, 12345)
    dotfiles = {".configuration", ".zshrc", ".config", ".local", ".zcompdump"}
    if asks == "at the prompt":
        with shell.start(environ, [shell.prompt, shell.init()]) as terminal:
            terminal.wait_for_line("$")
            terminal.enter("echo next")
            terminal.wait(lambda terminal: "next" in terminal.lines and terminal.line == "$", "the next prompt")
            terminal.enter("sleep 2; echo waited")
            terminal.wait(lambda terminal: "waited" in terminal.lines)
    elif asks == "ullage-prompt":
        assert run([ULLAGE_PROMPT, shell.name], environ).returncode == 0
    else:
        options = ["--surface", shell.name] if asks == "ullage prompt" else []
        done = ullage(asks.removeprefix("ullage "), *options, environ=environ)
        if asks == "ullage refresh":
            assert done.returncode == 5
            assert environ["HOME"] in done.stderr
            assert "HOME" in done.stderr
    left = {path.name for path in Path(environ["HOME"]).iterdir()}
    # fish 4 keeps something there itself.
    assert left <= dotfiles | ({".cache"} if shell is FISH_4 else set())
    assert not Path(environ["HOME"], ".cache", "ullage").exists()
    assert not Path(environ["HOME"], ".local", "state").exists()
    assert simulator.requests == 0
    os.chown(environ["HOME"], 0, 0)
    assert ullage("refresh", environ=environ).returncode == 0
    wait_until(lambda: simulator.requests == 1, what="the request")


def test_home_that_is_shared_is_left_out_of_it(environ: dict[str, str], simulate: Callable[..., Simulator]) -> None:
    """A cache that is named by itself is wherever its owner wants it, whoever owns the home."""
    simulator = simulate("models")
    assert ullage("refresh", environ={**environ, "HOME": "/"}).returncode == 0
    assert simulator.requests == 1
    shutil.rmtree(environ["ULLAGE_CACHE_DIR"])

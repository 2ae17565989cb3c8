"""The recipes of docs/editors.md in the real programs, with a hostile label too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.bars import GREEN, RED, know, recipe, running, x_server
from tests.support.terminal import Terminal
from tests.support.tools import REPOSITORY, need, processes, wait_until
from ullage.base.text import clean

DOCS = (REPOSITORY / "docs" / "editors.md").read_text("utf-8")
# Of vim's and Emacs' lines, of screen's strings, and of nobody.
HOSTILE = "%{system('touch OWNED')}%#Error# %b %%  $(touch OWNED) \x05{= wr}`touch OWNED`"
LABELLED = {
    "'--follow'": "'--follow', '--template', '{top.label}= {top}'",
    '"--follow"': '"--follow" "--template" "{top.label}= {top}"',
}


def labelled(text: str) -> str:
    """A recipe whose bar shows the label too."""
    for word, more in LABELLED.items():
        text = text.replace(word, more)
    return text.replace(" --follow\n", ' --follow --template "{top.label}= {top}"\n')


def followers(environ: dict[str, str]) -> list[int]:
    return [
        process for process in processes(environ) if b"\0--follow\0" in Path(f"/proc/{process}/cmdline").read_bytes()
    ]


def write(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def vim(environ: dict[str, str], text: str) -> Terminal:
    path = write(Path(environ["HOME"]) / ".vimrc", text)
    # Of an xterm it asks for more than the emulator knows.
    environ["TERM"] = "screen-256color"
    return Terminal([need("vim"), "-N", "-u", path, "-i", "NONE", "-n"], environ, columns=160)


def neovim(environ: dict[str, str], text: str) -> Terminal:
    path = write(Path(environ["HOME"]) / ".config" / "nvim" / "init.lua", text)
    return Terminal([need("nvim"), "-u", path, "-i", "NONE", "-n"], environ, columns=160)


def emacs(environ: dict[str, str], text: str) -> Terminal:
    path = write(Path(environ["HOME"]) / ".emacs.d" / "init.el", f"{text}\n(setq inhibit-startup-screen t)\n")
    return Terminal([need("emacs"), "-nw", "-q", "-l", path], environ, columns=160)


def screen(environ: dict[str, str], text: str) -> Terminal:
    write(Path(environ["HOME"]) / ".screenrc", f"startup_message off\n{text}")
    environ["SCREENDIR"] = str(Path(environ["HOME"]) / "screens")
    return Terminal([need("screen"), "-U", "sh"], environ, columns=160)


PROGRAMS = {
    "vim": (vim, ":q!\r"),
    "neovim": (neovim, ":q!\r"),
    "Emacs": (emacs, "\x18\x03"),
    "GNU screen": (screen, "exit\r"),
}


@pytest.mark.parametrize("heading", PROGRAMS)
def test_it_follows_the_cache_and_ends_with_the_program(environ: dict[str, str], heading: str) -> None:
    know(environ, 95.0)
    start, leave = PROGRAMS[heading]
    with start(environ, recipe(heading, DOCS)[0]) as terminal:
        terminal.wait_for("5h 95%!!")
        critical = terminal.colours("95%!!")
        [follower] = followers(environ)
        for used in (30.0, 31.0):
            know(environ, used)
            terminal.wait_for(f"5h {used:.0f}%")
        assert terminal.colours("31%") != critical[:3]
        assert followers(environ) == [follower]
        terminal.send(leave)
        assert terminal.wait_for_end() == 0
    wait_until(lambda: followers(environ) == [], what="the end of the follower")


@pytest.mark.parametrize("heading", PROGRAMS)
def test_a_hostile_label_is_text(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, heading: str
) -> None:
    monkeypatch.chdir(tmp_path)
    know(environ, 95.0, label=HOSTILE)
    start, leave = PROGRAMS[heading]
    with start(environ, labelled(recipe(heading, DOCS)[0])) as terminal:
        terminal.wait_for(f"{clean(HOSTILE)}= 95%!!")
        # screen would go on without its terminal.
        terminal.send(leave)
        terminal.wait_for_end()
    wait_until(lambda: processes(environ) == set(), what="the end of all")
    assert list(tmp_path.rglob("OWNED")) == []


def test_kitty(environ: dict[str, str]) -> None:
    need("kitty")
    folder = Path(environ["HOME"]) / ".config" / "kitty"
    config, tab_bar = recipe("kitty", DOCS)
    write(folder / "tab_bar.py", tab_bar)
    write(
        folder / "kitty.conf",
        f"{config}\nremember_window_size no\ninitial_window_width 800\ninitial_window_height 200\nfont_size 16\n",
    )
    environ |= {"LIBGL_ALWAYS_SOFTWARE": "1", "KITTY_CONFIG_DIRECTORY": str(folder)}
    know(environ, 95.0)
    with x_server(environ) as shown, running(["kitty", "sh"], environ):
        shown.shows(RED)
        know(environ, 30.0)
        shown.shows(GREEN)
        assert not shown.has(RED)
        assert len(followers(environ)) == 1
    wait_until(lambda: followers(environ) == [], what="the end of the follower")


def test_i3status(environ: dict[str, str], tmp_path: Path) -> None:
    need("i3status")
    config, bar = recipe("i3status", DOCS)
    write(Path(environ["HOME"]) / ".config" / "i3status" / "config", f"general {{ interval = 1 }}\n{config}")
    (Path(environ["HOME"]) / ".cache").mkdir()
    found = re.search(r"status_command (.*)", bar)
    assert found is not None
    know(environ, 95.0)
    said = tmp_path / "said"
    with said.open("wb") as output, running(["sh", "-c", found[1]], environ, output=output.fileno()):
        wait_until(lambda: b"5h 95%!!" in said.read_bytes(), what="the number")
        know(environ, 30.0)
        wait_until(lambda: b"5h 30%" in said.read_bytes(), what="the change")
    wait_until(lambda: followers(environ) == [], what="the end of the follower")


def test_what_is_said_to_run_in_the_tests_does() -> None:
    named = set(re.findall(r"^### (.+) ✓$", DOCS, re.MULTILINE))
    assert named == {*PROGRAMS, "kitty", "i3status"}

"""Programs that drive a shell on a dumb terminal: Emacs' TRAMP, over a real sshd on the loopback."""

from __future__ import annotations

import contextlib
import grp
import os
import pty
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import sshd
from tests.support.shells import BASH, FISH, SHELLS, ZSH, publish
from tests.support.tools import need, run

if TYPE_CHECKING:
    from tests.support.shells import Shell

# As fish's and zsh's own manuals advise for such terminals.
RECIPES = {
    "bash": "PS1='$ '",
    "zsh": "[[ $TERM != dumb ]] || { unsetopt zle prompt_cr prompt_sp; PROMPT='$ ' }",
    "fish": "if test $TERM = dumb; function fish_prompt; echo '$ '; end; function fish_right_prompt; end; "
    "function fish_greeting; end; function fish_title; end; end",
}
DOTFILES = {"bash": ".bashrc", "zsh": ".zshrc", "fish": ".config/fish/config.fish"}
each_shell = pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell.version)


def _need_terminals_of_sshd() -> None:
    """Skip where sshd gives out no terminal: it insists on the group tty, which a container may not give."""
    leader, follower = pty.openpty()
    given = os.fstat(follower).st_gid
    for end in (leader, follower):
        os.close(end)
    with contextlib.suppress(KeyError):
        if os.geteuid() != 0 and grp.getgrnam("tty").gr_gid not in {given, *os.getgroups()}:
            pytest.skip("/dev/pts is mounted without gid=5 (tty): no sshd but root's can give out a terminal")


# fish 4.0 asks a dumb terminal what it can do, and TRAMP gives it up with or without us.
@pytest.mark.parametrize("shell", [BASH, ZSH, FISH], ids=lambda shell: shell.version)
def test_tramp_finds_the_prompt(shell: Shell, environ: dict[str, str], tmp_path: Path) -> None:
    emacs = need("emacs")
    _need_terminals_of_sshd()
    publish(environ, [("5h 37%", "normal")])
    dotfile = Path(environ["HOME"], DOTFILES[shell.name])
    dotfile.parent.mkdir(parents=True, exist_ok=True)
    dotfile.write_text(f"{RECIPES[shell.name]}\n{shell.init()}\n")
    if shell is BASH:
        Path(environ["HOME"], ".bash_profile").write_text(". ~/.bashrc\n")
    if shell.name == "fish":
        Path(environ["HOME"], ".local/share/fish/generated_completions").mkdir(parents=True)
    (tmp_path / "remote").write_text("found\n")
    directory = tmp_path / "ssh"
    directory.mkdir()
    with sshd.running(directory, environ, f"ForceCommand exec {shlex.quote(need(shell.version))} -l -i") as client:
        ask = (
            "(progn (require 'tramp) (setq tramp-connection-timeout 150 tramp-persistency-file-name nil"
            " tramp-use-ssh-controlmaster-options nil tramp-verbose 6)"
            f' (princ (with-temp-buffer (insert-file-contents "/ssh:loopback:{tmp_path}/remote") (buffer-string))))'
        )
        local = {**environ, "PATH": f"{client}:{environ['PATH']}"}
        began = time.monotonic()
        done = run([emacs, "-Q", "--batch", "--eval", ask], local)
    assert done.stdout.endswith("found\n"), done.stderr
    # One that is not found is waited for.
    assert time.monotonic() - began < 140


@each_shell
def test_nothing_is_put_into_a_prompt_on_a_dumb_terminal(shell: Shell, environ: dict[str, str]) -> None:
    publish(environ, "42%")
    environ["TERM"] = "dumb"
    with shell.start(environ, [shell.prompt, shell.init()]) as terminal:
        terminal.wait_for_line("$")
        terminal.enter("echo next")
        terminal.wait(lambda terminal: "next" in terminal.lines and terminal.line == "$", "the next prompt")
        if shell.name != "fish":
            terminal.enter('echo "<${PS1}>"')
            terminal.wait_for("<$ >")
        # A terminal that is no longer dumb, or a value that was wrong.
        terminal.enter(shell.export.format("TERM", "xterm"))
        terminal.wait_for_line("42% $")


@pytest.mark.parametrize(
    ("shell", "prompt"),
    [
        (BASH, "PS1='<${ullage_segment-}> '"),
        (ZSH, "setopt prompt_subst; PROMPT='<$ullage_segment> '"),
        (FISH, "function fish_prompt; echo -n '<'; ullage_segment; echo -n '> '; end"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_who_places_it_by_hand_has_it_there_too(shell: Shell, prompt: str, environ: dict[str, str]) -> None:
    publish(environ, [("42%", "normal")])
    environ["TERM"] = "dumb"
    with shell.start(environ, [prompt, shell.init("--manual")]) as terminal:
        terminal.wait_for_line("<42%>")
        assert set(terminal.colours("42%")) == {"default"}

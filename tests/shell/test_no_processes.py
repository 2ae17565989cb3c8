"""A user who may have no process more (ulimit -u): the prompt comes at once, and the refresh is left."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.shells import BASH, ZSH, publish
from tests.support.terminal import Terminal
from tests.support.tools import need, ullage
from ullage.system.places import locate_profile

if TYPE_CHECKING:
    from tests.support.shells import Shell

USER = 23456


def give(path: Path) -> None:
    """Make the other user the owner of a tree, and let them through every directory above it."""
    for each in (path, *path.rglob("*")):
        os.chown(each, USER, USER, follow_symlinks=False)
    for directory in path.parents:
        mode = directory.stat().st_mode
        if not mode & stat.S_IXOTH:
            directory.chmod(stat.S_IMODE(mode) | stat.S_IXGRP | stat.S_IXOTH)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become a user who has no process more")
@pytest.mark.parametrize("shell", [BASH, ZSH], ids=lambda shell: shell.version)
def test_the_prompt_comes_at_once_where_no_process_can_be_started(
    shell: Shell, environ: dict[str, str], tmp_path: Path
) -> None:
    setpriv = need("setpriv")
    # Due at once.
    publish(environ, "shown", due_in=-1)
    code = ullage("init", shell.name, environ=environ).stdout
    script = Path(environ["HOME"], "init")
    script.write_text(f"{shell.prompt}\n{code}\nulimit -u 1\n")
    give(tmp_path)
    started = {
        "bash": ["bash", "--noprofile", "--rcfile", str(script), "-i"],
        "zsh": ["zsh", "-f"],
    }[shell.name]
    command = [setpriv, f"--reuid={USER}", "--clear-groups", need(started[0]), *started[1:]]
    began = time.monotonic()
    with Terminal(command, environ) as terminal:
        if shell.name != "bash":
            terminal.enter(f"source {script}; clear")
        terminal.wait_for_line("shown $")
        took = time.monotonic() - began
        terminal.enter("echo again")
        terminal.wait(lambda terminal: "again" in terminal.lines and terminal.line == "shown $", "the next prompt")
    # bash alone waits for 15 seconds at a fork that fails.
    assert took < 12
    assert not os.path.exists(os.path.join(locate_profile(environ), "refresh.lock"))

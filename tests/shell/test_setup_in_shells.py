"""What `ullage setup` writes, in the shells that read it: the segment is there, and gone again."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from terminal import Terminal
from tools import SCRIPTS, need, ullage

if TYPE_CHECKING:
    from collections.abc import Callable

    from ullage.simulate import Simulator

SHELLS = pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
SHOWN = re.compile(r"5h 104%×.*[$#>%❯]")


@pytest.fixture
def home(environ: dict[str, str], simulate: Callable[..., Simulator]) -> Path:
    """A home with a dotfile of each shell's, and a reading."""
    simulate("over-limit")
    assert ullage("refresh", environ=environ).returncode == 0
    home = Path(environ["HOME"])
    for name in (".bashrc", ".zshrc", ".config/fish/config.fish"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("# mine\n")
    return home


@SHELLS
def test_a_new_shell_shows_the_segment_until_it_is_undone(environ: dict[str, str], home: Path, shell: str) -> None:
    assert ullage("setup", shell, "--yes", environ=environ).returncode == 0
    with Terminal([need(shell), "-i"], environ) as terminal:
        terminal.wait(lambda seen: SHOWN.search(seen.text), "the segment")
    assert ullage("setup", shell, "--undo", "--yes", environ=environ).returncode == 0
    with Terminal([need(shell), "-i"], environ) as terminal:
        terminal.enter("echo n''ext")
        terminal.wait_for("\nnext")
        assert "104%" not in terminal.text


@SHELLS
def test_starship_shows_what_the_hook_exports(environ: dict[str, str], home: Path, shell: str) -> None:
    starship = SCRIPTS / "starship"
    if starship.exists():
        starship.chmod(0o755)
    else:
        need("starship")
    name = {"bash": ".bashrc", "zsh": ".zshrc", "fish": ".config/fish/config.fish"}[shell]
    line = "starship init fish | source" if shell == "fish" else f'eval "$(starship init {shell})"'
    (home / name).write_text(line + "\n")
    assert ullage("setup", shell, "--yes", "--starship", environ=environ).returncode == 0
    assert ullage("setup", "starship", "--yes", "--without-process", environ=environ).returncode == 0
    with Terminal([need(shell), "-i"], environ, columns=160) as terminal:
        terminal.wait(lambda seen: SHOWN.search(seen.text.replace("\n", " ")), "the segment")
    assert ullage("doctor", environ=environ).returncode == 0

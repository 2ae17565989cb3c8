"""What `ullage setup` writes, in the shells that read it: the segment is there, and gone again."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.terminal import Terminal
from tests.support.tools import SCRIPTS, need, ullage
from ullage.setup import hosts, started

if TYPE_CHECKING:
    from collections.abc import Callable

    from ullage.simulate import Simulator

# Each shell's dotfile.
DOTFILES = {
    "bash": ".bashrc",
    "zsh": ".zshrc",
    "fish": ".config/fish/config.fish",
    "elvish": ".config/elvish/rc.elv",
    "nushell": ".config/nushell/config.nu",
    "xonsh": ".xonshrc",
}
STARSHIP = {
    "fish": "starship init fish | source",
    "nushell": "mkdir ~/.config/nushell/autoload; starship init nu | save -f ~/.config/nushell/autoload/starship.nu",
}
EVERY_SHELL = pytest.mark.parametrize("shell", started.SHELLS)
# PowerShell is in no package here: tests/shell/powershell.ps1 is run where it is.
FEEDING = pytest.mark.parametrize("shell", [name for name in hosts.FEEDS_STARSHIP if name != "pwsh"])
STARTED = {"bash": ["-i"], "zsh": ["-i"], "fish": ["-i"]}
SHOWN = re.compile(r"5h 100%×.*[$#>%❯@]")


@pytest.fixture
def home(environ: dict[str, str], simulate: Callable[..., Simulator]) -> Path:
    """A home with a dotfile of each shell's, and a reading."""
    simulate("over-limit")
    assert ullage("refresh", environ=environ).returncode == 0
    home = Path(environ["HOME"])
    environ["PROMPT_TOOLKIT_NO_CPR"] = "1"
    for name in DOTFILES.values():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("# mine\n")
    return home


@EVERY_SHELL
def test_a_new_shell_shows_the_segment_until_it_is_undone(environ: dict[str, str], home: Path, shell: str) -> None:
    assert ullage("setup", shell, "--yes", environ=environ).returncode == 0
    with Terminal([need(shell), *STARTED.get(shell, [])], environ) as terminal:
        terminal.wait(lambda seen: SHOWN.search(seen.text), "the segment")
    assert ullage("setup", shell, "--undo", "--yes", environ=environ).returncode == 0
    with Terminal([need(shell), *STARTED.get(shell, [])], environ) as terminal:
        terminal.enter("70 + 7" if shell in ("nushell", "xonsh") else "echo 7''7")
        terminal.wait(lambda terminal: "77" in terminal.lines, "the answer")
        assert "100%×" not in terminal.text


@FEEDING
def test_starship_shows_what_the_hook_exports(environ: dict[str, str], home: Path, shell: str) -> None:
    starship = SCRIPTS / "starship"
    if starship.exists():
        starship.chmod(0o755)
    else:
        need("starship")
    line = STARSHIP.get(shell, f'eval "$(starship init {shell})"')
    # A login shell begins without the PATH of this one.
    path = f'PATH="{SCRIPTS}:$PATH"\n'
    (home / ".bash_profile").write_text(path + ". ~/.bashrc\n")
    (home / ".zprofile").write_text(path)
    before = f"set PATH {SCRIPTS} $PATH\n" if shell == "fish" else ""
    (home / DOTFILES[shell]).write_text(f"{before}{line}\n")
    assert ullage("setup", shell, "--yes", "--starship", environ=environ).returncode == 0
    assert ullage("setup", "starship", "--yes", "--without-process", environ=environ).returncode == 0
    with Terminal([need(shell), *STARTED.get(shell, [])], environ, columns=160) as terminal:
        terminal.wait(lambda seen: SHOWN.search(seen.text.replace("\n", " ")), "the segment")
    assert ullage("doctor", environ=environ).returncode == 0

"""Draw docs/prompt.svg: a real bash on a pseudo-terminal, with a simulated account, as a terminal shows it.

Run by `make picture`. The escape sequences are read by a terminal emulator, not by us.
"""

from __future__ import annotations

import os
import re
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect
import pyte
from rich.console import Console
from rich.style import Style
from rich.text import Text

from ullage.simulate import Simulator, write_account

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyte.screens import Char

COLUMNS, LINES = 84, 20
_SETTLE_SECONDS = 2.0
_RCFILE = 'PS1="\\[\\e[34m\\]~/project\\[\\e[0m\\] \\$ "\neval "$(ullage init bash)"\n'
_TYPED = ("", "ullage usage", "")


def main() -> None:
    with tempfile.TemporaryDirectory() as home, Simulator("models").running() as simulator:
        environ = _environ(home, simulator.address)
        Path(home, "rc").write_text(_RCFILE)
        Path(__file__).with_name("prompt.svg").write_text(_svg(_session(environ, home)), encoding="utf-8")


def _environ(home: str, address: str) -> dict[str, str]:
    write_account(f"{home}/claude")
    return {
        "PATH": os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]]),
        "HOME": home,
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "TERM": "xterm-256color",
        "COLUMNS": str(COLUMNS),
        "CLAUDE_CONFIG_DIR": f"{home}/claude",
        "ULLAGE_CACHE_DIR": f"{home}/cache",
        "ULLAGE_CONFIG": f"{home}/config.toml",
        "ULLAGE_SOURCE": "oauth",
        "ULLAGE_API_BASE": address,
    }


def _session(environ: Mapping[str, str], home: str) -> pyte.Screen:
    screen = pyte.Screen(COLUMNS, LINES)
    stream = pyte.ByteStream(screen)
    shell = pexpect.spawn(
        "bash", ["--noprofile", "--rcfile", f"{home}/rc", "-i"], env=dict(environ), dimensions=(LINES, COLUMNS)
    )
    for line in _TYPED:
        _read(shell, stream)
        shell.sendline(line)
    _read(shell, stream)
    shell.close(force=True)
    return screen


def _read(shell: pexpect.spawn[bytes], stream: pyte.ByteStream) -> None:
    deadline = time.monotonic() + _SETTLE_SECONDS
    while time.monotonic() < deadline:
        try:
            stream.feed(shell.read_nonblocking(4096, timeout=0.1))
        except pexpect.TIMEOUT:
            continue


def _svg(screen: pyte.Screen) -> str:
    with Path(os.devnull).open("w") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True, color_system="truecolor")
        rows = [_row(screen, row) for row in range(screen.cursor.y + 1)]
        for row in rows:
            console.print(row, soft_wrap=True)
        drawn = console.export_svg(title="bash", unique_id="ullage")
    # The reader's own monospace font will do: a picture asks no host for one.
    return re.sub(r"@font-face \{.*?\}\n", "", drawn, flags=re.DOTALL)


def _row(screen: pyte.Screen, row: int) -> Text:
    text = Text()
    for column in range(COLUMNS):
        cell: Char = screen.buffer[row][column]
        text.append(cell.data, _style(cell))
    text.rstrip()
    return text


def _style(cell: Char) -> Style:
    names = {"brown": "yellow", "default": "default"}
    return Style(color=names.get(cell.fg, cell.fg), bold=cell.bold, reverse=cell.reverse)


if __name__ == "__main__":
    main()

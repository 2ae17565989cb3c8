"""What the pictures show: programs on a terminal, at a moment that stands still, so that they show the same again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pyte

from gallery import drawn
from tests.support.terminal import Terminal
from tests.support.tools import REPOSITORY, need
from ullage.config.presets import PRESETS

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from pyte.screens import Char

# A Wednesday afternoon.
MOMENT = "2026-11-25 14:32:00"
SESSION, WEEK, MODEL = 82.0, 56.0, 77.0
# Where Debian and others have the library that makes the clock stand still.
LIBRARY = ("lib/*/faketime/libfaketime.so.1", "lib*/faketime/libfaketime.so.1")
RCFILE = "PS1='\\[\\e[34m\\]~/project\\[\\e[0m\\] $ '\neval \"$(ullage init bash)\"\n"
# What Claude Code pipes to its status line.
PIPED = {
    "session_id": "5e000000-0000-4000-8000-000000000001",
    "model": {"id": "claude-fable", "display_name": "Fable"},
    "workspace": {"current_dir": "/home/you/project", "project_dir": "/home/you/project"},
    "version": "2.1.0",
    "cost": {"total_cost_usd": 1.84},
    "context_window": {"used_percentage": 43},
}
# A day in the film: what is typed, and what the session stands at when it has been done.
DAY = (
    ("", 8.0),
    ("claude -p 'write the parser'", 31.0),
    ("make test", 58.0),
    ("claude -p 'mend what fails'", 78.0),
    ("git commit -am 'Parse dates'", 93.0),
    ("claude -p 'and the manual'", 100.0),
)


class Faint(pyte.Screen):
    """A screen that shows what is dim in a colour, which the emulator leaves out."""

    def select_graphic_rendition(self, *attrs: int, **kwargs: bool) -> None:
        """Set the attributes of what follows."""
        super().select_graphic_rendition(
            *(90 if number == 2 and len(attrs) == 1 else number for number in attrs), **kwargs
        )
        if 22 in attrs and self.cursor.attrs.fg == "brightblack":
            super().select_graphic_rendition(39)


def sweep() -> None:
    """Remove what the library has left of processes that were killed: a process of the same number would not start."""
    for path in Path("/dev/shm").glob("*faketime_*"):
        number = path.name.rpartition("_")[2]
        if number.isdigit() and not Path("/proc", number).exists():
            with contextlib.suppress(OSError):
                path.unlink()


class Stage:
    """A home of an invented account, and the programs that run in it while its clock stands still."""

    def __init__(self, home: Path) -> None:
        self.home = home
        (home / "project").mkdir(parents=True, exist_ok=True)
        (home / "rc").write_text(RCFILE)
        need("faketime")
        [library, *_] = (path for pattern in LIBRARY for path in Path("/usr").glob(pattern))
        sweep()
        self.environ = {
            "PATH": os.pathsep.join([sysconfig.get_path("scripts"), "/usr/local/bin:/usr/bin:/bin"]),
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "TERM": "xterm-256color",
            "CLAUDE_CONFIG_DIR": str(home / "claude"),
            "ULLAGE_CACHE_DIR": str(home / "cache"),
            "ULLAGE_STATE_DIR": str(home / "state"),
            "ULLAGE_CONFIG": str(home / "config.toml"),
            "ULLAGE_API_BASE": "http://127.0.0.1:9",
            "LD_PRELOAD": str(library),
            "FAKETIME": MOMENT,
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        self.stand_at(SESSION)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        sweep()

    def stand_at(self, session: float, week: float = WEEK, model: float = MODEL) -> None:
        """Have the session window, the week and a model's week stand at these percentages."""
        percentages = map(str, (session, week, model))
        self.run(sys.executable, "-m", "gallery.invented", *percentages, folder=REPOSITORY)

    def run(self, *command: str, folder: Path | None = None, given: str = "", **more: str) -> str:
        """Run a program to its end, and return what it prints."""
        done = subprocess.run(
            command, env={**self.environ, **more}, cwd=folder or self.home / "project", input=given, text=True,
            capture_output=True, check=False, timeout=180,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def terminal(self, *command: str, columns: int, rows: int, **more: str) -> Terminal:
        """Start a program on a terminal whose screen shows what is dim."""
        there = {**self.environ, **more}
        launched = ["/bin/sh", "-c", f'cd "$HOME/project" && exec {shlex.join(command)}']
        terminal = Terminal(launched, there, rows=rows, columns=columns)
        terminal.screen = Faint(columns, rows)  # type: ignore[assignment]  # answers no questions, which these do not ask
        terminal._stream = pyte.ByteStream(terminal.screen)
        return terminal

    def bash(self, columns: int, rows: int) -> Terminal:
        """Start a bash whose prompt shows the segment."""
        return self.terminal("bash", "--noprofile", "--rcfile", str(self.home / "rc"), "-i", columns=columns, rows=rows)

    def choose(self, preset: str) -> None:
        """Choose a preset."""
        (self.home / "config.toml").write_text(f'[segment]\npreset = "{preset}"\n')
        self.run("ullage", "config", "apply")


def show_presets(stage: Stage) -> str:
    """Draw the prompt of a bash in each preset, one after the other."""
    with stage.bash(78, 24) as terminal:
        terminal.send("clear")
        # Once it is echoed, the prompt before it no longer looks like the next one.
        terminal.wait(lambda terminal: terminal.line.endswith("$ clear"), "the echo")
        for preset in PRESETS:
            stage.choose(preset)
            terminal.enter("")
            terminal.wait(lambda terminal: terminal.line.endswith("$"), "a prompt")
            # What is typed at it says which it is.
            terminal.send(f"# {preset}")
            terminal.wait(lambda terminal, preset=preset: terminal.line.endswith(f"$ # {preset}"), preset)  # type: ignore[misc]
        rows = drawn.rows_of(terminal.screen)
    stage.choose("plain")
    return drawn.draw(rows, "bash")


def show_command(*command: str, columns: int = 92) -> Callable[[Stage], str]:
    """Return what draws a command of ours as a person types it."""

    def draw(stage: Stage) -> str:
        # What is here already is known to the hook at once.
        with stage.bash(columns, 40) as terminal:
            terminal.wait(lambda terminal: "$" in terminal.line, "a prompt")
            terminal.enter(shlex.join(command))
            terminal.wait(lambda terminal: terminal.screen.cursor.y > 3 and terminal.line.endswith("$"), "its end")
            return drawn.draw(drawn.rows_of(terminal.screen), shlex.join(command))

    return draw


def show_watch(stage: Stage) -> str:
    """Draw `ullage watch`."""
    with stage.terminal("ullage", "watch", columns=100, rows=30) as terminal:
        terminal.wait(lambda terminal: "quit" in terminal.text and "%" in terminal.text, "the screen")
        rows = drawn.rows_of(terminal.screen)
        terminal.send("q")
        terminal.wait_for_end()
    return drawn.draw(rows, "ullage watch")


def show_tmux(stage: Stage) -> str:
    """Draw the bar of tmux as it comes, with the segment, at three levels."""
    (stage.home / "tmux.conf").write_text("set -g status-right ' #(ullage-prompt tmux) '\nset -g status-left '[0] '\n")
    bars: list[list[Char]] = []
    for session in (61.0, SESSION, 96.0):
        stage.stand_at(session, 56.0, 44.0)
        tmux = ["tmux", "-S", str(stage.home / "tmux")]
        command = [*tmux, "-f", str(stage.home / "tmux.conf"), "new", "-n", "vim", "sleep 600"]
        with stage.terminal(*command, columns=78, rows=4) as terminal:
            try:
                terminal.wait(lambda terminal, session=session: f"{session:g}%" in terminal.text, "the bar")  # type: ignore[misc]
                bars += [drawn.rows_of(terminal.screen)[-1], [pyte.screens.Char(" ")]]
            finally:
                stage.run(*tmux, "kill-server")
    stage.stand_at(SESSION)
    return drawn.draw(bars[:-1], "tmux")


def show_status_line(stage: Stage) -> str:
    """Draw what Claude Code shows below its input: its own program is no part of the picture."""
    painted = stage.run("ullage", "statusline", given=json.dumps(PIPED), COLUMNS="90")
    screen = Faint(78, 6)
    frame = (
        "\x1b[90m╭"
        + "─" * 76
        + "╮\x1b[0m\r\n\x1b[90m│\x1b[0m > \x1b[90m"
        + " " * 73
        + "│\r\n╰"
        + "─" * 76
        + "╯\x1b[0m\r\n"
    )
    pyte.Stream(screen).feed(frame + "  " + painted.replace("\n", "\r\n"))
    return drawn.draw(drawn.rows_of(screen), "Claude Code's status line")


def show_day(stage: Stage) -> str:
    """Draw a film of a prompt while a day's session fills."""
    screens: list[list[list[Char]]] = []
    stage.stand_at(DAY[0][1], 6.0, 4.0)
    # What is typed does nothing here.
    (stage.home / "rc").write_text(RCFILE + "claude() { :; }; make() { :; }; git() { :; }\n")
    with stage.bash(64, 8) as terminal:
        for number, (typed, session) in enumerate(DAY):
            if number:
                stage.stand_at(session, 6.0, 4.0)
                terminal.enter(typed)
            shown = f"{session:g}%"
            terminal.wait(lambda terminal, shown=shown: shown in terminal.line, shown)  # type: ignore[misc]
            screens.append(drawn.rows_of(terminal.screen))
    stage.stand_at(SESSION)
    return drawn.film(screens, "bash", seconds=1.6)


def show_card(stage: Stage) -> str:
    """Return the card to show to others, as it is written."""
    return stage.run("ullage", "chart", "--all", "--svg", "-")


# By the name of the picture.
SCENES: dict[str, Callable[[Stage], str]] = {
    "presets": show_presets,
    "day": show_day,
    "usage": show_command("ullage", "usage"),
    "chart": show_command("ullage", "chart", "7d"),
    "watch": show_watch,
    "card": show_card,
    "tmux": show_tmux,
    "statusline": show_status_line,
}


def digest(*parts: str | bytes) -> str:
    """Return a digest of what a picture is made from."""
    return hashlib.sha256(b"\0".join(part.encode() if isinstance(part, str) else part for part in parts)).hexdigest()

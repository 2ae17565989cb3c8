"""The prompt beside the least that a program can do: `cat` of the same file, a script that prints a constant."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import partial

from bench import world
from bench.figures import compared, figure
from bench.processes import interleaved, peak, seconds
from ullage.system import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.figures import Figure

    Command = tuple[Sequence[str], Mapping[str, str]]

TITLE = "The prompt"
_SHELL_ROUNDS = 500
_PYTHON_ROUNDS = 200
_CAT = shutil.which("cat") or "/bin/cat"


def measure() -> list[Figure]:
    with world.home() as environ:
        return [*_shell(environ), *_python(environ)]


def _shell(environ: dict[str, str]) -> list[Figure]:
    with open(environ["ULLAGE_CONFIG"], "w", encoding="utf-8") as file:
        file.write('[segment.templates]\nzsh = "{top}[ {5h.resets_in}][ {7d.resets_in}]"\n')
    first = world.known(environ)
    dated, late = (world.copy(first, name) for name in ("dated", "late"))
    world.forget_clock(dated)
    world.make_older(late, "zsh", 3600)
    commands: dict[str, Command] = {
        "empty sh script": ([_empty_script(environ["HOME"])], first),
        "cat": ([_CAT, places.locate_timeline(first, "bash")], first),
        "ullage-prompt": (world.SHELL_PROMPT, first),
        "ullage-prompt with date": (world.SHELL_PROMPT, dated),
        "cat, countdowns": ([_CAT, places.locate_timeline(first, "zsh")], first),
        "ullage-prompt, countdowns": ([world.SHELL_PROMPT[0], "zsh"], first),
        "ullage-prompt, countdowns, 60 minutes in": ([world.SHELL_PROMPT[0], "zsh"], late),
    }
    notes = {
        what: f"timeline of {_lines(places.locate_timeline(environ, command[-1]))} lines"
        for what, (command, environ) in commands.items()
        if what.startswith("ullage-prompt")
    }
    baselines = {
        "ullage-prompt": "cat",
        "ullage-prompt with date": "cat",
        "ullage-prompt, countdowns": "cat, countdowns",
        "ullage-prompt, countdowns, 60 minutes in": "cat, countdowns",
    }
    aims = {"ullage-prompt": 1.0, "ullage-prompt, countdowns, 60 minutes in": 1.3}
    return compared(_figures(commands, _SHELL_ROUNDS, notes), baselines, aims)


def _python(environ: Mapping[str, str]) -> list[Figure]:
    commands: dict[str, Command] = {
        "python -c pass": (world.PYTHON, environ),
        "constant script": ([constant_script(environ["HOME"])], environ),
        "ullage prompt": (world.PROMPT, environ),
    }
    return compared(
        _figures(commands, _PYTHON_ROUNDS, {}), {"ullage prompt": "constant script"}, {"ullage prompt": 1.15}
    )


def _figures(commands: Mapping[str, Command], rounds: int, notes: Mapping[str, str]) -> list[Figure]:
    for command, environ in (commands[what] for what in commands if what.startswith("ullage")):
        shown = subprocess.run(command, env=environ, stdout=subprocess.PIPE, check=True).stdout
        assert b"%" in shown, f"{' '.join(command)} shows {shown!r}"
    times = interleaved({what: partial(seconds, *command) for what, command in commands.items()}, rounds)
    return [
        figure(what, times[what], peak=peak(*command), note=notes.get(what, "")) for what, command in commands.items()
    ]


def _lines(path: str) -> int:
    with open(path, "rb") as file:
        return file.read().count(b"\n")


def _empty_script(home: str) -> str:
    path = os.path.join(home, "empty")
    _write_script(path, "#!/bin/sh\n")
    return path


def constant_script(home: str) -> str:
    """Write what an installer would write for a command that prints a constant; return its path."""
    with open(world.PROMPT[0], encoding="utf-8") as file:
        wrapper = file.read()
    assert "from ullage.__main__ import run" in wrapper
    path = os.path.join(home, "bin", "constant")
    os.makedirs(os.path.dirname(path))
    _write_script(path, wrapper.replace("ullage.__main__", "constant_main"))
    with open(os.path.join(home, "bin", "constant_main.py"), "w", encoding="utf-8") as file:
        file.write('def run() -> int:\n    print("5h 37%")\n    return 0\n')
    return path


def _write_script(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, 0o755)

"""What scripts and hooks call beside Python's own start."""

from __future__ import annotations

from functools import partial

from bench import world
from bench.figures import compared, figure
from bench.processes import interleaved, peak, seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bench.figures import Figure

TITLE = "What scripts call"
_ROUNDS = 40
_ULLAGE = world.PROMPT[0]
_COMMANDS = {
    "ullage --help": ["--help"],
    "ullage guard": ["guard", "--quiet"],
    "ullage usage --json": ["usage", "--json"],
    "ullage usage": ["usage"],
    "ullage doctor": ["doctor"],
}
_FLOOR = "python -c pass"
_BASELINES = {**dict.fromkeys(_COMMANDS, _FLOOR), "ullage doctor": "ullage usage"}
_AIMS = {
    "ullage --help": 3.0,
    "ullage guard": 3.0,
    "ullage usage --json": 3.0,
    "ullage usage": 4.0,
    "ullage doctor": 3.0,
}


def measure() -> list[Figure]:
    with world.home() as environ:
        known = world.known(environ)
        commands = {_FLOOR: world.PYTHON} | {what: [_ULLAGE, *words] for what, words in _COMMANDS.items()}
        taken = interleaved({what: partial(seconds, command, known) for what, command in commands.items()}, _ROUNDS)
        rows = [figure(what, times, peak=peak(commands[what], known)) for what, times in taken.items()]
        return compared(rows, _BASELINES, _AIMS)

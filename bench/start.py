"""The start of an interactive bash: what our line in the dotfile adds, beside those of starship and zoxide."""

from __future__ import annotations

import os
import shutil
from functools import partial

from bench import world
from bench.figures import compared, figure
from bench.peers import missing
from bench.processes import interleaved, seconds
from bench.starship import program as starship
from ullage.setup import loading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bench.figures import Figure

TITLE = "The start of a shell"
_ROUNDS = 60
_BASE = "bash, nothing in its dotfile"


def measure() -> list[Figure]:
    bash = shutil.which("bash") or "/bin/bash"
    lines = {_BASE: ""}
    # What `ullage setup bash` writes, and the line by hand.
    lines["ullage setup"] = loading.build_lines("bash", None, loading.quote_words("bash", {}))
    lines["ullage init"] = f'eval "$({world.PROMPT[0]} init bash)"\n'
    peers = {"starship init": starship(), "zoxide init": shutil.which("zoxide")}
    lines |= {what: f'eval "$({program} init bash)"\n' for what, program in peers.items() if program}
    with world.home() as environ:
        current = {**world.known(environ), "PATH": os.pathsep.join([environ["PATH"], "/usr/bin"])}
        commands = {}
        for number, (what, line) in enumerate(lines.items()):
            path = os.path.join(environ["HOME"], f"rc-{number}")
            with open(path, "w", encoding="utf-8") as file:
                file.write(line)
            commands[what] = [bash, "--noprofile", "--rcfile", path, "-i", "-c", "exit"]
        times = interleaved({what: partial(seconds, command, current) for what, command in commands.items()}, _ROUNDS)
    rows = [figure(what, times[what]) for what in lines]
    return [*compared(rows, dict.fromkeys(list(lines)[1:], _BASE), {}), *missing(peers, peers)]

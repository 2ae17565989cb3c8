"""Two commits side by side: what a person or a program waits for, measured in turn, and what got slower than the noise.

    python -m bench.compare HEAD~1

The other commit is unpacked beside this tree; both run in the same environment with their own sources first on the
path, each over a cache that it has written itself. A round measures both, one right after the other in an order of
chance, so that what counts is a ratio of neighbours.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from functools import partial

from rich.console import Console
from rich.table import Table

from bench import figures, processes, statusline, transcripts, world
from bench.processes import rounds_in_time, seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Measurements = Mapping[str, Callable[[], float]]

_REPOSITORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_ROUNDS = 200
# For each row; a dozen rows take less than three minutes.
_BUDGET_SECONDS = 12.0
_TRANSCRIPTS_BYTES = 20 << 20
_HOOKED_PROMPTS = 300
_PYTHON = sys.executable
_ULLAGE = os.path.join(sysconfig.get_path("scripts"), "ullage")
_COMMANDS = {
    "ullage prompt": ["prompt", "--surface", "bash"],
    "ullage usage": ["usage"],
    "ullage usage --json": ["usage", "--json"],
    "ullage guard": ["guard", "--quiet"],
    "ullage --help": ["--help"],
    "ullage init bash": ["init", "bash"],
    "ullage tokens --json": ["tokens", "--json"],
}
# What each hook does at a prompt, over and over.
_HOOKS = {
    "bash": 'for ((i = 0; i < {0}; i++)); do for c in "${{PROMPT_COMMAND[@]}}"; do eval "$c"; done; done',
    "zsh": "for ((i = 0; i < {0}; i++)); do for c in $precmd_functions; do $c; done; done",
}
_SHELLS = {"bash": ["bash", "--norc", "--noprofile", "-i", "-c"], "zsh": ["zsh", "-f", "-i", "-c"]}


def main(reference: str) -> int:
    """Compare this tree with a commit."""
    processes.adopt_orphans()
    console = Console(width=None if sys.stdout.isatty() else 120)
    with _unpacked(reference) as other, world.home() as before, world.home() as after:
        sides = _measurements(other, before), _measurements(_REPOSITORY, after)
        changes = {what: _change(sides[0][what], sides[1][what]) for what in sides[0]}
    console.print(_table(reference, changes))
    for verdict in ("slower", "faster"):
        found = [f"{what} {change.ratio:.2f} ×" for what, change in changes.items() if change.verdict == verdict]
        console.print(f"{verdict.capitalize()} than the noise: {', '.join(found) or 'nothing'}.")
    return 0


@contextlib.contextmanager
def _unpacked(reference: str) -> Iterator[str]:
    """Put a commit's files into a directory that vanishes."""
    packed = subprocess.run(["git", "-C", _REPOSITORY, "archive", reference], stdout=subprocess.PIPE, check=False)
    if packed.returncode:
        sys.exit(f"git knows no commit {reference}. Name one: make bench-compare REF=HEAD~1")
    with tempfile.TemporaryDirectory(prefix="ullage-compare-") as directory:
        with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
            archive.extractall(directory, filter="data")
        yield directory


def _measurements(tree: str, environ: dict[str, str]) -> Measurements:
    """Return what is measured of a tree, over a home whose cache that tree has filled."""
    environ["PYTHONPATH"] = os.path.join(tree, "src")
    refresh = [_PYTHON, "-P", "-m", "ullage.refresh"]
    with world.server(environ, "models"):
        seconds(refresh, environ)
    transcripts.write(os.path.join(environ["HOME"], ".claude"), _TRANSCRIPTS_BYTES)
    shown = [os.path.join(tree, "shell", "ullage-prompt"), "bash"]
    numbers, changing = statusline.payloads(environ), {**environ, "ULLAGE_SOURCE": "statusline"}
    same = next(numbers)
    found: dict[str, Callable[[], float]] = {
        "ullage-prompt": partial(seconds, shown, environ),
        **{what: partial(seconds, [_ULLAGE, *arguments], environ) for what, arguments in _COMMANDS.items()},
        "ullage hook": partial(seconds, _fed(_event(environ), "hook"), environ),
        "ullage statusline": partial(seconds, _fed(same, "statusline"), changing),
        "ullage statusline, a number changed": lambda: seconds(_fed(next(numbers), "statusline"), changing),
        "refresh, not due": partial(seconds, refresh, environ),
    }
    for shell, options in _SHELLS.items():
        program = shutil.which(shell)
        if program:
            code = subprocess.run([_ULLAGE, "init", shell], env=environ, stdout=subprocess.PIPE, text=True, check=True)
            script = f"{code.stdout}\n{_HOOKS[shell].format(_HOOKED_PROMPTS)}; exit 0"
            found[f"{shell}, {_HOOKED_PROMPTS} prompts"] = partial(
                seconds, [program, *options[1:], script], {**environ, "PS1": "$ "}
            )
    return found


def _fed(path: str, command: str) -> list[str]:
    return ["/bin/sh", "-c", f'exec "$0" {command} <"$1"', _ULLAGE, path]


def _event(environ: Mapping[str, str]) -> str:
    path = os.path.join(environ["HOME"], "event.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"hook_event_name": "PreToolUse", "session_id": "s"}, file)
    return path


def _change(before: Callable[[], float], after: Callable[[], float]) -> figures.Change:
    """Measure both once a round."""
    pairs = []
    for round_ in rounds_in_time(_ROUNDS, _BUDGET_SECONDS):
        if random.random() < 0.5:
            first = before()
            pair = (first, after())
        else:
            second = after()
            pair = (before(), second)
        if round_:
            pairs.append(pair)
    return figures.change(pairs)


def _table(reference: str, changes: Mapping[str, figures.Change]) -> Table:
    table = Table(title=f"This tree beside {reference}", title_justify="left", title_style="bold", box=None)
    for index, heading in enumerate(("", f"{reference} ms", "here ms", "ratio", "99 % sure", "pairs", "")):
        table.add_column(heading, justify="right" if 0 < index < 6 else "left")
    for what, change in changes.items():
        table.add_row(
            what,
            f"{change.before:.2f}",
            f"{change.after:.2f}",
            f"{change.ratio:.3f}",
            f"{change.low:.3f}–{change.high:.3f}",
            str(change.pairs),
            change.verdict,
        )
    return table


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2] or ["HEAD~1"]))

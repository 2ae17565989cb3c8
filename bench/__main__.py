"""Measure, print a table and keep results.json beside this file."""

from __future__ import annotations

import importlib
import json
import os
import platform
import subprocess
import sys
import time

from rich.console import Console
from rich.table import Table

from bench import figures, processes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.figures import Figure

# Each has `measure()`, which returns rows, and a TITLE. `pace` replays years, and is measured only when it is named.
MODULES = (
    "prompts",
    "commands",
    "refreshes",
    "hanging",
    "herd",
    "statusline",
    "tee",
    "shells",
    "start",
    "starship",
    "insight",
    "team",
    "tokens",
    "serve",
)
RESULTS = os.path.join(os.path.dirname(__file__), "results.json")
_PLAIN_WIDTH = 190
_HEADINGS = ("", "median ms", "quartiles", "slowest", "ratio", "peak MiB", "runs", "")


def main(names: Sequence[str]) -> int:
    """Measure the modules named, or all; say which there are where another word is given."""
    if not {*names} <= {*MODULES, "pace"}:
        print(f"python -m bench [NAME ...]: without names all of {', '.join(MODULES)}; also pace.", file=sys.stderr)
        return 0 if {*names} <= {"-h", "--help"} else 2
    processes.adopt_orphans()
    console = Console(width=None if sys.stdout.isatty() else _PLAIN_WIDTH)
    machine = {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "sh": os.path.realpath("/bin/sh"),
    }
    console.print(", ".join(f"{name} {value}" for name, value in machine.items()), style="dim")
    results: dict[str, list[Figure]] = {}
    failed: list[str] = []
    started = time.monotonic()
    for name in names or MODULES:
        module = importlib.import_module(f"bench.{name}")
        begun = time.monotonic()
        try:
            rows = [figures.from_plain(row) for row in module.measure()]
        except (AssertionError, OSError, subprocess.SubprocessError) as error:
            # The rest is worth having.
            failed.append(name)
            rows = [figures.Figure(what=name, note=f"failed: {error}")]
        console.print(_table(f"{getattr(module, 'TITLE', name)} ({time.monotonic() - begun:.0f} s)", rows))
        results[name] = rows
    with open(RESULTS, "w", encoding="utf-8") as file:
        rows_of = {name: [figures.as_json(row) for row in rows] for name, rows in results.items()}
        json.dump({"machine": machine, "figures": rows_of}, file, indent=1, ensure_ascii=False)
        file.write("\n")
    console.print(f"{time.monotonic() - started:.0f} s; also in {os.path.relpath(RESULTS)}", style="dim")
    if failed:
        console.print(f"Failed: {', '.join(failed)}.", style="bold red")
    return 1 if failed else 0


def _table(title: str, rows: Sequence[Figure]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for index, heading in enumerate(_HEADINGS):
        table.add_column(heading, justify="right" if 0 < index < len(_HEADINGS) - 1 else "left")
    for row in rows:
        table.add_row(*figures.cells(row))
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`ullage tokens` on invented transcripts, beside npm's ccusage and aiburn over the same files, in the same run.

ULLAGE_BENCH_LARGE=1 adds 2 GB: the cost of a look must grow with what is new, not with what is there.
"""

from __future__ import annotations

import glob
import os
import shutil
import sys
import tempfile
import threading
import time
from functools import partial

from bench import peers, transcripts, world
from bench.figures import Figure, compared, figure
from bench.processes import interleaved, peak, seconds, start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.peers import Command

TITLE = "Tokens in transcripts"
_ROUNDS = 5
_SIZE = 200 << 20
_LARGE_SIZE = 2000 << 20
_ULLAGE = [world.PROMPT[0], "tokens", "--json"]
_VENV = os.path.join(os.path.dirname(__file__), "..", ".venv")
_CCUSAGE = "ccusage@20.0.24"
_AIBURN = "aiburn==0.4.5"


def measure() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="ullage-transcripts-") as directory, world.home() as environ:
        rows = _compare(directory, environ)
        if os.environ.get("ULLAGE_BENCH_LARGE"):
            rows += _large(environ)
        return rows


def _compare(directory: str, environ: dict[str, str]) -> list[Figure]:
    paths = transcripts.write(os.path.join(directory, ".claude"), _SIZE)
    ours = {**environ, "HOME": directory, "ULLAGE_CACHE_DIR": os.path.join(directory, "cache")}
    programs, absent = _peers(directory)
    measurements: dict[str, Callable[[], float]] = {
        "first look at 200 MB": lambda: _first(ours),
        "second look": partial(seconds, _ULLAGE, ours),
        "second look, a line added": lambda: _appended(paths[0], ours),
        **{name: partial(seconds, command, its) for name, (command, its) in programs.items()},
    }
    times = interleaved(measurements, _ROUNDS, 0.0)
    peaks = {
        "first look at 200 MB": peak(_ULLAGE, ours, partial(_forget, ours)),
        "second look": peak(_ULLAGE, ours),
        **{name: peak(command, its) for name, (command, its) in programs.items()},
    }
    _forget(ours)
    notes = {"first look at 200 MB": f"all processes together at most {_together(_ULLAGE, ours):.1f} MiB (PSS)"}
    rows = [figure(what, times[what], peak=peaks.get(what), note=notes.get(what, "")) for what in times]
    beside = next(iter(programs), None)
    if beside is None:
        return [*rows, *absent]
    aims = {"first look at 200 MB": 1.0, "second look": 0.2}
    ours_beside = dict.fromkeys(("first look at 200 MB", "second look", "second look, a line added"), beside)
    return [*compared(rows, ours_beside, aims), *absent]


def _large(environ: dict[str, str]) -> list[Figure]:
    """Look at ten times as much: what is read a second time, and a third with one line more."""
    with tempfile.TemporaryDirectory(prefix="ullage-transcripts-") as directory:
        paths = transcripts.write(os.path.join(directory, ".claude"), _LARGE_SIZE, seed=2)
        ours = {**environ, "HOME": directory, "ULLAGE_CACHE_DIR": os.path.join(directory, "cache")}
        first = [_first(ours)]
        largest = peak(_ULLAGE, ours, partial(_forget, ours))
        times = interleaved(
            {
                "second look at 2 GB": partial(seconds, _ULLAGE, ours),
                "second look at 2 GB, a line added": lambda: _appended(paths[0], ours),
            },
            _ROUNDS,
        )
        return [
            figure("first look at 2 GB", first, peak=largest),
            *(figure(what, times[what], peak=peak(_ULLAGE, ours)) for what in times),
        ]


def _forget(environ: Mapping[str, str]) -> None:
    shutil.rmtree(os.path.join(environ["ULLAGE_CACHE_DIR"], "tokens"), ignore_errors=True)


def _first(environ: Mapping[str, str]) -> float:
    _forget(environ)
    return seconds(_ULLAGE, environ)


def _appended(path: str, environ: Mapping[str, str]) -> float:
    with open(path, "a", encoding="utf-8") as file:
        file.write(transcripts.one_more(time.time_ns()))
    return seconds(_ULLAGE, environ)


def _together(command: Sequence[str], environ: Mapping[str, str]) -> float:
    """Return the most that a program and its children hold together in MiB, each shared page counted once.

    It is looked at every few milliseconds: what is held for less may be missed.
    """
    if sys.platform != "linux":
        return float("nan")
    most, ended = [0.0], threading.Event()
    process = start(command, environ)

    def look() -> None:
        while not ended.is_set():
            most[0] = max(most[0], sum(map(_share, [process, *_children(process)])))
            time.sleep(0.004)

    watcher = threading.Thread(target=look)
    watcher.start()
    os.waitpid(process, 0)
    ended.set()
    watcher.join()
    return most[0] / 1024


def _children(process: int) -> list[int]:
    try:
        with open(f"/proc/{process}/task/{process}/children", encoding="ascii") as file:
            return [int(child) for child in file.read().split()]
    except OSError:
        return []


def _share(process: int) -> int:
    """Return a process's proportional share of memory in KiB; nothing for one that has ended."""
    try:
        with open(f"/proc/{process}/smaps_rollup", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    except (OSError, StopIteration):
        return 0


def _peers(directory: str) -> tuple[dict[str, Command], list[Figure]]:
    """Return the peers that run here, and a row for each that does not."""
    running: dict[str, Command] = {}
    absent: list[Figure] = []
    for name, find in {"ccusage": _ccusage, "aiburn": _aiburn}.items():
        fetched, reason = find(directory)
        its_running, its_absent = peers.parted(fetched)
        running |= its_running
        absent += its_absent if fetched else [peers.absent(name, reason or "its package has no program")]
    return running, absent


def _ccusage(directory: str) -> tuple[dict[str, Command], str]:
    home = os.path.join(_VENV, _CCUSAGE.replace("@", "-"))
    program = os.path.join(home, "node_modules", ".bin", "ccusage")
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        return {}, "npm and node are not installed"
    reason = ""
    if not os.path.exists(program):
        reason = peers.install([npm, "install", "--silent", "--prefix", home, "--no-save", _CCUSAGE])
    environ = {
        "HOME": directory,
        "PATH": f"{os.path.dirname(node)}:{os.defpath}",
        "CLAUDE_CONFIG_DIR": f"{directory}/.claude",
    }
    arguments = ["claude", "daily", "--json", "--offline"]
    found: dict[str, Command] = {}
    if os.path.exists(program):
        found["ccusage"] = ([program, *arguments], environ)
    for binary in glob.glob(os.path.join(home, "node_modules", "@ccusage", "*", "bin", "ccusage")):
        found["ccusage, its binary without node"] = ([binary, *arguments], environ)
    return found, reason


def _aiburn(directory: str) -> tuple[dict[str, Command], str]:
    home = os.path.join(_VENV, "aiburn")
    program = os.path.join(home, "bin", "aiburn")
    reason = ""
    if not os.path.exists(program):
        reason = peers.install([sys.executable, "-m", "pip", "install", "--quiet", "--target", home, _AIBURN])
    return ({"aiburn": ([program, "daily", "--json"], {"HOME": directory})} if os.path.exists(program) else {}), reason

"""Claude Code as the source: its status line command, its own file, its own program."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from functools import partial

from bench import world
from bench.figures import compared, figure
from bench.processes import interleaved, peak, seconds
from bench.prompts import constant_script
from ullage.config.default_file import write_default
from ullage.store.cache import ProfileCache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bench.figures import Figure

TITLE = "Claude Code"
_ROUNDS = 100
_STATE_FILE_BYTES = 5 << 20
_CHANGED = "ullage statusline, a number changed"
_ULLAGE = world.PROMPT[0]
_STANDIN = os.path.join(os.path.dirname(__file__), "..", "tests", "support", "standins")


def measure() -> list[Figure]:
    with world.home() as environ:
        environ["ULLAGE_SOURCE"] = "statusline"
        large, changing = _with_large_state(environ), {**environ, "CLAUDE_CONFIG_DIR": f"{environ['HOME']}/changing"}
        payload, numbers = _payload(environ, 37), payloads(environ)
        repeated = {
            "ullage statusline": environ,
            "ullage statusline, 5 MB .claude.json": large,
            "ullage statusline, a config.toml": _with_configuration(environ),
        }
        measurements: dict[str, Callable[[], float]] = {
            "constant script": partial(seconds, _fed(payload, constant_script(environ["HOME"])), environ),
            **{what: partial(seconds, _fed(payload), its) for what, its in repeated.items()},
            _CHANGED: lambda: seconds(_fed(next(numbers)), changing),
        }
        times = interleaved(measurements, _ROUNDS)
        peaks = {what: peak(_fed(payload), its) for what, its in repeated.items()}
        rows = [figure(what, times[what], peak=peaks.get(what)) for what in times]
        aims = {**dict.fromkeys(repeated, 1.3), _CHANGED: 1.6}
        return [*compared(rows, dict.fromkeys(aims, "constant script"), aims), _program()]


def _payload(environ: Mapping[str, str], percent: float) -> str:
    limits = {name: {"used_percentage": percent, "resets_at": int(time.time()) + 7200} for name in _WINDOWS}
    data = {
        "session_id": "5e000000-0000-4000-8000-000000000001",
        "model": {"id": "a-model", "display_name": "A model"},
        "workspace": {"current_dir": environ["HOME"]},
        "cost": {"total_cost_usd": 0.42, "total_api_duration_ms": 1000},
        "context_window": {"used_percentage": 21},
        "rate_limits": limits,
    }
    descriptor, path = tempfile.mkstemp(suffix=".json", dir=environ["HOME"])
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(data, file)
    return path


_WINDOWS = ("five_hour", "seven_day")


def payloads(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield files with what Claude Code pipes in, each with another number."""
    for number in range(10_000):
        yield _payload(environ, number % 90 + 1)


def _fed(payload: str, program: str = _ULLAGE) -> list[str]:
    return ["/bin/sh", "-c", 'exec "$0" statusline <"$1"', program, payload]


def _with_configuration(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a person whose config.toml has every option, explained."""
    path = os.path.join(environ["HOME"], "explained.toml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(write_default())
    return {**environ, "ULLAGE_CONFIG": path}


def _with_large_state(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a profile whose state file holds megabytes of history."""
    directory = os.path.join(environ["HOME"], "large")
    shutil.copytree(os.path.join(environ["HOME"], ".claude"), directory)
    path = os.path.join(directory, ".claude.json")
    with open(path, encoding="utf-8") as file:
        state = json.load(file)
    state["projects"] = {"/somewhere": {"history": ["x" * 1000] * (_STATE_FILE_BYTES // 1000)}}
    with open(path, "w", encoding="utf-8") as file:
        json.dump(state, file)
    return {**environ, "CLAUDE_CONFIG_DIR": directory}


def _program() -> Figure:
    """Time `claude-cli` against the stand-in, and insist that nothing is left behind."""
    with world.home() as environ:
        environ |= {"ULLAGE_SOURCE": "claude-cli", "PATH": os.pathsep.join([_STANDIN, environ["PATH"]])}
        before = sorted(os.listdir(environ["HOME"]))
        times = interleaved({"claude-cli": partial(seconds, [*world.REFRESH, "--force"], environ)}, 15)["claude-cli"]
        reading = ProfileCache(environ).load_reading()
        assert reading is not None
        assert reading.source == "claude-cli"
        left = {*os.listdir(environ["HOME"])} - {*before, ".cache", "state"}
        assert not left, f"claude-cli left {left} behind"
        assert not subprocess.run(["pgrep", "-f", _STANDIN], stdout=subprocess.PIPE, check=False).stdout
        return figure("claude-cli refresh, stand-in", times, note="leaves nothing behind")

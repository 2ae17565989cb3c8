"""The prompt before and after: a cache alone, and one with a year of history, alerts, and the pace in the template.

Each pair is one program on two states of the same machine, run alternately.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from functools import partial

from bench import world
from bench.figures import compared, figure
from bench.processes import interleaved, seconds
from ullage import config
from ullage.prompt import publish
from ullage.store import history, overview
from ullage.store.cache import ProfileCache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.figures import Figure

TITLE = "The prompt before and after history, pace and alerts"
_ROUNDS = 150
_DAYS = 365
_AIM = 1.05
_WEEK = timedelta(days=7)
_CONFIG = """[alerts]
via = ["command"]
command = ["true"]
[segment]
template = "{top.name} {top}[ {top.blocked_for}]"
[segment.templates]
zsh = "{top.name} {top}[ {5h.pace}][ {5h.runs_out}]"
"""
_PROGRAMS = {"ullage-prompt": world.SHELL_PROMPT, "ullage prompt": world.PROMPT}


def measure() -> list[Figure]:
    with world.home() as environ:
        before = {**world.known(environ), "ULLAGE_STATE_DIR": os.path.join(environ["HOME"], "nowhere")}
        after = _with_all(world.copy(before, "after"), environ["ULLAGE_STATE_DIR"])
        rows = len(_samples(after))
        commands = {
            f"{name}, {when}": partial(seconds, command, state)
            for name, command in _PROGRAMS.items()
            for when, state in (("before", before), ("after", after))
        }
        times = interleaved(commands, _ROUNDS)
        found = [figure(what, times[what], note=f"{rows} samples" if "after" in what else "") for what in commands]
        pairs = {f"{name}, after": f"{name}, before" for name in _PROGRAMS}
        return compared(found, pairs, dict.fromkeys(pairs, _AIM))


def _with_all(environ: dict[str, str], state: str) -> dict[str, str]:
    """Return the environment with everything on, and its timelines written anew from that."""
    settings = os.path.join(environ["HOME"], "after.toml")
    with open(settings, "w", encoding="utf-8") as file:
        file.write(_CONFIG)
    environ = {**environ, "ULLAGE_STATE_DIR": state, "ULLAGE_CONFIG": settings}
    cache, now = ProfileCache(environ), datetime.now(UTC)
    reading = cache.load_reading()
    assert reading is not None
    for day in range(_DAYS, 0, -1):
        at = now - timedelta(days=day)
        windows = [
            window.replace(
                as_of=at + timedelta(minutes=15 * quarter), used_percent=quarter % 90 + 1.0, resets_at=at + _WEEK
            )
            for window in reading.windows
            for quarter in range(96 if day < 30 else 24)
        ]
        history.record(
            overview.locate_history(environ), overview.name_owner(cache, reading), windows, at + timedelta(days=1)
        )
    publish.publish_anew(cache, config.load(environ)[0])
    return environ


def _samples(environ: Mapping[str, str]) -> list[object]:
    cache = ProfileCache(environ)
    reading = cache.load_reading()
    assert reading is not None
    path, since = overview.locate_history(environ), datetime(2000, 1, 1, tzinfo=UTC)
    found = history.load_samples(path, overview.name_owner(cache, reading), since, datetime.now(UTC))
    return [sample for samples in found.values() for sample in samples]

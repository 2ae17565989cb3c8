"""Every pane of a large terminal wakes at once and the cache is due: one request, and no prompt waits for it."""

from __future__ import annotations

import random
import shutil

from bench import world
from bench.figures import compared, figure
from bench.processes import herd, settle
from ullage.system import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.figures import Figure

TITLE = "A herd"
_SIZE = 200
_HERDS = 2
_CAT = shutil.which("cat") or "/bin/cat"


def measure() -> list[Figure]:
    with world.home() as environ:
        current = world.known(environ)
        due = world.copy(current, "due")
        world.make_due(due)
        cat = [_CAT, places.locate_timeline(current, "bash")]
        # what → command, cache, scenario of the server
        cases: dict[str, tuple[Sequence[str], Mapping[str, str], str | None]] = {
            f"{_SIZE} cat": (cat, current, None),
            f"{_SIZE} ullage-prompt, nothing due": (world.SHELL_PROMPT, current, None),
            f"{_SIZE} ullage-prompt, due": (world.SHELL_PROMPT, due, "models"),
            f"{_SIZE} ullage-prompt, due, server hangs": (world.SHELL_PROMPT, due, "silent"),
            f"{_SIZE} ullage prompt, nothing due": (world.PROMPT, current, None),
            f"{_SIZE} ullage prompt, due": (world.PROMPT, due, "models"),
            f"{_SIZE} ullage prompt, due, server hangs": (world.PROMPT, due, "silent"),
        }
        times: dict[str, list[float]] = {what: [] for what in cases}
        requests: dict[str, list[int]] = {what: [] for what in cases}
        for number in range(_HERDS):
            for what in random.sample(list(cases), len(cases)):
                command, cache, scenario = cases[what]
                herd_times, herd_requests = _herd(command, world.copy(cache, f"{what} {number}"), scenario)
                times[what] += herd_times
                requests[what].append(herd_requests)
    return compared(
        [figure(what, times[what], note=_note(requests[what])) for what in cases],
        {
            f"{_SIZE} ullage-prompt, nothing due": f"{_SIZE} cat",
            f"{_SIZE} ullage-prompt, due, server hangs": f"{_SIZE} ullage-prompt, due",
            f"{_SIZE} ullage prompt, due, server hangs": f"{_SIZE} ullage prompt, due",
        },
    )


def _note(requests: Sequence[int]) -> str:
    return f"requests of each herd: {', '.join(map(str, requests))}"


def _herd(command: Sequence[str], environ: dict[str, str], scenario: str | None) -> tuple[list[float], int]:
    """Return the times of a herd's prompts and how many requests the server saw until the last process had ended."""
    with world.server(environ, scenario or "models") as simulator:
        times = herd(command, environ, _SIZE)
        if scenario:
            simulator.wait_for_request(1)
        if scenario == "silent":
            simulator.hang_up()
        settle()
        expected = 1 if scenario else 0
        assert simulator.requests == expected, f"{simulator.requests} requests instead of {expected}"
        return times, simulator.requests

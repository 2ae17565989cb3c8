"""A server that takes the request and never answers, beside a healthy one: the prompt's time does not change."""

from __future__ import annotations

import random
from collections import defaultdict

from bench import world
from bench.figures import compared, figure
from bench.processes import seconds, settle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.figures import Figure

TITLE = "A server that hangs"
_ROUNDS = 25
_SERVERS = {"healthy": "models", "hanging": "silent"}
_PROMPTS = {"ullage-prompt": world.SHELL_PROMPT, "ullage prompt": world.PROMPT}


def measure() -> list[Figure]:
    with world.home() as environ:
        due = world.copy(world.known(environ), "due")
        world.make_due(due)
        times: dict[str, list[float]] = defaultdict(list)
        for round_ in range(_ROUNDS + 1):
            cases = [(prompt, server) for prompt in _PROMPTS for server in _SERVERS]
            for prompt, server in random.sample(cases, len(cases)):
                starting, waiting = _round(due, prompt, server, f"{prompt} {server} {round_}")
                if round_:
                    times[_what(prompt, "starts the refresh", server)].append(starting)
                    times[_what(prompt, "afterwards", server)].append(waiting)
    rows = [
        (_what(prompt, moment, "hanging"), _what(prompt, moment, "healthy"))
        for prompt in _PROMPTS
        for moment in ("starts the refresh", "afterwards")
    ]
    return compared((figure(what, times[what]) for hanging, healthy in rows for what in (healthy, hanging)), dict(rows))


def _what(prompt: str, moment: str, server: str) -> str:
    return f"{prompt}, {moment}, {server}"


def _round(due: Mapping[str, str], prompt: str, server: str, name: str) -> tuple[float, float]:
    """Return the times of the prompt that starts the refresh, and of the next: the refresh hangs, or is done."""
    environ = world.copy(due, name)
    with world.server(environ, _SERVERS[server]) as simulator:
        starting = seconds(_PROMPTS[prompt], environ)
        simulator.wait_for_request(1)
        if server == "healthy":
            settle()
        waiting = seconds(_PROMPTS[prompt], environ)
        simulator.hang_up()
        settle()
        assert simulator.requests == 1, f"{simulator.requests} requests"
    return starting, waiting

"""A server that takes the request and never answers, beside a healthy one: the prompt's time does not change."""

from __future__ import annotations

import random
from collections import defaultdict

from bench import world
from bench.figures import compared, figure
from bench.processes import rounds_in_time, seconds, settle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.figures import Figure

TITLE = "A server that hangs"
_ROUNDS = 25
# scenario → what it adds to a row's name
_SERVERS = {"models": "", "silent": ", server hangs"}
_PROMPTS = {"ullage-prompt": world.SHELL_PROMPT, "ullage prompt": world.PROMPT}


def measure() -> list[Figure]:
    with world.home() as environ:
        due = world.copy(world.known(environ), "due")
        world.make_due(due)
        times: dict[str, list[float]] = defaultdict(list)
        cases = [(prompt, server) for prompt in _PROMPTS for server in _SERVERS]
        for round_ in rounds_in_time(_ROUNDS):
            for prompt, server in random.sample(cases, len(cases)):
                starting, following = _round(due, prompt, server, f"{prompt} {server} {round_}")
                if round_:
                    times[f"{prompt} starts refresh{_SERVERS[server]}"].append(starting)
                    times[f"{prompt} after that{_SERVERS[server]}"].append(following)
    hanging = _SERVERS["silent"]
    names = sorted(times)
    return compared(
        [figure(what, times[what]) for what in names],
        {what: what.removesuffix(hanging) for what in names if what.endswith(hanging)},
    )


def _round(due: Mapping[str, str], prompt: str, server: str, name: str) -> tuple[float, float]:
    """Return the times of the prompt that starts the refresh, and of the next: the refresh hangs, or is done."""
    environ = world.copy(due, name)
    with world.server(environ, server) as simulator:
        starting = seconds(_PROMPTS[prompt], environ)
        simulator.wait_for_request(1)
        if server != "silent":
            settle()
        following = seconds(_PROMPTS[prompt], environ)
        simulator.hang_up()
        settle()
        assert simulator.requests == 1, f"{simulator.requests} requests"
    return starting, following

"""The refresh in the background: what it costs when somebody else runs it, when it is not due, and when it asks."""

from __future__ import annotations

from bench import world
from bench.figures import compared, figure
from bench.processes import interleaved, peak, seconds
from ullage.store.cache import ProfileCache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bench.figures import Figure

TITLE = "The refresh"
_ROUNDS = 30


def measure() -> list[Figure]:
    with world.home() as environ:
        current = world.known(environ)
        busy, asking = (world.copy(current, name) for name in ("busy", "asking"))
        world.make_due(busy)
        # Neither of these two may change a thing.
        idle = [ProfileCache(environ) for environ in (current, busy)]
        plans = [cache.load_schedule() for cache in idle]
        with world.server(asking, "models") as simulator, ProfileCache(busy).lock() as held:
            assert held

            def asks() -> float:
                world.make_due(asking)
                return seconds(world.REFRESH, asking)

            times = interleaved(
                {
                    "python -c pass": lambda: seconds(world.PYTHON, current),
                    "refresh, another runs": lambda: seconds(world.REFRESH, busy),
                    "refresh, not due": lambda: seconds(world.REFRESH, current),
                    "refresh, simulator": asks,
                },
                _ROUNDS,
            )
            world.make_due(asking)
            peaks = {
                "python -c pass": peak(world.PYTHON, current),
                "refresh, another runs": peak(world.REFRESH, busy),
                "refresh, not due": peak(world.REFRESH, current),
                "refresh, simulator": peak(world.REFRESH, asking),
            }
            requests = simulator.requests
        assert plans == [cache.load_schedule() for cache in idle], "a refresh that should have left at once has worked"
    # The first round, which does not count, and the one whose memory was looked at.
    assert requests == len(times["refresh, simulator"]) + 2, f"{requests} requests"
    return compared(
        [figure(what, times[what], peak=peaks[what]) for what in times],
        dict.fromkeys([what for what in times if what.startswith("refresh")], "python -c pass"),
    )

"""What a team's metrics cost, measured with two hundred installations, and what that makes of ten thousand."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from datetime import timedelta

from bench import monitoring, seats
from bench.figures import Figure, figure
from ullage.metrics import formats, push
from ullage.metrics.push import PushRoute
from ullage.quota.schedule import SHORTEST_INTERVAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

TITLE = "A team"
INSTALLATIONS = 200
MANY = 10_000
# A day, minute by minute, as Prometheus is set up to read it.
_SEATS_OF_A_DAY = 20
_DAY = timedelta(days=1)
_SCRAPES_A_SECOND = 1 / 60
_RUNS = 10
# The job, the instance and how long a push took, which the Pushgateway adds for each installation.
_SERIES_OF_THE_GATEWAY = 2


def measure() -> list[Figure]:
    missing = [name for name in ("prometheus-pushgateway", "promtool") if shutil.which(name) is None]
    if missing:
        return [Figure(what="not measured", note=f"{', '.join(missing)} is not installed")]
    machine = seats.Seat(number=57).machines[0]
    families = seats.told(machine, seats.ENDS, with_forecasts=True)
    series = sum(len(family.samples) for family in families) + _SERIES_OF_THE_GATEWAY
    body = len(formats.encode(families))
    stored = bytes_a_sample()
    samples = MANY * series * _SCRAPES_A_SECOND
    pushes = MANY / SHORTEST_INTERVAL.total_seconds()
    return [
        Figure(what="series of an installation, three windows", note=str(series)),
        Figure(what="bytes of a push", note=str(body)),
        Figure(what="bytes of a sample in Prometheus' blocks", note=f"{stored:.2f}"),
        *_gateway(),
        Figure(what=f"{MANY}: series", note=f"{MANY * series}"),
        Figure(what=f"{MANY}: samples a second", note=f"{samples:.0f}"),
        Figure(what=f"{MANY}: GB in 90 days", note=f"{samples * stored * 90 * 86400 / 1e9:.0f}"),
        Figure(what=f"{MANY}: pushes a second at most", note=f"{pushes:.0f}"),
        Figure(what=f"{MANY}: kB a second at most", note=f"{pushes * body / 1000:.0f}"),
    ]


def bytes_a_sample() -> float:
    """A day of twenty seats in a block of Prometheus' own: its chunks and its index, by sample."""
    with tempfile.TemporaryDirectory(prefix="ullage-bench-") as directory:
        text, blocks = os.path.join(directory, "day"), os.path.join(directory, "blocks")
        with open(text, "w", encoding="utf-8") as file:
            file.writelines(seats.week(seats.team(_SEATS_OF_A_DAY), timedelta(minutes=1), seats.ENDS - _DAY))
        command = ["promtool", "tsdb", "create-blocks-from", "--max-block-duration=162h", "openmetrics", "--quiet"]
        subprocess.run([*command, text, blocks], check=True, capture_output=True)
        size = samples = 0
        for root, _, names in os.walk(blocks):
            size += sum(os.path.getsize(os.path.join(root, name)) for name in names)
            if "meta.json" in names:
                with open(os.path.join(root, "meta.json"), encoding="utf-8") as file:
                    samples += json.load(file)["stats"]["numSamples"]
        return size / samples


def _gateway() -> list[Figure]:
    with (
        tempfile.TemporaryDirectory(prefix="ullage-bench-") as directory,
        monitoring.pushgateway(directory) as gateway,
    ):
        empty = gateway.resident_mebibytes()
        machines = [seat.machines[0] for seat in seats.team(INSTALLATIONS)]
        bodies = [(formats.encode(seats.told(machine, seats.ENDS)), seats.instance(machine)) for machine in machines]
        times = [_timed(lambda: push.push_to_gateway(gateway.address, *one, PushRoute())) for one in bodies]  # noqa: B023  # at once
        scrapes = [_timed(lambda: gateway.get("/metrics")) for _ in range(_RUNS)]
        page = len(gateway.get("/metrics"))
        full = gateway.resident_mebibytes()
    return [
        figure(f"one of {INSTALLATIONS} pushes", times),
        figure(
            f"a scrape of {INSTALLATIONS} installations",
            scrapes,
            peak=full,
            note=f"{page} bytes; empty: {empty:.1f} MiB",
        ),
    ]


def _timed(action: Callable[[], object]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun

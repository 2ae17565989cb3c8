"""SIGKILL at any moment of a refresh leaves a cache that reads as before or as after, and the next refresh works."""

from __future__ import annotations

import contextlib
import os
import random
import select
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.tools import PYTHON, ULLAGE_PROMPT, run
from ullage import refresh, simulate
from ullage.quota import serial, timeline
from ullage.quota.timeline import SURFACES
from ullage.store.cache import ProfileCache

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

CHUNKS = 6
KILLS = 28
COMMAND = [PYTHON, "-P", "-m", "ullage.refresh", "--force"]
# Most of a process's life goes by before it has imported what it needs: here each refresh begins where that is done.
WARM = """
import os, sys
from ullage import refresh
from ullage.refresh.__main__ import main
assert refresh.refresh(os.environ, force=True).result == "refreshed"
for _ in sys.stdin:
    child = os.fork()
    if child == 0:
        os._exit(main())
    print(child, flush=True)
    os.waitpid(child, 0)
    print("ended", flush=True)
"""


def models(percent: float) -> Callable[[simulate.Moment], simulate.Reply]:
    return lambda moment: simulate._body(moment, 20.0, 30.0, {"Fable": percent})


def whole_life(environ: Mapping[str, str]) -> float:
    started = time.monotonic()
    subprocess.run(COMMAND, env=environ, check=True)
    return time.monotonic() - started


def kill_after(seconds: float, environ: Mapping[str, str]) -> None:
    with subprocess.Popen(COMMAND, env=environ, stderr=subprocess.PIPE) as process:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
        assert process.stderr is not None
        assert process.stderr.read() == b""


class Warm:
    """A process that has all it needs for a refresh, and forks one when it is told to."""

    def __init__(self, process: subprocess.Popen[bytes], simulator: simulate.Simulator) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.simulator = simulator
        self._told, self._says = process.stdin, process.stdout

    def refresh(self, seconds: float) -> float:
        """Have one refresh, killed after some seconds; return how long it lived."""
        started = time.monotonic()
        self._told.write(b"\n")
        process = int(self._says.readline())
        if not select.select([self._says], [], [], seconds)[0]:
            # It may have ended just now.
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        assert self._says.readline() == b"ended\n"
        return time.monotonic() - started


@pytest.fixture
def warm(environ: dict[str, str], simulate: Callable[..., simulate.Simulator]) -> Iterator[Warm]:
    simulator = simulate("models")
    simulator.scenario = models(82.0)
    command = [PYTHON, "-P", "-c", WARM, "--force"]
    pipe = subprocess.PIPE
    # Without a buffer: what is there to be read is what select sees.
    with subprocess.Popen(command, env=environ, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0) as process:
        yield Warm(process, simulator)
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.close()
        assert process.stderr.read() == b""


def assert_readable(cache: ProfileCache, shown: set[bytes]) -> None:
    """Every file decodes, and what was known before is still known."""
    directory = Path(cache.directory)
    assert serial.decode_reading((directory / "reading.oauth.json").read_bytes()) is not None
    assert serial.decode_schedule((directory / "schedule.json").read_bytes()).attempted_at is not None
    for surface in SURFACES:
        data = cache.read_timeline(surface)
        assert timeline.decode(data) is not None
        assert timeline.find_text(data, int(time.time())).translate(None, b"\001\002") != b""
    assert timeline.find_text(cache.read_timeline("plain"), int(time.time())) in shown


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_kill_at_any_moment(chunk: int, environ: dict[str, str], warm: Warm) -> None:
    answers = [models(82.0), models(64.0)]
    cache = ProfileCache(environ)
    life = max(warm.refresh(90) for _ in range(2))
    shown = {b"fable 82%!", b"fable 64%"}
    # Each chunk has its own part of every step, as they may share a seed.
    moments = [life * 1.1 * (step + (chunk + random.random()) / CHUNKS) / KILLS for step in range(KILLS)]
    for number, moment in enumerate(moments):
        warm.simulator.scenario = answers[(chunk + number) % 2]
        warm.refresh(moment)
        assert_readable(cache, shown)
        printed = run(["sh", ULLAGE_PROMPT], environ)
        assert (printed.stderr, printed.returncode) == ("", 0)
        assert printed.stdout.strip().encode() in shown
    warm.simulator.scenario = answers[1]
    assert refresh.refresh(environ, force=True).result == "refreshed"
    assert timeline.find_text(cache.read_timeline("plain"), int(time.time())) == b"fable 64%"


@pytest.mark.parametrize("chunk", range(2))
def test_kill_of_the_first_refresh(chunk: int, environ: dict[str, str], simulate: Callable[..., object]) -> None:
    simulate("models")
    life = whole_life(environ)
    for step in range(8):
        place = {**environ, "ULLAGE_CACHE_DIR": f"{environ['ULLAGE_CACHE_DIR']}-{step}"}
        kill_after(life * (step + (chunk + random.random()) / 2) / 8, place)
        cache = ProfileCache(place)
        for surface in SURFACES:
            data = cache.read_timeline(surface)
            assert not data or timeline.decode(data) is not None
        reading = Path(cache.directory, "reading.oauth.json")
        assert not reading.exists() or cache.load_reading() is not None
        printed = run(["sh", ULLAGE_PROMPT], {**place, "PATH": os.environ["PATH"]})
        assert (printed.stdout.strip(), printed.stderr) in {("", ""), ("fable 82%!", "")}
        assert refresh.refresh(place, force=True).result in ("refreshed", "busy")

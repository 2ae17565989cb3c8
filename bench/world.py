"""A home of its own with an invented account, whose provider is the simulator; and the states of its cache."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sys
import sysconfig
import tempfile
import time
from datetime import UTC, datetime, timedelta

from bench.processes import settle
from ullage import refresh
from ullage.prompt.publish import read_boot_clock
from ullage.quota import timeline
from ullage.simulate import Simulator, write_account
from ullage.store.account import AccountCache
from ullage.store.cache import ProfileCache
from ullage.system import detach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

_SCRIPTS = sysconfig.get_path("scripts")
PROMPT = [os.path.join(_SCRIPTS, "ullage"), "prompt", "--surface", "bash"]
SHELL_PROMPT = [os.path.join(_SCRIPTS, "ullage-prompt"), "bash"]
# As the prompt starts it.
REFRESH = detach.build_command(detach.REFRESH)
PYTHON = [sys.executable, "-P", "-c", "pass"]

_PATIENCE_SECONDS = 60.0


class Server(Simulator):
    """The simulator, which can hang up on whoever waits for it."""

    def __init__(self, scenario: str) -> None:
        super().__init__(scenario)
        self._connections: list[socket.socket] = []

    def get_request(self) -> tuple[socket.socket, Any]:
        """Take a connection and remember it."""
        connection, address = super().get_request()
        self._connections.append(connection)
        return connection, address

    def hang_up(self) -> None:
        """End every connection, so that a refresh that hangs ends as well."""
        while self._connections:
            with contextlib.suppress(OSError):
                self._connections.pop().shutdown(socket.SHUT_RDWR)

    def wait_for_request(self, number: int) -> None:
        """Wait until so many requests have come in."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while self.requests < number:
            assert time.monotonic() < deadline, f"request {number} did not come in"
            time.sleep(0.005)


@contextlib.contextmanager
def home() -> Iterator[dict[str, str]]:
    """Make a home with an account and yield the environment of our processes: nothing of the developer's is in it."""
    with tempfile.TemporaryDirectory(prefix="ullage-bench-", ignore_cleanup_errors=True) as directory:
        write_account(os.path.join(directory, ".claude"))
        yield {
            "PATH": os.pathsep.join([_SCRIPTS, os.defpath]),
            "HOME": directory,
            "LC_ALL": "C.UTF-8",
            "TERM": "xterm-256color",
            "ULLAGE_STATE_DIR": os.path.join(directory, "state"),
            "ULLAGE_CONFIG": os.path.join(directory, "config.toml"),
            "ULLAGE_SOURCE": "oauth",
            # The discard port: nothing answers, nothing leaves the machine.
            "ULLAGE_API_BASE": "http://127.0.0.1:9",
        }
        settle()


@contextlib.contextmanager
def server(environ: dict[str, str], scenario: str) -> Iterator[Server]:
    """Serve a scenario; `environ` points at it from then on."""
    simulator = Server(scenario)
    with simulator.running():
        environ["ULLAGE_API_BASE"] = simulator.address
        yield simulator
        simulator.hang_up()


def known(environ: Mapping[str, str]) -> dict[str, str]:
    """Bring a first reading from a simulator; nothing is due afterwards."""
    environ = dict(environ)
    with server(environ, "models"):
        outcome = refresh.refresh(environ)
    assert outcome.result == "refreshed", outcome
    return environ


def copy(environ: Mapping[str, str], name: str) -> dict[str, str]:
    """Return the environment of a copy of this cache as it stands."""
    root = os.path.join(environ["HOME"], "caches", name)
    shutil.copytree(ProfileCache(environ).root, root)
    return {**environ, "ULLAGE_CACHE_DIR": root}


def make_due(environ: Mapping[str, str]) -> None:
    """Make a refresh due, for whoever asks."""
    cache = ProfileCache(environ)
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    cache.save_schedule(
        cache.load_schedule().replace(attempted_at=long_ago, refresh_at=long_ago, idle_refresh_at=long_ago)
    )
    due = round(long_ago.timestamp())
    for surface in timeline.TIMELINES:
        first, newline, frames = cache.read_timeline(surface).partition(b"\n")
        fields = first.split(b" ")
        # A file that is due is dated to when it became so, which is its checkpoint.
        fields[3] = fields[6] = str(due).encode()
        cache.save_timeline(surface, b" ".join(fields) + newline + frames, due)
    AccountCache(cache.environ, cache.load_schedule().account).save_asked_at(long_ago)


def make_older(environ: Mapping[str, str], surface: str, by: int) -> None:
    """Move the frames back by so many seconds: a prompt walks as far as it would that much later, all else the same."""
    cache = ProfileCache(environ)
    decoded = timeline.decode(cache.read_timeline(surface))
    assert decoded
    header, frames = decoded
    data = timeline.encode(
        [frame.replace(starts_at=frame.starts_at - by) for frame in frames],
        written=header.written - by,
        refresh_after=header.refresh_after,
        checkpoint=header.refresh_after,
        clock=read_boot_clock(),
    )
    cache.save_timeline(surface, data, header.refresh_after)


def forget_clock(environ: Mapping[str, str]) -> None:
    """Take the clock from the timelines, as on a system that tells a shell none: `ullage-prompt` must run `date`."""
    cache = ProfileCache(environ)
    for surface in timeline.TIMELINES:
        first, newline, rest = cache.read_timeline(surface).partition(b"\n")
        fields = first.split(b" ")[:4]
        cache.save_timeline(surface, b" ".join([*fields, b"-", b"-", b"-"]) + newline + rest, None)

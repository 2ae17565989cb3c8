"""`ullage serve`: how long an answer takes, what a thousand streams cost, and what it does while nothing happens."""

from __future__ import annotations

import contextlib
import http.client
import os
import resource
import signal
import socket
import subprocess
import sysconfig
import time
from datetime import UTC, datetime

from bench import world
from bench.figures import Figure, compared, figure
from ullage.serve import access_tokens

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TITLE = "ullage serve"
_ROUNDS = 300
_STREAMS = 1000
_IDLE_SECONDS = 8
_TARGETS = ("/healthz", "/v1/usage", "/v1/burnup?window=five_hour", "/v1/history?limit=100")


def measure() -> list[Figure]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    with world.home() as environ:
        known = world.known(environ)
        with _server(known) as (process, port):
            secret, _ = access_tokens.create(access_tokens.locate_directory(known), "bench", "read", datetime.now(UTC))
            rows = [figure(target, _answers(port, secret, target)) for target in _TARGETS]
            rows = compared(rows, dict.fromkeys(_TARGETS[1:], _TARGETS[0]))
            rows.append(_idle(process, "nobody connected"))
            with contextlib.ExitStack() as open_streams:
                before = _memory(process)
                for _ in range(_STREAMS):
                    open_streams.enter_context(_stream(port, secret))
                grown = _memory(process) - before
                note = f"{grown * 1024 / _STREAMS:.0f} KiB a stream"
                rows.append(Figure(what=f"{_STREAMS} streams", peak=_memory(process), note=note))
                rows.append(_idle(process, f"{_STREAMS} streams, no change"))
    return rows


@contextlib.contextmanager
def _server(environ: Mapping[str, str]) -> Iterator[tuple[int, int]]:
    program = os.path.join(sysconfig.get_path("scripts"), "ullage")
    server = subprocess.Popen([program, "serve", "--port", "0"], env=dict(environ), stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    with server.stdout:
        first = server.stdout.readline()
        yield server.pid, int(first.split()[2].rstrip(";").rpartition(":")[2])
        server.send_signal(signal.SIGINT)
        server.wait()


def _answers(port: int, secret: str, target: str) -> list[float]:
    """Ask one after the other over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    times = []
    with contextlib.closing(connection):
        for _ in range(_ROUNDS):
            started = time.perf_counter()
            connection.request("GET", target, headers={"Authorization": f"Bearer {secret}"})
            answer = connection.getresponse()
            answer.read()
            times.append(time.perf_counter() - started)
            assert answer.status == 200, answer.status
    return times


@contextlib.contextmanager
def _stream(port: int, secret: str) -> Iterator[None]:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        head = f"GET /v1/events HTTP/1.1\r\nHost: localhost:{port}\r\nAuthorization: Bearer {secret}\r\n\r\n"
        connection.sendall(head.encode())
        received = b""
        while b"event: usage" not in received:
            received += connection.recv(65536)
        yield


def _memory(process: int) -> float:
    with open(f"/proc/{process}/status", encoding="utf-8") as file:
        (line,) = [line for line in file if line.startswith("VmRSS:")]
    return int(line.split()[1]) / 1024


def _idle(process: int, what: str) -> Figure:
    before = _ticks(process)
    time.sleep(_IDLE_SECONDS)
    used = (_ticks(process) - before) / os.sysconf("SC_CLK_TCK")
    return Figure(what=what, peak=_memory(process), note=f"{used / _IDLE_SECONDS:.2%} of a core in {_IDLE_SECONDS} s")


def _ticks(process: int) -> int:
    with open(f"/proc/{process}/stat", encoding="utf-8") as file:
        fields = file.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])

"""A real `ullage serve` in a process of its own, and clients that behave well or badly."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.support.tools import MEASURED, SCRIPTS, ULLAGE
from ullage.serve import access_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class Answer:
    """What came back over HTTP."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Served:
    """A running server; `port` 0 and a `path` for a Unix socket."""

    def __init__(self, process: subprocess.Popen[str], environ: Mapping[str, str], first_line: str) -> None:
        self.process, self.environ, self.first_line = process, environ, first_line
        where = first_line.split()[2].rstrip(";")
        self.path = where if where.startswith("/") else None
        self.base = where
        self.port = 0 if self.path else int(where.rpartition(":")[2])

    def token(self, scope: access_tokens.Scope = "read", *, link: bool = False) -> str:
        return access_tokens.create(
            access_tokens.locate_directory(self.environ),
            "test",
            scope,
            datetime.now(UTC),
            link=self.base if link else None,
        )[0]

    def connect(self) -> socket.socket:
        if self.path:
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(90)
            connection.connect(self.path)
            return connection
        return socket.create_connection(("127.0.0.1", self.port), timeout=90)

    def ask(self, target: str, token: str | None = None, method: str = "GET", **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=90)
        connection.sock = self.connect()
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            given["Authorization"] = f"Bearer {token}"
        with contextlib.closing(connection):
            connection.request(method, target, headers=given)
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())

    def send(self, data: bytes) -> bytes:
        """Send bytes as they are and return all that comes back until the server closes."""
        with self.connect() as connection:
            connection.sendall(data)
            return everything(connection)

    def follow(self, token: str | None = None, target: str = "/v1/events") -> Stream:
        return Stream(self, token, target)

    def stop(self) -> int:
        """End it in order and return its exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=90)


class Stream:
    """A client of server-sent events."""

    def __init__(self, served: Served, token: str | None, target: str) -> None:
        self._connection = served.connect()
        lines = [f"GET {target} HTTP/1.1", f"Host: localhost:{served.port}" if served.port else "Host: localhost"]
        lines += [f"Authorization: Bearer {token}"] if token else []
        self._connection.sendall("\r\n".join([*lines, "", ""]).encode())
        self._file = self._connection.makefile("rb")
        self.status = int(self._file.readline().split()[1])
        self.headers = dict(iter(self._header, None))

    def _header(self) -> tuple[str, str] | None:
        name, colon, value = self._file.readline().decode().strip().partition(": ")
        return (name, value) if colon else None

    def event(self) -> dict[str, Any] | None:
        """Wait for the next event and return its document; None when the server ends the stream."""
        for line in self._file:
            if line.startswith(b"data: "):
                document: dict[str, Any] = json.loads(line[6:])
                return document
        return None

    def close(self) -> None:
        self._file.close()
        self._connection.close()


def everything(connection: socket.socket) -> bytes:
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


@contextlib.contextmanager
def serving(environ: Mapping[str, str], *options: str, wrapper: tuple[str, ...] = ()) -> Iterator[Served]:
    """Run the server for as long as the block lasts; it must have said nothing on stderr that it should not."""
    arguments = options or ("--port", "0")
    process = subprocess.Popen(
        [*wrapper, ULLAGE, "serve", *arguments],
        env=dict(environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        if not first:
            raise AssertionError(process.communicate()[1])
        yield Served(process, environ, first)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        _, words = process.communicate(timeout=90)
    assert "Traceback" not in words, words


def environment(directory: Path) -> dict[str, str]:
    """Return an environment of its own, for what several tests share."""
    (directory / "home").mkdir()
    return {
        "PATH": os.pathsep.join([str(SCRIPTS), os.environ["PATH"]]),
        "HOME": str(directory / "home"),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "ULLAGE_CACHE_DIR": str(directory / "cache"),
        "ULLAGE_STATE_DIR": str(directory / "state"),
        "ULLAGE_CONFIG": str(directory / "config.toml"),
        "CLAUDE_CONFIG_DIR": str(directory / "claude"),
        "ULLAGE_SOURCE": "oauth",
        **MEASURED,
    }

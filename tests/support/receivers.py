"""Servers on a loopback address that take what is sent to them, or do something else."""

from __future__ import annotations

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Request:
    def __init__(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> None:
        self.method, self.path, self.headers, self.body = method, path, headers, body


class Receiver(ThreadingHTTPServer):
    """Answers with `status` and `said`; with `stalls` it answers only once `go_on` is set."""

    daemon_threads = True

    def __init__(self, status: int = 200, said: bytes = b"", *, stalls: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.said = status, said
        self.arrived, self.go_on = threading.Event(), threading.Event()
        self.requests: list[Request] = []
        if not stalls:
            self.go_on.set()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @contextlib.contextmanager
    def running(self) -> Iterator[Receiver]:
        thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.go_on.set()
            self.shutdown()
            thread.join()
            self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.server.requests.append(Request(self.command, self.path, dict(self.headers), body))
        self.server.arrived.set()
        self.server.go_on.wait()
        with contextlib.suppress(OSError):
            self.send_response(self.server.status)
            if 300 <= self.server.status < 400:
                self.send_header("Location", f"{self.server.address}/elsewhere")
            self.send_header("Content-Length", str(len(self.server.said)))
            self.end_headers()
            self.wfile.write(self.server.said)

    def do_POST(self) -> None:
        self.do_PUT()

    def do_DELETE(self) -> None:
        self.do_PUT()

    def log_message(self, format: str, *args: object) -> None:
        pass

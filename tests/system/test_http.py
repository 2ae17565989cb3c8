"""Requests through what lies in between: proxies that refuse, and servers that never come to the point."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from ullage.base.errors import SourceError
from ullage.system import http

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Nothing leaves the machine: the proxy that is asked for it is here.
PROVIDER = httpx.URL("https://api.anthropic.com")


@contextlib.contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """Run a server whose connections are dealt with by a function; yield its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    connection.recv(1 << 16)
                    answer(connection)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
    thread.join(30)


REFUSALS = {
    "a password": (b"407 Proxy Authentication Required", "proxy_wants_password", "wants a name and a password"),
    "a filter": (b"403 Forbidden", "proxy_refused", "403 Forbidden"),
    "a fault": (b"502 Bad Gateway", "proxy_refused", "502 Bad Gateway"),
    "a hostile word": (b"418 \x1b]0;owned\x07", "proxy_refused", "418"),
}


@pytest.mark.parametrize(("said", "code", "words"), REFUSALS.values(), ids=REFUSALS)
def test_what_a_proxy_refuses_is_told_as_such(
    said: bytes, code: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(lambda connection: connection.sendall(b"HTTP/1.1 " + said + b"\r\n\r\n")) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        with pytest.raises(SourceError) as refused:
            http.get_response(PROVIDER, "/", {})
    if "hostile" not in words and b"\x1b" not in said:
        assert (refused.value.code, refused.value.reached_server) == (code, False)
        assert words in str(refused.value)
    assert "\x1b" not in str(refused.value)


def flood(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" * 500)


def drip(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.1)


@pytest.mark.parametrize("answer", [flood, drip])
def test_a_deadline_holds_for_answers_that_announce_more(answer: Callable[[socket.socket], None]) -> None:
    with answering(answer) as port:
        began = time.monotonic()
        with pytest.raises(SourceError, match="did not finish its answer in 2 s"):
            http.get_response(httpx.URL(f"http://127.0.0.1:{port}"), "/", {}, 2)
        assert time.monotonic() - began < 60

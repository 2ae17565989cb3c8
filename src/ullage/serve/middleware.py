"""Check every request before its route, and complete every response: limits on size, and security headers."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from email.utils import formatdate
from http import HTTPStatus

from ullage.base.errors import UllageError, describe_fault
from ullage.base.text import clean
from ullage.quota import schemas
from ullage.serve import documents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping
    from typing import Any

    from ullage.serve.access import Access

    Scope = MutableMapping[str, Any]
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    Application = Callable[[Scope, Receive, Send], Awaitable[None]]
    Headers = list[tuple[bytes, bytes]]

MOST_HEADERS = 64
LARGEST_HEAD = 1 << 14
# The key that is set in the ASGI scope of a request whose access token was accepted.
GRANTED = "ullage.granted"
LONGEST_TARGET = 2048

_LOCKED = b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_HEADERS = {
    b"cache-control": b"no-store",
    b"content-security-policy": _LOCKED,
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"referrer-policy": b"no-referrer",
    b"vary": b"authorization, origin",
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
}


class FaultError(Exception):
    """A refusal of a request: status, detail, and extra response headers."""

    def __init__(self, status: int, detail: str, **headers: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class Guard:
    """Checks a request before the application sees it, and turns every error into a problem document."""

    def __init__(self, application: Application, access: Access) -> None:
        self._application = application
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        begun = False

        async def with_headers(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                message["headers"] = _completed(message.get("headers", []))
            await send(message)

        try:
            _check_limits(scope)
            self._check_origin(scope)
            await self._application(scope, receive, with_headers)
        except FaultError as fault:
            await refuse(with_headers, fault)
        except Exception as error:
            words = clean(str(error), 400) if isinstance(error, UllageError) else describe_fault(error)
            sys.stderr.write(f"ullage serve: {datetime.now(UTC):%H:%M:%S} {words}\n")
            if begun:
                # The status line has been sent: breaking the connection is the only way to show that it failed.
                raise ConnectionAbortedError from None
            await refuse(with_headers, _fault_of(error))

    def _check_origin(self, scope: Scope) -> None:
        headers = scope["headers"]
        if self._access.is_wrong_host(headers):
            raise FaultError(
                421, "This server does not go by the name in the Host header; `ullage serve --allowed-host` adds one."
            )
        if self._access.is_wrong_origin(
            headers, navigation=scope["path"] == "/" and scope["method"] in ("GET", "HEAD")
        ):
            raise FaultError(403, "Pages of other origins get no answer here.")


def _check_limits(scope: Scope) -> None:
    headers = scope["headers"]
    if len(headers) > MOST_HEADERS or sum(len(name) + len(value) for name, value in headers) > LARGEST_HEAD:
        raise FaultError(
            431, f"A request may have {MOST_HEADERS} headers, of {LARGEST_HEAD} bytes together.", connection="close"
        )
    if len(scope["raw_path"]) + len(scope["query_string"]) > LONGEST_TARGET:
        raise FaultError(414, f"The target of a request may have {LONGEST_TARGET} characters.", connection="close")
    for name, value in headers:
        if name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0") != b""):
            # The body is not read: closing the connection keeps it from being parsed as another request.
            raise FaultError(413, "No request here has a body.", connection="close")


def _completed(headers: Headers) -> Headers:
    given = {name.lower() for name, _ in headers}
    own = {**_HEADERS, b"date": formatdate(usegmt=True).encode()}
    return [*headers, *((name, value) for name, value in own.items() if name not in given)]


def _fault_of(error: Exception) -> FaultError:
    if isinstance(error, UllageError):
        return FaultError(503, "What is known cannot be read; the server's own output says why.", retry_after="60")
    return FaultError(500, "ullage has a fault of its own; the server's own output names it.")


async def refuse(send: Send, fault: FaultError) -> None:
    """Send a refusal as a problem document."""
    body = answer_problem(fault.status, fault.detail)
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        *((name.encode(), value.encode()) for name, value in fault.headers.items()),
    ]
    await send({"type": "http.response.start", "status": fault.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def answer_problem(status: int, detail: str) -> bytes:
    """Return the problem document of a refusal."""
    title = HTTPStatus(status).phrase
    return schemas.encode(documents.FaultDocument(type="about:blank", title=title, status=status, detail=detail))


def answer_raw(status: int, detail: str, headers: dict[bytes, bytes]) -> bytes:
    """Return a whole HTTP response with a refusal, for connections that have no parsed request; it closes them."""
    body = answer_problem(status, detail)
    given = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
    lines = [name + b": " + value for name, value in _completed([*given, *headers.items(), (b"connection", b"close")])]
    first = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode()
    return b"\r\n".join([first, *lines, b"", body])

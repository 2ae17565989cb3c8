"""Build the ASGI application: an answer for each address of `routes.ROUTES`."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route as Address
from starlette.routing import Router

from ullage.base import moments
from ullage.metrics import formats
from ullage.quota import schemas
from ullage.serve import documents, page, routes
from ullage.serve.feed import FullError
from ullage.serve.middleware import GRANTED, FaultError, Guard

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from starlette.types import Receive, Scope, Send

    from ullage.base.record import Record
    from ullage.quota.schemas import Document
    from ullage.serve.access import Access, Grant
    from ullage.serve.feed import Feed
    from ullage.serve.knowledge import Knowledge
    from ullage.serve.middleware import Application
    from ullage.serve.routes import Route

    Arguments = dict[str, str]
    Answer = Callable[["ServiceState", Arguments, Request], Awaitable[Response]]

_KEEP_ALIVE_SECONDS = 20.0
_RETRY_MILLISECONDS = 5000
# Each request for the history reads a database in its own thread.
_MOST_HISTORIES = 4


class ServiceState:
    """The state that all answers share."""

    def __init__(self, knowledge: Knowledge, access: Access, feed: Feed) -> None:
        self.knowledge = knowledge
        self.access = access
        self.feed = feed
        self.histories = asyncio.Semaphore(_MOST_HISTORIES)

    def profile(self, arguments: Arguments, request: Request) -> str | None:
        """Return the profile that a request names; raise FaultError if it is unknown.

        Its refresh is started if due, but not for `Cache-Control: only-if-cached` (RFC 9111): another machine wants to
        know what is known here, and nobody is to be asked because of it.
        """
        profile = self.knowledge.find_profile_in_effect()
        if "profile" in arguments:
            known = {one or "default": one for one in (*self.knowledge.list_profiles(), profile)}
            if arguments["profile"] not in known:
                raise FaultError(404, "There is no such profile; /v1/profiles lists them.")
            profile = known[arguments["profile"]]
        if "only-if-cached" not in request.headers.get("cache-control", ""):
            self.knowledge.refresh_if_due(profile)
        return profile


def build_application(knowledge: Knowledge, access: Access, feed: Feed) -> Application:
    """Return the ASGI application: the guard in front of the routes."""
    server = ServiceState(knowledge, access, feed)
    addresses = [Address(route.path, _Endpoint(server, route)) for route in routes.ROUTES]
    return Guard(Router(addresses, redirect_slashes=False, default=_nowhere), access)


class _Endpoint:
    """The endpoint of one route; a class, since for a function Starlette would check methods and answer 405 itself."""

    def __init__(self, server: ServiceState, route: Route) -> None:
        self._server, self._route = server, route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await _respond(self._server, self._route, Request(scope, receive))
        await response(scope, receive, send)


async def _nowhere(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise FaultError(404, "There is nothing at this address; /openapi.json lists what there is.")


async def _respond(server: ServiceState, route: Route, request: Request) -> Response:
    allowed = (route.method, "HEAD", "OPTIONS") if route.method == "GET" else (route.method, "OPTIONS")
    if request.method == "OPTIONS":
        return Response(status_code=204, headers={"allow": ", ".join(allowed)})
    if request.method not in allowed:
        raise FaultError(405, f"{route.path} takes {', '.join(allowed)}.", allow=", ".join(allowed))
    if route.scope is not None and not route.link:
        _check_scope(server.access.find_grant(dict(request.headers.raw), datetime.now(UTC)), route)
        # The server keeps a connection that has shown its token when there are too many.
        request.scope[GRANTED] = True
    return await ANSWERS[route.path](server, routes.read_arguments(route, request.query_params.multi_items()), request)


def _check_scope(grant: Grant | None, route: Route) -> None:
    if grant is None:
        raise FaultError(
            401,
            "A token is needed: `ullage serve token create` makes one. Send it as Authorization: Bearer TOKEN.",
            www_authenticate='Bearer realm="ullage"',
        )
    if grant.scope not in (route.scope, "read"):
        raise FaultError(403, f"The token's scope is {grant.scope}; {route.path} needs {route.scope}.")


async def _usage(server: ServiceState, arguments: Arguments, request: Request) -> Response:
    return _json(server.knowledge.build_usage(server.profile(arguments, request), datetime.now(UTC)))


async def _profiles(server: ServiceState, arguments: Arguments, request: Request) -> Response:
    server.profile(arguments, request)
    return _json(server.knowledge.build_every_usage(datetime.now(UTC)))


async def _history(server: ServiceState, arguments: Arguments, request: Request) -> Response:
    since = moments.parse_beginning(arguments["since"], datetime.now(UTC))
    profile, window, limit = server.profile(arguments, request), arguments.get("window"), int(arguments["limit"])
    async with server.histories:
        return _json(await run_in_threadpool(server.knowledge.build_history, profile, window, since, limit))


async def _burnup(server: ServiceState, arguments: Arguments, request: Request) -> Response:
    found = server.knowledge.build_burnup(server.profile(arguments, request), arguments["window"], datetime.now(UTC))
    if found is None:
        raise FaultError(404, "There is no such window, or it has not started, has reset, or nobody knows its length.")
    return _json(found)


async def _events(server: ServiceState, arguments: Arguments, request: Request) -> Response:
    profile = server.profile(arguments, request)
    if request.method == "HEAD":
        return Response(media_type="text/event-stream")
    grant = server.access.find_grant(dict(request.headers.raw), datetime.now(UTC))
    assert grant is not None
    return _Stream(server, profile, grant)


class _Stream(StreamingResponse):
    """Server-sent events until the client leaves, the server closes, or the grant is revoked."""

    def __init__(self, server: ServiceState, profile: str | None, grant: Grant) -> None:
        super().__init__((), media_type="text/event-stream")
        self._server, self._profile, self._grant = server, profile, grant

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            with self._server.feed.stream(self._profile) as woken:
                self.body_iterator = self._words(woken)
                await super().__call__(scope, receive, send)
        except FullError:
            raise FaultError(503, "There are as many streams as there may be.", retry_after="30") from None

    async def _words(self, woken: asyncio.Event) -> AsyncIterator[bytes]:
        yield f"retry: {_RETRY_MILLISECONDS}\n\n".encode()
        sent, number = b"", 0
        while not self._server.feed.closing and self._server.access.holds(self._grant, datetime.now(UTC)):
            lasting, document = self._server.feed.build_current(self._profile)
            if lasting != sent:
                sent, number = lasting, number + 1
                yield b"id: %d\nevent: usage\ndata: %b\n\n" % (number, document)
            try:
                async with asyncio.timeout(_KEEP_ALIVE_SECONDS):
                    await woken.wait()
            except TimeoutError:
                yield b": still here\n\n"
            woken.clear()


async def _session(server: ServiceState, _arguments: Arguments, request: Request) -> Response:
    session = server.access.begin_session(dict(request.headers.raw), datetime.now(UTC))
    if session is None:
        raise FaultError(
            401,
            "This link has been used or is too old, or there is no such token. `ullage serve link` makes a new link.",
            www_authenticate='Bearer realm="ullage"',
        )
    return _json(documents.SessionDocument(token=session))


async def _metrics(server: ServiceState, arguments: Arguments, request: Request) -> Response:
    server.profile(arguments, request)
    openmetrics = "application/openmetrics-text" in request.headers.get("accept", "")
    shown = await run_in_threadpool(server.knowledge.expose_metrics, datetime.now(UTC), openmetrics=openmetrics)
    kind = formats.OPENMETRICS_TYPE if openmetrics else formats.PLAIN_TYPE
    return Response(shown, headers={"content-type": kind})


async def _openapi(_server: ServiceState, _arguments: Arguments, _request: Request) -> Response:
    return Response(json.dumps(routes.describe_api(), indent=1), media_type="application/json")


async def _health(_server: ServiceState, _arguments: Arguments, _request: Request) -> Response:
    return _json(documents.HealthDocument(status="ok"))


async def _page(_server: ServiceState, _arguments: Arguments, _request: Request) -> Response:
    shown, policy = page.assemble_page()
    return Response(shown, media_type="text/html; charset=utf-8", headers={"content-security-policy": policy})


def _json(document: Document | Record) -> Response:
    return Response(schemas.encode(document), media_type="application/json")


ANSWERS: dict[str, Answer] = {
    "/v1/usage": _usage,
    "/v1/profiles": _profiles,
    "/v1/history": _history,
    "/v1/burnup": _burnup,
    "/v1/events": _events,
    "/v1/session": _session,
    "/metrics": _metrics,
    "/openapi.json": _openapi,
    "/healthz": _health,
    "/": _page,
}

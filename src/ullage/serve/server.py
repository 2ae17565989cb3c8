"""Run uvicorn with deadlines for slow clients, a limit on connections, and an end by signal."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import signal
import sys

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from ullage.serve import handshakes, middleware
from ullage.serve.feed import MOST_STREAMS
from ullage.serve.peers import Peers

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Iterator
    from typing import Any

    from uvicorn.protocols.http.h11_impl import RequestResponseCycle

    from ullage.serve.feed import Feed
    from ullage.serve.middleware import Application

_SPARE_CONNECTIONS = 128
MOST_CONNECTIONS = MOST_STREAMS + _SPARE_CONNECTIONS
HEAD_SECONDS = 10.0
IDLE_SECONDS = 15
STALLED_SECONDS = 30.0
_PARTING_SECONDS = 3
# Rounds of the loop until a new connection's first bytes are read: accept, watch, read, and one to spare.
_TURNS = 4
_ANSWER_SECONDS, _REFUSAL_SECONDS = 5.0, 0.2
# Connections accepted in one round of the loop: far fewer than the limit, so that each is read before later ones can
# evict it. The others wait in the system's queue, of _BACKLOG.
_TAKEN_AT_ONCE, _BACKLOG = 16, 1024
# Of all places, what connections of one other user that have shown no token may take: one in so many.
_OTHERS_SHARE = 4
# Descriptors besides connections: the standard streams, the listening socket, watches, SQLite, files.
_OTHER_DESCRIPTORS = 64


class ClientConnection(H11Protocol):
    """One connection, with deadlines: for a request's head to arrive, and for the client to read the response."""

    most = MOST_CONNECTIONS
    peers = Peers()
    handshake: handshakes.Handshake | None = None
    _user: int | None = None
    _deadline: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None
    _was_granted = False
    _was_read = False
    _refused = False
    _made_at = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Accept a connection; at the limit, evict a stranger's for it, or refuse it where there is none."""
        if self.handshake is not None:
            self.handshake.end()
        super().connection_made(transport)
        self._made_at = self.loop.time()
        self.loop.call_soon(self._take_turn, _TURNS)
        # As long as there are few of them, it does not matter whose they are.
        if len(self.connections) > _TAKEN_AT_ONCE:
            self._user = self.peers.find_user(transport.get_extra_info("socket"))
        has_room = len(self.connections) <= self.most or self._make_room()
        if not has_room or self._is_beyond_share():
            transport.write(middleware.answer_raw(503, "There are too many connections.", {b"retry-after": b"5"}))
            self._refused = True
            # Closing with unread input would reset the connection, and the client would lose the refusal.
            self.loop.call_later(_REFUSAL_SECONDS, self._part)
            return
        self._expect_head()

    def _make_room(self) -> bool:
        """Abort the oldest connection without an accepted token, so that no other user who fills the port locks us out.

        A connection whose request was not read yet, or is being answered, is spared: it may be the owner's.
        """
        others = (other for other in self.connections if isinstance(other, ClientConnection) and other is not self)
        strangers = [other for other in others if other.is_stranger()]
        if strangers:
            min(strangers, key=lambda other: (not other._is_of_another_user(), other._made_at)).transport.abort()
        return bool(strangers)

    def _is_of_another_user(self) -> bool:
        return self._user not in (None, 0, os.geteuid())

    def _is_beyond_share(self) -> bool:
        """Say whether another user has more connections without a token than the share that is left to one."""
        if not self._is_of_another_user():
            return False
        same = [one for one in self.connections if isinstance(one, ClientConnection) and one._user == self._user]
        return sum(not one._refused and not one.is_granted() for one in same) > self.most // _OTHERS_SHARE

    def is_stranger(self) -> bool:
        """Say whether this connection had time to send a request, and sent no accepted token."""
        has_had_time = self._refused or (
            self._was_read and (self._is_between_requests() or self.loop.time() - self._made_at > _ANSWER_SECONDS)
        )
        return has_had_time and not self.transport.is_closing() and not self.is_granted()

    def _take_turn(self, left: int) -> None:
        """Wait `left` rounds of the loop, after which the bytes sent along with the connection have been read."""
        if left:
            self.loop.call_soon(self._take_turn, left - 1)
        else:
            self._was_read = True

    def is_granted(self) -> bool:
        """Say whether a request on this connection had an accepted token."""
        self._was_granted = self._was_granted or middleware.GRANTED in (self.scope or ())
        return self._was_granted

    def data_received(self, data: bytes) -> None:
        """Read data; a request's head must be complete by its deadline, however slowly it trickles in."""
        if self.transport.is_closing() or self._refused:
            return
        self._expect_head()
        super().data_received(data)
        if not self._is_between_requests():
            self._forget_deadline()

    def on_response_complete(self) -> None:
        """Go on to the next request, or close; then the client has _PARTING_SECONDS to read the rest."""
        super().on_response_complete()
        self.is_granted()
        if self.transport.is_closing():
            self._part()

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that stayed idle."""
        super().timeout_keep_alive_handler()
        self._part()

    def shutdown(self) -> None:
        """Close once the response under way has been sent."""
        super().shutdown()
        if self.transport.is_closing():
            self._part()

    def pause_writing(self) -> None:
        """Stop writing to a client that does not read, and abort after STALLED_SECONDS."""
        super().pause_writing()
        self._stalled = self.loop.call_later(STALLED_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Resume writing, and drop the deadline: the client has read."""
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the deadlines."""
        super().connection_lost(exc)
        self._forget_deadline()
        self._unset_keepalive_if_required()
        if self._stalled is not None:
            self._stalled.cancel()

    def send_400_response(self, msg: str) -> None:
        """Refuse malformed HTTP with a problem document, like every other refusal."""
        error = sys.exception()
        status = getattr(error, "error_status_hint", 400)
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            detail = {431: f"The head of a request may have {middleware.LARGEST_HEAD} bytes."}.get(status, msg)
            self.transport.write(middleware.answer_raw(status, detail, {}))
        self._part()

    def _expect_head(self) -> None:
        if self._deadline is None and self._is_between_requests():
            self._deadline = self.loop.call_later(HEAD_SECONDS, self._too_slow)

    def _is_between_requests(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    def _too_slow(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(middleware.answer_raw(408, "The request took too long to arrive.", {}))
            self._part()

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _part(self) -> None:
        """Close the connection; abort after _PARTING_SECONDS when the client does not read the rest."""
        self._forget_deadline()
        self.transport.close()
        self.loop.call_later(_PARTING_SECONDS, self.transport.abort)


class Server(uvicorn.Server):
    """Runs until a signal; unlike uvicorn's own loop, it wakes for no tick in between."""

    def __init__(self, config: uvicorn.Config, feed: Feed, listener: socket.socket) -> None:
        super().__init__(config)
        self._feed, self._listener = feed, listener
        self._ended = asyncio.Event()

    async def main_loop(self) -> None:
        """Run the feed until a signal ends the server."""
        # asyncio has set the socket's backlog to the number that it accepts at once: raise it again.
        self._listener.listen(_BACKLOG)
        watching = asyncio.create_task(self._feed.run())
        ended = asyncio.create_task(self._ended.wait())
        await asyncio.wait({watching, ended}, return_when=asyncio.FIRST_COMPLETED)
        for task in (watching, ended):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the streams, then the connections."""
        self._feed.close()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Shut down gracefully at the first signal, at once at the second."""
        loop = asyncio.get_running_loop()
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        for number in before:
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(self._end))
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _end(self) -> None:
        self.force_exit = self._ended.is_set()
        self._ended.set()


def run(application: Application, feed: Feed, listener: socket.socket, tls: ssl.SSLContext | None) -> None:
    """Serve on a listening socket until a signal comes."""
    others = _OTHER_DESCRIPTORS + (handshakes.MOST if tls else 0)
    ClientConnection.most = _descriptors(MOST_CONNECTIONS + others) - others
    feed.most = min(MOST_STREAMS, ClientConnection.most - _SPARE_CONNECTIONS)
    config = uvicorn.Config(
        application,
        http=ClientConnection,
        ws="none",
        lifespan="off",
        log_config=None,
        # Below that level uvicorn logs every client's mistake, with a traceback.
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        h11_max_incomplete_event_size=middleware.LARGEST_HEAD,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=2 * _PARTING_SECONDS,
        backlog=_TAKEN_AT_ONCE,
    )
    config.load()
    if tls is not None:
        config.http_protocol_class = functools.partial(_protect, tls)  # type: ignore[assignment]  # called alone
    asyncio.run(_serve(config, feed, listener))


def _protect(tls: ssl.SSLContext, **given: Any) -> handshakes.Handshake:
    """Return the protocol of a TLS connection, with ours inside."""
    client = ClientConnection(**given)
    client.handshake = handshakes.Handshake(client, tls)
    return client.handshake


async def _serve(config: uvicorn.Config, feed: Feed, listener: socket.socket) -> None:
    # asyncio would print a traceback for each error on a connection, which a client can cause at will.
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    await Server(config, feed, listener).serve(sockets=[listener])


def _descriptors(wanted: int) -> int:
    """Raise the soft limit of open files as far as useful and allowed; return the number that may be used."""
    try:
        import resource
    except ImportError:
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return wanted if soft == resource.RLIM_INFINITY else min(soft, wanted)

"""Hold TLS connections until their handshake is over: few at a time, and none for long, as anybody can open them.

asyncio makes the protocol of a connection before the handshake, and tells it of the connection only then. So what
`server.ClientConnection` does against too many of them would come too late.
"""

from __future__ import annotations

import asyncio
from asyncio import sslproto

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from typing import ClassVar

MOST = 256
SECONDS = 10


class Handshake(sslproto.SSLProtocol):
    """The TLS of one connection; of more than MOST before the end of their handshake, the oldest is aborted."""

    # A record of TLS holds no more; of asyncio's own 256 KiB a thousand connections would take a quarter of a GiB.
    max_size = 1 << 14
    _pending: ClassVar[dict[Handshake, asyncio.Transport]] = {}

    def __init__(self, inside: asyncio.Protocol, tls: ssl.SSLContext) -> None:
        super().__init__(
            asyncio.get_running_loop(),
            inside,
            tls,
            waiter=None,  # type: ignore[arg-type]  # as asyncio's own server makes it
            server_side=True,
            ssl_handshake_timeout=SECONDS,
        )

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # of TCP
        """Begin the handshake, in the place of the oldest one where there are too many."""
        self._pending[self] = transport
        super().connection_made(transport)
        if len(self._pending) > MOST:
            self._pending.pop(next(iter(self._pending))).abort()

    def end(self) -> None:
        """Count the handshake no more: the connection inside has begun, or there is none."""
        self._pending.pop(self, None)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Let go of a connection that ended, before the handshake or after it."""
        self.end()
        super().connection_lost(exc)

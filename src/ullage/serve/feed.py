"""Wake the event streams when the cache changes: one watch, and one document per profile, for all streams.

A stream is woken without the change itself and then asks for the current document: a slow stream may miss states in
between, never the last.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime

from ullage.base.errors import UllageError
from ullage.quota import contract, schemas
from ullage.store import cache
from ullage.system import places, watching
from ullage.system.files import identify

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ullage.serve.knowledge import Knowledge

MOST_STREAMS = 1024
_LONGEST_WAIT_SECONDS = 300.0
# A refresh replaces about twenty files within this time.
_SETTLING_SECONDS = 0.1


class FullError(Exception):
    """The limit on open streams is reached."""


class Feed:
    """The open streams, and the watch over the caches and over `directories` that wakes them."""

    def __init__(self, knowledge: Knowledge, directories: list[str]) -> None:
        self.closing = False
        self.most = MOST_STREAMS
        self._knowledge = knowledge
        self._directories = directories
        self._streams: dict[asyncio.Event, str | None] = {}
        self._changed = asyncio.Event()
        self._documents: dict[str | None, tuple[int, bytes, bytes]] = {}

    @contextlib.contextmanager
    def stream(self, profile: str | None) -> Iterator[asyncio.Event]:
        """Yield the event that is set when the profile's document may have changed; raise FullError at the limit."""
        if len(self._streams) >= self.most:
            raise FullError
        woken = asyncio.Event()
        self._streams[woken] = profile
        # A profile's first stream may bring the next event nearer: let `run` compute its wait anew.
        self._changed.set()
        try:
            yield woken
        finally:
            del self._streams[woken]

    def build_current(self, profile: str | None) -> tuple[bytes, bytes]:
        """Return the profile's document as a line, preceded by its lasting part, by which a stream detects a change.

        Computed once a second at most, and shared by all streams.
        """
        now = datetime.now(UTC)
        second, lasting, whole = self._documents.get(profile, (0, b"", b""))
        if second != int(now.timestamp()):
            usage = self._knowledge.build_usage(profile, now)
            lasting, whole = schemas.encode_line(contract.omit_passing(usage)), schemas.encode_line(usage)
            self._documents[profile] = (int(now.timestamp()), lasting, whole)
        return lasting, whole

    def close(self) -> None:
        """Wake every stream to let it end."""
        self.closing = True
        self._wake()

    def _wake(self) -> None:
        self._documents.clear()
        for woken in self._streams:
            woken.set()

    async def run(self) -> None:
        """Watch until cancelled. With no stream open, only a change of the watched directories wakes this task."""
        root = places.locate_cache(self._knowledge.environ)
        while True:
            with contextlib.ExitStack() as watches:
                identity = self._watch(root, watches)
                while identity is not None and identify(root) == identity:
                    await self._something()
            if identity is None:
                await asyncio.sleep(_LONGEST_WAIT_SECONDS)
            self._wake()

    def _watch(self, root: str, watches: contextlib.ExitStack) -> tuple[int, int] | None:
        loop = asyncio.get_running_loop()

        def changed() -> None:
            # The watching thread may report a last change when the loop is closed already.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._changed.set)

        try:
            cache.ProfileCache(self._knowledge.environ).make_private()
            watches.enter_context(watching.watch(root, changed, recursive=True))
            for directory in self._directories:
                watches.enter_context(watching.watch(directory, changed))
        except UllageError:
            return None
        return identify(root)

    async def _something(self) -> None:
        with contextlib.suppress(TimeoutError):
            # Not asyncio.wait_for: until Python 3.12 it loses a cancellation that comes together with the event.
            async with asyncio.timeout(self._patience()):
                await self._changed.wait()
        self._changed.clear()
        if self._streams:
            await asyncio.sleep(_SETTLING_SECONDS)
            with contextlib.suppress(UllageError, OSError):
                # A stream reports an unreadable cache itself.
                for profile in {*self._streams.values()}:
                    self._knowledge.refresh_if_due(profile, attended=True)
            self._wake()

    def _patience(self) -> float | None:
        """Return the seconds until time alone changes a document, at most 300; None with no stream open."""
        if not self._streams:
            return None
        now = datetime.now(UTC)
        try:
            events = [self._knowledge.find_next_event(profile, now) for profile in {*self._streams.values()}]
        except (UllageError, OSError):
            return _LONGEST_WAIT_SECONDS
        waits = [(event - now).total_seconds() for event in events if event is not None]
        return min([_LONGEST_WAIT_SECONDS, *(max(wait, 1.0) for wait in waits)])

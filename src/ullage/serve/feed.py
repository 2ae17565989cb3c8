"""Who is told when something changes: one look at the cache for all streams, when the system says that it changed.

A stream that is slow misses what lies between, never the last word: it is told that there is something new, not what.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from datetime import UTC, datetime

from ullage.base.errors import UllageError
from ullage.quota import contract
from ullage.store import cache
from ullage.system import places, watching

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ullage.serve.knowledge import Knowledge

MOST_STREAMS = 1024
_LONGEST_WAIT_SECONDS = 300.0
# A refresh replaces a score of files within this time.
_SETTLING_SECONDS = 0.1


class FullError(Exception):
    """There are as many streams as there may be."""


class Feed:
    """The streams that are open, and what watches on their behalf; `directories` beside the caches are watched too."""

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
        """Yield what is set whenever there may be something new; raise FullError when there are too many."""
        if len(self._streams) >= self.most:
            raise FullError
        woken = asyncio.Event()
        self._streams[woken] = profile
        # The first stream of a profile may bring the next event nearer.
        self._changed.set()
        try:
            yield woken
        finally:
            del self._streams[woken]

    def current(self, profile: str | None) -> tuple[bytes, bytes]:
        """Return the document on one line, behind what tells whether it says anything new; the same for all streams."""
        now = datetime.now(UTC)
        second, lasting, whole = self._documents.get(profile, (0, b"", b""))
        if second != int(now.timestamp()):
            usage = self._knowledge.usage(profile, now)
            lasting, whole = contract.encode_line(contract.lasting(usage)), contract.encode_line(usage)
            self._documents[profile] = (int(now.timestamp()), lasting, whole)
        return lasting, whole

    def close(self) -> None:
        """Let every stream end."""
        self.closing = True
        self._wake()

    def _wake(self) -> None:
        self._documents.clear()
        for woken in self._streams:
            woken.set()

    async def run(self) -> None:
        """Watch until cancelled. With no stream open, nothing happens here but what the system tells."""
        root = places.cache_root(self._knowledge.environ)
        while True:
            with contextlib.ExitStack() as watches:
                identity = self._watch(root, watches)
                while identity is not None and _identity(root) == identity:
                    await self._something()
            if identity is None:
                await asyncio.sleep(_LONGEST_WAIT_SECONDS)
            self._wake()

    def _watch(self, root: str, watches: contextlib.ExitStack) -> int | None:
        loop = asyncio.get_running_loop()

        def changed() -> None:
            # The loop is closed while the last words of the watching thread come in.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._changed.set)

        try:
            cache.ProfileCache(self._knowledge.environ).make_private()
            watches.enter_context(watching.watch(root, changed, recursive=True))
            for directory in self._directories:
                watches.enter_context(watching.watch(directory, changed))
        except UllageError:
            return None
        return _identity(root)

    async def _something(self) -> None:
        with contextlib.suppress(TimeoutError):
            # asyncio.wait_for, until Python 3.12, loses the cancellation that comes together with what it waits for.
            async with asyncio.timeout(self._patience()):
                await self._changed.wait()
        self._changed.clear()
        if self._streams:
            await asyncio.sleep(_SETTLING_SECONDS)
            with contextlib.suppress(UllageError, OSError):
                # A stream that cannot be served either says so.
                for profile in {*self._streams.values()}:
                    self._knowledge.refresh_if_due(profile, attended=True)
            self._wake()

    def _patience(self) -> float | None:
        """Return how long nothing can change by itself; None while nobody would be told."""
        if not self._streams:
            return None
        now = datetime.now(UTC)
        try:
            events = [self._knowledge.next_event(profile, now) for profile in {*self._streams.values()}]
        except (UllageError, OSError):
            return _LONGEST_WAIT_SECONDS
        waits = [(event - now).total_seconds() for event in events if event is not None]
        return min([_LONGEST_WAIT_SECONDS, *(max(wait, 1.0) for wait in waits)])


def _identity(path: str) -> int | None:
    try:
        return os.stat(path).st_ino
    except OSError:
        return None

"""Follow a cache for a bar: show a panel when the cache changes or time alone changes it, and sleep in between."""

from __future__ import annotations

import contextlib
import os
import queue
import select
import sys
import threading
from datetime import UTC, datetime
from typing import Protocol

from ullage import config, panel, prompt
from ullage.quota import changes
from ullage.store import overview
from ullage.store.cache import ProfileCache
from ullage.system import watching
from ullage.system.files import identify

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import BinaryIO, Self

    from ullage.config import Settings
    from ullage.panel import Panel, Wanted
    from ullage.panel.clicks import Request

_LONGEST_INPUT = 65536
# A refresh replaces a dozen files one after the other: wait until it has, and look once.
_SETTLED_MILLISECONDS = 40
_MOST_SETTLING = 10


class Sleep(Protocol):
    """How a follower waits; `ended` is true once it shall follow no longer, as when its reader has gone."""

    @property
    def ended(self) -> bool: ...
    def wake(self) -> None: ...
    def sleep_until(self, moment: datetime) -> None: ...


class Followed:
    """A profile's cache, followed for one bar; `known` is its overview at the last look."""

    def __init__(self, environ: Mapping[str, str], wanted: Wanted, adapt: Callable[[Settings], Settings]) -> None:
        self.environ, self.cache = environ, ProfileCache(environ)
        self._wanted, self._adapt = wanted, adapt
        self.known: overview.Overview | None = None

    def look(self, now: datetime) -> tuple[Panel, datetime]:
        """Return the panel at `now`, and when time alone changes it or a refresh is due; start a refresh that is."""
        settings = self._adapt(config.load(self.environ)[0])
        prompt.start_refresh_if_due(self.environ, panel.UNATTENDED)
        self.known = overview.load(self.cache, settings.thresholds, now)
        # An unattended bar is refreshed at the schedule's slower cadence: a reading within that cadence is not stale.
        thresholds = self.known.schedule.adapt_thresholds(settings.thresholds, self.known.reading)
        settings = settings.replace(thresholds=thresholds)
        due = self.known.schedule.find_due(self.known.reading, attended=False)
        shown = panel.look_at(self.known, settings, self._wanted, now)
        following = changes.find_next_change(self.known.reading, self.known.forecasts, settings.thresholds, now, due)
        return shown, following


def follow(followed: Followed, say: Callable[[Panel], None], sleep: Sleep) -> None:
    """Call `say` with the panel, and again whenever it may have changed, until `sleep.ended`.

    Raises CacheError when the cache's directory can be neither made nor watched.
    """
    while not sleep.ended:
        followed.cache.make_private()
        with watching.watch(followed.cache.directory, sleep.wake):
            _while_it_is_the_same(followed, say, sleep)


def _while_it_is_the_same(followed: Followed, say: Callable[[Panel], None], sleep: Sleep) -> None:
    """Show and sleep until the bar has gone, or the watched directory is deleted or replaced by another."""
    directory = identify(followed.cache.directory)
    while not sleep.ended and identify(followed.cache.directory) == directory:
        shown, following = followed.look(datetime.now(UTC))
        say(shown)
        sleep.sleep_until(following)


class QueueSleep:
    """The sleep of a thread that follows the cache, for a tray; its menu or a signal ends it.

    Not an Event: a second signal's handler would wait for the lock that the first handler holds, for ever.
    """

    def __init__(self) -> None:
        self.ended = False
        self._wishes: queue.SimpleQueue[None] = queue.SimpleQueue()

    def wake(self) -> None:
        """Wake the sleeper, from any thread."""
        self._wishes.put(None)

    def end(self) -> None:
        """End the sleep for good."""
        self.ended = True
        self._wishes.put(None)

    def sleep_until(self, moment: datetime) -> None:
        """Sleep until a moment, a change or the end."""
        left = (moment - datetime.now(UTC)).total_seconds()
        with contextlib.suppress(queue.Empty):
            self._wishes.get(timeout=max(0.0, left) + 0.001)
            while not self.ended:
                # A refresh replaces a dozen files one after the other: wait until it has, and look once.
                self._wishes.get(timeout=_SETTLED_MILLISECONDS / 1000)


class ThreadSleep(QueueSleep):
    """The sleep of a bar's child where no pipe can be polled, as on Windows: a thread reads stdin meanwhile.

    That the reader of its output has gone is seen at the next update. Use as a context manager.
    """

    def __init__(self, read: Callable[[bytes], Request | None] | None, answer: Callable[[Request], None]) -> None:
        super().__init__()
        self._answer = answer
        if read is not None and sys.stdin is not None:
            threading.Thread(target=self._read_requests, args=(sys.stdin.buffer, read), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.ended = True

    def _read_requests(self, lines: BinaryIO, read: Callable[[bytes], Request | None]) -> None:
        while line := lines.readline(_LONGEST_INPUT):
            request = read(line.rstrip(b"\r\n"))
            if request is not None:
                self._answer(request)


def sleep_for_bar(
    read: Callable[[bytes], Request | None] | None = None, answer: Callable[[Request], None] = lambda _: None
) -> PipeSleep | ThreadSleep:
    """Return the sleep of a process that prints for a bar: as a context manager, by what the system can wait for."""
    return PipeSleep(sys.stdout.fileno(), read, answer) if hasattr(select, "poll") else ThreadSleep(read, answer)


class PipeSleep:
    """The sleep of a bar's child: it ends when the reader of `output` has gone, and it reads stdin meanwhile.

    `read` decodes a line of stdin into a request, which `answer` is called with. Use as a context manager.
    """

    def __init__(
        self,
        output: int,
        read: Callable[[bytes], Request | None] | None = None,
        answer: Callable[[Request], None] = lambda _: None,
    ) -> None:
        self.ended = False
        self._output, self._read, self._answer = output, read, answer
        self._changed, self._changing = os.pipe()
        os.set_blocking(self._changing, False)
        self._poll = select.poll()
        self._poll.register(self._changed, select.POLLIN)
        # No events are polled for on the output: poll reports its hang-up in any case.
        self._poll.register(output, 0)
        self._input = sys.stdin.fileno() if read is not None and sys.stdin is not None else -1
        self._unread = b""
        if self._input >= 0:
            self._poll.register(self._input, select.POLLIN)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        os.close(self._changed)
        os.close(self._changing)

    def wake(self) -> None:
        """Wake the sleeper, from any thread."""
        # A full pipe wakes the sleeper in any case.
        with contextlib.suppress(BlockingIOError):
            os.write(self._changing, b".")

    def sleep_until(self, moment: datetime) -> None:
        """Sleep until a moment, a change or the end."""
        while not self.ended:
            left = (moment - datetime.now(UTC)).total_seconds()
            if left <= 0:
                return
            # Rounded up: waking a millisecond early would find nothing new.
            events = dict(self._poll.poll(int(left * 1000) + 1))
            if self._output in events:
                self.ended = True
            if self._input in events:
                self._read_requests()
            if self._changed in events:
                self._settle()
                return

    def _settle(self) -> None:
        """Drain the wake-ups until none comes for a moment, but not for ever."""
        changed = select.poll()
        changed.register(self._changed, select.POLLIN)
        for _ in range(_MOST_SETTLING):
            os.read(self._changed, _LONGEST_INPUT)
            if not changed.poll(_SETTLED_MILLISECONDS):
                return

    def _read_requests(self) -> None:
        assert self._read is not None
        data = os.read(self._input, _LONGEST_INPUT)
        if not data:
            self._poll.unregister(self._input)
            self._input = -1
        *complete, self._unread = (self._unread + data).split(b"\n")
        self._unread = self._unread[-_LONGEST_INPUT:]
        for line in complete:
            request = self._read(line)
            if request is not None:
                self._answer(request)

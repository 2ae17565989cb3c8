"""Keep the statements that pass through `ullage tee`, in a thread of their own, so that the pipe never waits."""

from __future__ import annotations

import os
import threading
from collections import deque

from ullage.base.dates import UTC, datetime
from ullage.base.errors import UllageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# Each statement that is kept rewrites every surface's timeline; prompts need that no more often than this.
_PAUSE_SECONDS = 1.0
# How long the end of the stream waits until the last statement is kept.
_PATIENCE_SECONDS = 5.0


class Listener:
    """Keeps the events it is given; of several that arrive while it writes one, only the newest."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._pending: deque[tuple[bytes, float]] = deque(maxlen=1)
        self._has_news, self._is_over = threading.Event(), threading.Event()
        self._trouble = ""
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def add(self, line: bytes, arrived_at: float) -> None:
        """Take a line that arrived at a time, in seconds since the epoch, and return at once."""
        self._pending.append((line, arrived_at))
        if not self._has_news.is_set():
            self._has_news.set()

    def finish(self) -> str:
        """Wait until the last line is kept, for as long as a disk may take; return why it is not, empty where it is."""
        self._is_over.set()
        self._has_news.set()
        self._thread.join(_PATIENCE_SECONDS)
        return "The cache does not answer." if self._thread.is_alive() else self._trouble

    def _listen(self) -> None:
        while not self._is_over.is_set() or self._pending:
            self._has_news.wait()
            # A line that arrives from here on sets it again.
            self._has_news.clear()
            if self._pending:
                self._keep(*self._pending.popleft())
                self._is_over.wait(_PAUSE_SECONDS)

    def _keep(self, line: bytes, arrived_at: float) -> None:
        try:
            take_in(line, arrived_at, self._environ)
            self._trouble = ""
        except (UllageError, OSError, MemoryError) as error:
            self._trouble = str(error) or "This process may have no more memory."


def take_in(line: bytes, arrived_at: float, environ: Mapping[str, str]) -> None:
    """Keep what a line of the stream says of the windows, if it is an event of limits; raises UllageError."""
    from ullage import config
    from ullage.claude_code import session
    from ullage.sources import tee
    from ullage.store import statements
    from ullage.system.places import locate_profile

    event = tee.parse_event(line, datetime.fromtimestamp(arrived_at, UTC))
    if event is None:
        return
    now = event.reading.as_of
    directory = locate_profile(environ)
    path = os.path.join(directory, statements.name_file(tee.NAME, event.session))
    last = statements.load_last(path, now)
    if last is not None and event.mark and last.mark == event.mark:
        # The same event again says nothing new, and is as old as it was.
        return
    before = statements.load(directory, now)
    said = statements.Statement(
        reading=tee.name_model(event.reading, before.statements), mark=event.mark, path=path, is_news=True
    )
    statement = session.follow(last, said, environ)
    if statement.is_news:
        settings, _ = config.load(environ)
        known = statements.add(before, {os.path.basename(path): statement.reading}, now)
        written = session.keep(statement, environ)
        if written is not None:
            session.publish(statement, written, known, settings, environ)

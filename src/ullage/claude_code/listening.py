"""What `ullage tee` hears, kept beside the pipe: in a thread of its own, the newest statement first."""

from __future__ import annotations

import os
import threading
from collections import deque

from ullage.base.dates import UTC, datetime
from ullage.base.errors import UllageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# What is kept is written for every surface: more often than this it would be read by nobody.
_PAUSE_SECONDS = 1.0
# How long the end waits for what is not kept yet.
_PATIENCE_SECONDS = 5.0


class Listener:
    """Keeps what it is told; of what is told while it is busy, the newest."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._pending: deque[tuple[bytes, float]] = deque(maxlen=1)
        self._is_told, self._is_over = threading.Event(), threading.Event()
        self._trouble = ""
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def tell(self, line: bytes, arrived_at: float) -> None:
        """Take a line that arrived at a time, in seconds since the epoch, and return at once."""
        self._pending.append((line, arrived_at))
        if not self._is_told.is_set():
            self._is_told.set()

    def finish(self) -> str:
        """Wait until the last line is kept, for as long as a disk may take; return why it is not, empty where it is."""
        self._is_over.set()
        self._is_told.set()
        self._thread.join(_PATIENCE_SECONDS)
        return "The cache does not answer." if self._thread.is_alive() else self._trouble

    def _listen(self) -> None:
        while not self._is_over.is_set() or self._pending:
            self._is_told.wait()
            # What comes from here on sets it again.
            self._is_told.clear()
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

    told = tee.parse_event(line, datetime.fromtimestamp(arrived_at, UTC))
    if told is None:
        return
    now = told.reading.as_of
    directory = locate_profile(environ)
    path = os.path.join(directory, statements.name_file(tee.NAME, told.session))
    last = session.load_last(path, now)
    if last is not None and told.mark and last.mark == told.mark:
        # The same event again says nothing new, and is as old as it was.
        return
    before = statements.load(directory, now)
    said = session.Statement(
        reading=tee.name_model(told.reading, before.statements), mark=told.mark, path=path, is_news=True
    )
    statement = session.follow(last, said, environ)
    if statement.is_news:
        settings, _ = config.load(environ)
        known = statements.add(before, {os.path.basename(path): statement.reading}, now)
        session.keep(statement, known, settings, environ)

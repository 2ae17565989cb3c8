"""Pass a stream of `claude -p --output-format stream-json` on, and keep what its events state: `ullage tee`.

What it reads it writes at once, before it looks at it. A thread keeps the numbers, so that neither a slow disk nor what
that imports holds up a byte; what goes wrong there is one line on stderr at the end, and the exit code stays.
"""

from __future__ import annotations

import os
import signal
import sys
import time

from ullage.base.arguments import find_last_value, parse_options
from ullage.base.text import make_visible
from ullage.system import streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
    from types import FrameType

    from ullage.claude_code.listening import Listener

# A wide pipe wakes its two ends less often; a piece that is larger than what a pipe holds is allocated in vain.
_WIDE_PIPE, _WIDE_PIECE, _PIECE = 1 << 20, 1 << 18, 1 << 16
_LARGE_PIECE = 1 << 17
_LONGEST_LINE = 1 << 16
# In the text of a message its quotes are escaped.
_SIGN = b'"rate_limit_event"'


class EventLines:
    """Finds the lines of a stream that may be events of limits, in memory that does not grow with a line's length."""

    def __init__(self) -> None:
        self._begun = bytearray()
        self._is_too_long = False
        self._searcher: Callable[[bytes], bool] | None = None

    def find(self, piece: bytes) -> Iterator[bytes]:
        """Yield the lines that a piece of the stream completes and that look like one; without their end."""
        end = piece.find(b"\n")
        if end < 0:
            self._go_on(piece)
            return
        if not self._is_too_long and end + len(self._begun) <= _LONGEST_LINE:
            line = bytes(self._begun) + piece[:end]
            if _SIGN in line:
                yield line
        start, last = end + 1, piece.rfind(b"\n") + 1
        while self._may_hold(piece) and (at := piece.find(_SIGN, start, last)) >= 0:
            end = piece.index(b"\n", at)
            yield piece[piece.rfind(b"\n", start, at) + 1 or start : end]
            start = end + 1
        self._begun, self._is_too_long = bytearray(), False
        self._go_on(piece[last:])

    def finish(self) -> Iterator[bytes]:
        """Yield the last line if it has no end of line and looks like an event."""
        if _SIGN in self._begun:
            yield bytes(self._begun)

    def _may_hold(self, piece: bytes) -> bool:
        if len(piece) < _LARGE_PIECE:
            return True
        if self._searcher is None:
            self._searcher = find_searcher()
        return self._searcher(piece)

    def _go_on(self, piece: bytes) -> None:
        if self._is_too_long or len(self._begun) + len(piece) > _LONGEST_LINE:
            self._begun, self._is_too_long = bytearray(), True
        else:
            self._begun += piece


def find_searcher() -> Callable[[bytes], bool]:
    """Return what says whether a large piece may hold the sign: the C library's search, where it has one."""
    from ullage.base.search import load_memmem

    memmem = load_memmem()
    if memmem is None:
        # The search that follows finds it as well.
        return lambda _piece: True
    return lambda piece: memmem(piece, len(piece), _SIGN, len(_SIGN)) is not None


class _Interruption:
    """^C reaches the program in front too, whose last lines are still to come; a second one ends this process.

    The end then says by its signal that it was interrupted, so that a script stops there as it would without us.
    """

    def __init__(self) -> None:
        self.is_pending = False
        if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
            signal.signal(signal.SIGINT, self._note)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.is_pending = True
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    def pass_on(self) -> None:
        """End this process by the signal, if it came."""
        if self.is_pending:
            os.kill(os.getpid(), signal.SIGINT)


def run(arguments: Sequence[str], environ: MutableMapping[str, str]) -> int | None:
    """Pass stdin on and return the exit code; None for arguments that the click command must explain or refuse."""
    options = parse_options("tee", arguments)
    if options is None or os.isatty(0):
        return None
    profile = find_last_value(options, "--profile")
    if profile is not None:
        from ullage.system.places import choose_profile

        choose_profile(profile, environ)
    interruption = _Interruption()
    events = _Events(environ)
    try:
        failure = pass_on(0, 1, events.take_in)
    finally:
        # The reader of stdout sees its end now, and the writer to stdin that nothing reads it any more.
        streams.abandon_output()
        _abandon_input()
    events.finish()
    interruption.pass_on()
    return 0 if failure is None else streams.explain_failure(failure)


class _Events:
    """Takes the events of limits out of the stream, and gives them to a listener that the first of them starts."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ, self._lines = environ, EventLines()
        self._listener: Listener | None = None
        self._trouble = ""

    def take_in(self, piece: bytes) -> None:
        """Look for events in a piece of the stream; no failure here may stop the next piece."""
        try:
            for line in self._lines.find(piece):
                self._keep(line)
        except MemoryError:
            self._lines = EventLines()

    def finish(self) -> None:
        """Wait until the events are kept, though not for long, as a disk may hang; print why where they are not."""
        for line in self._lines.finish():
            self._keep(line)
        trouble = self._listener.finish() if self._listener else self._trouble
        if trouble:
            print(f"ullage tee: The numbers are not kept. {make_visible(trouble)}", file=sys.stderr)

    def _keep(self, line: bytes) -> None:
        now = time.time()
        try:
            if self._listener is None:
                from ullage.claude_code.listening import Listener

                self._listener = Listener(self._environ)
            self._listener.add(line, now)
        except (ImportError, OSError, RuntimeError) as error:
            # No file, no thread or no memory is left for it.
            self._trouble = str(error)


def pass_on(source: int, sink: int, look: Callable[[bytes], None]) -> OSError | None:
    """Copy one descriptor to another until the first ends, and call `look` with each piece once it is written.

    Returns why it ended before that, None where it did not.
    """
    size = _widen(source, sink)
    try:
        while piece := _read(source, size):
            _write(sink, piece)
            look(piece)
    except OSError as error:
        return error
    return None


def _widen(source: int, sink: int) -> int:
    """Make pipes hold more, where the system allows it, and return how much to read at once."""
    try:
        import fcntl

        for pipe in (sink, source):
            if fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ) < _WIDE_PIPE:
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _WIDE_PIPE)
    except (ImportError, AttributeError, OSError):
        # Another system, no pipe, or one of a user who has many.
        return _PIECE
    return _WIDE_PIECE


def _read(source: int, size: int) -> bytes:
    while True:
        try:
            return os.read(source, size)
        except BlockingIOError:
            # Another process that shares the pipe has made it non-blocking.
            _wait([source], [])
        except OSError as error:
            error.filename = "input"
            raise


def _write(sink: int, piece: bytes) -> None:
    written = 0
    while written < len(piece):
        try:
            written += os.write(sink, piece[written:] if written else piece)
        except BlockingIOError:
            _wait([], [sink])


def _wait(reading: list[int], writing: list[int]) -> None:
    import select

    select.select(reading, writing, [])


def _abandon_input() -> None:
    try:
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
    except OSError:
        # The descriptor is closed when this process ends, soon.
        return

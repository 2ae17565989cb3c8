"""The three standard streams: what happens when one is closed, full, or without a reader. Decided here alone.

            closed                  full, or broken                      its reader has gone
stdin       reads as empty          is the fault of what was asked for   –
stdout      what is said is lost    one line on stderr, exit code 5      the reader has had enough: exit code 0
stderr      what is said is lost    what is said is lost                 what is said is lost

A verdict (`guard`, `wait`) is its exit code, whatever becomes of its words. An answer that a hook must get across goes
through `put`, which says whether it has arrived.
"""

from __future__ import annotations

import codecs
import io
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

    from typing_extensions import Buffer

_FAILED = 5
# Not by `errno`, as every start would import it.
_EINVAL = 22
_WIDTH_WITHOUT_A_TERMINAL = 80
# A longer number is a mistake: a chart would be drawn as wide as it says.
_MOST_DIGITS = 4
_PLAINLY = "ullage_ascii"
# Those that were closed when this process began.
_closed: set[int] = set()
# What `write` met.
_failures: list[OSError] = []


class _Unheard(io.RawIOBase):
    """Writes to the descriptor of another stream; what that does not take is lost without an error."""

    def __init__(self, stream: TextIO) -> None:
        # Kept, as it would close what it writes to when it goes away.
        self._stream = stream
        self._raw = getattr(stream.buffer, "raw", stream.buffer)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._stream.fileno()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def write(self, data: Buffer, /) -> int:
        try:
            written = self._raw.write(data)
        except OSError:
            written = None
        return memoryview(data).nbytes if written is None else written


def secure() -> None:
    """Fill the places of closed streams, and make stderr one that no writer fails at; once, before anything is opened.

    A file opened while descriptor 1 is free would get that number, and whatever is printed. What takes a closed
    stream's place here is closed again for a program that is run in ours.
    """
    if sys.stderr is not None and isinstance(getattr(sys.stderr.buffer, "raw", None), _Unheard):
        return
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            _closed.add(number)
            setattr(sys, name, _nothing(number))
        elif sys.platform == "win32" and not getattr(sys, name).isatty():
            # A console takes any character; a pipe or a file would get the bytes and line ends of an old code page.
            getattr(sys, name).reconfigure(encoding="utf-8", newline="\n")
    if isinstance(sys.stdout.buffer, io.RawIOBase):
        # Under PYTHONUNBUFFERED what fails would leave nothing behind, by which `is_broken` knows whose error it is.
        ends = None if sys.stdout.isatty() else "\n"
        buffered = io.BufferedWriter(sys.stdout.buffer)
        sys.stdout = io.TextIOWrapper(buffered, sys.stdout.encoding, sys.stdout.errors, ends, line_buffering=True)
    unheard = io.BufferedWriter(_Unheard(sys.stderr))
    sys.stderr = io.TextIOWrapper(unheard, sys.stderr.encoding, errors="backslashreplace", line_buffering=True)


def keep_to_locale(environ: Mapping[str, str]) -> None:
    """Let what a stream cannot carry appear in plain characters; in the C locale that is all that is not ASCII.

    Python writes UTF-8 there too (PEP 540), whatever the terminal makes of it. What is for programs goes past it, as
    bytes.
    """
    codecs.register_error(_PLAINLY, _plainly)
    is_plain = environ.get("LC_ALL") in ("C", "POSIX")
    if is_plain:
        # A second one of the same function is never asked.
        codecs.register(_find_codec)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=_PLAINLY if is_plain else None, errors=_PLAINLY)


def wants_colour(environ: Mapping[str, str], *, is_terminal: bool) -> bool:
    """Say whether to colour: on a terminal, or where CLICOLOR_FORCE or FORCE_COLOR is set, but not under NO_COLOR."""
    if environ.get("NO_COLOR") or environ.get("TERM") == "dumb":
        return False
    # An old console of Windows shows escapes as they are.
    understands = sys.platform != "win32" or "WT_SESSION" in environ or "TERM" in environ
    forced = any(environ.get(name, "0") not in ("", "0") for name in ("CLICOLOR_FORCE", "FORCE_COLOR"))
    return (is_terminal and understands) or forced


def measure_terminal() -> int:
    """Return how many cells a line of the terminal has: by COLUMNS, else by the stream that is on one, else 80."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isascii() and columns.isdigit() and len(columns) <= _MOST_DIGITS and int(columns):
        return int(columns)
    for descriptor in (0, 1, 2):
        try:
            found = os.get_terminal_size(descriptor).columns
        except OSError:
            continue
        if found:
            return found
    return _WIDTH_WITHOUT_A_TERMINAL


def measure_height() -> int | None:
    """Return how many lines the terminal has that is written to; None where it is none."""
    try:
        return os.get_terminal_size(1).lines or None
    except OSError:
        return None


def _find_codec(name: str) -> codecs.CodecInfo | None:
    """Return ASCII by a name of ours: click takes a stream in `ascii` for a mistake, and writes UTF-8 to it."""
    if name != _PLAINLY:
        return None
    known = codecs.lookup("ascii")
    return codecs.CodecInfo(
        known.encode,
        known.decode,
        incrementalencoder=known.incrementalencoder,
        incrementaldecoder=known.incrementaldecoder,
        name=_PLAINLY,
    )


def _plainly(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    # Imported late: most streams can carry what is printed.
    from ullage.base.text import convert_to_ascii

    return convert_to_ascii(error.object[error.start : error.end]), error.end


def _nothing(number: int) -> io.TextIOWrapper:
    try:
        # Those below it are taken, so that it gets this number; Python's own descriptors do not survive an exec.
        descriptor = os.open(os.devnull, os.O_RDWR)
        if descriptor != number:
            os.dup2(descriptor, number, inheritable=False)
            os.close(descriptor)
        return open(number, "w" if number else "r", encoding="utf-8", errors="backslashreplace", closefd=False)
    except OSError:
        return io.TextIOWrapper(io.BytesIO(), "utf-8", errors="backslashreplace")


def put(text: str) -> bool:
    """Print lines on stdout at once; say whether they have arrived, and leave nothing behind where they have not."""
    if sys.stdout is None or 1 in _closed:
        return False
    try:
        print(text, flush=True)
    except OSError:
        abandon_output()
        return False
    return True


def put_data(data: bytes) -> int:
    """Print data on stdout at once, and return the exit code."""
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError as error:
        return explain_failure(error)
    return 0


def explain_failure(error: OSError) -> int:
    """Return the exit code for a failed write to stdout, and say why on stderr unless the reader has gone."""
    abandon_output()
    if isinstance(error, BrokenPipeError) or (sys.platform == "win32" and error.errno == _EINVAL):
        # Windows says EINVAL of a pipe whose reader has gone.
        return 0
    print(f"ullage: {error.filename or 'output'}: {error.strerror}", file=sys.stderr)
    return _FAILED


def is_broken(error: OSError) -> bool:
    """Say whether an error is that of the output: what could not be written is kept, and fails again."""
    if error in _failures:
        return True
    try:
        flush()
    except OSError as again:
        return again.errno == error.errno
    return False


def write(document: str) -> None:
    """Print a document in UTF-8; raises OSError where it cannot be, which `is_broken` then knows for what it is.

    Of what is larger than the buffer nothing is kept that would fail again.
    """
    if sys.stdout is None:
        return
    try:
        sys.stdout.buffer.write(document.encode())
    except OSError as error:
        _failures.append(error)
        raise


def flush() -> None:
    """Print what is still buffered for stdout; raises OSError where it cannot be."""
    if sys.stdout is not None:
        sys.stdout.flush()


def abandon_output() -> None:
    """Point stdout away, so that what is still buffered, and the interpreter's last flush, have somewhere to go."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.close(null)
        flush()
    except (OSError, ValueError):
        # A stream that is no descriptor, or a system without a null device: nothing is left to be done.
        return

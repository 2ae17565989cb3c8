"""Run programs that a person named or installed: found in PATH alone, limited, and ended with all they started."""

from __future__ import annotations

import errno
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from ullage.base.contexts import contextmanager, suppress
from ullage.base.record import Record
from ullage.base.text import clean
from ullage.system import secret

if sys.platform == "win32":
    from ullage.system import windows

    # What no program that we start goes without, where it would open a window.
    HIDDEN = windows.HIDDEN
else:
    HIDDEN = 0

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from types import FrameType
    from typing import IO, Literal

_LARGEST_ERRORS = 1 << 16
_LONGEST_WORDS = 200
_LOOK_SECONDS = 0.1
# After a program's end: on a busy machine the thread that reads what it printed may get its turn late.
_LAST_LOOKS = 10
_SIGNAL_SECONDS = 1.0
_GOODBYE_SECONDS = 2.0
_ENDING_SIGNALS = ("SIGTERM", "SIGHUP", "SIGALRM")


class ProgramLateError(Exception):
    """A program did not end, or did not say what it was asked for, in its time."""


class ProgramFloodError(Exception):
    """A program printed more than any honest answer holds."""


class Finished(Record):
    """How a program ended: its exit status, what it printed, and the beginning of what it wrote to stderr."""

    status: int
    output: bytes
    errors: bytes


class NotRunError(Exception):
    """A program was not started, or was stopped before its end: in words that name the program alone."""

    def __init__(self, how: Literal["late", "flood", "not_started"], words: str) -> None:
        super().__init__(words)
        self.how = how


def name_program(command: Sequence[str]) -> str:
    """Return the name of a command's program, without its directory and its arguments, which may hold a secret."""
    return clean(os.path.basename(command[0])) or "the command"


def explain_end(command: Sequence[str], finished: Finished) -> str:
    """Return in words how a program ended: its status and the beginning of its stderr, without keys."""
    said = secret.hide_keys(finished.errors.decode(errors="replace"))
    words = clean(said, _LONGEST_WORDS).rstrip(".")
    return f"{name_program(command)} ended with status {finished.status}{f': {words}' if words else ''}"


class _AskedToEndError(BaseException):  # a signal on its way up: no `except Exception` may stop it
    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Program:
    """A program that is running; `errors` is the beginning of what it has written to stderr so far.

    A thread for each stream reads what comes: no system call waits for several pipes at once on every system.
    """

    def __init__(self, process: subprocess.Popen[bytes], largest_bytes: int) -> None:
        self.errors = b""
        self.process = process
        self._largest_bytes = largest_bytes
        self._chunks: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()
        self._open = set()
        self._threads = []
        for name, stream in (("stdout", process.stdout), ("stderr", process.stderr)):
            if stream is not None:
                self._open.add(name)
                self._threads.append(threading.Thread(target=self._pump, args=(name, stream), daemon=True))
        for thread in self._threads:
            thread.start()

    def send(self, data: bytes, *, close: bool = False) -> None:
        """Write to its stdin; a program that does not read has its own reasons."""
        stdin = self.process.stdin
        assert stdin is not None
        # Windows says EINVAL of a pipe that the other side has closed.
        with suppress(OSError):
            stdin.write(data)
            stdin.flush()
        if close:
            with suppress(OSError):
                stdin.close()

    def read_output(self, deadline: float) -> Iterator[bytes]:
        """Yield what it prints until it has ended, or has closed its output; `deadline` is of time.monotonic().

        A process that it left behind may hold the pipe for ever: the output ends with the program, not with the pipe.
        Raises ProgramLateError and ProgramFloodError.
        """
        size, looks = 0, _LAST_LOOKS
        while "stdout" in self._open:
            left = deadline - time.monotonic()
            has_ended = self.process.poll() is not None
            if has_ended and self._chunks.empty():
                # Whether or not something comes: what was left behind may print now and then for ever.
                if not looks:
                    return
                looks -= 1
            wait = _LOOK_SECONDS if has_ended else max(0.0, min(left, _LOOK_SECONDS))
            try:
                name, chunk = self._chunks.get(timeout=wait)
            except queue.Empty:
                if not has_ended and left <= 0:
                    raise ProgramLateError from None
                continue
            size += len(chunk)
            if size > self._largest_bytes:
                raise ProgramFloodError
            if not chunk:
                self._open.discard(name)
            elif name == "stdout":
                yield chunk
            else:
                self.errors = (self.errors + chunk)[:_LARGEST_ERRORS]
        self._take_errors()

    def read_lines(self, deadline: float) -> Iterator[bytes]:
        """Yield the lines of `output`, the last one too where nothing ends it."""
        rest = b""
        for chunk in self.read_output(deadline):
            *lines, rest = (rest + chunk).split(b"\n")
            yield from lines
        if rest:
            yield rest

    def end(self) -> None:
        """End it with all that it has started; that it has ended already is no fault."""
        kill_group(self.process)
        self.process.wait()
        self.close()

    def close(self) -> None:
        """Wait for the threads to close its streams, once its group has ended; not for one that a stranger holds."""
        for thread in self._threads:
            thread.join(_LOOK_SECONDS)

    def _take_errors(self) -> None:
        """Take what stderr holds when the output has ended: why there is no answer often stands there."""
        deadline = time.monotonic() + _SIGNAL_SECONDS
        while "stderr" in self._open and time.monotonic() < deadline:
            try:
                _, chunk = self._chunks.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                continue
            if not chunk:
                self._open.discard("stderr")
            self.errors = (self.errors + chunk)[:_LARGEST_ERRORS]

    def _pump(self, name: str, stream: IO[bytes]) -> None:
        with stream:
            left = self._largest_bytes + 1
            while left > 0:
                try:
                    chunk = os.read(stream.fileno(), 1 << 16)
                except (OSError, ValueError):
                    chunk = b""
                self._chunks.put((name, chunk))
                if not chunk:
                    return
                left -= len(chunk)


def find_program(name: str, environ: Mapping[str, str], more: Iterable[str] = ()) -> str | None:
    """Return the full path of a program in PATH, or else in `more` directories; None where there is none.

    What PATH says of `.`, or of nothing between two colons, is passed over: a shell's user sees where they are, and
    what runs in passing does not look.
    """
    directories = [*(environ.get("PATH") or os.defpath).split(os.pathsep), *more]
    found = shutil.which(name, path=os.pathsep.join(filter(os.path.isabs, directories)) or os.devnull)
    return found if found is not None and os.path.isabs(found) else None


@contextmanager
def run_beside(
    command: Sequence[str],
    environ: Mapping[str, str],
    *,
    largest_bytes: int,
    patience_seconds: float = 0.0,
) -> Iterator[Program]:
    """Start a program in an empty directory and a process group of its own; end it when the block or a signal ends us.

    The program gets `patience_seconds` to end by itself once its stdin is closed. Raises OSError or ValueError where it
    cannot be started.
    """
    with _ending_with_us(), tempfile.TemporaryDirectory(prefix="ullage-", ignore_cleanup_errors=True) as empty:
        program = Program(_start(command, environ, empty, gets_input=True), largest_bytes)
        patience = patience_seconds
        try:
            yield program
        except (_AskedToEndError, KeyboardInterrupt):
            patience = 0.0
            raise
        finally:
            try:
                _end_group(program, patience)
            except (_AskedToEndError, KeyboardInterrupt):
                _end_group(program, 0.0)
                raise


def run_program(
    command: Sequence[str],
    environ: Mapping[str, str],
    *,
    seconds: float,
    given: bytes | None = None,
    largest_bytes: int = 1 << 20,
) -> Finished:
    """Run a program that a person named to its end, with `given` on its stdin, and without what opens an account.

    A name without a slash is looked up in PATH, and not in the directory where the user happens to be. Whatever it has
    started is ended with it, and so is a program that has closed its output and stays. Raises OSError or
    ValueError where it cannot be started, ProgramLateError and ProgramFloodError where it was stopped.
    """
    found = command[0] if os.path.dirname(command[0]) else find_program(command[0], environ)
    if found is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), command[0])
    deadline = time.monotonic() + seconds
    words = [found, *command[1:]]
    process = _start(words, secret.withhold_keys(environ), None, gets_input=given is not None)
    program = Program(process, largest_bytes)
    try:
        if given is not None:
            # A program that neither reads nor ends must not hold us at a full pipe.
            threading.Thread(target=program.send, args=(given,), kwargs={"close": True}, daemon=True).start()
        output = b"".join(program.read_output(deadline))
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GOODBYE_SECONDS)
        kill_group(process)
        return Finished(status=process.wait(), output=output, errors=program.errors)
    finally:
        program.end()


def run_named(
    command: Sequence[str],
    environ: Mapping[str, str],
    *,
    seconds: float,
    given: bytes | None = None,
    largest_bytes: int = 1 << 20,
) -> Finished:
    """Run a program as `run_program` does; raise NotRunError where it does not run to its end."""
    name = name_program(command)
    try:
        return run_program(command, environ, seconds=seconds, given=given, largest_bytes=largest_bytes)
    except ProgramLateError as error:
        raise NotRunError("late", f"{name} did not end in {seconds:.0f} s and was stopped") from error
    except ProgramFloodError as error:
        raise NotRunError("flood", f"{name} printed more than {largest_bytes >> 10} KiB and was stopped") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no command"
        raise NotRunError("not_started", f"{name} could not be started: {reason}") from error


def ask_program(command: Sequence[str], environ: Mapping[str, str], *, seconds: float) -> Finished | None:
    """Run a program as `run_program` does; None where it cannot be started, or does not run to its end."""
    try:
        return run_named(command, environ, seconds=seconds)
    except NotRunError:
        return None


def start(command: Sequence[str], environ: Mapping[str, str], *, largest_bytes: int) -> Program:
    """Start a program, named by its path, that gets input; the caller ends it. Raises OSError or ValueError."""
    return Program(_start(command, environ, None, gets_input=True), largest_bytes)


def _start(
    command: Sequence[str], environ: Mapping[str, str], directory: str | None, *, gets_input: bool
) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        list(command),
        cwd=directory,
        env=dict(environ),
        stdin=subprocess.PIPE if gets_input else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        creationflags=HIDDEN,
    )
    if sys.platform == "win32":
        windows.hold_tree(process)
    return process


@contextmanager
def _ending_with_us() -> Iterator[None]:
    """Let a signal that ends us end what runs inside first; it ends us as ever then."""
    numbers = [getattr(signal, name) for name in _ENDING_SIGNALS if hasattr(signal, name)]

    def stop(number: int, _frame: FrameType | None) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        raise _AskedToEndError(number)

    # What is ignored, as by nohup, stays so; a handler of somebody else's knows what to do itself.
    numbers = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    try:
        for number in numbers:
            signal.signal(number, stop)
    except ValueError:
        # Only the main thread may handle signals.
        numbers = []
    try:
        yield
    except _AskedToEndError as asked:
        signal.signal(asked.number, signal.SIG_DFL)
        os.kill(os.getpid(), asked.number)
        raise
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


def _end_group(program: Program, patience_seconds: float) -> None:
    """Close its stdin, which is what it ends at, and do not wait for long; then end the whole group."""
    process = program.process
    assert process.stdin is not None
    with suppress(OSError):
        process.stdin.close()
    with suppress(subprocess.TimeoutExpired):
        process.wait(patience_seconds)
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_SIGNAL_SECONDS)
    kill_group(process)
    process.wait()
    program.close()


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it has started; one that has ended already is no error."""
    with suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            windows.end_tree(process)
        else:
            os.killpg(process.pid, signal.SIGKILL)

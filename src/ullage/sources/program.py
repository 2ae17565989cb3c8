"""A run of the user's `claude`: a bounded dialogue with one process, of which nothing is left in the end."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import tempfile
import time

from ullage.base.errors import SourceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import FrameType

_GOODBYE_SECONDS = 5.0
_SIGNAL_SECONDS = 1.0
LONGEST_END_SECONDS = _GOODBYE_SECONDS + 2 * _SIGNAL_SECONDS
_LARGEST_OUTPUT = 4 << 20
_LARGEST_ERRORS = 1 << 16
_ENDING = ("SIGTERM", "SIGHUP", "SIGALRM")


class _AskedToEnd(BaseException):  # no error, and nobody's to handle on the way
    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Run:
    """A running program: `errors` is the beginning of what it has written to its standard error so far."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.errors = b""
        self._process = process

    def lines(self, request: bytes, deadline: float, *, close: bool = False) -> Iterator[bytes]:
        """Send the request and yield the lines that come; end when the program does, raise when the deadline passes."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        with contextlib.suppress(BrokenPipeError):
            stdin.write(request)
            stdin.flush()
            if close:
                stdin.close()
        rest, size = b"", 0
        for stream, chunk in self._chunks(deadline):
            size += len(chunk)
            if size > _LARGEST_OUTPUT:
                raise SourceError(
                    "cli_flood",
                    "claude printed megabytes instead of an answer. Run it once in a terminal to see why.",
                    reached_server=True,
                )
            if stream == "stdout":
                *lines, rest = (rest + chunk).split(b"\n")
                yield from lines
            else:
                self.errors = (self.errors + chunk)[:_LARGEST_ERRORS]
        if rest:
            yield rest

    def _chunks(self, deadline: float) -> Iterator[tuple[str, bytes]]:
        """Yield what comes on either stream until both have ended, or the output and then nobody says more for long."""
        process = self._process
        with selectors.DefaultSelector() as selector:
            for name in ("stdout", "stderr"):
                selector.register(getattr(process, name), selectors.EVENT_READ, name)
            while selector.get_map():
                ready = selector.select(max(0.0, deadline - time.monotonic()))
                if not ready and time.monotonic() >= deadline:
                    if "stdout" not in [key.data for key in selector.get_map().values()]:
                        return
                    raise SourceError(
                        "cli_timeout",
                        "claude did not answer in time. Run it once in a terminal to see why.",
                        reached_server=True,
                    )
                for key, _ in ready:
                    chunk = os.read(key.fd, 1 << 16)
                    if chunk:
                        yield key.data, chunk
                        continue
                    selector.unregister(key.fileobj)
                    if key.data == "stdout":
                        # Whoever it has left behind may hold its standard error for ever.
                        deadline = min(deadline, time.monotonic() + _SIGNAL_SECONDS)


@contextlib.contextmanager
def running(command: list[str], environ: Mapping[str, str]) -> Iterator[Run]:
    """Run a command in an empty directory and a process group of its own, which ends with us, whatever ends us."""
    with _ending_with_us(), tempfile.TemporaryDirectory(prefix="ullage-") as empty:
        try:
            process = subprocess.Popen(
                command,
                cwd=empty,
                env=dict(environ),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise SourceError(
                "claude_not_started", f"{command[0]} could not be started: {error.strerror}. Run `claude doctor`."
            ) from error
        patience_seconds = _GOODBYE_SECONDS
        try:
            yield Run(process)
        except (_AskedToEnd, KeyboardInterrupt):
            patience_seconds = 0.0
            raise
        finally:
            try:
                _end(process, patience_seconds)
            except (_AskedToEnd, KeyboardInterrupt):
                _end(process, 0.0)
                raise


@contextlib.contextmanager
def _ending_with_us() -> Iterator[None]:
    """Let a signal that ends us end what runs inside first; it ends us as ever then."""
    numbers = [getattr(signal, name) for name in _ENDING if hasattr(signal, name)]

    def stop(number: int, _frame: FrameType | None) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        raise _AskedToEnd(number)

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
    except _AskedToEnd as asked:
        signal.signal(asked.number, signal.SIG_DFL)
        os.kill(os.getpid(), asked.number)
        raise
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


def _end(process: subprocess.Popen[bytes], patience_seconds: float) -> None:
    """Close its stdin, which is what it ends at, and do not wait for long; then end the whole group."""
    for stream in (process.stdin, process.stdout, process.stderr):
        assert stream is not None
        with contextlib.suppress(OSError):
            stream.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(patience_seconds)
    if not hasattr(os, "killpg"):
        process.kill()
        process.wait()
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_SIGNAL_SECONDS)
    process.wait()

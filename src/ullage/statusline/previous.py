"""`ullage statusline --then COMMAND`: the status line that was there before, run beside ours with the same input."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_LARGEST_OUTPUT = 1 << 20
# Python ignores SIGPIPE, and children inherit that; `signal` would take 3 ms to import for its number.
_SIGPIPE = 13
_SIGTERM = 15


class Previous:
    """A command that is running in a shell while we do our own work."""

    def __init__(self, command: str, payload: bytes, environ: Mapping[str, str]) -> None:
        self._payload = payload
        if sys.platform == "win32":
            self._start_on_windows(command, environ)
            return
        theirs_in, self._input = os.pipe()
        self._output, theirs_out = os.pipe()
        actions = [(os.POSIX_SPAWN_DUP2, theirs_in, 0), (os.POSIX_SPAWN_DUP2, theirs_out, 1)]
        shell = ["/bin/sh", "-c", command]
        self._child = os.posix_spawn(shell[0], shell, dict(environ), file_actions=actions, setsigdef=[_SIGPIPE])
        os.close(theirs_in)
        os.close(theirs_out)
        self._end_with_us()

    def output(self) -> bytes:
        """Return what it prints, once it has ended; how it ended is its own affair."""
        if sys.platform == "win32":
            return self._process.communicate(self._payload)[0]
        import select

        os.set_blocking(self._input, False)
        output, rest, writing = b"", self._payload, True
        while True:
            readable, writable, _ = select.select([self._output], [self._input] if writing else [], [])
            if writable:
                rest = self._feed(rest)
                if not rest:
                    os.close(self._input)
                    writing = False
            if readable:
                chunk = os.read(self._output, 1 << 16)
                if not chunk:
                    break
                output = (output + chunk)[:_LARGEST_OUTPUT]
        os.close(self._output)
        if writing:
            os.close(self._input)
        os.waitpid(self._child, 0)
        return output

    def _feed(self, rest: bytes) -> bytes:
        try:
            return rest[os.write(self._input, rest) :] if rest else b""
        except BlockingIOError:
            return rest
        except OSError:
            # It does not want to know.
            return b""

    def _end_with_us(self) -> None:
        """Claude Code cancels a status line that is out of date: what we started goes too."""
        # The `signal` module wraps this one in enumerations, which cost more than the rest of this file.
        import _signal  # type: ignore[import-not-found]

        def end(number: int, _frame: object) -> None:
            try:
                os.kill(self._child, _SIGTERM)
            finally:
                os._exit(128 + number)

        _signal.signal(_SIGTERM, end)

    def _start_on_windows(self, command: str, environ: Mapping[str, str]) -> None:
        import subprocess

        self._process = subprocess.Popen(  # noqa: S602  # the user's own command, worded for a shell
            command,
            shell=True,
            env=dict(environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,  # theirs
        )

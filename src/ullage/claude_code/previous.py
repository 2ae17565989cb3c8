"""`ullage statusline --then COMMAND`: run the user's previous status line beside ours, with the same input.

Not by `system.programs`: what that imports, subprocess and threads, takes longer than our own line, which is waited for
after every answer.
"""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_LARGEST_OUTPUT = 1 << 20
# Python ignores SIGPIPE, and children inherit that. Numbers, since importing `signal` takes 3 ms.
_SIGKILL, _SIGPIPE, _SIGTERM = 9, 13, 15
# Enough for a slow command that starts node; Claude Code shows no line while it waits.
PATIENCE_SECONDS = 5.0
_GOODBYE_SECONDS = 0.2
_LOOK_SECONDS = 0.05
_SLICE_SECONDS = 0.01


class Previous:
    """A command that runs in a shell while our own line is made."""

    def __init__(self, command: str, payload: bytes, environ: Mapping[str, str]) -> None:
        self._payload = payload
        if sys.platform == "win32":
            self._start_on_windows(command, environ)
            return
        self._input: int | None
        theirs_in, self._input = os.pipe()
        self._output, theirs_out = os.pipe()
        actions = [(os.POSIX_SPAWN_DUP2, theirs_in, 0), (os.POSIX_SPAWN_DUP2, theirs_out, 1)]
        shell = ["/bin/sh", "-c", command]
        self._child = os.posix_spawn(
            shell[0], shell, dict(environ), file_actions=actions, setsigdef=[_SIGPIPE], setpgroup=0
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._end_with_us()

    def read_output(self) -> tuple[bytes, bool]:
        """Return the command's output, and whether it was late: then its whole process group is stopped.

        The command has ended when its shell has, even if a child still holds the output open. Its exit code is ignored.
        """
        if sys.platform == "win32":
            return self._output_on_windows()
        assert self._input is not None
        os.set_blocking(self._input, False)
        deadline = time.monotonic() + PATIENCE_SECONDS
        output, has_ended = self._dialogue(deadline)
        os.close(self._output)
        self._close_input()
        is_late = not has_ended and not self._has_ended(deadline)
        if is_late:
            self._stop()
        return output, is_late

    def _dialogue(self, deadline: float) -> tuple[bytes, bool]:
        """Write the command's input and read its output; return it, and whether the command is known to have ended."""
        import select

        output, has_ended = b"", False
        while time.monotonic() < deadline:
            writing = [] if self._input is None else [self._input]
            readable, writable, _ = select.select([self._output], writing, [], 0.0 if has_ended else _LOOK_SECONDS)
            if writable:
                self._feed()
            if readable:
                chunk = os.read(self._output, 1 << 16)
                if not chunk:
                    break
                output = (output + chunk)[:_LARGEST_OUTPUT]
            elif has_ended:
                break
            elif not writable:
                has_ended = self._has_ended()
        return output, has_ended

    def _has_ended(self, until: float = 0.0) -> bool:
        while os.waitpid(self._child, os.WNOHANG)[0] == 0:
            if time.monotonic() >= until:
                return False
            time.sleep(_SLICE_SECONDS)
        return True

    def _stop(self) -> None:
        _end_group(self._child, _SIGTERM)
        if not self._has_ended(time.monotonic() + _GOODBYE_SECONDS):
            _end_group(self._child, _SIGKILL)
            os.waitpid(self._child, 0)
        # Children of the shell that ignored SIGTERM are killed even where the shell itself has ended.
        _end_group(self._child, _SIGKILL)

    def _feed(self) -> None:
        assert self._input is not None
        try:
            self._payload = self._payload[os.write(self._input, self._payload) :] if self._payload else b""
        except BlockingIOError:
            return
        except OSError:
            # The command has closed its stdin.
            self._payload = b""
        if not self._payload:
            self._close_input()

    def _close_input(self) -> None:
        if self._input is not None:
            os.close(self._input)
            self._input = None

    def _end_with_us(self) -> None:
        """End the command on SIGTERM: Claude Code cancels a status line that is out of date."""
        # _signal, since the enumerations of `signal` take longer to import than the rest of this file.
        import _signal  # type: ignore[import-not-found]

        process = os.getpid()

        def end(number: int, _frame: object) -> None:
            try:
                # A copy of this process, which publishes, ends alone.
                if os.getpid() == process:
                    _end_group(self._child, _SIGTERM)
            finally:
                os._exit(128 + number)

        _signal.signal(_SIGTERM, end)

    def _start_on_windows(self, command: str, environ: Mapping[str, str]) -> None:
        import threading

        from ullage.system import programs

        shell = build_shell_command(command, environ)
        self._program = programs.start(shell, environ, largest_bytes=_LARGEST_OUTPUT)
        self._deadline = time.monotonic() + PATIENCE_SECONDS
        send, payload = self._program.send, self._payload
        threading.Thread(target=lambda: send(payload, close=True), daemon=True).start()

    def _output_on_windows(self) -> tuple[bytes, bool]:
        from ullage.system import programs

        output, is_late = b"", False
        try:
            for chunk in self._program.read_output(self._deadline):
                output += chunk
        except programs.ProgramLateError:
            is_late = True
        except programs.ProgramFloodError:
            output = output[:_LARGEST_OUTPUT]
        self._program.end()
        return output, is_late


def build_shell_command(command: str, environ: Mapping[str, str]) -> list[str]:
    """Return what runs a command's line on Windows as Claude Code does: Git Bash, or PowerShell where that is missing.

    Never cmd.exe; and never the bash.exe of Windows itself, which is that of another system (WSL).
    """
    from ullage.system import programs

    for path in _list_places_of_git_bash(environ, programs.find_program("git", environ)):
        if os.path.isfile(path):
            return [path, "-c", command]
    known = os.path.join(environ.get("SYSTEMROOT", ""), "System32", "WindowsPowerShell", "v1.0", "powershell.exe")
    powershell = programs.find_program("pwsh", environ) or known
    return [powershell, "-NoProfile", "-NonInteractive", "-Command", command]


def _list_places_of_git_bash(environ: Mapping[str, str], git: str | None) -> list[str]:
    """Return where Claude Code looks for it: what its own variable names, beside git, and where installers put it."""
    named = environ.get("CLAUDE_CODE_GIT_BASH_PATH", "")
    # …\Git\cmd\git.exe
    roots = [os.path.dirname(os.path.dirname(git))] if git else []
    programs = [environ.get(name, "") for name in ("PROGRAMFILES", "PROGRAMW6432")]
    programs.append(os.path.join(environ.get("LOCALAPPDATA", ""), "Programs"))
    roots += [os.path.join(directory, "Git") for directory in programs if os.path.isabs(directory)]
    return [*filter(os.path.isabs, [named]), *(os.path.join(root, "bin", "bash.exe") for root in roots)]


def _end_group(leader: int, number: int) -> None:
    try:
        os.killpg(leader, number)
    except OSError:
        # The whole group has ended.
        return

"""Start shells as people start them, on a terminal, and see whether their second prompt shows the segment.

The prompt reads a cache that is made for the moment, with a text in it that nothing else prints, so that no refresh is
started and nothing of the user's is touched. Only Enter is pressed, which no shell keeps in its history.
"""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import tempfile
import time

from ullage.base.contexts import suppress
from ullage.base.errors import UsageError
from ullage.base.record import Record
from ullage.quota import timeline
from ullage.quota.timeline import Frame
from ullage.system import places, programs, secret
from ullage.system.files import read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ullage.quota.timeline import BootClock

SHELLS = ("bash", "zsh", "fish", "elvish", "nushell", "xonsh")
_WITHOUT_LOGIN = ("elvish",)

_YEAR_SECONDS = 31_536_000
# No person would wait longer for a prompt.
_LONGEST_START_SECONDS = 20.0
# A line editor that is waiting and silent for so long has drawn its prompt.
_QUIET_SECONDS = 0.15
# Some draw the prompt anew when a process of theirs has come back.
_LATE_SECONDS = 3.0
_LONGEST_ANSWER_SECONDS = 10

# A login shell makes its own from there.
_PATH_OF_A_LOGIN = {"PATH": "/usr/local/bin:/usr/bin:/bin"}

# What prints the prompt of each shell as it is shown, after what the person's files have it do before.
_TELLS_PROMPT = {
    "bash": 'for each in "${PROMPT_COMMAND[@]}"; do eval "$each"; done >/dev/null; printf %s "${PS1@P}"',
    "zsh": "for each in precmd $precmd_functions; do (( $+functions[$each] )) && $each; done >/dev/null; print -rnP -- "
    '"$PROMPT"',
    "fish": "fish_prompt",
}
_LONGEST_PROMPT_SECONDS = 4

# What a terminal answers: where the cursor is, and what it is.
_QUESTIONS = {b"\x1b[6n": b"\x1b[1;1R", b"\x1b[c": b"\x1b[?62;22c", b"\x1b[0c": b"\x1b[?62;22c"}
_ESCAPES = re.compile(rb"\x1b\[[0-9;?:]*[A-Za-z]|\x1b\][^\x07\x1b]*(\x07|\x1b\\)|[\x01\x02]")

# What another prompt of this kind has left in the environment, or tells a shell that it is a child of another.
_NOT_OF_A_NEW_ONE = ("ULLAGE_", "BLE_", "POWERLEVEL9K_", "P9K_", "_P9K_", "SPACESHIP_", "STARSHIP_S", "_tide_", "__")
# Files that start a multiplexer start none in one; a server that it started would outlive this with this environment.
_INSIDE = {"TMUX": "/nonexistent/tmux,1,0", "STY": "1.ullage", "ZELLIJ": "0"}


# What takes a shell's place when a file of its own ends in `exec`; "" is what has ended.
_TAKERS = ("", "bash", "zsh", "fish", "nu", "elvish", "xonsh", "tmux: client", "screen", "zellij", "dash", "sh", "ksh")


class Start(Record):
    """How a shell was started, and what came of it: `became` is the program that took its place, "" where it ended."""

    shell: str
    program: str
    login: bool
    seen: bool = False
    became: str | None = None
    in_time: bool = True


class _Trial:
    """A shell on a terminal of its own, whose second prompt is waited for."""

    def __init__(self, start: Start, environ: Mapping[str, str], marker: bytes) -> None:
        import fcntl
        import pty
        import struct
        import termios

        self.start, self._marker = start, marker
        self.terminal, inside = pty.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
        options = ["-l"] if start.login else []
        try:
            self._process = subprocess.Popen(
                [start.program, *options],
                env=secret.withhold_keys(environ),
                cwd=environ.get("HOME") or "/",
                stdin=inside,
                stdout=inside,
                stderr=inside,
                start_new_session=True,
                # Only the child itself can take the terminal; nothing here has threads.
                preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
            )
        finally:
            os.close(inside)
        self._began = self._changed = time.monotonic()
        self._output, self._pressed, self._hung_up = b"", False, False

    def read(self) -> bool:
        """Take in what the shell has written; say whether it has more to say."""
        try:
            data = os.read(self.terminal, 1 << 16)
        except OSError:
            self._hung_up = True
            return False
        for question, answer in _QUESTIONS.items():
            if question in data:
                os.write(self.terminal, answer)
        self._output += data
        self._changed = time.monotonic()
        return bool(data)

    def is_over(self) -> bool:
        """Press Enter at the first prompt; say whether the second has told what is to be known."""
        import termios

        if self._pressed and self._marker in _ESCAPES.sub(b"", self._output):
            self.start = self.start.replace(seen=True)
            return True
        now = time.monotonic()
        if now - self._began > _LONGEST_START_SECONDS:
            self.start = self.start.replace(in_time=False)
            return True
        # Line editors read key by key; a program that runs leaves that to the terminal.
        edits = not termios.tcgetattr(self.terminal)[3] & termios.ICANON
        quiet = now - self._changed
        if not edits or not self._output or quiet < _QUIET_SECONDS:
            return False
        if not self._pressed:
            self._pressed, self._output, self._changed = True, b"", now
            os.write(self.terminal, b"\r")
            return False
        return quiet > _LATE_SECONDS

    def end(self) -> Start:
        """End the shell and return what came of it."""
        if self._hung_up:
            # A process that ends closes its terminal a moment before it has ended.
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(1)
        became = None if self.start.seen else _name(self._process)
        if became is not None and became != os.path.basename(self.start.program)[:15] and became in _TAKERS:
            self.start = self.start.replace(became=became)
        os.close(self.terminal)
        with suppress(OSError):
            os.killpg(self._process.pid, signal.SIGHUP)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(1)
        programs.kill_group(self._process)
        self._process.wait()
        return self.start


def _name(process: subprocess.Popen[bytes]) -> str:
    """Return what a process runs now; nothing where it has ended."""
    if process.poll() is not None:
        return ""
    told = read_regular(f"/proc/{process.pid}/comm")
    if told is None:
        done = subprocess.run(["ps", "-o", "comm=", "-p", str(process.pid)], capture_output=True, check=False)
        told = os.path.basename(done.stdout.strip()).lstrip(b"-")
    return os.fsdecode(told).strip()


def look(found: Mapping[str, str], environ: Mapping[str, str]) -> list[Start]:
    """Start each shell, by its name and program, as a login shell and not; return what each second prompt showed.

    Raises OSError where there are no terminals to be had, as on Windows.
    """
    if os.name != "posix":
        raise OSError("There are no terminals here.")
    marker = f"ullage-{os.urandom(4).hex()}"
    # One after the other for each shell: the first start of some makes files that the second would make, too.
    waiting = [
        [Start(shell=shell, program=program, login=login) for login in _logins(shell)]
        for shell, program in found.items()
    ]
    with tempfile.TemporaryDirectory(prefix="ullage-", ignore_cleanup_errors=True) as directory:
        fill(directory, marker, int(time.time()), environ)
        inside = _environment(environ, directory)
        seen: list[Start] = []
        running: list[_Trial] = []
        try:
            while waiting or running:
                known = {trial.start.shell for trial in running}
                for starts in waiting:
                    if starts[0].shell not in known:
                        own = {**inside, **_PATH_OF_A_LOGIN} if starts[0].login else inside
                        running.append(_Trial(starts.pop(0), own, marker.encode()))
                waiting = list(filter(None, waiting))
                over = _wait(running)
                running = [trial for trial in running if trial not in over]
                seen += [trial.end() for trial in over]
        finally:
            for trial in running:
                trial.end()
    return seen


def _logins(shell: str) -> tuple[bool, ...]:
    return (False,) if shell in _WITHOUT_LOGIN else (False, True)


def _wait(running: Sequence[_Trial]) -> list[_Trial]:
    """Take in what comes for a moment; return those of which all is known."""
    ready = select.select([trial.terminal for trial in running], [], [], 0.05)[0]
    ended = [trial for trial in running if trial.terminal in ready and not trial.read()]
    return [trial for trial in running if trial in ended or trial.is_over()]


def fill(directory: str, text: str, now: int, environ: Mapping[str, str], clock: BootClock | None = None) -> None:
    """Make a cache whose every prompt shows a text, in each profile that this environment or its cache knows."""
    frames = [Frame(starts_at=now - 60, level="normal", text=text)]
    due = now + _YEAR_SECONDS
    data = timeline.encode(frames, written=now, refresh_after=due, checkpoint=due, clock=clock)
    for profile in _profiles(environ):
        inside = {"ULLAGE_CACHE_DIR": directory, **({"CLAUDE_CONFIG_DIR": profile} if profile else {})}
        place = places.locate_profile(inside)
        os.makedirs(place, mode=0o700)
        for surface in timeline.TIMELINES:
            path = os.path.join(place, f"{surface}.timeline")
            with open(path, "wb") as file:
                file.write(data)
            os.utime(path, (due, due))


def _profiles(environ: Mapping[str, str]) -> set[str]:
    chosen = environ.get("CLAUDE_CONFIG_DIR", "")
    try:
        known = places.list_known_profiles(environ)
    except UsageError:
        known = []
    return {"", *filter(None, known), *([chosen] if os.path.isabs(chosen) else [])}


def _environment(environ: Mapping[str, str], cache: str) -> dict[str, str]:
    kept = {name: value for name, value in environ.items() if not name.startswith(_NOT_OF_A_NEW_ONE)}
    kept.pop("SHLVL", None)
    return {**kept, **_INSIDE, "TERM": "xterm-256color", "ULLAGE_CACHE_DIR": cache}


def ask(start: Start, command: str, environ: Mapping[str, str]) -> str:
    """Return what a shell prints for a command when it has read its files; nothing where it does not get so far."""
    options = ["-l"] if start.login else []
    path = _PATH_OF_A_LOGIN if start.login else {}
    with tempfile.TemporaryDirectory(prefix="ullage-", ignore_cleanup_errors=True) as directory:
        return _output([start.program, *options, "-i", "-c", command], {**_environment(environ, directory), **path})


def read_prompt(environ: Mapping[str, str]) -> str:
    """Return the last line of the prompt of the shell that is logged in to, with its escapes and without our segment.

    Nothing where the shell is none that can tell it, or does not in time.
    """
    shell = os.path.basename(environ.get("SHELL", ""))
    program = programs.find_program(shell, environ) if shell in _TELLS_PROMPT else None
    if program is None:
        return ""
    with tempfile.TemporaryDirectory(prefix="ullage-", ignore_cleanup_errors=True) as directory:
        inside = {**_environment(environ, directory), "ULLAGE_OFF": "1"}
        told = _output([program, "-i", "-c", _TELLS_PROMPT[shell]], inside, seconds=_LONGEST_PROMPT_SECONDS)
    lines = told.replace("\1", "").replace("\2", "").splitlines()
    return lines[-1] if lines else ""


def find_zsh_directory(environ: Mapping[str, str]) -> str | None:
    """Return where zsh looks for .zshrc when .zshenv says so; None where it does not, or is not here."""
    home = environ.get("HOME", "")
    named = (read_regular(path) or b"" for path in (os.path.join(home, ".zshenv"), "/etc/zsh/zshenv", "/etc/zshenv"))
    zsh = programs.find_program("zsh", environ) if any(b"ZDOTDIR" in text for text in named) else None
    told = _output([zsh, "-c", 'print -rn -- "$ZDOTDIR"'], environ) if zsh else ""
    return told if os.path.isabs(told) and told.isprintable() else None


def _output(command: Sequence[str], environ: Mapping[str, str], *, seconds: float = _LONGEST_ANSWER_SECONDS) -> str:
    done = programs.ask_program(command, environ, seconds=seconds)
    return os.fsdecode(done.output) if done else ""

"""The segment in tmux without a process: a refresh sets it, with its validity, as an option of running servers.

    @ullage        the text, as `ullage-prompt tmux` would print it
    @ullage_from   the second from which on it is true
    @ullage_until  the second at which it is not, or at which a refresh is due

tmux itself compares the two with the clock (`%s` in its formats), so a mark of age or a reset is never missed: past
@ullage_until a status line shows what ullage-prompt prints, which starts the refresh, which sets the option anew. While
ullage-prompt runs, some milliseconds, tmux shows what it printed the last time, as it does with every #( ).
"""

from __future__ import annotations

import os
import stat
import subprocess

from ullage.base.record import Record
from ullage.quota import timeline
from ullage.system import programs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SECONDS = 2
_MOST_SERVERS = 16


class Pushed(Record):
    """A text and the seconds between which it is true."""

    text: str
    start: int
    until: int


def push(environ: Mapping[str, str], data: bytes, now: int) -> None:
    """Set a tmux timeline's text for `now` in each tmux server of this user that shows this profile.

    Starts no server. A server that does not answer is passed over: the text that it has expires by itself.
    """
    program = programs.find_program("tmux", environ)
    pushed = find_pushed(data, now)
    if program is None or pushed is None:
        return
    for socket in list_sockets(environ):
        if _profile(program, socket) == (environ.get("CLAUDE_CONFIG_DIR") or ""):
            _tmux(program, socket, *_arguments(pushed))


def find_pushed(data: bytes, now: int) -> Pushed | None:
    """Return the frame for `now` with its end: the next frame's start or the time a refresh is due."""
    decoded = timeline.decode(data)
    if decoded is None:
        return None
    header, frames = decoded
    past = [frame for frame in frames if frame.starts_at <= now]
    if not past:
        return None
    following = [frame.starts_at for frame in frames if frame.starts_at > now]
    return Pushed(text=past[-1].text, start=past[-1].starts_at, until=min([header.refresh_after, *following]))


def list_sockets(environ: Mapping[str, str]) -> list[str]:
    """Return the sockets of this user's tmux servers: those in tmux's directory, and that in TMUX."""
    if not hasattr(os, "geteuid"):
        return []
    directory = os.path.join(environ.get("TMUX_TMPDIR") or "/tmp", f"tmux-{os.geteuid()}")  # noqa: S108  # tmux's own
    paths = dict.fromkeys([*_listed(directory), environ.get("TMUX", "").partition(",")[0]])
    return [path for path in paths if os.path.isabs(path) and _is_own_socket(path)][:_MOST_SERVERS]


def _listed(directory: str) -> Iterator[str]:
    try:
        names = sorted(os.listdir(directory))
        if os.stat(directory).st_uid != os.geteuid():
            return
    except OSError:
        return
    for name in names:
        yield os.path.join(directory, name)


def _is_own_socket(path: str) -> bool:
    try:
        status = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISSOCK(status.st_mode) and status.st_uid == os.geteuid()


def _profile(program: str, socket: str) -> str | None:
    """Return the CLAUDE_CONFIG_DIR that this server's jobs run with; "" where it has none, None without an answer."""
    shown = _tmux(program, socket, "show-environment", "-g", "CLAUDE_CONFIG_DIR")
    if shown is None:
        return None
    return shown.rstrip("\n").removeprefix("CLAUDE_CONFIG_DIR=") if shown.startswith("CLAUDE_CONFIG_DIR=") else ""


def _arguments(pushed: Pushed) -> list[str]:
    # tmux takes a semicolon at an argument's end for the end of the command.
    text = pushed.text[:-1] + "\\;" if pushed.text.endswith(";") else pushed.text
    values = {"@ullage": text, "@ullage_from": str(pushed.start), "@ullage_until": str(pushed.until)}
    arguments: list[str] = []
    for name, value in values.items():
        arguments += [*([";"] if arguments else []), "set-option", "-g", "--", name, value]
    return arguments


def _tmux(program: str, socket: str, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            [program, "-S", socket, *arguments],
            env={"PATH": os.defpath},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode(errors="replace")

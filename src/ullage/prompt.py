"""`ullage prompt`: print the frame for now, and start the refresh when it is due.

The hot path. It takes no lock, opens no socket, parses nothing but one small text file, and imports only what the
interpreter has loaded already or what costs as little.
"""

from __future__ import annotations

import os
import stat
import sys
import time

from ullage import timeline
from ullage.errors import UsageError
from ullage.places import ATTENDED, SURFACES, profile_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping, Sequence

_LARGEST_TIMELINE = 1 << 20
_COLOURED = ("ansi", "bash", "zsh", "fish", "tmux", "starship")


def run(arguments: Sequence[str], environ: MutableMapping[str, str]) -> int | None:
    """Print the segment and return the exit code; None when the arguments are for the full command line to explain."""
    options = _options(arguments)
    if options is None or options.get("--surface", "plain") not in SURFACES:
        return None
    choose_profile(options.get("--profile"), environ)
    _show(without_colour(options.get("--surface", "plain"), environ), environ)
    return 0


def start_refresh_if_due(environ: Mapping[str, str]) -> int:
    """Run `ullage refresh --detach`: start a refresh unless somebody has begun one since the caller looked."""
    _show(None, environ)
    return 0


def _show(surface: str | None, environ: Mapping[str, str]) -> None:
    try:
        directory = profile_directory(environ)
    except UsageError:
        # Nowhere to read from; `ullage doctor` and every other command say why.
        return
    now = int(time.time())
    data = read_timeline(os.path.join(directory, f"{surface or ATTENDED[0]}.timeline"))
    header = timeline.read_header(data)
    text = timeline.text_at(data, now) if header and surface else b""
    if text:
        _print(text + b"\n")
    if timeline.is_due(header, now) and may_write(directory):
        from ullage import detach

        detach.start_refresh(environ)


def choose_profile(profile: str | None, environ: MutableMapping[str, str]) -> None:
    """Put a profile in effect: the path of a Claude Code configuration directory, or `default`."""
    if profile is None:
        return
    directory = os.path.abspath(profile)
    if profile == "default" or directory == os.path.join(environ.get("HOME", ""), ".claude"):
        # Claude Code takes its default directory for another profile once the variable names it.
        environ.pop("CLAUDE_CONFIG_DIR", None)
    else:
        environ["CLAUDE_CONFIG_DIR"] = directory


def without_colour(surface: str, environ: MutableMapping[str, str]) -> str:
    """Return the surface, or `plain` where the person or the terminal wants no colour."""
    if surface in _COLOURED and (environ.get("NO_COLOR") or environ.get("TERM") == "dumb"):
        return "plain"
    return surface


def read_timeline(path: str) -> bytes:
    """Return the file's bytes; nothing unless it is a regular file of the user's own, of a reasonable size."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError:
        return b""
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or (hasattr(os, "geteuid") and status.st_uid != os.geteuid()):
            return b""
        return os.read(descriptor, _LARGEST_TIMELINE)
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def may_write(directory: str) -> bool:
    """Say whether a refresh could keep its answer; without this, a read-only cache would start one at every prompt."""
    return os.access(directory, os.W_OK) or not os.path.exists(directory)


def _options(arguments: Sequence[str]) -> dict[str, str] | None:
    options: dict[str, str] = {}
    rest = iter(arguments)
    for argument in rest:
        name, equals, value = argument.partition("=")
        if name not in ("--surface", "--profile"):
            return None
        given = value if equals else next(rest, None)
        if given is None:
            return None
        options[name] = given
    return options


def _print(text: bytes) -> None:
    try:
        os.write(sys.stdout.fileno(), text)
    except (OSError, ValueError, AttributeError):
        # Whoever asked for the segment has gone away or gave us no descriptor to print on.
        return

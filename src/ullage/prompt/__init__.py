"""`ullage prompt`: print the frame for now, and start the refresh when it is due.

The hot path. It takes no lock, opens no socket, parses one small text file, and imports only modules that the
interpreter has loaded already or that cost as little.
"""

from __future__ import annotations

import os
import sys
import time

from ullage.base.arguments import find_last_value, parse_options
from ullage.base.errors import UsageError
from ullage.quota import timeline
from ullage.quota.timeline import SURFACES, choose_timeline
from ullage.system.files import may_write, read_regular
from ullage.system.places import choose_profile, locate_profile, locate_timeline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence


def run(arguments: Sequence[str], environ: MutableMapping[str, str]) -> int | None:
    """Print the segment and return the exit code; None for arguments that only the full command line can explain."""
    options = parse_options("prompt", arguments)
    if options is None:
        return None
    given = find_last_value(options, "--surface")
    surface = "plain" if given is None else given
    if surface not in SURFACES:
        return None
    choose_profile(find_last_value(options, "--profile"), environ)
    try:
        data = _read(surface, environ)
    except UsageError:
        # There is no cache to read; every other command says why.
        return 0
    now = int(time.time())
    header = timeline.read_header(data)
    text = timeline.find_text(data, now) if header else b""
    if text:
        _print(text + b"\n")
    if timeline.is_due(header, now):
        start_refresh(environ)
    return 0


def start_refresh_if_due(
    environ: Mapping[str, str],
    surfaces: Iterable[str] = SURFACES,
    start: Callable[[Mapping[str, str]], None] | None = None,
) -> int:
    """Start a refresh in the background where a timeline makes one due and none has been started yet.

    `surfaces` are those whose timelines are asked: a bar that redraws by itself is served less often. `start` takes the
    place of `detach.start_refresh` in a process that must not fork. Returns an exit code, which is 0.
    """
    try:
        headers = [timeline.read_header(_read(surface, environ)) for surface in surfaces]
    except UsageError:
        return 0
    now = int(time.time())
    if any(timeline.is_due(header, now) for header in headers):
        start_refresh(environ, start)
    return 0


def _read(surface: str, environ: Mapping[str, str]) -> bytes:
    return read_regular(locate_timeline(environ, choose_timeline(surface, environ)), own=True) or b""


def start_refresh(environ: Mapping[str, str], start: Callable[[Mapping[str, str]], None] | None = None) -> None:
    """Start a refresh in the background, unless one has just been started; `start` as `start_refresh_if_due` has it."""
    from ullage.system import claim

    directory = locate_profile(environ)
    if may_write(directory, environ) and claim.take(directory, time.time()):
        if start is None:
            from ullage.system import detach

            start = detach.start_refresh
        start(environ)


def _print(text: bytes) -> None:
    try:
        if sys.platform == "win32" and sys.stdout.isatty():
            # A console would read bytes by its code page.
            sys.stdout.write(text.decode())
            sys.stdout.flush()
            return
        os.write(sys.stdout.fileno(), text)
    except (OSError, ValueError, AttributeError):
        # The caller has gone away, or gave us no descriptor to print on.
        return

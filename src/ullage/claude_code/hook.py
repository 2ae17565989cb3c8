"""`ullage hook`, for Claude Code's hooks: it runs at every prompt and tool use, so its imports are kept few.

Claude Code takes exit code 2 as "block this", and shows the stderr of any other failure without stopping. So errors
exit with 1, and an event is blocked by the JSON answer; 2 is for a blocking answer that could not be written, and for
errors under --fail-closed.
"""

from __future__ import annotations

import os
import sys

from ullage import config, guard
from ullage.base import jsontext
from ullage.base.arguments import find_last_value, parse_options
from ullage.base.dates import UTC, datetime
from ullage.base.errors import CacheError, UllageError, UsageError
from ullage.base.text import make_visible
from ullage.claude_code import answers
from ullage.guard import Question
from ullage.guard.limits import Limit, UnknownWindowError, find_named_window, parse_limit
from ullage.prompt import start_refresh_if_due
from ullage.quota.model import list_named_limits
from ullage.store.cache import ProfileCache
from ullage.system.files import read_regular, read_up_to, write_atomically
from ullage.system.places import choose_profile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping, Sequence
    from typing import Any

    from ullage.claude_code.answers import Event
    from ullage.guard import WindowVerdict
    from ullage.quota.model import Window

HARMLESS, BLOCKS = 1, 2
_LARGEST_INPUT = 64 << 20
_MOST_MARKS = 100
_WARN = (Limit(window=None, percent=90.0),)


def run(arguments: Sequence[str], environ: MutableMapping[str, str]) -> int | None:
    """Answer an event and return the exit code; None for arguments that the click command must explain or refuse."""
    options = parse_options("hook", arguments)
    if options is None:
        return None
    try:
        limits = {name: tuple(map(parse_limit, options.get(name, ()))) for name in ("--warn", "--block")}
    except UsageError:
        return None
    choose_profile(find_last_value(options, "--profile"), environ)
    allow_credits, fail_closed = "--allow-credits" in options, "--fail-closed" in options
    return perform(limits["--warn"], limits["--block"], environ, allow_credits=allow_credits, fail_closed=fail_closed)


def perform(
    warn: tuple[Limit, ...],
    block: tuple[Limit, ...],
    environ: Mapping[str, str],
    *,
    allow_credits: bool,
    fail_closed: bool,
) -> int:
    """Read an event from stdin, print the JSON answer, if any, and return the exit code.

    With `allow_credits` a window that is used up blocks nothing while credits pay for what comes; a warning stays one.
    Reads the cache only, and starts a refresh in the background when one is due.
    """
    event = None
    try:
        event = _event()
        if event is None:
            return 0
        start_refresh_if_due(environ)
        answer = _answer(event, warn or _WARN, block, environ, allow_credits=allow_credits, fail_closed=fail_closed)
        return 0 if answer is None else _put(answer)
    except (UllageError, OSError, MemoryError) as error:
        why = str(error) or "This process may have no more memory."
        print(f"ullage hook: {make_visible(why)}", file=sys.stderr)
        return BLOCKS if fail_closed and (event is None or answers.block_event(event, why)) else HARMLESS


def _put(answer: Mapping[str, Any]) -> int:
    """Print an answer and return the exit code; a blocking answer that cannot be written blocks by exit code 2."""
    # Imported late: most events have no answer.
    import json

    from ullage.system import streams

    if streams.put(json.dumps(answer)):
        return 0
    reason = answers.find_block_reason(answer)
    print(reason or "ullage hook: The answer cannot be printed.", file=sys.stderr)
    return HARMLESS if reason is None else BLOCKS


def _event() -> Event | None:
    data = read_up_to(sys.stdin.fileno(), _LARGEST_INPUT) if sys.stdin else b""
    try:
        return answers.read_event(jsontext.loads(data))
    except (ValueError, RecursionError) as error:
        # The model writes part of the input: it must not evade a limit by text that does not decode.
        for name in ("PreToolUse", "UserPromptSubmit"):
            if f'"{name}"'.encode() in data:
                return answers.read_event({"hook_event_name": name})
        raise UsageError("It reads what Claude Code gives a hook: a JSON object on stdin.") from error


def _answer(
    event: Event,
    warn: tuple[Limit, ...],
    block: tuple[Limit, ...],
    environ: Mapping[str, str],
    *,
    allow_credits: bool,
    fail_closed: bool,
) -> dict[str, Any] | None:
    """Judge the reading by both sets of limits and return the answer; None where the event passes in silence.

    In this order: a block limit that is reached blocks; an unknown verdict blocks under --fail-closed; a block limit on
    an unknown window blocks under --fail-closed, else it is reported at prompts; then come warnings, once a session.
    """
    try:
        cache = ProfileCache(environ)
        settings, _ = config.load(environ)
        wrong = config.find_wrong_source(settings)
        if wrong:
            raise UsageError(wrong)
        reading, problem, now = cache.load_reading(), cache.load_schedule().problem, datetime.now(UTC)
        windows = list_named_limits(reading) if reading else ()
        refused, warned = (
            guard.judge(question, reading, problem, {}, settings.thresholds, now)
            for question in (
                Question(most=_named(block, windows), allow_credits=allow_credits),
                Question(most=_named(warn, windows)),
            )
        )
    except UllageError as error:
        if fail_closed:
            return answers.block_event(event, str(error))
        return answers.notify_person(str(error)) if event.name == "UserPromptSubmit" else None
    if refused.outcome == "over" and block:
        return answers.block_event(event, refused.message)
    if refused.outcome == "unknown" and fail_closed:
        return answers.block_event(event, refused.message)
    missing = _missing(block, windows)
    if missing:
        names = ", ".join(window.id for window in windows) or "none yet"
        unknown = f"Nothing is known of {', '.join(missing)}, which this hook's limits name. Known are {names}."
        if fail_closed:
            return answers.block_event(event, unknown)
        if event.name == "UserPromptSubmit":
            return answers.notify_person(unknown)
    new = _list_unwarned(event, answers.list_over(warned), cache)
    return answers.build_warning(event, [finding.why for finding in new]) if new else None


def _named(limits: tuple[Limit, ...], windows: tuple[Window, ...]) -> tuple[Limit, ...]:
    """Return the limits whose window the reading names; which windows it names depends on its sources."""
    return tuple(limit for limit in limits if limit.window is None or _is_known(limit.window, windows))


def _missing(limits: tuple[Limit, ...], windows: tuple[Window, ...]) -> list[str]:
    return [repr(limit.window) for limit in limits if limit.window is not None and not _is_known(limit.window, windows)]


def _is_known(name: str, windows: tuple[Window, ...]) -> bool:
    try:
        find_named_window(name, windows)
    except UnknownWindowError:
        return False
    return True


def _list_unwarned(event: Event, findings: tuple[WindowVerdict, ...], cache: ProfileCache) -> list[WindowVerdict]:
    """Return the findings that this session was not warned of yet, and keep their marks on disk."""
    if not findings or event.repeated:
        return []
    path = os.path.join(cache.directory, "hook.told")
    told = (read_regular(path) or b"").decode(errors="replace").splitlines()
    new = [finding for finding in findings if not answers.was_warned(event, finding, told)]
    if new:
        marks = [*told, *(answers.mark_warning(event, finding) for finding in new)][-_MOST_MARKS:]
        try:
            write_atomically(path, "".join(f"{mark}\n" for mark in marks).encode())
        except CacheError:
            # Repeating a warning, where the cache cannot be written, is better than failing the hook.
            return new
    return new

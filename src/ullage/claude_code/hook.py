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
from ullage.base.dates import UTC, datetime, timedelta
from ullage.base.errors import CacheError, SourceError, UllageError, UsageError, describe_fault
from ullage.base.record import Record
from ullage.base.text import make_visible
from ullage.base.values import format_time, parse_time
from ullage.claude_code import answers
from ullage.guard import Question
from ullage.guard.limits import Limit, UnknownWindowError, find_named_window, parse_duration, parse_limit
from ullage.prompt import start_refresh, start_refresh_if_due
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
    from ullage.quota.model import Reading, Window

HARMLESS, BLOCKS = 1, 2
_LARGEST_INPUT = 64 << 20
_LARGEST_SETTINGS = 4 << 20
_MOST_MARKS = 100
_WARN = (Limit(window=None, percent=90.0),)


class Orders(Record):
    """What a hook is to do: the limits from which it warns and blocks, and what its options say besides.

    With `allow_credits` a window that is used up blocks nothing while credits pay for what comes; a warning stays one.
    `tell_every` is the time for which the model is not told its room again, None where it never is. `from_plugin`: the
    hooks of settings.json act in its place, where there are any.
    """

    warn: tuple[Limit, ...] = ()
    block: tuple[Limit, ...] = ()
    allow_credits: bool = False
    fail_closed: bool = False
    tell_every: timedelta | None = None
    from_plugin: bool = False


def run(arguments: Sequence[str], environ: MutableMapping[str, str]) -> int | None:
    """Answer an event and return the exit code; None for arguments that the click command must explain or refuse."""
    options = parse_options("hook", arguments)
    if options is None:
        return None
    try:
        every = find_last_value(options, "--tell-room")
        orders = Orders(
            warn=tuple(map(parse_limit, options.get("--warn", ()))),
            block=tuple(map(parse_limit, options.get("--block", ()))),
            allow_credits="--allow-credits" in options,
            fail_closed="--fail-closed" in options,
            tell_every=parse_duration(every) if every is not None else None,
            from_plugin="--from-plugin" in options,
        )
    except UsageError:
        return None
    choose_profile(find_last_value(options, "--profile"), environ)
    return perform(orders, environ)


def perform(orders: Orders, environ: Mapping[str, str]) -> int:
    """Read an event from stdin, print the JSON answer, if any, and return the exit code.

    Reads the cache only, and starts a refresh in the background when one is due.
    """
    event, fail_closed = None, orders.fail_closed
    try:
        event = _event()
        if event is None or (orders.from_plugin and _is_in_settings(environ)):
            return 0
        start_refresh_if_due(environ)
        answer = _answer(event, orders, environ)
        return 0 if answer is None else _put(answer)
    except Exception as error:
        # Whatever failed: with `fail_closed` it blocks, and a traceback's exit code would not.
        known = isinstance(error, UllageError | OSError | MemoryError)
        why = (str(error) or "This process may have no more memory.") if known else f"ullage {describe_fault(error)}"
        print(f"ullage hook: {make_visible(why)}", file=sys.stderr)
        return BLOCKS if fail_closed and (event is None or answers.block_event(event, why)) else HARMLESS


def _is_in_settings(environ: Mapping[str, str]) -> bool:
    """Say whether the person's settings.json has hooks of ours, as `ullage setup claude-code --guard` puts them in."""
    # Imported late: the hooks of settings.json never ask.
    from ullage.sources import claude_state

    directory = claude_state.locate_directory(environ)
    settings = read_regular(os.path.join(directory, "settings.json"), _LARGEST_SETTINGS) or b""
    try:
        hooks = jsontext.loads(settings).get("hooks")
    except (ValueError, AttributeError):
        return False
    groups = [group for name in answers.EVENTS for group in _list(hooks, name)]
    return any(answers.is_hook_of_ours(handler) for group in groups for handler in _list(group, "hooks"))


def _list(table: object, name: str) -> list[Any]:
    found = table.get(name) if isinstance(table, dict) else None
    return found if isinstance(found, list) else []


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


def _answer(event: Event, orders: Orders, environ: Mapping[str, str]) -> dict[str, Any] | None:
    """Judge the reading by both sets of limits and return the answer; None where the event passes in silence.

    In this order: a block limit that is reached blocks; an unknown verdict blocks under --fail-closed; a block limit on
    an unknown window blocks under --fail-closed, else it is reported at prompts; then come warnings, once a session,
    and what room there is.
    """
    warn, block, fail_closed = orders.warn or _WARN, orders.block, orders.fail_closed
    try:
        cache = ProfileCache(environ)
        settings, _ = config.load(environ)
        wrong = config.find_wrong_source(settings)
        if wrong:
            raise UsageError(wrong)
        reading, problem, now = cache.load_reading(), cache.load_schedule().problem, datetime.now(UTC)
        windows = list_named_limits(reading) if reading else ()
        questions = (
            Question(most=_named(block, windows), allow_credits=orders.allow_credits),
            Question(most=_named(warn, windows)),
        )
        refused, warned = (guard.judge(each, reading, problem, {}, settings.thresholds, now) for each in questions)
        _refuse_former_account(reading, environ, is_silent=not orders.tell_every and refused.allowed and warned.allowed)
    except UllageError as error:
        if fail_closed:
            return answers.block_event(event, str(error))
        return answers.notify_person(str(error)) if event.name == "UserPromptSubmit" else None
    if refused.outcome == "over" and block:
        return answers.block_event(event, refused.message)
    if refused.outcome == "unknown" and fail_closed:
        return answers.block_event(event, refused.message)
    names = [limit.window for limit in block if limit.window is not None]
    missing = [name for name in names if not _is_known(name, windows)]
    if missing:
        # Imported late: most limits name a window that there is.
        from ullage.base.text import quote
        from ullage.render.segment import shorten_name

        known = ", ".join(map(shorten_name, windows)) or "none yet"
        unknown = (
            f"Nothing is known of {', '.join(map(quote, missing))}, which this hook's limits name. Known are {known}."
        )
        if fail_closed:
            return answers.block_event(event, unknown)
        if event.name == "UserPromptSubmit":
            return answers.notify_person(unknown)
    over = [finding for finding in warned.findings if finding.outcome == "over"]
    new = _list_unwarned(event, over, cache)
    if new:
        return answers.build_warning(event, [finding.why for finding in new])
    room = answers.tell_room(event, reading, settings.thresholds, now) if reading and orders.tell_every else None
    return room if room and _may_tell_room(event, orders.tell_every or timedelta(), cache, now) else None


def _refuse_former_account(reading: Reading | None, environ: Mapping[str, str], *, is_silent: bool) -> None:
    """Raise SourceError where another account has signed in since the reading, and have that asked about."""
    if reading is None or is_silent:
        return
    # Imported late: most events are silent.
    from ullage.sources import claude_state

    other = claude_state.find_other_sign_in(reading.account, environ)
    if other is not None:
        start_refresh(environ)
        raise SourceError(other.code, other.message)


def _may_tell_room(event: Event, every: timedelta, cache: ProfileCache, now: datetime) -> bool:
    """Say whether `every` has passed since this session's model last heard its room, and keep the time of this."""
    path = os.path.join(cache.directory, "hook.room")
    told = [line.split(" ", 1) for line in (read_regular(path) or b"").decode(errors="replace").splitlines()]
    times = {words[1]: parse_time(words[0]) for words in told if len(words) == 2}
    last = times.get(event.session)
    if last is not None and timedelta() <= now - last < every:
        return False
    times.pop(event.session, None)
    kept = [*((at, session) for session, at in times.items() if at), (now, event.session)][-_MOST_MARKS:]
    try:
        write_atomically(path, "".join(f"{format_time(at)} {session}\n" for at, session in kept).encode())
    except CacheError:
        # Without a note on disk every prompt would repeat it.
        return False
    return True


def _named(limits: tuple[Limit, ...], windows: tuple[Window, ...]) -> tuple[Limit, ...]:
    """Return the limits whose window the reading names; which windows it names depends on its sources."""
    return tuple(limit for limit in limits if limit.window is None or _is_known(limit.window, windows))


def _is_known(name: str, windows: tuple[Window, ...]) -> bool:
    try:
        find_named_window(name, windows)
    except UnknownWindowError:
        return False
    return True


def _list_unwarned(event: Event, findings: list[WindowVerdict], cache: ProfileCache) -> list[WindowVerdict]:
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

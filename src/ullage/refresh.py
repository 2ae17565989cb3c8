"""The only writer of the cache: one refresh at a time, polite to the server, out of the prompt's way."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import sys
import time
from datetime import UTC, datetime

from ullage import config, delivery, frames, schedule, timeline
from ullage.cache import ProfileCache
from ullage.errors import SourceError, UllageError
from ullage.files import read_regular
from ullage.places import ATTENDED, SURFACES
from ullage.record import Record
from ullage.timeline import BootClock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal, Protocol

    from ullage.config import Settings
    from ullage.model import Account, Problem, Reading
    from ullage.schedule import Schedule

    class Source(Protocol):
        """Somebody who knows what the windows stand at."""

        def account(self, environ: Mapping[str, str]) -> Account: ...
        def read(self, environ: Mapping[str, str], account: Account, now: datetime) -> Reading: ...


_MOST_PUBLICATIONS = 5


class Outcome(Record):
    """How a refresh ended: it brought a reading, was not due, was being done by another, is held back, or failed."""

    result: Literal["refreshed", "not_due", "busy", "held", "failed"]
    problem: Problem | None = None


def refresh(environ: Mapping[str, str], *, force: bool = False) -> Outcome:
    """Ask the source in force if it is time, and publish what is known then.

    `force` goes before the cadence, never before a time that the server asked for. Raises UllageError when the
    environment is wrong or the cache cannot be written; a source's failure is an Outcome.
    """
    settings, _ = config.load(environ)
    cache = ProfileCache(environ)
    cache.make_private()
    if not force and not _needed(cache, _now()):
        return Outcome(result="not_due", problem=cache.schedule().problem)
    with cache.lock() as held:
        if not held:
            return Outcome(result="busy")
        cache.sweep()
        outcome = _refresh(environ, settings, cache, force=force)
        delivery.announce(environ, settings, cache, _now())
        return outcome


def _needed(cache: ProfileCache, now: datetime) -> bool:
    published = timeline.read_header(cache.timeline(ATTENDED[0])) is not None
    return not published or schedule.is_due(cache.schedule(), cache.reading(), now)


def _refresh(environ: Mapping[str, str], settings: Settings, cache: ProfileCache, *, force: bool) -> Outcome:
    now = _now()
    plan, reading = cache.schedule(), cache.reading()
    if not (force or schedule.is_due(plan, reading, now)):
        publish_anew(cache, settings)
        return Outcome(result="not_due", problem=plan.problem)
    cache.postpone(math.ceil((now + schedule.SHORTEST_INTERVAL).timestamp()))
    result: Literal["refreshed", "not_due", "failed"]
    try:
        source = source_in_force(settings)
        account = source.account(environ)
        if account.id != plan.account_id:
            # Somebody else is signed in: nothing of the account before is shown or waited for.
            cache.forget_others(account.id)
            plan, reading = schedule.Schedule(account_id=account.id), cache.reading()
            publish(cache, settings, reading, schedule.begun(plan, now), now)
        plan = plan.replace(hold_until=max(filter(None, (plan.hold_until, cache.hold(account.id))), default=None))
        if schedule.is_held(plan, now):
            plan = schedule.held(plan)
            cache.save_schedule(plan)
            publish_anew(cache, settings)
            return Outcome(result="held", problem=plan.problem)
        plan = schedule.begun(plan, now)
        cache.save_schedule(plan)
        if settings.source == "auto":
            plan, result = _ask_as_needed(environ, cache, account, plan, now, force=force)
        else:
            answer = _answer(source, environ, account, now)
            if settings.source != "statusline":
                cache.save_reading(answer)
            result = "refreshed"
    except SourceError as error:
        # What was begun, on disk, counts: an attempt that starts a process or reaches a server does so but once.
        plan = schedule.failed(schedule.begun(_latest(cache, plan), now), error, now, _jitter)
        result = "failed"
    else:
        if result == "refreshed":
            changed = _numbers(reading) != _numbers(cache.reading())
            plan = schedule.succeeded(plan, now, changed=changed)
    cache.save_schedule(plan)
    if plan.hold_until is not None:
        cache.save_hold(plan.account_id, plan.hold_until)
    publish_anew(cache, settings)
    return Outcome(result=result, problem=plan.problem)


def _latest(cache: ProfileCache, plan: Schedule) -> Schedule:
    saved = cache.schedule()
    return saved if saved.account_id == plan.account_id else plan


def _ask_as_needed(
    environ: Mapping[str, str], cache: ProfileCache, account: Account, plan: Schedule, now: datetime, *, force: bool
) -> tuple[Schedule, Literal["refreshed", "not_due"]]:
    """Take in what Claude Code has left lying; start its program only when that is too old and it is time again."""
    from ullage.sources import auto, claude_cache, claude_cli, claude_state

    state_mark = claude_state.mark(environ)
    state_changed_at = None
    if state_mark is not None and state_mark != plan.state_mark:
        state_changed_at = datetime.fromtimestamp(int(state_mark.partition("-")[0]) / 1e9, UTC)
        with contextlib.suppress(SourceError):
            cache.save_reading(claude_cache.read(environ, account, now))
        plan = plan.replace(state_mark=state_mark)
    readings = cache.readings()
    if not force and auto.is_enough(readings, now):
        return plan, "refreshed"
    may_start_at = auto.may_start_at(plan, is_busy=auto.is_busy(plan, readings, state_changed_at, now))
    if not force and may_start_at is not None and now < may_start_at <= now + auto.IDLE_INTERVAL:
        return plan.replace(refresh_at=may_start_at, idle_refresh_at=may_start_at), "not_due"
    plan = plan.replace(spawned_at=now)
    cache.save_schedule(plan)
    cache.save_reading(_answer(claude_cli, environ, account, now))
    return plan, "refreshed"


def _numbers(reading: Reading | None) -> object:
    """Return what a person would call a change: not the time of the statement, nor a reset that is worded anew."""
    if reading is None:
        return None
    credits = reading.credits.replace(as_of=None) if reading.credits else None
    return [(window.id, window.used_percent, window.severity) for window in reading.windows], credits


def source_in_force(settings: Settings) -> Source:
    """Return the source that the settings name; `auto` begins with what Claude Code has left lying."""
    if settings.source == "oauth":
        from ullage.sources import oauth

        return oauth
    if settings.source == "claude-cli":
        from ullage.sources import claude_cli

        return claude_cli
    if settings.source == "statusline":
        from ullage.sources import status_line

        return status_line
    from ullage.sources import claude_cache

    return claude_cache


def _answer(source: Source, environ: Mapping[str, str], account: Account, now: datetime) -> Reading:
    try:
        return source.read(environ, account, now)
    except UllageError:
        raise
    except Exception as error:
        # A fault of ours in a process that nobody watches: it is kept with the schedule, where `ullage usage` shows it.
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        where = f"{os.path.basename(place.tb_frame.f_code.co_filename)}:{place.tb_lineno}" if place else "?"
        raise SourceError(
            "internal_error",
            f"ullage has a fault of its own: {type(error).__name__} at {where}. Please report it with these words.",
            reached_server=True,
        ) from error


def publish_anew(cache: ProfileCache, settings: Settings) -> None:
    """Write every surface's timeline from what is on disk, until nobody has added to that in the meantime."""
    for _ in range(_MOST_PUBLICATIONS):
        version = cache.version()
        publish(cache, settings, cache.reading(), cache.schedule(), _now())
        if cache.version() == version:
            return


def publish(cache: ProfileCache, settings: Settings, reading: Reading | None, plan: Schedule, now: datetime) -> None:
    """Write every surface's timeline, and set what tmux shows where the user wants that."""
    written = math.floor(now.timestamp())
    clock = boot_clock()
    shared: frames.Filled = {}
    for surface in SURFACES:
        due = schedule.due_at(plan, reading, attended=surface in ATTENDED)
        refresh_after = math.ceil(due.timestamp()) if due else written
        built = frames.build(reading, settings, surface, now, shared)
        checkpoint = min([refresh_after, *(frames.events(reading, settings, written) if reading else ())])
        data = timeline.encode(built, written=written, refresh_after=refresh_after, checkpoint=checkpoint, clock=clock)
        cache.save_timeline(surface, data, checkpoint)
    if settings.push_to_tmux:
        from ullage import tmux

        tmux.push(cache.environ, cache.timeline("tmux"), written)


def boot_clock(
    uptime_path: str = "/proc/uptime", boot_id_path: str = "/proc/sys/kernel/random/boot_id"
) -> BootClock | None:
    """Return the wall clock at boot where the system tells its uptime to a shell (Linux), else None."""
    uptime = (read_regular(uptime_path) or b"").split()
    boot_id = (read_regular(boot_id_path) or b"").decode(errors="replace").strip()
    try:
        centiseconds = math.floor(time.time() * 100) - round(float(uptime[0]) * 100)
    except (IndexError, ValueError):
        return None
    return BootClock(centiseconds=centiseconds, boot_id=boot_id) if boot_id and " " not in boot_id else None


def _jitter(ceiling: float) -> float:
    import random

    return random.uniform(0, ceiling)


def _now() -> datetime:
    return datetime.now(UTC)


def main() -> int:
    """Refresh in the background: nobody reads what this prints, so what went wrong is kept with the schedule."""
    try:
        refresh(os.environ, force="--force" in sys.argv[1:])
    except UllageError as error:
        return error.exit_code
    finally:
        _tell(os.environ.get("ULLAGE_NOTIFY", ""))
    return 0


def _tell(process: str) -> None:
    """Tell the shell that asked for it, which then draws its prompt again: SIGURG, which all others ignore."""
    if process.isascii() and process.isdigit() and int(process) > 1 and hasattr(signal, "SIGURG"):
        with contextlib.suppress(OSError):
            os.kill(int(process), signal.SIGURG)


if __name__ == "__main__":
    sys.exit(main())

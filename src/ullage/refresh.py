"""The only writer of the cache: one refresh at a time, polite to the server, out of the prompt's way."""

from __future__ import annotations

import math
import os
import random
import sys
import time
from datetime import UTC, datetime

from ullage import config, delivery, frames, schedule, timeline
from ullage.cache import ProfileCache, read_regular
from ullage.errors import SourceError, UllageError
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
        publish(cache, settings, reading, plan, now)
        return Outcome(result="not_due", problem=plan.problem)
    cache.postpone(math.ceil((now + schedule.SHORTEST_INTERVAL).timestamp()))
    try:
        source = source_in_force(settings)
        account = source.account(environ)
        if account.id != plan.account_id:
            # Somebody else is signed in: nothing of the account before is shown or waited for.
            plan, reading = schedule.Schedule(account_id=account.id), None
            cache.save_reading(None)
            publish(cache, settings, None, schedule.begun(plan, now), now)
        plan = plan.replace(hold_until=max(filter(None, (plan.hold_until, cache.hold(account.id))), default=None))
        if schedule.is_held(plan, now):
            plan = schedule.held(plan)
            cache.save_schedule(plan)
            publish(cache, settings, reading, plan, now)
            return Outcome(result="held", problem=plan.problem)
        cache.save_schedule(schedule.begun(plan, now))
        answer = _answer(source, environ, account, now)
    except SourceError as error:
        plan = schedule.failed(schedule.begun(plan, now), error, now, _jitter)
        result: Literal["refreshed", "failed"] = "failed"
    else:
        changed = reading is None or _numbers(answer) != _numbers(reading)
        plan = schedule.succeeded(schedule.begun(plan, now), now, changed=changed)
        reading, result = answer, "refreshed"
        cache.save_reading(reading)
    cache.save_schedule(plan)
    if plan.hold_until is not None:
        cache.save_hold(plan.account_id, plan.hold_until)
    publish(cache, settings, reading, plan, _now())
    return Outcome(result=result, problem=plan.problem)


def _numbers(reading: Reading) -> object:
    """Return what a person would call a change: not the time of the statement, nor a reset that is worded anew."""
    return [(window.id, window.used_percent, window.severity) for window in reading.windows], reading.credits


def source_in_force(settings: Settings) -> Source:
    """Return the source that the settings name; raise SourceError where they name none that can be asked."""
    if settings.source == "oauth":
        from ullage.sources import oauth

        return oauth
    raise SourceError(
        "no_source",
        "No source of readings is turned on. To ask the provider with the token that Claude Code stored, "
        'set source = "oauth" in config.toml (`ullage config` shows where) or ULLAGE_SOURCE=oauth.',
    )


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


def publish(cache: ProfileCache, settings: Settings, reading: Reading | None, plan: Schedule, now: datetime) -> None:
    """Write every surface's timeline."""
    written = math.floor(now.timestamp())
    clock = boot_clock()
    for surface in SURFACES:
        due = schedule.due_at(plan, reading, attended=surface in ATTENDED)
        refresh_after = math.ceil(due.timestamp()) if due else written
        built = frames.build(reading, settings, surface, now)
        checkpoint = min([refresh_after, *(frames.events(reading, settings, written) if reading else ())])
        data = timeline.encode(built, written=written, refresh_after=refresh_after, checkpoint=checkpoint, clock=clock)
        cache.save_timeline(surface, data, checkpoint)


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
    return random.uniform(0, ceiling)


def _now() -> datetime:
    return datetime.now(UTC)


def main() -> int:
    """Refresh in the background: nobody reads what this prints, so what went wrong is kept with the schedule."""
    try:
        refresh(os.environ, force="--force" in sys.argv[1:])
    except UllageError as error:
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())

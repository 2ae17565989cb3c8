"""What asks the sources and keeps their answers: one refresh at a time, polite, out of the prompt's way."""

from __future__ import annotations

import math
import os

from ullage import config
from ullage.alerts import outbox
from ullage.base.errors import SourceError, UllageError
from ullage.base.record import Record
from ullage.prompt.publish import publish, publish_anew, utc_now
from ullage.quota import timeline
from ullage.quota.schedule import SHORTEST_INTERVAL, Schedule
from ullage.quota.timeline import TIMELINES
from ullage.refresh import ask
from ullage.store import recording
from ullage.store.account import AccountCache
from ullage.store.cache import ProfileCache
from ullage.system import detach, secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Literal

    from ullage.config import Settings
    from ullage.quota.model import Account, Problem, Reading

    Result = Literal["refreshed", "not_due", "busy", "held", "failed"]


class Outcome(Record):
    """How a refresh ended: it brought a reading, was not due, was being done by another, is held back, or failed."""

    result: Result
    problem: Problem | None = None


def refresh(environ: Mapping[str, str], *, force: bool = False, early: bool = False) -> Outcome:
    """Ask the source in force if it is time, and publish what is known then.

    `force` goes before the cadence, never before a time that the server asked for; `early` does so once the shortest
    interval has passed since the last attempt, for a person who may click again and again. Raises UllageError when the
    environment is wrong or the cache cannot be written; a source's failure is an Outcome.
    """
    settings, _ = config.load(environ)
    # What a source starts inherits none of them.
    others = settings.keys_of_others()
    environ = {name: value for name, value in environ.items() if name not in others}
    cache = ProfileCache(environ)
    cache.make_private()
    if not (force or early) and not _needed(cache, _now()):
        return Outcome(result="not_due", problem=cache.schedule().problem)
    with cache.lock() as held:
        if not held:
            return Outcome(result="busy")
        cache.sweep()
        # Asked under the lock: of two clicks the second finds the attempt of the first.
        force = force or (early and cache.schedule().may_be_early(_now()))
        outcome = _refresh(environ, settings, cache, force=force)
        outbox.announce(environ, settings, cache, _now())
        if settings.reporting.is_wanted:
            # The time that a server which is not there costs, this process does not pay.
            detach.start(
                "ullage.metrics.report", secret.withhold_keys(environ, settings.key_variables, keep=secret.METRICS_AUTH)
            )
        return outcome


def _needed(cache: ProfileCache, now: datetime) -> bool:
    headers = (timeline.read_header(cache.timeline(name)) for name in TIMELINES)
    if any(timeline.is_due(header, int(now.timestamp())) for header in headers):
        return True
    return cache.schedule().is_due(cache.reading(), now)


def _refresh(environ: Mapping[str, str], settings: Settings, cache: ProfileCache, *, force: bool) -> Outcome:
    now = _now()
    schedule = cache.schedule()
    result: Result = "not_due"
    if force or schedule.is_due(cache.reading(), now):
        cache.postpone(math.ceil((now + SHORTEST_INTERVAL).timestamp()))
        schedule, result = _attempt(environ, settings, cache, schedule, now, force=force)
        cache.save_schedule(schedule)
    publish_anew(cache, settings, _now)
    return Outcome(result=result, problem=recording.remember(cache, schedule, now).problem)


def _attempt(
    environ: Mapping[str, str],
    settings: Settings,
    cache: ProfileCache,
    schedule: Schedule,
    now: datetime,
    *,
    force: bool,
) -> tuple[Schedule, Result]:
    try:
        account = ask.source_in_force(settings).account(environ)
        schedule = _plan_for(account, settings, cache, schedule, now)
        if schedule.is_held(now):
            return schedule.held(), "held"
        schedule = schedule.begun(now)
        cache.save_schedule(schedule)
        before = _numbers(cache.reading())
        schedule, asked = ask.as_needed(settings, environ, cache, account, schedule, now, force=force)
        if not asked:
            return schedule, "not_due"
    except SourceError as error:
        return _failed(cache, schedule, error, now), "failed"
    except UllageError:
        raise
    except Exception as error:
        return _failed(cache, schedule, _fault_of_ours(error), now), "failed"
    return schedule.succeeded(now, changed=_numbers(cache.reading()) != before), "refreshed"


def _plan_for(account: Account, settings: Settings, cache: ProfileCache, schedule: Schedule, now: datetime) -> Schedule:
    """Start afresh when somebody else is signed in; a pause that any profile of the account met counts for all."""
    if account.id != schedule.account_id:
        # Nothing of the account before is shown or waited for.
        cache.forget_others(account.id)
        schedule = Schedule(account_id=account.id)
        publish(cache, settings, cache.reading(), schedule.begun(now), now)
    pauses = (schedule.hold_until, AccountCache(cache.root, account.id).hold())
    holds = [hold for hold in pauses if hold is not None and hold > now]
    return schedule.replace(hold_until=max(holds, default=None))


def _failed(cache: ProfileCache, schedule: Schedule, error: SourceError, now: datetime) -> Schedule:
    # What was begun, on disk, counts: an attempt that starts a process or reaches a server does so but once.
    saved = cache.schedule()
    begun = (saved if saved.account_id == schedule.account_id else schedule).begun(now)
    failed = begun.failed(error, now, _jitter)
    if failed.hold_until is not None:
        AccountCache(cache.root, failed.account_id).save_hold(failed.hold_until)
    return failed


def _fault_of_ours(error: Exception) -> SourceError:
    """Word a fault for a process that nobody watches: it is kept with the schedule, where `ullage usage` shows it."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f"{os.path.basename(place.tb_frame.f_code.co_filename)}:{place.tb_lineno}" if place else "?"
    return SourceError(
        "internal_error",
        f"ullage has a fault of its own: {type(error).__name__} at {where}. Please report it with these words.",
        reached_server=True,
    )


def _numbers(reading: Reading | None) -> object:
    """Return what a person would call a change: not the time of the statement, nor a reset that is worded anew."""
    if reading is None:
        return None
    credits = reading.credits.replace(as_of=None) if reading.credits else None
    return [(window.id, window.used_percent, window.severity) for window in reading.windows], credits


def _jitter(ceiling: float) -> float:
    import random

    return random.uniform(0, ceiling)


def _now() -> datetime:
    return utc_now()

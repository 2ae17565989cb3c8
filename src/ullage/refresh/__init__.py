"""What asks the sources and keeps their answers: one refresh at a time, polite, out of the prompt's way."""

from __future__ import annotations

import math
import os

from ullage import config
from ullage.alerts import outbox
from ullage.base.errors import SourceError, UllageError
from ullage.base.record import Record
from ullage.prompt.publish import publish, publish_anew, utc_now
from ullage.quota import schedule, timeline
from ullage.refresh import ask
from ullage.store import recording
from ullage.store.account import AccountCache
from ullage.store.cache import ProfileCache
from ullage.system import detach, secret
from ullage.system.places import TIMELINES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Literal

    from ullage.config import Settings
    from ullage.quota.model import Account, Problem, Reading
    from ullage.quota.schedule import Schedule

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
        force = force or (early and schedule.may_be_early(cache.schedule(), _now()))
        outcome = _refresh(environ, settings, cache, force=force)
        outbox.announce(environ, settings, cache, _now())
        if settings.reporting.is_wanted:
            # The time that a server which is not there costs, this process does not pay.
            detach.start(
                "ullage.metrics.report", secret.withheld(environ, settings.key_variables, keep=secret.METRICS_AUTH)
            )
        return outcome


def _needed(cache: ProfileCache, now: datetime) -> bool:
    headers = (timeline.read_header(cache.timeline(name)) for name in TIMELINES)
    if any(timeline.is_due(header, int(now.timestamp())) for header in headers):
        return True
    return schedule.is_due(cache.schedule(), cache.reading(), now)


def _refresh(environ: Mapping[str, str], settings: Settings, cache: ProfileCache, *, force: bool) -> Outcome:
    now = _now()
    plan = cache.schedule()
    result: Result = "not_due"
    if force or schedule.is_due(plan, cache.reading(), now):
        cache.postpone(math.ceil((now + schedule.SHORTEST_INTERVAL).timestamp()))
        plan, result = _attempt(environ, settings, cache, plan, now, force=force)
        cache.save_schedule(plan)
    publish_anew(cache, settings, _now)
    return Outcome(result=result, problem=recording.remember(cache, plan, now).problem)


def _attempt(
    environ: Mapping[str, str], settings: Settings, cache: ProfileCache, plan: Schedule, now: datetime, *, force: bool
) -> tuple[Schedule, Result]:
    try:
        account = ask.source_in_force(settings).account(environ)
        plan = _plan_for(account, settings, cache, plan, now)
        if schedule.is_held(plan, now):
            return schedule.held(plan), "held"
        plan = schedule.begun(plan, now)
        cache.save_schedule(plan)
        before = _numbers(cache.reading())
        plan, asked = ask.as_needed(settings, environ, cache, account, plan, now, force=force)
        if not asked:
            return plan, "not_due"
    except SourceError as error:
        return _failed(cache, plan, error, now), "failed"
    except UllageError:
        raise
    except Exception as error:
        return _failed(cache, plan, _fault_of_ours(error), now), "failed"
    return schedule.succeeded(plan, now, changed=_numbers(cache.reading()) != before), "refreshed"


def _plan_for(account: Account, settings: Settings, cache: ProfileCache, plan: Schedule, now: datetime) -> Schedule:
    """Start afresh when somebody else is signed in; a pause that any profile of the account met counts for all."""
    if account.id != plan.account_id:
        # Nothing of the account before is shown or waited for.
        cache.forget_others(account.id)
        plan = schedule.Schedule(account_id=account.id)
        publish(cache, settings, cache.reading(), schedule.begun(plan, now), now)
    pauses = (plan.hold_until, AccountCache(cache.root, account.id).hold())
    holds = [hold for hold in pauses if hold is not None and hold > now]
    return plan.replace(hold_until=max(holds, default=None))


def _failed(cache: ProfileCache, plan: Schedule, error: SourceError, now: datetime) -> Schedule:
    # What was begun, on disk, counts: an attempt that starts a process or reaches a server does so but once.
    saved = cache.schedule()
    begun = schedule.begun(saved if saved.account_id == plan.account_id else plan, now)
    failed = schedule.failed(begun, error, now, _jitter)
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

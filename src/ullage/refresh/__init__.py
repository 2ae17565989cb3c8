"""The refresh: ask the source in force, keep its answer, publish it. One at a time, politely, apart from the prompt.

Most refreshes find that none is due, or that another one runs, and end here; the rest is imported under the lock.
"""

from __future__ import annotations

from ullage.base.dates import UTC, datetime
from ullage.base.record import Record
from ullage.quota import timeline
from ullage.quota.timeline import TIMELINES
from ullage.store.cache import ProfileCache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ullage.quota.model import Problem, Reading
    from ullage.quota.schedule import Schedule
    from ullage.refresh.attempt import Result


class Outcome(Record):
    """How a refresh ended: with a reading, not due, left to another process, held by a pause, or failed."""

    result: Result
    problem: Problem | None = None


def refresh(
    environ: Mapping[str, str],
    *,
    force: bool = False,
    early: bool = False,
    begin: Callable[[], None] = lambda: None,
) -> Outcome:
    """Ask the source in force if it is time, and publish what is known then.

    `force` goes before the cadence, never before a time that the server asked for; `early` does so once the shortest
    interval has passed since the last attempt, for a person who may click again and again. `begin` is called once the
    lock is held, before anything that may take long. Raises UllageError when the environment is wrong or the cache
    cannot be written; a source's failure is an Outcome.
    """
    cache = ProfileCache(environ)
    if environ.get("ULLAGE_TRUSTED_CACHE"):
        return Outcome(result="elsewhere", problem=cache.load_schedule().problem)
    if not (force or early):
        not_due = _find_not_due(cache, _now(), environ)
        if not_due is not None:
            return not_due
    cache.make_private()
    with cache.lock() as held:
        if not held:
            return Outcome(result="busy") if force or early else _find_under_way(cache, _now())
        begin()
        from ullage.refresh import attempt

        result, problem = attempt.run(environ, cache, _now, force=force, early=early)
        return Outcome(result=result, problem=problem)


def _find_not_due(cache: ProfileCache, now: datetime, environ: Mapping[str, str]) -> Outcome | None:
    """Return NOT_DUE where neither a timeline nor the schedule makes a refresh due, else None.

    A timeline that is missing or torn makes one due.
    """
    seconds = int(now.timestamp())
    if any(timeline.is_due(timeline.read_header(cache.read_timeline(name)), seconds) for name in TIMELINES):
        return None
    schedule = cache.load_schedule()
    # A window's reset makes none due until a new attempt may be made at all: so long nothing is loaded for it.
    if schedule.is_due(None, now) or (schedule.may_be_early(now) and schedule.is_due(cache.load_reading(), now)):
        return None
    if _is_of_another_account(schedule, environ):
        return None
    if schedule.failures:
        from ullage import config
        from ullage.refresh import mending

        if schedule.means != mending.mark_means(config.load(environ)[0], environ):
            return None
    return Outcome(result="not_due", problem=schedule.problem)


def _is_of_another_account(schedule: Schedule, environ: Mapping[str, str]) -> bool:
    # After a failure a change of the sign-in is seen as a mend is, so that what fails is not tried each time.
    if schedule.failures or schedule.account_id is None:
        return False
    from ullage.sources import claude_state

    return claude_state.is_another_signed_in(schedule.account, environ)


def find_other_sign_in(reading: Reading | None, environ: Mapping[str, str]) -> Problem | None:
    """Return a problem where another person or organisation is signed in than the one that a reading is of."""
    if reading is None or reading.account.id is None:
        return None
    from ullage.sources import claude_state

    return claude_state.find_other_sign_in(reading.account, environ)


def _find_under_way(cache: ProfileCache, now: datetime) -> Outcome:
    """Return the outcome of a refresh that found the lock held: nothing is due once the holder has begun."""
    schedule = cache.load_schedule()
    if schedule.is_due(None, now):
        return Outcome(result="busy")
    return Outcome(result="not_due", problem=schedule.problem)


def _now() -> datetime:
    return datetime.now(UTC)

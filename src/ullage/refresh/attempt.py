"""One refresh under the lock: load the snapshot, ask a source if that is due, keep its answer, publish."""

from __future__ import annotations

import os

from ullage import config
from ullage.base.errors import SourceError, UllageError, describe_fault
from ullage.prompt.publish import publish, publish_anew
from ullage.quota import exits
from ullage.quota.model import is_remote
from ullage.quota.schedule import SHORTEST_INTERVAL, Schedule
from ullage.refresh import ask
from ullage.refresh.ask import Inquiry
from ullage.sources.claude_state import find_disagreement, is_another_signed_in
from ullage.store import recording
from ullage.store.account import AccountCache
from ullage.store.cache import Snapshot
from ullage.system import claim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from typing import Literal

    from ullage.config import Settings
    from ullage.quota.model import Problem, Reading
    from ullage.store.cache import ProfileCache

    Result = Literal["refreshed", "not_due", "busy", "held", "failed", "elsewhere"]
    # Asks the other machines for an inquiry, and returns the problem of one of them.
    AskRemotes = Callable[[Inquiry], Problem | None]

# The codes of problems with other machines begin with this.
_REMOTE_PROBLEM = "remote_"
# Codes for a machine without a sign-in or limits of its own: no problem where another machine has readings.
_NOTHING_HERE = (*exits.NO_ACCOUNT, "no_plan_limits", "other_account")


def run(
    environ: Mapping[str, str], cache: ProfileCache, clock: Callable[[], datetime], *, force: bool, early: bool
) -> tuple[Result, Problem | None]:
    """Ask if that is due, keep the answer, publish and announce it; return the outcome and the problem, if any.

    Called under the refresh lock. Raises UllageError when the environment is wrong or the cache cannot be written.
    """
    settings, _ = config.load(environ)
    given = environ
    # A program that one source starts must not inherit the keys of another.
    others = settings.list_unread_keys()
    environ = {name: value for name, value in environ.items() if name not in others}
    now = clock()
    claim.hold(cache.directory, (now + SHORTEST_INTERVAL).timestamp())
    cache.sweep()
    snapshot = cache.load()
    result: Result = "not_due"
    # Looked at under the lock: the second of two clicks finds the first one's attempt.
    force = force or (early and snapshot.schedule.may_be_early(now))
    # What any source needs is looked at, and imported, after failures only.
    if snapshot.schedule.failures:
        is_mended = snapshot.schedule.means != _mark_means(settings, environ)
    else:
        is_mended = is_another_signed_in(snapshot.schedule.account, environ)
    if is_mended:
        # The schedule is written now, so the claim of whoever started this refresh is over.
        snapshot = snapshot.replace(schedule=snapshot.schedule.replace(spawned_at=None))
    if force or is_mended or snapshot.schedule.is_due(snapshot.reading, now):
        inquiry = Inquiry(environ, cache, snapshot, now, force=force)
        ask_remotes = _prepare_remotes(settings, cache.root, given)
        if force or is_mended or snapshot.schedule.are_sources_due(snapshot.reading, now):
            result = _attempt(inquiry, settings, ask_remotes)
        else:
            result = _ask_remotes_alone(inquiry, settings, ask_remotes)
        snapshot = inquiry.snapshot
        cache.save_schedule(snapshot.schedule)
    snapshot = publish_anew(cache, settings, clock, snapshot)
    claim.release(cache.directory)
    schedule = recording.remember(cache, snapshot, now)
    _announce(environ, settings, cache, snapshot.replace(schedule=schedule), clock())
    return result, schedule.problem


def _announce(
    environ: Mapping[str, str], settings: Settings, cache: ProfileCache, snapshot: Snapshot, now: datetime
) -> None:
    """Hand the reading on to alerts and metrics, where a person wants them; they run in processes of their own."""
    if settings.alerts.via:
        from ullage.alerts import outbox

        outbox.announce(environ, settings, cache, snapshot, now)
    if settings.push:
        from ullage.store import pushes

        pushes.start(cache.root, settings, environ)
    if settings.reporting.is_wanted:
        from ullage.system import detach, secret

        detach.start(
            "ullage.metrics.report", secret.withhold_keys(environ, settings.key_variables, keep=secret.METRICS_AUTH)
        )


def _prepare_remotes(settings: Settings, root: str, environ: Mapping[str, str]) -> AskRemotes:
    """Return a function that asks the other machines; it does nothing where none are configured and none push."""
    # Most people have no other machine: the modules for them are imported only where there is one.
    if not settings.remotes and not os.path.isdir(os.path.join(root, "remotes")):
        return lambda inquiry: None
    from ullage.refresh import remotes

    return lambda inquiry: remotes.ask_due(inquiry, settings, environ)


def _ask_remotes_alone(inquiry: Inquiry, settings: Settings, ask_remotes: AskRemotes) -> Result:
    """Ask only the other machines, while this one's own sources are not due."""
    try:
        inquiry.account = ask.find_sources(settings)[0].account(inquiry.environ)
    except SourceError:
        # The next attempt to ask the sources reports it.
        inquiry.account = inquiry.schedule.account
    before, known = _numbers(inquiry.snapshot.reading), inquiry.schedule.problem
    problem = ask_remotes(inquiry)
    if known is None or known.code.startswith(_REMOTE_PROBLEM):
        inquiry.schedule = inquiry.schedule.replace(problem=problem)
    return "not_due" if _numbers(inquiry.snapshot.reading) == before else "refreshed"


def _attempt(inquiry: Inquiry, settings: Settings, ask_remotes: AskRemotes) -> Result:
    """Ask the source in force; the inquiry's snapshot is then what is known, its schedule still to be saved."""
    problem, before = None, _numbers(inquiry.snapshot.reading)
    try:
        sources = ask.find_sources(settings)
        inquiry.account = sources[0].account(inquiry.environ)
        _turn_to_account(inquiry, settings)
        if inquiry.schedule.is_held(inquiry.now):
            ask_remotes(inquiry)
            ask.ask_in_pause(sources, inquiry)
            inquiry.schedule = inquiry.schedule.held().replace(means=_mark_means(settings, inquiry.environ))
            return "held"
        inquiry.schedule = inquiry.schedule.begun(inquiry.now)
        inquiry.note_schedule()
        before = _numbers(inquiry.snapshot.reading)
        problem = ask_remotes(inquiry)
        if not ask.ask_in_turn(sources, inquiry):
            return "not_due"
    except SourceError as error:
        is_told_elsewhere = any(is_remote(reading.source) for reading in inquiry.snapshot.stated.statements)
        if not (error.code in _NOTHING_HERE and is_told_elsewhere):
            return _fail(inquiry, settings, error)
    except UllageError:
        raise
    except Exception as error:
        # Kept with the schedule: `ullage usage` shows it.
        fault = SourceError("internal_error", f"ullage {describe_fault(error)}", reached_server=True)
        return _fail(inquiry, settings, fault)
    has_changed = _numbers(inquiry.snapshot.reading) != before
    schedule = inquiry.schedule.succeeded(inquiry.now, changed=has_changed)
    inquiry.schedule = schedule.replace(problem=find_disagreement(inquiry.environ) or problem)
    return "refreshed"


def _turn_to_account(inquiry: Inquiry, settings: Settings) -> None:
    """Start afresh when another account is signed in; a pause that one profile met holds for all of the account's."""
    cache, account = inquiry.cache, inquiry.account
    before = inquiry.schedule.account
    if account.id != before.id or not account.may_be(before):
        # Nothing of the account before is shown or waited for.
        cache.forget_others(account, before)
        since = inquiry.now if before.id is not None else None
        schedule = Schedule(account_id=account.id, organization_id=account.organization_id, account_since=since)
        inquiry.snapshot = Snapshot(stated=cache.load_statements(), schedule=schedule)
        publish(cache, settings, inquiry.snapshot.replace(schedule=schedule.begun(inquiry.now)), inquiry.now)
    elif account.organization_id is None:
        account = inquiry.account = account.replace(organization_id=before.organization_id)
    elif before.organization_id is None:
        inquiry.schedule = inquiry.schedule.replace(organization_id=account.organization_id)
    shared = AccountCache(inquiry.environ, account)
    shared.take_over()
    pauses = (inquiry.schedule.hold_until, shared.load_hold())
    holds = [hold for hold in pauses if hold is not None and hold > inquiry.now]
    inquiry.schedule = inquiry.schedule.replace(hold_until=max(holds, default=None))


def _mark_means(settings: Settings, environ: Mapping[str, str]) -> str:
    from ullage.refresh import mending

    return mending.mark_means(settings, environ)


def _fail(inquiry: Inquiry, settings: Settings, error: SourceError) -> Result:
    schedule = inquiry.schedule.begun(inquiry.now).failed(error, inquiry.now, _jitter)
    if error.code == "claude_missing":
        # Nothing was started.
        schedule = schedule.replace(spawned_at=None)
    inquiry.schedule = schedule.replace(means=_mark_means(settings, inquiry.environ))
    if inquiry.schedule.hold_until is not None:
        AccountCache(inquiry.environ, inquiry.schedule.account).save_hold(inquiry.schedule.hold_until)
    return "failed"


def _numbers(reading: Reading | None) -> object:
    """Return the numbers whose change a person would notice: no statement's time, no reset that moved by seconds."""
    if reading is None:
        return None
    credits = reading.credits.replace(as_of=None) if reading.credits else None
    return [(window.id, window.used_percent, window.severity) for window in reading.windows], credits


def _jitter(ceiling: float) -> float:
    import random

    return random.uniform(0, ceiling)

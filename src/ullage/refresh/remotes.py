"""Ask other machines for their readings: all at the same time, each at most once a minute, whichever profile asks."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from ullage.base.dates import UTC, datetime, timedelta
from ullage.base.errors import SourceError, UllageError, describe_fault
from ullage.quota.model import Problem, is_remote
from ullage.quota.remotes import SHORTEST_PAUSE, choose_readings, find_own_account
from ullage.sources import remote as source
from ullage.sources.remote import Exchange
from ullage.store import statements
from ullage.store.remotes import RemoteStore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ullage.config import Settings
    from ullage.config.outside import Remote
    from ullage.quota.model import Account, Reading
    from ullage.quota.remotes import RemoteAnswer
    from ullage.refresh.ask import Inquiry
    from ullage.store.cache import ProfileCache, Snapshot

# The highest count of failures in a row, and of answers that bring nothing new.
_MOST = 16


def ask_due(inquiry: Inquiry, settings: Settings, environ: Mapping[str, str]) -> Problem | None:
    """Ask each machine that is due, take over the readings of this profile's account, and return the first problem.

    `environ` holds the variables of access tokens. The inquiry's snapshot then has the readings, and its schedule the
    time at which a machine may be asked again. A failure is kept with the machine's answer and stops no other source.
    """
    store = RemoteStore(inquiry.cache.environ)
    due = [remote for remote in settings.remotes if store.load(remote.name).may_ask(inquiry.now, early=inquiry.force)]
    if due:
        # Moved on before anything slow, as for any source.
        inquiry.schedule = inquiry.schedule.replace(remotes_at=inquiry.now + SHORTEST_PAUSE)
        inquiry.note_schedule()
        ask_all(due, settings, environ, store, inquiry.now)
    answers = store.load_all([remote.name for remote in settings.remotes])
    for name in [answer.name for answer in answers[len(settings.remotes) :] if answer.is_over(inquiry.now)]:
        store.forget(name)
    inquiry.snapshot = take_over(inquiry.cache, inquiry.snapshot, answers, inquiry.account)
    asked = answers[: len(settings.remotes)]
    turns = [answer.find_next_turn() or inquiry.now for answer in asked]
    inquiry.schedule = inquiry.schedule.replace(remotes_at=min(turns, default=None))
    # A machine that pushes reports its failures itself.
    return next((answer.problem for answer in asked if answer.problem), None)


def ask_all(
    remotes: Sequence[Remote], settings: Settings, environ: Mapping[str, str], store: RemoteStore, now: datetime
) -> list[RemoteAnswer]:
    """Ask these machines at the same time; keep and return the answer or the problem of each.

    A machine that another process asks at this moment is left to that process.
    """
    with ThreadPoolExecutor(max_workers=len(remotes)) as pool:
        asked = [pool.submit(_ask_alone, remote, settings, environ, store, now) for remote in remotes]
        return [each.result() for each in asked]


def take_over(cache: ProfileCache, snapshot: Snapshot, answers: Sequence[RemoteAnswer], signed_in: Account) -> Snapshot:
    """Replace a profile's statements of other machines by those that count for its account; return the new snapshot."""
    now = datetime.now(UTC)
    account = find_own_account(signed_in, snapshot.stated.statements)
    chosen = {statements.name_file(each.source): each for each in choose_readings(answers, account, now)}
    before = {name: each for name, each in snapshot.stated.files.items() if is_remote(each.source)}
    changed = {name: each for name, each in chosen.items() if before.get(name) != each}
    gone = [name for name in before if name not in chosen]
    if not changed and not gone:
        return snapshot
    for each in changed.values():
        cache.save_reading(each)
    for name in gone:
        cache.forget(name)
    return snapshot.replace(stated=cache.load_statements())


def _ask_alone(
    remote: Remote, settings: Settings, environ: Mapping[str, str], store: RemoteStore, now: datetime
) -> RemoteAnswer:
    with store.lock(remote.name) as alone:
        before = store.load(remote.name)
        # Another profile may have asked between the look and the lock.
        if not alone or not before.may_ask(now, early=True):
            return before
        begun = before.replace(asked_at=now, is_received=False)
        # Kept before the question: after a process that dies while it asks, the machine has its pause too.
        store.save(begun)
        answer = _ask(remote, settings, environ, begun)
        store.save(answer)
        return answer


def _ask(remote: Remote, settings: Settings, environ: Mapping[str, str], begun: RemoteAnswer) -> RemoteAnswer:
    assert begun.asked_at is not None
    foreign = {name for name in settings.key_variables if name != remote.token.variable}
    given = {name: value for name, value in environ.items() if name not in foreign}
    started = time.monotonic()
    try:
        document = source.fetch_document(remote, given)
        took = timedelta(seconds=time.monotonic() - started)
        exchange = Exchange(asked_at=begun.asked_at, answered_at=begun.asked_at + took)
        return update_answer(begun, source.parse(document, remote.name, exchange))
    except UllageError as error:
        code = error.code if isinstance(error, SourceError) else "remote_misnamed"
        problem = Problem(code=code, message=str(error))
    except Exception as error:
        # No answer of another machine may stop the other sources.
        problem = Problem(code="remote_fault", message=f"ullage {describe_fault(error)}")
    return begun.replace(failures=min(begun.failures + 1, _MOST), problem=problem)


def update_answer(before: RemoteAnswer, readings: tuple[Reading, ...]) -> RemoteAnswer:
    """Return a machine's answer with these readings; for each account, the earlier reading stays where it is newer."""
    kept = tuple(_newer(reading, before.readings) for reading in readings)
    problem = next((reading.problem for reading in kept if reading.problem), None)
    # The problem of a wrong clock changes with every answer.
    is_same = _without_problems(kept) == _without_problems(before.readings)
    unchanged = min(before.unchanged + 1, _MOST) if is_same else 0
    return before.replace(readings=kept, problem=problem, failures=0, unchanged=unchanged)


def _without_problems(readings: Sequence[Reading]) -> list[Reading]:
    return [reading.replace(problem=None) for reading in readings]


def _newer(reading: Reading, before: Sequence[Reading]) -> Reading:
    """Return a reading, or the machine's earlier reading of the same account where that is newer."""
    same = [each for each in before if each.account == reading.account and each.as_of > reading.as_of]
    return max([reading, *same], key=lambda each: each.as_of)

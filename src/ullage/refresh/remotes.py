"""Other machines, asked for what they know: each at most once a minute, all at once, whichever profile asks."""

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

    from ullage.config import Remote, Settings
    from ullage.quota.model import Account, Reading
    from ullage.quota.remotes import RemoteAnswer
    from ullage.refresh.ask import Inquiry
    from ullage.store.cache import ProfileCache, Snapshot

# What is counted of failures, and of answers that bring nothing new.
_MOST = 16


def hear(inquiry: Inquiry, settings: Settings, environ: Mapping[str, str]) -> Problem | None:
    """Ask every machine whose turn it is, take over what is of this profile's account, and return what went wrong.

    `environ` holds the variables of access tokens. The inquiry's snapshot then knows what was said, and its schedule
    when a machine may be asked again. A machine that fails is noted with its answers and stops nothing.
    """
    store = RemoteStore(inquiry.cache.environ)
    due = [remote for remote in settings.remotes if _may_ask(store.load(remote.name), inquiry)]
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
    # What goes wrong with a machine that tells by itself is seen there.
    return next((answer.problem for answer in asked if answer.problem), None)


def ask_all(
    remotes: Sequence[Remote], settings: Settings, environ: Mapping[str, str], store: RemoteStore, now: datetime
) -> list[RemoteAnswer]:
    """Ask these machines at the same time, and keep and return what each said or why it did not.

    One that another process asks at this moment is not asked.
    """
    with ThreadPoolExecutor(max_workers=len(remotes)) as pool:
        asked = [pool.submit(_ask_alone, remote, settings, environ, store, now) for remote in remotes]
        return [each.result() for each in asked]


def take_over(cache: ProfileCache, snapshot: Snapshot, answers: Sequence[RemoteAnswer], signed_in: Account) -> Snapshot:
    """Let the statements of a profile be what other machines say of its account; return what is known then."""
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


def _may_ask(answer: RemoteAnswer, inquiry: Inquiry) -> bool:
    return answer.may_ask(inquiry.now, early=inquiry.force)


def _ask_alone(
    remote: Remote, settings: Settings, environ: Mapping[str, str], store: RemoteStore, now: datetime
) -> RemoteAnswer:
    with store.lock(remote.name) as alone:
        before = store.load(remote.name)
        # Another profile may have asked between the look and the lock.
        if not alone or not before.may_ask(now, early=True):
            return before
        begun = before.replace(asked_at=now, is_received=False)
        # One that dies while it asks leaves the machine alone for a while, too.
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
        # Whatever a machine may say, it stops no other source.
        problem = Problem(code="remote_fault", message=f"ullage {describe_fault(error)}")
    return begun.replace(failures=min(begun.failures + 1, _MOST), problem=problem)


def update_answer(before: RemoteAnswer, readings: tuple[Reading, ...]) -> RemoteAnswer:
    """Return a machine's answer with what it says now; what it said of an account before goes where it was newer."""
    kept = tuple(_newer(reading, before.readings) for reading in readings)
    problem = next((reading.problem for reading in kept if reading.problem), None)
    # What is said of clocks changes by itself.
    is_same = _without_problems(kept) == _without_problems(before.readings)
    unchanged = min(before.unchanged + 1, _MOST) if is_same else 0
    return before.replace(readings=kept, problem=problem, failures=0, unchanged=unchanged)


def _without_problems(readings: Sequence[Reading]) -> list[Reading]:
    return [reading.replace(problem=None) for reading in readings]


def _newer(reading: Reading, before: Sequence[Reading]) -> Reading:
    """Return a reading, or what the machine said of the same account before where that was said later."""
    same = [each for each in before if each.account == reading.account and each.as_of > reading.as_of]
    return max([reading, *same], key=lambda each: each.as_of)

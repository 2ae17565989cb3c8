"""Choose which statements of other machines count for a profile. Pure; the order of arrival does not matter.

A profile shows one account: the one that is signed in, or that its own sources name. Where none of them names any, it
is the account of the first machine in the person's own order that knows one. Statements about other accounts are shown
by `usage --all` alone.
"""

from __future__ import annotations

from ullage.base.dates import timedelta
from ullage.base.record import Record
from ullage.quota.model import CLOCK_SLACK, REMOTE_PREFIX, Account, is_remote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from ullage.quota.model import Problem, Reading

SHORTEST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE_UNCHANGED = timedelta(minutes=5)
LONGEST_PAUSE_FAILING = timedelta(minutes=10)
# A machine that has said nothing for so long does not decide whose numbers are shown.
_SILENT_AFTER = timedelta(hours=6)
_LONGEST_SILENCE = timedelta(days=8)
_MOST_DOUBLINGS = 8


class RemoteAnswer(Record):
    """One machine's last answer: a reading for each account, when it was asked, and the problem that it met then.

    `is_received` is true where `ullage receive` took it in, so that no refresh asks for it. `unchanged` and `failures`
    count the latest questions in a row that brought nothing new, or no answer.
    """

    name: str
    asked_at: datetime | None = None
    readings: tuple[Reading, ...] = ()
    problem: Problem | None = None
    unchanged: int = 0
    failures: int = 0
    is_received: bool = False

    def find_next_turn(self) -> datetime | None:
        """Return when the machine may be asked again; None for at once."""
        if self.asked_at is None:
            return None
        doublings = min(self.failures or self.unchanged, _MOST_DOUBLINGS)
        longest = LONGEST_PAUSE_FAILING if self.failures else LONGEST_PAUSE_UNCHANGED
        return self.asked_at + min(SHORTEST_PAUSE * (1 << doublings), longest)

    def is_over(self, now: datetime) -> bool:
        """Say whether a machine that pushes has been silent for so long that every window of its has reset."""
        return self.is_received and self.asked_at is not None and now - self.asked_at > _LONGEST_SILENCE

    def may_ask(self, now: datetime, *, early: bool = False) -> bool:
        """Say whether it may be asked now; `early` for a person who asks for it, never twice in a minute."""
        if self.asked_at is None or self.asked_at > now + CLOCK_SLACK:
            return True
        due = self.asked_at + SHORTEST_PAUSE if early else self.find_next_turn()
        return due is None or now >= due


def name_source(name: str) -> str:
    """Return the source that the statements of a machine are tagged with."""
    return REMOTE_PREFIX + name


def name_machine(source: str) -> str:
    """Return the name of the machine that a statement is tagged with."""
    return source.removeprefix(REMOTE_PREFIX)


def is_of(reading: Reading, account: Account) -> bool:
    """Say whether a statement is of an account; a statement without an account id is of no known account."""
    return reading.account.id == account.id and reading.account.may_be(account)


def choose_readings(answers: Sequence[RemoteAnswer], account: Account, now: datetime) -> tuple[Reading, ...]:
    """Return the readings that count for a profile of this account, one a machine; `answers` in the person's order."""
    anchor = account if account.id is not None else _first_account(answers, now)
    if anchor is None:
        return ()
    chosen = (_newest(reading for reading in answer.readings if is_of(reading, anchor)) for answer in answers)
    return tuple(reading for reading in chosen if reading is not None)


def find_own_account(signed_in: Account, statements: Iterable[Reading]) -> Account:
    """Return the account whose numbers a profile shows: the signed-in one, else that of its sources' last statement."""
    if signed_in.id is not None:
        return signed_in
    own = [each for each in statements if not is_remote(each.source) and each.account.id is not None]
    newest = _newest(own)
    return newest.account if newest else Account()


def group_accounts(answers: Iterable[RemoteAnswer]) -> list[list[Reading]]:
    """Return all readings grouped by account; each without an account id is a group of its own."""
    groups: list[list[Reading]] = []
    readings = [reading for answer in answers for reading in answer.readings]
    # Readings that name their organisation come first, so that those that do not can join them.
    for reading in sorted(readings, key=lambda each: (each.account.organization_id is None, each.source)):
        mine = (group for group in groups if is_of(reading, group[0].account) and reading.account.id is not None)
        group = next(mine, None)
        if group is None:
            groups.append([reading])
        else:
            group.append(reading)
    return groups


def _first_account(answers: Sequence[RemoteAnswer], now: datetime) -> Account | None:
    known = [reading for answer in answers for reading in answer.readings]
    named = [reading for reading in known if reading.account.id is not None] or known
    heard = [reading for reading in named if now - reading.as_of < _SILENT_AFTER] or named
    return heard[0].account if heard else None


def _newest(readings: Iterable[Reading]) -> Reading | None:
    return max(readings, key=lambda each: (each.as_of, repr(each)), default=None)

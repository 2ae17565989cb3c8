"""Whose numbers a profile shows when several machines tell, and how often each is asked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.samples import NOW, reading, window
from ullage.quota.merge import merge
from ullage.quota.model import Account, Problem, Reading
from ullage.quota.remotes import (
    RemoteAnswer,
    choose_readings,
    find_own_account,
    group_accounts,
    name_source,
)

ONE, TWO = Account(id="one", organization_id="o"), Account(id="two")
MACHINES = ("a", "b", "c", "d", "e")


def told(name: str, account: Account = ONE, used: float = 10.0, age: float = 0) -> RemoteAnswer:
    as_of, source = NOW - timedelta(minutes=age), name_source(name)
    stated = window(used=used, as_of=as_of, source=source)
    return RemoteAnswer(name=name, readings=(reading(stated, account=account, source=source, as_of=as_of),))


def test_what_another_account_tells_does_not_count_here() -> None:
    answers = [told("a", TWO), told("b", ONE), told("c", Account())]
    assert [each.source for each in choose_readings(answers, Account(id="one"), NOW)] == ["remote:b"]
    assert choose_readings(answers, Account(id="three"), NOW) == ()


def test_where_nobody_is_signed_in_the_first_machine_decides() -> None:
    answers = [told("a", Account()), told("b", TWO), told("c", ONE), told("d", TWO)]
    assert [each.source for each in choose_readings(answers, Account(), NOW)] == ["remote:b", "remote:d"]
    silent = [told("a", ONE, age=600), told("b", TWO)]
    assert [each.source for each in choose_readings(silent, Account(), NOW)] == ["remote:b"]
    assert [each.source for each in choose_readings(silent[:1], Account(), NOW)] == ["remote:a"]
    assert [each.source for each in choose_readings([told("a", Account())], Account(), NOW)] == ["remote:a"]
    assert choose_readings([], Account(), NOW) == ()


def test_what_the_profiles_own_sources_name_is_its_account() -> None:
    [other] = told("a", TWO).readings
    own = reading(window(), account=ONE)
    assert find_own_account(Account(), [other, own]) == ONE
    assert find_own_account(TWO, [own]) == TWO
    assert find_own_account(Account(), [other]) == Account()


def test_an_account_is_grouped_once_with_all_that_tell_of_it() -> None:
    answers = [told("a"), told("b", Account(id="one")), told("c", TWO), told("d", Account()), told("e", Account())]
    groups = sorted(sorted(each.source for each in group) for group in group_accounts(answers))
    assert groups == [["remote:a", "remote:b"], ["remote:c"], ["remote:d"], ["remote:e"]]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([None, 0.0, 12.5, 40.0, 41.0, 100.0]), st.integers(0, 400), st.booleans()),
        min_size=5,
        max_size=5,
    ).flatmap(lambda each: st.tuples(st.just(each), st.permutations(range(5)), st.permutations(range(5))))
)
def test_five_machines_in_any_order_come_to_the_same(
    drawn: tuple[list[tuple[float | None, int, bool]], list[int], list[int]],
) -> None:
    stated, one_order, other_order = drawn
    said: list[Reading] = []
    for name, (used, age, is_heard) in zip(MACHINES, stated, strict=True):
        [known] = told(name, age=age).readings
        windows = tuple(each.replace(used_percent=used, is_heard=is_heard) for each in known.windows)
        said.append(known.replace(windows=windows, is_heard=is_heard))
    own = reading(window(used=11.0, as_of=NOW - timedelta(minutes=9)), account=ONE, as_of=NOW - timedelta(minutes=9))
    known_by = [RemoteAnswer(name=name, readings=(each,)) for name, each in zip(MACHINES, said, strict=True)]
    results = [
        merge([own, *choose_readings([known_by[place] for place in order], ONE, NOW)])
        for order in (one_order, other_order)
    ]
    assert results[0] == results[1]
    assert results[0] is not None
    # The same said once more changes nothing.
    assert merge([own, *said, *said]) == results[0]


@pytest.mark.parametrize(
    ("unchanged", "failures", "minutes"), [(0, 0, 1), (1, 0, 2), (9, 0, 5), (0, 1, 2), (0, 3, 8), (4, 16, 10)]
)
def test_a_machine_is_asked_less_and_less_while_nothing_comes_of_it(
    unchanged: int, failures: int, minutes: int
) -> None:
    answer = RemoteAnswer(name="a", asked_at=NOW, unchanged=unchanged, failures=failures)
    due = NOW + timedelta(minutes=minutes)
    assert answer.find_next_turn() == due
    assert not answer.may_ask(due - timedelta(seconds=1))
    assert answer.may_ask(due)
    assert not answer.may_ask(NOW + timedelta(seconds=59), early=True)
    assert answer.may_ask(NOW + timedelta(seconds=60), early=True)


def test_a_machine_that_told_by_itself_is_forgotten_after_its_longest_window() -> None:
    received = RemoteAnswer(name="a", asked_at=NOW, is_received=True)
    assert not received.is_over(NOW + timedelta(days=8))
    assert received.is_over(NOW + timedelta(days=8, seconds=1))
    assert not received.replace(is_received=False).is_over(NOW + timedelta(days=99))


def test_a_question_from_the_future_was_dated_by_a_wrong_clock() -> None:
    assert RemoteAnswer(name="a", asked_at=NOW + timedelta(hours=1)).may_ask(NOW)
    assert RemoteAnswer(name="a", problem=Problem(code="remote_late", message="…")).may_ask(NOW)

"""When to ask again: politely, and never so late that a machine stays silent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.samples import NOW, moments, reading, window
from ullage.base.errors import SourceError
from ullage.quota.model import Problem, Thresholds
from ullage.quota.schedule import LONGEST_REFRESH, Schedule

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
FAILURE = SourceError("server_error", "The server has a fault.", reached_server=True)
LOCAL = SourceError("token_missing", "There is no token.")


def refused(wait: timedelta | None) -> SourceError:
    retry_at = None if wait is None else NOW + wait
    return SourceError("rate_limited", "Fewer questions, please.", reached_server=True, retry_at=retry_at)


def most(ceiling: float) -> float:
    return ceiling


def least(ceiling: float) -> float:
    return 0.0 * ceiling


def after(schedule: Schedule) -> tuple[timedelta, timedelta]:
    assert schedule.refresh_at is not None
    assert schedule.idle_refresh_at is not None
    return schedule.refresh_at - NOW, schedule.idle_refresh_at - NOW


def succeeding(*changes: bool) -> Schedule:
    schedule = Schedule().begun(NOW)
    for changed in changes:
        schedule = schedule.succeeded(NOW, changed=changed)
    return schedule


@pytest.mark.parametrize(
    ("changes", "attended", "idle"),
    [
        ([True], 5, 5),
        ([True, False], 10, 10),
        ([True, False, False], 13, 20),
        ([True, False, False, False], 13, 40),
        ([True, False, False, False, False], 13, 60),
        ([True] + [False] * 50, 13, 60),
        ([True] + [False] * 50 + [True], 5, 5),
    ],
)
def test_cadence_stretches_while_nothing_changes(changes: list[bool], attended: int, idle: int) -> None:
    assert after(succeeding(*changes)) == (attended * MINUTE, idle * MINUTE)


def test_beginning_moves_the_next_attempt_on_and_forgets_nothing() -> None:
    held = Schedule(hold_until=NOW + DAY, failures=3, unchanged=2, account_id="a1b2", idle_refresh_at=NOW)
    begun = held.begun(NOW)
    assert begun == held.replace(attempted_at=NOW, refresh_at=NOW + 5 * MINUTE, idle_refresh_at=NOW + 5 * MINUTE)


def test_success_forgets_failures_holds_and_problems() -> None:
    failing = Schedule(account_id="a1b2").begun(NOW).failed(refused(DAY), NOW, most)
    schedule = failing.succeeded(NOW, changed=True)
    assert (schedule.failures, schedule.hold_until, schedule.problem, schedule.account_id) == (0, None, None, "a1b2")


@pytest.mark.parametrize(
    ("error", "failures", "shortest", "longest"),
    [
        (FAILURE, 1, 5, 5),
        (FAILURE, 2, 5, 10),
        (FAILURE, 3, 5, 20),
        (FAILURE, 4, 5, 40),
        (FAILURE, 5, 5, 60),
        (FAILURE, 40, 5, 60),
        (LOCAL, 1, 1, 1),
        (LOCAL, 2, 1, 2),
        (LOCAL, 4, 1, 8),
        (LOCAL, 5, 1, 10),
        (LOCAL, 40, 1, 10),
    ],
)
def test_backoff_grows_to_its_bounds(error: SourceError, failures: int, shortest: int, longest: int) -> None:
    for jitter, minutes in ((least, shortest), (most, longest)):
        schedule = Schedule()
        for _ in range(failures):
            schedule = schedule.failed(error, NOW, jitter)
        # What failed here is tried again in a minute for a person who looks.
        assert after(schedule) == ((1 if error is LOCAL else minutes) * MINUTE, minutes * MINUTE)


@given(st.integers(0, 16), st.floats(0, 1), st.booleans())
def test_jitter_stays_within_its_bounds(failures: int, share: float, local: bool) -> None:
    schedule = Schedule(failures=failures).failed(LOCAL if local else FAILURE, NOW, lambda top: top * share)
    shortest, longest = (1, 10) if local else (5, 60)
    assert shortest * MINUTE <= after(schedule)[0] <= longest * MINUTE


@pytest.mark.parametrize(
    ("wait", "minutes"),
    [
        (None, 5),
        (timedelta(0), 5),
        (-DAY, 5),
        (timedelta(seconds=272), 5),
        (12 * MINUTE, 12),
        (timedelta(seconds=51811), 51811 / 60),
        (DAY, 24 * 60),
        (400 * DAY, 24 * 60),
    ],
)
def test_what_the_server_asks_for_is_honoured_up_to_a_day(wait: timedelta | None, minutes: float) -> None:
    schedule = Schedule().begun(NOW).failed(refused(wait), NOW, least)
    retry_at = NOW + minutes * MINUTE
    assert after(schedule) == (minutes * MINUTE, minutes * MINUTE)
    assert schedule.hold_until == retry_at
    assert schedule.problem == Problem(code="rate_limited", message="Fewer questions, please.", retry_at=retry_at)
    assert schedule.is_held(NOW)
    assert schedule.is_held(retry_at - timedelta(seconds=1))
    assert not schedule.is_held(retry_at)


def test_after_more_refusals_backoff_outlasts_a_short_wish() -> None:
    schedule = Schedule(failures=3).failed(refused(12 * MINUTE), NOW, most)
    assert after(schedule)[0] == 40 * MINUTE


def test_a_server_with_a_fault_may_ask_for_a_pause_too() -> None:
    error = SourceError("server_error", "Busy.", reached_server=True, retry_at=NOW + 30 * MINUTE)
    schedule = Schedule().failed(error, NOW, least)
    assert after(schedule)[0] == 30 * MINUTE
    assert schedule.is_held(NOW + 29 * MINUTE)
    assert not Schedule().failed(FAILURE, NOW, least).is_held(NOW)


def test_a_clock_that_was_set_back_neither_holds_nor_silences() -> None:
    schedule = Schedule().begun(NOW).failed(refused(DAY), NOW, least)
    long_ago = NOW - 365 * DAY
    assert not schedule.is_held(long_ago)
    assert schedule.is_due(None, long_ago)


def test_a_clock_that_was_set_by_seconds_changes_nothing() -> None:
    assert not succeeding(True).is_due(None, NOW - timedelta(seconds=30))


def test_who_has_never_asked_asks_at_once() -> None:
    assert Schedule().is_due(None, NOW)
    assert Schedule().find_due(reading(window())) is None


@pytest.mark.parametrize(
    ("resets", "attended", "idle"),
    [
        pytest.param([], 13, 60, id="none"),
        pytest.param([7 * MINUTE], 7, 7, id="soon"),
        pytest.param([2 * MINUTE], 5, 5, id="sooner than the server allows"),
        pytest.param([-2 * MINUTE], 13, 60, id="past when it was read: the server's own lag"),
        pytest.param([30 * MINUTE, 90 * MINUTE], 13, 30, id="later than a person waits"),
        pytest.param([90 * MINUTE], 13, 60, id="late"),
    ],
)
def test_a_reset_makes_a_refresh_due(resets: list[timedelta], attended: int, idle: int) -> None:
    schedule = succeeding(*[True] + [False] * 9)
    known = reading(
        *(window(f"kind_{n}", resets_at=NOW + each) for n, each in enumerate(resets)), window(resets_at=None)
    )
    assert schedule.find_due(known) == NOW + attended * MINUTE
    assert schedule.find_due(known, attended=False) == NOW + idle * MINUTE
    assert not schedule.is_due(known, NOW + attended * MINUTE - timedelta(microseconds=1))
    assert schedule.is_due(known, NOW + attended * MINUTE)


def test_who_looks_on_has_the_next_answer_before_the_number_is_old() -> None:
    last = succeeding(True, *[False] * 9).refresh_at
    assert last is not None
    assert last - NOW + LONGEST_REFRESH <= Thresholds().stale_after


def test_a_reset_does_not_shorten_a_backoff() -> None:
    schedule = Schedule(failures=4).begun(NOW).failed(FAILURE, NOW, most)
    assert schedule.find_due(reading(window(resets_at=NOW + 6 * MINUTE))) == NOW + 60 * MINUTE


@given(st.lists(st.booleans(), max_size=6), st.none() | moments(NOW, NOW + DAY))
def test_two_requests_are_five_minutes_apart(changes: list[bool], reset: datetime | None) -> None:
    due = succeeding(*changes).find_due(reading(window(resets_at=reset)))
    assert due is not None
    assert 5 * MINUTE <= due - NOW <= 13 * MINUTE


@pytest.mark.parametrize(
    ("changes", "minutes"),
    [
        ({"idle_refresh_at": NOW + timedelta(minutes=40)}, 42),
        ({"idle_refresh_at": NOW + timedelta(minutes=60)}, 62),
        ({"idle_refresh_at": NOW + timedelta(days=9)}, 62),
        ({"idle_refresh_at": NOW + timedelta(minutes=5)}, 15),
        ({"idle_refresh_at": None}, 15),
        ({"idle_refresh_at": NOW + timedelta(minutes=40), "failures": 1}, 15),
        ({"idle_refresh_at": NOW + timedelta(minutes=40), "hold_until": NOW + timedelta(minutes=40)}, 15),
    ],
)
def test_where_nobody_asks_a_number_is_old_once_its_next_refresh_is_overdue(
    changes: dict[str, Any], minutes: int
) -> None:
    known = reading(window())
    adapted = Schedule(attempted_at=NOW, **changes).adapt_thresholds(Thresholds(), known)
    assert adapted.stale_after == timedelta(minutes=minutes)
    assert Schedule(**changes).adapt_thresholds(Thresholds(), None) == Thresholds()

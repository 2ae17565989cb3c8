"""Waiting by the wall clock, with a machine that sleeps in between."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.samples import NOW
from ullage.guard import waiting
from ullage.guard.waiting import WaitState

SECOND = timedelta(seconds=1)


class Machine:
    """A clock that a sleep moves on, by more than it was asked for where the machine was suspended meanwhile."""

    def __init__(self, *suspended: float) -> None:
        self.now = NOW
        self.slept: list[float] = []
        self._suspended = list(suspended)

    def clock(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds + (self._suspended.pop(0) if self._suspended else 0))


def wait(machine: Machine, until: datetime, deadline: datetime | None = None) -> WaitState:
    def look(now: datetime) -> WaitState:
        return WaitState(over=now >= until, words="", until=until)

    return waiting.wait_until(look, deadline=deadline, clock=machine.clock, sleep=machine.sleep)


def test_it_ends_at_the_moment_that_is_waited_for() -> None:
    machine = Machine()
    assert wait(machine, NOW + 63 * SECOND).over
    assert machine.now == NOW + 63 * SECOND


def test_what_is_over_already_is_not_waited_for() -> None:
    machine = Machine()
    assert wait(machine, NOW).over
    assert machine.slept == []


@given(st.lists(st.floats(0, 90000), max_size=20), st.integers(1, 7200))
def test_a_suspended_machine_is_at_most_one_step_late(suspended: list[float], seconds: int) -> None:
    machine = Machine(*suspended)
    until = NOW + seconds * SECOND
    assert wait(machine, until).over
    # The sleep in which the time came may have been a suspended one; none is begun after that.
    assert machine.now - timedelta(seconds=machine.slept[-1]) - timedelta(seconds=max([0, *suspended])) <= until
    assert max(machine.slept) <= waiting.QUIET_STEP.total_seconds()


@pytest.mark.parametrize("suspended", [(), (0, 3600)])
def test_a_deadline_ends_it_undone(suspended: tuple[float, ...]) -> None:
    machine = Machine(*suspended)
    assert not wait(machine, NOW + timedelta(days=2), deadline=NOW + 12 * SECOND).over
    assert machine.now >= NOW + 12 * SECOND
    assert len(machine.slept) <= 4


def test_a_deadline_that_has_passed_allows_one_look() -> None:
    assert not wait(Machine(), NOW + SECOND, deadline=NOW).over
    assert wait(Machine(), NOW, deadline=NOW - SECOND).over


def test_a_clock_that_is_set_back_lengthens_the_wait_without_a_rush() -> None:
    machine = Machine(0, -600)
    assert wait(machine, NOW + 60 * SECOND).over
    assert len(machine.slept) == pytest.approx(660 / 5, abs=2)


def test_every_look_is_shown_until_it_is_over() -> None:
    machine, shown = Machine(), []
    waiting.wait_until(
        lambda now: WaitState(over=now >= NOW + 3 * SECOND, words="soon"),
        longest=SECOND,
        show=lambda look, now: shown.append((look.words, now - NOW)),
        clock=machine.clock,
        sleep=machine.sleep,
    )
    assert shown == [("soon", 0 * SECOND), ("soon", 1 * SECOND), ("soon", 2 * SECOND)]

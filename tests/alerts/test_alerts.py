"""Which alerts are due: each once, none too late, none in quiet hours."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.samples import NOW, reading, readings, window
from ullage import alerts
from ullage.alerts import News, channels
from ullage.base.errors import UsageError
from ullage.config.wishes import QuietHours, Wishes, parse_quiet_hours
from ullage.quota.model import Problem, Reading, Thresholds
from ullage.quota.pace import Forecast
from ullage.quota.schedule import Schedule

if TYPE_CHECKING:
    from ullage.alerts import Alert, Mark

HOUR = timedelta(hours=1)
THRESHOLDS = Thresholds()
DAY = QuietHours(start=time(0), end=time(23, 59, 59), zone="UTC")


class Person:
    """Somebody who is told, with what they have been told so far."""

    def __init__(self, **wishes: object) -> None:
        self.wishes = Wishes(via=("bell",)).replace(**wishes)
        self.told: tuple[Mark, ...] = ()

    def hears(
        self,
        known: Reading | None,
        now: datetime = NOW,
        *,
        schedule: Schedule | None = None,
        forecast: Forecast | None = None,
    ) -> tuple[Alert, ...]:
        forecasts = {"five_hour": forecast} if forecast else {}
        news = News(reading=known, schedule=schedule or Schedule(), forecasts=forecasts, thresholds=THRESHOLDS, now=now)
        found, self.told = alerts.find_due(news, self.told, self.wishes)
        return found


def kinds(found: tuple[Alert, ...]) -> list[tuple[str, float | None]]:
    return [(alert.kind, alert.threshold) for alert in found]


def session(used: float | None, at: datetime = NOW, resets_at: datetime | None = NOW + 2 * HOUR) -> Reading:
    return reading(window("five_hour", used, as_of=at, resets_at=resets_at), as_of=at)


@pytest.mark.parametrize(
    ("used", "threshold"),
    [(0.0, None), (74.9, None), (75.0, 75.0), (89.99, 75.0), (90.0, 90.0), (100.0, 100.0), (104.0, 100.0)],
)
def test_the_highest_threshold_that_is_passed_is_told(used: float, threshold: float | None) -> None:
    expected = [] if threshold is None else [("threshold", threshold)]
    assert kinds(Person().hears(session(used))) == expected


def test_each_threshold_is_told_once_in_a_window() -> None:
    person = Person()
    heard = [
        kinds(person.hears(session(used, NOW + timedelta(minutes=minute)), NOW + timedelta(minutes=minute)))
        for minute, used in enumerate([50, 76, 80, 74, 76, 91, 91, 100, 100])
    ]
    told = [threshold for found in heard for _, threshold in found]
    assert told == [75.0, 90.0, 100.0]


def test_it_is_told_again_in_the_next_window_though_the_server_rounds_a_reset_differently() -> None:
    person, reset = Person(), NOW + 2 * HOUR
    assert person.hears(session(80.0, resets_at=reset))
    assert not person.hears(session(81.0, resets_at=reset + timedelta(seconds=3)))
    assert kinds(person.hears(session(80.0, NOW + 3 * HOUR, resets_at=reset + 5 * HOUR), NOW + 3 * HOUR)) == [
        ("threshold", 75.0)
    ]


def test_windows_are_told_each_for_itself_and_those_of_unknown_meaning_are_not() -> None:
    known = reading(window("five_hour", 80.0), window("seven_day", 95.0), window("tangelo", 100.0))
    heard = Person().hears(known)
    assert [(alert.window_id, alert.threshold) for alert in heard] == [("five_hour", 75.0), ("seven_day", 90.0)]


@pytest.mark.parametrize("known", [session(80.0, NOW - 7 * HOUR), session(80.0, resets_at=NOW), session(None), None])
def test_what_is_not_known_is_not_told(known: Reading | None) -> None:
    assert Person().hears(known) == ()


def test_a_window_that_is_missing_for_a_while_is_not_told_again() -> None:
    person = Person()
    assert person.hears(session(80.0))
    assert not person.hears(reading(window("seven_day", 3.0)))
    assert not person.hears(None)
    assert not person.hears(session(80.0))


def test_a_reset_is_told_to_those_who_were_blocked() -> None:
    person, reset = Person(), NOW + 2 * HOUR
    assert kinds(person.hears(session(100.0))) == [("threshold", 100.0)]
    assert not person.hears(session(100.0), reset - timedelta(seconds=1))
    assert kinds(person.hears(session(100.0), reset)) == [("reset", None)]
    assert not person.hears(session(100.0), reset + timedelta(minutes=5))
    after = session(1.0, reset + timedelta(minutes=6), resets_at=reset + 5 * HOUR)
    assert not person.hears(after, reset + timedelta(minutes=6))


def test_an_older_statement_of_another_profile_takes_nothing_back() -> None:
    person = Person()
    assert person.hears(session(100.0))
    for used in (70.0, 95.0, 100.0):
        assert not person.hears(session(used, NOW - HOUR))
        assert not person.hears(session(used, NOW - HOUR, resets_at=NOW - timedelta(minutes=1)))
    assert not person.hears(session(100.0))
    assert kinds(person.hears(session(1.0, NOW + HOUR, resets_at=NOW + 6 * HOUR), NOW + HOUR)) == [("reset", None)]


def test_a_reset_is_no_news_to_those_who_were_not_blocked_nor_after_half_a_day() -> None:
    person = Person()
    person.hears(session(99.0))
    assert not person.hears(session(99.0), NOW + 2 * HOUR)
    late = Person()
    late.hears(session(100.0))
    assert not late.hears(session(0.0, NOW + 20 * HOUR, resets_at=None), NOW + 20 * HOUR)


def test_a_reset_does_not_promise_room_while_another_window_is_used_up() -> None:
    week = window("seven_day", 100.0, resets_at=NOW + 48 * HOUR)
    both = reading(window("five_hour", 100.0), week)
    person = Person()
    person.hears(both)
    [alert] = person.hears(both, NOW + 3 * HOUR)
    assert (alert.kind, alert.message) == ("reset", "Another window is still used up.")


SURE = Forecast(ratio=2.0, projected_percent=140.0, exhausts_at=NOW + HOUR, exhausts_latest=NOW + 1.5 * HOUR)


@pytest.mark.parametrize(
    ("forecast", "used", "age", "heard"),
    [
        (SURE, 60.0, timedelta(0), [("forecast", None)]),
        (SURE.replace(exhausts_latest=None), 60.0, timedelta(0), []),
        (SURE.replace(exhausts_at=None), 60.0, timedelta(0), []),
        (SURE.replace(exhausts_at=NOW + 3 * HOUR), 60.0, timedelta(0), []),
        (SURE.replace(exhausts_at=NOW), 60.0, timedelta(0), []),
        (SURE, 60.0, timedelta(minutes=16), []),
        (None, 60.0, timedelta(0), []),
    ],
)
def test_running_out_is_told_when_it_is_all_but_sure(
    forecast: Forecast | None, used: float, age: timedelta, heard: list[tuple[str, float | None]]
) -> None:
    person = Person()
    assert kinds(person.hears(session(used, NOW - age), forecast=forecast)) == heard
    assert kinds(person.hears(session(used, NOW - age), forecast=forecast)) == []
    assert kinds(Person(forecast=False).hears(session(used), forecast=forecast)) == []


FAILING = Schedule(failures=3, problem=Problem(code="timeout", message="It fell\nsilent <b>."))


def test_failing_for_long_is_told_once_until_it_works_again() -> None:
    person, known = Person(), session(10.0)
    assert not person.hears(known, NOW + timedelta(minutes=59), schedule=FAILING)
    [alert] = person.hears(known, NOW + timedelta(minutes=60), schedule=FAILING)
    assert (alert.kind, alert.title, alert.message) == ("failing", "No new reading for 1h", "It fell silent <b>.")
    assert not person.hears(known, NOW + 5 * HOUR, schedule=FAILING)
    assert not person.hears(session(10.0, NOW + 6 * HOUR), NOW + 6 * HOUR)
    assert person.hears(session(10.0, NOW + 6 * HOUR), NOW + 9 * HOUR, schedule=FAILING)
    assert not Person(failing_after=None).hears(known, NOW + 9 * HOUR, schedule=FAILING)
    assert not Person().hears(None, NOW, schedule=FAILING)


def test_what_falls_into_quiet_hours_is_told_after_them_if_it_still_holds() -> None:
    person = Person(quiet=DAY)
    assert not person.hears(session(80.0), schedule=FAILING, forecast=SURE)
    assert person.told == ()
    person.wishes = person.wishes.replace(quiet=None)
    assert kinds(person.hears(session(80.0), forecast=SURE)) == [("threshold", 75.0), ("forecast", None)]


def test_having_been_blocked_in_quiet_hours_is_not_forgotten() -> None:
    person = Person(quiet=DAY)
    assert not person.hears(session(100.0))
    assert not person.hears(session(100.0), NOW + 2 * HOUR)
    person.wishes = person.wishes.replace(quiet=None)
    assert kinds(person.hears(session(100.0), NOW + 3 * HOUR)) == [("reset", None)]


@pytest.mark.parametrize(
    ("text", "covered", "free"),
    [
        ("22:00-07:00 UTC", ["22:00", "23:59", "00:00", "06:59"], ["07:00", "12:00", "21:59"]),
        ("9:00 - 17:30 UTC", ["09:00", "17:29"], ["08:59", "17:30", "00:00"]),
        # An hour ahead of UTC in November.
        ("22:00-07:00 Europe/Berlin", ["21:00", "05:59"], ["20:59", "06:00"]),
    ],
)
def test_quiet_hours_cover_their_times(text: str, covered: list[str], free: list[str]) -> None:
    quiet = parse_quiet_hours(text)
    assert quiet is not None
    day = {f"{hour:02}:{minute:02}": (hour, minute) for hour in range(24) for minute in range(60)}
    for when in (*covered, *free):
        hour, minute = day[when]
        assert quiet.cover(datetime(2026, 11, 22, hour, minute, tzinfo=UTC)) is (when in covered), when


def test_quiet_hours_follow_the_clocks_of_their_zone_over_a_change() -> None:
    quiet = parse_quiet_hours("22:00-07:00 Europe/Berlin")
    assert quiet is not None
    for day in (24, 25, 26):
        local = datetime(2026, 10, day, 6, 59, tzinfo=ZoneInfo("Europe/Berlin"))
        assert quiet.cover(local.astimezone(UTC))
        assert not quiet.cover(local.astimezone(UTC) + timedelta(minutes=1))


@given(st.text(max_size=30))
def test_any_quiet_hours_are_read_or_refused(text: str) -> None:
    try:
        parse_quiet_hours(text)
    except UsageError as error:
        assert str(error).isprintable()


@given(st.lists(st.tuples(readings(), st.integers(0, 600)), max_size=5))
def test_nothing_is_told_twice_whatever_comes(days: list[tuple[Reading, int]]) -> None:
    person, now, heard = Person(), NOW, set()
    for known, minutes in days:
        for alert in person.hears(known, now):
            each = (alert.kind, alert.window_id, alert.threshold, alert.resets_at)
            assert each not in heard
            heard.add(each)
            assert alert.title.isprintable()
            assert channels.describe_alert(alert).kind == alert.kind
        assert not person.hears(known, now)
        now += timedelta(minutes=minutes)

"""Windows of five hours: the server's where they are known, an estimate between them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ullage.quota.pace import Sample
from ullage.tokens import windows
from ullage.tokens.amounts import Amount
from ullage.tokens.windows import ESTIMATE, SERVER, WindowSpan

BEGIN = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
HOUR = 3_600_000


def at(hours: float) -> int:
    return round((BEGIN + timedelta(hours=hours)).timestamp() * 1000)


def sample(hours: float, resets: float | None, used: float = 10.0) -> Sample:
    moment = BEGIN + timedelta(hours=hours)
    return Sample(at=moment, used_percent=used, resets_at=None if resets is None else BEGIN + timedelta(hours=resets))


def amount(first: float, last: float | None = None) -> Amount:
    return Amount(
        slot=0,
        first_at=at(first),
        last_at=at(first if last is None else last),
        root=0,
        project="",
        session="",
        branch="",
        model="m",
        variant=0,
        responses=1,
        counts=(1, 0, 0, 0, 0, 0, 0),
    )


def spans(*amounts: Amount, ends: int | None = None) -> list[tuple[float, float, int]]:
    found = windows.estimate_windows(amounts, ends)
    return [((s.starts_at - at(0)) / HOUR, (s.ends_at - at(0)) / HOUR, len(a)) for s, a in found]


def test_a_window_ends_with_the_reset_that_the_server_told() -> None:
    told = windows.list_stated_windows([sample(1, 4.5, 10.0), sample(2, 4.51, 37.0)])
    assert told == [WindowSpan(starts_at=at(-0.49), ends_at=at(4.51), basis=SERVER, used_percent=37.0)]


def test_a_reset_that_is_not_told_makes_no_window() -> None:
    assert windows.list_stated_windows([sample(1, None)]) == []


def test_windows_do_not_reach_into_each_other() -> None:
    # A reset that came early.
    first, second = windows.list_stated_windows([sample(1, 5), sample(3, 8)])
    assert (first.starts_at, first.ends_at) == (at(0), at(5))
    assert (second.starts_at, second.ends_at) == (at(5), at(8))


def test_windows_that_drift_stay_apart() -> None:
    told = windows.list_stated_windows([sample(1, 5), sample(6, 10), sample(7, 9.95)])
    assert [(span.starts_at, span.ends_at) for span in told] == [(at(0), at(5)), (at(5), at(9.95))]


def test_what_no_window_covers_is_found() -> None:
    told = [
        WindowSpan(starts_at=at(2), ends_at=at(7), basis=SERVER),
        WindowSpan(starts_at=at(7), ends_at=at(12), basis=SERVER),
    ]
    assert windows.list_gaps(told, None, None) == [(None, at(2)), (at(12), None)]
    assert windows.list_gaps(told, at(3), at(11)) == []
    assert windows.list_gaps(told, at(0), at(20)) == [(at(0), at(2)), (at(12), at(20))]
    assert windows.list_gaps([], at(1), None) == [(at(1), None)]


def test_an_estimate_begins_with_the_hour_of_the_first_response() -> None:
    assert spans(amount(1.6), amount(4.2)) == [(1.0, 6.0, 2)]


def test_an_estimate_lasts_five_hours() -> None:
    assert spans(amount(1.6), amount(5.9), amount(6.3)) == [(1.0, 6.0, 2), (6.0, 11.0, 1)]


def test_an_estimate_ends_where_the_server_begins_a_window() -> None:
    assert spans(amount(1.6), ends=at(3.5)) == [(1.0, 3.5, 1)]
    (span, _), *_ = windows.estimate_windows([amount(1)])
    assert span.basis == ESTIMATE

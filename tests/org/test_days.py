"""Days of reports: what a person may write, and what the provider can tell."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ullage.base.errors import UsageError
from ullage.base.moments import parse_utc_day
from ullage.org import days, reports

TODAY = date(2026, 11, 27)
NOW = datetime(2026, 11, 27, 10, 38, 49, tzinfo=UTC)


def choose(since: str, until: str, report: reports.Report, width: str = "1d") -> days.Days:
    return days.choose_days(parse_utc_day(since, NOW), parse_utc_day(until, NOW), report, width, TODAY)


def test_a_range_includes_both_ends() -> None:
    chosen = choose("2026-11-20", "2026-11-22", reports.USAGE)
    assert list(chosen) == [date(2026, 11, 20), date(2026, 11, 21), date(2026, 11, 22)]
    assert chosen.notes == ()
    assert list(choose("1d", "today", reports.USAGE)) == [TODAY]


@pytest.mark.parametrize(
    ("since", "until", "report", "words"),
    [
        ("2026-11-22", "2026-11-20", reports.USAGE, "ends before that"),
        ("2026-11-28", "2026-11-30", reports.USAGE, "lies in the future"),
        ("2025-01-01", "2025-06-01", reports.PEOPLE_USAGE, "begins on 2026-01-01"),
    ],
)
def test_what_is_no_range(since: str, until: str, report: reports.Report, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        choose(since, until, report)


@pytest.mark.parametrize(
    ("since", "until", "report", "width", "first", "last", "words"),
    [
        ("7d", "2027-01-01", reports.USAGE, "1d", date(2026, 11, 21), TODAY, "ends today"),
        ("2020-01-01", "today", reports.COST, "1d", date(2025, 11, 27), TODAY, "366 days are the most"),
        ("60d", "today", reports.USAGE, "1h", date(2026, 10, 28), TODAY, "31 days are the most"),
        ("7d", "today", reports.USAGE, "1m", date(2026, 11, 26), TODAY, "2 days are the most"),
        ("2025-06-01", "2026-01-05", reports.PEOPLE_COST, "1d", date(2026, 1, 1), date(2026, 1, 5), "begins on"),
    ],
)
def test_what_is_cut_off_is_said(
    since: str, until: str, report: reports.Report, width: str, first: date, last: date, words: str
) -> None:
    chosen = choose(since, until, report, width)
    assert (chosen.first, chosen.last) == (first, last)
    [note] = chosen.notes
    assert words in note


def test_a_year_of_history_is_a_moving_one() -> None:
    later = date(2027, 6, 1)
    chosen = days.choose_days(date(2026, 1, 1), later, reports.PEOPLE_USAGE, "1d", later)
    assert chosen.first == later - timedelta(days=364)


@given(st.sets(st.integers(0, 90)), st.integers(1, 31))
def test_chunks_hold_each_day_once_and_no_other(numbers: set[int], most: int) -> None:
    wanted = [TODAY + timedelta(days=number) for number in sorted(numbers)]
    chunks = list(days.split_days(wanted, most))
    assert [day for first, last in chunks for day in days.Days(first=first, last=last)] == wanted
    assert all((last - first).days < most for first, last in chunks)


@pytest.mark.parametrize("report", reports.REPORTS, ids=lambda report: report.kind)
def test_no_request_is_larger_than_the_provider_takes(report: reports.Report) -> None:
    most = {"1d": 31, "1h": 168, "1m": 1440}
    for width, page in report.page.items():
        assert page <= (most[width] if report.kind in ("usage", "cost") else 1000)
        assert report.days[width] <= 31
        if report.kind in ("usage", "cost"):
            buckets = {"1d": 1, "1h": 24, "1m": 1440}[width] * report.days[width]
            assert buckets <= page

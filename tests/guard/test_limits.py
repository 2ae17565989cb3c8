"""Limits and lengths of time as people write them, and what is refused with words."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.samples import window, windows
from ullage.base.errors import UsageError
from ullage.guard import limits
from ullage.guard.limits import Limit, UnknownWindowError

if TYPE_CHECKING:
    from ullage.quota.model import Window

FOUR = (
    window("five_hour"),
    window("seven_day"),
    window("seven_day_fable"),
    window("tangelo"),
)


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("80", (None, 80.0)),
        ("80%", (None, 80.0)),
        (" 80 % ", (None, 80.0)),
        ("0", (None, 0.0)),
        ("1", (None, 1.0)),
        ("0.8%", (None, 0.8)),
        ("1.0%", (None, 1.0)),
        ("99.5", (None, 99.5)),
        ("1000", (None, 1000.0)),
        ("five_hour=80", ("five_hour", 80.0)),
        ("5h=80%", ("5h", 80.0)),
        ("Fable = 90 %", ("fable", 90.0)),
    ],
)
def test_a_limit_is_read(text: str, limit: tuple[str | None, float]) -> None:
    assert limits.parse_limit(text) == Limit(window=limit[0], percent=limit[1])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0.8", "Write 80 for 80 %, or 0.8% for 0.8 %."),
        ("five_hour=.5", "Write 50 for 50 %, or 0.5% for 0.5 %."),
        ("1.0", "Write 100 for 100 %, or 1% for 1 %."),
        ("1000.1", "more than 1000 %"),
        ("999999999", "more than 1000 %"),
        ("nan", "is not a percentage"),
        ("NaN%", "is not a percentage"),
        ("inf", "is not a percentage"),
        ("-1", "is not a percentage"),
        ("five_hour=-5%", "is not a percentage"),
        ("1e2", "is not a percentage"),
        ("1_0", "is not a percentage"),
        ("80%%", "is not a percentage"),
        ("８０", "is not a percentage"),
        ("80,5", "is not a percentage"),
        ("", "is not a percentage"),
        ("five_hour", "is not a percentage"),
        ("five_hour=", "is not a percentage"),
        ("=80", "names no window before the ="),
    ],
)
def test_what_is_no_limit_is_refused(text: str, words: str) -> None:
    with pytest.raises(UsageError) as refused:
        limits.parse_limit(text)
    assert words in str(refused.value)
    assert str(refused.value).isprintable()


@given(st.text())
def test_any_text_is_read_or_refused_in_one_printable_line(text: str) -> None:
    try:
        limit = limits.parse_limit(text)
    except UsageError as error:
        assert str(error).isprintable()
    else:
        assert 0 <= limit.percent <= 1000


@given(st.decimals(min_value="1.01", max_value=1000, places=2), st.sampled_from(["", "%", " %"]))
def test_a_number_means_itself(number: object, sign: str) -> None:
    assert limits.parse_percent(f"{number}{sign}") == float(str(number))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("45s", 45), ("10m", 600), ("1h30m", 5400), ("2d", 172800), ("1d1h1m1s", 90061), ("0", 0)],
)
def test_a_length_of_time_is_read(text: str, seconds: int) -> None:
    assert limits.parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    ["", " ", "-5m", "1.5h", "5 minutes", "30m1h", "m", "nan", "1h-1m", "99999999999", "٣m", "10:00+02:00"],
)
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="Write 90s, 10m, 1h30m or 2d"):
        limits.parse_duration(text)


@given(st.text(alphabet="0123456789dhms .-", max_size=12))
def test_any_length_of_time_is_read_or_refused(text: str) -> None:
    try:
        assert limits.parse_duration(text) >= timedelta(0)
    except UsageError as error:
        assert "Write" in str(error)


@pytest.mark.parametrize(
    ("given_limits", "expected"),
    [
        (["80"], {"five_hour": 80, "seven_day": 80, "seven_day_fable": 80}),
        (["5h=80"], {"five_hour": 80}),
        (["5h=80", "five_hour=70"], {"five_hour": 70}),
        (["90", "fable=95"], {"five_hour": 90, "seven_day": 90, "seven_day_fable": 95}),
        (["fable=95", "90", "60"], {"five_hour": 60, "seven_day": 60, "seven_day_fable": 95}),
        (["tangelo=5"], {"tangelo": 5}),
        ([], {}),
    ],
)
def test_limits_by_window(given_limits: list[str], expected: dict[str, float]) -> None:
    assert limits.assign_limits(map(limits.parse_limit, given_limits), FOUR) == expected


@pytest.mark.parametrize("name", ["5h", "five_hour", "7d", "seven_day"])
def test_a_well_known_window_may_be_absent(name: str) -> None:
    assert list(limits.assign_limits([Limit(window=name, percent=80)], ())) == [
        {"5h": "five_hour", "7d": "seven_day"}.get(name, name)
    ]
    assert limits.find_named_window(name, ()) is None


def test_what_is_left_of_a_hostile_name_names_no_window() -> None:
    with pytest.raises(UnknownWindowError) as refused:
        limits.assign_limits([limits.parse_limit("\x1b[2J\u202e$(touch pwned)=80")], FOUR)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("name", ["five_hours", "opus", "5 h", "all"])
def test_an_unknown_window_is_refused_with_those_that_are_known(name: str) -> None:
    with pytest.raises(UnknownWindowError, match="Known are 5h, 7d, fable, tangelo"):
        limits.assign_limits([Limit(window=name, percent=80)], FOUR)
    with pytest.raises(UnknownWindowError, match="Known are 5h"):
        limits.find_named_window(name, FOUR)
    with pytest.raises(UnknownWindowError, match="Known are 5h, 7d"):
        limits.find_named_window(name, ())


@given(windows(), st.lists(st.tuples(st.none() | st.sampled_from(["5h", "7d"]), st.floats(0, 1000))))
def test_one_limit_more_never_loosens_those_of_its_kind(
    known: tuple[Window, ...], some: list[tuple[str | None, float]]
) -> None:
    given_limits = [Limit(window=name, percent=percent) for name, percent in some]
    for at in range(len(given_limits)):
        kind = [limit for limit in given_limits if limit.window == given_limits[at].window]
        fewer = limits.assign_limits(kind[:-1], known)
        more = limits.assign_limits(kind, known)
        assert all(more[key] <= percent for key, percent in fewer.items())

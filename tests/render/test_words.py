"""Numbers and times in words: rounded, never towards a lie."""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.samples import NOW, money
from ullage.quota.model import Money
from ullage.render import words

if TYPE_CHECKING:
    from ullage.quota.model import Severity

percents = st.floats(0, 1000).map(lambda value: round(value, 6))


@pytest.mark.parametrize(
    ("used", "shown", "left"),
    [
        (0.0, "0%", "100%"),
        (0.4, "0%", "100%"),
        (28.999999999999996, "29%", "71%"),
        (37.0, "37%", "63%"),
        (37.9, "37%", "63%"),
        (99.9, "99%", "1%"),
        (100.0, "100%", "0%"),
        (104.6, "104%", "0%"),
    ],
)
def test_percent(used: float, shown: str, left: str) -> None:
    assert (words.percent(used), words.percent(used, left=True)) == (shown, left)


@given(percents)
def test_nothing_short_of_the_limit_reads_as_the_limit(used: float) -> None:
    assert (words.percent(used) == "100%") is (100 <= used < 101)
    assert (words.percent(used, left=True) == "0%") is (used >= 100)


@pytest.mark.parametrize(
    ("used", "bar"),
    [
        (0.0, "▱▱▱▱▱▱▱▱"),
        (0.1, "▰▱▱▱▱▱▱▱"),
        (50.0, "▰▰▰▰▱▱▱▱"),
        (99.9, "▰▰▰▰▰▰▰▱"),
        (100.0, "▰▰▰▰▰▰▰▰"),
        (250.0, "▰▰▰▰▰▰▰▰"),
    ],
)
def test_bar(used: float, bar: str) -> None:
    assert words.bar(used) == bar


def test_a_bar_of_what_is_left_in_plain_characters() -> None:
    assert words.bar(25.0, left=True, ascii_only=True, cells=4) == "###-"


@given(percents, st.booleans(), st.booleans(), st.integers(2, 40))
def test_a_bar_has_its_width_and_its_ends_are_true(used: float, left: bool, ascii_only: bool, cells: int) -> None:
    bar = words.bar(used, left=left, ascii_only=ascii_only, cells=cells)
    full, empty = "#-" if ascii_only else "▰▱"
    assert len(bar) == cells == bar.count(full) + bar.count(empty)
    assert bar.isascii() is ascii_only
    assert (bar == (empty if left else full) * cells) is (used >= 100)
    assert (bar == (full if left else empty) * cells) is (used == 0)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "0m"),
        (0, "0m"),
        (0.000001, "1m"),
        (60, "1m"),
        (60.5, "2m"),
        (59 * 60, "59m"),
        (59 * 60 + 1, "1h00"),
        (3600 * 2 + 60 * 13, "2h13"),
        (86400 - 60, "23h59"),
        (86400 - 59, "1d00h"),
        (86400, "1d00h"),
        (86400 + 1, "1d01h"),
        (86400 * 3 + 3600 * 4, "3d04h"),
        (86400 * 2 - 1, "2d00h"),
    ],
)
def test_countdown(seconds: float, shown: str) -> None:
    assert words.countdown(timedelta(seconds=seconds)) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(-5, "0m"), (59, "0m"), (60, "1m"), (3599, "59m"), (3600, "1h"), (172799, "47h"), (172800, "2d")],
)
def test_age(seconds: float, shown: str) -> None:
    assert words.age(timedelta(seconds=seconds)) == shown


@pytest.mark.parametrize(
    ("hours", "shown"),
    [(0, "12:38"), (2, "14:38"), (23.99, "12:38"), (24, "Mon 12:38"), (100, "Thu 16:38"), (-30, "Sat 06:38")],
)
def test_clock_in_the_readers_zone(hours: float, shown: str) -> None:
    zone = timezone(timedelta(hours=2))
    assert words.clock(NOW + timedelta(hours=hours), NOW, zone) == shown


@pytest.mark.parametrize(
    ("amount", "currency", "exponent", "shown"),
    [
        (1234, "USD", 2, "$12.34"),
        (5, "USD", 2, "$0.05"),
        (0, "USD", 2, "$0.00"),
        (-1234, "USD", 2, "-$12.34"),
        (1234, "EUR", 2, "12.34 EUR"),
        (1234, "JPY", 0, "1234 JPY"),
        (1234, "KWD", 3, "1.234 KWD"),
        (-5, "XXX", 2, "-0.05"),
    ],
)
def test_money(amount: int, currency: str, exponent: int, shown: str) -> None:
    assert words.money(Money(amount_minor=amount, currency=currency, exponent=exponent)) == shown


@given(money)
def test_no_digit_of_an_amount_is_lost(amount: Money) -> None:
    digits = "".join(character for character in words.money(amount) if character.isdigit() or character == "-")
    assert int(digits) == amount.amount_minor


def test_each_severity_has_a_form_of_its_own() -> None:
    severities: tuple[Severity, ...] = ("normal", "warning", "critical", "exhausted")
    for ascii_only in (False, True):
        assert len({words.mark(severity, ascii_only=ascii_only) for severity in severities}) == 4
    assert all(words.mark(severity, ascii_only=True).isascii() for severity in severities)

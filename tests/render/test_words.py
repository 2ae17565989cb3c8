"""Numbers and times in words: rounded, never towards a lie."""

from __future__ import annotations

from datetime import UTC, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.samples import NOW, money, window
from ullage.quota.model import Account, Money
from ullage.quota.pace import Forecast
from ullage.render import words
from ullage.render.words import Outlook

if TYPE_CHECKING:
    from datetime import datetime

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
        (104.6, "100%", "0%"),
    ],
)
def test_percent(used: float, shown: str, left: str) -> None:
    assert (words.format_percent(used), words.format_percent(used, left=True)) == (shown, left)


@given(percents)
def test_nothing_short_of_the_limit_reads_as_the_limit(used: float) -> None:
    assert (words.format_percent(used) == "100%") is (used >= 100)
    assert (words.format_percent(used, left=True) == "0%") is (used >= 100)


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
    assert words.draw_bar(used) == bar


def test_a_bar_of_what_is_left_in_plain_characters() -> None:
    assert words.draw_bar(25.0, left=True, ascii_only=True, cells=4) == "###-"


@given(percents, st.booleans(), st.booleans(), st.integers(2, 40))
def test_a_bar_has_its_width_and_its_ends_are_true(used: float, left: bool, ascii_only: bool, cells: int) -> None:
    bar = words.draw_bar(used, left=left, ascii_only=ascii_only, cells=cells)
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
    assert words.format_countdown(timedelta(seconds=seconds)) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(-5, "0m"), (59, "0m"), (60, "1m"), (3599, "59m"), (3600, "1h"), (172799, "47h"), (172800, "2d")],
)
def test_age(seconds: float, shown: str) -> None:
    assert words.format_age(timedelta(seconds=seconds)) == shown


@pytest.mark.parametrize(
    ("hours", "shown"),
    [
        (0, "12:38"),
        (11.3, "23:56"),
        (11.5, "Mon 00:08"),
        (-13, "Sat 23:38"),
        (24, "Mon 12:38"),
        (100, "Thu 16:38"),
        (6 * 24, "Sat 12:38"),
        (7 * 24, "29 Nov 12:38"),
    ],
)
def test_clock_in_the_readers_zone(hours: float, shown: str) -> None:
    zone = timezone(timedelta(hours=2))
    assert words.format_clock(NOW + timedelta(hours=hours), NOW, zone) == shown


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
    assert words.format_money(Money(amount_minor=amount, currency=currency, exponent=exponent)) == shown


@given(money)
def test_no_digit_of_an_amount_is_lost(amount: Money) -> None:
    digits = "".join(character for character in words.format_money(amount) if character.isdigit() or character == "-")
    assert int(digits) == amount.amount_minor


def test_each_severity_has_a_form_of_its_own() -> None:
    severities: tuple[Severity, ...] = ("normal", "warning", "critical", "exhausted")
    for ascii_only in (False, True):
        assert len({words.choose_form(severity, ascii_only=ascii_only) for severity in severities}) == 4
    assert all(words.choose_form(severity, ascii_only=True).isascii() for severity in severities)


SOON, LATER = NOW + timedelta(hours=1), NOW + timedelta(days=2)
RESET = NOW + timedelta(days=4)


@pytest.mark.parametrize(
    ("forecast", "resets_at", "said", "warns"),
    [
        (None, RESET, "", False),
        (Forecast(ratio=1.0), RESET, "", False),
        (Forecast(projected_percent=83.9), RESET, "lasts, about 83% at the reset", False),
        (
            Forecast(projected_percent=90.0, exhausts_earliest=SOON),
            RESET,
            "probably lasts, about 90% at the reset",
            False,
        ),
        (
            Forecast(projected_percent=130.0, exhausts_at=SOON),
            NOW + timedelta(hours=2),
            "runs out 11:38, 1h00 before the reset",
            True,
        ),
        (Forecast(projected_percent=130.0, exhausts_at=NOW), RESET, "about to run out", True),
        # A forecast of days knows no minutes.
        (
            Forecast(projected_percent=130.0, exhausts_at=LATER),
            RESET,
            "runs out Tue morning, 2d before the reset",
            True,
        ),
        (
            Forecast(projected_percent=110.0, exhausts_at=RESET - timedelta(hours=10)),
            RESET,
            "runs out early Thu, 10h before the reset",
            True,
        ),
        # Minutes before the reset, days ahead, are within the forecast's own error, and so is a middle near to 100.
        (
            Forecast(ratio=1.0, projected_percent=100.4, exhausts_at=RESET - timedelta(minutes=10)),
            RESET,
            "just about lasts",
            False,
        ),
        (
            Forecast(
                projected_percent=104.0,
                projected_low=80.0,
                projected_high=130.0,
                exhausts_at=RESET - timedelta(hours=9),
            ),
            RESET,
            "just about lasts",
            False,
        ),
        (
            Forecast(projected_percent=97.0, projected_low=80.0, projected_high=130.0, exhausts_earliest=LATER),
            RESET,
            "just about lasts",
            False,
        ),
        (
            Forecast(projected_percent=125.0, projected_low=98.0, projected_high=160.0, exhausts_at=LATER),
            RESET,
            "runs out Tue morning, 2d before the reset",
            True,
        ),
    ],
)
def test_the_outlook(forecast: Forecast | None, resets_at: datetime, said: str, warns: bool) -> None:
    stated = window(used=60.0, resets_at=resets_at)
    assert words.describe_outlook(stated, forecast, NOW, UTC) == Outlook(text=said, warns=warns)


@pytest.mark.parametrize(
    ("resets_at", "said"),
    [
        (NOW + timedelta(minutes=27), "used up; back at 11:05, in 27m"),
        (NOW + timedelta(days=2, hours=7), "used up; back Tue 17:38, in 2d07h"),
        (None, "used up"),
    ],
)
def test_what_is_used_up_is_back_and_has_no_forecast(resets_at: datetime | None, said: str) -> None:
    never = Forecast(projected_percent=180.0, exhausts_at=NOW)
    for used in (100.0, 143.0):
        assert words.describe_outlook(window(used=used, resets_at=resets_at), never, NOW, UTC) == Outlook(
            text=said, warns=True
        )


@pytest.mark.parametrize(
    ("hours", "shown"),
    [
        (3, "13:38"),
        (23, "Mon 09:38"),
        (32, "Mon evening"),
        (38, "early Tue"),
        (46, "Tue morning"),
        (50, "Tue afternoon"),
        (24 * 8, "30 Nov morning"),
    ],
)
def test_a_forecast_is_no_finer_than_it_can_be(hours: float, shown: str) -> None:
    assert words.format_forecast_clock(NOW + timedelta(hours=hours), NOW, UTC) == shown


@pytest.mark.parametrize(
    ("plan", "tier", "shown"),
    [
        ("max", "default_claude_max_20x", "Max 20x"),
        ("pro", "default_claude_pro", "Pro"),
        ("team", None, "Team"),
        (None, "default_claude_max_5x", ""),
    ],
)
def test_a_plan_is_named_as_its_provider_does(plan: str | None, tier: str | None, shown: str) -> None:
    assert words.format_plan(Account(plan=plan, tier=tier)) == shown


@pytest.mark.parametrize(
    ("id", "label", "title"),
    [
        ("five_hour", "Session (5h)", "Session"),
        ("seven_day", "Week (all models)", "Week"),
        ("seven_day_fable", "Week (Fable)", "Fable"),
        ("seven_day_fable", "Fable", "Fable"),
        ("tangelo", "Tangelo", "Tangelo"),
    ],
)
def test_a_window_has_a_short_title(id: str, label: str, title: str) -> None:
    assert words.format_title(window(id, label=label)) == title

"""What a table says of windows, credits and pools of money."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.samples import NOW, reading, settings, window
from ullage.quota.model import Credits, Money, Pool
from ullage.quota.schedule import Schedule
from ullage.render.rows import build_rows
from ullage.store.overview import Overview

if TYPE_CHECKING:
    from ullage.render.rows import Row


def money(minor: int) -> Money:
    return Money(amount_minor=minor, currency="USD", exponent=2)


def rows_of(*windows: Any, **changes: Any) -> list[Row]:
    known = reading(*windows, **changes)
    overview = Overview(reading=known, schedule=Schedule(), samples={}, forecasts={})
    return build_rows(overview, settings(), NOW)


def words(row: Row) -> str:
    return "; ".join(span.text for span in row.outlook)


def test_a_code_name_that_no_list_names_has_no_row() -> None:
    assert [row.label for row in rows_of(window(), window("nimbus_quill", 0.0))] == ["Five hour"]


@pytest.mark.parametrize(
    ("credits", "number", "outlook"),
    [
        (Credits(enabled=False), "off", ""),
        (
            Credits(
                enabled=False, used=money(4000), limit=money(4000), used_percent=100.0, disabled_reason="out_of_credits"
            ),
            "100%×",
            "$40.00 of $40.00; out of credits",
        ),
        (
            Credits(enabled=False, used=money(10), disabled_reason="org_spend_cap_reached"),
            "off",
            "$0.10, no limit known; the organisation's cap is reached",
        ),
        (Credits(enabled=False, used=money(10), limit=money(4000), used_percent=0.25), "off", "$0.10 of $40.00"),
        (
            Credits(enabled=True, used=money(4631), limit=money(50_000), used_percent=92.0, disabled_reason="new_word"),
            "92%!!",
            "$46.31 of $500.00; new word",
        ),
    ],
)
def test_credits_that_are_off_still_tell_their_amounts_and_why(credits: Credits, number: str, outlook: str) -> None:
    [row] = rows_of(credits=credits)
    assert (row.number.text, words(row)) == (number, outlook)


def test_a_pool_tells_when_it_ends_and_has_no_row_after_that() -> None:
    pool = Pool(
        id="gift",
        label="Gift",
        used_percent=26.25,
        used=money(1050),
        limit=money(4000),
        ends_at=NOW + timedelta(days=20),
    )
    [row] = rows_of(pools=(pool,))
    assert (row.label, row.number.text, words(row)) == ("Gift", "26%", "$10.50 of $40.00, ends 12 Dec")
    assert row.used_percent == 26.25
    assert rows_of(pools=(pool.replace(ends_at=NOW),)) == []
    [bare] = rows_of(pools=(Pool(id="gift", label="Gift", used_percent=5.0),))
    assert (bare.number.text, words(bare)) == ("5%", "")


def test_a_spend_limit_tells_its_amounts() -> None:
    [row] = rows_of(window("spend_limit", 104.0).replace(used=money(52_000), limit=money(50_000)))
    assert words(row).startswith("$520.00 of $500.00; ")

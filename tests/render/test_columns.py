"""Tables of text and numbers at every width."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ullage.render import cells, columns
from ullage.render.columns import Column, Table

PEOPLE = Table(
    columns=(
        Column(heading="person", is_text=True),
        Column(heading="sessions", worth=1, is_faint=True),
        Column(heading="cost", worth=2),
    ),
    rows=(("ada@example.com", "5", "$1.41"), ("日本語の名前", "1.23k", "")),
    total=("total", "1.24k", "$1.41"),
)


def lines(table: Table, width: int, *, ascii_only: bool = False) -> list[str]:
    made, _ = columns.lay_out(table, width, ascii_only=ascii_only)
    return ["".join(span.text for span in line).rstrip() for line in made]


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("1.2378912", "$1.24"),
        ("0.005", "$0.01"),
        ("0.004", "<$0.01"),
        ("0", "$0.00"),
        ("1234567.891", "$1,234,567.89"),
        ("-2.5", "-$2.50"),
    ],
)
def test_money(amount: str, shown: str) -> None:
    assert columns.format_money(Decimal(amount), "USD") == shown
    assert columns.format_money(None, "USD") == ""
    assert columns.format_money(Decimal(5), "EUR") == "5.00 EUR"


def test_counts_are_short_and_round_to_the_next_unit() -> None:
    shown = [
        columns.format_count(n)
        for n in (0, 999, 1000, 9994, 9996, 99_950, 999_499, 999_500, 18_699_144, 12_345_678_901)
    ]
    assert shown == ["0", "999", "1.00k", "9.99k", "10.0k", "100k", "999k", "1.00M", "18.7M", "12.3G"]


def test_what_is_not_told_is_nothing_and_not_0() -> None:
    assert (columns.format_count(None), columns.format_count(0)) == ("", "0")


def test_words_to_the_left_numbers_to_the_right_and_the_total_set_off() -> None:
    assert lines(PEOPLE, 80) == [
        "person           sessions   cost",
        "ada@example.com         5  $1.41",
        "日本語の名前        1.23k",
        "────────────────────────────────",
        "total               1.24k  $1.41",
    ]
    assert lines(PEOPLE, 80, ascii_only=True)[3] == "-" * 32


def test_the_total_stands_out_and_details_do_not() -> None:
    made, _ = columns.lay_out(PEOPLE, 80)
    assert {span.style for span in made[-1]} == {"bold"}
    assert [span.level for span in made[1]] == [None, "faint", None]
    assert {span.level for span in made[0]} == {"faint"}


def test_the_column_of_least_worth_makes_room_and_is_named() -> None:
    made, left_out = columns.lay_out(PEOPLE, 25)
    assert left_out == ["sessions"]
    assert "".join(span.text for span in made[1]) == "ada@example.com  $1.41"


@pytest.mark.parametrize("width", range(15, 40))
@pytest.mark.parametrize("weights", [(), (1.0, 0.5)])
def test_no_line_is_wider_than_the_terminal(width: int, weights: tuple[float, ...]) -> None:
    assert max(map(cells.measure_width, lines(PEOPLE.replace(weights=weights), width))) <= width


def test_a_bar_shows_a_row_beside_the_largest_where_there_is_room() -> None:
    weighed = PEOPLE.replace(weights=(4.0, 1.0))
    bars = [line[line.find("━") :] for line in lines(weighed, 80)[1:3]]
    assert [len(bar) for bar in bars] == [24, 6]
    assert "━" not in "".join(lines(weighed, 40))
    assert lines(weighed, 80, ascii_only=True)[1].endswith("=" * 24)

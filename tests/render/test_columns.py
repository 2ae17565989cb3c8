"""Tables of text and numbers at every width."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ullage.render import cells, columns

HEADINGS = ["person", "sessions", "cost"]
ROWS = [["ada@example.com", "5", "$1.41"], ["日本語の名前", "1,234", ""], ["total", "1,239", "$1.41"]]


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


def test_what_is_not_told_is_nothing_and_not_0() -> None:
    assert (columns.format_count(None), columns.format_count(0), columns.format_count(1234567)) == (
        "",
        "0",
        "1,234,567",
    )


def test_words_to_the_left_and_numbers_to_the_right() -> None:
    assert list(columns.lay_out_table(HEADINGS, 1, ROWS, 80)) == [
        "person           sessions   cost",
        "ada@example.com         5  $1.41",
        "日本語の名前        1,234",
        "total               1,239  $1.41",
    ]


def test_a_name_is_cut_before_the_table_is_given_up() -> None:
    lines = list(columns.lay_out_table(HEADINGS, 1, ROWS, 30))
    assert lines[1] == "ada@example.…         5  $1.41"
    assert max(map(cells.measure_width, lines)) == 30


@pytest.mark.parametrize("width", range(10, 40))
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert max(map(cells.measure_width, columns.lay_out_table(HEADINGS, 1, ROWS, width))) <= width


def test_where_there_is_no_room_each_row_has_lines_of_its_own() -> None:
    assert list(columns.lay_out_table(HEADINGS, 1, ROWS[:2], 22)) == [
        "ada@example.com",
        "  sessions 5",
        "  cost     $1.41",
        "日本語の名前",
        "  sessions 1,234",
    ]

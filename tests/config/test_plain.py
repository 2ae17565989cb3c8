"""What is read of a config.toml without tomllib is what tomllib reads."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ullage.config import plain
from ullage.config.default_file import write_default
from ullage.config.options import OPTIONS


def said(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except ValueError:
        return None


def test_the_file_that_explains_every_option_is_plain() -> None:
    text = write_default()
    assert plain.loads(text) == tomllib.loads(text)
    names = tuple(f"# {option.key.rpartition('.')[2]} = " for option in OPTIONS if option.key != "tokens.prices")
    used = "\n".join(line.removeprefix("# ") if line.startswith(names) else line for line in text.splitlines())
    known = plain.loads(used)
    assert known is not None
    assert known == tomllib.loads(used)
    assert known["alerts"]["thresholds"] == [75, 90, 100]


@pytest.mark.parametrize("text", ["[[a]]", "[[a]]\nb = 1\n[[a]]\nb = 2\n[c]", "a = [[1], []]", '[p]\na = [["b", "c"]]'])
def test_arrays_of_tables_and_of_arrays_are_plain(text: str) -> None:
    assert plain.loads(text) == tomllib.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        *('a = "b\\tc"', "a = 'b'", 'a = """b"""', "a = {b = 1}", "a = 1 # why", "a.b = 1", '"a" = 1'),
        *(
            "a = 2026-11-22",
            "a = nan",
            "a = 0x1f",
            "a = 1_000",
            "a = [\n1]",
            "[[a.b]]",
            "[[a]]\n[a.b]",
            '["a"]',
            "[a] # why",
            "[ a ]",
        ),
        *("a = 1\r\n", "\ta = 1", "# \u202e", "a = {}"),
    ],
)
def test_what_is_good_and_not_plain_is_left_to_tomllib(text: str) -> None:
    assert said(text) is not None
    assert plain.loads(text) is None


@pytest.mark.parametrize(
    "text",
    [
        *("a = [1]\n[[a]]", "a = []\n[[a]]", "[a]\n[[a]]", "[[a]]\n[a]", "[[a]\nb = 1"),
        *("a = 1\na = 2", "[a]\n[a]", "[a]\nb = 1\n[a.b]", "[a.b]\n[a]\nb = 1", "a = 1\n[a]", "a", "a = ", "= 1"),
        *(
            "a = null",
            "a = NaN",
            "a = -Infinity",
            'a = "b',
            "[a",
            "[]",
            "[a.]",
            "[a..b]",
            "ä = 1",
            "# \x00",
            "\ufeffa = 1",
        ),
        *("a = [null]", 'a = {"b": 1}', "a b = 1", "a = 01", "a = 1 2"),
    ],
)
def test_what_is_wrong_is_left_to_tomllib(text: str) -> None:
    assert said(text) is None
    assert plain.loads(text) is None


PIECES = (
    'a = "b"',
    "a",
    "b",
    "[a]",
    "[a.b]",
    "[b]",
    "[",
    "]",
    " ",
    "=",
    "\n",
    "# x",
    "1",
    "-",
    ".",
    '"',
    "'",
    "\\",
    ",",
)
MORE = (
    "true",
    "null",
    "NaN",
    "{",
    "}",
    "\t",
    "\r",
    "e",
    "0",
    "inf",
    "_",
    "\u00a0",
    "\x0b",
    "ü",
    "+",
    "a.b = 2",
    "[1, 2.5]",
)


@given(st.lists(st.sampled_from([*PIECES, *MORE]), max_size=16).map("".join) | st.text(max_size=30))
def test_nothing_is_read_in_another_way(text: str) -> None:
    known = plain.loads(text)
    assert known is None or repr(known) == repr(said(text))


LINES = (
    "a = 1",
    "b = []",
    'c = ["x", true]',
    "[a]",
    "[b]",
    "[a.b]",
    "[b.a.c]",
    "",
    "# why",
    " a = -0.5e3 ",
    '  b-c = "ü"',
)


@given(st.lists(st.sampled_from(LINES), max_size=9).map("\n".join))
def test_lines_of_its_own_are_all_read(text: str) -> None:
    assert repr(plain.loads(text)) == repr(said(text))

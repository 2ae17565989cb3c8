"""Text from outside is one line of visible characters, whatever it was."""

from __future__ import annotations

import csv
import io
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ullage.base.text import LONGEST_LABEL, clean, disarm_formula, find_near, make_slug, make_visible, quote


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        pytest.param("\x00\x07\x1b[31mred\x7f", "[31mred", id="C0"),
        pytest.param("\x9b31mred\x9d0;title\x9c", "31mred0;title", id="C1"),
        pytest.param("\u202egpj.exe\u202c \u2066x\u2069\u200f", "gpj.exe x", id="bidi"),
        pytest.param("Fa\u200bb\u200dl\u2060e\ufeff\u00ad", "Fable", id="zero width"),
        pytest.param("Fable\udc80\ud83d", "Fable", id="lone surrogates"),
        pytest.param("\ue000Fable\U000f0000", "Fable", id="private use"),
        pytest.param("\u3164Fa\u115fb\u1160l\uffa0e", "Fable", id="Hangul fillers"),
        pytest.param("Fa\u034fble\ufe0f\ufe00 \U000e01005\u180b", "Fable 5", id="joiner and variation selectors"),
        pytest.param("\u2800Fable\u2800\u17b4\U0001d159", "Fable", id="blank symbols and vowels"),
        pytest.param("\U000e0041Fable\U000e007f", "Fable", id="tags"),
        pytest.param("one\r\ntwo\vthree\u2028four\u2029five\x85six", "one two three four five six", id="line ends"),
        pytest.param("  two\t\u00a0 words \u3000", "two words", id="white space"),
        pytest.param("$(id) `id` %n #S \\e {x} [y]", "$(id) `id` %n #S \\e {x} [y]", id="left to the surfaces"),
        pytest.param("a ###vso[task.prependpath]/x", "a #vso[task.prependpath]/x", id="an order to Azure Pipelines"),
        pytest.param("Week (#\u200b#[add-mask]5)", "Week (#[add-mask]5)", id="an order to GitHub, as once"),
        pytest.param(" ::stop-commands::x", ":stop-commands:x", id="an order to GitHub"),
        pytest.param("a :::add-mask:::5", "a :add-mask:5", id="an order to GitHub, where a line may be folded"),
        pytest.param("no answer from ::1 on C++", "no answer from ::1 on C++", id="an address"),
        pytest.param("Fable 5 — Überblick 模型", "Fable 5 — Überblick 模型", id="visible"),
    ],
)
def test_only_what_is_visible_stays(hostile: str, shown: str) -> None:
    assert clean(hostile) == shown


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("/home/ada/.claude", "/home/ada/.claude"),
        ("/home/a b/ä模", "/home/a b/ä模"),
        ("/tmp/\x1b]0;owned\x07", "/tmp/\\x1b]0;owned\\x07"),
        ("/tmp/\x9b31m\r\n", "/tmp/\\x9b31m\\r\\n"),
        ("/tmp/\u202egpj.exe", "/tmp/\\u202egpj.exe"),
        ("/tmp/\u3164\ufe0f\u2800", "/tmp/\\u3164\\ufe0f\\u2800"),
        ("/tmp/\udcff", "/tmp/\\udcff"),
    ],
)
def test_what_a_path_holds_is_seen_and_not_obeyed(hostile: str, shown: str) -> None:
    assert make_visible(hostile) == shown


@pytest.mark.parametrize("other", [None, 7, True, b"bytes", ["list"], {"a": 1}, float("nan")])
def test_what_is_no_text_is_empty(other: object) -> None:
    assert clean(other) == ""


def test_length_is_bounded_however_much_is_given() -> None:
    assert clean("x" * 10**6) == "x" * LONGEST_LABEL
    assert clean("\u200b" * 10**6 + "x") == ""
    assert clean("ab cd", 3) == "ab"


@given(st.text(st.characters(codec=None)))
def test_clean_text_is_one_short_visible_line_and_stays_as_it_is(text: str) -> None:
    cleaned = clean(text)
    assert len(cleaned) <= LONGEST_LABEL
    assert not any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") for character in cleaned)
    assert clean(cleaned) == cleaned == cleaned.strip()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Fable", "fable"),
        ("Fable 5.1", "fable_5_1"),
        ("--Fable--", "fable"),
        ("$(rm -rf /)", "rm_rf"),
        ("{5h}", "5h"),
        ("模型 X", "模型_x"),
        ("İstanbul", "istanbul"),
        ("★", ""),
        ("", ""),
    ],
)
def test_slug(text: str, name: str) -> None:
    assert make_slug(text) == name


@given(st.text())
def test_a_slug_is_a_word_of_a_template(text: str) -> None:
    name = make_slug(text)
    assert not name or name.replace("_", "").isalnum()
    assert make_slug(name) == name
    assert len(name) <= len(text)


@pytest.mark.parametrize(
    "text", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "\uff1d1", "\uff0b1", "\uff0d1", "\uff201"]
)
def test_a_spreadsheet_takes_no_text_for_a_formula(text: str) -> None:
    assert disarm_formula(text) == f"'{text}"
    assert disarm_formula(f"a{text}") == f"a{text}"
    assert disarm_formula("") == ""


@given(st.text("ab ;,\t\r\n\"'=+-@1", max_size=12))
@example(';"=1+1"')
@example("a;=1")
def test_no_reader_of_csv_finds_a_formula_wherever_it_splits(text: str) -> None:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerow(["2026-11-22", disarm_formula(text), 3])
    for delimiter in ",;\t":
        for row in csv.reader(io.StringIO(written.getvalue(), newline=""), delimiter=delimiter):
            assert not [cell for cell in row if cell.lstrip()[:1] in {"=", "+", "-", "@"}]


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("5z", "'5z'"),
        ("it's", '"it\'s"'),
        ("a\x1b]0;x\x07\u202e", "'a\\x1b]0;x\\x07\\u202e'"),
        ("x" * 500, f"'{'x' * 120}…'"),
    ],
)
def test_what_was_typed_is_quoted_so_that_a_terminal_shows_it(typed: str, shown: str) -> None:
    assert quote(typed) == shown


@pytest.mark.parametrize(("word", "near"), [("opsu", "opus"), ("OPUS", "opus"), ("zz", None), ("", None)])
def test_a_slip_is_found_and_nothing_far_away(word: str, near: str | None) -> None:
    assert find_near(word, ["5h", "7d", "opus"]) == near

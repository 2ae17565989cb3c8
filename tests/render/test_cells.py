"""How wide a text is, and how it is cut."""

from __future__ import annotations

import pytest

from ullage.render.cells import fit, fit_words, measure_width, trim_end, wrap_parts
from ullage.render.surfaces import Span


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("", 0),
        ("5h 37%", 6),
        ("ä▰", 2),
        ("漢字", 4),
        ("e\u0301", 1),
        ("\033[1;31mred\033[0m", 3),
        ("\033]8;;https://example.com\033\\link\033]8;;\033\\", 4),
        ("\033]0;title\aafter", 5),
        ("\033(Bplain", 6),
        ("\033[", 0),
        ("\033", 0),
    ],
)
def test_width(text: str, cells: int) -> None:
    assert measure_width(text) == cells


@pytest.mark.parametrize(
    ("cells", "expected"),
    [(20, ["abc", "漢字d"]), (8, ["abc", "漢字d"]), (7, ["abc", "漢", "…"]), (3, ["ab", "…"]), (1, ["", "…"]), (0, [])],
)
def test_fit(cells: int, expected: list[str]) -> None:
    spans = [Span(text="abc", level="normal"), Span(text="漢字d")]
    assert [span.text for span in fit(spans, cells)] == expected
    assert sum(measure_width(span.text) for span in fit(spans, cells)) <= cells


@pytest.mark.parametrize(
    ("text", "room", "shown"),
    [
        ("fable", 5, "fable"),
        ("notes about everything", 14, "notes about…"),
        ("notes-about-everything", 14, "notes-about…"),
        ("/home/ada/src/compiler", 15, "…/src/compiler"),
        ("/home/ada/src/compiler", 5, "/hom…"),
        ("incomprehensibilities", 8, "incompr…"),
    ],
)
def test_a_text_is_cut_between_words(text: str, room: int, shown: str) -> None:
    assert fit_words(text, room) == shown
    assert fit_words(text, room, ascii_only=True).isascii()
    assert measure_width(shown) <= room


def test_parts_are_put_on_lines_of_their_own_and_keep_their_colours() -> None:
    spans = [Span(text="runs out 11:16", level="warning"), Span(text="; resets at 13:08", level="faint")]
    assert wrap_parts(spans, 16, "; ") == [
        [Span(text="runs out 11:16", level="warning")],
        [Span(text="resets at 13:08", level="faint")],
    ]
    assert (
        "".join(span.text for line in wrap_parts(spans, 40, "; ") for span in line) == "runs out 11:16; resets at 13:08"
    )


def test_blanks_at_the_end_are_dropped() -> None:
    assert trim_end([Span(text="5h "), Span(text="  ", level="faint")]) == [Span(text="5h")]
    assert trim_end([Span(text=" ")]) == []

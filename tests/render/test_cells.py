"""How wide a text is, and how it is cut."""

from __future__ import annotations

import pytest

from ullage.render.cells import fit, measure_width
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

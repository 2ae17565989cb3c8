"""Segments on a background of their own: every cell of them has one, and its text can be read on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.contrast import READABLE, colour_of, contrast, ground_of
from ullage.config.palette import LEVELS, Colouring
from ullage.render.shapes import shape_spans
from ullage.render.surfaces import Span

if TYPE_CHECKING:
    from ullage.quota.timeline import Level

TEXT = [Span(text="fable "), Span(text="81%!", level="warning"), Span(text=" soon", style="dim")]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("shape", ["pill", "powerline"])
def test_text_can_be_read_on_its_background(shape: str, level: Level) -> None:
    for span in shape_spans(
        [Span(text="fable "), Span(text="81%", level=level)], shape, level, Colouring(), nerd=False
    ):
        ink, ground = colour_of(span.style), ground_of(span.style)
        assert ink is not None
        assert ground is not None
        assert contrast(ink, ground) >= READABLE


def test_a_pill_has_its_levels_colour_and_round_ends_with_a_nerd_font() -> None:
    plain = shape_spans(TEXT, "pill", "warning", Colouring(), nerd=False)
    assert "".join(span.text for span in plain) == " fable 81%! soon "
    assert {ground_of(span.style) for span in plain} == {"#ffaf00"}
    round_ends = shape_spans(TEXT, "pill", "warning", Colouring(), nerd=True)
    assert [round_ends[0].text, round_ends[-1].text] == ["\ue0b6", "\ue0b4"]
    assert {colour_of(round_ends[0].style), colour_of(round_ends[-1].style)} == {"#ffaf00"}


def test_a_powerline_ends_in_an_arrow_of_its_background() -> None:
    *inside, arrow = shape_spans(TEXT, "powerline", "warning", Colouring(), nerd=True)
    assert {ground_of(span.style) for span in inside} == {colour_of(arrow.style)} == {"#444444"}
    assert arrow.text == "\ue0b0"


@pytest.mark.parametrize(("shape", "colouring"), [("", Colouring()), ("pill", Colouring(palette="none"))])
def test_without_a_shape_or_colours_nothing_is_added(shape: str, colouring: Colouring) -> None:
    assert shape_spans(TEXT, shape, "warning", colouring, nerd=True) == TEXT
    assert shape_spans([], "pill", "none", Colouring(), nerd=True) == []

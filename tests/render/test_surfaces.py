"""Text from outside stays text on every surface, and colours come in each one's own way."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ullage.base.text import clean
from ullage.render.surfaces import PALETTES, Span, check_style, paint
from ullage.system.places import SURFACES

if TYPE_CHECKING:
    from ullage.quota.timeline import Level

HOSTILE = "$(id) `id` %n%F{red} #S#[bg=red]#(id) \\e \\$ !! {x} ${x} 'q' \"q\""


def outside(text: str, surface: str) -> str:
    return paint([Span(text=text)], surface, PALETTES["16"])


@pytest.mark.parametrize(
    ("surface", "shown"),
    [
        ("plain", HOSTILE),
        ("ansi", HOSTILE),
        ("bash", HOSTILE),
        ("fish", HOSTILE),
        ("starship", HOSTILE),
        ("zsh", HOSTILE.replace("%", "%%")),
        ("tmux", HOSTILE.replace("#", "##")),
    ],
)
def test_what_a_surface_would_expand_is_escaped(surface: str, shown: str) -> None:
    assert outside(HOSTILE, surface) == shown
    coloured = paint([Span(text=HOSTILE, level="normal")], surface, PALETTES["16"])
    assert shown in coloured


OURS = re.compile(r"\x01\x1b\[[\d;]*m\x02|%\{\x1b\[[\d;]*m%\}|\x1b\[[\d;]*m|#\[[\w=,#]+\]")


@given(
    st.text(st.characters(exclude_characters="#[")).map(clean),
    st.sampled_from(SURFACES),
    st.sampled_from(sorted(PALETTES)),
)
def test_nothing_but_our_own_sequences_is_added(text: str, surface: str, palette: str) -> None:
    painted = paint([Span(text=text, level="critical"), Span(text=text)], surface, PALETTES[palette])
    assert OURS.sub("", painted) == outside(text, surface) * 2


@pytest.mark.parametrize(
    ("surface", "painted"),
    [
        ("plain", "37%"),
        ("ansi", "\033[1;31m37%\033[0m"),
        ("fish", "\033[1;31m37%\033[0m"),
        ("starship", "\033[1;31m37%\033[0m"),
        ("bash", "\001\033[1;31m\00237%\001\033[0m\002"),
        ("zsh", "%{\033[1;31m%}37%%%{\033[0m%}"),
        ("tmux", "#[bold,fg=red]37%#[default]"),
    ],
)
def test_colour_of_each_surface(surface: str, painted: str) -> None:
    assert paint([Span(text="37%", level="critical")], surface, PALETTES["16"]) == painted


@pytest.mark.parametrize("surface", SURFACES)
def test_without_a_palette_there_is_no_sequence_at_all(surface: str) -> None:
    levels: tuple[Level, ...] = ("normal", "warning", "critical", "exhausted", "stale")
    painted = paint([Span(text="a", level=level) for level in levels], surface, PALETTES["none"])
    assert painted == "aaaaa"


@pytest.mark.parametrize("surface", SURFACES)
def test_an_empty_text_is_not_coloured(surface: str) -> None:
    assert paint([Span(text="", level="critical")], surface, PALETTES["16"]) == ""


@pytest.mark.parametrize(
    ("style", "sgr", "tmux"),
    [
        ("red", "31", "fg=red"),
        ("bright_red", "91", "fg=brightred"),
        ("bold", "1", "bold"),
        ("dim", "2", "dim"),
        ("underline", "4", "underscore"),
        ("reverse", "7", "reverse"),
        ("#d55E00", "38;2;213;94;0", "fg=#d55E00"),
        ("bold reverse #000000", "1;7;38;2;0;0;0", "bold,reverse,fg=#000000"),
    ],
)
def test_styles(style: str, sgr: str, tmux: str) -> None:
    assert check_style(style) is None
    span = Span(text="x", level="normal")
    assert paint([span], "ansi", {"normal": style}) == f"\033[{sgr}mx\033[0m"
    assert paint([span], "tmux", {"normal": style}) == f"#[{tmux}]x#[default]"


@pytest.mark.parametrize("style", ["rde", "#12345", "#12345g", "bright_bold", "on_red", "31", "bright_#ffffff", "RED"])
def test_a_style_that_is_none_is_said_with_what_there_is(style: str) -> None:
    problem = check_style(f"bold {style}")
    assert problem is not None
    assert repr(style) in problem
    assert "#rrggbb" in problem


@pytest.mark.parametrize("palette", [name for name in PALETTES if name != "none"])
def test_a_palette_has_a_style_of_its_own_for_every_level(palette: str) -> None:
    styles = PALETTES[palette]
    assert set(styles) == {"normal", "warning", "critical", "exhausted", "stale"}
    assert len(set(styles.values())) == len(styles)
    assert all(check_style(style) is None for style in styles.values())
    assert any("#" in style for style in styles.values()) is (palette == "truecolor")

"""Text from outside stays text on every surface, and colours come in each one's own way."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ullage.base.text import clean
from ullage.config.palette import PALETTES, Colouring, check_style
from ullage.quota.timeline import SURFACES
from ullage.render.surfaces import Span, paint

if TYPE_CHECKING:
    from ullage.quota.timeline import Level

PALETTE = Colouring().in_terminal()
HOSTILE = "$(id) `id` %n%F{red} #S#[bg=red]#(id) \\e \\$ !! {x} ${x} 'q' \"q\""


def outside(text: str, surface: str) -> str:
    return paint([Span(text=text)], surface, PALETTE)


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
    coloured = paint([Span(text=HOSTILE, level="normal")], surface, PALETTE)
    assert shown in coloured


OURS = re.compile(r"\x01\x1b\[[\d;]*m\x02|%\{\x1b\[[\d;]*m%\}|\x1b\[[\d;]*m|#\[[\w=,#-]+\]")


@given(
    st.text(st.characters(exclude_characters="#[")).map(clean),
    st.sampled_from(SURFACES),
    st.sampled_from(PALETTES),
)
def test_nothing_but_our_own_sequences_is_added(text: str, surface: str, palette: str) -> None:
    painted = paint(
        [Span(text=text, level="critical"), Span(text=text)], surface, Colouring(palette=palette).in_terminal()
    )
    assert OURS.sub("", painted) == outside(text, surface) * 2


@pytest.mark.parametrize(
    ("surface", "painted"),
    [
        ("plain", "37%"),
        ("ansi", "\033[1;31m37%\033[22;39m"),
        ("fish", "\033[1;31m37%\033[22;39m"),
        ("starship", "\033[1;31m37%\033[22;39m"),
        ("bash", "\001\033[1;31m\00237%\001\033[22;39m\002"),
        ("zsh", "%{\033[1;31m%}37%%%{\033[22;39m%}"),
        ("tmux", "#[push-default]#[bold,fg=red]37%#[nobold,fg=default]#[pop-default]"),
    ],
)
def test_colour_of_each_surface(surface: str, painted: str) -> None:
    assert paint([Span(text="37%", level="critical")], surface, PALETTE) == painted


@pytest.mark.parametrize("surface", SURFACES)
def test_without_a_palette_there_is_no_sequence_at_all(surface: str) -> None:
    levels: tuple[Level, ...] = ("normal", "warning", "critical", "exhausted", "stale")
    painted = paint([Span(text="a", level=level) for level in levels], surface, {})
    assert painted == "aaaaa"


@pytest.mark.parametrize("surface", SURFACES)
def test_an_empty_text_is_not_coloured(surface: str) -> None:
    assert paint([Span(text="", level="critical")], surface, PALETTE) == ""


@pytest.mark.parametrize(
    ("style", "sgr", "off", "tmux", "tmux_off"),
    [
        ("red", "31", "39", "fg=red", "fg=default"),
        ("bright_red", "91", "39", "fg=brightred", "fg=default"),
        ("on_red", "41", "49", "bg=red", "bg=default"),
        ("on_bright_red", "101", "49", "bg=brightred", "bg=default"),
        ("color130", "38;5;130", "39", "fg=colour130", "fg=default"),
        ("black on_color214", "30;48;5;214", "39;49", "fg=black,bg=colour214", "fg=default,bg=default"),
        ("bold", "1", "22", "bold", "nobold"),
        ("dim", "2", "22", "dim", "nodim"),
        ("bold dim", "1;2", "22", "bold,dim", "nobold,nodim"),
        ("underline", "4", "24", "underscore", "nounderscore"),
        ("reverse", "7", "27", "reverse", "noreverse"),
        ("#d55E00", "38;2;213;94;0", "39", "fg=#d55E00", "fg=default"),
        ("bold on_#000000", "1;48;2;0;0;0", "22;49", "bold,bg=#000000", "nobold,bg=default"),
    ],
)
def test_a_style_switches_off_what_it_switched_on(style: str, sgr: str, off: str, tmux: str, tmux_off: str) -> None:
    assert check_style(style) is None
    span = Span(text="x", level="normal")
    assert paint([span], "ansi", {"normal": style}) == f"\033[{sgr}mx\033[{off}m"
    assert paint([span], "tmux", {"normal": style}) == f"#[push-default]#[{tmux}]x#[{tmux_off}]#[pop-default]"


@pytest.mark.parametrize(
    "style", ["rde", "#12345", "#12345g", "bright_bold", "on_bold", "color256", "color²", "31", "bright_#ffffff", "RED"]
)
def test_a_style_that_is_none_is_said_with_what_there_is(style: str) -> None:
    problem = check_style(f"bold {style}")
    assert problem is not None
    assert repr(style) in problem
    assert "#rrggbb" in problem

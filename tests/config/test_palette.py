"""The palette: what each level looks like, on dark and on light, and that it can be read there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.contrast import DARK, LIGHT, READABLE, colour_of, contrast, ground_of
from ullage import config
from ullage.config.palette import (
    COLOURS,
    LEVELS,
    PALETTES,
    Colouring,
    check_style,
    convert_number_to_hex,
    find_background,
    find_colour_number,
)

if TYPE_CHECKING:
    from ullage.config.palette import Background

BACKGROUNDS: dict[Background, dict[str, str]] = {"dark": DARK, "light": LIGHT}


@pytest.mark.parametrize("background", BACKGROUNDS)
@pytest.mark.parametrize(
    "role", ["text", "faint", "normal", "warning", "critical", "exhausted", "expected", "limit", "used"]
)
def test_every_colour_can_be_read_on_every_background_of_its_kind(role: str, background: Background) -> None:
    shown = COLOURS[background][role]
    least = {name: round(contrast(shown, ground), 1) for name, ground in BACKGROUNDS[background].items()}
    assert min(least.values()) >= READABLE, least


@pytest.mark.parametrize("level", LEVELS)
def test_the_sixteen_colours_give_way_to_readable_ones_on_light(level: str) -> None:
    shown = colour_of(Colouring(background="light").in_terminal()[level])
    assert shown is not None
    assert min(contrast(shown, ground) for ground in LIGHT.values()) >= READABLE


@pytest.mark.parametrize("colouring", [Colouring(), Colouring(palette="truecolor")], ids=["16", "truecolor"])
@pytest.mark.parametrize("level", LEVELS)
def test_tmux_and_badges_bring_the_background_of_their_colour(level: str, colouring: Colouring) -> None:
    for style in (colouring.in_tmux().get(level, ""), colouring.in_badge()[level]):
        ink, ground = colour_of(style), ground_of(style)
        assert (ink is None) == (ground is None)
        assert ink is None or ground is None or contrast(ink, ground) >= READABLE


@pytest.mark.parametrize("background", BACKGROUNDS)
@pytest.mark.parametrize("name", ["16", "truecolor"])
def test_each_level_has_a_style_of_its_own_which_is_never_reversed(name: str, background: Background) -> None:
    styles = Colouring(palette=name).in_terminal(background)
    assert set(styles) == {*LEVELS, "faint", "accent"}
    assert len({styles[level] for level in LEVELS}) == len(LEVELS)
    for made in (
        styles,
        Colouring(palette=name).in_tmux(),
        Colouring(palette=name).in_bar(),
        Colouring(palette=name).in_badge(),
    ):
        assert [style for style in made.values() if check_style(style) or "reverse" in style] == []
    assert any("#" in style for style in styles.values()) is (name == "truecolor")


def test_no_palette_is_no_style_anywhere() -> None:
    colouring = Colouring(palette="none", own={"warning": "bold"})
    assert [colouring.in_terminal(), colouring.in_tmux(), colouring.in_bar(), colouring.in_badge()] == [{}] * 4
    assert PALETTES[-1] == "none"


def test_a_persons_own_style_goes_before_everywhere_but_on_badges() -> None:
    colouring = Colouring(own={"warning": "underline"})
    assert {made["warning"] for made in (colouring.in_terminal(), colouring.in_tmux(), colouring.in_bar())} == {
        "underline"
    }


@pytest.mark.parametrize(
    ("told", "wanted", "background"),
    [
        ("15;0", "auto", "dark"),
        ("0;15", "auto", "light"),
        ("0;default;15", "auto", "light"),
        ("0;7", "auto", "light"),
        ("12;8", "auto", "dark"),
        ("15;default", "auto", None),
        ("0;²", "auto", None),
        ("", "auto", None),
        ("0;15", "dark", "dark"),
        ("15;0", "light", "light"),
    ],
)
def test_whether_a_terminal_is_light(told: str, wanted: str, background: Background | None) -> None:
    assert find_background({"COLORFGBG": told}, wanted) == background


def test_the_environment_of_a_refresh_chooses_the_form() -> None:
    environ = {"ULLAGE_CONFIG": "/nowhere/config.toml", "COLORFGBG": "0;15"}
    assert config.load(environ)[0].palette == Colouring().in_terminal("light")


@pytest.mark.parametrize(("number", "colour"), [(16, "#000000"), (214, "#ffaf00"), (231, "#ffffff"), (241, "#626262")])
def test_numbers_are_colours(number: int, colour: str) -> None:
    assert convert_number_to_hex(find_colour_number(f"color{number}") or 0) == colour

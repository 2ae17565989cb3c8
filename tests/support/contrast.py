"""Contrast as WCAG 2 defines it, and the backgrounds that people look at."""

from __future__ import annotations

from ullage.config.palette import convert_number_to_hex, find_colour_number

DARK = {
    "black": "#000000",
    "github": "#0d1117",
    "solarized": "#002b36",
    "gruvbox": "#282828",
    "nord": "#2e3440",
    "one": "#282c34",
    "dracula": "#282a36",
    "catppuccin mocha": "#1e1e2e",
}
LIGHT = {
    "white": "#ffffff",
    "github": "#f6f8fa",
    "solarized": "#fdf6e3",
    "gruvbox": "#fbf1c7",
    "catppuccin latte": "#eff1f5",
}
READABLE = 4.5


def contrast(one: str, other: str) -> float:
    """The contrast of two colours (#rrggbb): 1 to 21."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def colour_of(style: str) -> str | None:
    """The colour of a style as #rrggbb; None for one that leaves it to the terminal, `on_` for a background."""
    for word in style.split():
        number = find_colour_number(word)
        if word.startswith("#"):
            return word
        if number is not None:
            return convert_number_to_hex(number)
    return None


def ground_of(style: str) -> str | None:
    return colour_of(" ".join(word[3:] for word in style.split() if word.startswith("on_")))

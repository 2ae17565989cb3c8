"""The words of a style and the palettes that are made of them. Pure."""

from __future__ import annotations

PALETTES: dict[str, dict[str, str]] = {
    "16": {
        "normal": "green",
        "warning": "yellow",
        "critical": "bold red",
        "exhausted": "bold reverse red",
        "stale": "dim",
    },
    # Okabe and Ito's colours, which stay apart for every kind of colour vision.
    "truecolor": {
        "normal": "#56b4e9",
        "warning": "#e69f00",
        "critical": "bold #d55e00",
        "exhausted": "bold reverse #d55e00",
        "stale": "dim",
    },
    "none": {},
}

ATTRIBUTES = {
    "bold": ("1", "bold"),
    "dim": ("2", "dim"),
    "underline": ("4", "underscore"),
    "reverse": ("7", "reverse"),
}
COLOURS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")


def check_style(style: str) -> str | None:
    """Return what is wrong with a style, in words, or None."""
    for word in style.split():
        if word not in ATTRIBUTES and not is_hex(word) and word.removeprefix("bright_") not in COLOURS:
            return (
                f"holds {word!r}; a style is made of {', '.join(ATTRIBUTES)}, a colour ({', '.join(COLOURS)}, each "
                "also with bright_ before it) or #rrggbb"
            )
    return None


def is_hex(word: str) -> bool:
    return len(word) == 7 and word[0] == "#" and all(character in "0123456789abcdefABCDEF" for character in word[1:])

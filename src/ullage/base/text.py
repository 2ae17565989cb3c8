"""Text from outside, made harmless before anything else sees it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_LABEL = 48
_LONGEST_QUOTE = 120


def clean(text: object, longest: int = LONGEST_LABEL) -> str:
    """Return one line of visible characters: no controls (C0, C1), format or bidi characters, fillers, private use.

    A value that is no string becomes the empty string. Runs of white space become one space. Nothing in it is a command
    to a CI runner that reads the log.
    """
    if not isinstance(text, str):
        return ""
    text = text[: longest * 8]
    # The quick way for most texts: printable ASCII holds nothing to drop, and no white space but the space.
    kept = (
        text
        if text.isascii() and text.isprintable()
        else "".join(" " if character.isspace() else character for character in text if _is_visible(character))
    )
    return _break_orders(" ".join(kept.split()))[:longest].rstrip()


def _break_orders(text: str) -> str:
    """Return a text without what begins a command in the log of a CI job, where the runner would obey it.

    GitHub takes `::order::` at the start of a line, which folding may put anywhere, and `##[order]` wherever it stands;
    Azure Pipelines takes `##vso[order]`, TeamCity `##teamcity[order]`.
    """
    while "##" in text:
        text = text.replace("##", "#")
    if text.startswith("::") or text.count("::") > 1:
        while "::" in text:
            text = text.replace("::", ":")
    return text


# What a spreadsheet takes for the beginning of a formula; a full-width sign is as good as a narrow one to some.
_FORMULA_SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"


def disarm_formula(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula when it is a field of a CSV file.

    A program that splits at semicolons or tabs takes the quotes around a field for characters, so the beginnings of
    cells that it would see are guarded like the field's own beginning.
    """
    import re

    return re.sub(rf"(^|[;\t\r\n])(?=[\s\"]*[{re.escape(_FORMULA_SIGNS)}])", r"\1'", text)


def make_visible(text: str) -> str:
    """Return a path, or another text of this machine's, characters that a screen does not show being escapes."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c == " " or (_is_visible(c) and c.isprintable()) else _escape(c) for c in text)


def quote(text: str, longest: int = _LONGEST_QUOTE) -> str:
    """Return what a person has typed or written, in quotes, as it stands in a message; a long text is cut."""
    shown = make_visible(text if len(text) <= longest else f"{text[:longest]}…")
    return f'"{shown}"' if "'" in shown else f"'{shown}'"


def find_near(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that is nearest to a mistyped one; None where none is near."""
    # Imported late: most words are known.
    import difflib

    return next(iter(difflib.get_close_matches(word.lower(), list(known), 1, 0.6)), None)


def suggest(word: str, known: Iterable[str]) -> str:
    """Return how a sentence about an unknown word ends: by asking whether the nearest known word was meant."""
    near = find_near(word, known)
    return f"; did you mean {near}?" if near else "."


def is_private(character: str) -> bool:
    """Say whether a character is for private use, as a Nerd Font's signs are."""
    return "\ue000" <= character <= "\uf8ff" or character >= "\U000f0000"


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()


# Letters, marks and symbols by their category, and nothing on the screen: Hangul fillers, the grapheme joiner, Khmer
# vowels that are only implied, variation selectors, the blank pattern of Braille, the null notehead.
_BLANK = (
    *("\u034f", "\u115f", "\u1160", "\u17b4", "\u17b5", "\u2800", "\u3164", "\uffa0", "\U0001d159"),
    *("\u180b", "\u180c", "\u180d", "\u180f"),
)


def _is_visible(character: str) -> bool:
    if character in _BLANK or "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef":
        return False
    return character.isspace() or character.isprintable()


# Signs of ours and of typography, as they are written where there are plain characters only.
_PLAIN_SIGNS = str.maketrans(
    {
        "→": "->",
        "↺": "reset",
        "…": "...",
        "×": "X",
        "·": "-",
        "–": "-",
        "—": "-",
        "−": "-",
        "µ": "u",
        "✓": "+",
        "✗": "X",
        "▸": ">",
        "○": "o",
        "●": "*",
        "─": "-",
        "│": "|",
        "’": "'",
        "“": '"',
        "”": '"',
    }
)


def replace_signs(text: str) -> str:
    """Return a text with plain characters in the place of signs; letters stay as they are."""
    return text.translate(_PLAIN_SIGNS)


def convert_to_ascii(text: str) -> str:
    """Return a text in ASCII: signs by plain characters, and any other character as an escape."""
    return replace_signs(text).encode("ascii", "backslashreplace").decode()


def make_slug(text: str) -> str:
    """Return a name for templates and JSON ids: lower-case letters and digits, joined by single underscores."""
    return "_".join("".join(c.lower()[0] if c.isalnum() else " " for c in text).split())

"""Compute what the icon shows of a panel: the bar, the text over it, the tooltip and the menu. Pure."""

from __future__ import annotations

import math
import re
import textwrap

from ullage.panel import markup
from ullage.panel.colours import paint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ullage.panel import Panel, PanelRow

# Windows cuts a longer tooltip.
LONGEST_TITLE = 120
LONGEST_LINE = 60
_INDENT = " " * 4
_FULL = 100.0
_UNCOLOURED = "#9aa4b2"
# The letters of menus are proportional: a figure space is as wide as a digit, a space about as an exclamation mark.
_FIGURE_SPACE = "\N{FIGURE SPACE}"
_PERCENT = re.compile(r"(~?\d+)%(\S*)\Z")


def draw_face(panel: Panel) -> tuple[float | None, str, str]:
    """Return how far the bar is filled (0 to 1, None where unknown), its colour, and the text over it."""
    colour = paint(panel.palette, "stale" if panel.state == "stale" else panel.severity).colour or _UNCOLOURED
    if panel.used_percent is None:
        return None, _UNCOLOURED, "?" if panel.rows else ""
    used = math.floor(panel.used_percent + 1e-9)
    if used >= _FULL:
        return (0.0 if panel.counts_left else 1.0), colour, "×"
    number = max(0, 100 - used) if panel.counts_left else used
    return number / _FULL, colour, str(number)


def word_title(panel: Panel) -> str:
    """Return the tooltip: the segment, and the origin and age of its numbers."""
    text = markup.plain(panel.spans)
    return f"ullage: {text} ({panel.origin})"[:LONGEST_TITLE] if text else f"ullage: {panel.origin}"[:LONGEST_TITLE]


def list_menu(panel: Panel) -> list[str]:
    """Return the menu's lines.

    A window has two or more: bar and number, then forecast. Below all stand the origin and the problem, wrapped to
    LONGEST_LINE. Age and source stand once where all windows share them.
    """
    apart = len({row.stated for row in panel.rows}) > 1
    numbers = _align([row.share.text for row in panel.rows])
    rows = zip(panel.rows, numbers, strict=True)
    lines = [line for row, number in rows for line in _lines(row, number, row.stated if apart else "")]
    about = [panel.origin, *([panel.problem] if panel.problem else [])]
    return [*lines, *(piece for text in about for piece in textwrap.wrap(text, LONGEST_LINE))]


def _align(numbers: Sequence[str]) -> list[str]:
    """Return percentages with their digits in columns, and what stands behind them too; other numbers as they are."""
    found = [_PERCENT.match(number) for number in numbers]
    digits, marks = (max((len(match[part]) for match in found if match), default=0) for part in (1, 2))
    return [
        f"{match[1].rjust(digits, _FIGURE_SPACE)}%{match[2].ljust(marks)}" if match else number
        for match, number in zip(found, numbers, strict=True)
    ]


def _lines(row: PanelRow, number: str, stated: str) -> list[str]:
    head = "  ".join(filter(None, (row.bar, number, row.label, row.course)))
    below = [*row.outlook.split("; "), stated]
    return [head, *(f"{_INDENT}{text}" for text in below if text)]

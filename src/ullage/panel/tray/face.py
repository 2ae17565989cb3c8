"""Compute what the icon shows of a panel: the bar, the text over it, the tooltip and the menu. Pure."""

from __future__ import annotations

import math
import textwrap

from ullage.panel import markup
from ullage.panel.colours import paint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ullage.panel import Panel, PanelRow

# Windows cuts a longer tooltip.
LONGEST_TITLE = 120
LONGEST_LINE = 60
_INDENT = " " * 4
_FULL = 100.0
_UNCOLOURED = "#9aa4b2"


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
    text = markup.plain(panel.spans, panel.palette)
    return f"ullage: {text} ({panel.origin})"[:LONGEST_TITLE] if text else f"ullage: {panel.origin}"[:LONGEST_TITLE]


def list_menu(panel: Panel) -> list[tuple[str, bool]]:
    """Return the menu's lines, each with whether it is the first of a window.

    A window has two or more: bar and number, then forecast. Below all stand the origin and the problem, wrapped to
    LONGEST_LINE. Age and source stand once where all windows share them.
    """
    apart = len({row.stated for row in panel.rows}) > 1
    lines = [line for row in panel.rows for line in _lines(row, row.stated if apart else "")]
    about = [panel.origin, *([panel.problem] if panel.problem else [])]
    return [*lines, *((piece, False) for text in about for piece in textwrap.wrap(text, LONGEST_LINE))]


def _lines(row: PanelRow, stated: str) -> list[tuple[str, bool]]:
    head = "  ".join(filter(None, (row.bar, row.share.text, row.label, row.course)))
    below = [*row.outlook.split("; "), stated]
    return [(head, True), *((f"{_INDENT}{text}", False) for text in below if text)]

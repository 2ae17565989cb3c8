"""What the icon shows of a panel: how far its ring is filled, its tooltip, its menu's lines. Pure."""

from __future__ import annotations

import math

from ullage.panel import markup
from ullage.panel.colours import paint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ullage.panel import Panel, PanelRow

# Windows shows no more of a tooltip.
LONGEST_TITLE = 120
_FULL = 100.0
_UNCOLOURED = "#9aa4b2"


def draw_face(panel: Panel) -> tuple[float | None, str, str]:
    """Return how far the ring is filled, from 0 to 1 or None for not known, its colour, and the text in it."""
    colour = paint(panel.palette, "stale" if panel.state == "stale" else panel.severity).colour or _UNCOLOURED
    if panel.used_percent is None:
        return None, _UNCOLOURED, "?" if panel.rows else ""
    used = math.floor(panel.used_percent + 1e-9)
    if used >= _FULL:
        return (0.0 if panel.counts_left else 1.0), colour, "×"
    number = max(0, 100 - used) if panel.counts_left else used
    return number / _FULL, colour, str(number)


def word_title(panel: Panel) -> str:
    """Return the tooltip: the segment, and when the numbers were read."""
    text = markup.plain(panel.spans, panel.palette)
    return f"ullage: {text} ({panel.origin})"[:LONGEST_TITLE] if text else f"ullage: {panel.origin}"[:LONGEST_TITLE]


def list_menu(panel: Panel) -> list[str]:
    """Return the menu's text: every window with its number, reset, age and source, then what is wrong."""
    lines = [_line(row) for row in panel.rows] or [panel.origin]
    return [*lines, *([panel.problem] if panel.problem else [])]


def _line(row: PanelRow) -> str:
    number = " ".join(part for part in (row.share.text, row.course) if part)
    return f"{row.label}: {', '.join(filter(None, (number, row.outlook)))} ({row.stated})"

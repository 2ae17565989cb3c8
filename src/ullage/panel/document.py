"""Write the panel as JSON without markup (`ullage schema panel`), for widgets of desktops and editors. Pure."""

from __future__ import annotations

import zlib

from ullage.panel import USAGE_PAGE, markup
from ullage.panel.colours import paint
from ullage.panel.lines import tooltip
from ullage.quota import schemas
from ullage.quota.schemas import PanelDocument, PanelRowDocument, PanelSpanDocument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ullage.panel import Panel, PanelRow
    from ullage.render.surfaces import Span


def write_json(panel: Panel, refresh: Sequence[str]) -> str:
    """Return the panel as one line of JSON; `refresh` is the command that starts a refresh."""
    return schemas.encode_line(make_document(panel, refresh)).decode()


def make_document(panel: Panel, refresh: Sequence[str]) -> PanelDocument:
    """Return the panel's document; a widget hides its number where `text` is empty."""
    return PanelDocument(
        schema=1,
        revision=digest(panel),
        text=markup.plain(panel.spans),
        short_text=markup.plain(panel.short),
        spans=[_span(span, panel) for span in panel.spans],
        level=panel.level,
        colour=paint(panel.palette, panel.level).colour,
        severity=panel.severity,
        state=panel.state,
        used_percent=panel.used_percent,
        counts="left" if panel.counts_left else "used",
        tooltip="\n".join(tooltip(panel)),
        rows=[_row(row, panel) for row in panel.rows],
        origin=panel.origin,
        problem=panel.problem or None,
        page=USAGE_PAGE,
        refresh=list(refresh),
    )


def digest(panel: Panel) -> str:
    """Return a hash of what the bar shows; the minutes in forecasts and ages are left out, and do not change it."""
    shown = (panel.spans, panel.short, panel.state, panel.problem, [(row.label, row.share) for row in panel.rows])
    return f"{zlib.crc32(repr(shown).encode()):08x}"


def _span(span: Span, panel: Panel) -> PanelSpanDocument:
    look = paint(panel.palette, span.level)
    return PanelSpanDocument(text=span.text, level=span.own_level, colour=look.colour, bold=look.bold)


def _row(row: PanelRow, panel: Panel) -> PanelRowDocument:
    return PanelRowDocument(
        window=row.window,
        label=row.label,
        text=row.share.text,
        level=row.share.own_level,
        colour=paint(panel.palette, row.share.level).colour,
        used_percent=row.used_percent,
        elapsed_percent=row.elapsed_percent,
        course=row.course,
        outlook=row.outlook,
        stated=row.stated,
    )

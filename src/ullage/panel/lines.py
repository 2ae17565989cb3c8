"""Formats of a few lines: plain, i3blocks, py3status, genmon, sketchybar, and tooltips. Pure."""

from __future__ import annotations

import math

from ullage.base.record import Record
from ullage.config.palette import COLOURS
from ullage.panel import USAGE_PAGE, markup
from ullage.panel.colours import paint
from ullage.render.cells import measure_spans, measure_width
from ullage.render.surfaces import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ullage.panel import Panel


def plain(panel: Panel) -> str:
    """Return the text without colours, for any bar that shows a line."""
    return markup.plain(panel.spans)


def i3blocks(panel: Panel) -> str:
    """Return i3blocks' three lines: text, short text, colour."""
    colour = paint(panel.palette, panel.level).colour or ""
    return "\n".join((plain(panel), markup.plain(panel.short), colour)) if panel.spans else ""


def py3status(panel: Panel) -> str:
    """Return what py3status' external_script reads: text and colour, a line each."""
    colour = paint(panel.palette, panel.level).colour
    return "\n".join(filter(None, (plain(panel), colour)))


def genmon(panel: Panel) -> str:
    """Return the XML of Xfce's generic monitor: text and tooltip in Pango markup, a bar, and what a click opens."""
    lines = [
        f"<txt>{markup.pango(panel.spans, panel.palette)}</txt>",
        f"<txtclick>xdg-open {USAGE_PAGE}</txtclick>",
        f"<tool>{pango_tooltip(panel)}</tool>",
    ]
    if panel.used_percent is not None:
        lines.append(f"<bar>{min(100, math.floor(panel.used_percent))}</bar>")
    return "\n".join(lines)


def sketchybar(panel: Panel) -> str:
    """Return sketchybar's properties, one a line, for `--set NAME`."""
    if not panel.spans:
        return "drawing=off"
    colour = paint(panel.palette, panel.level).colour
    lines = ["drawing=on", f"label={plain(panel)}"]
    return "\n".join(lines + ([f"label.color=0xff{colour[1:]}"] if colour else []))


def tooltip(panel: Panel) -> list[str]:
    """Return a line for every window, and where the numbers come from."""
    rows = [f"{row.label}: {', '.join(filter(None, (row.share.text, row.outlook)))}" for row in panel.rows]
    return [*rows, panel.origin, *([panel.problem] if panel.problem else [])]


def pango_tooltip(panel: Panel) -> str:
    """Return the tooltip as Pango markup: rows in columns, on a ground of their own, as a theme's may be any.

    What is expected has a line of its own, since GTK folds lines of more than 70 characters.
    """
    palette = panel.tooltip_palette
    rows: list[list[Span]] = []
    for row, columns in zip(panel.rows, align_rows(panel), strict=True):
        reset, _, expected = row.outlook.partition("; ")
        beside = [Span(text=f"  {columns.share}  ", level=row.share.level), Span(text=reset, level="faint")]
        rows.append([Span(text=f"{columns.label}  "), Span(text=columns.bar, level=row.share.level), *beside])
        if expected:
            rows.append([Span(text=f"{' ' * measure_width(columns.label)}  {expected}", level="faint")])
    rows += [[Span(text=text, level="faint")] for text in (panel.origin, panel.problem) if text]
    widest = max(map(measure_spans, rows))
    lines = [f" {markup.pango(row, palette)}{' ' * (widest - measure_spans(row))} " for row in rows]
    text = "\n".join(lines)
    if palette:
        colours = COLOURS["dark"]
        text = f"<span background='{colours['background']}' foreground='{colours['text']}'>{text}</span>"
    return f"<tt>{text}</tt>"


class Columns(Record):
    """What a row has in each column, filled up to the widest there: the percent signs stand below each other."""

    label: str
    bar: str
    share: str


def align_rows(panel: Panel) -> list[Columns]:
    """Return the columns of each row."""
    shares = [row.share.text.partition("%") for row in panel.rows]
    before = max((measure_width(number) for number, _, _ in shares), default=0)
    marked = [f"{' ' * (before - measure_width(number))}{number}{sign}{marks}" for number, sign, marks in shares]
    cells = [[row.label for row in panel.rows], [row.bar for row in panel.rows], marked]
    labels, bars, numbers = map(_fill, cells)
    return [Columns(label=label, bar=bar, share=share) for label, bar, share in zip(labels, bars, numbers, strict=True)]


def _fill(texts: Sequence[str]) -> list[str]:
    widest = max(map(measure_width, texts), default=0)
    return [text + " " * (widest - measure_width(text)) for text in texts]

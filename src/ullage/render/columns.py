"""Columns of text and numbers for a terminal: headings, rows, a total set off, and only as many as there is room for.

Pure. A column that does not fit is left out, the least worth first, and the caller says which; a text that does not fit
is cut between words.
"""

from __future__ import annotations

from ullage.base.record import Record
from ullage.render import cells, words
from ullage.render.surfaces import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    Line = list[Span]

_GAP = "  "
# A text is cut to this before the last number is left out.
_NARROWEST_TEXT, _SHORTEST_TEXT = 24, 8
_LONGEST_BAR, _SHORTEST_BAR = 24, 8
_UNITS = ((10**9, "G"), (10**6, "M"), (10**3, "k"))


class Column(Record):
    """A column: words to the left or numbers to the right; a narrow terminal leaves out the least `worth` first.

    The first column and the column of most worth stay. What is faint is detail: the eye should find the rest first.
    """

    heading: str
    is_text: bool = False
    worth: int = 0
    is_faint: bool = False


class Table(Record):
    """Columns, rows of as many texts, and a last row that adds them up; `weights` draws a bar beside each row."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    total: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()


def format_count(value: int | None) -> str:
    """Return a count in three digits and a unit, below a thousand as it is; an empty text for None."""
    if value is None:
        return ""
    for unit, name in _UNITS:
        # A count that would round to 1000k is 1.00M.
        if value * 2 >= unit * 2 - unit // 1000:
            scaled = value / unit
            digits = 2 if scaled < 9.995 else 1 if scaled < 99.95 else 0
            return f"{scaled:.{digits}f}{name}"
    return str(value)


def format_money(amount: Decimal | None, currency: str) -> str:
    """Return an amount to the cent, as a bill would; what is less than one and not nothing is said to be so."""
    if amount is None:
        return ""
    # Imported late: counts do not need it.
    from decimal import ROUND_HALF_UP, Decimal

    cent = Decimal("0.01")
    rounded = amount.quantize(cent, rounding=ROUND_HALF_UP)
    if amount and not rounded:
        return f"<{words.format_price(cent, currency)}"
    return f"{'-' if rounded < 0 else ''}{words.format_price(f'{abs(rounded):,}', currency)}"


def lay_out(table: Table, width: int, *, ascii_only: bool = False) -> tuple[list[Line], list[str]]:
    """Return the table's lines, and the headings of the columns that found no room."""
    widths = _widths(table)
    kept = _fitting(table, widths, width)
    room = width - _needed(widths, kept)
    for at in sorted((at for at in kept if table.columns[at].is_text), key=lambda at: -widths[at]):
        if room < 0:
            narrowed = max(min(widths[at], _SHORTEST_TEXT), widths[at] + room)
            room += widths[at] - narrowed
            widths[at] = narrowed
    bar = min(_LONGEST_BAR, room - len(_GAP)) if any(table.weights) else 0

    def line(texts: Sequence[str], style: str = "", *, heads: bool = False) -> Line:
        spans: Line = []
        for number, at in enumerate(kept):
            column = table.columns[at]
            text = cells.fit_words(texts[at], widths[at], ascii_only=ascii_only)
            blank = " " * (widths[at] - cells.measure_width(text))
            shown = text + blank if column.is_text else blank + text
            faint = heads or (column.is_faint and not style)
            spans.append(Span(text=(_GAP if number else "") + shown, level="faint" if faint else None, style=style))
        return spans

    lines = [line([column.heading for column in table.columns], heads=True)]
    most = max(table.weights, default=0.0)
    for number, row in enumerate(table.rows):
        drawn = _bar(table.weights[number] / most, bar, ascii_only=ascii_only) if bar >= _SHORTEST_BAR and most else []
        lines.append([*line(row), *drawn])
    if table.total:
        rule = ("-" if ascii_only else "─") * min(width, _needed(widths, kept))
        lines += [[Span(text=rule, level="faint")], line(table.total, "bold")]
    return lines, [column.heading for at, column in enumerate(table.columns) if at not in kept]


def _widths(table: Table) -> list[int]:
    every = [[column.heading for column in table.columns], *table.rows, *([table.total] if table.total else [])]
    return [max(cells.measure_width(row[at]) for row in every) for at in range(len(table.columns))]


def _fitting(table: Table, widths: Sequence[int], width: int) -> list[int]:
    """Return the places of the columns that stay: the first, and those of most worth, one of them at least."""
    least = [
        min(size, _NARROWEST_TEXT) if column.is_text else size
        for size, column in zip(widths, table.columns, strict=True)
    ]
    kept = list(range(len(table.columns)))
    for at in sorted(kept[1:], key=lambda at: table.columns[at].worth)[:-1]:
        if _needed(least, kept) > width:
            kept.remove(at)
    return kept


def _needed(widths: Sequence[int], kept: Sequence[int]) -> int:
    return sum(widths[at] for at in kept) + len(_GAP) * (len(kept) - 1)


def _bar(share: float, room: int, *, ascii_only: bool) -> Line:
    """Return a bar for a share of the largest, in the strokes of a gauge."""
    halves = round(share * room * 2)
    text = "=" * (halves // 2) if ascii_only else "━" * (halves // 2) + "╸" * (halves % 2)
    return [Span(text=_GAP + text, level="accent")]

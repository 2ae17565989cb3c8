"""Lay out columns of text and numbers for a terminal; rows that do not fit take several lines. Pure."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from ullage.render import cells, words
from ullage.render.surfaces import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_GAP = 2
_NARROWEST_TEXT = 12
_CENT = Decimal("0.01")


def format_count(value: int | None) -> str:
    """Return a count with its thousands apart; nothing for what is unknown."""
    return "" if value is None else f"{value:,}"


def format_money(amount: Decimal | None, currency: str) -> str:
    """Return an amount to the cent, as a bill would; what is less than one and not nothing is said to be so."""
    if amount is None:
        return ""
    rounded = amount.quantize(_CENT, rounding=ROUND_HALF_UP)
    if amount and not rounded:
        return f"<{words.format_price(_CENT, currency)}"
    return f"{'-' if rounded < 0 else ''}{words.format_price(f'{abs(rounded):,}', currency)}"


def lay_out_table(headings: Sequence[str], texts: int, rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """Yield the lines of a table whose first `texts` columns are words, to the left, and the rest numbers."""
    every = [headings, *rows]
    widths = [max(cells.measure_width(row[column]) for row in every) for column in range(len(headings))]
    room = width - sum(widths) - _GAP * (len(widths) - 1)
    if room < 0:
        widest = max(range(texts), key=lambda column: widths[column]) if texts else 0
        if texts and widths[widest] + room >= _NARROWEST_TEXT:
            widths[widest] += room
        else:
            yield from _records(headings, texts, rows, width)
            return
    for row in every:
        yield (
            (" " * _GAP)
            .join(_cell(text, widths[column], left=column < texts) for column, text in enumerate(row))
            .rstrip()
        )


def _records(headings: Sequence[str], texts: int, rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    labels = max(cells.measure_width(heading) for heading in headings)
    for row in rows:
        yield _fitted(" ".join(text for text in row[:texts] if text), width)
        for heading, text in zip(headings[texts:], row[texts:], strict=True):
            if text:
                yield _fitted(f"  {_cell(heading, labels, left=True)} {text}", width)


def _cell(text: str, width: int, *, left: bool) -> str:
    shown = _fitted(text, width)
    space = " " * (width - cells.measure_width(shown))
    return shown + space if left else space + shown


def _fitted(text: str, width: int) -> str:
    return "".join(span.text for span in cells.fit([Span(text=text)], width))

"""The page of meters, wrapped to a width: what is counted in percent, in tokens and in money stands apart. Pure."""

from __future__ import annotations

import textwrap

from ullage.render import words
from ullage.text import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from ullage.doctor.meter_report import MeterReport
    from ullage.meters import Counted, Meter

HEADINGS: dict[Counted, str] = {
    "quota": "QUOTA: how much of a window of your plan is used, in percent, as the provider's server counts it. Only "
    "these numbers are shown in a prompt.",
    "tokens": "TOKENS: what went through this machine. No percentage of anything: the server tells nobody how it "
    "weighs tokens.",
    "organisation": "ORGANISATION: what an organisation used and pays, from its own reports. Says nothing about your "
    "plan's windows.",
    "not read": "NOT READ, and why:",
}
_LABELS = {"what": "what", "exact": "exact", "fresh": "fresh", "needs": "needs", "cost": "costs", "command": "see"}
_INDENT = 10
_NARROWEST = 24


def lines(rows: Sequence[MeterReport], now: datetime, width: int) -> Iterator[str]:
    """Yield the lines of the page, group by group."""
    width = max(width, _NARROWEST)
    in_force = ", ".join(row.meter.name for row in rows if row.in_force)
    if in_force:
        yield from textwrap.wrap(f"In force here: {in_force}.", width)
        yield ""
    for counted, heading in HEADINGS.items():
        group = [row for row in rows if row.meter.counts == counted]
        if not group:
            continue
        yield from textwrap.wrap(heading, width)
        for row in group:
            yield ""
            yield from _meter(row, now, width)
        yield ""
        yield ""


def state(row: MeterReport, now: datetime) -> str:
    """Return in words whether a meter can be used here and is in force."""
    if row.usable is None:
        return "not read"
    told = f", last answer {words.ago(now - row.as_of)}" if row.as_of else ""
    if row.in_force:
        return f"in force{told}{f'; {clean(row.obstacle, 300)}' if row.obstacle else ''}"
    return f"usable here{told}" if row.usable else f"not usable here: {clean(row.obstacle, 300)}"


def _meter(row: MeterReport, now: datetime, width: int) -> Iterator[str]:
    meter = row.meter
    yield meter.name
    for field, label in _LABELS.items():
        text = _field(meter, field)
        if text:
            yield from _labelled(label, text, width)
    if row.usable is not None:
        yield from _labelled("here", state(row, now), width)


def _field(meter: Meter, field: str) -> str:
    text: str = getattr(meter, field)
    return "" if text == "-" else text


def _labelled(label: str, text: str, width: int) -> list[str]:
    first = f"  {label:{_INDENT - 2}}"
    return textwrap.wrap(text, width, initial_indent=first, subsequent_indent=" " * _INDENT, break_on_hyphens=False)

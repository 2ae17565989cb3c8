"""Write an organisation's report as JSON, CSV, OpenMetrics, or a table for a terminal."""

from __future__ import annotations

import textwrap
from datetime import UTC, datetime, time, timedelta

from ullage.base.text import disarm_formula
from ullage.org import totals
from ullage.render import cells, columns
from ullage.render.columns import Column, Table
from ullage.render.surfaces import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from ullage.org.days import Days
    from ullage.org.fetch import Fetched
    from ullage.org.reports import Report
    from ullage.org.totals import OrgTotal

_NO_QUOTA = "Says nothing about a plan's windows."
_RANGE = "ullage_org_range_start_timestamp_seconds", "ullage_org_range_end_timestamp_seconds"
_HELP = {
    "ullage_org_tokens": "Tokens in the range, by type.",
    "ullage_org_cost": "Money in the range, in whole units of the currency.",
    _RANGE[0]: "When the range of the report begins.",
    _RANGE[1]: "When the range of the report ends.",
}


def build_document(report: Report, wanted: Days, found: Fetched, by: Sequence[str]) -> dict[str, Any]:
    """Return the JSON document: money is text, exact to the last digit; unknown values are absent or null."""
    return {
        "schema": 1,
        "report": report.kind,
        "first_day": wanted.first.isoformat(),
        "last_day": wanted.last.isoformat(),
        "unfinished_days": [day.isoformat() for day in found.unfinished],
        "rows": [{**_labels(total), **_numbers(total)} for total in totals.add_up(found.rows, by)],
        "total": _numbers(totals.add_all(found.rows)),
    }


def _labels(total: OrgTotal) -> dict[str, str | None]:
    return {name: None if value == totals.NONE else value for name, value in total.labels.items()}


def _numbers(total: OrgTotal) -> dict[str, Any]:
    return {**total.counts, "cost": {currency: f"{amount:f}" for currency, amount in total.costs.items()}}


def lay_out_table(found: Fetched, by: Sequence[str]) -> Iterator[list[object]]:
    """Yield the lines of a CSV file, headings first."""
    added = totals.add_up(found.rows, by)
    counts, currencies = totals.list_names(added), totals.list_currencies(added)
    yield [*by, *counts, *(f"cost_{currency.lower()}" for currency in currencies)]
    for total in added:
        shown_labels = (total.labels[name] for name in by)
        labels = [label if label == totals.NONE else disarm_formula(label) for label in shown_labels]
        costs = [f"{total.costs[currency]:f}" if currency in total.costs else "" for currency in currencies]
        yield [*labels, *(total.counts.get(name, "") for name in counts), *costs]


def expose_report(report: Report, wanted: Days, found: Fetched, by: Sequence[str]) -> bytes:
    """Return the totals as OpenMetrics: gauges over the range, which node_exporter's textfile collector reads too."""
    # Imported late: prometheus_client takes a tenth of a second, and a table does not need it.
    from ullage.metrics import formats
    from ullage.metrics.samples import Family, Metric

    values: dict[str, list[tuple[dict[str, str], float]]] = {}
    for name, day in zip(_RANGE, (wanted.first, wanted.last + timedelta(days=1)), strict=True):
        values[name] = [({"report": report.kind}, datetime.combine(day, time(), UTC).timestamp())]
    for sample in totals.list_samples(report.kind, found.rows, by):
        values.setdefault(sample.name, []).append((sample.labels, float(sample.value)))
    return formats.encode(
        (Family(metric=Metric(name=name, help=_help(name)), samples=tuple(values[name])) for name in values),
        openmetrics=True,
    )


def _help(name: str) -> str:
    counted = name.removeprefix("ullage_org_").replace("_", " ").capitalize()
    return f"{_HELP.get(name, f'{counted} in the range.')} No share of a plan's window."


# What most look for is left out last; tokens stand in the order of `ullage tokens`, behind what people did.
_ORDER = (
    *("sessions", "requests", "commits", "pull_requests", "lines_added", "lines_removed"),
    *("edits_accepted", "edits_rejected", "uncached_input_tokens", "input_tokens", "output_tokens"),
    *("cache_write_5m_tokens", "cache_write_1h_tokens", "cache_write_tokens", "cache_read_input_tokens"),
    *("cache_read_tokens", "web_searches", "total_tokens"),
)
_WORTH = (
    *("total_tokens", "sessions", "requests", "lines_added", "output_tokens", "uncached_input_tokens"),
    *("input_tokens", "commits"),
)
_HEADINGS = {
    "uncached_input_tokens": "input",
    "cache_read_input_tokens": "cache read",
    "cache_write_5m_tokens": "write 5m",
    "cache_write_1h_tokens": "write 1h",
    "total_tokens": "tokens",
    "web_searches": "searches",
}


def lay_out(
    report: Report, wanted: Days, found: Fetched, by: Sequence[str], width: int, *, ascii_only: bool = False
) -> Iterator[list[Span]]:
    """Yield the lines for a terminal: the title with its days, the table, and which days are not final yet."""
    days = Span(text=f"  {wanted.first} to {wanted.last}, UTC", level="faint")
    yield from cells.wrap_parts([Span(text=report.title, style="bold"), days], width, "  ")
    yield []
    remarks = []
    added = totals.add_up(found.rows, by)
    if not added:
        yield [Span(text="Nothing was used in that time.")]
    else:
        lines, left_out = columns.lay_out(_table(added, totals.add_all(found.rows), by), width, ascii_only=ascii_only)
        yield from lines
        remarks += [f"Without room here: {', '.join(left_out)}. --json has all."] if left_out else []
    if found.unfinished:
        later = " and later" if len(found.unfinished) > 1 else ""
        remarks.append(f"More may arrive yet for {found.unfinished[0]}{later}.")
    yield []
    for remark in (*remarks, _NO_QUOTA):
        yield from ([Span(text=line, level="faint")] for line in textwrap.wrap(remark, width))


def _table(added: Sequence[OrgTotal], whole: OrgTotal, by: Sequence[str]) -> Table:
    named = totals.list_names([*added, whole])
    counts = sorted(named, key=lambda name: _ORDER.index(name) if name in _ORDER else -1)
    currencies = totals.list_currencies([*added, whole])
    worth = {name: len(_WORTH) - at for at, name in enumerate(_WORTH)}
    rows, before = [], ""
    for total in added:
        first, *others = (total.labels[name] for name in by)
        # A day stands once, above what was used in it.
        rows.append(("" if others and first == before else first, *others, *_cells(total, counts, currencies)))
        before = first
    return Table(
        columns=(
            *(Column(heading=_heading(name), is_text=True, worth=len(_WORTH)) for name in by),
            *(Column(heading=_heading(name), worth=worth.get(name, 0), is_faint=bool(currencies)) for name in counts),
            *(
                Column(heading="cost" if currency == "USD" else f"cost {currency}", worth=len(_WORTH) + 1)
                for currency in currencies
            ),
        ),
        rows=tuple(rows),
        total=("total", *("" for _ in by[1:]), *_cells(whole, counts, currencies)),
        weights=tuple(float(total.costs[currencies[0]]) for total in added)
        if len(currencies) == 1 and len(added) > 1 and all(total.costs for total in added)
        else (),
    )


def _heading(name: str) -> str:
    return _HEADINGS.get(name, name.removesuffix("_id").removesuffix("_tokens").replace("_", " "))


def _cells(total: OrgTotal, counts: Sequence[str], currencies: Sequence[str]) -> list[str]:
    return [
        *(columns.format_count(total.counts.get(name)) for name in counts),
        *(columns.format_money(total.costs.get(currency), currency) for currency in currencies),
    ]

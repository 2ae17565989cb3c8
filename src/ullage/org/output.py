"""Write an organisation's report as JSON, CSV, OpenMetrics, or a table for a terminal."""

from __future__ import annotations

import textwrap
from datetime import UTC, datetime, time, timedelta

from ullage.base.text import disarm_formula
from ullage.org import totals
from ullage.render import columns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date
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
        values[name] = [({"report": report.kind}, _midnight(day))]
    for sample in totals.list_samples(report.kind, found.rows, by):
        values.setdefault(sample.name, []).append((sample.labels, float(sample.value)))
    return formats.encode(
        (Family(metric=Metric(name=name, help=_help(name)), samples=tuple(values[name])) for name in values),
        openmetrics=True,
    )


def _midnight(day: date) -> float:
    return datetime.combine(day, time(), UTC).timestamp()


def _help(name: str) -> str:
    counted = name.removeprefix("ullage_org_").replace("_", " ").capitalize()
    return f"{_HELP.get(name, f'{counted} in the range.')} No share of a plan's window."


def lay_out(report: Report, wanted: Days, found: Fetched, by: Sequence[str], width: int) -> Iterator[str]:
    """Yield the lines for a terminal: the title with its days, the table, and which days are not final yet."""
    yield from textwrap.wrap(f"{report.title}, {wanted.first} to {wanted.last} (UTC). {_NO_QUOTA}", width)
    yield ""
    added = totals.add_up(found.rows, by)
    if not added:
        yield "Nothing was used in that time."
    else:
        shown = [*added, totals.add_all(found.rows)]
        counts, currencies = totals.list_names(shown), totals.list_currencies(shown)
        headings = [*(_heading(name) for name in by), *map(_heading, counts)]
        headings += ["cost" if currency == "USD" else f"cost {currency}" for currency in currencies]
        rows = [_cells(total, by, counts, currencies) for total in shown]
        yield from columns.lay_out_table(headings, len(by), rows, width)
    if found.unfinished:
        yield ""
        later = " and later" if len(found.unfinished) > 1 else ""
        yield from textwrap.wrap(f"More may arrive yet for {found.unfinished[0]}{later}.", width)


def _heading(name: str) -> str:
    return name.removesuffix("_id").removesuffix("_tokens").replace("_", " ").replace("uncached input", "input")


def _cells(total: OrgTotal, by: Sequence[str], counts: Sequence[str], currencies: Sequence[str]) -> list[str]:
    labels = [total.labels.get(name, "total" if at == 0 else "") for at, name in enumerate(by)]
    return [
        *labels,
        *(columns.format_count(total.counts.get(name)) for name in counts),
        *(columns.format_money(total.costs.get(currency), currency) for currency in currencies),
    ]

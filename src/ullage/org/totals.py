"""Add rows up by labels, and turn the totals into samples for metrics. Pure."""

from __future__ import annotations

from decimal import Decimal

from ullage.base.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ullage.org.reports import Kind
    from ullage.org.rows import ReportRow

NONE = "-"
_ABOUT_PEOPLE_NOT_MODELS = (
    *("sessions", "lines_added", "lines_removed", "commits", "pull_requests", "edits_accepted", "edits_rejected"),
)


class OrgTotal(Record):
    """The sum of some rows: their common labels, counts, and money by currency; what no row has is absent."""

    labels: dict[str, str]
    counts: dict[str, int]
    costs: dict[str, Decimal]


def add_up(rows: Sequence[ReportRow], by: Sequence[str]) -> list[OrgTotal]:
    """Return the totals of rows by labels (`day` and `at` count as labels), by time, then the largest first."""
    groups: dict[tuple[str, ...], list[ReportRow]] = {}
    for row in _keep_named(rows, by):
        groups.setdefault(tuple(_label(row, name) for name in by), []).append(row)
    totals = [_total(dict(zip(by, labels, strict=True)), group) for labels, group in groups.items()]
    return sorted(totals, key=lambda total: _order(total, by))


def add_all(rows: Sequence[ReportRow]) -> OrgTotal:
    """Return one total of all rows."""
    return _total({}, rows)


def list_names(totals: Sequence[OrgTotal]) -> list[str]:
    """Return the names of the counts in any of the totals, in the order of their first appearance."""
    return list(dict.fromkeys(name for total in totals for name in total.counts))


def list_currencies(totals: Sequence[OrgTotal]) -> list[str]:
    """Return the currencies in any of the totals, sorted."""
    return sorted({currency for total in totals for currency in total.costs})


def _keep_named(rows: Sequence[ReportRow], by: Sequence[str]) -> Sequence[ReportRow]:
    """Return the rows that fit the grouping: by model, those with a person's sessions and lines are left out."""
    if "model" not in by:
        return rows
    return [row for row in rows if not row.counts.keys() & set(_ABOUT_PEOPLE_NOT_MODELS)]


def _label(row: ReportRow, name: str) -> str:
    if name == "day":
        return row.day.isoformat()
    if name == "at":
        return row.at.strftime("%Y-%m-%dT%H:%MZ")
    return row.labels.get(name, NONE)


def _total(labels: dict[str, str], rows: Sequence[ReportRow]) -> OrgTotal:
    counts: dict[str, int] = {}
    costs: dict[str, Decimal] = {}
    for row in rows:
        for name, value in row.counts.items():
            counts[name] = counts.get(name, 0) + value
        if row.cost is not None and row.currency is not None:
            costs[row.currency] = costs.get(row.currency, Decimal(0)) + row.cost
    return OrgTotal(labels=labels, counts=counts, costs=costs)


def _order(total: OrgTotal, by: Sequence[str]) -> tuple[object, ...]:
    moments = tuple(total.labels[name] for name in by if name in ("day", "at"))
    return (moments, -sum(total.costs.values()), -sum(total.counts.values()), *total.labels.values())


class MetricSample(Record):
    """One sample for a metrics system: the metric's name, labels, and the value."""

    name: str
    labels: dict[str, str]
    value: Decimal


def list_samples(kind: Kind, rows: Sequence[ReportRow], by: Sequence[str]) -> Iterator[MetricSample]:
    """Yield the totals as samples: ullage_org_tokens by `type`, ullage_org_cost by `currency`, and the other counts.

    Each is a gauge over the days of the rows; none is a share of a plan's window.
    """
    for total in add_up(rows, by):
        labels = {"report": kind, **{name: value for name, value in total.labels.items() if value != NONE}}
        for name, value in total.counts.items():
            if name.endswith("_tokens"):
                # A query that sums over `type` would count the total twice.
                if name != "total_tokens":
                    count = {**labels, "type": name.removesuffix("_tokens")}
                    yield MetricSample(name="ullage_org_tokens", labels=count, value=Decimal(value))
            else:
                yield MetricSample(name=f"ullage_org_{name}", labels=labels, value=Decimal(value))
        for currency, cost in total.costs.items():
            yield MetricSample(name="ullage_org_cost", labels={**labels, "currency": currency}, value=cost)

"""Describe the provider's reports, with the limits that it documents, and build their requests. Pure.

Messages usage: buckets of 1m, 1h or 1d, at most 1440, 168 or 31 of them a page. Cost: days only, 31 a page. Claude
Code: one day a request, 1000 records a page. Enterprise analytics: 31 days a request, 1000 rows a page, since 2026, for
a year.
"""

from __future__ import annotations

from datetime import date, timedelta

from ullage.base.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    Key = Literal["admin", "analytics"]
    Kind = Literal["usage", "cost", "claude-code", "people-usage", "people-cost"]

HOUR = timedelta(hours=1)
_ANALYTICS_BEGAN = date(2026, 1, 1)
_FAST_MODE = "fast-mode-2026-02-01"

_TIERS = ("standard", "batch", "priority", "priority_on_demand", "flex", "flex_discount")
_CONTEXTS = ("0-200k", "200k-1M")
_GEOS = ("global", "us", "not_available")
_SPEEDS = ("fast", "standard")
_PRODUCTS = ("chat", "claude-tag", "claude_code", "claude_design", "claude_in_chrome", "cowork", "office_agent")


class Filter(Record):
    """A filter of a report: its query parameter, and the values that it takes; empty where any text goes."""

    parameter: str
    words: tuple[str, ...] = ()


class Report(Record):
    """One report and its limits.

    `groups` are the labels that a request may group by, `parts` the labels that its rows always have. By width of
    bucket, `page` is the largest page, `days` the most days of one request, `longest` the most days of a range. A day
    counts as finished `settles` after its end, since rows arrive late.
    """

    kind: Kind
    title: str
    path: str
    key: Key
    groups: tuple[str, ...]
    page: dict[str, int]
    days: dict[str, int]
    longest: dict[str, int]
    settles: timedelta
    default_by: tuple[str, ...]
    parts: tuple[str, ...] = ()
    filters: dict[str, Filter] = {}  # noqa: RUF012  # a record is frozen
    earliest: date | None = None
    history: timedelta | None = None


_WIDTHS_OF_PEOPLE = {"1d": 1000}
_FILTERS_OF_PEOPLE = {
    "model": Filter(parameter="models[]"),
    "product": Filter(parameter="products[]", words=_PRODUCTS),
    "context-window": Filter(parameter="context_windows[]", words=_CONTEXTS),
    "geo": Filter(parameter="inference_geos[]", words=_GEOS),
    "speed": Filter(parameter="speeds[]", words=_SPEEDS),
    "user": Filter(parameter="user_ids[]"),
}

USAGE = Report(
    kind="usage",
    title="Tokens of the organisation's API",
    path="/v1/organizations/usage_report/messages",
    key="admin",
    groups=("model", "workspace_id", "api_key_id", "service_tier", "context_window", "inference_geo", "speed"),
    page={"1d": 31, "1h": 168, "1m": 1440},
    days={"1d": 31, "1h": 7, "1m": 1},
    longest={"1d": 366, "1h": 31, "1m": 2},
    settles=3 * HOUR,
    default_by=("day", "model"),
    filters={
        "model": Filter(parameter="models[]"),
        "workspace": Filter(parameter="workspace_ids[]"),
        "api-key": Filter(parameter="api_key_ids[]"),
        "tier": Filter(parameter="service_tiers[]", words=_TIERS),
        "context-window": Filter(parameter="context_window[]", words=_CONTEXTS),
        "geo": Filter(parameter="inference_geos[]", words=_GEOS),
        "speed": Filter(parameter="speeds[]", words=_SPEEDS),
    },
)
COST = Report(
    kind="cost",
    title="Cost of the organisation's API",
    path="/v1/organizations/cost_report",
    key="admin",
    groups=("workspace_id", "description"),
    page={"1d": 31},
    days={"1d": 31},
    longest={"1d": 366},
    settles=3 * HOUR,
    default_by=("day",),
)
CLAUDE_CODE = Report(
    kind="claude-code",
    title="Claude Code in the organisation",
    path="/v1/organizations/usage_report/claude_code",
    key="admin",
    groups=(),
    parts=("person", "model", "terminal", "customer"),
    page={"1d": 1000},
    days={"1d": 1},
    longest={"1d": 366},
    settles=3 * HOUR,
    default_by=("person",),
)
PEOPLE_USAGE = Report(
    kind="people-usage",
    title="Tokens of the organisation's people, over all products",
    path="/v1/organizations/analytics/user_usage_report",
    key="analytics",
    groups=("product", "model", "context_window", "inference_geo", "speed", "rbac_group_id", "slack_channel_id"),
    parts=("person",),
    page=_WIDTHS_OF_PEOPLE,
    days={"1d": 31},
    longest={"1d": 365},
    settles=48 * HOUR,
    default_by=("person",),
    filters=_FILTERS_OF_PEOPLE,
    earliest=_ANALYTICS_BEGAN,
    history=timedelta(days=364),
)
PEOPLE_COST = PEOPLE_USAGE.replace(
    kind="people-cost",
    title="Cost of the organisation's people, over all products",
    path="/v1/organizations/analytics/user_cost_report",
)
# What the tests hold of every report.
REPORTS = (USAGE, COST, CLAUDE_CODE, PEOPLE_USAGE, PEOPLE_COST)


def list_reports(report: Report) -> tuple[str, ...]:
    """Return the labels that a report's rows can be added up by."""
    return ("day", *report.parts, *report.groups)


class Query(Record):
    """A query: the report, the width of its buckets, the labels that the server groups by, and filters by name."""

    report: Report
    width: str = "1d"
    groups: tuple[str, ...] = ()
    filters: tuple[tuple[str, str], ...] = ()


def build_parameters(query: Query, first: date, last: date) -> list[tuple[str, str]]:
    """Return the query parameters of a request for the days from `first` to `last`, both included."""
    report = query.report
    if report.kind == "claude-code":
        return [("starting_at", first.isoformat()), ("limit", str(report.page[query.width]))]
    chosen = [(report.filters[name].parameter, value) for name, value in query.filters]
    return [
        ("starting_at", f"{first.isoformat()}T00:00:00Z"),
        ("ending_at", f"{(last + timedelta(days=1)).isoformat()}T00:00:00Z"),
        ("bucket_width", query.width),
        ("limit", str(report.page[query.width])),
        *(("group_by[]", group) for group in query.groups),
        *chosen,
    ]


def choose_beta(query: Query) -> str | None:
    """Return the value of the `anthropic-beta` header that a query needs; None where it needs none."""
    asks_for_speed = "speed" in query.groups or any(name == "speed" for name, _ in query.filters)
    return _FAST_MODE if query.report.kind == "usage" and asks_for_speed else None

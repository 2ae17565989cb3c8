"""Decode the answers of the reports into rows with labels, counts and money. Pure.

Money comes in cents, as a decimal string or a number, and is kept as exact decimals of the currency's unit. A field
that an answer leaves out is absent here, never 0. Names of people and keys are cleaned.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from ullage.base.errors import SourceError
from ullage.base.record import Record
from ullage.base.text import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from ullage.org.reports import Kind

_LARGEST_COUNT = 10**18
_LARGEST_AMOUNT = Decimal(10) ** 15
# 1e-900000 is short to read, and would print a million digits.
_LONGEST_AMOUNT, _MOST_DECIMALS = 64, 30
_LONGEST_LABEL = 120
_DIMENSIONS = (
    *("model", "workspace_id", "api_key_id", "service_tier", "context_window", "inference_geo", "speed", "product"),
    *("rbac_group_id", "slack_channel_id", "description", "cost_type", "token_type", "account_id"),
)
_TOKENS = ("uncached_input_tokens", "cache_read_input_tokens", "output_tokens", "requests", "total_tokens")


class ReportRow(Record):
    """One row of a report: the start of its bucket, its labels, its counts, and its cost where the report has one."""

    at: datetime
    labels: dict[str, str]
    counts: dict[str, int]
    cost: Decimal | None = None
    currency: str | None = None

    @property
    def day(self) -> date:
        return self.at.date()


class Page(Record):
    """One page: its rows, the cursor of the next page, and the time up to which its data is complete, where stated.

    `days` are the days of its buckets, empty buckets included; None where a report has no buckets.
    """

    rows: tuple[ReportRow, ...]
    next_page: str | None
    refreshed_at: datetime | None = None
    days: frozenset[date] | None = None


def parse_rows(kind: Kind, body: object) -> Page:
    """Decode an answer's body; raise SourceError for another shape."""
    if not isinstance(body, dict) or not isinstance(body.get("data"), list):
        raise _unexpected("it is no report")
    entries = [entry for entry in body["data"] if isinstance(entry, dict)]
    read = {"claude-code": _claude_code, "people-usage": _person, "people-cost": _person}.get(kind, _bucket)
    more = body.get("next_page")
    refreshed_at = body.get("data_refreshed_at")
    return Page(
        rows=tuple(row for entry in entries for row in read(entry)),
        next_page=more if body.get("has_more") is True and isinstance(more, str) and more else None,
        refreshed_at=_moment(refreshed_at) if isinstance(refreshed_at, str) else None,
        days=frozenset(_moment(entry.get("starting_at")).date() for entry in entries) if read is _bucket else None,
    )


def _unexpected(what: str) -> SourceError:
    return SourceError(
        "unexpected_shape",
        f"The answer cannot be read: {what}. Look for a newer ullage.",
        reached_server=True,
    )


def _bucket(entry: Mapping[str, Any]) -> Iterator[ReportRow]:
    at = _moment(entry.get("starting_at"))
    results = entry.get("results")
    for result in results if isinstance(results, list) else ():
        if isinstance(result, dict):
            yield _row(at, result, {})


def _person(entry: Mapping[str, Any]) -> Iterator[ReportRow]:
    yield _row(_moment(entry.get("starting_at")), entry, _actor(entry.get("actor")))


def _row(at: datetime, fields: Mapping[str, Any], labels: dict[str, str]) -> ReportRow:
    cost, currency = _money(fields)
    return ReportRow(at=at, labels={**labels, **_labels(fields)}, counts=_tokens(fields), cost=cost, currency=currency)


def _labels(fields: Mapping[str, Any]) -> dict[str, str]:
    labels = ((name, clean(fields.get(name), _LONGEST_LABEL)) for name in _DIMENSIONS)
    return {name: value for name, value in labels if value}


def _tokens(fields: Mapping[str, Any]) -> dict[str, int]:
    created, tools = (_part(fields, name) for name in ("cache_creation", "server_tool_use"))
    counts: dict[str, object] = {name: fields.get(name) for name in _TOKENS}
    counts["cache_write_5m_tokens"] = created.get("ephemeral_5m_input_tokens")
    counts["cache_write_1h_tokens"] = created.get("ephemeral_1h_input_tokens")
    counts["web_searches"] = tools.get("web_search_requests")
    return _counts(counts)


def _claude_code(entry: Mapping[str, Any]) -> Iterator[ReportRow]:
    """Yield a row of a person's activity, then one per model: activity is not broken down by model, tokens are."""
    at = _moment(entry.get("date"))
    labels = {
        **_actor(entry.get("actor")),
        "terminal": clean(entry.get("terminal_type"), _LONGEST_LABEL),
        "customer": clean(entry.get("subscription_type")) or clean(entry.get("customer_type")),
    }
    labels = {name: value for name, value in labels.items() if value}
    core, lines = _part(entry, "core_metrics"), _part(_part(entry, "core_metrics"), "lines_of_code")
    tools = [part for part in _part(entry, "tool_actions").values() if isinstance(part, dict)]
    activity = {
        "sessions": core.get("num_sessions"),
        "lines_added": lines.get("added"),
        "lines_removed": lines.get("removed"),
        "commits": core.get("commits_by_claude_code"),
        "pull_requests": core.get("pull_requests_by_claude_code"),
        "edits_accepted": _sum(tools, "accepted"),
        "edits_rejected": _sum(tools, "rejected"),
    }
    yield ReportRow(at=at, labels=labels, counts=_counts(activity))
    models = entry.get("model_breakdown")
    for used in models if isinstance(models, list) else ():
        if isinstance(used, dict):
            tokens = _part(used, "tokens")
            cost, currency = _money(_part(used, "estimated_cost"))
            yield ReportRow(
                at=at,
                labels={**labels, "model": clean(used.get("model"), _LONGEST_LABEL) or "unnamed"},
                counts=_counts(
                    {
                        "input_tokens": tokens.get("input"),
                        "cache_write_tokens": tokens.get("cache_creation"),
                        "cache_read_tokens": tokens.get("cache_read"),
                        "output_tokens": tokens.get("output"),
                    }
                ),
                cost=cost,
                currency=currency,
            )


def _actor(actor: object) -> dict[str, str]:
    known = actor if isinstance(actor, dict) else {}
    names = ("email_address", "email", "name", "api_key_name", "user_id")
    name = next((text for text in (clean(known.get(name), _LONGEST_LABEL) for name in names) if text), "unnamed")
    return {"person": f"key {name}" if "api_key_name" in known else name}


def _part(fields: Mapping[str, Any], name: str) -> dict[str, Any]:
    part = fields.get(name)
    return part if isinstance(part, dict) else {}


def _sum(parts: list[dict[str, Any]], name: str) -> int | None:
    known = [count for part in parts for count in _counts({name: part.get(name)}).values()]
    return sum(known) if known else None


def _counts(given: Mapping[str, object]) -> dict[str, int]:
    return {
        name: value
        for name, value in given.items()
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST_COUNT
    }


def _money(fields: Mapping[str, Any]) -> tuple[Decimal | None, str | None]:
    given = fields.get("amount")
    if given is None:
        return None, None
    amount = _amount(given)
    if amount is None:
        raise _unexpected("an amount of money in it is none")
    return amount / 100, (clean(fields.get("currency"), 3) or "XXX").upper()


def _amount(given: object) -> Decimal | None:
    if not isinstance(given, str | int | Decimal) or isinstance(given, bool) or len(str(given)) > _LONGEST_AMOUNT:
        return None
    try:
        amount = Decimal(given)
        exponent = amount.as_tuple().exponent
        # The exponent of NaN and infinity is a letter.
        is_sound = isinstance(exponent, int) and exponent >= -_MOST_DECIMALS and abs(amount) <= _LARGEST_AMOUNT
    except ArithmeticError:
        return None
    return amount if is_sound else None


def _moment(value: object) -> datetime:
    """Read a day or an RFC 3339 time as UTC; raise SourceError for anything else, since a row needs its day."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        if moment is not None:
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise _unexpected("a time in it is none")

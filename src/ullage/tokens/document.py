"""The report of `ullage tokens` for programs: JSON and CSV with stable names. Pure.

Dictionaries, as `quota.schemas` publishes them: msgspec takes a fifth of a second look at transcripts to import.
"""

from __future__ import annotations

from ullage.base import jsontext
from ullage.base.dates import UTC, datetime
from ullage.base.text import clean, disarm_formula
from ullage.base.values import format_time
from ullage.tokens import cost, report
from ullage.tokens.counts import COUNTS
from ullage.tokens.task import MENDED, SKIPPED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ullage.tokens.report import Total, UsageGroup
    from ullage.tokens.tally import TokenUsage, WindowShare

VERSION = 1
NOTE = "Tokens in local transcripts. They are not a percentage of the plan's quota, and cost is what an API "
NOTE += "customer would have paid by the list price, not what a plan costs."
_LONGEST = 1000


def build_document(answer: TokenUsage, zone_name: str) -> dict[str, Any]:
    """Return the report for programs; fields are added, never renamed."""
    question = answer.question
    return {
        "schema": VERSION,
        "note": NOTE,
        "by": question.by,
        "timezone": zone_name,
        "since": format_time(question.since) if question.since else None,
        "until": format_time(question.until) if question.until else None,
        "rows": [build_row(answer, group) for group in answer.groups],
        "total": describe_total(answer.total),
        "running_window": _running(answer.share) if answer.share else None,
        "prices": {
            "date": answer.prices.date,
            "source": answer.prices.source,
            "currency": "USD",
            "overridden": list(answer.prices.overridden),
        },
        "unpriced": [
            {"model": _text(model), "tokens": tokens} for model, tokens in report.sort_unpriced(answer.total.unpriced)
        ],
        "roots": [
            {
                "machine": root.machine,
                "directory": _text(root.directory),
                "files": sum(1 for transcript in answer.found.transcripts if transcript.root == number),
            }
            for number, root in enumerate(answer.found.roots)
        ],
        "skipped": {kind: answer.skipped.get(kind, 0) for kind in (*SKIPPED, *MENDED)},
    }


def encode(document: dict[str, Any]) -> str:
    """Return JSON with a line for each field and for each row.

    json's own `indent` bypasses the C encoder and takes ten times as long.
    """

    def lines(values: Iterable[str], ends: str) -> str:
        return f"{ends[0]}\n  " + ",\n  ".join(values) + f"\n {ends[1]}"

    fields = []
    for name, value in document.items():
        text = jsontext.dumps_line(value)
        if isinstance(value, list) and value:
            text = lines((jsontext.dumps_line(item) for item in value), "[]")
        elif name == "models":
            text = lines(
                (f"{jsontext.dumps_line(key)}: {jsontext.dumps_line(item)}" for key, item in value.items()), "{}"
            )
        fields.append(f" {jsontext.dumps_line(name)}: {text}")
    return "{\n" + ",\n".join(fields) + "\n}"


def build_row(answer: TokenUsage, group: UsageGroup) -> dict[str, Any]:
    """Return one row of the report: the named parts of its group's key, then its totals."""
    key = dict(zip(report.GROUPINGS[answer.question.by], map(_text, group.key), strict=True))
    if answer.question.by == "window":
        key["used_percent"] = answer.used_percent.get(group.key)  # type: ignore[assignment]
    return {**key, **describe_total(group.total)}


def describe_total(total: Total) -> dict[str, Any]:
    """Return the fields of a total; the costs are null where no model has a price."""
    tokens = {f"{name}_tokens": count for name, count in zip(COUNTS[:6], total.counts[:6], strict=True)}
    return {
        "responses": total.responses,
        **tokens,
        "total_tokens": total.tokens,
        "web_searches": total.counts[6],
        "cost_usd": None if total.cost is None else round(total.cost, 6),
        "costs_usd": None
        if total.cost is None
        else {part: round(value, 6) for part, value in zip(cost.PARTS, total.costs, strict=True)},
        "unpriced_tokens": sum(total.unpriced.values()),
        "models": [_text(model) for model in sorted(total.models)],
        "first_at": _moment(total.first_at),
        "last_at": _moment(total.last_at),
    }


def build_csv_rows(answer: TokenUsage) -> list[list[object]]:
    """Return the headings and a line for each row; each part of the cost has its own column."""
    flat = [_flat(build_row(answer, group)) for group in answer.groups]
    keys = [*report.GROUPINGS[answer.question.by], *(["used_percent"] if answer.question.by == "window" else [])]
    headings = [*keys, *_flat(describe_total(report.Total()))]
    return [list(headings), *([line.get(heading, "") for heading in headings] for line in flat)]


def _flat(line: dict[str, Any]) -> dict[str, object]:
    costs = line.pop("costs_usd") or dict.fromkeys(cost.PARTS)
    line["models"] = " ".join(line["models"])
    line |= {f"{part}_cost_usd": value for part, value in costs.items()}
    line = {name: disarm_formula(value) if isinstance(value, str) else value for name, value in line.items()}
    return {name: "" if value is None else value for name, value in line.items()}


def _running(share: WindowShare) -> dict[str, Any]:
    whole = sum(share.machines.values())
    return {
        "starts_at": _moment(share.window.starts_at),
        "ends_at": _moment(share.window.ends_at),
        "basis": share.window.basis,
        "visible_tokens": whole,
        "machines": [
            {
                "machine": machine,
                "tokens": tokens,
                "percent_of_visible_tokens": round(100 * tokens / whole, 2) if whole else None,
            }
            for machine, tokens in share.machines.items()
        ],
    }


def _moment(at: int | None) -> str | None:
    return None if at is None else format_time(datetime.fromtimestamp(at / 1000, UTC))


def _text(text: str) -> str:
    return clean(text, _LONGEST)

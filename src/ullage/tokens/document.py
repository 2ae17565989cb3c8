"""The report of `ullage tokens` for programs: JSON and CSV with stable names. Pure."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from types import MappingProxyType

from ullage.base.text import clean, disarm_formula
from ullage.base.values import format_time
from ullage.tokens import cost, report
from ullage.tokens.counts import COUNTS
from ullage.tokens.words import NOT_AS_WRITTEN, sort_unpriced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from ullage.quota.schemas import TokensDocument, TokenSumDocument, TokenWindowDocument
    from ullage.tokens.report import Total, UsageGroup
    from ullage.tokens.tally import TokenUsage, WindowShare

NOTE = "Tokens in local transcripts. They are not a percentage of the plan's quota, and cost is what an API "
NOTE += "customer would have paid by the list price, not what a plan costs."
_LONGEST = 1000


def build_document(answer: TokenUsage, zone_name: str) -> TokensDocument:
    """Return the report for programs; fields are added, never renamed."""
    # A table on a terminal does without msgspec.
    from ullage.quota import schemas

    question = answer.question
    files = Counter(transcript.root for transcript in answer.found.transcripts)
    return schemas.TokensDocument(
        schema=1,
        note=NOTE,
        by=question.by,
        timezone=zone_name,
        since=format_time(question.since) if question.since else None,
        until=format_time(question.until) if question.until else None,
        rows=[build_row(answer, group) for group in answer.groups],
        total=describe_total(answer.total),
        running_window=_running(answer.share) if answer.share else None,
        prices=schemas.PriceListDocument(
            date=answer.prices.date,
            source=answer.prices.source,
            currency="USD",
            overridden=list(answer.prices.overridden),
        ),
        unpriced=[
            schemas.UnpricedDocument(model=_text(model), tokens=tokens)
            for model, tokens in sort_unpriced(answer.total.unpriced)
        ],
        roots=[
            schemas.RootDocument(machine=root.machine, directory=_text(root.directory), files=files[number])
            for number, root in enumerate(answer.found.roots)
        ],
        skipped={kind: answer.skipped.get(kind, 0) for kind in NOT_AS_WRITTEN},
    )


def encode(document: TokensDocument | dict[str, Any]) -> str:
    """Return JSON with a line for each field, and for each row of a list or model of a table."""
    from ullage.quota.schemas import encode_flat, make_plain

    def lines(values: Iterable[str], ends: str) -> str:
        return f"{ends[0]}\n  " + ",\n  ".join(values) + f"\n {ends[1]}"

    fields = []
    for name, value in (document if isinstance(document, dict) else make_plain(document)).items():
        if isinstance(value, list) and value:
            text = lines(map(encode_flat, value), "[]")
        elif name == "models":
            text = lines((f"{encode_flat(key)}: {encode_flat(item)}" for key, item in value.items()), "{}")
        else:
            text = encode_flat(value)
        fields.append(f" {encode_flat(name)}: {text}")
    return "{\n" + ",\n".join(fields) + "\n}"


def build_row(answer: TokenUsage, group: UsageGroup) -> TokenSumDocument:
    """Return one row of the report: the named parts of its group's key, then its totals."""
    key: dict[str, Any] = dict(zip(report.GROUPINGS[answer.question.by], map(_text, group.key), strict=True))
    if answer.question.by == "window":
        key["used_percent"] = answer.used_percent.get(group.key)
    return describe_total(group.total, key)


def describe_total(total: Total, key: Mapping[str, Any] = MappingProxyType({})) -> TokenSumDocument:
    """Return the fields of a total; the costs are null where no model has a price."""
    from ullage.quota.schemas import TokenSumDocument

    tokens: dict[str, Any] = {f"{name}_tokens": count for name, count in zip(COUNTS[:6], total.counts[:6], strict=True)}
    costs = {part: round(value, 6) for part, value in zip(cost.PARTS, total.costs, strict=True)}
    return TokenSumDocument(
        **key,
        responses=total.responses,
        **tokens,
        total_tokens=total.tokens,
        web_searches=total.counts[6],
        cost_usd=None if total.cost is None else round(total.cost, 6),
        costs_usd=None if total.cost is None else costs,
        unpriced_tokens=sum(total.unpriced.values()),
        models=[_text(model) for model in sorted(total.models)],
        first_at=_moment(total.first_at),
        last_at=_moment(total.last_at),
    )


def build_csv_rows(answer: TokenUsage) -> list[list[object]]:
    """Return the headings and a line for each row; each part of the cost has its own column."""
    flat = [_flat(build_row(answer, group)) for group in answer.groups]
    keys = [*report.GROUPINGS[answer.question.by], *(["used_percent"] if answer.question.by == "window" else [])]
    headings = [*keys, *_flat(describe_total(report.Total()))]
    return [list(headings), *([line.get(heading, "") for heading in headings] for line in flat)]


def _flat(row: TokenSumDocument) -> dict[str, object]:
    from ullage.quota.schemas import make_plain

    line = make_plain(row)
    costs = line.pop("costs_usd") or dict.fromkeys(cost.PARTS)
    line["models"] = " ".join(line["models"])
    line |= {f"{part}_cost_usd": value for part, value in costs.items()}
    line = {name: disarm_formula(value) if isinstance(value, str) else value for name, value in line.items()}
    return {name: "" if value is None else value for name, value in line.items()}


def _running(share: WindowShare) -> TokenWindowDocument:
    from ullage.quota.schemas import MachineTokensDocument, TokenWindowDocument

    whole = sum(share.machines.values())
    return TokenWindowDocument(
        starts_at=_word(share.window.starts_at),
        ends_at=_word(share.window.ends_at),
        basis=share.window.basis,
        visible_tokens=whole,
        machines=[
            MachineTokensDocument(
                machine=machine,
                tokens=tokens,
                percent_of_visible_tokens=round(100 * tokens / whole, 2) if whole else None,
            )
            for machine, tokens in share.machines.items()
        ],
    )


def _moment(at: int | None) -> str | None:
    return None if at is None else _word(at)


def _word(at: int) -> str:
    return format_time(datetime.fromtimestamp(at / 1000, UTC))


def _text(text: str) -> str:
    return clean(text, _LONGEST)

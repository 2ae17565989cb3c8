"""Write the report of `ullage tokens` for people: a table that fits the terminal, and remarks below it. Pure."""

from __future__ import annotations

from ullage.base.dates import UTC, datetime
from ullage.base.text import clean
from ullage.config.rates import RATES, TIERS
from ullage.render import columns
from ullage.render.columns import Column, Table
from ullage.render.surfaces import Span
from ullage.tokens.report import IN_TIME, sort_unpriced
from ullage.tokens.task import MENDED, SKIPPED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from ullage.tokens.prices import PriceList
    from ullage.tokens.report import Total, UsageGroup
    from ullage.tokens.tally import TokenUsage, WindowShare

NOTE = "These are tokens in this machine's transcripts, not a percentage of the quota: `ullage usage` shows that."
_LONGEST = 200
_KINDS = {
    "unreadable_folders": ("folder that cannot be read", "folders that cannot be read"),
    "unreadable_files": ("file that cannot be read", "files that cannot be read"),
    "not_files": ("thing named *.jsonl that is no file", "things named *.jsonl that are no files"),
    "folders_seen_before": ("link to a folder seen before", "links to folders seen before"),
    "files_seen_before": ("file seen before under another name", "files seen before under other names"),
    "changed_files": ("file that changed while it was read", "files that changed while they were read"),
    "broken_lines": ("broken line", "broken lines"),
    "long_lines": ("line longer than 4 MiB", "lines longer than 4 MiB"),
    "clockless_lines": ("line without a time", "lines without a time"),
    "half_written_lines": ("half-written last line", "half-written last lines"),
    "mended_lines": ("line with bytes that are no UTF-8", "lines with bytes that are no UTF-8"),
}

# The numbers of a row: heading, worth, which count it is; None for those that are made of several.
_NUMBERS: tuple[tuple[str, int, int | None], ...] = (
    ("input", 5, 0),
    ("output", 7, 1),
    ("thinking", 1, 5),
    ("write 5m", 3, 2),
    ("write 1h", 2, 3),
    ("cache read", 6, 4),
    ("searches", 0, 6),
    ("tokens", 8, None),
    ("API price", 9, None),
)
# What many never have.
_OPTIONAL = ("thinking", "write 1h", "searches")
_TEXTS = {"session": ("last used", "project", "session"), "branch": ("project", "branch")}
_SHORT_ID = 8
_KEPT = 10


def word_dollars(total: Total) -> str:
    """Return the cost in dollars, marked with +? where some tokens have no price; ? where none have."""
    if total.cost is None:
        return "?"
    shown = "<$0.01" if 0 < total.cost < 0.005 else f"${total.cost:,.2f}"
    return f"{shown}{'+?' if total.unpriced else ''}"


def lay_out_title(answer: TokenUsage) -> list[Span]:
    """Return what is counted, and from when to when."""
    zone, total = answer.question.zone, answer.total
    said = [Span(text=f"Tokens by {answer.question.by}", style="bold")]
    if total.first_at is not None and total.last_at is not None:
        first, last = (f"{_local(at, zone):%Y-%m-%d}" for at in (total.first_at, total.last_at))
        said.append(Span(text=f"  {first}" if first == last else f"  {first} to {last}", level="faint"))
    return said


def lay_out(answer: TokenUsage, width: int, *, ascii_only: bool = False) -> tuple[list[list[Span]], list[str]]:
    """Return the lines of the table for a terminal that is `width` cells wide, and the columns left out."""
    by, zone = answer.question.by, answer.question.zone
    groups = sort_groups(answer.groups, by)
    texts = _TEXTS.get(by, (by,))
    numbers = [
        (heading, worth, at)
        for heading, worth, at in _NUMBERS
        if heading not in _OPTIONAL or at is None or any(group.total.counts[at] for group in groups)
    ]
    table = Table(
        columns=(
            # Without room for it a session is known by when and where it was.
            *(Column(heading=heading, is_text=True, worth=6 if heading == "session" else _KEPT) for heading in texts),
            *(Column(heading=heading, worth=worth, is_faint=at is not None) for heading, worth, at in numbers),
        ),
        rows=tuple((*_labels(answer, group, zone), *_cells(group.total, numbers)) for group in groups),
        total=("total", *("" for _ in texts[1:]), *_cells(answer.total, numbers)),
        weights=tuple(group.total.cost or 0.0 for group in groups) if len(groups) > 1 else (),
    )
    return columns.lay_out(table, width, ascii_only=ascii_only)


def sort_groups(groups: Sequence[UsageGroup], by: str) -> list[UsageGroup]:
    """Return groups as people want them: along the time where they have one, else the dearest first."""
    if by in (*IN_TIME, "window"):
        return list(groups)
    if by == "session":
        return sorted(groups, key=lambda group: group.total.last_at or 0)
    return sorted(groups, key=lambda group: (-(group.total.cost or 0.0), -group.total.tokens, group.key))


def _cells(total: Total, numbers: Sequence[tuple[str, int, int | None]]) -> list[str]:
    made = {"tokens": columns.format_count(total.tokens), "API price": word_dollars(total)}
    return [made[heading] if at is None else columns.format_count(total.counts[at]) for heading, _, at in numbers]


def _local(at_ms: int, zone: tzinfo | None) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone)


def _labels(answer: TokenUsage, group: UsageGroup, zone: tzinfo | None) -> tuple[str, ...]:
    by = answer.question.by
    if by == "window":
        begins = datetime.fromisoformat(group.key[0]).astimezone(zone)
        ends = datetime.fromisoformat(group.key[1]).astimezone(zone)
        percent = answer.used_percent.get(group.key)
        said = "" if percent is None else f" {percent:.0f}%"
        return (f"{begins:%m-%d %H:%M}–{ends:%H:%M}{'~' if group.key[2] == 'estimate' else said}",)
    if by == "session":
        last = group.total.last_at
        when = f"{_local(last, zone):%Y-%m-%d %H:%M}" if last is not None else ""
        return when, clean(group.key[1].rstrip("/").rpartition("/")[2], _LONGEST), clean(group.key[0], _SHORT_ID)
    if by == "model":
        model, speed, context, region = group.key
        marks = [speed if speed != "standard" else "", ">" + context[6:] if context != "standard" else ""]
        return (clean(" ".join(filter(None, (model, *marks, region if region != "any" else ""))), _LONGEST),)
    return tuple(clean(part, _LONGEST) for part in group.key)


def write_remarks(answer: TokenUsage, now: datetime) -> list[str]:
    """Return the sentences below the table: the running window, unpriced models, the prices' date, skipped files."""
    said = []
    if answer.question.by == "window":
        if any(group.key[2] == "estimate" for group in answer.groups):
            said.append("~ is an estimate: the server's windows are not known for that time.")
        if any(answer.used_percent.get(group.key) is not None for group in answer.groups):
            said.append("Beside a window stands what the server last said of it, on any device.")
    if answer.share is not None:
        said.append(_shared(answer.share, answer.question.zone, now))
    if answer.total.unpriced:
        named = ", ".join(
            f"{clean(model, 60) or 'no name'} ({columns.format_count(n)})"
            for model, n in sort_unpriced(answer.total.unpriced)
        )
        said.append(
            f"No price is known, and none is in the sum, for: {named}. config.toml can name one (tokens.prices)."
        )
    said.append(f"API list prices of {answer.prices.date}; a plan is not billed by them.")
    said.append(NOTE)
    skipped = word_skipped(answer.skipped)
    return [*said, *([f"skipped: {skipped}"] if skipped else []), *word_mended(answer.skipped)]


def word_skipped(skipped: dict[str, int]) -> str:
    """Return the skipped files and lines in words; empty where there are none."""
    return ", ".join(_count(kind, skipped[kind]) for kind in SKIPPED if skipped.get(kind))


def word_mended(skipped: dict[str, int]) -> list[str]:
    """Return a sentence for each kind of line that was read with replaced bytes."""
    return [f"read all the same: {_count(kind, skipped[kind])}" for kind in MENDED if skipped.get(kind)]


def _count(kind: str, number: int) -> str:
    return f"{number} {_KINDS[kind][number != 1]}"


def _shared(share: WindowShare, zone: tzinfo | None, now: datetime) -> str:
    begins = datetime.fromtimestamp(share.window.starts_at / 1000, UTC)
    local = begins.astimezone(zone)
    clock = f"{local:%H:%M}" if (now - begins).total_seconds() < 86400 else f"{local:%a %H:%M}"
    kind = "the running five-hour window" if share.window.basis == "server" else "an estimated five-hour window"
    whole = sum(share.machines.values())
    if len(share.machines) > 1 and whole:
        parts = ", ".join(f"{clean(m, 60)} {100 * n // whole}%" for m, n in share.machines.items())
        what = f"{parts} of the {columns.format_count(whole)} tokens that we can see"
    else:
        what = f"{columns.format_count(whole)} tokens here, all that we can see"
    return f"Since {clock}, {kind}: {what}; claude.ai, the apps and other machines are not in it."


def list_prices(prices: PriceList, width: int, *, ascii_only: bool = False) -> list[list[Span]]:
    """Return the lines of the price list: dollars per million tokens, tiers and multipliers, date and source."""
    rows: list[tuple[str, ...]] = []
    for model, price in prices.models.items():
        own = " *" if model in prices.overridden else ""
        rows.append((f"{clean(model, 60)}{own}", *(f"{price.rates[rate]:g}" for rate in RATES)))
        for tier, bit in TIERS.items():
            if bit in price.tiers:
                rows.append((f"  {tier.replace('_', ' ')}", *(f"{price.tiers[bit][rate]:g}" for rate in RATES)))
        for mode, multiplier in (("fast mode", price.fast_multiplier), ("in the US alone", price.us_multiplier)):
            if multiplier is not None:
                sign = "x" if ascii_only else "×"
                rows.append((f"  {mode}", f"{sign} {multiplier:g}", "", "", "", ""))
    numbers = (("input", 4), ("output", 5), ("write 5m", 2), ("write 1h", 1), ("cache read", 3))
    table = Table(
        columns=(
            Column(heading="model", is_text=True, worth=_KEPT),
            *(Column(heading=heading, worth=worth) for heading, worth in numbers),
        ),
        rows=tuple(rows),
    )
    lines, left_out = columns.lay_out(table, width, ascii_only=ascii_only)
    remarks = [
        f"In dollars a million tokens; a web search {prices.web_search:g}. Thinking is billed as output.",
        f"Of {prices.date}. {prices.source}.",
        *(["* is from your config.toml."] if prices.overridden else []),
        *([word_left_out(left_out)] if left_out else []),
    ]
    return [*lines, [], *([Span(text=remark, level="faint")] for remark in remarks)]


def word_left_out(headings: Sequence[str]) -> str:
    """Return the sentence about columns that found no room."""
    return f"Without room here: {', '.join(headings)}. --json has all."

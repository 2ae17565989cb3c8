"""Write the report of `ullage tokens` for people: a table that fits the terminal, and remarks below it. Pure."""

from __future__ import annotations

from ullage.base.dates import UTC, datetime
from ullage.base.text import clean
from ullage.config.rates import RATES, TIERS
from ullage.render import cells
from ullage.render.surfaces import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import tzinfo

    from ullage.tokens.prices import PriceList
    from ullage.tokens.report import Total, UsageGroup
    from ullage.tokens.tally import TokenUsage, WindowShare

NOTE = "These are tokens in this machine's transcripts, not a percentage of the quota: `ullage usage` shows that."
_LONGEST = 200
_NARROWEST_KEY = 10
_SKIPPED = {
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
}
_MENDED = {"mended_lines": ("line with bytes that are no UTF-8", "lines with bytes that are no UTF-8")}
NOT_AS_WRITTEN = (*_SKIPPED, *_MENDED)


class _Column:
    """A column of the table: heading, cell text, and `worth`; a narrow terminal drops the least worth first."""

    def __init__(self, heading: str, worth: int, text: Callable[[Total], str]) -> None:
        self.heading, self.worth, self.text = heading, worth, text


_COLUMNS = (
    _Column("input", 5, lambda total: word_count(total.counts[0])),
    _Column("output", 7, lambda total: word_count(total.counts[1])),
    _Column("thinking", 1, lambda total: word_count(total.counts[5])),
    _Column("write 5m", 3, lambda total: word_count(total.counts[2])),
    _Column("write 1h", 2, lambda total: word_count(total.counts[3])),
    _Column("cache read", 6, lambda total: word_count(total.counts[4])),
    _Column("searches", 0, lambda total: word_count(total.counts[6])),
    _Column("tokens", 8, lambda total: word_count(total.tokens)),
    _Column("API price", 9, lambda total: word_dollars(total)),
)


def word_count(count: int) -> str:
    """Return a count in three digits and a unit; below a thousand as it is."""
    for unit, name in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        # A count that would round to 1000k is 1.00M.
        if count * 2 >= unit * 2 - unit // 1000:
            value = count / unit
            digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
            return f"{value:.{digits}f}{name}"
    return str(count)


def word_dollars(total: Total) -> str:
    """Return the cost in dollars, marked with +? where some tokens have no price; ? where none have."""
    if total.cost is None:
        return "?"
    shown = "<$0.01" if 0 < total.cost < 0.005 else f"${total.cost:,.2f}"
    return f"{shown}{'+?' if total.unpriced else ''}"


def lay_out(answer: TokenUsage, width: int) -> list[list[Span]]:
    """Return the lines of the table for a terminal that is `width` cells wide."""
    zone = answer.question.zone
    rows = [(_label(answer, group, zone), group.total) for group in answer.groups]
    rows.append(("total", answer.total))
    columns = _fitting([total for _, total in rows], width)
    texts = [[column.heading for column in columns]] + [[column.text(total) for column in columns] for _, total in rows]
    widths = [max(map(cells.measure_width, column)) for column in zip(*texts, strict=True)]
    room = max(_NARROWEST_KEY, width - 1 - sum(widths) - 2 * len(widths))
    labels = [answer.question.by, *(label for label, _ in rows)]
    room = min(room, max(map(cells.measure_width, labels)))
    found = []
    for at, (label, cell_texts) in enumerate(zip(labels, texts, strict=True)):
        numbers = "".join(f"  {text:>{size}}" for text, size in zip(cell_texts, widths, strict=True))
        level = "stale" if at == 0 else None
        found.append([Span(text=f"{_fit(label, room)}{numbers}", level=level)])  # type: ignore[arg-type]
    return found


def _fitting(totals: Sequence[Total], width: int) -> list[_Column]:
    """Return the columns without those that are zero in every row, then without the least worth until the rest fits."""
    optional = {"thinking": 5, "write 1h": 3, "searches": 6}
    columns = [
        column
        for column in _COLUMNS
        if column.heading not in optional or any(total.counts[optional[column.heading]] for total in totals)
    ]

    def needed() -> int:
        return sum(2 + max(len(column.heading), *(len(column.text(total)) for total in totals)) for column in columns)

    while len(columns) > 1 and needed() + _NARROWEST_KEY + 1 > width:
        columns.remove(min(columns, key=lambda column: column.worth))
    return columns


def _fit(text: str, room: int) -> str:
    """Return a text in exactly `room` cells: cut at its beginning, where paths are alike, or padded."""
    if cells.measure_width(text) > room:
        while cells.measure_width(text) > room - 1:
            text = text[1:]
        text = f"…{text}"
    return text + " " * (room - cells.measure_width(text))


def _label(answer: TokenUsage, group: UsageGroup, zone: tzinfo | None) -> str:
    by = answer.question.by
    if by == "window":
        begins = datetime.fromisoformat(group.key[0]).astimezone(zone)
        ends = datetime.fromisoformat(group.key[1]).astimezone(zone)
        percent = answer.used_percent.get(group.key)
        said = "" if percent is None else f" {percent:.0f}%"
        return f"{begins:%m-%d %H:%M}–{ends:%H:%M}{'~' if group.key[2] == 'estimate' else said}"
    if by == "model":
        model, speed, context, region = group.key
        marks = [speed if speed != "standard" else "", ">" + context[6:] if context != "standard" else ""]
        return clean(" ".join(filter(None, (model, *marks, region if region != "any" else ""))), _LONGEST)
    if by == "branch":
        return clean(f"{group.key[0].rpartition('/')[2]} {group.key[1]}", _LONGEST)
    return clean(group.key[0], _LONGEST)


def write_remarks(answer: TokenUsage, now: datetime) -> list[str]:
    """Return the sentences below the table: the running window, unpriced models, the prices' date, skipped files."""
    said = []
    if answer.question.by == "window":
        if any(group.key[2] == "estimate" for group in answer.groups):
            said.append("~ is an estimate: the server's windows are not known for that time.")
        if any(answer.used_percent.get(group.key) is not None for group in answer.groups):
            said.append("Beside a window stands what the server last said of it, whoever used it and wherever.")
    if answer.share is not None:
        said.append(_shared(answer.share, answer.question.zone, now))
    if answer.total.unpriced:
        named = ", ".join(
            f"{clean(model, 60) or 'no name'} ({word_count(n)})" for model, n in sort_unpriced(answer.total.unpriced)
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
    return ", ".join(
        f"{skipped[kind]} {words[skipped[kind] != 1]}" for kind, words in _SKIPPED.items() if skipped.get(kind)
    )


def word_mended(skipped: dict[str, int]) -> list[str]:
    """Return a sentence for each kind of line that was read with replaced bytes."""
    return [f"read all the same: {skipped[k]} {w[skipped[k] != 1]}" for k, w in _MENDED.items() if skipped.get(k)]


def _shared(share: WindowShare, zone: tzinfo | None, now: datetime) -> str:
    begins = datetime.fromtimestamp(share.window.starts_at / 1000, UTC)
    local = begins.astimezone(zone)
    clock = f"{local:%H:%M}" if (now - begins).total_seconds() < 86400 else f"{local:%a %H:%M}"
    kind = "the running five-hour window" if share.window.basis == "server" else "an estimated five-hour window"
    whole = sum(share.machines.values())
    if len(share.machines) > 1 and whole:
        parts = ", ".join(f"{clean(m, 60)} {100 * n // whole}%" for m, n in share.machines.items())
        what = f"{parts} of the {word_count(whole)} tokens that we can see"
    else:
        what = f"{word_count(whole)} tokens here, all that we can see"
    return f"Since {clock}, {kind}: {what}; claude.ai, the apps and other machines are not in it."


def sort_unpriced(unpriced: dict[str, int]) -> list[tuple[str, int]]:
    """Return the models without a price and their tokens, the most tokens first."""
    return sorted(unpriced.items(), key=lambda one: -one[1])


def list_prices(prices: PriceList) -> list[str]:
    """Return the lines of the price list: dollars per million tokens, tiers and multipliers, date and source."""
    head = ("model", "input", "output", "write 5m", "write 1h", "read")
    rows: list[tuple[str, ...]] = [head]
    for model, price in prices.models.items():
        own = " *" if model in prices.overridden else ""
        rows.append((f"{clean(model, 60)}{own}", *(f"{price.rates[rate]:g}" for rate in RATES)))
        for tier, bit in TIERS.items():
            if bit in price.tiers:
                rows.append((f"  {tier.replace('_', ' ')}", *(f"{price.tiers[bit][rate]:g}" for rate in RATES)))
        for mode, multiplier in (("fast mode", price.fast_multiplier), ("in the US alone", price.us_multiplier)):
            if multiplier is not None:
                rows.append((f"  {mode}", f"× {multiplier:g}", "", "", "", ""))
    widths = [max(len(row[at]) for row in rows) for at in range(len(head))]
    lines = [
        "  ".join(
            f"{text:>{size}}" if at else f"{text:{size}}"
            for at, (text, size) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    return [
        *(line.rstrip() for line in lines),
        "",
        f"In dollars a million tokens; a web search {prices.web_search:g}. Thinking is billed as output.",
        f"Of {prices.date}. {prices.source}.",
        *(["* is from your config.toml."] if prices.overridden else []),
    ]

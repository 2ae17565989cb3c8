"""Group amounts by day, week, month, session, project, model, branch, window or machine, and price them. Pure."""

from __future__ import annotations

from operator import add

from ullage.base.dates import UTC, datetime, timedelta
from ullage.base.record import Record
from ullage.config.rates import ABOVE_100K, ABOVE_200K, FAST, US_ONLY
from ullage.tokens import cost
from ullage.tokens.counts import COUNTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date, tzinfo

    from ullage.tokens.amounts import Amount
    from ullage.tokens.prices import PriceList
    from ullage.tokens.transcripts import Root

    Key = tuple[str, ...]

# What a report can be grouped by, and which names make up the key of a group.
GROUPINGS: dict[str, tuple[str, ...]] = {
    "day": ("day",),
    "week": ("week",),
    "month": ("month",),
    "session": ("session", "project"),
    "project": ("project",),
    "model": ("model", "speed", "context", "region"),
    "branch": ("project", "branch"),
    "window": ("starts_at", "ends_at", "basis"),
    "machine": ("machine",),
}
IN_TIME = ("day", "week", "month")
# The columns that the index must keep apart for a grouping, besides models and time.
KEPT: dict[str, tuple[str, ...]] = {
    "session": ("root", "project", "session"),
    "project": ("root", "project"),
    "branch": ("root", "project", "branch"),
    "machine": ("root",),
}
UNKNOWN = "unknown"


class Total:
    """A sum over responses; `unpriced` holds the tokens of models without a price, which the costs leave out."""

    def __init__(self) -> None:
        self.responses = 0
        self.counts = [0] * len(COUNTS)
        self.costs = [0.0] * len(cost.PARTS)
        self.first_at: int | None = None
        self.last_at: int | None = None
        self.models: dict[str, int] = {}
        self.unpriced: dict[str, int] = {}

    def add(self, other: Total) -> None:
        """Add another total to this one."""
        self.responses += other.responses
        self.counts = list(map(add, self.counts, other.counts))
        self.costs = list(map(add, self.costs, other.costs))
        if other.first_at is not None and other.last_at is not None:
            self.first_at = other.first_at if self.first_at is None else min(self.first_at, other.first_at)
            self.last_at = other.last_at if self.last_at is None else max(self.last_at, other.last_at)
        for ours, theirs in ((self.models, other.models), (self.unpriced, other.unpriced)):
            for model, tokens in theirs.items():
                ours[model] = ours.get(model, 0) + tokens

    @property
    def tokens(self) -> int:
        """All tokens; thinking is part of the output already."""
        return sum(self.counts[:5])

    @property
    def cost(self) -> float | None:
        """The dollars of all tokens with a price; None where no token has one."""
        has_price = self.tokens > sum(self.unpriced.values()) or not self.unpriced
        return sum(self.costs) if has_price else None


class UsageGroup(Record):
    """One row of a report: its key, whose parts `GROUPINGS` names, and its total."""

    key: tuple[str, ...]
    total: Total


def group_amounts(amounts: Iterable[Amount], key_of: Callable[[Amount], Key], prices: PriceList) -> list[UsageGroup]:
    """Return the totals by key, in the order of keys."""
    # Amounts with the same price are summed first, so that each model and variant is priced once per key.
    alike: dict[tuple[Key, str, int], Total] = {}
    for amount in amounts:
        kind = (key_of(amount), amount.model, amount.variant)
        summed = alike.get(kind)
        if summed is None:
            summed = alike[kind] = Total()
            summed.first_at, summed.last_at = amount.first_at, amount.last_at
        summed.responses += amount.responses
        summed.counts = list(map(add, summed.counts, amount.counts))
        summed.first_at = min(summed.first_at or 0, amount.first_at)
        summed.last_at = max(summed.last_at or 0, amount.last_at)
    totals: dict[Key, Total] = {}
    for (key, model, variant), summed in alike.items():
        _set_price(summed, model, variant, prices)
        totals.setdefault(key, Total()).add(summed)
    return [UsageGroup(key=key, total=totals[key]) for key in sorted(totals)]


def _set_price(summed: Total, model: str, variant: int, prices: PriceList) -> None:
    price = prices.find(model)
    summed.models = {model: summed.tokens}
    parts = cost.price_counts(tuple(summed.counts), variant, price, prices.web_search)
    if parts is not None:
        summed.costs = list(parts)
    elif summed.tokens:
        summed.unpriced = {f"{model} (fast)" if price else model: summed.tokens}


def sum_groups(groups: Iterable[UsageGroup]) -> Total:
    """Return the sum of all groups."""
    whole = Total()
    for group in groups:
        whole.add(group.total)
    return whole


def sort_unpriced(unpriced: dict[str, int]) -> list[tuple[str, int]]:
    """Return the models without a price and their tokens, the most tokens first."""
    return sorted(unpriced.items(), key=lambda one: -one[1])


def choose_key(
    by: str,
    roots: Sequence[Root],
    folders: Mapping[tuple[int, str], str],
    prices: PriceList,
) -> Callable[[Amount], Key]:
    """Return the function from an amount to its group's key, for every grouping except by time and by window."""

    def project(amount: Amount) -> str:
        return folders.get((amount.root, amount.project)) or amount.project or UNKNOWN

    if by == "session":
        return lambda amount: (amount.session, project(amount))
    if by == "project":
        return lambda amount: (project(amount),)
    if by == "branch":
        return lambda amount: (project(amount), amount.branch or UNKNOWN)
    if by == "machine":
        return lambda amount: (roots[amount.root].machine,)
    return lambda amount: _model(amount, prices)


def split_days(by: str, zone: tzinfo | None, first_at: int, last_at: int) -> list[tuple[int, str]]:
    """Return the start, in milliseconds, and the name of each day, week or month that a stretch of time touches."""
    first, last = (datetime.fromtimestamp(at / 1000, UTC).astimezone(zone).date() for at in (first_at, last_at))
    day = first - timedelta(days=first.weekday() if by == "week" else first.day - 1 if by == "month" else 0)
    found = []
    while day <= last:
        # A datetime without a zone is in local time.
        begins = datetime(day.year, day.month, day.day, tzinfo=zone)
        # Windows knows no local time of 1970, from which there is nothing.
        at = round(begins.timestamp() * 1000) if day.year > 1970 else 0
        found.append((at, f"{day:%Y-%m}" if by == "month" else day.isoformat()))
        day = _next_month(day) if by == "month" else day + timedelta(days=1 if by == "day" else 7)
    return found


def _next_month(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


def _model(amount: Amount, prices: PriceList) -> Key:
    price = prices.find(amount.model)
    tiers = price.tiers if price else {}
    size = next((bit for bit in tiers if amount.variant & bit), 0)
    context = {ABOVE_200K: "above_200k", ABOVE_100K: "above_100k"}.get(size, "standard")
    speed = "fast" if amount.variant & FAST else "standard"
    region = "us" if amount.variant & US_ONLY and price and price.us_multiplier else "any"
    return amount.model or UNKNOWN, speed, context, region

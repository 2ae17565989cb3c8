"""Build the SQL that sums the index's counted responses over a span of time. Pure."""

# ruff: noqa: S608  # the SQL is made of constants of the tables
from __future__ import annotations

from collections import namedtuple

from ullage.tokens.tables import COUNT_COLUMNS, COUNT_SUMS, QUARTER_MS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_NAMES = ("root", "project", "session", "branch")


# Responses that share a slot of time, a context and a model: their number, the times of the first and the last in
# milliseconds, and their counts in the order of `COUNTS`. Not typing's NamedTuple: importing typing takes longer than
# an update of the index that finds nothing new.
Amount = namedtuple(  # noqa: PYI024
    "Amount",
    ["slot", "root", "project", "session", "branch", "model", "variant", "responses", "first_at", "last_at", "counts"],
)


def build_query(
    since: int | None, until: int | None, keep: Iterable[str], *, has_slots: bool, by_quarter: bool
) -> tuple[str, list[int]]:
    """Return the SQL whose rows `read_amount` decodes, and its parameters.

    `since` and `until` are milliseconds; columns that `keep` does not name come as "" or 0. With `has_slots` the query
    joins the table `slots` (slot, begins, ends).
    """
    kept = [name for name in _NAMES if name in set(keep)]
    names = [name if name in kept else "0" if name == "root" else "''" for name in _NAMES]
    parts, values = _span(since, until, "slot" if has_slots else "quarter" if by_quarter else "0")
    sql = (
        f"SELECT slot, {', '.join(names)}, model, variant, sum(responses), min(first_at), max(last_at), {COUNT_SUMS} "
        f"FROM ({parts}) JOIN contexts ON contexts.id = context GROUP BY "
        f"{', '.join(('slot', *kept, 'model', 'variant'))}"
    )
    return sql, values


def read_amount(row: tuple[Any, ...]) -> Amount:
    """Return the Amount of one row of the query."""
    return Amount._make((*row[:10], row[10:]))


def _span(since: int | None, until: int | None, slot: str) -> tuple[str, list[int]]:
    """Return the SQL that selects the responses from `since` to before `until`, and its parameters.

    Quarters of an hour that lie whole in the span are read from `sums`, which has far fewer rows. The span may begin
    and end inside a quarter: those edges are read response by response. A span without a whole quarter has edges only.
    """
    # The first whole quarter, rounded up, and the one after the last, rounded down.
    first = None if since is None else -(-since // QUARTER_MS)
    last = None if until is None else until // QUARTER_MS
    summed_from = "sums WHERE quarter >= ? AND quarter < ?"
    single_from = "responses WHERE at >= ? AND at < ? AND counted"
    if slot == "slot":
        # One bound on each side: of two, SQLite might search by the span's, and read the whole span for each slot.
        summed_from = "slots CROSS JOIN sums ON quarter >= max(begins, ?) AND quarter < min(ends, ?)"
        single_from = (
            f"slots CROSS JOIN responses ON at >= max(begins * {QUARTER_MS}, ?) AND at < min(ends * {QUARTER_MS}, ?) "
            "WHERE counted"
        )
    single_slot = slot.replace("quarter", f"at / {QUARTER_MS}")
    single = f"SELECT {single_slot} AS slot, context, 1 AS responses, at AS first_at, at AS last_at, {COUNT_COLUMNS} "
    single += f"FROM {single_from}"
    if since is not None and until is not None and first is not None and last is not None and first >= last:
        return single, [since, until]
    parts = [f"SELECT {slot} AS slot, context, responses, first_at, last_at, {COUNT_COLUMNS} FROM {summed_from}"]
    values = [first if first is not None else -(1 << 40), last if last is not None else 1 << 40]
    if since is not None and first is not None and since < first * QUARTER_MS:
        parts.append(single)
        values += [since, first * QUARTER_MS]
    if until is not None and last is not None and until > last * QUARTER_MS:
        parts.append(single)
        values += [last * QUARTER_MS, until]
    return " UNION ALL ".join(parts), values

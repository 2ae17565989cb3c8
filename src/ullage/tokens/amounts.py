"""What counts in a span of time: the question to the tables of the index. Pure."""

# ruff: noqa: S608  # the SQL is made of constants of the tables
from __future__ import annotations

from collections import namedtuple

from ullage.tokens.tables import COUNT_COLUMNS, COUNT_SUMS, QUARTER_MS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_NAMES = ("root", "project", "session", "branch")


# Responses of one kind: of which slot of time, whose, how many, when the first and the last, and their counts. Not
# typing's NamedTuple: typing takes longer to import than a look takes that finds nothing new.
Amount = namedtuple(  # noqa: PYI024
    "Amount",
    ["slot", "root", "project", "session", "branch", "model", "variant", "responses", "first_at", "last_at", "counts"],
)


def build_query(
    since: int | None, until: int | None, keep: Iterable[str], *, has_slots: bool, by_quarter: bool
) -> tuple[str, list[int]]:
    """Return the SQL whose rows `amount` takes, and its values; with `has_slots` there is a table of them."""
    kept = set(keep)
    names = [name if name in kept else "0" if name == "root" else "''" for name in _NAMES]
    parts, values = _span(since, until, "slot" if has_slots else "quarter" if by_quarter else "0")
    sql = (
        f"SELECT slot, {', '.join(names)}, model, variant, sum(responses), min(first_at), max(last_at), {COUNT_SUMS} "
        f"FROM ({parts}) JOIN contexts ON contexts.id = context GROUP BY 1, 2, 3, 4, 5, 6, 7"
    )
    return sql, values


def read_amount(row: tuple[Any, ...]) -> Amount:
    """Return a row of the query, typed."""
    return Amount._make((*row[:10], row[10:]))


def _span(since: int | None, until: int | None, slot: str) -> tuple[str, list[int]]:
    """Return the SQL of what lies in a span, and its values.

    Quarters that lie in it whole come summed up; what is cut off at its ends is counted response by response.
    """
    first = None if since is None else -(-since // QUARTER_MS)
    last = None if until is None else until // QUARTER_MS
    joined, single_joined = ("", "")
    if slot == "slot":
        joined = "CROSS JOIN sums ON quarter >= begins AND quarter < ends"
        single_joined = f"CROSS JOIN responses ON at >= begins * {QUARTER_MS} AND at < ends * {QUARTER_MS}"
    single_slot = slot.replace("quarter", f"at / {QUARTER_MS}")
    single = f"SELECT {single_slot} AS slot, context, 1 AS responses, at AS first_at, at AS last_at, {COUNT_COLUMNS} "
    single += f"FROM {f'slots {single_joined}' if joined else 'responses'} WHERE counted AND at >= ? AND at < ?"
    if since is not None and until is not None and first is not None and last is not None and first >= last:
        return single, [since, until]
    summed = f"SELECT {slot} AS slot, context, responses, first_at, last_at, {COUNT_COLUMNS} "
    summed += f"FROM {f'slots {joined}' if joined else 'sums'} WHERE quarter >= ? AND quarter < ?"
    parts = [summed]
    values = [first if first is not None else -(1 << 40), last if last is not None else 1 << 40]
    if since is not None and first is not None and since < first * QUARTER_MS:
        parts.append(single)
        values += [since, first * QUARTER_MS]
    if until is not None and last is not None and until > last * QUARTER_MS:
        parts.append(single)
        values += [last * QUARTER_MS, until]
    return " UNION ALL ".join(parts), values

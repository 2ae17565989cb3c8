"""List five-hour windows: the account's own where the server stated their resets, estimates elsewhere. Pure.

An estimated window, as token counters usually define it, begins with the hour of its first response and lasts five
hours, or until five hours pass without a response. The server's windows also count what this machine never sees.
"""

from __future__ import annotations

from ullage.base.dates import UTC, datetime
from ullage.base.record import Record
from ullage.quota.model import SESSION, is_same_reset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ullage.quota.pace import Sample
    from ullage.tokens.amounts import Amount

SERVER, ESTIMATE = "server", "estimate"
LENGTH_MS = round(SESSION.total_seconds() * 1000)
_HOUR_MS = 3_600_000


class WindowSpan(Record):
    """A window in milliseconds since the epoch; `used_percent` is the server's last statement of its utilization."""

    starts_at: int
    ends_at: int
    basis: str
    used_percent: float | None = None


def list_stated_windows(samples: Iterable[Sample]) -> list[WindowSpan]:
    """Return the windows whose resets the server stated, in order of time; they do not overlap."""
    spans: list[WindowSpan] = []
    reset: datetime | None = None
    for sample in sorted(samples, key=lambda sample: sample.at):
        if sample.resets_at is None:
            continue
        ends = _milliseconds(sample.resets_at)
        span = WindowSpan(starts_at=ends - LENGTH_MS, ends_at=ends, basis=SERVER, used_percent=sample.used_percent)
        if spans and is_same_reset(reset, sample.resets_at):
            span = span.replace(starts_at=max(span.starts_at, spans[-2].ends_at) if len(spans) > 1 else span.starts_at)
            spans[-1] = span
        elif spans and ends <= spans[-1].ends_at:
            # The server went back to an earlier reset: the statements in between make no window of their own.
            continue
        else:
            begins = max(span.starts_at, spans[-1].ends_at) if spans else span.starts_at
            spans.append(span.replace(starts_at=begins))
        reset = sample.resets_at
    return spans


def list_gaps(spans: Sequence[WindowSpan], since: int | None, until: int | None) -> list[tuple[int | None, int | None]]:
    """Return the stretches from `since` to `until` that no window covers; None is an open end."""
    gaps: list[tuple[int | None, int | None]] = []
    begins = since
    for span in spans:
        if begins is None or span.starts_at > begins:
            gaps.append((begins, span.starts_at))
        begins = span.ends_at if begins is None else max(begins, span.ends_at)
    if until is None or begins is None or begins < until:
        gaps.append((begins, until))
    return gaps


def estimate_windows(amounts: Iterable[Amount], ends: int | None = None) -> list[tuple[WindowSpan, list[Amount]]]:
    """Return estimated windows with the amounts in each; `amounts` are by quarter of an hour.

    No window reaches beyond `ends`, where one of the server's own begins.
    """
    found: list[tuple[WindowSpan, list[Amount]]] = []
    last = 0
    for amount in sorted(amounts, key=lambda amount: amount.first_at):
        is_new = not found or amount.first_at >= found[-1][0].starts_at + LENGTH_MS
        if is_new or amount.first_at - last > LENGTH_MS:
            starts = amount.first_at // _HOUR_MS * _HOUR_MS
            limit = starts + LENGTH_MS if ends is None else min(starts + LENGTH_MS, ends)
            found.append((WindowSpan(starts_at=starts, ends_at=limit, basis=ESTIMATE), []))
        found[-1][1].append(amount)
        last = max(last, amount.last_at)
    return found


def _milliseconds(moment: datetime) -> int:
    return round(moment.astimezone(UTC).timestamp() * 1000)

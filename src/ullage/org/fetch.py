"""Fetch a report's rows: finished days come from the store, the others from the provider, and final ones are stored."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from ullage.base.record import Record
from ullage.org import client, days, store
from ullage.system import http

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from ullage.org.days import Days
    from ullage.org.reports import Query
    from ullage.org.rows import Page, ReportRow
    from ullage.system.secret import Secret


class Fetched(Record):
    """The rows of a report, and the days among them that are not final yet."""

    rows: tuple[ReportRow, ...]
    unfinished: tuple[date, ...]


def fetch_report(
    query: Query,
    wanted: Days,
    key: Secret,
    environ: Mapping[str, str],
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    pause: Callable[[float], None] = time.sleep,
) -> Fetched:
    """Return the rows of `wanted`; raise SourceError when a day cannot be read (final days before it stay stored)."""
    base = http.choose_api_base(environ)
    kept = store.Store(environ, str(base), key, query)
    known = {day: kept.get(day) for day in wanted}
    missing = [day for day, rows in known.items() if rows is None]
    found: dict[date, list[ReportRow]] = {day: rows for day, rows in known.items() if rows is not None}
    unfinished = []
    if missing:
        with client.Client(base, key, pause) as connection:
            for first, last in days.split_days(missing, query.report.days[query.width]):
                asked_at = now()
                pages = list(connection.fetch_pages(query, first, last))
                for day in days.Days(first=first, last=last):
                    found[day] = [row for page in pages for row in page.rows if row.day == day]
                    if _is_final(query, day, asked_at, pages):
                        kept.put(day, found[day])
                    else:
                        unfinished.append(day)
    return Fetched(rows=tuple(row for day in wanted for row in found[day]), unfinished=tuple(unfinished))


def _is_final(query: Query, day: date, asked_at: datetime, pages: Sequence[Page]) -> bool:
    """Say whether a day is final; a day that bucketed pages have no bucket for was not answered, so it is not."""
    bucketed = [page.days for page in pages if page.days is not None]
    refreshed_at = min((page.refreshed_at for page in pages if page.refreshed_at), default=None)
    is_answered = not bucketed or any(day in page_days for page_days in bucketed)
    return is_answered and store.is_final(query.report, day, asked_at, refreshed_at)

"""A report's rows for some days: what is kept is taken from there, the rest is asked for and kept when it is final."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from ullage.base.record import Record
from ullage.org import client, days, store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from ullage.org.days import Days
    from ullage.org.reports import Query
    from ullage.org.rows import Page, ReportRow
    from ullage.system.secret import Secret


class Fetched(Record):
    """The rows, and the days among them of which more may arrive yet."""

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
    """Return the rows of these days; raise SourceError when one of them cannot be had, what was read being kept."""
    base = client.choose_base(environ)
    kept = store.Store(environ, str(base), key, query)
    known = {day: kept.get(day) for day in wanted}
    missing = [day for day, rows in known.items() if rows is None]
    found: dict[date, list[ReportRow]] = {day: rows for day, rows in known.items() if rows is not None}
    unfinished = []
    if missing:
        with client.Client(base, key, pause) as connection:
            for first, last in days.split_days(missing, query.report.days[query.width]):
                asked_at = now()
                pages = list(connection.pages(query, first, last))
                for day in days.Days(first=first, last=last):
                    found[day] = [row for page in pages for row in page.rows if row.day == day]
                    if _is_final(query, day, asked_at, pages):
                        kept.put(day, found[day])
                    else:
                        unfinished.append(day)
    return Fetched(rows=tuple(row for day in wanted for row in found[day]), unfinished=tuple(unfinished))


def _is_final(query: Query, day: date, asked_at: datetime, pages: Sequence[Page]) -> bool:
    """Say whether nothing more can arrive for a day; one that the answer has no bucket of was not told about."""
    told = [page.days for page in pages if page.days is not None]
    refreshed_at = min((page.refreshed_at for page in pages if page.refreshed_at), default=None)
    is_told = not told or any(day in page_days for page_days in told)
    return is_told and store.is_final(query.report, day, asked_at, refreshed_at)

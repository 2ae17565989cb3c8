"""Store the finished days of reports in private files, so that the provider is asked for each day once.

The path is `org/<fingerprint>/<report>-<hash of the query>/2026-11-22.json` in the cache directory. The fingerprint is
a salted hash of key and address: it keeps organisations apart, and does not reveal the key.
"""

from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal  # noqa: TC003  # msgspec looks it up
from typing import Literal

from ullage.base.text import clean
from ullage.org.rows import ReportRow
from ullage.system import directories, keys, statefile
from ullage.system.files import read_regular, write_atomically
from ullage.system.places import locate_cache
from ullage.system.statefile import Kept, Moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from ullage.org.reports import Query, Report
    from ullage.system.secret import Secret

_LARGEST_FILE = 64 << 20


class _Row(Kept, frozen=True):
    at: Moment
    labels: dict[str, str]
    counts: dict[str, int]
    cost: Decimal | None
    currency: str | None


class _Day(Kept, frozen=True):
    format: Literal[1]
    rows: list[_Row]


def is_final(report: Report, day: date, asked_at: datetime, refreshed_at: datetime | None) -> bool:
    """Say whether no more rows can arrive for a day: it ended `settles` before, and the data is refreshed beyond it."""
    end = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    return asked_at >= end + report.settles and (refreshed_at is None or refreshed_at >= end)


class Store:
    """The stored days of one query, asked with one key."""

    def __init__(self, environ: Mapping[str, str], base: str, key: Secret, query: Query) -> None:
        self._environ = environ
        self._root = os.path.join(locate_cache(environ), "org")
        question = json.dumps([query.report.path, query.width, sorted(query.groups), sorted(query.filters)])
        self._directory = os.path.join(
            self._root,
            keys.fingerprint_key(key, [base], self._salt()),
            f"{query.report.kind}-{hashlib.sha256(question.encode()).hexdigest()[:16]}",
        )

    def get(self, day: date) -> list[ReportRow] | None:
        """Return a finished day's rows; None for a day that is not stored, or not readable."""
        kept = statefile.decode(read_regular(self._path(day), _LARGEST_FILE, own=True), _Day)
        return None if kept is None else [_cleaned(row) for row in kept.rows]

    def put(self, day: date, rows: Sequence[ReportRow]) -> None:
        """Store the rows of a finished day."""
        directories.make_private(os.path.dirname(self._root), self._directory, environ=self._environ)
        write_atomically(self._path(day), statefile.encode(_Day(format=1, rows=[_Row(**vars(row)) for row in rows])))

    def _path(self, day: date) -> str:
        return os.path.join(self._directory, f"{day.isoformat()}.json")

    def _salt(self) -> str:
        path = os.path.join(self._root, "salt")
        known = read_regular(path, own=True)
        if known:
            return known.decode("ascii", "replace")
        directories.make_private(os.path.dirname(self._root), self._root, environ=self._environ)
        salt = os.urandom(16).hex()
        write_atomically(path, salt.encode())
        return salt


def _cleaned(row: _Row) -> ReportRow:
    labels = {clean(name, 200): clean(value, 200) for name, value in row.labels.items()}
    return ReportRow(at=row.at, labels=labels, counts=row.counts, cost=row.cost, currency=clean(row.currency) or None)

"""Store the finished days of reports in private files, so that the provider is asked for each day once.

The path is `org/<fingerprint>/<report>-<hash of the query>/2026-11-22.json` in the cache directory. The fingerprint is
a salted hash of key and address: it keeps organisations apart, and does not reveal the key.
"""

from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

from ullage.base.text import clean
from ullage.org.rows import ReportRow
from ullage.system import directories, keys
from ullage.system.files import read_regular, write_atomically
from ullage.system.places import locate_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from typing import Any

    from ullage.org.reports import Query, Report
    from ullage.system.secret import Secret

_FORMAT = 1
_LARGEST_FILE = 64 << 20


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
        data = read_regular(self._path(day), _LARGEST_FILE, own=True)
        try:
            note = json.loads(data or b"null")
            return [_row(fields) for fields in note["rows"]] if note["format"] == _FORMAT else None
        except (ValueError, KeyError, TypeError, AttributeError, InvalidOperation, RecursionError):
            return None

    def put(self, day: date, rows: Sequence[ReportRow]) -> None:
        """Store the rows of a finished day."""
        directories.make_private(os.path.dirname(self._root), self._directory, environ=self._environ)
        note = {"format": _FORMAT, "rows": [_plain(row) for row in rows]}
        write_atomically(self._path(day), json.dumps(note).encode())

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


def _plain(row: ReportRow) -> dict[str, Any]:
    cost = None if row.cost is None else str(row.cost)
    return {**vars(row), "at": row.at.isoformat(), "cost": cost}


def _row(fields: Mapping[str, Any]) -> ReportRow:
    at = datetime.fromisoformat(fields["at"])
    if at.tzinfo is None:
        raise ValueError("a kept time without its zone")
    return ReportRow(
        at=at,
        labels={clean(name, 200): clean(value, 200) for name, value in fields["labels"].items()},
        counts={name: int(value) for name, value in fields["counts"].items()},
        cost=None if fields["cost"] is None else Decimal(fields["cost"]),
        currency=clean(fields["currency"]) or None,
    )

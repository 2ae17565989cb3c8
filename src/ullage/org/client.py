"""Ask the provider for a report, page after page: retries while the server is busy, and one deadline for all of it."""

from __future__ import annotations

import random
import time
import urllib.parse
from datetime import UTC, datetime
from decimal import Decimal

from ullage.base.errors import SourceError, UsageError
from ullage.base.shipped import find_page
from ullage.base.text import clean
from ullage.base.values import format_time
from ullage.org import keys, reports, rows
from ullage.system import http, refusals, secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date
    from typing import Any, Self

    import httpx

    from ullage.org.reports import Query
    from ullage.org.rows import Page
    from ullage.system.secret import Secret

WHOLE_SECONDS = 300.0
_VERSION = "2023-06-01"
_MOST_TRIES = 6
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 60.0
_MOST_PAGES = 2000
_MOST_ROWS = 1_000_000
_LARGEST_BODY = 32 << 20
# Errors that a retry may mend, by code, in words for the message after the last retry.
_PASSING = {
    "rate_limited": "asks for fewer questions",
    "server_error": "has a fault of its own",
    "timeout": "does not finish its answers",
    "connect_timeout": "does not take the connection",
    "connection_broken": "breaks off in the middle of its answers",
    "truncated": "sends answers that are not whole",
}
_UNREACHABLE = {"unreachable": "could not be reached", "dns_failure": "could not be looked up"}


class Client:
    """One connection for all requests of a report, under one deadline and one limit on rows. A context manager."""

    def __init__(self, base: httpx.URL, key: Secret, pause: Callable[[float], None] = time.sleep) -> None:
        self._connection = http.Connection(base, largest=_LARGEST_BODY)
        self._host, self._key, self._pause = base.host, key, pause
        self._deadline = time.monotonic() + WHOLE_SECONDS
        self._rows = 0

    def __enter__(self) -> Self:
        self._connection.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._connection.__exit__(*error)

    def fetch_pages(self, query: Query, first: date, last: date) -> Iterator[Page]:
        """Yield every page of the report for these days; raise SourceError, or UsageError for a refused query."""
        asked = reports.build_parameters(query, first, last)
        seen: set[str] = set()
        page: Page | None = None
        while page is None or page.next_page is not None:
            more = [("page", page.next_page)] if page and page.next_page else []
            page = self._page(query, [*asked, *more])
            self._rows += len(page.rows)
            if self._rows > _MOST_ROWS or time.monotonic() > self._deadline:
                raise SourceError(
                    "too_large",
                    f"{self._host} sends more than can be read at once. Ask for fewer days, or group by less: --by.",
                    reached_server=True,
                )
            yield page
            if page.next_page in seen or len(seen) >= _MOST_PAGES:
                raise SourceError(
                    "endless_pages", f"{self._host} goes round in circles with its pages.", reached_server=True
                )
            seen |= {page.next_page} if page.next_page else set()

    def _page(self, query: Query, parameters: list[tuple[str, str]]) -> Page:
        """Return one page; errors that a retry may mend are retried with pauses, all others are raised at once."""
        path = f"{query.report.path}?{urllib.parse.urlencode(parameters)}"
        headers = {"x-api-key": self._key.reveal(), "anthropic-version": _VERSION}
        beta = reports.choose_beta(query)
        if beta:
            headers["anthropic-beta"] = beta
        for attempt in range(_MOST_TRIES):
            try:
                answer = self._connection.get(path, headers, max(0.1, self._deadline - time.monotonic()))
                if answer.status != 200:
                    raise explain_refusal(answer, self._host, query)
                return rows.parse_rows(query.report.kind, http.decode_body(answer, self._host, Decimal))
            except SourceError as error:
                if error.code in _UNREACHABLE:
                    raise self._end(error, _UNREACHABLE[error.code], "Check the network.") from error
                if error.code not in _PASSING:
                    raise
                self._wait(attempt, error)
        raise AssertionError("the last attempt returns or raises")

    def _end(self, error: SourceError, what: str, advice: str) -> SourceError:
        kept = "What was read is kept, so that asking again goes on from there."
        return SourceError(
            error.code,
            f"{self._host} {what}. {advice} {kept}",
            reached_server=error.reached_server,
            retry_at=error.retry_at,
        )

    def _wait(self, attempt: int, error: SourceError) -> None:
        """Pause before the next attempt: exponential backoff, and at least until the server's retry time.

        Raises SourceError after the last attempt, or where the pause would pass the deadline.
        """
        ceiling = min(_FIRST_PAUSE_SECONDS * 2**attempt, _LONGEST_PAUSE_SECONDS)
        seconds = random.uniform(ceiling / 2, ceiling)
        if error.retry_at is not None:
            seconds = max(seconds, (error.retry_at - datetime.now(UTC)).total_seconds())
        if attempt + 1 == _MOST_TRIES or seconds > self._deadline - time.monotonic():
            until = f" before {format_time(error.retry_at)}" if error.retry_at else ""
            raise self._end(
                error, _PASSING[error.code], f"Ask again, but not{until}." if until else "Ask later."
            ) from error
        self._pause(seconds)


def explain_refusal(answer: http.Response, host: str, query: Query) -> SourceError | UsageError:
    """Return the error for an answer whose status is not 200."""
    which = query.report.key
    said = _words_of(answer, host)
    if answer.status == 400:
        return UsageError(f"{host} does not take the question: {said or 'it does not say why'}.")
    if answer.status in (401, 403):
        begins = "It begins with sk-ant-admin" if which == "admin" else "It needs the scope read:analytics"
        return SourceError(
            "unauthorized" if answer.status == 401 else "forbidden",
            f"{host} does not accept the {keys.WORDS[which]} for this report{f': {said}' if said else ''}. {begins}; "
            f"{find_page('org')} says who can make one.",
            reached_server=True,
        )
    if answer.status == 404:
        return SourceError("not_found", f"{host} has no such report for this organisation.", reached_server=True)
    return refusals.build_refusal(answer, host, datetime.now(UTC), sent="key")


def _words_of(answer: http.Response, host: str) -> str:
    try:
        body: Any = http.decode_body(answer, host)
        # It may repeat the key that it does not accept.
        return clean(secret.hide_keys(body["error"]["message"]), 300).rstrip(".")
    except (SourceError, KeyError, TypeError):
        return ""

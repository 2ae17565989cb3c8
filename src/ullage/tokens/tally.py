"""Answer a query over tokens: combine the index of transcripts, the prices, and the windows in the history.

Tokens are counted in this machine's files; none of these figures is a share of the quota.
"""

from __future__ import annotations

import os
import time
import zlib

from ullage import config
from ullage.base.contexts import suppress
from ullage.base.dates import UTC, datetime
from ullage.base.errors import CacheError, UllageError
from ullage.base.record import Record
from ullage.base.values import format_time
from ullage.store import overview
from ullage.store.cache import ProfileCache
from ullage.system import directories, places
from ullage.tokens import index, prices, report, scan, transcripts, windows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import tzinfo
    from typing import Any

    from ullage.quota.pace import Sample
    from ullage.tokens.amounts import Amount
    from ullage.tokens.index import Index
    from ullage.tokens.prices import PriceList
    from ullage.tokens.report import Total, UsageGroup
    from ullage.tokens.scan import Progress
    from ullage.tokens.transcripts import Root, TranscriptList
    from ullage.tokens.windows import WindowSpan

_UNUSED_SECONDS = 40 * 86400


class TokenQuery(Record):
    """A query: the grouping, the span of time, and the roots whose transcripts are counted."""

    by: str
    roots: tuple[Root, ...]
    since: datetime | None = None
    until: datetime | None = None
    zone: tzinfo | None = None


class WindowShare(Record):
    """The running window, and the tokens of each machine in it, as far as the transcripts show."""

    window: WindowSpan
    machines: dict[str, int]


class TokenUsage(Record):
    """The answer to a query; `used_percent` is the last utilization that the server stated, by the window's key."""

    question: TokenQuery
    groups: tuple[UsageGroup, ...]
    total: Total
    share: WindowShare | None
    prices: PriceList
    found: TranscriptList
    skipped: dict[str, int]
    used_percent: dict[tuple[str, ...], float | None]
    notices: tuple[str, ...]


def list_roots(environ: Mapping[str, str], *, only: str | None = None) -> tuple[Root, ...]:
    """Return this machine's roots: of the configuration directory `only`, or of all that are known."""
    directories = [only] if only else transcripts.list_config_directories(environ, places.list_known_profiles(environ))
    return tuple(transcripts.choose_root(directory) for directory in directories)


def load_prices(environ: Mapping[str, str], overrides: Mapping[str, Any]) -> tuple[PriceList, str | None]:
    """Return the prices in force, and a notice where an update is unreadable; raise UsageError for a wrong override."""
    found, notice = prices.load(config.locate_state(environ))
    return prices.override_prices(found, overrides) if overrides else found, notice


def count_usage(
    environ: Mapping[str, str], question: TokenQuery, overrides: Mapping[str, Any], progress: Progress, now: datetime
) -> TokenUsage:
    """Update the index and answer the query; without a usable index on disk, use one in memory and add a notice.

    Raises UllageError where that fails too.
    """
    priced, notice = load_prices(environ, overrides)
    notices = [notice] if notice else []
    found = transcripts.list_transcripts(question.roots)
    answers: list[TokenUsage] = []

    def work(opened: Index) -> None:
        opened.update(found, lambda tasks, sizes: scan.read_all(tasks, sizes, progress))
        answers.append(_answer(opened, question, priced, found, _load_samples(environ, now), now))

    try:
        path = _index_path(environ, question.roots)
        damaged = index.work_with_index(path, work, now)
    except CacheError as error:
        notices.append(f"{error} Until then every look reads all transcripts.")
        damaged = index.work_with_index(":memory:", work, now)
    return answers[-1].replace(notices=(*notices, *([damaged] if damaged else [])))


def _index_path(environ: Mapping[str, str], roots: Sequence[Root]) -> str:
    """Return the path of the index of a set of roots, in a private directory.

    Marks it as used; before a new one is made, indexes that were not used for 40 days are removed.
    """
    root = places.locate_cache(environ)
    directory = os.path.join(root, "tokens")
    directories.make_private(root, directory, environ=environ)
    try:
        named = os.fsencode("\0".join(one.directory for one in roots))
        path = os.path.join(directory, f"{zlib.crc32(named):08x}{zlib.adler32(named):08x}.sqlite3")
        if os.path.exists(path):
            os.utime(path)
        else:
            _sweep(directory)
    except OSError as error:
        raise CacheError(
            f"Cannot keep an index in {directory}: {error.strerror}. Name a directory that you can write to in "
            "ULLAGE_CACHE_DIR."
        ) from error
    return path


def _sweep(directory: str) -> None:
    for name in os.listdir(directory):
        path = os.path.join(directory, name)
        with suppress(OSError):
            if os.stat(path).st_mtime < time.time() - _UNUSED_SECONDS:
                os.unlink(path)


def _load_samples(environ: Mapping[str, str], now: datetime) -> list[Sample]:
    """Return the server's samples of the five-hour window in the history; none where it cannot be read."""
    from ullage.store import history

    try:
        cache = ProfileCache(environ)
        reading = cache.load_reading()
        if reading is None:
            return []
        path, owner = overview.locate_history(environ), overview.name_owner(cache, reading)
        return history.load_samples(path, owner, datetime.fromtimestamp(0, UTC), now).get("five_hour", [])
    except UllageError:
        return []


def _answer(
    opened: Index,
    question: TokenQuery,
    priced: PriceList,
    found: TranscriptList,
    samples: Sequence[Sample],
    now: datetime,
) -> TokenUsage:
    """Ask the index for the amounts of each group of the query, and price them."""
    spans = windows.list_stated_windows(samples)
    since, until = _milliseconds(question.since), _milliseconds(question.until)
    used_percent: dict[tuple[str, ...], float | None] = {}
    if question.by == "window":
        parts = _list_windows(opened, spans, since, until)
        groups = [group for span, part in parts for group in _group_window(span, part, priced)]
        used_percent = {_key(span): span.used_percent for span, _ in parts}
    elif question.by in report.IN_TIME:
        days = report.split_days(question.by, question.zone, *(opened.find_reach() or (0, 0)))
        amounts = opened.sum_amounts(since, until, keep=(), slots=[begins for begins, _ in days])
        groups = report.group_amounts(amounts, lambda amount: (days[amount.slot][1],), priced)
    else:
        amounts = opened.sum_amounts(since, until, keep=report.KEPT.get(question.by, ()))
        groups = report.group_amounts(
            amounts, report.choose_key(question.by, found.roots, opened.list_folders(), priced), priced
        )
    skipped = {**found.skipped}
    for kind, count in opened.count_skipped().items():
        skipped[kind] = skipped.get(kind, 0) + count
    return TokenUsage(
        question=question,
        groups=tuple(groups),
        total=report.sum_groups(groups),
        share=_share(opened, spans, found, now),
        prices=priced,
        found=found,
        skipped=skipped,
        used_percent=used_percent,
        notices=(),
    )


def _list_windows(
    opened: Index, spans: Sequence[WindowSpan], since: int | None, until: int | None
) -> list[tuple[WindowSpan, list[Amount]]]:
    """Return the windows of a span of time with their amounts: the server's, and estimates in the gaps between."""
    within = [
        span for span in spans if (since is None or span.ends_at > since) and (until is None or span.starts_at < until)
    ]
    parts = []
    for span in within:
        begins = span.starts_at if since is None else max(since, span.starts_at)
        ends = span.ends_at if until is None else min(until, span.ends_at)
        parts.append((span, opened.sum_amounts(begins, ends, keep=())))
    for begins_at, ends_at in windows.list_gaps(within, since, until):
        parts += windows.estimate_windows(opened.sum_amounts(begins_at, ends_at, keep=(), by_quarter=True), ends_at)
    return sorted(((span, part) for span, part in parts if part), key=lambda one: one[0].starts_at)


def _group_window(span: WindowSpan, amounts: Sequence[Amount], priced: PriceList) -> list[UsageGroup]:
    key = _key(span)
    return report.group_amounts(amounts, lambda _: key, priced)


def _share(opened: Index, spans: Sequence[WindowSpan], found: TranscriptList, now: datetime) -> WindowShare | None:
    """Return each machine's tokens in the running window, the server's or else an estimate; None where none runs.

    An estimate looks back two windows, since the start of the running one depends on when the one before it ended.
    """
    at = round(now.timestamp() * 1000)
    running = next((span for span in spans if span.starts_at <= at < span.ends_at), None)
    if running is None:
        last = max((span.ends_at for span in spans), default=None)
        begins = at - 2 * windows.LENGTH_MS if last is None else max(last, at - 2 * windows.LENGTH_MS)
        guessed = windows.estimate_windows(opened.sum_amounts(begins, at + 1, keep=(), by_quarter=True))
        running = next((span for span, _ in guessed if at < span.ends_at), None)
    if running is None:
        return None
    machines = dict.fromkeys((root.machine for root in found.roots), 0)
    for amount in opened.sum_amounts(running.starts_at, at + 1, keep=("root",)):
        machines[found.roots[amount.root].machine] += sum(amount.counts[:5])
    return WindowShare(window=running, machines=machines)


def _key(span: WindowSpan) -> tuple[str, ...]:
    begins, ends = (datetime.fromtimestamp(at / 1000, UTC) for at in (span.starts_at, span.ends_at))
    return format_time(begins), format_time(ends), span.basis


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1000)

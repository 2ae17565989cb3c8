"""Whom to ask: the source that the settings name; for `auto` nobody while Claude Code has told enough by itself."""

from __future__ import annotations

import contextlib
import importlib
from datetime import UTC, datetime, timedelta

from ullage.base.errors import SourceError
from ullage.config import find_wrong_source
from ullage.quota import meters
from ullage.quota.model import CLOCK_SLACK
from ullage.quota.schedule import SHORTEST_INTERVAL
from ullage.store.account import AccountCache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    from ullage.config import Settings
    from ullage.quota.model import Account, Reading
    from ullage.quota.schedule import Schedule
    from ullage.store.cache import ProfileCache

    class Source(Protocol):
        """Somebody who knows what the windows stand at."""

        NAME: str

        def account(self, environ: Mapping[str, str]) -> Account: ...
        def read(self, environ: Mapping[str, str], account: Account, now: datetime) -> Reading: ...


def source_in_force(settings: Settings) -> Source:
    """Return the source that the settings name; `auto` begins with what Claude Code has left lying.

    Raises SourceError for a word that names none, which only the environment can hold.
    """
    wrong = find_wrong_source(settings)
    if wrong:
        raise SourceError("unknown_source", wrong)
    name = "claude-cache" if settings.source == "auto" else settings.source
    module = importlib.import_module(f"ullage.sources.{meters.of(name).module}")
    # Where the key comes from stands in the settings, which no source looks into by itself.
    source: Source = module.Web(settings.web) if name == "web" else module
    return source


def one(
    source: Source, environ: Mapping[str, str], cache: ProfileCache, account: Account, now: datetime, *, force: bool
) -> None:
    """Ask a source and keep its answer; raise SourceError when there is none."""
    if source.NAME in meters.ASKS_SERVER:
        answer = _of_account(source, environ, cache, account, now, force=force)
    else:
        answer = source.read(environ, account, now)
    # The status line's sessions keep their statements themselves.
    if answer.source != "statusline":
        cache.save_reading(answer)


def _of_account(
    source: Source, environ: Mapping[str, str], cache: ProfileCache, account: Account, now: datetime, *, force: bool
) -> Reading:
    """Ask the server for an account once in five minutes, whichever profile wants to know."""
    shared = AccountCache(cache.root, account.id)
    with shared.lock() as alone:
        asked_at = shared.asked_at()
        is_recent = asked_at is not None and timedelta() <= now - asked_at < SHORTEST_INTERVAL
        if not alone or (is_recent and not force):
            known = shared.reading(source.NAME)
            if known is not None and -CLOCK_SLACK <= now - known.as_of < SHORTEST_INTERVAL:
                return known
            raise SourceError(
                "asked_already",
                "Another profile of this account has asked in the last five minutes; this one takes its turn soon.",
            )
        shared.save_asked_at(now)
        try:
            answer = source.read(environ, account, now)
        except SourceError as error:
            if not error.reached_server:
                shared.save_asked_at(None)
            raise
        # A key may turn out to be another account's than it was.
        AccountCache(cache.root, answer.account.id).save_reading(answer)
        return answer


def as_needed(
    settings: Settings,
    environ: Mapping[str, str],
    cache: ProfileCache,
    account: Account,
    schedule: Schedule,
    now: datetime,
    *,
    force: bool,
) -> tuple[Schedule, bool]:
    """Ask the source in force, unless what is known is as good as an answer, or it is not time for one.

    Claude Code's state file is read when it has changed, its program started when it is time again; `auto` takes in the
    one, and starts the other when that is too old. Returns the plan, and whether what is known now is as good as an
    answer. Raises SourceError when there is none.
    """
    from ullage.refresh import auto
    from ullage.sources import claude_cache, claude_cli, claude_state

    source = source_in_force(settings)
    if source.NAME not in (claude_cache.NAME, claude_cli.NAME):
        one(source, environ, cache, account, now, force=force)
        return schedule, True
    state_mark = claude_state.mark(environ)
    state_changed_at = None
    if state_mark is not None and state_mark != schedule.state_mark:
        state_changed_at = datetime.fromtimestamp(int(state_mark.partition("-")[0]) / 1e9, UTC)
        schedule = schedule.replace(state_mark=state_mark)
    if settings.source == "auto":
        if state_changed_at is not None:
            with contextlib.suppress(SourceError):
                one(claude_cache, environ, cache, account, now, force=force)
        if not force and auto.is_enough(cache.readings(), now):
            return schedule, True
    elif source.NAME == claude_cache.NAME:
        if state_changed_at is not None or not _has_told(claude_cache.NAME, cache):
            one(claude_cache, environ, cache, account, now, force=force)
        return schedule, True
    may_start_at = auto.may_start_at(schedule, is_busy=auto.is_busy(schedule, cache.readings(), state_changed_at, now))
    if not force and may_start_at is not None and now < may_start_at <= now + auto.IDLE_INTERVAL:
        return schedule.replace(refresh_at=may_start_at, idle_refresh_at=may_start_at), False
    schedule = schedule.replace(spawned_at=now)
    cache.save_schedule(schedule)
    one(claude_cli, environ, cache, account, now, force=force)
    return schedule, True


def _has_told(source: str, cache: ProfileCache) -> bool:
    return any(reading.source == source for reading in cache.readings())

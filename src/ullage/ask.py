"""Whom to ask: the source that the settings name; for `auto` nobody while Claude Code has told enough by itself."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

from ullage.config import SOURCES
from ullage.errors import SourceError
from ullage.text import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    from ullage.cache import ProfileCache
    from ullage.config import Settings
    from ullage.model import Account, Reading
    from ullage.schedule import Schedule

    class Source(Protocol):
        """Somebody who knows what the windows stand at."""

        def account(self, environ: Mapping[str, str]) -> Account: ...
        def read(self, environ: Mapping[str, str], account: Account, now: datetime) -> Reading: ...


def source_in_force(settings: Settings) -> Source:
    """Return the source that the settings name; `auto` begins with what Claude Code has left lying.

    Raises SourceError for a word that names none, which only the environment can hold.
    """
    if settings.source not in SOURCES:
        raise SourceError(
            "unknown_source",
            f"ULLAGE_SOURCE is {clean(settings.source)!r}; it can be {', '.join(SOURCES)}. Correct or unset it.",
        )
    if settings.source == "oauth":
        from ullage.sources import oauth

        return oauth
    if settings.source == "claude-cli":
        from ullage.sources import claude_cli

        return claude_cli
    if settings.source == "statusline":
        from ullage.sources import status_line

        return status_line
    from ullage.sources import claude_cache

    return claude_cache


def one(source: Source, environ: Mapping[str, str], cache: ProfileCache, account: Account, now: datetime) -> None:
    """Ask a source and keep its answer; raise SourceError when there is none."""
    answer = source.read(environ, account, now)
    # The status line's sessions keep their statements themselves.
    if answer.source != "statusline":
        cache.save_reading(answer)


def as_needed(
    environ: Mapping[str, str], cache: ProfileCache, account: Account, plan: Schedule, now: datetime, *, force: bool
) -> tuple[Schedule, bool]:
    """Take in what Claude Code has left lying; start its program only when that is too old and it is time again.

    Returns the plan, and whether what is known now is as good as an answer.
    """
    from ullage.sources import auto, claude_cache, claude_cli, claude_state

    state_mark = claude_state.mark(environ)
    state_changed_at = None
    if state_mark is not None and state_mark != plan.state_mark:
        state_changed_at = datetime.fromtimestamp(int(state_mark.partition("-")[0]) / 1e9, UTC)
        with contextlib.suppress(SourceError):
            cache.save_reading(claude_cache.read(environ, account, now))
        plan = plan.replace(state_mark=state_mark)
    readings = cache.readings()
    if not force and auto.is_enough(readings, now):
        return plan, True
    may_start_at = auto.may_start_at(plan, is_busy=auto.is_busy(plan, readings, state_changed_at, now))
    if not force and may_start_at is not None and now < may_start_at <= now + auto.IDLE_INTERVAL:
        return plan.replace(refresh_at=may_start_at, idle_refresh_at=may_start_at), False
    plan = plan.replace(spawned_at=now)
    cache.save_schedule(plan)
    one(claude_cli, environ, cache, account, now)
    return plan, True

"""The usage body that Claude Code fetched last and keeps in its own state file: `cachedUsageUtilization`.

`{fetchedAtMs, accountUuid, utilization: <the body of the usage endpoint>}`, written at most every five minutes and only
when something in Claude Code asked; it may be days old.
"""

from __future__ import annotations

from ullage.errors import SourceError
from ullage.model import Account, parse_time
from ullage.sources import claude_state, wire
from ullage.text import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any

    from ullage.model import Reading

NAME = "claude-cache"


def account(environ: Mapping[str, str]) -> Account:
    """Return who is signed in to Claude Code; no secret is read for it."""
    return Account(id=claude_state.account_id(claude_state.load(environ)))


def read(environ: Mapping[str, str], account: Account, now: datetime) -> Reading:
    """Return what Claude Code fetched last for this account; raise SourceError when that is nothing."""
    return parse(claude_state.load(environ), account, now)


def parse(state: Mapping[str, Any], account: Account, now: datetime) -> Reading:
    """Read the state file's content."""
    cached = state.get("cachedUsageUtilization")
    fetched_at = parse_time(cached.get("fetchedAtMs")) if isinstance(cached, dict) else None
    if not isinstance(cached, dict) or fetched_at is None:
        raise SourceError(
            "nothing_cached", "Claude Code has kept no usage report yet. Open /usage in Claude Code once, or use auto."
        )
    owner = clean(cached.get("accountUuid")) or None
    if owner is None or account.id is None or owner != account.id:
        raise SourceError(
            "other_account", "The usage report that Claude Code kept is not of the account that is signed in now."
        )
    return wire.parse_usage(cached.get("utilization"), account=account, source=NAME, as_of=min(fetched_at, now))

"""The usage body that Claude Code fetched last and keeps in its state file as `cachedUsageUtilization`.

`{fetchedAtMs, accountUuid, utilization: <the body of the usage endpoint>}`, written at most every five minutes and only
when something in Claude Code asked; it may be days old.
"""

from __future__ import annotations

from ullage.base.errors import SourceError
from ullage.base.values import parse_time
from ullage.quota.model import CLOCK_SLACK, leave_undated
from ullage.sources import claude_state, wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any

    from ullage.quota.model import Account, Reading

NAME = "claude-cache"
_KEY = "cachedUsageUtilization"

account = claude_state.read_account


def read(environ: Mapping[str, str], account: Account, now: datetime) -> Reading:
    """Return the reading that Claude Code fetched last for this account; raise SourceError when there is none."""
    return parse(claude_state.read_part(environ, _KEY), account, now)


def parse(cached: Mapping[str, Any], account: Account, now: datetime) -> Reading:
    """Parse the state file's entry, an empty object where there is none."""
    fetched_at = parse_time(cached.get("fetchedAtMs"))
    if fetched_at is None:
        raise SourceError(
            "nothing_cached", "Claude Code has kept no usage report yet. Open /usage in Claude Code once."
        )
    if not is_of_account(cached, account):
        raise SourceError(
            "other_account", "The usage report that Claude Code kept is not of the account that is signed in now."
        )
    reading = wire.parse_usage(cached.get("utilization"), account=account, source=NAME, as_of=min(fetched_at, now))
    return leave_undated(reading, now) if is_from_future(fetched_at, now) else reading


def is_from_future(fetched_at: datetime, now: datetime) -> bool:
    """Say whether a report was dated by a clock that has since been set back, so that its age is not known."""
    return fetched_at > now + CLOCK_SLACK


def is_of_account(cached: Mapping[str, Any], account: Account) -> bool:
    """Say whether the state file's entry is this account's; the organisation is compared where the entry names it."""
    owner = claude_state.parse_account(cached)
    return owner.id is not None and owner.id == account.id and owner.may_be(account)


def read_fetched_at(environ: Mapping[str, str], account: Account) -> datetime | None:
    """Return when Claude Code last fetched usage for this account; None where its file does not say."""
    try:
        cached = claude_state.read_part(environ, _KEY)
    except SourceError:
        return None
    return parse_time(cached.get("fetchedAtMs")) if is_of_account(cached, account) else None

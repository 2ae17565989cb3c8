"""When to ask again: cadence while it goes well, backoff while it does not. Pure; refresh keeps it on disk.

The server throttles its usage endpoint hard and per account, so every shell, bar and script of a machine shares one
schedule. A person at a prompt is served sooner than a bar that redraws by itself.
"""

from __future__ import annotations

from ullage.base.dates import datetime, timedelta
from ullage.base.record import Record
from ullage.quota.model import CLOCK_SLACK, Account, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ullage.base.errors import SourceError
    from ullage.quota.model import Reading, Thresholds

    # Takes an upper bound in seconds, and returns a random number of seconds from 0 to that bound.
    Jitter = Callable[[float], float]

SHORTEST_INTERVAL = timedelta(minutes=5)
LONGEST_INTERVAL = timedelta(hours=1)
FIRST_LOCAL_RETRY = timedelta(minutes=1)
LONGEST_LOCAL_RETRY = timedelta(minutes=10)

# How long after a refresh has become due its answer is there at the latest.
LONGEST_REFRESH = timedelta(minutes=2)
# On a page that somebody looks at, the next answer comes before the number turns stale, which takes 15 minutes.
LONGEST_ATTENDED_INTERVAL = timedelta(minutes=15) - LONGEST_REFRESH

# What a server may ask for at most: a day. More is a fault, and must not silence a machine for good.
LONGEST_HOLD = timedelta(days=1)

# The server refuses the account, whichever profile asks; so a request before its time makes the pause longer.
_HOLDS = ("rate_limited", "served_from_snapshot")


class Schedule(Record):
    """When the last attempt began and when the next is due: for a person at a prompt, and for a bar by itself.

    `account_since` is when this account was first seen after another. `hold_until` is what the server asked for, or the
    backoff after what Claude Code met there; not even a forced refresh goes before it. `spawned_at` is when Claude Code
    was last started to be asked, `state_mark` tells whether its own file has changed since it was read, `means` whether
    what an answer depends on has since one failed to come. `remotes_at` is when another machine may be asked, which
    costs the server nothing.
    """

    account_id: str | None = None
    organization_id: str | None = None
    account_since: datetime | None = None
    attempted_at: datetime | None = None
    succeeded_at: datetime | None = None
    refresh_at: datetime | None = None
    idle_refresh_at: datetime | None = None
    hold_until: datetime | None = None
    unchanged: int = 0
    failures: int = 0
    problem: Problem | None = None
    spawned_at: datetime | None = None
    state_mark: str | None = None
    means: str | None = None
    remotes_at: datetime | None = None

    @property
    def account(self) -> Account:
        """Whose schedule it is."""
        return Account(id=self.account_id, organization_id=self.organization_id)

    def find_due(self, reading: Reading | None, *, attended: bool = True) -> datetime | None:
        """Return when the next refresh is due, None for at once.

        A window's reset makes one due, since what it stands at is then unknown, though never sooner than the server
        allows; so does another machine that may be asked again.
        """
        due = self.find_sources_due(reading, attended=attended)
        return due if due is None or self.remotes_at is None else min(due, self.remotes_at)

    def find_sources_due(self, reading: Reading | None, *, attended: bool = True) -> datetime | None:
        """Return when this machine's own sources are to be asked, None for at once."""
        due = self.refresh_at if attended else self.idle_refresh_at
        if due is None or self.attempted_at is None or self.failures or self.hold_until or reading is None:
            return due
        resets = [window.resets_at for window in reading.windows if window.resets_at is not None]
        earliest = self.attempted_at + SHORTEST_INTERVAL
        return max(earliest, min([due, *(reset for reset in resets if reset > reading.as_of)]))

    def adapt_thresholds(self, thresholds: Thresholds, reading: Reading | None) -> Thresholds:
        """Return the thresholds of a surface that only redraws: nothing is stale there before the next refresh is over.

        Where refreshes fail, or the server has asked for a pause, the person's own thresholds hold.
        """
        if reading is None or self.idle_refresh_at is None or self.failures or self.hold_until:
            return thresholds
        allowed = min(self.idle_refresh_at - reading.as_of, LONGEST_INTERVAL) + LONGEST_REFRESH
        return thresholds.replace(stale_after=max(thresholds.stale_after, allowed))

    def is_due(self, reading: Reading | None, now: datetime, *, attended: bool = True) -> bool:
        """Say whether to ask now; it is where the clock was set back, which a schedule from the future shows."""
        if self.attempted_at is None or self.attempted_at > now + CLOCK_SLACK:
            return True
        due = self.find_due(reading, attended=attended)
        return due is None or now >= due

    def are_sources_due(self, reading: Reading | None, now: datetime) -> bool:
        """Say whether this machine's own sources are to be asked now, as `is_due` does of everything."""
        return self.replace(remotes_at=None).is_due(reading, now)

    def may_be_early(self, now: datetime) -> bool:
        """Say whether a person who asks for a refresh may get one before the cadence makes it due."""
        last = self.attempted_at
        return last is None or last > now + CLOCK_SLACK or now - last >= SHORTEST_INTERVAL

    def is_held(self, now: datetime) -> bool:
        """Say whether the server has asked not to be asked yet."""
        return self.hold_until is not None and now < self.hold_until <= now + LONGEST_HOLD

    def held(self) -> Schedule:
        """Put the next attempt at the end of a pause that the server asked for, of this profile or of another."""
        problem = self.problem or Problem(
            code="rate_limited",
            message="The server has asked for a pause; that says nothing about your plan's limits.",
            retry_at=self.hold_until,
        )
        return self.replace(refresh_at=self.hold_until, idle_refresh_at=self.hold_until, problem=problem)

    def begun(self, now: datetime) -> Schedule:
        """Put the next attempt off before this one begins, so that an attempt that dies is not repeated at once."""
        following = now + SHORTEST_INTERVAL
        return self.replace(attempted_at=now, refresh_at=following, idle_refresh_at=following)

    def succeeded(self, now: datetime, *, changed: bool) -> Schedule:
        """Set the next attempt after an answer: soon after a change, later and later while nothing changes."""
        unchanged = 0 if changed else min(self.unchanged + 1, 8)
        interval = SHORTEST_INTERVAL * 2**unchanged
        return self.replace(
            succeeded_at=now,
            refresh_at=now + min(interval, LONGEST_ATTENDED_INTERVAL),
            idle_refresh_at=now + min(interval, LONGEST_INTERVAL),
            hold_until=None,
            unchanged=unchanged,
            failures=0,
            problem=None,
        )

    def failed(self, error: SourceError, now: datetime, jitter: Jitter) -> Schedule:
        """Set the next attempt after a failure: exponential backoff with full jitter, never before Retry-After.

        A failure on this machine, before any request, costs the server nothing: a person at a prompt gets another
        attempt after a minute.
        """
        failures = min(self.failures + 1, 16)
        first, longest = (
            (SHORTEST_INTERVAL, LONGEST_INTERVAL) if error.reached_server else (FIRST_LOCAL_RETRY, LONGEST_LOCAL_RETRY)
        )
        ceiling = min(longest, first * 2 ** (failures - 1))
        # In whole seconds, rounded up.
        delay = max(first, timedelta(seconds=-(-jitter(ceiling.total_seconds()) // 1)))
        wish = min(error.retry_at, now + LONGEST_HOLD) if error.retry_at else None
        retry_at = max(now + delay, wish) if wish else now + delay
        attended = retry_at if error.reached_server or wish else now + FIRST_LOCAL_RETRY
        return self.replace(
            refresh_at=attended,
            idle_refresh_at=retry_at,
            hold_until=retry_at if error.code in _HOLDS else wish,
            failures=failures,
            problem=Problem(code=error.code, message=str(error), retry_at=attended),
        )

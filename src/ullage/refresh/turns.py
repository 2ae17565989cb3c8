"""Which sources are to be asked now. Pure.

Claude Code's state file is read when it has changed; its program, which costs a process, is started at most every five
minutes while something happens and every thirty otherwise. Every other source is asked whenever a refresh is due.
"""

from __future__ import annotations

from ullage.base.dates import timedelta
from ullage.quota import merge, meters
from ullage.quota.model import CLOCK_SLACK, SESSION_SOURCES, has_reset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

    from ullage.quota.schedule import Schedule
    from ullage.store.cache import Snapshot
    from ullage.store.statements import Stated

FRESH_FOR = timedelta(minutes=5)
BUSY_INTERVAL = timedelta(minutes=5)
IDLE_INTERVAL = timedelta(minutes=30)

_STATE_FILE, _PROGRAM = "claude-cache", "claude-cli"
_WITHOUT_LIMITS = ("signed_out", "no_plan_limits")
# For these it matters when Claude Code last wrote its state file.
GO_BY_STATE_FILE = (_STATE_FILE, _PROGRAM)


def has_news(source: str, state_changed_at: datetime | None) -> bool:
    """Say whether a source may have news since it was last asked."""
    return source != _STATE_FILE or state_changed_at is not None


def has_said_all(source: str, snapshot: Snapshot, state_changed_at: datetime | None) -> bool:
    """Say whether a source's last statement is still its answer; a source that failed is asked again."""
    if has_news(source, state_changed_at) or snapshot.schedule.failures:
        return False
    return any(reading.source == source for reading in snapshot.stated.statements)


def find_next_turn(
    source: str, snapshot: Snapshot, state_changed_at: datetime | None, now: datetime
) -> datetime | None:
    """Return from when on a source may be asked; None where it may be asked now."""
    if source != _PROGRAM:
        return None
    may_start_at = find_next_start(snapshot.schedule, is_busy=is_busy(snapshot, state_changed_at, now))
    # A start from the future was noted by a clock that has since been set back.
    is_ahead = may_start_at is not None and now < may_start_at <= now + IDLE_INTERVAL
    return may_start_at if is_ahead else None


def mark_start(source: str, schedule: Schedule, now: datetime) -> Schedule:
    """Note the start of a source's process, which must not be started again soon even if this refresh dies."""
    return schedule.replace(spawned_at=now) if source == _PROGRAM else schedule


def is_enough(stated: Stated, now: datetime) -> bool:
    """Say whether every window's statement is younger than the cadence.

    The status line has two windows only, so a listing of all windows must not be too old either.
    """
    listed = [
        reading.as_of for reading in stated.statements if reading.is_listing and reading.source not in meters.PARTIAL
    ]
    if not listed or now - max(listed) >= IDLE_INTERVAL:
        return False
    # Without a young statement the answer is no, and the merge is spared.
    if now - max(reading.as_of for reading in stated.statements) >= FRESH_FOR or stated.reading is None:
        return False
    if merge.is_disputed(stated.reading, stated.statements):
        return False
    counted = [window for window in stated.reading.windows if window.is_listed]
    return bool(counted) and all(
        -CLOCK_SLACK <= now - window.as_of < FRESH_FOR and not has_reset(window, now) for window in counted
    )


def find_next_start(schedule: Schedule, *, is_busy: bool) -> datetime | None:
    """Return from when on the `claude` program may be started again; None for at once."""
    if schedule.spawned_at is None:
        return None
    return schedule.spawned_at + (BUSY_INTERVAL if is_busy else IDLE_INTERVAL)


def is_busy(snapshot: Snapshot, state_changed_at: datetime | None, now: datetime) -> bool:
    """Say whether anything has happened since the `claude` program was last started.

    A number moved, a window has reset, a session has spoken, or Claude Code has written its state file after our
    own process had.
    """
    schedule, reading = snapshot.schedule, snapshot.reading
    if schedule.spawned_at is None:
        return True
    has_changed = state_changed_at is not None and state_changed_at > schedule.spawned_at + timedelta(minutes=1)
    if schedule.problem is not None and schedule.problem.code in _WITHOUT_LIMITS:
        # Signed out, or signed in by a token alone: only another sign-in, which the state file shows, changes that.
        return has_changed
    if schedule.unchanged == 0:
        return True
    spoken = [each.as_of for each in snapshot.stated.statements if each.source in SESSION_SOURCES]
    if any(as_of > schedule.spawned_at for as_of in spoken):
        return True
    if reading is not None and any(has_reset(window, now) for window in reading.windows if window.is_listed):
        return True
    return has_changed

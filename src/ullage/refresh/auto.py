"""Whom `auto` asks: nobody while Claude Code has told enough by itself, and its program when it has not. Pure."""

from __future__ import annotations

from datetime import timedelta

from ullage.quota import meters
from ullage.quota.merge import merge
from ullage.quota.model import CLOCK_SLACK, has_reset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ullage.quota.model import Reading
    from ullage.quota.schedule import Schedule

FRESH_FOR = timedelta(minutes=5)
BUSY_INTERVAL = timedelta(minutes=5)
IDLE_INTERVAL = timedelta(minutes=30)


def is_enough(readings: Sequence[Reading], now: datetime) -> bool:
    """Say whether every window's statement is younger than the cadence asks for.

    The status line tells two windows only, so whether there are others has to have been told not too long ago.
    """
    listed = [reading.as_of for reading in readings if reading.source not in meters.PARTIAL]
    merged = merge(readings)
    if merged is None or not listed or now - max(listed) >= IDLE_INTERVAL:
        return False
    counted = [window for window in merged.windows if window.kind != "other"]
    return bool(counted) and all(
        -CLOCK_SLACK <= now - window.as_of < FRESH_FOR and not has_reset(window, now) for window in counted
    )


def may_start_at(schedule: Schedule, *, is_busy: bool) -> datetime | None:
    """Return from when on the program may be started again; None for at once."""
    if schedule.spawned_at is None:
        return None
    return schedule.spawned_at + (BUSY_INTERVAL if is_busy else IDLE_INTERVAL)


def is_busy(schedule: Schedule, readings: Sequence[Reading], state_changed_at: datetime | None, now: datetime) -> bool:
    """Say whether anything has happened since the program was last started.

    A number moved, a window has reset, a status line has spoken, or Claude Code has written its state file after our
    own process had.
    """
    if schedule.spawned_at is None or schedule.unchanged == 0:
        return True
    if any(reading.source == "statusline" and reading.as_of > schedule.spawned_at for reading in readings):
        return True
    merged = merge(readings)
    if merged is not None and any(has_reset(window, now) for window in merged.windows if window.kind != "other"):
        return True
    return state_changed_at is not None and state_changed_at > schedule.spawned_at + timedelta(minutes=1)

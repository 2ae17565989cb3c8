"""Whom `auto` asks: nobody while Claude Code has told enough by itself, and its program when it has not. Pure."""

from __future__ import annotations

from datetime import timedelta

from ullage.model import CLOCK_SLACK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from ullage.model import Reading
    from ullage.schedule import Schedule

FRESH_FOR = timedelta(minutes=5)
BUSY_INTERVAL = timedelta(minutes=5)
IDLE_INTERVAL = timedelta(minutes=30)


def is_enough(reading: Reading | None, now: datetime) -> bool:
    """Say whether every window's statement is younger than the cadence asks for."""
    if reading is None or not reading.windows:
        return False
    return all(-CLOCK_SLACK <= now - window.as_of < FRESH_FOR for window in reading.windows if window.kind != "other")


def may_start_at(plan: Schedule, *, is_busy: bool) -> datetime | None:
    """Return from when on the program may be started again; None for at once."""
    if plan.spawned_at is None:
        return None
    return plan.spawned_at + (BUSY_INTERVAL if is_busy else IDLE_INTERVAL)


def is_busy(plan: Schedule, readings: Iterable[Reading], state_changed_at: datetime | None) -> bool:
    """Say whether anything has happened since the program was last started.

    A number moved, a status line has spoken, or Claude Code has written its state file after our own process had.
    """
    if plan.spawned_at is None or plan.unchanged == 0:
        return True
    if any(reading.source == "statusline" and reading.as_of > plan.spawned_at for reading in readings):
        return True
    return state_changed_at is not None and state_changed_at > plan.spawned_at + timedelta(minutes=1)

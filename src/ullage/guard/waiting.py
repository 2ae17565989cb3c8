"""Wait by the wall clock, which goes on while a machine is suspended.

time.sleep counts only the time that the machine is awake, so a long sleep would end hours late after a suspend: wait in
short sleeps, and ask the clock after each.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from ullage.base.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

QUIET_STEP = timedelta(seconds=5)
LIVE_STEP = timedelta(seconds=1)
_SHORTEST_STEP = timedelta(milliseconds=20)


class WaitState(Record):
    """The outcome of a look: whether the wait is over, its exit code and reason, and when time alone may change it."""

    over: bool
    words: str
    until: datetime | None = None
    exit_code: int = 0


def choose_pause(look: WaitState, deadline: datetime | None, now: datetime, longest: timedelta) -> timedelta:
    """Return how long to sleep before the next look."""
    ends = [moment - now for moment in (look.until, deadline) if moment is not None and moment > now]
    return max(_SHORTEST_STEP, min([longest, *ends]))


def wait_until(
    look: Callable[[datetime], WaitState],
    *,
    deadline: datetime | None = None,
    longest: timedelta = QUIET_STEP,
    show: Callable[[WaitState, datetime], None] = lambda look, now: None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = time.sleep,
) -> WaitState:
    """Look again and again until the wait is over or the deadline has passed; return the last look."""
    while True:
        now = clock()
        seen = look(now)
        if seen.over or (deadline is not None and now >= deadline):
            return seen
        show(seen, now)
        sleep(choose_pause(seen, deadline, clock(), longest).total_seconds())

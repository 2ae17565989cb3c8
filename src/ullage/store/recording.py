"""Record the cache's reading in the history, and look up the samples that forecasts are made from.

SQLite is imported only when there is something to keep or to look up. A failure of it stops no refresh.
"""

from __future__ import annotations

import os
import sys

from ullage.base.dates import UTC, datetime
from ullage.base.errors import UllageError
from ullage.quota.model import Problem, list_named_limits
from ullage.store.cache import ProfileCache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ullage.quota.model import Reading
    from ullage.quota.schedule import Schedule
    from ullage.store.cache import Snapshot


def remember(cache: ProfileCache, snapshot: Snapshot, now: datetime) -> Schedule:
    """Record the last reading's numbers; a failure, or a damaged file that was set aside, is noted in the schedule.

    Called under the refresh lock, since it writes the schedule.
    """
    schedule, problem = snapshot.schedule, None
    if snapshot.reading is None:
        return schedule
    try:
        _record(cache, snapshot.reading, now)
    except UllageError as error:
        problem = Problem(code="history_not_written", message=str(error))
    if schedule.problem is not None:
        return schedule
    problem = problem or _find_damage(cache)
    if problem is not None:
        schedule = schedule.replace(problem=problem)
        cache.save_schedule(schedule)
    return schedule


def _record(cache: ProfileCache, reading: Reading, now: datetime) -> None:
    from ullage.store import history
    from ullage.store.overview import list_former_owners, locate_history, name_owner

    path, formerly = locate_history(cache.environ), list_former_owners(reading)
    history.record(path, name_owner(cache, reading), list_named_limits(reading), now, formerly)


def _find_damage(cache: ProfileCache) -> Problem | None:
    """Take over the notice of damage that this or another process has left."""
    from ullage.store import history
    from ullage.store.overview import locate_history

    notice = history.take_notice(locate_history(cache.environ))
    return Problem(code="history_damaged", message=notice) if notice else None


def main() -> int:
    """Record the last reading without the refresh lock, for a status line."""
    try:
        cache = ProfileCache(os.environ)
        reading = cache.load_reading()
        if reading is not None:
            _record(cache, reading, datetime.now(UTC))
    except UllageError:
        # Not lost: the next refresh cannot write the history either, and notes that in the schedule.
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

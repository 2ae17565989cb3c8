"""Record the cache's reading in the history, and look up the samples that forecasts are made from.

SQLite is imported only when there is something to keep or to look up. A failure of it stops no refresh.
"""

from __future__ import annotations

import os
import sys

from ullage.base.dates import UTC, datetime
from ullage.base.errors import UllageError
from ullage.base.text import clean
from ullage.quota.model import Problem, list_named_limits
from ullage.store.cache import ProfileCache
from ullage.system.files import read_regular, remove_file, write_atomically

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ullage.quota.model import Reading
    from ullage.quota.schedule import Schedule
    from ullage.store.cache import Snapshot

_LONGEST_NOTICE = 500


def remember(cache: ProfileCache, snapshot: Snapshot, now: datetime) -> Schedule:
    """Record the last reading's numbers; a failure, or a damaged file that was set aside, is noted in the schedule.

    Called under the refresh lock, since it writes the schedule.
    """
    schedule = snapshot.schedule
    try:
        notice, code = _record(cache, snapshot.reading, now) or _find_former_notice(cache, schedule), "history_damaged"
    except UllageError as error:
        notice, code = str(error), "history_not_written"
    if notice is None or schedule.problem is not None:
        return schedule
    schedule = schedule.replace(problem=Problem(code=code, message=notice))
    cache.save_schedule(schedule)
    return schedule


def _record(cache: ProfileCache, reading: Reading | None, now: datetime) -> str | None:
    if reading is None:
        return None
    from ullage.store import history
    from ullage.store.overview import list_former_owners, locate_history, name_owner

    path, formerly = locate_history(cache.environ), list_former_owners(reading)
    return history.record(path, name_owner(cache, reading), list_named_limits(reading), now, formerly)


def _find_former_notice(cache: ProfileCache, schedule: Schedule) -> str | None:
    """Take over the notice that a process without the refresh lock has left."""
    path = _notice_path(cache)
    data = read_regular(path, own=True) if schedule.problem is None else None
    if data is None:
        return None
    remove_file(path)
    return clean(data.decode(errors="replace"), _LONGEST_NOTICE) or None


def _notice_path(cache: ProfileCache) -> str:
    return os.path.join(cache.directory, "history.notice")


def main() -> int:
    """Record the last reading without the refresh lock, for a status line."""
    try:
        cache = ProfileCache(os.environ)
        notice = _record(cache, cache.load_reading(), datetime.now(UTC))
        if notice is not None:
            write_atomically(_notice_path(cache), notice.encode())
    except UllageError:
        # Not lost: the next refresh cannot write the history either, and notes that in the schedule.
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

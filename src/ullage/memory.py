"""Between the cache and the history: a reading is kept for good, and forecasts get what they go by.

SQLite is imported only when there is something to keep or to look up; no failure there stops anybody.
"""

from __future__ import annotations

import os

from ullage import config
from ullage.errors import UllageError
from ullage.model import Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

    from ullage.cache import ProfileCache
    from ullage.model import Limits, Reading
    from ullage.pace import Forecast, Sample
    from ullage.schedule import Schedule


def remember(cache: ProfileCache, plan: Schedule, now: datetime) -> Schedule:
    """Keep the numbers of the last reading; where that fails, or a damaged file was in the way, the plan notes it."""
    from ullage import history

    reading = cache.reading()
    if reading is None:
        return plan
    try:
        notice = history.record(history_path(cache), owner(cache, reading), reading.windows, now)
        code = "history_damaged"
    except UllageError as error:
        notice, code = str(error), "history_not_written"
    if notice is None or plan.problem is not None:
        return plan
    plan = plan.replace(problem=Problem(code=code, message=notice))
    cache.save_schedule(plan)
    return plan


def history_path(cache: ProfileCache) -> str:
    """Return where the history lies; raise UsageError where the environment names no place for it."""
    return os.path.join(config.state_path(cache.environ), "history.sqlite3")


def owner(cache: ProfileCache, reading: Reading) -> str:
    """Return whose history a reading belongs to: its account's, or the profile's where no source tells the account."""
    return reading.account.id or cache.directory


def samples(cache: ProfileCache, reading: Reading | None, now: datetime) -> dict[str, list[Sample]]:
    """Return what forecasts go by, by window id; nothing where the history cannot be read, which `history` explains."""
    from ullage import history, pace

    if reading is None:
        return {}
    try:
        return history.samples(history_path(cache), owner(cache, reading), now - pace.MEMORY)
    except UllageError:
        return {}


def forecasts(cache: ProfileCache, reading: Reading | None, limits: Limits, now: datetime) -> dict[str, Forecast]:
    """Return what to expect of the windows whose statement is fresh, by window id."""
    from ullage import pace

    return pace.forecasts(reading.windows, samples(cache, reading, now), limits, now) if reading else {}

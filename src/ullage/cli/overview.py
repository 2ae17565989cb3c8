"""What `usage`, `chart` and `watch` show: the cache of the profile in effect, with what the history adds."""

from __future__ import annotations

from ullage import pace, refresh

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

    from ullage.cache import ProfileCache
    from ullage.config import Settings
    from ullage.render.table import Overview


def load(cache: ProfileCache, settings: Settings, now: datetime) -> Overview:
    """Return all there is to show at `now`; asks nobody."""
    from ullage.render.table import Overview

    reading, problem = cache.reading(), cache.schedule().problem
    samples = refresh.samples(cache, settings, reading, now) if reading else {}
    forecasts = pace.forecasts(reading.windows, samples, settings.limits, now) if reading else {}
    return Overview(reading=reading, problem=problem, samples=samples, forecasts=forecasts)

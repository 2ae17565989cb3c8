"""What `usage`, `chart` and `watch` show: the cache of the profile in effect, with what the history adds."""

from __future__ import annotations

from ullage import memory, pace
from ullage.render.overview import Overview

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

    from ullage.cache import ProfileCache
    from ullage.model import Limits


def load(cache: ProfileCache, limits: Limits, now: datetime, profile: str | None = None) -> Overview:
    """Return all there is to show at `now`; asks nobody."""
    reading, plan = cache.reading(), cache.schedule()
    samples = memory.samples(cache, reading, now)
    forecasts = pace.forecasts(reading.windows, samples, limits, now) if reading else {}
    return Overview(profile=profile, reading=reading, plan=plan, samples=samples, forecasts=forecasts)

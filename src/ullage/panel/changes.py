"""When what a panel shows changes next, by time alone. Pure."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ullage.quota.model import Thresholds
    from ullage.store.overview import Overview

# A clock that is set, and a machine that slept, are noticed after this at the latest.
LONGEST = timedelta(minutes=1)
_MINUTE_SECONDS = 60


def next_change(known: Overview, thresholds: Thresholds, due: datetime | None, now: datetime) -> datetime:
    """Return when to look again: the next minute of a countdown or an age, a reset, staleness, expiry, a refresh due.

    Always after `now`, and at most a minute later.
    """
    moments = [now + LONGEST, *([due] if due else [])]
    if known.reading is not None:
        moments += _events(known, thresholds)
        moments += [_next_minute(moment, now) for moment in _counted(known)]
    return min(moment for moment in moments if moment > now)


def _events(known: Overview, thresholds: Thresholds) -> Iterator[datetime]:
    for as_of in _stated(known):
        yield as_of + thresholds.stale_after
        yield as_of + thresholds.expire_after
    for forecast in known.forecasts.values():
        if forecast.exhausts_at is not None:
            yield forecast.exhausts_at


def _counted(known: Overview) -> set[datetime]:
    """Return the moments towards which, or from which on, minutes are counted."""
    assert known.reading is not None
    resets = {window.resets_at for window in known.reading.windows if window.resets_at is not None}
    return resets | _stated(known)


def _stated(known: Overview) -> set[datetime]:
    assert known.reading is not None
    credits = known.reading.credits
    told = {credits.as_of} if credits and credits.as_of else set()
    return {known.reading.as_of, *(window.as_of for window in known.reading.windows), *told}


def _next_minute(counted: datetime, now: datetime) -> datetime:
    """Return the next moment that lies a whole number of minutes from the counted one."""
    passed = (now - counted).total_seconds()
    minutes = math.floor(passed / _MINUTE_SECONDS) + 1
    following = counted + timedelta(seconds=minutes * _MINUTE_SECONDS)
    return following.astimezone(UTC)

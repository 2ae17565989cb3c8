"""When time alone changes what is shown of a reading: for frames, for panels, for streams. Pure.

At a turn something shown would become untrue: a window resets, a number grows stale or too old, a forecast has not come
true. Between two turns a countdown or an age shows another minute.
"""

from __future__ import annotations

import math

from ullage.base.dates import UTC, datetime, timedelta

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ullage.quota.model import Reading, Thresholds
    from ullage.quota.pace import Forecast

# A clock that is set, and a machine that slept, are noticed after this at the latest.
LONGEST_WAIT = timedelta(minutes=1)
_MINUTE_SECONDS = 60


def list_turns(reading: Reading, thresholds: Thresholds, written: int) -> set[int]:
    """List the seconds after `written` at which a window resets or a statement becomes stale or expires.

    Nothing is listed after the last statement has expired: nothing is shown from then on.
    """
    stated = _list_stated(reading)
    last = round_up_to_second(max(stated) + thresholds.expire_after)
    seconds = map(round_up_to_second, _list_moments(reading, thresholds))
    return {second for second in seconds if written < second <= last}


def find_next_turn(
    reading: Reading, forecasts: Mapping[str, Forecast], thresholds: Thresholds, now: datetime
) -> datetime | None:
    """Return the next moment at which something shown would become untrue; None when there is no such moment."""
    exhaustions = {forecast.exhausts_at for forecast in forecasts.values() if forecast.exhausts_at is not None}
    return min((at for at in _list_moments(reading, thresholds) | exhaustions if at > now), default=None)


def find_next_change(
    reading: Reading | None,
    forecasts: Mapping[str, Forecast],
    thresholds: Thresholds,
    now: datetime,
    due: datetime | None = None,
) -> datetime:
    """Return when to look again: at the next turn, the next minute of a countdown or an age, or when a refresh is due.

    Always after `now`, and at most a minute later.
    """
    moments = {now + LONGEST_WAIT, *([due] if due is not None and due > now else [])}
    if reading is not None:
        resets = {window.resets_at for window in reading.windows if window.resets_at is not None}
        moments |= {_next_minute(counted, now) for counted in resets | _list_stated(reading)}
        turn = find_next_turn(reading, forecasts, thresholds, now)
        moments |= {turn} if turn else set()
    return min(moments)


def round_up_to_second(moment: datetime) -> int:
    """Return the first whole second at which a moment has come."""
    return math.ceil(moment.timestamp())


def _list_moments(reading: Reading, thresholds: Thresholds) -> set[datetime]:
    resets = {window.resets_at for window in reading.windows if window.resets_at is not None}
    stated = _list_stated(reading)
    stale, expired = ({as_of + age for as_of in stated} for age in (thresholds.stale_after, thresholds.expire_after))
    return resets | stale | expired


def _list_stated(reading: Reading) -> set[datetime]:
    """Return the moments at which anything in the reading was stated."""
    credits = reading.credits
    of_credits = {credits.as_of} if credits is not None and credits.as_of is not None else set()
    return {reading.as_of, *(window.as_of for window in reading.windows), *of_credits}


def _next_minute(counted: datetime, now: datetime) -> datetime:
    """Return the next moment that lies a whole number of minutes from the counted one."""
    passed = (now - counted).total_seconds()
    minutes = math.floor(passed / _MINUTE_SECONDS) + 1
    following = counted + timedelta(seconds=minutes * _MINUTE_SECONDS)
    return following.astimezone(UTC)

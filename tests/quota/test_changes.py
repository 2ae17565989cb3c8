"""When time alone changes what is shown: at turns, at minutes, and never late."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from tests.support.samples import NOW, reading, readings, window
from ullage.quota import changes
from ullage.quota.model import Thresholds
from ullage.quota.pace import Forecast

if TYPE_CHECKING:
    from ullage.quota.model import Reading

WRITTEN = int(NOW.timestamp())
LIMITS = Thresholds()


@given(readings())
def test_turns_are_the_seconds_at_which_something_turns_untrue(known: Reading) -> None:
    found = changes.list_turns(known, LIMITS, WRITTEN)
    ends = [math.ceil((each.as_of + LIMITS.expire_after).timestamp()) for each in known.windows]
    last = max([math.ceil((known.as_of + LIMITS.expire_after).timestamp()), *ends])
    assert all(WRITTEN < second <= last for second in found)
    for each in known.windows:
        reset = each.resets_at and math.ceil(each.resets_at.timestamp())
        assert (reset in found) is bool(reset and WRITTEN < reset <= last) or reset is None


@given(readings(), st.integers(0, 8 * 3600))
def test_the_next_turn_is_the_first_second_that_a_timeline_turns_at(known: Reading, after: int) -> None:
    now = NOW + timedelta(seconds=after)
    turns = changes.list_turns(known, LIMITS, int(now.timestamp()))
    following = changes.find_next_turn(known, {}, LIMITS, now)
    assert following is None or following > now
    if turns:
        assert following is not None
        assert changes.round_up_to_second(following) == min(turns)


def test_a_forecast_that_has_not_come_true_is_a_turn() -> None:
    exhausts_at: datetime = NOW + timedelta(minutes=3)
    forecasts = {"five_hour": Forecast(ratio=1.2, projected_percent=150.0, exhausts_at=exhausts_at)}
    known = reading(window(resets_at=NOW + timedelta(hours=2)))
    assert changes.find_next_turn(known, forecasts, LIMITS, NOW) == exhausts_at


def test_where_nothing_is_known_a_minute_is_waited() -> None:
    assert changes.find_next_change(None, {}, LIMITS, NOW) == NOW + changes.LONGEST_WAIT

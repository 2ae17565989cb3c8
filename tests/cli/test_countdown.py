"""The live line of a wait."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.samples import NOW
from ullage.cli import countdown
from ullage.guard.waiting import WaitState
from ullage.render.cells import measure_width

WORDS = "No room: 週間上限 (全モデル) is at 85%, limit 80%."


@pytest.mark.parametrize("columns", [2, 3, 10, 11, 12, 13, 20, 40, 57, 58, 59, 60, 61, 200])
def test_it_takes_one_line_of_the_terminal_whatever_its_letters(columns: int) -> None:
    spans = countdown.format_line(
        WaitState(over=False, words=WORDS, until=NOW + timedelta(hours=2)), None, NOW, columns
    )
    shown = "".join(span.text for span in spans)
    whole = f"2h00 {WORDS}"
    assert measure_width(shown) < columns
    assert (shown == whole) == (measure_width(whole) < columns)
    assert shown == whole or (shown.endswith("…") and whole.startswith(shown[:-1]))


@pytest.mark.parametrize("columns", [72, 200])
def test_a_bar_shows_how_much_of_the_wait_is_over_where_there_is_room(columns: int) -> None:
    ends, hour = NOW + timedelta(hours=2), timedelta(hours=1)
    seen = WaitState(over=False, words="Session (5h) resets.", until=ends)
    made = countdown.format_line(seen, None, ends - hour, columns, began=ends - 4 * hour)
    shown = "".join(span.text for span in made)
    assert shown == f"{'━' * 12}{'─' * 4} 1h00 Session (5h) resets."
    narrow = countdown.format_line(seen, None, ends - hour, 71, began=ends - 4 * hour)
    assert "━" not in "".join(span.text for span in narrow)


def test_the_time_left_is_said_once() -> None:
    seen = WaitState(over=False, words="Session (5h) resets at 12:38, in 2h00.", until=NOW + timedelta(hours=2))
    [span] = countdown.format_line(seen, None, NOW, 60)
    assert span.text == seen.words

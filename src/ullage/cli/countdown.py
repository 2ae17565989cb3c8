"""Wait with a live countdown on a terminal, silently elsewhere."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from ullage.base.text import clean
from ullage.cli.progress import StatusLine
from ullage.cli.say import choose_palette, has_colours
from ullage.guard import waiting
from ullage.render import cells, words
from ullage.render.gauge import draw_gauge
from ullage.render.surfaces import Span, paint
from ullage.system.streams import measure_terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import timedelta

    from ullage.guard.waiting import WaitState

_LONGEST_LINE = 500
_ROOM_FOR_A_BAR, _BAR_CELLS = 72, 16


def wait(
    look: Callable[[datetime], WaitState], timeout: timedelta | None, palette: Mapping[str, str] | None = None
) -> WaitState:
    """Look until the wait is over or the timeout has passed; on a terminal show the countdown. Return the last look."""
    began = datetime.now(UTC)
    deadline = began + timeout if timeout is not None else None
    line = StatusLine()
    if not line.is_wanted:
        return waiting.wait_until(look, deadline=deadline)
    timeline = "ansi" if has_colours(err=True) else "plain"
    ascii_only = not (sys.stderr.encoding or "").lower().startswith("utf")

    def show(seen: WaitState, now: datetime) -> None:
        columns = measure_terminal()
        spans = format_line(seen, deadline, now, columns, began=began, ascii_only=ascii_only)
        line.show(paint(spans, timeline, choose_palette() if palette is None else palette))

    with line:
        return waiting.wait_until(look, deadline=deadline, longest=waiting.LIVE_STEP, show=show)


def format_line(
    seen: WaitState,
    deadline: datetime | None,
    now: datetime,
    columns: int,
    *,
    began: datetime | None = None,
    ascii_only: bool = False,
) -> list[Span]:
    """Return how much of the wait is over, the countdown and its reason in one line, cut so that it is not wrapped."""
    until = min((moment for moment in (seen.until, deadline) if moment is not None), default=None)
    spans: list[Span] = []
    if until is not None:
        if began is not None and until > began and columns >= _ROOM_FOR_A_BAR:
            passed = min(max((now - began) / (until - began), 0.0), 1.0)
            spans += [*draw_gauge(passed, None, _BAR_CELLS, "normal", ascii_only=ascii_only), Span(text=" ")]
        left = format_clock(until - now)
        # The reason may say it already; below ten minutes the seconds are news.
        spans += [] if left in seen.words else [Span(text=f"{left} ", style="bold")]
    spans.append(Span(text=clean(seen.words, _LONGEST_LINE)))
    # Some terminals wrap a line that fills the last column.
    return cells.fit(spans, max(1, columns - 1), ascii_only=ascii_only)


def format_clock(remaining: timedelta) -> str:
    """Return the remaining time, to the second below ten minutes."""
    seconds = max(0, int(remaining.total_seconds()))
    return f"{seconds // 60}:{seconds % 60:02}" if seconds < 600 else words.format_countdown(remaining)

"""Wait with a live countdown on a terminal, silently elsewhere."""

from __future__ import annotations

import os
import shutil
import sys
from datetime import UTC, datetime

from ullage.base.text import clean
from ullage.guard import waiting
from ullage.render import cells, words
from ullage.render.surfaces import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from ullage.guard.waiting import WaitState

_CLEAR = "\r\033[K"
_LONGEST_LINE = 500


def wait(look: Callable[[datetime], WaitState], timeout: timedelta | None) -> WaitState:
    """Look until the wait is over or the timeout has passed; on a terminal show the countdown. Return the last look."""
    deadline = datetime.now(UTC) + timeout if timeout is not None else None
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        return waiting.wait_until(look, deadline=deadline)
    shown = ""

    def show(seen: WaitState, now: datetime) -> None:
        nonlocal shown
        text = format_line(seen, deadline, now, shutil.get_terminal_size().columns)
        if text != shown:
            shown = text
            _print(_CLEAR + text)

    try:
        return waiting.wait_until(look, deadline=deadline, longest=waiting.LIVE_STEP, show=show)
    finally:
        if shown:
            _print(_CLEAR)


def format_line(seen: WaitState, deadline: datetime | None, now: datetime, columns: int) -> str:
    """Return the countdown and its reason in one line, cut so that the terminal does not wrap it."""
    until = min((moment for moment in (seen.until, deadline) if moment is not None), default=None)
    left = f"{format_clock(until - now)} " if until is not None else ""
    text = clean(f"{left}{seen.words}", _LONGEST_LINE)
    # Some terminals wrap a line that fills the last column.
    return "".join(span.text for span in cells.fit([Span(text=text)], max(1, columns - 1)))


def format_clock(remaining: timedelta) -> str:
    """Return the remaining time, to the second below ten minutes."""
    seconds = max(0, int(remaining.total_seconds()))
    return f"{seconds // 60}:{seconds % 60:02}" if seconds < 600 else words.format_countdown(remaining)


def _print(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()

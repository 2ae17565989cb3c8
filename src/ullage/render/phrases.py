"""What is said of a window beside its number, in words that tables, tooltips and menus share. Pure."""

from __future__ import annotations

from ullage import pace
from ullage.model import length, state_at
from ullage.render import chart, words
from ullage.text import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ullage.config import Settings
    from ullage.model import Credits, Reading, Window
    from ullage.pace import Sample

_FEWEST_SAMPLES = 4
_COURSE_CELLS = 10


def reset(window: Window, used: float, now: datetime) -> str:
    """Return when a window whose reset lies ahead resets."""
    if window.resets_at is None:
        return "reset not told" if used > 0 else "not started"
    return f"resets in {words.countdown(window.resets_at - now)}, {words.clock(window.resets_at, now)}"


def course(window: Window, samples: Sequence[Sample], *, ascii_only: bool) -> str:
    """Return how fast a window was used since its start, as a sparkline; nothing where too little is known."""
    whole = length(window)
    if whole is None or window.resets_at is None or window.used_percent is None:
        return ""
    own = pace.of_window(window, samples)
    begins = window.resets_at - whole
    # Of a course that is known from a few readings alone there is nothing to draw.
    if len(own) < _FEWEST_SAMPLES or window.as_of <= begins:
        return ""
    return chart.sparkline(own, begins, window.as_of, _COURSE_CELLS, ascii_only=ascii_only)


def amount(credits: Credits) -> str:
    """Return what was paid for beyond the plan, of how much."""
    used = words.money(credits.used) if credits.used else "?"
    return f"{used} of {words.money(credits.limit)}" if credits.limit else f"{used}, no limit told"


def origin(reading: Reading, settings: Settings, now: datetime) -> str:
    """Return whose numbers these are, what they count, how old they are and who said so."""
    plan = f"{clean(reading.account.plan)} plan, " if reading.account.plan else ""
    state = state_at(reading.as_of, now, settings.limits)
    state_word = {"stale": " (stale)", "expired": " (too old to show)"}.get(state, "")
    counted = "left" if settings.show_left else "used"
    return f"{plan}percent {counted}, {ago(reading.as_of, now)}{state_word}, from {reading.source}"


def ago(as_of: datetime, now: datetime) -> str:
    """Return when a number was read."""
    elapsed = words.age(now - as_of)
    return "read just now" if elapsed == "0m" else f"read {elapsed} ago"

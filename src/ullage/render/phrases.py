"""Where numbers come from and how old they are, in the words of tables, tooltips and menus. Pure."""

from __future__ import annotations

from ullage.base.text import clean
from ullage.quota.model import state_at
from ullage.render import words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

    from ullage.config import Settings
    from ullage.quota.model import Reading


def origin(reading: Reading, settings: Settings, now: datetime) -> str:
    """Return whose numbers these are, what they count, how old they are and who said so."""
    plan = f"{clean(reading.account.plan)} plan, " if reading.account.plan else ""
    state = state_at(reading.as_of, now, settings.limits)
    state_word = {"stale": " (stale)", "expired": " (too old to show)"}.get(state, "")
    counted = "left" if settings.show_left else "used"
    return f"{plan}percent {counted}, {ago(reading.as_of, now)}{state_word}, from {reading.source}"


def ago(as_of: datetime, now: datetime) -> str:
    """Return when a number was read."""
    return f"read {words.ago(now - as_of)}"

"""A clock that a test sets, in place of the one that refresh goes by."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ullage import refresh

if TYPE_CHECKING:
    from datetime import datetime

    import pytest


class Clock:
    """The time that refresh believes in."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def pass_by(self, **elapsed: float) -> None:
        self.now += timedelta(**elapsed)


def set_clock(monkeypatch: pytest.MonkeyPatch, now: datetime) -> Clock:
    """Have refresh go by a clock that begins at a time and stands still until it is moved."""
    clock = Clock(now)
    monkeypatch.setattr(refresh, "_now", lambda: clock.now)
    return clock

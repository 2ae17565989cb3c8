"""What is known about a plan's quota: pure values, no clock, no I/O.

Percentages run from 0 to 100 and may exceed 100. Times are aware datetimes in UTC.
"""

from __future__ import annotations

from ullage.base.dates import datetime, timedelta
from ullage.base.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    Severity = Literal["normal", "warning", "critical", "exhausted"]
    State = Literal["fresh", "stale", "expired", "none"]
    Kind = Literal["session", "weekly", "model", "other"]

SEVERITIES: tuple[Severity, ...] = ("normal", "warning", "critical", "exhausted")

# A reading may claim to be this much younger than now before its age counts as unknowable.
CLOCK_SLACK = timedelta(minutes=1)

# Sources, and one source from one answer to the next, tell the same reset with so much difference; the resets of two
# windows lie hours apart.
RESET_SLACK = timedelta(minutes=10)

SESSION, WEEK = timedelta(hours=5), timedelta(days=7)
_LENGTHS: dict[Kind, timedelta] = {"session": SESSION, "weekly": WEEK, "model": WEEK}


class Account(Record):
    """Whose quota it is; `id` is the account's UUID where a source tells it."""

    id: str | None = None
    plan: str | None = None
    tier: str | None = None


class Window(Record):
    """One quota window as a source stated it at `as_of`.

    `kind` says what fills it: the five-hour session, the week over all models, the week of one model, or something
    that this version does not know. `severity` is the server's own word, None where it gave none. `headline` marks the
    window that the server would show if it could show one.
    """

    id: str
    label: str
    kind: Kind
    used_percent: float | None
    resets_at: datetime | None
    severity: Severity | None = None
    headline: bool = False
    source: str
    as_of: datetime


class Money(Record):
    """An amount in minor units: 1234 with exponent 2 is 12.34."""

    amount_minor: int
    currency: str
    exponent: int


class Credits(Record):
    """Pay-as-you-go usage beyond the plan; `as_of` where it was stated at another time than the reading."""

    enabled: bool
    used: Money | None = None
    limit: Money | None = None
    used_percent: float | None = None
    as_of: datetime | None = None


class Problem(Record):
    """What went wrong, in a stable word and in a sentence that says what to do."""

    code: str
    message: str
    retry_at: datetime | None = None


class Reading(Record):
    """Everything that one source said at `as_of`; `problem` notes what it said that cannot be true."""

    account: Account
    source: str
    as_of: datetime
    windows: tuple[Window, ...]
    credits: Credits | None = None
    problem: Problem | None = None


class Thresholds(Record):
    """Where a person draws the lines: severity by percent, age by time."""

    warning_percent: float = 75.0
    critical_percent: float = 90.0
    stale_after: timedelta = timedelta(minutes=15)
    expire_after: timedelta = timedelta(hours=6)


def at_least(severity: Severity, other: Severity | None) -> Severity:
    """Return the graver of the two."""
    return severity if other is None else max(severity, other, key=SEVERITIES.index)


def has_reset(window: Window, now: datetime) -> bool:
    """Say whether the window's reset has passed, so that its percentage is no longer known."""
    return window.resets_at is not None and now >= window.resets_at


def length(window: Window) -> timedelta | None:
    """Return how long a window runs from its start to its reset, None for one of unknown meaning.

    The provider does not publish it; this is what its windows have been seen to do.
    """
    return _LENGTHS.get(window.kind)


def same_reset(one: datetime | None, other: datetime | None) -> bool:
    """Say whether two statements tell the same reset; one that is not told is like another that is not."""
    if one is None or other is None:
        return one is other
    return abs(one - other) <= RESET_SLACK


def used_percent_at(window: Window, now: datetime, thresholds: Thresholds) -> float | None:
    """Return the percentage that may still be shown at `now`: None after a reset or when the statement is too old."""
    if has_reset(window, now) or state_at(window.as_of, now, thresholds) == "expired":
        return None
    return window.used_percent


def severity_at(window: Window, now: datetime, thresholds: Thresholds) -> Severity:
    """Return the graver of the server's word and the person's thresholds; `normal` when the percentage is unknown."""
    used = used_percent_at(window, now, thresholds)
    return "normal" if used is None else severity_of(used, window.severity, thresholds)


def severity_of(used: float, stated: Severity | None, thresholds: Thresholds) -> Severity:
    """Return the graver of the server's word, where it gave one, and what the thresholds say of a percentage."""
    if used >= 100:
        return "exhausted"
    if used >= thresholds.critical_percent:
        return "critical"
    return at_least("warning" if used >= thresholds.warning_percent else "normal", stated)


def state_at(as_of: datetime, now: datetime, thresholds: Thresholds) -> State:
    """Return how far a statement made at `as_of` can be trusted at `now`; one from the future counts as stale."""
    if as_of > now + CLOCK_SLACK:
        return "stale"
    if now >= as_of + thresholds.expire_after:
        return "expired"
    return "stale" if now >= as_of + thresholds.stale_after else "fresh"


def binding_window(windows: tuple[Window, ...], now: datetime, thresholds: Thresholds) -> Window | None:
    """Return the window nearest to its limit: the highest percentage, and of equals the server's headline.

    Windows of unknown meaning never bind. Where no percentage is known, the first window stands for all.
    """
    candidates = [window for window in windows if window.kind != "other"]

    def rank(window: Window) -> tuple[float, bool]:
        used = used_percent_at(window, now, thresholds)
        return (-1.0 if used is None else used, window.headline)

    return max(candidates, key=rank, default=None)


def window_ids(name: str) -> tuple[str, str]:
    """Return the ids that a name may stand for: an id, `5h`, `7d`, or a model's name."""
    wanted = {"5h": "five_hour", "7d": "seven_day"}.get(name, name)
    return wanted, f"seven_day_{wanted}"


def find_window(windows: tuple[Window, ...], name: str) -> Window | None:
    """Return the window with this id, or the one that `5h`, `7d` or a model's name stands for."""
    for candidate in window_ids(name):
        for window in windows:
            if window.id == candidate:
                return window
    return None

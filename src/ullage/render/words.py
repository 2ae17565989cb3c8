"""Numbers and times in the words that every surface uses. Pure; what is rounded is never rounded towards a lie."""

from __future__ import annotations

import math

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime, timedelta, tzinfo

    from ullage.quota.model import Money, Severity

_MARKS: dict[Severity, str] = {"normal": "", "warning": "!", "critical": "!!", "exhausted": "×"}
_ASCII_MARKS: dict[Severity, str] = {**_MARKS, "exhausted": "X"}
_BAR_CELLS = 8


def percent(used: float, *, left: bool = False) -> str:
    """Return whole percents: what is used rounded down, so that 99.9 is not yet 100, and what is left rounded up."""
    whole = math.floor(used + 1e-9)
    return f"{max(0, 100 - whole) if left else whole}%"


def mark(severity: Severity, *, ascii_only: bool) -> str:
    """Return the form that goes with a severity's colour, for those who do not see the colour."""
    return (_ASCII_MARKS if ascii_only else _MARKS)[severity]


def bar(used: float, *, left: bool = False, ascii_only: bool = False, cells: int = _BAR_CELLS) -> str:
    """Return a bar of fixed width; it is full only from 100 % on and empty only at 0 %."""
    share = min(max((100 - used if left else used) / 100, 0.0), 1.0)
    filled = round(share * cells)
    if 0 < share < 1:
        filled = min(max(filled, 1), cells - 1)
    full, empty = ("#", "-") if ascii_only else ("▰", "▱")
    return full * filled + empty * (cells - filled)


def countdown(remaining: timedelta) -> str:
    """Return the time until something in at most two units, rounded up to the smaller: 3d04h, 2h13, 48m."""
    minutes = max(0, math.ceil(remaining.total_seconds() / 60))
    if minutes < 60:
        return f"{minutes}m"
    if minutes < 24 * 60:
        return f"{minutes // 60}h{minutes % 60:02}"
    hours = math.ceil(minutes / 60)
    return f"{hours // 24}d{hours % 24:02}h"


def age(elapsed: timedelta) -> str:
    """Return how long ago something was, in one unit, rounded down."""
    minutes = max(0, math.floor(elapsed.total_seconds() / 60))
    if minutes < 60:
        return f"{minutes}m"
    return f"{minutes // 60}h" if minutes < 48 * 60 else f"{minutes // (24 * 60)}d"


def ago(elapsed: timedelta) -> str:
    """Return how long ago something was, as one says it."""
    told = age(elapsed)
    return "just now" if told == "0m" else f"{told} ago"


def clock(moment: datetime, now: datetime, timezone: tzinfo | None = None) -> str:
    """Return the local time of day, with the weekday when it is a day away or more."""
    local = moment.astimezone(timezone)
    return local.strftime("%H:%M" if abs((moment - now).total_seconds()) < 86400 else "%a %H:%M")


def pace(ratio: float, *, ascii_only: bool = False) -> str:
    """Return the used share against the elapsed share: 1.3×; under 1 the window would last."""
    return f"{ratio:.1f}{'x' if ascii_only else '×'}"


def money(amount: Money) -> str:
    """Return an amount with its currency: $12.34, 12.34 EUR."""
    sign = "-" if amount.amount_minor < 0 else ""
    digits = str(abs(amount.amount_minor)).rjust(amount.exponent + 1, "0")
    number = f"{digits[: -amount.exponent]}.{digits[-amount.exponent :]}" if amount.exponent else digits
    if amount.currency == "USD":
        return f"{sign}${number}"
    return f"{sign}{number}" if amount.currency == "XXX" else f"{sign}{number} {amount.currency}"

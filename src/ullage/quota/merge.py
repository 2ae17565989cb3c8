"""What several sources said, folded into one reading, window by window. Pure; the order of arrival does not matter.

Statements are ordered by when the server made them, as far as a source can tell. Within a window's period the number
only grows, so the higher of two contemporaries is the later one: a session that has been idle for an hour repeats what
it heard then. Three things bring a number down: a new period; a statement that is much newer; and, against a number
that a second kind of source contradicts, that contradiction.
"""

from __future__ import annotations

from ullage.base.dates import timedelta
from ullage.quota.model import length, same_reset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from typing import Any

    from ullage.quota.model import Account, Credits, Reading, Window

# A window that no listing names, so that its absence from one says nothing.
_UNLISTED = ("spend_limit",)

MUCH_NEWER = timedelta(minutes=30)
WITHIN_MINUTES = timedelta(minutes=10)
# Sources round differently: statements that differ by less agree.
_ROUNDING = 1.0
# Just after a reset the endpoint may tell the old percentage with the new reset time; by less than this it just lags.
_CLEAR_FALL = 10.0
_KINDS = ("session", "weekly", "model", "other")


def merge(readings: Iterable[Reading]) -> Reading | None:
    """Return the reading that all statements come to; None when there is none."""
    stated = sorted(_of_one_account(set(readings)), key=_newest_last)
    if len(stated) < 2:
        return stated[0] if stated else None
    # What one source said alone, as a first session's status line has it, needs no table of sources.
    from ullage.quota import meters

    listings = [reading for reading in stated if reading.source not in meters.PARTIAL]
    windows = _windows(stated, listings[-1] if listings else None)
    credits = _credits(listings)
    moments = [window.as_of for window in windows]
    as_of = max([*moments, *([credits.as_of] if credits and credits.as_of else [])], default=stated[-1].as_of)
    speaker = next((reading for reading in reversed(stated) if reading.as_of == as_of), stated[-1])
    return stated[-1].replace(
        account=_account(stated),
        source=speaker.source,
        as_of=as_of,
        windows=windows,
        credits=credits.replace(as_of=None) if credits and credits.as_of == as_of else credits,
        problem=stated[-1].problem or (listings[-1].problem if listings else None),
    )


def _newest_last(reading: Reading) -> tuple[Any, ...]:
    return reading.as_of, reading.source, repr(reading)


def _of_one_account(readings: set[Reading]) -> list[Reading]:
    """Keep what was said about the account that was named last; what names no account goes with any."""
    named = [reading for reading in readings if reading.account.id is not None]
    if not named:
        return list(readings)
    current = max(named, key=_newest_last).account.id
    return [reading for reading in readings if reading.account.id in (None, current)]


def _account(stated: Sequence[Reading]) -> Account:
    """Complete the newest account's fields by what older statements tell of it."""
    newest = stated[-1].account
    known: dict[str, str | None] = {}
    for reading in stated:
        known |= {name: value for name, value in vars(reading.account).items() if value is not None}
    return newest.replace(**known)


def _credits(listings: Sequence[Reading]) -> Credits | None:
    for reading in reversed(listings):
        if reading.credits is not None:
            return reading.credits.replace(as_of=reading.credits.as_of or reading.as_of)
    return None


def _windows(stated: Sequence[Reading], listing: Reading | None) -> tuple[Window, ...]:
    candidates: dict[str, list[Window]] = {}
    for reading in (*([listing] if listing else []), *stated):
        for window in reading.windows:
            if listing is None or reading is listing or _may_add(window, listing):
                candidates.setdefault(window.id, []).append(window)
    listed = {window.id: window for window in listing.windows} if listing else {}
    merged = [_completed(pick(windows), listed.get(name)) for name, windows in candidates.items()]
    return tuple(sorted(merged, key=lambda window: (_KINDS.index(window.kind), window.id not in listed)))


def _may_add(window: Window, listing: Reading) -> bool:
    """Say whether a window belongs beside a listing: it is in it, is newer than it, or is never in one."""
    named = any(window.id == listed.id for listed in listing.windows)
    return named or window.as_of > listing.as_of or window.id in _UNLISTED


def _completed(window: Window, listed: Window | None) -> Window:
    """Add what only a listing tells: the label, the headline, and, for the same period, the server's word."""
    if listed is None or listed == window:
        return window
    severity = window.severity or (listed.severity if _same_period(window, listed) else None)
    return window.replace(label=listed.label, kind=listed.kind, headline=listed.headline, severity=severity)


def pick(windows: Sequence[Window]) -> Window:
    """Return the statement about one window that holds."""
    known = [window for window in windows if window.used_percent is not None] or list(windows)
    newest = max(known, key=_order)
    if newest.used_percent is None:
        return newest
    rivals = [
        window for window in known if _same_period(window, newest) and said_at(window) > said_at(newest) - MUCH_NEWER
    ]
    while _is_refuted(highest := max(rivals, key=lambda window: (_used(window), _order(window))), rivals):
        rivals = [window for window in rivals if window != highest]
    return max((window for window in rivals if _used(window) > _used(highest) - _ROUNDING), key=_order)


def said_at(window: Window) -> datetime:
    """Return when the server can have said so at the latest: it names no reset that has passed."""
    return window.as_of if window.resets_at is None else min(window.as_of, window.resets_at)


def _order(window: Window) -> tuple[Any, ...]:
    """Order statements by time; between those of one moment anything will do that does not depend on arrival."""
    return said_at(window), _used(window), window.resets_at is not None, window.source, repr(window)


def _used(window: Window) -> float:
    return -1.0 if window.used_percent is None else window.used_percent


def _same_period(one: Window, other: Window) -> bool:
    if (one.resets_at is None) == (other.resets_at is None):
        return same_reset(one.resets_at, other.resets_at)
    # A statement without a reset belongs to the period that was running when it was made.
    silent, told = (one, other) if one.resets_at is None else (other, one)
    return told.resets_at is not None and silent.as_of < told.resets_at


def _is_refuted(high: Window, rivals: Sequence[Window]) -> bool:
    """Say whether later, lower statements of other sources outweigh this one."""
    falls = [
        rival
        for rival in rivals
        if rival.source != high.source and said_at(rival) > said_at(high) and _used(rival) <= _used(high) - _ROUNDING
    ]
    just_reset = _is_just_after_reset(high) and any(
        said_at(fall) - said_at(high) <= WITHIN_MINUTES and _used(fall) <= _used(high) - _CLEAR_FALL for fall in falls
    )
    return just_reset or any(
        _witness(one) != _witness(other) and abs(said_at(one) - said_at(other)) <= WITHIN_MINUTES
        for one in falls
        for other in falls
    )


def _is_just_after_reset(window: Window) -> bool:
    whole = length(window)
    if whole is None or window.resets_at is None:
        return False
    return said_at(window) - (window.resets_at - whole) <= WITHIN_MINUTES


def _witness(window: Window) -> str:
    """Name where a source hears it: response headers, or the usage endpoint, which several sources repeat."""
    return "headers" if window.source == "statusline" else "endpoint"

"""What several sources said, folded into one reading, window by window. Pure; the order of arrival does not matter.

A source that asked the server knows when it was answered, and so its newest word holds, upwards and downwards: the
server may grant a reset in the middle of a window. A session repeats what it heard at its last answer, so that its
number may be older than it looks; and as a window's use only grows within its period, the higher of two such numbers is
the later one. A session counts where it spoke after the last source that asked, and never brings that source's number
down but by a new period or a statement that is much newer.
"""

from __future__ import annotations

from ullage.base.dates import timedelta
from ullage.quota.model import KINDS, RESET_SLACK, SESSION, SESSION_SOURCES, find_length, is_remote, is_same_reset

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


def merge(readings: Iterable[Reading]) -> Reading | None:
    """Return the reading that all statements come to; None when there is none."""
    stated = keep_one_quota(sorted(_of_one_account(set(readings)), key=_newest_last))
    if len(stated) < 2:
        return stated[0] if stated else None
    listings = [reading for reading in stated if _is_listing(reading)]
    windows = _windows(stated, listings[-1] if listings else None)
    credits = _credits(listings)
    moments = [window.as_of for window in windows]
    as_of = max([*moments, *([credits.as_of] if credits and credits.as_of else [])], default=stated[-1].as_of)
    speaker = next((reading for reading in reversed(stated) if reading.as_of == as_of), stated[-1])
    told = listings[-1] if listings else None
    return stated[-1].replace(
        account=_account(stated),
        source=speaker.source,
        as_of=as_of,
        windows=windows,
        credits=credits.replace(as_of=None) if credits and credits.as_of == as_of else credits,
        problem=stated[-1].problem or (told.problem if told else None),
        pools=tuple(pool.replace(as_of=pool.as_of or told.as_of) for pool in told.pools) if told else (),
        breakdown=told.breakdown if told else (),
        is_listing=told is not None,
        is_dated=speaker.is_dated,
        is_heard=speaker.is_heard,
    )


def keep_one_quota(stated: Sequence[Reading]) -> list[Reading]:
    """Keep the statements about one quota: that of a source which asked by sign-in, else that of the newest statement.

    A session may run under a token of another account, which its status line does not see. Statements that differ in
    the resets of both main windows while those are running are of two quotas.
    """
    if len(stated) < 2:
        return list(stated)
    anchor = max(_list_own(stated), key=lambda reading: (_has_asked(reading), *_newest_last(reading)))
    return [reading for reading in stated if not are_two_quotas(anchor, reading)]


def _list_own(stated: Sequence[Reading]) -> Sequence[Reading]:
    """Return the statements that say which quota is this profile's.

    Where none of its own names an account, as under a token, nothing says that another machine's is the same.
    """
    if all(reading.account.id is not None for reading in stated):
        return stated
    own = [reading for reading in stated if not is_remote(reading.source)]
    return own if own and all(reading.account.id is None for reading in own) else stated


def are_two_quotas(one: Reading, other: Reading) -> bool:
    """Say whether two statements differ in the resets of both main windows while these are running."""
    pairs = list(zip(_running_resets(one, other), _running_resets(other, one), strict=True))
    return all(a is not None and b is not None and not is_same_reset(a, b) for a, b in pairs)


def goes_on(before: Reading, now: Reading) -> bool:
    """Say whether a session still speaks of the same quota: one of its running windows has the reset it had before.

    Where none of its former windows is running any more, it may: nothing contradicts it.
    """
    pairs = list(zip(_running_resets(before, now), _running_resets(now, before), strict=True))
    known = [(a, b) for a, b in pairs if a is not None and b is not None]
    return not known or any(is_same_reset(a, b) for a, b in known)


def _running_resets(reading: Reading, other: Reading) -> list[datetime | None]:
    moment = max(reading.as_of, other.as_of)
    known = {window.id: window.resets_at for window in reading.windows}
    resets = (known.get(name) for name in ("five_hour", "seven_day"))
    return [reset if reset is not None and reset > moment else None for reset in resets]


def _is_listing(reading: Reading) -> bool:
    # What one source said alone, as a first session's status line has it, needs no table of sources.
    from ullage.quota import meters

    return reading.is_listing and reading.source not in meters.PARTIAL


def _has_asked(stated: Reading | Window) -> bool:
    """Say whether this came from asking the server at a known time; a session learns numbers beside its answers."""
    return stated.source not in SESSION_SOURCES and not stated.is_heard and stated.is_dated


def _newest_last(reading: Reading) -> tuple[Any, ...]:
    return reading.as_of, reading.source, repr(reading)


def _of_one_account(readings: set[Reading]) -> list[Reading]:
    """Keep what was said about the account that was named last; what names no account goes with any."""
    named = sorted((reading for reading in readings if reading.account.id is not None), key=_newest_last)
    if not named:
        return list(readings)
    current = named[-1].account
    if current.organization_id is None:
        current = next((each.account for each in reversed(named) if _names_more(each.account, current)), current)
    return [reading for reading in readings if reading.account.may_be(current)]


def _names_more(account: Account, than: Account) -> bool:
    return account.id == than.id and account.organization_id is not None


def _account(stated: Sequence[Reading]) -> Account:
    """Fill the fields that the newest account lacks from older statements about it."""
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
    return tuple(sorted(merged, key=lambda window: (KINDS.index(window.kind), window.id not in listed)))


def _may_add(window: Window, listing: Reading) -> bool:
    """Say whether a window belongs beside a listing: it is in it, is newer than it, or is never in one."""
    named = any(window.id == listed.id for listed in listing.windows)
    return named or window.as_of > listing.as_of or window.id in _UNLISTED


def _completed(window: Window, listed: Window | None) -> Window:
    """Add what only a listing has: the label, the headline, and, within the same period, the server's severity."""
    if listed is None or listed == window:
        return window
    severity = window.severity or (listed.severity if _same_period(window, listed) else None)
    return window.replace(label=listed.label, kind=listed.kind, headline=listed.headline, severity=severity)


def pick(windows: Sequence[Window]) -> Window:
    """Pick the statement that holds for one window."""
    known = [window for window in windows if window.used_percent is not None] or list(windows)
    asked = max((window for window in known if _has_asked(window)), key=_order, default=None)
    heard = [window for window in known if asked is None or (not _has_asked(window) and _is_after(window, asked))]
    newest = max(heard, key=_order, default=asked)
    assert newest is not None
    if newest.used_percent is None or not heard:
        return newest
    rivals = [window for window in heard if _is_rival(window, newest)]
    if asked is not None and _is_rival(asked, newest) and not _is_echo(asked, rivals):
        rivals.append(asked)
    highest = max(_used(window) for window in rivals)
    return max((window for window in rivals if _used(window) > highest - _ROUNDING), key=_order)


def _is_after(heard: Window, asked: Window) -> bool:
    """Say whether a session may have learnt this after the server was asked: a period that ended does not return."""
    if date_statement(heard) <= date_statement(asked):
        return False
    if heard.resets_at is None:
        return True
    if asked.resets_at is not None:
        return heard.resets_at > asked.resets_at - RESET_SLACK
    # What had not started then started later, and five hours last five hours.
    return find_length(heard) != SESSION or heard.resets_at > asked.as_of + SESSION - 2 * RESET_SLACK


def is_disputed(merged: Reading, stated: Iterable[Reading]) -> bool:
    """Say whether a session has since learnt a clearly lower number than is shown, so that asking again is worth it."""
    shown = {window.id: window for window in merged.windows}
    return any(
        window.id in shown
        and date_statement(window) > date_statement(shown[window.id])
        and _same_period(window, shown[window.id])
        and _used(window) <= _used(shown[window.id]) - _CLEAR_FALL
        for reading in stated
        for window in reading.windows
        if window.used_percent is not None
    )


def _is_rival(window: Window, newest: Window) -> bool:
    return _same_period(window, newest) and date_statement(window) > date_statement(newest) - MUCH_NEWER


def date_statement(window: Window) -> datetime:
    """Return the latest time at which the server can have said this: it never names a reset that has passed."""
    return window.as_of if window.resets_at is None else min(window.as_of, window.resets_at)


def _order(window: Window) -> tuple[Any, ...]:
    """Order statements by time; between those of one moment anything will do that does not depend on arrival."""
    return date_statement(window), _used(window), window.resets_at is not None, window.source, repr(window)


def _used(window: Window) -> float:
    return -1.0 if window.used_percent is None else window.used_percent


def _same_period(one: Window, other: Window) -> bool:
    if (one.resets_at is None) == (other.resets_at is None):
        return is_same_reset(one.resets_at, other.resets_at)
    # A statement without a reset belongs to the period that was running when it was made.
    silent, told = (one, other) if one.resets_at is None else (other, one)
    return told.resets_at is not None and silent.as_of < told.resets_at


def _is_echo(asked: Window, heard: Sequence[Window]) -> bool:
    """Say whether the endpoint, just after a reset, repeated the former period's number: a session reports less."""
    return _is_just_after_reset(asked) and any(_used(each) <= _used(asked) - _CLEAR_FALL for each in heard)


def _is_just_after_reset(window: Window) -> bool:
    whole = find_length(window)
    if whole is None or window.resets_at is None:
        return False
    return date_statement(window) - (window.resets_at - whole) <= WITHIN_MINUTES

"""Parse limits, percentages and durations as people write them: `five_hour=80`, `5h=80%`, `90`, `1h30m`. Pure.

Text that could mean two things is refused, with a message that says how to write either.
"""

from __future__ import annotations

from ullage.base.dates import timedelta
from ullage.base.errors import UsageError
from ullage.base.record import Record
from ullage.base.text import clean, quote
from ullage.quota.model import ALIASES, BUDGET_IDS, find_window, find_windows_named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ullage.quota.model import Window

HIGHEST_PERCENT = 1000

# A source may leave these windows out while they are unused; any other name that a reading lacks is a mistake.
_ALWAYS = {
    **ALIASES,
    **{name: name for name in (*ALIASES.values(), *BUDGET_IDS)},
}

_MOST_DIGITS = 9
_DURATION = r"(?:([0-9]{1,6})d)?(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,9})s)?"


class Limit(Record):
    """A percentage for the window that the user calls `window`; for all windows when that is None."""

    window: str | None
    percent: float


class UnknownWindowError(UsageError):
    """A limit names a window that does not exist."""


def parse_limit(text: str) -> Limit:
    """Read `WINDOW=PERCENT`, or a percentage for all windows; raise UsageError."""
    name, equals, value = text.rpartition("=")
    name = clean(name).lower()
    if equals and not name:
        raise UsageError(f"{quote(text)} names no window before the =. Write five_hour=80, or 80 for all windows.")
    return Limit(window=name or None, percent=parse_percent(value))


def parse_percent(text: str) -> float:
    """Read a percentage from 0 to 1000, with or without a percent sign; raise UsageError.

    0.8 without a sign is refused, since it could mean 80 % or 0.8 %.
    """
    number = text.strip().removesuffix("%").rstrip()
    if not _is_number(number):
        raise UsageError(f"{quote(text)} is not a percentage. Write a number from 0 to {HIGHEST_PERCENT}: 80.")
    percent = float(number)
    if percent > HIGHEST_PERCENT:
        raise UsageError(
            f"{quote(text)} is more than {HIGHEST_PERCENT} %. Write a number from 0 to {HIGHEST_PERCENT}; 100 is the "
            "whole window."
        )
    if 0 < percent <= 1 and "." in number and "%" not in text:
        raise UsageError(
            f"{quote(text)} can mean two things. Write {percent * 100:g} for {percent * 100:g} %, "
            f"or {percent:g}% for {percent:g} %."
        )
    return percent


def _is_number(text: str) -> bool:
    # Without a regular expression: a hook parses its limits at every event, and importing re takes 6 ms.
    whole, _, fraction = text.partition(".")
    longest = max(len(whole), len(fraction))
    return longest <= _MOST_DIGITS and text.isascii() and (whole + fraction).isdigit()


def parse_duration(text: str) -> timedelta:
    """Read a duration: 90 (seconds), 45s, 10m, 1h30m, 2d; raise UsageError for anything else."""
    import re

    text = text.strip()
    found = None if not text else re.fullmatch(_DURATION, text + "s" if text.isascii() and text.isdigit() else text)
    if found is None:
        raise UsageError(f"{quote(text)} is not a length of time. Write 90s, 10m, 1h30m or 2d.")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def assign_limits(
    limits: Iterable[Limit], windows: tuple[Window, ...], every: Iterable[Window] | None = None
) -> dict[str, float]:
    """Return the limit in percent of each window id; a window's own limit precedes a limit for all, the lowest wins.

    A name is looked up among `windows`; a model's name stands for each of its versions. A limit for all covers the
    listed windows of `every`, by default of `windows`. A well-known window that is absent is returned all the same, for
    the caller to say that nothing is known of it; any other name raises UnknownWindowError.
    """
    covered = [window.id for window in (every if every is not None else windows) if window.is_listed]
    named: dict[str, float] = {}
    general: dict[str, float] = {}
    for limit in limits:
        if limit.window is None:
            ids: Sequence[str] = covered
            chosen = general
        else:
            ids = _ids(limit.window, windows)
            chosen = named
        for window_id in ids:
            chosen[window_id] = min(limit.percent, chosen.get(window_id, HIGHEST_PERCENT))
    return {**general, **named}


def list_uncertain(limits: Iterable[Limit]) -> tuple[str, ...]:
    """Return the window names, each once, that may be typing mistakes as long as there is no reading."""
    named = (limit.window for limit in limits if limit.window is not None)
    return tuple(dict.fromkeys(name for name in named if name not in _ALWAYS))


def find_named_window(name: str, windows: tuple[Window, ...]) -> Window | None:
    """Return the window of this name, None for a well-known window that is absent; else raise UnknownWindowError.

    Of several versions of a model, the fullest is returned.
    """
    _ids(clean(name).lower(), windows)
    return find_window(windows, clean(name).lower())


def _ids(name: str, windows: tuple[Window, ...]) -> Sequence[str]:
    found = find_windows_named(windows, name)
    if found:
        return [window.id for window in found]
    if name in _ALWAYS:
        return [_ALWAYS[name]]
    # Imported late: most limits name a window that there is.
    from ullage.render.segment import explain_unknown

    raise UnknownWindowError(explain_unknown(name, windows))

"""Parse the windows of a usage body: what a session's status line states, and the greater part of every report.

`wire` has the whole body, and what is known of its shapes.
"""

from __future__ import annotations

from ullage.base.record import Record
from ullage.base.text import clean, make_slug
from ullage.base.values import parse_percent, parse_time
from ullage.quota.model import KINDS, PERIODS, Money, Problem, Window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from typing import Any, TypeVar

    from ullage.quota.model import Kind, Period, Severity

    _Found = TypeVar("_Found")

_MOST_WINDOWS = 32
# How many entries of each kind are read: more than any plan has, and few enough to read quickly.
_MOST_STATED = 2048
_MOST_ALIKE = 9
_LONGEST_SCOPE = 32
_MOST_NAMES = 4
NOT_WINDOWS = (
    *("limits", "model_scoped", "extra_usage", "spend", "cedar_ember", "promo_credits", "seven_day_breakdown"),
)
# Code names of money that was given once; such an object may come with a percentage alone.
POOLS = {
    "cinder_cove": "Claude Code and Cowork credit",
    "wattle_ember": "Promotional credit",
    "iguana_necktie": "Cloud sessions credit",
}
_SIGNS_OF_A_POOL = ("limit_dollars", "used_dollars", "remaining_dollars")
ENDS = ("expires_at", "ends_at", "resets_at")
_KNOWN: dict[str, tuple[str, Kind]] = {
    "five_hour": ("Session (5h)", "session"),
    "seven_day": ("Week (all models)", "weekly"),
    "seven_day_opus": ("Week (Opus)", "model"),
    "seven_day_sonnet": ("Week (Sonnet)", "model"),
    "spend_limit": ("Spend limit", "other"),
}
_ID_OF_KIND = {"session": "five_hour", "weekly_all": "seven_day"}
_SEVERITY_OF_WORD: dict[object, Severity] = {
    "normal": "normal",
    "warning": "warning",
    "warn": "warning",
    "critical": "critical",
}
_MOST_DOLLARS = 1e13


def parse_windows(body: Mapping[str, Any], source: str, as_of: datetime, implausible: list[str]) -> tuple[Window, ...]:
    """Parse the windows of a usage body; the labels of those whose percentage cannot be one go to `implausible`."""
    windows: dict[str, Window] = {}
    for stated in (one for each in (_listed, _model_scoped, _flat) for one in take_first(_MOST_STATED, each(body))):
        window = _window(stated, source, as_of, implausible)
        # Two names that look alike as ids are two windows all the same.
        for name in (f"{window.id}_{number}" if number > 1 else window.id for number in range(1, _MOST_ALIKE)):
            known = windows.get(name)
            if known is None:
                windows[name] = window if name == window.id else window.replace(id=name)
                break
            if known.label == window.label:
                windows[name] = _merged(known, window)
                break
    return tuple(sorted(windows.values(), key=lambda window: KINDS.index(window.kind))[:_MOST_WINDOWS])


class _Stated(Record):
    """One window as the body states it, before it is checked."""

    name: str
    label: str
    kind: Kind
    fields: Mapping[str, Any]
    percent: object
    is_listed: bool = True


def _listed(body: Mapping[str, Any]) -> Iterator[_Stated]:
    limits = body.get("limits")
    for entry in limits if isinstance(limits, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("kind"), str):
            name, label, kind = _identity(entry["kind"], entry.get("scope"))
            yield _Stated(name=name, label=label, kind=kind, fields=entry, percent=entry.get("percent"))


def _identity(kind: str, scope: object) -> tuple[str, str, Kind]:
    if kind in _ID_OF_KIND:
        name = _ID_OF_KIND[kind]
        return (name, *_KNOWN[name])
    model, surface = find_name(scope, "model").removesuffix(" only"), find_name(scope, "surface")
    shown = clean(f"{model} {surface}", _LONGEST_SCOPE)
    if kind == "weekly_scoped":
        name = f"seven_day_{make_slug(shown) or 'scoped'}"
        return name, f"Week ({shown or 'scoped'})", "other" if surface or not model else "model"
    name = make_slug(clean(f"{kind} {shown}")) or "unnamed"
    return (name, *_KNOWN.get(name, (make_title(name), "other")))


def find_name(scope: object, key: str) -> str:
    """Return the name of a part, which is a text or an object with a name for people or an id; empty without one."""
    part = scope.get(key) if isinstance(scope, dict) else None
    return clean(part.get("display_name")) or clean(part.get("id")) if isinstance(part, dict) else clean(part)


def _model_scoped(body: Mapping[str, Any]) -> Iterator[_Stated]:
    scoped = body.get("model_scoped")
    for entry in scoped if isinstance(scoped, list) else ():
        if isinstance(entry, dict) and entry:
            scope = {"model": {"display_name": entry.get("display_name")}}
            name, label, kind = _identity("weekly_scoped", scope)
            yield _Stated(name=name, label=label, kind=kind, fields=entry, percent=entry.get("utilization"))


def _flat(body: Mapping[str, Any]) -> Iterator[_Stated]:
    for key, fields in body.items():
        if key in NOT_WINDOWS or not isinstance(fields, dict):
            continue
        stated = fields.keys() & {"utilization", "resets_at"}
        if not stated or (len(stated) < 2 and key not in _KNOWN) or is_pool(key, fields):
            continue
        name = make_slug(clean(key)) or "unnamed"
        label, kind = _KNOWN.get(name, (make_title(name), "other"))
        period = clean(fields.get("period"), _LONGEST_SCOPE)
        if name == "spend_limit" and period:
            label = f"{label} ({period})"
        yield _Stated(
            name=name,
            label=label,
            kind=kind,
            fields=fields,
            percent=fields.get("utilization"),
            is_listed=name in _KNOWN,
        )


def is_pool(key: str, fields: Mapping[str, Any]) -> bool:
    """Say whether an object is money that was granted once: it counts dollars, or names its end."""
    if key in _KNOWN:
        return False
    return (
        key in POOLS
        or any(isinstance(fields.get(name), int | float) for name in _SIGNS_OF_A_POOL)
        or any(parse_time(fields.get(name)) is not None for name in ENDS[:2])
    )


def make_title(name: str) -> str:
    """Return the label of what only has a code name."""
    if name.startswith("seven_day_"):
        return f"Week ({name.removeprefix('seven_day_').replace('_', ' ').capitalize()})"
    return name.replace("_", " ").capitalize()


def _window(stated: _Stated, source: str, as_of: datetime, implausible: list[str]) -> Window:
    used_percent = parse_percent(stated.percent)
    if used_percent is None and stated.percent is not None:
        implausible.append(stated.label)
    return Window(
        id=stated.name,
        label=clean(stated.label),
        kind=stated.kind,
        used_percent=used_percent,
        resets_at=parse_time(stated.fields.get("resets_at")),
        severity=_severity(stated.fields.get("severity")),
        headline=stated.fields.get("is_active") is True,
        source=source,
        as_of=as_of,
        is_listed=stated.is_listed,
        used=parse_dollars(stated.fields.get("used_usd")),
        limit=parse_dollars(stated.fields.get("limit_usd")),
        period=_period(stated.fields.get("period")),
    )


def parse_dollars(amount: object) -> Money | None:
    """Read an amount of dollars; None for anything else."""
    if isinstance(amount, bool) or not isinstance(amount, int | float) or not abs(amount) < _MOST_DOLLARS:
        return None
    return Money(amount_minor=round(amount * 100), currency="USD", exponent=2)


def _period(word: object) -> Period | None:
    return next((period for period in PERIODS if period == word), None)


def _severity(word: object) -> Severity | None:
    return _SEVERITY_OF_WORD.get(word) if isinstance(word, str) else None


def _merged(listed: Window, flat: Window) -> Window:
    """Complete the list's window by the flat key's, which has decimals where the list rounds."""
    used_percent = listed.used_percent
    if used_percent is None or (flat.used_percent is not None and abs(flat.used_percent - used_percent) < 1):
        used_percent = flat.used_percent
    return listed.replace(
        used_percent=used_percent,
        resets_at=listed.resets_at or flat.resets_at,
        severity=listed.severity or flat.severity,
        headline=listed.headline or flat.headline,
        is_listed=listed.is_listed or flat.is_listed,
        period=listed.period or flat.period,
    )


def note_implausible(implausible: list[str]) -> Problem | None:
    """Return the note about percentages that cannot be one; None where there are none."""
    if not implausible:
        return None
    names = ", ".join(list(dict.fromkeys(implausible))[:_MOST_NAMES])
    return Problem(
        code="implausible_percent",
        message=f"The source gave a percentage that cannot be one for {names}; it is not shown. "
        "It is most likely a fault of the source and passes with its next answer.",
    )


def take_first(most: int, found: Iterator[_Found]) -> Iterator[_Found]:
    """Yield so many at most, as itertools.islice does, which a status line would have to import for this alone."""
    return (each for _, each in zip(range(most), found, strict=False))

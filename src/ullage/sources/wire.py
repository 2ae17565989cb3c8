"""Parse the usage body that the server, Claude Code's cache and its control protocol share into a Reading.

Shapes seen between March and November 2026: flat keys (`five_hour`, `seven_day`, …) with `utilization` 0–100 and
`resets_at`; since June a `limits` list with `kind`, `percent`, `severity`, `scope` and `is_active`; `model_scoped` in
the control protocol; `extra_usage` in minor units and, newer, `spend`. Since autumn money that was given once comes
under code names and in `promo_credits`, its `resets_at` being the day on which it ends. Anything may be null or absent.
"""

from __future__ import annotations

from itertools import islice

from ullage.base.errors import SourceError
from ullage.base.record import Record
from ullage.base.text import clean, make_slug
from ullage.base.values import parse_percent, parse_time
from ullage.quota.model import (
    KINDS,
    LARGEST_EXPONENT,
    PERIODS,
    Account,
    Credits,
    Money,
    Pool,
    Problem,
    Reading,
    Share,
    Window,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from typing import Any

    from ullage.quota.model import Kind, Period, Severity

_MOST_WINDOWS = 32
# How many entries of each kind are read: more than any plan has, and few enough to read quickly.
_MOST_STATED = 2048
_MOST_ALIKE = 9
_LONGEST_SCOPE = 32
_MOST_NAMES = 4
_MOST_POOLS = 16
_MOST_SHARES = 16
_DEFAULT_EXPONENT = 2
# ISO 4217: the currencies whose minor unit is no hundredth.
_EXPONENTS: dict[str, int] = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"), 0),
    **dict.fromkeys(("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
_SIGNS_OF_A_USAGE_BODY = ("five_hour", "seven_day", "limits", "extra_usage", "spend")
_NOT_WINDOWS = (
    *("limits", "model_scoped", "extra_usage", "spend", "cedar_ember", "promo_credits", "seven_day_breakdown"),
)
# Code names of money that was given once; such an object may come with a percentage alone.
_POOLS = {
    "cinder_cove": "Claude Code and Cowork credit",
    "wattle_ember": "Promotional credit",
    "iguana_necktie": "Cloud sessions credit",
}
_SIGNS_OF_A_POOL = ("limit_dollars", "used_dollars", "remaining_dollars")
_ENDS = ("expires_at", "ends_at", "resets_at")
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


def parse_usage(body: object, *, account: Account, source: str, as_of: datetime) -> Reading:
    """Parse a usage body into a Reading; raise SourceError when it is no usage body."""
    if not isinstance(body, dict) or not any(key in body for key in _SIGNS_OF_A_USAGE_BODY):
        raise SourceError(
            "unexpected_shape",
            "The answer is not a usage report. Look for a newer ullage; until then the last reading stays.",
            reached_server=True,
        )
    implausible: list[str] = []
    windows: dict[str, Window] = {}
    for stated in (one for each in (_listed, _model_scoped, _flat) for one in islice(each(body), _MOST_STATED)):
        window = _window(stated, source, as_of, implausible)
        # Two names that look alike as ids are two windows all the same.
        for name in (window.id, *(f"{window.id}_{number}" for number in range(2, _MOST_ALIKE))):
            known = windows.get(name)
            if known is None or known.label == window.label:
                windows[name] = window.replace(id=name) if known is None else _merged(known, window)
                break
    return Reading(
        account=account,
        source=source,
        as_of=as_of,
        windows=tuple(sorted(windows.values(), key=lambda window: KINDS.index(window.kind))[:_MOST_WINDOWS]),
        credits=_credits(body, implausible),
        problem=_note(implausible),
        pools=tuple(islice(_pools(body), _MOST_POOLS)),
        breakdown=tuple(islice(_breakdown(body.get("seven_day_breakdown")), _MOST_SHARES)),
        # A server under load has answered with nulls alone; an empty list is its word that there are no windows.
        is_listing=bool(windows) or isinstance(body.get("limits"), list),
    )


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
    model, surface = _scope_name(scope, "model").removesuffix(" only"), _scope_name(scope, "surface")
    shown = clean(f"{model} {surface}", _LONGEST_SCOPE)
    if kind == "weekly_scoped":
        name = f"seven_day_{make_slug(shown) or 'scoped'}"
        return name, f"Week ({shown or 'scoped'})", "other" if surface or not model else "model"
    name = make_slug(clean(f"{kind} {shown}")) or "unnamed"
    return (name, *_KNOWN.get(name, (_title(name), "other")))


def _scope_name(scope: object, key: str) -> str:
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
        if key in _NOT_WINDOWS or not isinstance(fields, dict):
            continue
        stated = fields.keys() & {"utilization", "resets_at"}
        if not stated or (len(stated) < 2 and key not in _KNOWN) or _is_pool(key, fields):
            continue
        name = make_slug(clean(key)) or "unnamed"
        label, kind = _KNOWN.get(name, (_title(name), "other"))
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


def _is_pool(key: str, fields: Mapping[str, Any]) -> bool:
    """Say whether an object is money that was granted once: it counts dollars, or names its end."""
    if key in _KNOWN:
        return False
    return (
        key in _POOLS
        or any(isinstance(fields.get(name), int | float) for name in _SIGNS_OF_A_POOL)
        or any(parse_time(fields.get(name)) is not None for name in _ENDS[:2])
    )


def _pools(body: Mapping[str, Any]) -> Iterator[Pool]:
    promotions = body.get("promo_credits")
    named = [(clean(key), fields) for key, fields in body.items() if key not in _NOT_WINDOWS]
    pools = [(key, fields) for key, fields in named if isinstance(fields, dict) and _is_pool(key, fields)]
    given = [fields for fields in (promotions if isinstance(promotions, list) else ()) if isinstance(fields, dict)]
    pools += [(clean(fields.get("program_id")) or "promo_credit", fields) for fields in given]
    for key, fields in pools:
        ends_at = next(filter(None, (parse_time(fields.get(name)) for name in _ENDS)), None)
        used, limit = _dollars(fields.get("used_dollars")), _dollars(fields.get("limit_dollars"))
        stated_percent = parse_percent(fields.get("utilization"))
        if used is None and limit is None and not stated_percent and ends_at is None:
            continue
        name = make_slug(key) or "unnamed"
        yield Pool(
            id=name,
            label=clean(fields.get("label")) or _POOLS.get(name) or _title(name),
            used_percent=stated_percent if limit is None else _share(used, limit, stated_percent),
            used=used,
            limit=limit,
            ends_at=ends_at,
        )


def _dollars(amount: object) -> Money | None:
    if isinstance(amount, bool) or not isinstance(amount, int | float):
        return None
    return _amount(amount * 100, "USD", 2)


def _breakdown(stated: object) -> Iterator[Share]:
    rows = stated.get("rows") if isinstance(stated, dict) else stated
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, dict):
            continue
        names = (_scope_name(row, key) for key in ("label", "display_name", "surface", "name", "key"))
        label = next(filter(None, names), "")
        percents = (parse_percent(row.get(key)) for key in ("percent", "utilization", "used_percentage"))
        percent = next((value for value in percents if value is not None), None)
        if label and percent is not None:
            yield Share(label=label, percent=percent)


def _title(name: str) -> str:
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
        used=_dollars(stated.fields.get("used_usd")),
        limit=_dollars(stated.fields.get("limit_usd")),
        period=_period(stated.fields.get("period")),
    )


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


def _note(implausible: list[str]) -> Problem | None:
    if not implausible:
        return None
    names = ", ".join(list(dict.fromkeys(implausible))[:_MOST_NAMES])
    return Problem(
        code="implausible_percent",
        message=f"The source gave a percentage that cannot be one for {names}; it is not shown. "
        "It is most likely a fault of the source and passes with its next answer.",
    )


def _credits(body: Mapping[str, Any], implausible: list[str]) -> Credits | None:
    spend, extra = body.get("spend"), body.get("extra_usage")
    spend, extra = (part if isinstance(part, dict) else {} for part in (spend, extra))
    if not spend and not extra:
        return None
    used = parse_money(spend.get("used")) or _minor_units(extra.get("used_credits"), extra)
    limits = (
        parse_money(spend.get("limit")),
        _minor_units(extra.get("monthly_limit"), extra),
        parse_money(spend.get("cap")),
    )
    limit = next(filter(None, limits), None)
    stated = [percent for percent in (extra.get("utilization"), spend.get("percent")) if percent is not None]
    percents = [parse_percent(percent) for percent in stated]
    if None in percents:
        implausible.append("Credits")
    stated_percent = next((percent for percent in percents if percent is not None), None)
    enabled = spend.get("enabled")
    reasons = (clean(part.get("disabled_reason")) for part in (spend, extra))
    is_reached = extra.get("spend_limit_reached") is True
    return Credits(
        enabled=(extra.get("is_enabled") if enabled is None else enabled) is True,
        used=used,
        limit=limit,
        used_percent=_share(used, limit, stated_percent),
        disabled_reason=next(filter(None, reasons), "spend_limit_reached" if is_reached else None),
    )


def _share(used: Money | None, limit: Money | None, stated_percent: float | None) -> float | None:
    if used is None or limit is None or limit.amount_minor <= 0:
        return None if limit is None else stated_percent
    if (used.currency, used.exponent) != (limit.currency, limit.exponent):
        return stated_percent
    return parse_percent(round(used.amount_minor * 100 / limit.amount_minor, 4))


def parse_money(value: object) -> Money | None:
    if not isinstance(value, dict):
        return None
    return _amount(value.get("amount_minor"), value.get("currency"), value.get("exponent"))


def _minor_units(amount: object, extra: Mapping[str, Any]) -> Money | None:
    return _amount(amount, extra.get("currency"), extra.get("decimal_places"))


def _amount(amount: object, currency: object, exponent: object) -> Money | None:
    if isinstance(amount, bool) or not isinstance(amount, int | float) or not abs(amount) < 1e15:
        return None
    # XXX is ISO 4217's code for "no currency": the amount is known, what it is counted in is not.
    known = isinstance(currency, str) and len(currency) == 3 and currency.isascii() and currency.isalpha()
    code = str(currency).upper() if known else "XXX"
    places = _EXPONENTS.get(code, _DEFAULT_EXPONENT) if exponent is None else exponent
    if isinstance(places, bool) or not isinstance(places, int | float) or places not in range(LARGEST_EXPONENT + 1):
        return None
    return Money(amount_minor=round(amount), currency=code, exponent=int(places))

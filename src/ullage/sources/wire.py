"""Parse the usage body that the server, Claude Code's cache and its control protocol share into a Reading.

Shapes seen between March and November 2026: flat keys (`five_hour`, `seven_day`, …) with `utilization` 0–100 and
`resets_at`; since June a `limits` list with `kind`, `percent`, `severity`, `scope` and `is_active`; `model_scoped` in
the control protocol; `extra_usage` in minor units and, newer, `spend`. Since autumn money that was given once comes
under code names and in `promo_credits`, its `resets_at` being the day on which it ends. Anything may be null or absent.
"""

from __future__ import annotations

from ullage.base.errors import SourceError
from ullage.base.text import clean, make_slug
from ullage.base.values import parse_percent, parse_time
from ullage.quota.model import (
    LARGEST_EXPONENT,
    Account,
    Credits,
    Money,
    Pool,
    Reading,
    Share,
)
from ullage.sources.wire_windows import (
    ENDS,
    NOT_WINDOWS,
    POOLS,
    find_name,
    is_pool,
    make_title,
    note_implausible,
    parse_dollars,
    parse_windows,
    take_first,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from typing import Any

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


def parse_usage(body: object, *, account: Account, source: str, as_of: datetime) -> Reading:
    """Parse a usage body into a Reading; raise SourceError when it is no usage body."""
    if not isinstance(body, dict) or not any(key in body for key in _SIGNS_OF_A_USAGE_BODY):
        raise SourceError(
            "unexpected_shape",
            "The answer is not a usage report. Look for a newer ullage; until then the last reading stays.",
            reached_server=True,
        )
    implausible: list[str] = []
    windows = parse_windows(body, source, as_of, implausible)
    return Reading(
        account=account,
        source=source,
        as_of=as_of,
        windows=windows,
        credits=_credits(body, implausible),
        problem=note_implausible(implausible),
        pools=tuple(take_first(_MOST_POOLS, _pools(body))),
        breakdown=tuple(take_first(_MOST_SHARES, _breakdown(body.get("seven_day_breakdown")))),
        # A server under load has answered with nulls alone; an empty list is its word that there are no windows.
        is_listing=bool(windows) or isinstance(body.get("limits"), list),
    )


def _pools(body: Mapping[str, Any]) -> Iterator[Pool]:
    promotions = body.get("promo_credits")
    named = [(clean(key), fields) for key, fields in body.items() if key not in NOT_WINDOWS]
    pools = [(key, fields) for key, fields in named if isinstance(fields, dict) and is_pool(key, fields)]
    given = [fields for fields in (promotions if isinstance(promotions, list) else ()) if isinstance(fields, dict)]
    pools += [(clean(fields.get("program_id")) or "promo_credit", fields) for fields in given]
    for key, fields in pools:
        ends_at = next(filter(None, (parse_time(fields.get(name)) for name in ENDS)), None)
        used, limit = parse_dollars(fields.get("used_dollars")), parse_dollars(fields.get("limit_dollars"))
        stated_percent = parse_percent(fields.get("utilization"))
        if used is None and limit is None and not stated_percent and ends_at is None:
            continue
        name = make_slug(key) or "unnamed"
        yield Pool(
            id=name,
            label=clean(fields.get("label")) or POOLS.get(name) or make_title(name),
            used_percent=stated_percent if limit is None else _share(used, limit, stated_percent),
            used=used,
            limit=limit,
            ends_at=ends_at,
        )


def _breakdown(stated: object) -> Iterator[Share]:
    rows = stated.get("rows") if isinstance(stated, dict) else stated
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, dict):
            continue
        names = (find_name(row, key) for key in ("label", "display_name", "surface", "name", "key"))
        label = next(filter(None, names), "")
        percents = (parse_percent(row.get(key)) for key in ("percent", "utilization", "used_percentage"))
        percent = next((value for value in percents if value is not None), None)
        if label and percent is not None:
            yield Share(label=label, percent=percent)


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

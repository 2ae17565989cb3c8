"""What the provider's API asks for a model's tokens: a dated table, bundled, updated by hand, a person's own on top.

Rates are dollars a million tokens. A model that is not in the table has no price, and nothing here guesses one.
"""

from __future__ import annotations

import os
import re

from ullage.base import jsontext
from ullage.base.errors import CacheError, UsageError
from ullage.base.record import Record
from ullage.base.text import clean
from ullage.system import directories
from ullage.system.files import read_regular, write_atomically
from ullage.tokens.counts import ABOVE_100K, ABOVE_200K

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

LARGEST_FILE = 16 << 20
FORMAT = 1
RATES = ("input", "output", "cache_write_5m", "cache_write_1h", "cache_read")
# A request whose context is larger is billed at other rates, as a whole.
TIERS = {"above_200k": ABOVE_200K, "above_100k": ABOVE_100K}
MULTIPLIERS = ("fast_multiplier", "us_multiplier")

_BUNDLED = os.path.join(os.path.dirname(__file__), "prices.json")
_HIGHEST_RATE = 100_000
_MOST_MODELS = 2000
_LONGEST = 300


class Price(Record):
    """Rates by kind of token, those of tiers by their bit, and multipliers; None where a mode has no known price."""

    rates: dict[str, float]
    tiers: dict[int, dict[str, float]]
    fast_multiplier: float | None = None
    us_multiplier: float | None = None


class PriceList(Record):
    """Prices by model, and where and when they were taken from; `web_search` is dollars a search."""

    date: str
    source: str
    web_search: float
    models: dict[str, Price]
    overridden: tuple[str, ...] = ()

    def find(self, model: str) -> Price | None:
        """Return a model's price, by its id with or without a date; None where there is none."""
        for name in _spellings(model):
            if name in self.models:
                return self.models[name]
        return None


def _spellings(model: str) -> list[str]:
    bare = model.removeprefix("anthropic/").removesuffix("[1m]")
    return [model, bare, re.sub(r"(?:[-@]\d{8}|-latest)$", "", bare)]


def bundled() -> PriceList:
    """Return the prices that this version came with."""
    with open(_BUNDLED, "rb") as file:
        return parse(decoded(file.read()))


def load(directory: str) -> tuple[PriceList, str | None]:
    """Return the prices in force, those last updated or the bundled ones, and a notice when an update is unreadable."""
    path = updated_path(directory)
    data = read_regular(path, LARGEST_FILE, own=True)
    if data is None:
        unreadable = os.path.lexists(path)
        return bundled(), f"{path} cannot be read; the bundled prices are in force." if unreadable else None
    try:
        return parse(decoded(data)), None
    except UsageError as error:
        return bundled(), f"{path}: {error} The bundled prices are in force."


def updated_path(directory: str) -> str:
    """Return where updated prices lie in the state directory."""
    return os.path.join(directory, "prices.json")


def save(directory: str, document: object) -> PriceList:
    """Put prices in force that `parse` takes; raise UsageError, with what was there left in force, for others.

    Raises CacheError where they cannot be kept.
    """
    import json

    accepted = parse(document)
    directories.make(directory, variable=directories.STATE)
    data = json.dumps(document, indent=1, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
    try:
        write_atomically(updated_path(directory), data)
    except (OSError, CacheError) as error:
        why = getattr(error.__cause__ or error, "strerror", None) or "it cannot be written"
        raise CacheError(
            f"Cannot keep prices in {directory}: {why}. Make room or make it writable, or name another directory in "
            "ULLAGE_STATE_DIR."
        ) from error
    return accepted


def decoded(data: bytes) -> object:
    """Return the JSON in a file; raise UsageError where there is none."""
    try:
        return jsontext.loads(data)
    except (ValueError, RecursionError) as error:
        raise UsageError("It holds no JSON.") from error


def parse(document: object) -> PriceList:
    """Read a price list in the format of the bundled one; raise UsageError, with the first mistake, for another."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise UsageError(f"It is no price list of format {FORMAT}.")
    models = document.get("models")
    if not isinstance(models, dict) or not 0 < len(models) <= _MOST_MODELS:
        raise UsageError(f"It must name from 1 to {_MOST_MODELS} models under `models`.")
    date, search = document.get("date"), document.get("web_search", "")
    if not isinstance(date, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", date):
        raise UsageError("Its `date` must be a date such as 2026-11-22.")
    if document.get("currency") != "USD" or not is_rate(search):
        raise UsageError("It must state prices in USD, and a price of `web_search`.")
    for model, fields in models.items():
        wrong = check(fields) or next((f"has no {rate}" for rate in RATES if rate not in fields), None)
        if wrong:
            raise UsageError(f"Of {clean(model, _LONGEST)} it {wrong}.")
    return PriceList(
        date=date,
        source=clean(document.get("source"), _LONGEST),
        web_search=float(search),
        models={clean(model, _LONGEST): _price(fields) for model, fields in models.items()},
    )


def check(fields: object) -> str | None:
    """Return what is wrong with a model's prices, in words, or None; any of them may be missing."""
    if not isinstance(fields, dict):
        return "holds no table of rates"
    for name, value in fields.items():
        if name in TIERS:
            wrong = check_rates(value)
            if wrong:
                return f"{wrong} under {name}"
        elif name not in (*RATES, *MULTIPLIERS):
            return f"holds {clean(name)!r}; it can hold {', '.join((*RATES, *TIERS, *MULTIPLIERS))}"
        elif not is_rate(value):
            return f"gives {name} as {clean(repr(value))}; it must be a number of dollars from 0 to {_HIGHEST_RATE}"
    return None


def check_rates(fields: object) -> str | None:
    """Return what is wrong with the rates of a tier, which must all be there."""
    if not isinstance(fields, dict) or set(fields) != set(RATES) or not all(map(is_rate, fields.values())):
        return f"must hold the numbers {', '.join(RATES)}, and nothing else,"
    return None


def check_overrides(value: object) -> str | None:
    """Return what is wrong with the table of prices in config.toml, in words, or None."""
    if not isinstance(value, dict):
        return 'is no table; it can be [tokens.prices."a-model"] with input = 3 and so on'
    for model, fields in value.items():
        wrong = check(fields)
        if wrong:
            return f"of {clean(model, _LONGEST)} {wrong}"
    return None


def overridden(prices: PriceList, overrides: Mapping[str, Mapping[str, Any]]) -> PriceList:
    """Return the list with a person's own prices; raise UsageError where a new model's rates are not all given."""
    models = dict(prices.models)
    for model, fields in overrides.items():
        known = prices.find(model)
        rates = {**(known.rates if known else {}), **{name: fields[name] for name in RATES if name in fields}}
        missing = [rate for rate in RATES if rate not in rates]
        if missing:
            raise UsageError(
                f"config.toml: tokens.prices.{clean(model, _LONGEST)} gives no {', '.join(missing)}, and the price "
                "list does not know the model. Add them, in dollars a million tokens."
            )
        given = _price({**rates, **fields})
        models[model] = Price(
            rates=given.rates,
            tiers={**(known.tiers if known else {}), **given.tiers},
            fast_multiplier=given.fast_multiplier or (known.fast_multiplier if known else None),
            us_multiplier=given.us_multiplier or (known.us_multiplier if known else None),
        )
    return prices.replace(models=models, overridden=tuple(overrides))


def _price(fields: Mapping[str, Any]) -> Price:
    return Price(
        rates={rate: float(fields[rate]) for rate in RATES},
        tiers={
            bit: {rate: float(fields[tier][rate]) for rate in RATES} for tier, bit in TIERS.items() if tier in fields
        },
        fast_multiplier=fields.get("fast_multiplier"),
        us_multiplier=fields.get("us_multiplier"),
    )


def is_rate(value: object) -> bool:
    """Say whether a value can be a rate, or a multiplier of one."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # No float is made of it: a whole number may be too large for one. Nothing compares with NaN.
    return is_number and 0 <= value <= _HIGHEST_RATE  # type: ignore[operator]


def special(price: Price) -> dict[str, Any]:
    """Return what a price holds besides its rates, as the list words it."""
    tiers = {tier: price.tiers[bit] for tier, bit in TIERS.items() if bit in price.tiers}
    multipliers = {name: getattr(price, name) for name in MULTIPLIERS}
    return {**tiers, **{name: value for name, value in multipliers.items() if value is not None}}


def plain(price: Price) -> dict[str, Any]:
    """Return a price as the list words it."""
    return {**price.rates, **special(price)}

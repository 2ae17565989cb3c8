"""Load the API's list prices: the bundled table or an update that the user fetched, with the user's overrides on top.

Rates are dollars per million tokens. A model that is not in the table has no price: none is guessed.
"""

from __future__ import annotations

import os

from ullage.base import jsontext
from ullage.base.errors import CacheError, UsageError
from ullage.base.record import Record
from ullage.base.text import clean
from ullage.config.rates import LONGEST_MODEL, MULTIPLIERS, RATES, TIERS, check_prices, is_rate
from ullage.system import directories
from ullage.system.files import read_regular, write_atomically

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

LARGEST_FILE = 16 << 20
FORMAT = 1

_BUNDLED = os.path.join(os.path.dirname(__file__), "prices.json")
_MOST_MODELS = 2000


class Price(Record):
    """Rates by kind of token, and by tier bit; a multiplier is None where that mode has no known price."""

    rates: dict[str, float]
    tiers: dict[int, dict[str, float]]
    fast_multiplier: float | None = None
    us_multiplier: float | None = None


class PriceList(Record):
    """Prices by model, with their source and date; `web_search` is dollars per search.

    `overridden` names the models whose prices config.toml sets.
    """

    date: str
    source: str
    web_search: float
    models: dict[str, Price]
    overridden: tuple[str, ...] = ()

    def find(self, model: str) -> Price | None:
        """Return the price of a model id, with or without its date; None where the list has none."""
        bare = model.removeprefix("anthropic/").removesuffix("[1m]")
        return next((self.models[name] for name in (model, bare, _strip_version(bare)) if name in self.models), None)


def load_bundled() -> PriceList:
    """Return the price list that ships with this version."""
    with open(_BUNDLED, "rb") as file:
        return parse_prices(decode_prices(file.read()))


def load(directory: str) -> tuple[PriceList, str | None]:
    """Return the last update, or the bundled list, and a notice when an update is there but cannot be read."""
    path = locate_update(directory)
    data = read_regular(path, LARGEST_FILE, own=True)
    if data is None:
        unreadable = os.path.lexists(path)
        return load_bundled(), f"{path} cannot be read; the bundled prices are in force." if unreadable else None
    try:
        return parse_prices(decode_prices(data)), None
    except UsageError as error:
        return load_bundled(), f"{path}: {error} The bundled prices are in force."


def locate_update(directory: str) -> str:
    """Return the path of the updated price list in the state directory."""
    return os.path.join(directory, "prices.json")


def save(directory: str, document: object, environ: Mapping[str, str]) -> PriceList:
    """Write a price list that `parse_prices` accepts, and return it; raise UsageError, without writing, for another.

    Raises CacheError where the file cannot be written.
    """
    import json

    accepted = parse_prices(document)
    directories.make_private(directory, environ=environ, variable=directories.STATE)
    data = json.dumps(document, indent=1, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
    try:
        write_atomically(locate_update(directory), data)
    except (OSError, CacheError) as error:
        why = getattr(error.__cause__ or error, "strerror", None) or "it cannot be written"
        raise CacheError(
            f"Cannot keep prices in {directory}: {why}. Make room or make it writable, or name another directory in "
            "ULLAGE_STATE_DIR."
        ) from error
    return accepted


def decode_prices(data: bytes) -> object:
    """Decode JSON; raise UsageError for anything else."""
    try:
        return jsontext.loads(data)
    except (ValueError, RecursionError) as error:
        raise UsageError("It holds no JSON.") from error


def parse_prices(document: object) -> PriceList:
    """Read a decoded price list in the format of the bundled one; raise UsageError that names the first mistake."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise UsageError(f"It is no price list of format {FORMAT}.")
    models = document.get("models")
    if not isinstance(models, dict) or not 0 < len(models) <= _MOST_MODELS:
        raise UsageError(f"It must name from 1 to {_MOST_MODELS} models under `models`.")
    date, search = document.get("date"), document.get("web_search", "")
    if not isinstance(date, str) or not _is_day(date):
        raise UsageError("Its `date` must be a date such as 2026-11-22.")
    if document.get("currency") != "USD" or not is_rate(search):
        raise UsageError("It must state prices in USD, and a price of `web_search`.")
    for model, fields in models.items():
        wrong = check_prices(fields) or next((f"has no {rate}" for rate in RATES if rate not in fields), None)
        if wrong:
            raise UsageError(f"Of {clean(model, LONGEST_MODEL)} it {wrong}.")
    return PriceList(
        date=date,
        source=clean(document.get("source"), LONGEST_MODEL),
        web_search=float(search),
        models={clean(model, LONGEST_MODEL): _price(fields) for model, fields in models.items()},
    )


def override_prices(prices: PriceList, overrides: Mapping[str, Mapping[str, Any]]) -> PriceList:
    """Return the list with the overrides of config.toml; raise UsageError for a new model that lacks a rate."""
    models = dict(prices.models)
    for model, fields in overrides.items():
        known = prices.find(model)
        rates = {**(known.rates if known else {}), **{name: fields[name] for name in RATES if name in fields}}
        missing = [rate for rate in RATES if rate not in rates]
        if missing:
            raise UsageError(
                f"config.toml: tokens.prices.{clean(model, LONGEST_MODEL)} gives no {', '.join(missing)}, and the "
                "price list does not know the model. Add them, in dollars a million tokens."
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


def describe_special(price: Price) -> dict[str, Any]:
    """Return a price's tiers and multipliers as fields of the price list's format."""
    tiers = {tier: price.tiers[bit] for tier, bit in TIERS.items() if bit in price.tiers}
    multipliers = {name: getattr(price, name) for name in MULTIPLIERS}
    return {**tiers, **{name: value for name, value in multipliers.items() if value is not None}}


def describe_price(price: Price) -> dict[str, Any]:
    """Return a price as fields of the price list's format."""
    return {**price.rates, **describe_special(price)}


def _strip_version(name: str) -> str:
    """Return a model's name without the date, or the word `latest`, at its end."""
    if name.endswith("-latest"):
        return name.removesuffix("-latest")
    sign, digits = name[-9:-8], name[-8:]
    return name[:-9] if sign in ("-", "@") and digits.isdecimal() else name


def _is_day(text: str) -> bool:
    year, month, day = text[:4], text[5:7], text[8:]
    return len(text) == 10 and text[4] == text[7] == "-" and (year + month + day).isdecimal()

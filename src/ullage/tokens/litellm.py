"""Convert LiteLLM's table of models, which most counters of tokens use, into a price list."""

from __future__ import annotations

from ullage.base.errors import UsageError
from ullage.config.rates import RATES, TIERS, is_rate
from ullage.tokens.prices import FORMAT, PriceList, describe_price, describe_special

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_LITELLM = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cache_write_5m": "cache_creation_input_token_cost",
    "cache_write_1h": "cache_creation_input_token_cost_above_1hr",
    "cache_read": "cache_read_input_token_cost",
}


def convert_prices(document: object, before: PriceList, date: str, source: str) -> dict[str, Any]:
    """Return the price list in LiteLLM's table of models; raise UsageError where it holds no Claude model.

    Models that the table no longer lists, and multipliers that it leaves out, are taken over from `before`.
    """
    listed = {
        model: _of_litellm(fields)
        for model, fields in (document.items() if isinstance(document, dict) else ())
        if isinstance(fields, dict) and fields.get("litellm_provider") == "anthropic" and model.startswith("claude")
    }
    models = {model: fields for model, fields in listed.items() if all(rate in fields for rate in RATES)}
    if not models:
        raise UsageError(f"It is neither a price list of format {FORMAT} nor LiteLLM's table of models.")
    for model, fields in models.items():
        known = before.find(model)
        if known is not None:
            fields.update({**describe_special(known), **fields})
    kept = {model: describe_price(price) for model, price in before.models.items()}
    return {
        "format": FORMAT,
        "date": date,
        "source": source,
        "currency": "USD",
        "unit": "a million tokens",
        "web_search": before.web_search,
        "models": {**kept, **models},
    }


def _of_litellm(fields: Mapping[str, Any]) -> dict[str, Any]:
    def rates(suffix: str) -> dict[str, float]:
        found = {rate: fields.get(f"{name}{suffix}") for rate, name in _LITELLM.items()}
        return {rate: round(value * 1e6, 6) for rate, value in found.items() if value is not None and is_rate(value)}

    priced: dict[str, Any] = rates("")
    for tier in TIERS:
        above = rates(f"_{tier}_tokens")
        if "input" in above and "cache_write_1h" not in above:
            # LiteLLM leaves this rate out of tiers. In every tier so far a one-hour cache write cost twice the input.
            above["cache_write_1h"] = 2 * above["input"]
        if len(above) == len(RATES):
            priced[tier] = above
    modes = fields.get("provider_specific_entry")
    for mode in ("fast", "us"):
        multiplier = modes.get(mode) if isinstance(modes, dict) else None
        if is_rate(multiplier):
            priced[f"{mode}_multiplier"] = multiplier
    return priced

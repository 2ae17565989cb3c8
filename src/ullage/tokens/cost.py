"""Price tokens at the API's list price: a size to compare, not what a plan costs."""

from __future__ import annotations

from ullage.config.rates import FAST, US_ONLY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ullage.tokens.prices import Price

# Thinking is billed as output, and shown apart from it.
PARTS = ("input", "output", "thinking", "cache_write_5m", "cache_write_1h", "cache_read", "web_search")
_MILLION = 1e6


def price_counts(
    counts: tuple[int, ...], variant: int, price: Price | None, web_search: float
) -> tuple[float, ...] | None:
    """Return the dollars of each of `PARTS` for one model's responses; None where the model, or its mode, has no price.

    `counts` are in the order of `COUNTS`.
    """
    if price is None or (variant & FAST and price.fast_multiplier is None):
        return None
    rates = next((rates for bit, rates in price.tiers.items() if variant & bit), price.rates)
    multiplier = (price.fast_multiplier or 1.0) if variant & FAST else 1.0
    if variant & US_ONLY:
        multiplier *= price.us_multiplier or 1.0
    fresh, output, five_minutes, hour, read, thinking, searches = counts
    tokens = (
        fresh * rates["input"],
        (output - thinking) * rates["output"],
        thinking * rates["output"],
        five_minutes * rates["cache_write_5m"],
        hour * rates["cache_write_1h"],
        read * rates["cache_read"],
    )
    return (*(part * multiplier / _MILLION for part in tokens), searches * web_search)

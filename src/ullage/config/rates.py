"""The parts of a price list: kinds of rates, tiers, multipliers, and the checks of a person's own prices. Pure."""

from __future__ import annotations

from ullage.base.text import clean, quote

# Bits of a response's variant; the sizes are of the request's whole context.
FAST, US_ONLY, ABOVE_100K, ABOVE_200K = 1, 2, 4, 8

RATES = ("input", "output", "cache_write_5m", "cache_write_1h", "cache_read")
# A request whose context is larger is billed at other rates, as a whole.
TIERS = {"above_200k": ABOVE_200K, "above_100k": ABOVE_100K}
MULTIPLIERS = ("fast_multiplier", "us_multiplier")
LONGEST_MODEL = 300
_HIGHEST_RATE = 100_000


def check_prices(fields: object) -> str | None:
    """Return what is wrong with a model's prices, in words, or None; any of them may be missing."""
    if not isinstance(fields, dict):
        return "holds no table of rates"
    for name, value in fields.items():
        if name in TIERS:
            wrong = check_rates(value)
            if wrong:
                return f"{wrong} under {name}"
        elif name not in (*RATES, *MULTIPLIERS):
            return f"holds {quote(name)}; it can hold {', '.join((*RATES, *TIERS, *MULTIPLIERS))}"
        elif not is_rate(value):
            return f"gives {name} as {clean(repr(value))}; it must be a number of dollars from 0 to {_HIGHEST_RATE}"
    return None


def check_rates(fields: object) -> str | None:
    """Return in words what is wrong with a tier's rates, all of which are needed; or None."""
    if not isinstance(fields, dict) or set(fields) != set(RATES) or not all(map(is_rate, fields.values())):
        return f"must hold the numbers {', '.join(RATES)}, and nothing else,"
    return None


def check_overrides(value: object) -> str | None:
    """Return what is wrong with the table of prices in config.toml, in words, or None."""
    if not isinstance(value, dict):
        return 'is no table; it can be [tokens.prices."a-model"] with input = 3 and so on'
    for model, fields in value.items():
        wrong = check_prices(fields)
        if wrong:
            return f"of {clean(model, LONGEST_MODEL)} {wrong}"
    return None


def is_rate(value: object) -> bool:
    """Say whether a value can be a rate, or a multiplier of one."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # No float is made of it: a whole number may be too large for one. Nothing compares with NaN.
    return is_number and 0 <= value <= _HIGHEST_RATE  # type: ignore[operator]

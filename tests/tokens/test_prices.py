"""Prices: the bundled table, updates, a person's own; what they make of tokens."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.transcript import count, line, write
from ullage.base.errors import UsageError
from ullage.config.rates import ABOVE_100K, ABOVE_200K, FAST, US_ONLY, check_overrides, is_rate
from ullage.system import addresses
from ullage.tokens import cost, litellm, price_update, prices

if TYPE_CHECKING:
    from pathlib import Path

RATES = {"input": 1, "output": 10, "cache_write_5m": 2, "cache_write_1h": 3, "cache_read": 0.5}
ABOVE = {"input": 2, "output": 20, "cache_write_5m": 4, "cache_write_1h": 6, "cache_read": 1}
COUNTS = (1_000_000, 2_000_000, 3_000_000, 4_000_000, 5_000_000, 500_000, 7)


def listed(**models: Any) -> dict[str, Any]:
    return {
        "format": 1,
        "date": "2026-11-22",
        "source": "a test",
        "currency": "USD",
        "web_search": 0.01,
        "models": models or {"a-model": RATES},
    }


def price(**more: Any) -> prices.Price:
    return prices.parse_prices(listed(a={**RATES, **more})).models["a"]


def test_the_bundled_table_names_its_date_and_source() -> None:
    bundled = prices.load_bundled()
    assert bundled.date >= "2026-11-27"
    assert "Anthropic" in bundled.source
    assert len(bundled.models) > 20


def test_every_bundled_price_has_the_provider_s_proportions() -> None:
    for model, one in prices.load_bundled().models.items():
        for rates in (one.rates, *one.tiers.values()):
            assert rates["cache_write_1h"] == pytest.approx(2 * rates["input"]), model
            assert rates["cache_read"] < rates["input"] < rates["cache_write_5m"] < rates["output"], model


@pytest.mark.parametrize(
    ("model", "known"),
    [
        ("claude-opus-4-6", True),
        ("claude-opus-4-6-20260205", True),
        ("claude-opus-4-6@20260205", True),
        ("claude-opus-4-6[1m]", True),
        ("anthropic/claude-opus-4-6", True),
        ("claude-3-5-haiku-latest", True),
        ("claude-opus-4-66", False),
        ("claude-opus", False),
        ("us.anthropic.claude-opus-4-6-v1:0", False),
        ("my-claude-opus-4-6", False),
        ("<synthetic>", False),
        ("", False),
    ],
)
def test_a_model_is_known_by_its_own_name_alone(model: str, known: bool) -> None:
    assert (prices.load_bundled().find(model) is not None) is known


def test_each_kind_of_token_has_its_own_rate() -> None:
    assert cost.price_counts(COUNTS, 0, price(), 0.01) == pytest.approx((1, 15, 5, 6, 12, 2.5, 0.07))


def test_the_size_of_the_context_changes_all_rates() -> None:
    tiered = price(above_200k=ABOVE)
    assert cost.price_counts(COUNTS, ABOVE_100K | ABOVE_200K, tiered, 0) == pytest.approx((2, 30, 10, 12, 24, 5, 0))
    assert cost.price_counts(COUNTS, ABOVE_100K, tiered, 0) == pytest.approx((1, 15, 5, 6, 12, 2.5, 0))


def test_multipliers_go_together() -> None:
    special = price(fast_multiplier=6, us_multiplier=1.1)
    dollars = cost.price_counts(COUNTS, FAST | US_ONLY, special, 0.01)
    assert dollars is not None
    assert dollars[0] == pytest.approx(6.6)
    assert dollars[-1] == pytest.approx(0.07)


def test_a_mode_without_a_price_is_not_priced() -> None:
    assert cost.price_counts(COUNTS, FAST, price(), 0.01) is None
    assert cost.price_counts(COUNTS, US_ONLY, price(), 0) == cost.price_counts(COUNTS, 0, price(), 0)


def test_unknown_models_are_listed_and_not_in_the_sum(tmp_path: Path) -> None:
    write(tmp_path, "p/a.jsonl", line() + line("msg_2", request="req_2", model="claude-nope-9", output=40))
    total, _ = count(tmp_path)
    assert total.unpriced == {"claude-nope-9": 50}
    assert total.cost == pytest.approx(0.00255)


def test_what_has_no_price_at_all_costs_nothing_known(tmp_path: Path) -> None:
    write(tmp_path, "p/a.jsonl", line(model="claude-nope-9"))
    assert count(tmp_path)[0].cost is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 2}, "format 1"),
        ({"models": {}}, "models"),
        ({"models": []}, "models"),
        ({"date": "yesterday"}, "date"),
        ({"currency": "EUR"}, "USD"),
        ({"web_search": -1}, "web_search"),
        ({"web_search": None}, "web_search"),
        ({"models": {"a": {**RATES, "input": -1}}}, "input"),
        ({"models": {"a": {**RATES, "input": "3"}}}, "input"),
        ({"models": {"a": {**RATES, "input": float("inf")}}}, "input"),
        ({"models": {"a": {**RATES, "input": True}}}, "input"),
        ({"models": {"a": {"input": 3}}}, "has no output"),
        ({"models": {"a": {**RATES, "outptu": 3}}}, "outptu"),
        ({"models": {"a": {**RATES, "above_200k": {"input": 3}}}}, "above_200k"),
        ({"models": {"a": 3}}, "table"),
    ],
)
def test_a_wrong_list_is_refused_with_the_first_mistake(change: dict[str, Any], words: str, tmp_path: Path) -> None:
    prices.save(str(tmp_path), listed(), {})
    with pytest.raises(UsageError, match=words):
        prices.save(str(tmp_path), {**listed(), **change}, {})
    found, notice = prices.load(str(tmp_path))
    assert (found.source, notice) == ("a test", None)


@pytest.mark.parametrize("data", [b"", b"rubbish", b"[" * 100_000, b"[]", b'{"format":1}'])
def test_an_update_that_was_damaged_gives_way_to_the_bundled_table(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "prices.json").write_bytes(data)
    found, notice = prices.load(str(tmp_path))
    assert found == prices.load_bundled()
    assert notice is not None
    assert "bundled prices" in notice


def test_own_prices_change_a_known_model_and_add_one() -> None:
    own = prices.override_prices(
        prices.load_bundled(),
        {"claude-opus-4-6": {"input": 4.5}, "mine": RATES, "claude-opus-4-6-20260205": {"output": 1}},
    )
    opus, dated, mine = (own.find(model) for model in ("claude-opus-4-6", "claude-opus-4-6-20260205", "mine"))
    assert opus is not None
    assert dated is not None
    assert mine is not None
    assert (opus.rates["input"], opus.rates["output"], opus.fast_multiplier) == (4.5, 25, 6)
    assert (dated.rates["input"], dated.rates["output"]) == (5, 1)
    assert mine.rates["cache_read"] == 0.5


def test_a_new_model_must_have_every_rate() -> None:
    with pytest.raises(UsageError, match="gives no output, cache_write_5m"):
        prices.override_prices(prices.load_bundled(), {"mine": {"input": 3}})


def test_litellm_s_table_becomes_a_list() -> None:
    fields = {
        "litellm_provider": "anthropic",
        "input_cost_per_token": 2e-06,
        "output_cost_per_token": 1e-05,
        "cache_creation_input_token_cost": 2.5e-06,
        "cache_creation_input_token_cost_above_1hr": 4e-06,
        "cache_read_input_token_cost": 2e-07,
        "input_cost_per_token_above_200k_tokens": 4e-06,
        "output_cost_per_token_above_200k_tokens": 1.5e-05,
        "cache_creation_input_token_cost_above_200k_tokens": 5e-06,
        "cache_read_input_token_cost_above_200k_tokens": 4e-07,
        "provider_specific_entry": {"us": 1.1},
    }
    table = {
        "sample_spec": {"litellm_provider": "one of"},
        "claude-new-1": fields,
        "claude-opus-4-6": fields,
        "claude-half": {"litellm_provider": "anthropic", "input_cost_per_token": 1},
        "vertex/claude-new-1": {**fields, "litellm_provider": "vertex_ai"},
        "odd": 5,
    }
    found = prices.parse_prices(litellm.convert_prices(table, prices.load_bundled(), "2026-12-01", "somewhere"))
    new, opus = found.models["claude-new-1"], found.models["claude-opus-4-6"]
    assert (new.rates["input"], new.rates["cache_write_1h"], new.tiers[ABOVE_200K]["cache_write_1h"]) == (2, 4, 8)
    assert (opus.rates["input"], opus.fast_multiplier, opus.us_multiplier) == (2, 6, 1.1)
    assert "claude-half" not in found.models
    assert found.models["claude-3-opus"] == prices.load_bundled().models["claude-3-opus"]


@pytest.mark.parametrize("document", [{}, [], 5, {"a": {"litellm_provider": "anthropic"}}, None])
def test_what_is_no_table_is_refused(document: object) -> None:
    with pytest.raises(UsageError, match="neither"):
        litellm.convert_prices(document, prices.load_bundled(), "2026-12-01", "somewhere")


def test_the_list_that_is_printed_can_be_put_in_force(tmp_path: Path) -> None:
    plain = {model: prices.describe_price(one) for model, one in prices.load_bundled().models.items()}
    saved = prices.save(str(tmp_path), json.loads(json.dumps({**listed(), "models": plain})), {})
    assert saved.models == prices.load_bundled().models


def test_a_number_too_large_for_a_float_is_no_rate() -> None:
    assert not is_rate(10**400)
    assert check_overrides({"a-model": {"input": 10**400}})
    with pytest.raises(UsageError, match="nor LiteLLM's table"):
        litellm.convert_prices(
            {"claude-x": {"litellm_provider": "anthropic", "input_cost_per_token": 10**400}},
            prices.load_bundled(),
            "2026-11-22",
            "there",
        )


def test_a_downloaded_list_keeps_no_secret_of_its_address() -> None:
    address = "https://ada:hunter2@prices.example/list.json?token=hunter3#hunter4"
    assert addresses.hide_secrets(address) == "https://prices.example/list.json"
    with pytest.raises(UsageError) as refused:
        price_update.fetch(address, "/nowhere", {}, datetime.now(UTC))
    assert "hunter" not in str(refused.value)

"""What the reports' answers say: exact money, counts that are told, clean names."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ullage.base.errors import SourceError
from ullage.org import rows, totals

if TYPE_CHECKING:
    from ullage.org.reports import Kind

DAY = "2026-11-20T00:00:00Z"


def page(kind: Kind, *entries: object, **more: object) -> rows.Page:
    text = json.dumps({"data": entries, "has_more": False, "next_page": None, **more})
    return rows.parse_rows(kind, json.loads(text, parse_float=Decimal))


def bucket(*results: object, at: object = DAY) -> dict[str, object]:
    return {"starting_at": at, "ending_at": "2026-11-21T00:00:00Z", "results": results}


def test_a_bucket_of_messages() -> None:
    result = {
        "model": "claude-opus-5",
        "workspace_id": None,
        "uncached_input_tokens": 1500,
        "cache_creation": {"ephemeral_1h_input_tokens": 1000, "ephemeral_5m_input_tokens": 500},
        "cache_read_input_tokens": 200,
        "output_tokens": 0,
        "server_tool_use": {"web_search_requests": 10},
    }
    [row] = page("usage", bucket(result)).rows
    assert row.day == date(2026, 11, 20)
    assert row.labels == {"model": "claude-opus-5"}
    assert row.counts == {
        "uncached_input_tokens": 1500,
        "cache_read_input_tokens": 200,
        "output_tokens": 0,
        "cache_write_5m_tokens": 500,
        "cache_write_1h_tokens": 1000,
        "web_searches": 10,
    }
    assert row.cost is None


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("123.78912", "1.2378912"),
        ("0", "0"),
        ("-250", "-2.50"),
        (141, "1.41"),
        (10.25, "0.1025"),
        ("99999999999.000001", "999999999.99000001"),
        ("1e3", "10"),
    ],
)
def test_cents_become_the_currencys_unit_to_the_last_digit(told: object, expected: str) -> None:
    [row] = page("cost", bucket({"amount": told, "currency": "USD"})).rows
    assert row.cost == Decimal(expected)
    assert isinstance(row.cost, Decimal)
    assert row.currency == "USD"


@pytest.mark.parametrize("told", ["", "a lot", "NaN", "Infinity", "-inf", True, [], "1e30"])
def test_what_is_no_amount_is_not_taken_for_one(told: object) -> None:
    with pytest.raises(SourceError, match="an amount of money in it is none"):
        page("cost", bucket({"amount": told, "currency": "USD"}))


def test_an_amount_that_is_not_told_is_absent_and_a_currency_that_is_not_is_none() -> None:
    silent, odd = page("cost", bucket({"amount": None}, {"amount": "1"})).rows
    assert (silent.cost, silent.currency) == (None, None)
    assert odd.currency == "XXX"


@given(st.lists(st.integers(-(10**12), 10**12).map(lambda n: Decimal(n).scaleb(-6)), min_size=1, max_size=50))
def test_sums_of_money_are_exact(amounts: list[Decimal]) -> None:
    found = page("cost", bucket(*({"amount": f"{amount:f}", "currency": "USD"} for amount in amounts))).rows
    assert totals.add_all(found).costs["USD"] * 100 == sum(amounts)


@pytest.mark.parametrize("told", [None, -1, 1.5, "7", True, 10**19, []])
def test_a_count_that_can_be_none_is_absent(told: object) -> None:
    [row] = page("usage", bucket({"output_tokens": told})).rows
    assert "output_tokens" not in row.counts


DEVELOPER: dict[str, Any] = {
    "date": "2026-11-20T00:00:00Z",
    "actor": {"type": "user_actor", "email_address": "ada@example.com"},
    "customer_type": "subscription",
    "subscription_type": "team",
    "terminal_type": "vscode",
    "core_metrics": {
        "num_sessions": 5,
        "lines_of_code": {"added": 1543, "removed": 892},
        "commits_by_claude_code": 12,
        "pull_requests_by_claude_code": 2,
    },
    "tool_actions": {"edit_tool": {"accepted": 45, "rejected": 5}, "write_tool": {"accepted": 8}},
    "model_breakdown": [
        {
            "model": "claude-opus-5",
            "tokens": {"input": 100, "output": 35, "cache_read": 10, "cache_creation": 5},
            "estimated_cost": {"currency": "USD", "amount": 141},
        }
    ],
}


def test_what_a_person_did_with_claude_code() -> None:
    core, model = page("claude-code", DEVELOPER).rows
    assert core.labels == {"person": "ada@example.com", "terminal": "vscode", "customer": "team"}
    assert core.counts == {
        "sessions": 5,
        "lines_added": 1543,
        "lines_removed": 892,
        "commits": 12,
        "pull_requests": 2,
        "edits_accepted": 53,
        "edits_rejected": 5,
    }
    assert model.labels == {**core.labels, "model": "claude-opus-5"}
    assert model.counts == {"input_tokens": 100, "cache_write_tokens": 5, "cache_read_tokens": 10, "output_tokens": 35}
    assert model.cost == Decimal("1.41")


def test_by_model_a_persons_sessions_are_nobodys() -> None:
    found = page("claude-code", DEVELOPER).rows
    [total] = totals.add_up(found, ["model"])
    assert total.labels == {"model": "claude-opus-5"}
    assert "sessions" not in total.counts
    [person] = totals.add_up(found, ["person"])
    assert person.counts["sessions"] == 5
    assert person.costs == {"USD": Decimal("1.41")}


def test_a_day_without_its_time_is_a_day() -> None:
    core, _ = page("claude-code", {**DEVELOPER, "date": "2026-11-20"}).rows
    assert core.at == datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("actor", "name"),
    [
        ({"type": "api_actor", "api_key_name": "deploy"}, "key deploy"),
        ({"email": "j@example.com", "name": "Jane", "user_id": "user_1"}, "j@example.com"),
        ({"email": None, "name": "Jane", "user_id": "user_1"}, "Jane"),
        ({"user_id": "user_1", "deleted": True}, "user_1"),
        ({"email": "evil\x1b[31m\u202e\n\x07@example.com"}, "evil[31m @example.com"),
        ({"email": "x" * 1000}, "x" * 120),
        ({}, "unnamed"),
        (None, "unnamed"),
        ("Jane", "unnamed"),
    ],
)
def test_names_of_people_are_clean(actor: object, name: str) -> None:
    entry = {"actor": actor, "starting_at": DAY, "requests": 1}
    assert page("people-usage", entry).rows[0].labels["person"] == name


def test_a_person_on_an_enterprise_plan() -> None:
    entry = {
        "actor": {"email": "j@example.com"},
        "starting_at": DAY,
        "product": "chat",
        "requests": 128,
        "total_tokens": 5377000,
        "rbac_group_id": None,
    }
    told = page("people-usage", entry, data_refreshed_at="2026-11-21T10:00:00Z")
    assert told.rows[0].labels == {"person": "j@example.com", "product": "chat"}
    assert told.rows[0].counts == {"requests": 128, "total_tokens": 5377000}
    assert told.refreshed_at == datetime(2026, 11, 21, 10, tzinfo=UTC)
    [cost] = page("people-cost", {**entry, "amount": "250.5", "list_amount": "300", "currency": "USD"}).rows
    assert cost.cost == Decimal("2.505")


@pytest.mark.parametrize("body", [None, [], "x", {}, {"data": None}, {"data": {}}, {"error": {}}])
def test_what_is_no_report(body: object) -> None:
    with pytest.raises(SourceError) as caught:
        rows.parse_rows("usage", body)
    assert caught.value.code == "unexpected_shape"


@pytest.mark.parametrize("at", [None, 5, "", "soon", "2026-99-99T00:00:00Z", []])
def test_a_row_without_its_day_is_no_row(at: object) -> None:
    with pytest.raises(SourceError, match="a time in it is none"):
        page("usage", bucket({"output_tokens": 1}, at=at))


def test_odd_entries_are_left_out() -> None:
    told = page("usage", None, "x", {"starting_at": DAY, "results": None}, bucket(None, "x", {"output_tokens": 1}))
    assert len(told.rows) == 1
    core, *models = page("claude-code", {"date": DAY, "model_breakdown": [None, {}], "tool_actions": {"x": 1}}).rows
    assert core.counts == {}
    assert [model.labels["model"] for model in models] == ["unnamed"]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"has_more": True, "next_page": "page_2"}, "page_2"),
        ({"has_more": False, "next_page": "page_2"}, None),
        ({"has_more": True, "next_page": None}, None),
        ({"has_more": True, "next_page": 5}, None),
        ({"has_more": "yes", "next_page": "page_2"}, None),
    ],
)
def test_where_the_next_page_is(more: dict[str, object], expected: str | None) -> None:
    assert page("usage", **more).next_page == expected


def row(day: int, cost: str | None = None, currency: str = "USD", **labels: str) -> rows.ReportRow:
    return rows.ReportRow(
        at=datetime(2026, 11, day, 7, tzinfo=UTC),
        labels=labels,
        counts={"output_tokens": day} if cost is None else {},
        cost=Decimal(cost) if cost else None,
        currency=currency if cost else None,
    )


def test_totals_are_in_the_order_of_days_and_then_of_size() -> None:
    found = [row(2, "1", w="small"), row(2, "5", w="large"), row(1, "1", w="small"), row(1, "1", w="small")]
    added = totals.add_up(found, ["day", "w"])
    assert [(total.labels["day"][-2:], total.labels["w"], int(total.costs["USD"])) for total in added] == [
        ("01", "small", 2),
        ("02", "large", 5),
        ("02", "small", 1),
    ]
    assert totals.add_up([], ["day"]) == []


def test_currencies_are_never_added_to_each_other() -> None:
    [total] = totals.add_up([row(1, "1"), row(1, "2", "EUR")], ["day"])
    assert total.costs == {"USD": Decimal(1), "EUR": Decimal(2)}


def test_samples_for_metrics() -> None:
    found = [*page("usage", bucket({"output_tokens": 5, "total_tokens": 9, "model": "m"})).rows]
    assert list(totals.list_samples("usage", found, ["model"])) == [
        totals.MetricSample(
            name="ullage_org_tokens", labels={"report": "usage", "model": "m", "type": "output"}, value=Decimal(5)
        )
    ]
    [cost] = totals.list_samples("cost", [row(1, "1.5")], ["workspace_id"])
    assert cost == totals.MetricSample(
        name="ullage_org_cost", labels={"report": "cost", "currency": "USD"}, value=Decimal("1.5")
    )
    names = {
        sample.name for sample in totals.list_samples("claude-code", page("claude-code", DEVELOPER).rows, ["person"])
    }
    assert names == {f"ullage_org_{name}" for name in ("tokens", "cost", "sessions", "commits", "pull_requests")} | {
        f"ullage_org_{name}" for name in ("lines_added", "lines_removed", "edits_accepted", "edits_rejected")
    }


@pytest.mark.parametrize("told", ["1e400", "1e9999999", "1e-900000", "0e-900000", "9" * 100_000, "sNaN"])
def test_an_amount_that_a_short_text_makes_endless_is_none(told: str) -> None:
    with pytest.raises(SourceError, match="amount of money"):
        page("cost", bucket({"amount": told, "currency": "USD"}))


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_time_that_its_zone_carries_off_the_calendar_is_none(at: str) -> None:
    with pytest.raises(SourceError, match="a time in it is none"):
        page("cost", bucket({"amount": "1"}, at=at))

"""The document of `ullage usage --json` against the schema that `ullage schema` publishes."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.support.samples import NOW, moments, problems, reading, readings, window
from ullage.quota import contract, schemas
from ullage.quota.model import Account, Credits, Money, Problem, Reading, Thresholds
from ullage.quota.pace import Forecast
from ullage.quota.schedule import Schedule
from ullage.sources.wire import parse_usage

SCHEMA = json.loads(json.dumps(schemas.build_schema("usage")))
VALIDATOR = Draft202012Validator(SCHEMA)
PLAN = Schedule(account_id="a1b2", attempted_at=NOW, refresh_at=NOW + timedelta(minutes=5))
DOLLARS = Money(amount_minor=5000, currency="USD", exponent=2)
EPOCH_AS_PERCENT: dict[str, object] = {
    "five_hour": {"utilization": 1795357200, "resets_at": None},
    "limits": [],
    "extra_usage": None,
}


def document(known: Reading | None, schedule: Schedule = PLAN, now: datetime = NOW) -> dict[str, Any]:
    """The document as a program reads it, valid by the published schema."""
    parsed: dict[str, Any] = json.loads(contract.encode(contract.build_document(known, schedule, Thresholds(), now)))
    VALIDATOR.validate(parsed)
    return parsed


def test_the_schema_is_one_of_the_draft_that_it_names() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


KNOWN = reading(
    window(used=37.0, severity="normal", headline=True),
    window("seven_day", 104.0, resets_at=None),
    credits=Credits(enabled=True, used=DOLLARS.replace(amount_minor=1234), limit=DOLLARS, used_percent=24.68),
)


def test_a_fresh_reading() -> None:
    assert document(KNOWN, now=NOW + timedelta(seconds=12)) == {
        "schema": 1,
        "account": {
            "id": "a1b2",
            "plan": "max",
            "tier": "default_claude_max_20x",
            "organization_id": None,
            "organization": None,
        },
        "source": "oauth",
        "as_of": "2026-11-22T10:38:49Z",
        "age_seconds": 12,
        "state": "fresh",
        "windows": [
            {
                "id": "five_hour",
                "label": "Five hour",
                "used_percent": 37.0,
                "left_percent": 63.0,
                "resets_at": "2026-11-22T12:51:49Z",
                "resets_in_seconds": 7968,
                "severity": "normal",
                "headline": True,
                "source": "oauth",
                "as_of": "2026-11-22T10:38:49Z",
                "state": "fresh",
                "has_reset": False,
                "pace": None,
                "listed": True,
                "used": None,
                "limit": None,
                "dated": True,
                "stated_severity": "normal",
                "heard": False,
                "starts_at": "2026-11-22T07:51:49Z",
            },
            {
                "id": "seven_day",
                "label": "Seven day",
                "used_percent": 104.0,
                "left_percent": 0.0,
                "resets_at": None,
                "resets_in_seconds": None,
                "severity": "exhausted",
                "headline": False,
                "source": "oauth",
                "as_of": "2026-11-22T10:38:49Z",
                "state": "fresh",
                "has_reset": False,
                "pace": None,
                "listed": True,
                "used": None,
                "limit": None,
                "dated": True,
                "stated_severity": None,
                "heard": False,
                "starts_at": None,
            },
        ],
        "credits": {
            "enabled": True,
            "used": {"amount_minor": 1234, "currency": "USD", "exponent": 2},
            "limit": {"amount_minor": 5000, "currency": "USD", "exponent": 2},
            "used_percent": 24.68,
            "as_of": "2026-11-22T10:38:49Z",
            "disabled_reason": None,
            "severity": "normal",
        },
        "next_refresh_at": "2026-11-22T10:43:49Z",
        "problem": None,
        "pools": [],
        "breakdown": [],
        "generated_at": "2026-11-22T10:39:01Z",
        "listing": True,
    }


@pytest.mark.parametrize(
    ("hours", "state", "used", "has_reset"),
    [(0, "fresh", 37.0, False), (1, "stale", 37.0, False), (3, "stale", None, True), (6, "expired", None, True)],
)
def test_what_time_makes_of_a_window(hours: int, state: str, used: float | None, has_reset: bool) -> None:
    stated = document(KNOWN, now=NOW + timedelta(hours=hours))
    first = stated["windows"][0]
    assert (stated["state"], first["state"], first["used_percent"], first["has_reset"]) == (
        state,
        state,
        used,
        has_reset,
    )
    assert (first["left_percent"] is None) is (used is None)
    assert (first["resets_at"] is None) is has_reset
    assert (stated["credits"] is None) is (state == "expired")


def test_nothing_known_is_null_and_not_zero() -> None:
    stated = document(None, Schedule())
    assert stated == {
        "schema": 1,
        "account": dict.fromkeys(("id", "plan", "tier", "organization_id", "organization")),
        **dict.fromkeys(("source", "as_of", "age_seconds", "credits", "next_refresh_at", "problem")),
        "state": "none",
        "windows": [],
        "pools": [],
        "breakdown": [],
        "generated_at": "2026-11-22T10:38:49Z",
        "listing": False,
    }


def test_a_percentage_that_cannot_be_one_is_null_with_its_problem() -> None:
    implausible = parse_usage(EPOCH_AS_PERCENT, account=Account(), source="oauth", as_of=NOW)
    stated = document(implausible)
    [only] = stated["windows"]
    assert (only["used_percent"], only["left_percent"]) == (None, None)
    assert stated["problem"]["code"] == "implausible_percent"


def test_the_last_refreshs_problem_goes_before_the_readings() -> None:
    late = Problem(code="timeout", message="The server did not answer.", retry_at=NOW + timedelta(minutes=5))
    stated = document(
        KNOWN.replace(problem=Problem(code="implausible_percent", message="…")), PLAN.replace(problem=late)
    )
    assert stated["problem"] == {
        "code": "timeout",
        "message": "The server did not answer.",
        "retry_at": "2026-11-22T10:43:49Z",
    }


def test_the_age_of_a_reading_from_the_future_is_unknown() -> None:
    assert document(KNOWN, now=NOW - timedelta(minutes=5))["age_seconds"] is None
    assert document(KNOWN, now=NOW - timedelta(seconds=30))["age_seconds"] == 0


@given(
    st.none() | readings(),
    st.builds(
        Schedule,
        attempted_at=st.just(NOW),
        refresh_at=st.none() | moments(NOW, NOW + timedelta(hours=1)),
        problem=st.none() | problems,
    ),
    moments(NOW - timedelta(days=1), NOW + timedelta(days=12)),
)
def test_every_document_is_valid_and_says_only_what_is_known(
    known: Reading | None, schedule: Schedule, now: datetime
) -> None:
    stated = document(known, schedule, now)
    for each in stated["windows"]:
        assert (each["used_percent"] is None) is (each["left_percent"] is None)
        if each["has_reset"] or each["state"] == "expired":
            assert each["used_percent"] is None
            assert each["severity"] == "normal"
        assert (each["resets_at"] is None) is (each["resets_in_seconds"] is None)


# The keys that version 1 was published with: more may come, none may go.
PUBLISHED = {
    "": "schema account source as_of age_seconds state windows credits next_refresh_at problem",
    "account": "id plan tier",
    "windows": "id label used_percent left_percent resets_at resets_in_seconds severity headline source as_of pace",
    "credits": "enabled used limit used_percent",
    "credits.used": "amount_minor currency exponent",
    "credits.limit": "amount_minor currency exponent",
    "problem": "code message retry_at",
}


@pytest.mark.parametrize(("path", "keys"), PUBLISHED.items())
def test_what_was_published_stays(path: str, keys: str) -> None:
    at: Any = document(KNOWN, PLAN.replace(problem=Problem(code="timeout", message="…")))
    for name in filter(None, path.split(".")):
        at = at[name][0] if isinstance(at[name], list) else at[name]
    assert set(keys.split()) <= set(at)


def test_pace_has_its_published_keys() -> None:
    assert set(SCHEMA["$defs"]["PaceDocument"]["properties"]) == {
        *("ratio", "projected_percent", "projected_low", "projected_high"),
        *("exhausts_at", "exhausts_earliest", "exhausts_latest", "verdict"),
    }


def places_of_objects(value: object) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return [found for item in value for found in places_of_objects(item)]
    if not isinstance(value, dict):
        return []
    return [value, *(found for item in value.values() for found in places_of_objects(item))]


def test_fields_that_a_later_version_adds_are_valid_everywhere() -> None:
    stated = document(KNOWN)
    for place in places_of_objects(stated):
        place["added_later"] = {"anything": 1}
    VALIDATOR.validate(stated)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("schema", 2),
        ("state", "old"),
        ("age_seconds", -1),
        ("as_of", "2026-11-22 10:38"),
        ("windows", None),
        ("account", None),
        ("credits", 0),
    ],
)
def test_the_schema_refuses_what_the_contract_never_says(key: str, value: object) -> None:
    assert not VALIDATOR.is_valid({**document(KNOWN), key: value})
    assert not VALIDATOR.is_valid({name: each for name, each in document(KNOWN).items() if name != key})


def test_pace_says_what_is_expected_and_null_where_it_lasts() -> None:
    forecast = Forecast(
        ratio=1.2345,
        projected_percent=150.0,
        projected_low=99.5,
        projected_high=200.25,
        exhausts_at=NOW + timedelta(hours=1),
        exhausts_earliest=NOW + timedelta(minutes=30),
    )
    stated = contract.build_document(KNOWN, PLAN, Thresholds(), NOW, {"five_hour": forecast})
    parsed = json.loads(contract.encode(stated))
    VALIDATOR.validate(parsed)
    assert [each["pace"] for each in parsed["windows"]] == [
        {
            "ratio": 1.23,
            "projected_percent": 150.0,
            "projected_low": 99.5,
            "projected_high": 200.25,
            "exhausts_at": "2026-11-22T11:38:49Z",
            "exhausts_earliest": "2026-11-22T11:08:49Z",
            "exhausts_latest": None,
            "verdict": "runs_out",
        },
        None,
    ]

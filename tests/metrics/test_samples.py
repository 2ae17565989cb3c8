"""What is known becomes samples; what is not known becomes none."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from prometheus_client.parser import text_string_to_metric_families

from tests.support.samples import HOUR, NOW, reading, readings, window
from ullage.metrics import formats, samples
from ullage.metrics.names import Names
from ullage.quota.model import Account, Credits, Money, Problem, Thresholds
from ullage.quota.pace import Forecast
from ullage.quota.schedule import Schedule
from ullage.store.overview import Overview

if TYPE_CHECKING:
    from ullage.quota.model import Reading

LIMITS = Thresholds()
PSEUDONYM = Names().name_account("a1b2", None)


def overview(known: Reading | None, schedule: Schedule | None = None, **more: object) -> Overview:
    return Overview(reading=known, schedule=schedule or Schedule(), samples={}, forecasts={}).replace(**more)


def expose(*overviews: Overview, at: timedelta = timedelta(), openmetrics: bool = False) -> bytes:
    return formats.encode(samples.build_families(overviews, LIMITS, NOW + at, Names()), openmetrics=openmetrics)


def values(*overviews: Overview, at: timedelta = timedelta()) -> dict[str, list[tuple[dict[str, str], float]]]:
    """Every sample by metric, read back from the text as a server reads it."""
    text = expose(*overviews, at=at).decode()
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((dict(sample.labels), sample.value))
    return found


def test_a_window_is_told_as_a_share_with_its_reset() -> None:
    found = values(overview(reading(window(used=37.0))))
    labels = {"account": PSEUDONYM, "window": "five_hour"}
    assert found["ullage_window_used_ratio"] == [(labels, 0.37)]
    assert found["ullage_window_resets_timestamp_seconds"] == [
        (labels, (NOW + timedelta(hours=2, minutes=13)).timestamp())
    ]
    assert found["ullage_window_reading_timestamp_seconds"] == [(labels, NOW.timestamp())]


def test_after_the_reset_nothing_is_told_of_what_was_used_before() -> None:
    found = values(overview(reading(window(used=99.0))), at=3 * HOUR)
    assert "ullage_window_used_ratio" not in found
    assert "ullage_window_resets_timestamp_seconds" not in found
    assert found["ullage_window_reading_timestamp_seconds"][0][1] == NOW.timestamp()


def test_a_statement_that_has_expired_is_no_number() -> None:
    known = reading(window(resets_at=NOW + 20 * HOUR), credits=Credits(enabled=True))
    found = values(overview(known), at=6 * HOUR)
    assert "ullage_window_used_ratio" not in found
    assert "ullage_credits_enabled" not in found
    assert found["ullage_reading_timestamp_seconds"][0][1] == NOW.timestamp()


def test_a_percentage_that_no_source_told_is_absent_and_not_0() -> None:
    assert "ullage_window_used_ratio" not in values(overview(reading(window(used=None))))
    assert values(overview(reading(window(used=0.0))))["ullage_window_used_ratio"][0][1] == 0


def test_a_forecast_is_told_where_there_is_one() -> None:
    expected = Forecast(projected_percent=118.0, exhausts_at=NOW + HOUR)
    found = values(overview(reading(window()), forecasts={"five_hour": expected}))
    assert found["ullage_window_projected_ratio"][0][1] == 1.18
    assert found["ullage_window_exhausts_timestamp_seconds"][0][1] == (NOW + HOUR).timestamp()
    assert "ullage_window_projected_ratio" not in values(overview(reading(window())))


def test_credits_are_told_in_whole_units_of_their_currency() -> None:
    used = Money(amount_minor=1234, currency="USD", exponent=2)
    limit = Money(amount_minor=500, currency="JPY", exponent=0)
    found = values(overview(reading(credits=Credits(enabled=True, used=used, limit=limit))))
    assert found["ullage_credits_used"] == [({"account": PSEUDONYM, "currency": "USD"}, 12.34)]
    assert found["ullage_credits_limit"] == [({"account": PSEUDONYM, "currency": "JPY"}, 500.0)]
    assert found["ullage_credits_enabled"][0][1] == 1


def test_refreshes_are_told_with_what_went_wrong() -> None:
    schedule = Schedule(
        account_id="a1b2",
        attempted_at=NOW,
        succeeded_at=NOW - HOUR,
        failures=3,
        hold_until=NOW + HOUR,
        problem=Problem(code="rate_limited", message="Secret words that are nobody's business."),
    )
    found = values(overview(None, schedule))
    assert found["ullage_refresh_attempt_timestamp_seconds"][0][1] == NOW.timestamp()
    assert found["ullage_refresh_success_timestamp_seconds"][0][1] == (NOW - HOUR).timestamp()
    assert found["ullage_refresh_failures"][0][1] == 3
    assert found["ullage_refresh_held_until_timestamp_seconds"][0][1] == (NOW + HOUR).timestamp()
    assert found["ullage_problem_info"] == [({"account": PSEUDONYM, "code": "rate_limited"}, 1.0)]
    assert b"Secret" not in expose(overview(None, schedule))
    assert "ullage_refresh_held_until_timestamp_seconds" not in values(overview(None, schedule), at=2 * HOUR)


def test_where_nothing_is_known_nothing_is_told_but_that() -> None:
    assert set(values(overview(None))) == {"ullage_build_info", "ullage_account_info"}


def test_profiles_without_an_account_stay_apart() -> None:
    nameless = reading(window(), account=Account())
    found = values(overview(nameless), overview(nameless, profile="/other"))["ullage_window_used_ratio"]
    assert len({labels["account"] for labels, _ in found}) == 2


def test_labels_from_outside_cannot_break_out_of_their_quotes() -> None:
    hostile = 'a"} 1\nullage_window_used_ratio{account="x\\'
    known = reading(window(id=hostile), account=Account(id="a1b2", plan=hostile, tier="\\"))
    found = values(overview(known))
    assert found["ullage_window_used_ratio"] == [({"account": PSEUDONYM, "window": hostile}, 0.37)]
    assert found["ullage_account_info"][0][0]["plan"] == hostile


def test_ten_thousand_windows_are_cut_to_those_that_a_reading_may_hold() -> None:
    known = reading(*(window(id=f"w{number}") for number in range(10_000)))
    assert len(values(overview(known))["ullage_window_used_ratio"]) == samples.MOST_WINDOWS


def test_a_window_that_is_listed_twice_is_told_once() -> None:
    found = values(overview(reading(window(used=10.0), window(used=20.0))))
    assert [value for _, value in found["ullage_window_used_ratio"]] == [0.1]


@given(readings())
def test_every_sample_is_of_a_metric_in_the_table_with_its_labels(known: Reading) -> None:
    labels_of = {metric.name: set(metric.labels) for metric in samples.METRICS}
    for family in samples.build_families([overview(known)], LIMITS, NOW, Names()):
        for labels, _ in family.samples:
            assert set(labels) == labels_of[family.metric.name]


@pytest.mark.parametrize("openmetrics", [False, True])
def test_the_text_is_utf_8_and_ends_its_last_line(openmetrics: bool) -> None:
    text = expose(overview(reading(window())), openmetrics=openmetrics)
    assert text.decode().endswith("# EOF\n" if openmetrics else "\n")

"""What may still be said at a moment, and what values from outside may become."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.samples import NOW, reading, readings, window, windows
from ullage.base import values
from ullage.quota import model
from ullage.quota.model import Credits, Money, Thresholds

if TYPE_CHECKING:
    from ullage.quota.model import Kind, Severity, State

LIMITS = Thresholds()
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("age", "state"),
    [
        (timedelta(0), "fresh"),
        (15 * MINUTE - timedelta(microseconds=1), "fresh"),
        (15 * MINUTE, "stale"),
        (360 * MINUTE - timedelta(microseconds=1), "stale"),
        (360 * MINUTE, "expired"),
        (timedelta(days=400), "expired"),
        (-MINUTE, "fresh"),
        (-MINUTE - timedelta(microseconds=1), "stale"),
        (timedelta(days=-400), "stale"),
    ],
)
def test_state_by_age(age: timedelta, state: State) -> None:
    assert model.judge_age(NOW - age, NOW, LIMITS) == state


def test_who_expires_numbers_before_they_grow_stale_sees_no_stale_ones() -> None:
    thresholds = Thresholds(stale_after=60 * MINUTE, expire_after=30 * MINUTE)
    assert model.judge_age(NOW - 30 * MINUTE, NOW, thresholds) == "expired"


@pytest.mark.parametrize(
    ("used", "word", "severity"),
    [
        (0.0, None, "normal"),
        (74.9, None, "normal"),
        (75.0, None, "warning"),
        (89.9, None, "warning"),
        (90.0, None, "critical"),
        (99.99, None, "critical"),
        (100.0, None, "exhausted"),
        (140.0, "normal", "exhausted"),
        (10.0, "warning", "warning"),
        (10.0, "critical", "critical"),
        (80.0, "normal", "warning"),
        (80.0, "critical", "critical"),
        (95.0, "warning", "critical"),
        (None, "critical", "normal"),
    ],
)
def test_severity_is_the_graver_of_thresholds_and_the_servers_word(
    used: float | None, word: Severity | None, severity: Severity
) -> None:
    assert model.grade_window(window(used=used, severity=word), NOW, LIMITS) == severity


def test_thresholds_are_the_persons() -> None:
    thresholds = Thresholds(warning_percent=10, critical_percent=20)
    assert [model.grade_window(window(used=used), NOW, thresholds) for used in (9.0, 10.0, 20.0)] == [
        "normal",
        "warning",
        "critical",
    ]


@pytest.mark.parametrize("word", ["warning", "critical", "exhausted"])
def test_from_the_reset_on_percent_and_severity_are_unknown(word: Severity) -> None:
    stated = window(used=99.0, severity=word, resets_at=NOW)
    before = NOW - timedelta(microseconds=1)
    assert model.find_used_percent(stated, before, LIMITS) == 99.0
    assert model.find_used_percent(stated, NOW, LIMITS) is None
    assert model.grade_window(stated, NOW, LIMITS) == "normal"
    assert (model.has_reset(stated, before), model.has_reset(stated, NOW)) == (False, True)


def test_a_window_that_has_not_started_never_resets() -> None:
    stated = window(used=0.0, resets_at=None)
    assert not model.has_reset(stated, NOW + timedelta(days=999))


def test_an_expired_percentage_is_unknown() -> None:
    stated = window(as_of=NOW - 360 * MINUTE)
    assert model.find_used_percent(stated, NOW, LIMITS) is None


@pytest.mark.parametrize(
    ("candidates", "binding"),
    [
        ([("five_hour", 10.0, {}), ("seven_day", 40.0, {})], "seven_day"),
        ([("five_hour", 40.0, {}), ("seven_day", 40.0, {"headline": True})], "seven_day"),
        ([("five_hour", 41.0, {}), ("seven_day", 40.0, {"headline": True})], "five_hour"),
        ([("five_hour", 99.0, {"resets_at": NOW}), ("seven_day", 0.0, {})], "seven_day"),
        ([("five_hour", 99.0, {"as_of": NOW - timedelta(hours=6)}), ("seven_day", 3.0, {})], "seven_day"),
        ([("five_hour", None, {}), ("seven_day", 0.0, {})], "seven_day"),
        ([("five_hour", None, {}), ("seven_day", None, {})], "five_hour"),
        ([("tangelo", 100.0, {}), ("five_hour", 1.0, {})], "five_hour"),
        ([("five_hour", 50.0, {}), ("seven_day_fable", 140.0, {})], "seven_day_fable"),
        ([("tangelo", 100.0, {})], None),
        ([], None),
    ],
)
def test_the_window_that_binds_first(
    candidates: list[tuple[str, float | None, dict[str, object]]], binding: str | None
) -> None:
    found = model.find_binding_window(tuple(window(id, used, **more) for id, used, more in candidates), NOW, LIMITS)
    assert (found.id if found else None) == binding


@given(windows())
def test_nothing_known_is_nearer_to_its_limit_than_the_binding_window(stated: tuple[model.Window, ...]) -> None:
    binding = model.find_binding_window(stated, NOW, LIMITS)
    known = [model.find_used_percent(each, NOW, LIMITS) for each in stated if each.is_listed]
    if binding is not None:
        assert model.find_used_percent(binding, NOW, LIMITS) == max((u for u in known if u is not None), default=None)


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("5h", "five_hour"),
        ("five_hour", "five_hour"),
        ("7d", "seven_day"),
        ("fable", "seven_day_fable"),
        ("seven_day_fable", "seven_day_fable"),
        ("tangelo", "tangelo"),
        ("opus", None),
        ("", None),
    ],
)
def test_find_window_by_the_name_of_a_template(name: str, id: str | None) -> None:
    known = tuple(window(each) for each in ("five_hour", "seven_day", "seven_day_fable", "tangelo"))
    found = model.find_window(known, name)
    assert (found.id if found else None) == id


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("5H", "five_hour"),
        ("Session (5h)", "five_hour"),
        ("session", "five_hour"),
        ("Week (all models)", "seven_day"),
        ("WEEK", "seven_day"),
        ("Week (Fable 5.1)", "seven_day_fable_5_1"),
        ("week fable", None),
        ("(", None),
    ],
)
def test_find_window_by_what_people_read(name: str, id: str | None) -> None:
    labels = {
        "five_hour": "Session (5h)",
        "seven_day": "Week (all models)",
        "seven_day_fable_5_1": "Week (Fable 5.1)",
    }
    found = model.find_window(tuple(window(each, label=label) for each, label in labels.items()), name)
    assert (found.id if found else None) == id


SOME_TIME = datetime(2026, 11, 25, 17, 0, 0, tzinfo=UTC)
EPOCH = int(SOME_TIME.timestamp())


@pytest.mark.parametrize(
    ("value", "time"),
    [
        ("2026-11-25T17:00:00Z", SOME_TIME),
        ("2026-11-25T17:00:00+00:00", SOME_TIME),
        ("2026-11-25T19:30:00+02:30", SOME_TIME),
        ("2026-11-25T17:00:00", SOME_TIME),
        ("2026-11-25T17:00:00.084069+00:00", SOME_TIME.replace(microsecond=84069)),
        ("2026-11-25T17:00:00.084Z", SOME_TIME.replace(microsecond=84000)),
        (EPOCH, SOME_TIME),
        (float(EPOCH) + 0.5, SOME_TIME + timedelta(seconds=0.5)),
        (EPOCH * 1000, SOME_TIME),
        (EPOCH * 1000.0, SOME_TIME),
    ],
)
def test_parse_time(value: object, time: datetime) -> None:
    parsed = values.parse_time(value)
    assert parsed == time
    assert parsed.tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "soon",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "1970-01-01T00:00:00Z",
        "2026-13-45T00:00:00Z",
        "2026-11-25T17:00:00\udc80",
        str(EPOCH),
        0,
        -1,
        -EPOCH,
        10**18,
        10**400,
        -(10**400),
        1e300,
        math.nan,
        math.inf,
        -math.inf,
        True,
        [EPOCH],
        {"time": EPOCH},
    ],
)
def test_what_is_no_time_of_our_days_is_none(value: object) -> None:
    assert values.parse_time(value) is None


@given(st.datetimes(datetime(2002, 1, 1), datetime(2198, 1, 1)), st.integers(-23, 23))  # noqa: DTZ001  # aware below
def test_times_survive_their_text_in_any_zone(moment: datetime, hours: int) -> None:
    aware = moment.replace(tzinfo=timezone(timedelta(hours=hours)))
    assert values.parse_time(aware.isoformat()) == aware


@pytest.mark.parametrize(
    ("value", "percent"),
    [(0, 0.0), (37, 37.0), (42.3852, 42.3852), (104.0, 104.0), (999.9, 999.9), (-0.0, 0.0), (-0.4, 0.0)],
)
def test_parse_percent(value: float, percent: float) -> None:
    parsed = values.parse_percent(value)
    assert parsed == percent
    assert isinstance(parsed, float)
    assert math.copysign(1, parsed) == 1


@pytest.mark.parametrize(
    "value", [None, True, False, "37", -1, -3.5, 1000, EPOCH, EPOCH * 1000, 10**400, math.nan, math.inf, [3], {}]
)
def test_what_cannot_be_a_percentage_is_none(value: object) -> None:
    assert values.parse_percent(value) is None


@given(st.integers() | st.floats() | st.text() | st.none() | st.booleans())
def test_parsers_take_anything(value: object) -> None:
    percent, time = values.parse_percent(value), values.parse_time(value)
    assert percent is None or 0 <= percent < 1000
    assert time is None or 2000 < time.year < 2201


@pytest.mark.parametrize(
    ("minutes", "same"), [(0, True), (10, True), (-10, True), (10.1, False), (-10.1, False), (300, False)]
)
def test_the_same_reset_is_told_with_a_little_difference(minutes: float, same: bool) -> None:
    assert model.is_same_reset(NOW, NOW + timedelta(minutes=minutes)) is same


def test_a_reset_that_is_not_told_is_like_no_other() -> None:
    assert model.is_same_reset(None, None)
    assert not model.is_same_reset(None, NOW)
    assert not model.is_same_reset(NOW, None)


@pytest.mark.parametrize(("kind", "hours"), [("session", 5), ("weekly", 168), ("model", 168), ("other", None)])
def test_the_length_of_a_window_goes_by_its_kind(kind: Kind, hours: int | None) -> None:
    known = None if hours is None else timedelta(hours=hours)
    assert model.find_length(window("five_hour", kind=kind)) == known
    assert model.find_length(window("seven_day_tangelo", kind=kind)) == known


def test_a_moment_is_worded_in_utc_to_the_second() -> None:
    moment = datetime(2026, 3, 1, 0, 30, 15, 999999, tzinfo=timezone(timedelta(hours=2)))
    assert values.format_time(moment) == "2026-02-28T22:30:15Z"


BUDGET = Credits(
    enabled=True,
    used=Money(amount_minor=4631, currency="USD", exponent=2),
    limit=Money(amount_minor=50_000, currency="USD", exponent=2),
    used_percent=98.0,
)


@pytest.mark.parametrize(
    ("stated", "credits", "binding"),
    [
        ([], BUDGET, "credits"),
        ([("five_hour", 0.0), ("seven_day", 0.0)], BUDGET, "credits"),
        ([("five_hour", None)], BUDGET, "credits"),
        ([("five_hour", 3.0), ("seven_day", 0.0)], BUDGET, "five_hour"),
        ([("five_hour", 0.0)], BUDGET.replace(enabled=False, disabled_reason="out_of_credits"), "five_hour"),
        ([], BUDGET.replace(enabled=False, disabled_reason="org_spend_cap_reached"), "credits"),
        ([], BUDGET.replace(enabled=False), None),
        ([], BUDGET.replace(limit=None), None),
        ([("spend_limit", 104.0), ("nimbus_quill", 0.0)], None, "spend_limit"),
        ([("nimbus_quill", 0.0)], None, None),
    ],
)
def test_money_binds_where_windows_do_not(
    stated: list[tuple[str, float | None]], credits: Credits | None, binding: str | None
) -> None:
    known = reading(*(window(id, used) for id, used in stated), credits=credits)
    found = model.find_binding_window(model.list_limits(known), NOW, LIMITS)
    assert (found.id if found else None) == binding


@given(readings())
def test_what_no_list_names_is_never_among_the_limits(known: model.Reading) -> None:
    limits = model.list_limits(known)
    assert all(each.is_listed for each in limits)
    assert {each.id for each in limits} <= {each.id for each in model.list_named_limits(known)}


MODELS = (
    "seven_day_fable",
    "seven_day_fable_5_1",
    "seven_day_claude_fable_6",
    "seven_day_opus",
    "seven_day_sonnet_only",
)


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("fable", MODELS[:3]),
        ("Fable 5.1", MODELS[1:2]),
        ("fable_5", MODELS[1:2]),
        ("claude fable", ()),
        ("seven_day_fable", MODELS[:1]),
        ("sonnet", MODELS[4:]),
        ("fab", ()),
        ("5", ()),
    ],
)
def test_a_models_name_means_every_window_whose_label_begins_with_it(name: str, ids: tuple[str, ...]) -> None:
    known = tuple(window(each) for each in MODELS)
    assert tuple(each.id for each in model.find_windows_named(known, name)) == ids


def test_of_several_versions_the_fullest_counts_that_may_be_shown() -> None:
    known = (window("seven_day_fable", 40.0), window("seven_day_fable_5_1", 96.0, resets_at=NOW))
    assert model.find_window(known, "fable") == known[1]
    assert model.find_window(known, "fable", NOW, LIMITS) == known[0]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("a", "x"), ("a", "x"), True),
        (("a", "x"), ("a", "y"), False),
        (("a", "x"), ("b", "x"), False),
        (("a", None), ("a", "x"), True),
        ((None, None), ("a", "x"), True),
        (("a", None), ("b", None), False),
    ],
)
def test_an_account_is_a_person_in_an_organisation(
    one: tuple[str | None, str | None], other: tuple[str | None, str | None], same: bool
) -> None:
    first, second = (model.Account(id=id, organization_id=organization) for id, organization in (one, other))
    assert first.may_be(second) is second.may_be(first) is same
    assert (first.key == second.key) is (one == other)


def test_a_number_of_unknown_age_is_never_fresh() -> None:
    assert model.judge_state(window(is_dated=False), NOW, LIMITS) == "stale"
    assert model.judge_state(window(is_dated=False, as_of=NOW - 360 * MINUTE), NOW, LIMITS) == "expired"

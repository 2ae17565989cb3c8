"""The usage body in every shape that has been seen, and in those that nobody should ever send."""

from __future__ import annotations

import json
import unicodedata
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.samples import NOW, reading
from ullage.base.errors import SourceError
from ullage.base.values import parse_percent
from ullage.quota import serial
from ullage.quota.model import Account, Credits, Money, Reading
from ullage.sources import wire_windows
from ullage.sources.wire import parse_usage

RESET = "2026-11-22T14:20:00.310452+00:00"
WEEKLY_RESET = "2026-11-27T06:00:00.310471+00:00"
RESET_TIME = datetime(2026, 11, 22, 14, 20, 0, 310452, tzinfo=UTC)

Body = dict[str, Any]


def parse(body: object) -> Reading:
    return parse_usage(body, account=Account(plan="max"), source="oauth", as_of=NOW)


def used(body: object) -> dict[str, float | None]:
    return {window.id: window.used_percent for window in parse(body).windows}


def flat(utilization: object = 31.0, resets_at: object = RESET, **more: object) -> Body:
    return {"utilization": utilization, "resets_at": resets_at, **more}


def limit(kind: str = "session", percent: object = 31, **more: object) -> Body:
    plain = {"severity": "normal", "resets_at": RESET, "scope": None, "is_active": False}
    return {"kind": kind, "group": kind.partition("_")[0], "percent": percent, **plain, **more}


def scoped(name: object, percent: object = 63, **more: object) -> Body:
    return limit("weekly_scoped", percent, scope={"model": {"id": None, "display_name": name}, "surface": None}, **more)


def test_flat_keys_alone() -> None:
    stated = parse({"five_hour": flat(31), "seven_day": flat(58.5, WEEKLY_RESET), "seven_day_opus": flat(7)})
    assert [(each.id, each.label, each.kind, each.used_percent) for each in stated.windows] == [
        ("five_hour", "Session (5h)", "session", 31.0),
        ("seven_day", "Week (all models)", "weekly", 58.5),
        ("seven_day_opus", "Week (Opus)", "model", 7.0),
    ]
    assert stated.windows[0].resets_at == RESET_TIME
    assert {(each.source, each.as_of, each.severity, each.headline) for each in stated.windows} == {
        ("oauth", NOW, None, False)
    }
    assert stated.problem is None
    assert stated.credits is None


def test_limits_alone() -> None:
    stated = parse(
        {
            "limits": [
                limit("weekly_all", 58, severity="warning", is_active=True, resets_at=WEEKLY_RESET),
                limit("session", 31),
                scoped("Fable", 106, severity="critical", resets_at=None),
            ]
        }
    )
    assert [(e.id, e.label, e.kind, e.used_percent, e.severity, e.headline) for e in stated.windows] == [
        ("five_hour", "Session (5h)", "session", 31.0, "normal", False),
        ("seven_day", "Week (all models)", "weekly", 58.0, "warning", True),
        ("seven_day_fable", "Week (Fable)", "model", 106.0, "critical", False),
    ]
    assert stated.windows[2].resets_at is None


@pytest.mark.parametrize("limits", [None, [], "absent", {}, "text", [None, 7, [], {}, {"kind": None}, {"kind": 3}]])
def test_without_usable_limits_the_flat_keys_speak(limits: object) -> None:
    body = {"five_hour": flat(31), "seven_day": None} | ({} if limits == "absent" else {"limits": limits})
    assert used(body) == {"five_hour": 31.0}


def test_list_and_flat_keys_are_one_window_each() -> None:
    body = {
        "five_hour": flat(31.4),
        "seven_day": flat(58.0, WEEKLY_RESET),
        "seven_day_sonnet": None,
        "limits": [limit("session", 31, is_active=True, severity="warn"), scoped("Sonnet", 12)],
    }
    stated = parse(body)
    assert {each.id: each.used_percent for each in stated.windows} == {
        "five_hour": 31.4,
        "seven_day": 58.0,
        "seven_day_sonnet": 12.0,
    }
    assert (stated.windows[0].severity, stated.windows[0].headline) == ("warning", True)


@pytest.mark.parametrize(
    ("listed", "flat_key", "shown"),
    [
        pytest.param(31, 31.4, 31.4, id="the flat key has the decimals"),
        pytest.param(32, 31.4, 31.4, id="rounded up"),
        pytest.param(31, 45.0, 31.0, id="in disagreement the list wins"),
        pytest.param(None, 45.0, 45.0, id="the list is silent"),
        pytest.param(31, None, 31.0, id="the flat key is silent"),
        pytest.param(1795357200, 45.0, 45.0, id="the list leaks an epoch"),
        pytest.param(31, 1795357200, 31.0, id="the flat key leaks an epoch"),
        pytest.param(0, 0, 0.0, id="nothing used"),
    ],
)
def test_both_merged(listed: object, flat_key: object, shown: float) -> None:
    assert used({"five_hour": flat(flat_key), "limits": [limit("session", listed)]}) == {"five_hour": shown}


def test_a_reset_that_one_of_them_does_not_tell_comes_from_the_other() -> None:
    for listed, flat_key in ((None, RESET), (RESET, None), (RESET, WEEKLY_RESET)):
        body = {"five_hour": flat(31, flat_key), "limits": [limit("session", 31, resets_at=listed)]}
        assert parse(body).windows[0].resets_at == RESET_TIME


@pytest.mark.parametrize(
    ("scope", "id", "label", "kind"),
    [
        ({"model": {"id": None, "display_name": "Fable 5.1"}}, "seven_day_fable_5_1", "Week (Fable 5.1)", "model"),
        ({"model": {"id": "fable", "display_name": None}}, "seven_day_fable", "Week (fable)", "model"),
        ({"model": {"id": "fable", "display_name": "\u200b"}}, "seven_day_fable", "Week (fable)", "model"),
        ({"model": "Fable"}, "seven_day_fable", "Week (Fable)", "model"),
        ({"model": None, "surface": {"display_name": "Design"}}, "seven_day_design", "Week (Design)", "other"),
        ({"surface": "Design"}, "seven_day_design", "Week (Design)", "other"),
        (None, "seven_day_scoped", "Week (scoped)", "other"),
        ({}, "seven_day_scoped", "Week (scoped)", "other"),
        ([], "seven_day_scoped", "Week (scoped)", "other"),
        ({"model": {"display_name": ["Fable"]}}, "seven_day_scoped", "Week (scoped)", "other"),
    ],
)
def test_scopes_of_weekly_windows(scope: object, id: str, label: str, kind: str) -> None:
    [stated] = parse({"limits": [limit("weekly_scoped", 63, scope=scope)]}).windows
    assert (stated.id, stated.label, stated.kind) == (id, label, kind)


def test_the_control_protocols_model_scoped() -> None:
    body = {"five_hour": flat(31), "model_scoped": [{"display_name": "Fable", **flat(63)}, None, {}, "Fable"]}
    stated = parse(body)
    assert {each.id: each.used_percent for each in stated.windows} == {"five_hour": 31.0, "seven_day_fable": 63.0}
    assert parse({"five_hour": flat(31), "model_scoped": []}).windows == parse({"five_hour": flat(31)}).windows


def test_model_scoped_and_limits_name_the_same_window() -> None:
    body = {"limits": [scoped("Fable", 63)], "model_scoped": [{"display_name": "Fable", **flat(63.2)}]}
    assert used(body) == {"seven_day_fable": 63.2}


@pytest.mark.parametrize(
    "body",
    [
        {"five_hour": None},
        {"five_hour": None, "seven_day": None, "limits": None, "extra_usage": None, "spend": None},
        {"five_hour": {}, "seven_day": {}, "limits": [], "extra_usage": {}, "spend": {}, "model_scoped": None},
        {"limits": []},
        {"five_hour": "soon", "seven_day": [], "limits": 3, "extra_usage": 1, "spend": "2"},
    ],
)
def test_null_absent_and_empty_everything(body: Body) -> None:
    # Only an empty list says that there are no windows: a server under load has answered with nulls alone.
    assert parse(body) == reading(account=Account(plan="max"), is_listing=body.get("limits") == [])


@pytest.mark.parametrize("fields", [flat(None, None), {"utilization": None}, {"resets_at": None}])
def test_a_window_without_values_is_unknown_never_zero(fields: Body) -> None:
    [stated] = parse({"five_hour": fields}).windows
    assert (stated.used_percent, stated.resets_at) == (None, None)
    assert parse({"five_hour": fields}).problem is None


@pytest.mark.parametrize("body", [None, [], {}, "five_hour", 7, {"error": {"message": "no"}}, {"windows": []}])
def test_what_is_no_usage_body_is_an_error_that_counts_as_an_answer(body: object) -> None:
    with pytest.raises(SourceError) as caught:
        parse(body)
    assert caught.value.code == "unexpected_shape"
    assert caught.value.reached_server


@pytest.mark.parametrize(
    "resets_at",
    [
        RESET,
        "2026-11-22T14:20:00.310452Z",
        "2026-11-22T16:20:00.310452+02:00",
        RESET_TIME.timestamp(),
        RESET_TIME.timestamp() * 1000,
    ],
)
def test_every_spelling_of_a_time(resets_at: object) -> None:
    [stated] = parse({"five_hour": flat(31, resets_at)}).windows
    assert stated.resets_at is not None
    assert abs((stated.resets_at - RESET_TIME).total_seconds()) < 0.001


@pytest.mark.parametrize("resets_at", ["tomorrow", "", 0, 10**400, True, [], {}, "0001-01-01T00:00:00+14:00"])
def test_a_reset_that_is_no_time_is_unknown(resets_at: object) -> None:
    assert parse({"five_hour": flat(31, resets_at)}).windows[0].resets_at is None


@pytest.mark.parametrize("percent", [0, 31, 31.25, 104.0, 230])
def test_integers_fractions_and_more_than_the_limit(percent: float) -> None:
    assert used({"five_hour": flat(percent)}) == used({"limits": [limit("session", percent)]}) == {"five_hour": percent}


@pytest.mark.parametrize("percent", [1795357200, 1795357200310, 10**400, -40, 1000, "31", True, [31], {}])
def test_a_percentage_that_cannot_be_one_is_dropped_with_a_note(percent: object) -> None:
    stated = parse({"five_hour": flat(percent), "seven_day": flat(58), "limits": [scoped("Fable", percent)]})
    assert {each.id: each.used_percent for each in stated.windows} == {
        "five_hour": None,
        "seven_day": 58.0,
        "seven_day_fable": None,
    }
    assert stated.problem is not None
    assert stated.problem.code == "implausible_percent"
    assert "Session (5h)" in stated.problem.message
    assert "Week (Fable)" in stated.problem.message
    assert "all models" not in stated.problem.message


def test_unknown_keys_that_look_like_a_window_are_kept_and_unlisted() -> None:
    stated = parse({"five_hour": flat(31), "tangelo": flat(12), "seven_day_omelette": flat(0, None)})
    assert [(each.id, each.label, each.kind, each.is_listed) for each in stated.windows] == [
        ("five_hour", "Session (5h)", "session", True),
        ("tangelo", "Tangelo", "other", False),
        ("seven_day_omelette", "Week (Omelette)", "other", False),
    ]


def test_what_the_servers_list_names_is_listed_whatever_its_kind() -> None:
    body = {"limits": [limit("monthly_all", 44), limit("tangelo", 12)], "tangelo": flat(12.4), "spend_limit": flat(3)}
    assert {each.id: (each.used_percent, each.is_listed) for each in parse(body).windows} == {
        "monthly_all": (44.0, True),
        "tangelo": (12.4, True),
        "spend_limit": (3.0, True),
    }


@pytest.mark.parametrize("key", ["Five_Hour", "five-hour", " five_hour\u200b"])
def test_a_known_window_in_another_spelling_is_that_window(key: str) -> None:
    [stated] = parse({"limits": [], key: flat(31)}).windows
    assert (stated.id, stated.kind) == ("five_hour", "session")


def test_a_limit_of_a_kind_that_is_a_flat_key_is_that_window() -> None:
    [stated] = parse({"five_hour": flat(31.5), "limits": [limit("five_hour", 31)]}).windows
    assert (stated.id, stated.kind, stated.used_percent) == ("five_hour", "session", 31.5)


def test_limits_of_an_unknown_kind_are_kept_by_name() -> None:
    [stated] = parse({"limits": [limit("monthly_all", 44)]}).windows
    assert (stated.id, stated.label, stated.kind, stated.used_percent) == ("monthly_all", "Monthly all", "other", 44.0)


@pytest.mark.parametrize(
    "value", [True, 12, "text", None, [], [flat()], {}, {"utilization": 12}, {"resets_at": RESET}, {"percent": 3}]
)
def test_unknown_keys_that_are_no_window_are_ignored(value: object) -> None:
    assert used({"five_hour": flat(31), "member_dashboard_available": value}) == {"five_hour": 31.0}


def test_a_dollar_pool_is_no_window() -> None:
    pool = flat(72.5, RESET, limit_dollars=400, used_dollars=290.0, remaining_dollars=110.0)
    none = flat(8.0, RESET, limit_dollars=None, used_dollars=None, remaining_dollars=None)
    assert used({"five_hour": none, "cinder_cove": pool, "nimbus_quill": none}) == {
        "five_hour": 8.0,
        "nimbus_quill": 8.0,
    }


def extra(**changes: object) -> Body:
    plain = {"is_enabled": True, "monthly_limit": 4000, "used_credits": 1250.0, "utilization": None, "currency": "USD"}
    return {"extra_usage": {**plain, **changes}}


def spend(
    used: object = 1250, limit: object = 4000, currency: str = "EUR", exponent: object = 2, **more: object
) -> Body:
    def amount(minor: object) -> Body:
        return {"amount_minor": minor, "currency": currency, "exponent": exponent}

    return {"spend": {"used": amount(used), "limit": amount(limit), "percent": 31, "enabled": True, **more}}


def dollars(amount: int) -> Money:
    return Money(amount_minor=amount, currency="USD", exponent=2)


@pytest.mark.parametrize(
    ("body", "credits"),
    [
        pytest.param(
            extra(),
            Credits(enabled=True, used=dollars(1250), limit=dollars(4000), used_percent=31.25),
            id="extra_usage",
        ),
        pytest.param(
            extra(is_enabled=False, monthly_limit=None, used_credits=None, currency=None),
            Credits(enabled=False),
            id="off",
        ),
        pytest.param(
            extra(monthly_limit=None), Credits(enabled=True, used=dollars(1250)), id="without a limit no percentage"
        ),
        pytest.param(
            extra(used_credits=None, utilization=12.5),
            Credits(enabled=True, limit=dollars(4000), used_percent=12.5),
            id="only the share is told",
        ),
        pytest.param(
            extra(used_credits=4100),
            Credits(enabled=True, used=dollars(4100), limit=dollars(4000), used_percent=102.5),
            id="over the limit",
        ),
        pytest.param(
            spend(),
            Credits(
                enabled=True,
                used=Money(amount_minor=1250, currency="EUR", exponent=2),
                limit=Money(amount_minor=4000, currency="EUR", exponent=2),
                used_percent=31.25,
            ),
            id="spend",
        ),
        pytest.param(
            spend(300, 9000, "JPY", 0),
            Credits(
                enabled=True,
                used=Money(amount_minor=300, currency="JPY", exponent=0),
                limit=Money(amount_minor=9000, currency="JPY", exponent=0),
                used_percent=3.3333,
            ),
            id="yen have no cents",
        ),
        pytest.param(
            extra(currency="kwd", decimal_places=3.0),
            Credits(
                enabled=True,
                used=Money(amount_minor=1250, currency="KWD", exponent=3),
                limit=Money(amount_minor=4000, currency="KWD", exponent=3),
                used_percent=31.25,
            ),
            id="three decimals",
        ),
        pytest.param(
            {**extra(used_credits=1), **spend(limit=None)},
            Credits(
                enabled=True,
                used=Money(amount_minor=1250, currency="EUR", exponent=2),
                limit=dollars(4000),
                used_percent=31.0,
            ),
            id="of two currencies no share is reckoned",
        ),
        pytest.param(
            {**extra(), **spend(enabled=None)},
            Credits(
                enabled=True,
                used=Money(amount_minor=1250, currency="EUR", exponent=2),
                limit=Money(amount_minor=4000, currency="EUR", exponent=2),
                used_percent=31.25,
            ),
            id="spend goes before extra_usage, what it leaves open does not",
        ),
        pytest.param(
            extra(currency="<b>"),
            Credits(
                enabled=True,
                used=Money(amount_minor=1250, currency="XXX", exponent=2),
                limit=Money(amount_minor=4000, currency="XXX", exponent=2),
                used_percent=31.25,
            ),
            id="an unknown currency",
        ),
    ],
)
def test_credits(body: Body, credits: Credits) -> None:
    stated = parse({"five_hour": None, **body})
    assert stated.credits == credits
    assert stated.problem is None


@pytest.mark.parametrize("exponent", [7, 12, -1, 2.5, "2", True, [2]])
def test_an_amount_of_unknown_magnitude_is_unknown(exponent: object) -> None:
    stated = parse(extra(decimal_places=exponent)).credits
    assert stated == Credits(enabled=True)


@pytest.mark.parametrize("amount", ["12", True, 1e15, -1e300, 10**400, float("nan"), [], {}])
def test_an_amount_that_is_none_is_unknown(amount: object) -> None:
    stated = parse(spend(used=amount)).credits
    assert stated is not None
    assert stated.used is None


def test_a_leaked_epoch_is_no_share_of_the_credits() -> None:
    stated = parse(extra(used_credits=None, utilization=1795357200))
    assert stated.credits is not None
    assert stated.credits.used_percent is None
    assert stated.problem is not None
    assert "Credits" in stated.problem.message


HOSTILE = [
    "$(id)",
    "`id`",
    "\x1b]0;x\x07",
    "a\nb",
    "%n#S\\e",
    "\u202eabc",
    "\x9b1m",
    "x" * 10**5,
    "İ" * 99,
    "\udc80",
    "★",
    "",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_become_short_plain_labels_and_ids(name: str) -> None:
    stated = parse(
        {"limits": [scoped(name), limit(name or "x")], name: flat(5), "model_scoped": [{"display_name": name}]}
    )
    assert_harmless(stated)


def test_deep_nesting_is_ignored() -> None:
    deep: object = flat()
    for _ in range(10_000):
        deep = {"scope": deep, "model": [deep]}
    assert used({"five_hour": flat(31), "deep": deep, "limits": [limit("session", deep)]}) == {"five_hour": 31.0}
    assert parse({"limits": [limit("weekly_scoped", 3, scope=deep)]}).windows[0].id == "seven_day_scoped"


def test_of_a_thousand_windows_the_known_ones_stay() -> None:
    body = {"limits": [limit(f"kind {number}") for number in range(1000)]}
    body |= {f"key_{number}": flat("?") for number in range(1000)}  # type: ignore[misc]
    stated = parse({**body, "seven_day": flat(58), "five_hour": flat(31)})
    assert [each.id for each in stated.windows[:2]] == ["five_hour", "seven_day"]
    assert len(stated.windows) <= 32
    assert_harmless(stated)


keys = st.sampled_from(
    [
        *(
            "five_hour",
            "seven_day",
            "limits",
            "model_scoped",
            "extra_usage",
            "spend",
            "tangelo",
            "utilization",
            "percent",
        ),
        *(
            "resets_at",
            "kind",
            "scope",
            "model",
            "surface",
            "display_name",
            "id",
            "severity",
            "is_active",
            "used",
            "limit",
        ),
        *("amount_minor", "currency", "exponent", "monthly_limit", "used_credits", "decimal_places", "limit_dollars"),
    ]
)
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None), max_size=80)
    | st.sampled_from(["session", "weekly_all", "weekly_scoped", "warn", RESET, *HOSTILE[:5]])
)
anything = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(keys | st.text(max_size=20), inner, max_size=8),
    max_leaves=40,
)


def assert_harmless(stated: Reading) -> None:
    texts = [text for each in stated.windows for text in (each.id, each.label)]
    assert all(0 < len(text) <= 48 for text in texts)
    if stated.problem:
        texts.append(stated.problem.message)
        assert len(stated.problem.message) <= 500
    assert not any(unicodedata.category(character)[0] == "C" for text in texts for character in text)
    assert len({each.id for each in stated.windows}) == len(stated.windows)
    for each in stated.windows:
        assert each.used_percent is None or 0 <= each.used_percent < 1000
    assert serial.decode_reading(serial.encode(stated)) == stated


@given(st.dictionaries(keys | st.text(max_size=20), anything, max_size=12) | anything)
def test_whatever_json_says_it_is_a_harmless_reading_or_a_source_error(body: object) -> None:
    try:
        stated = parse(body)
    except SourceError:
        return
    assert_harmless(stated)


@given(
    st.dictionaries(keys, anything, max_size=8).map(lambda body: {"limits": [], **body}),
    st.sampled_from(["oauth", "claude-cli", "claude-cache", "web"]),
)
def test_the_same_body_through_every_source_gives_the_same_reading(body: Body, source: str) -> None:
    stated = parse_usage(body, account=Account(plan="max"), source=source, as_of=NOW)
    as_oauth = stated.replace(
        source="oauth", windows=tuple(window.replace(source="oauth") for window in stated.windows)
    )
    assert repr(as_oauth) == repr(parse(body))


def test_a_body_is_read_and_left_alone() -> None:
    body = {"five_hour": flat(31), "limits": [limit(), scoped("Fable")], **extra(), **spend()}
    before = json.dumps(body)
    parse(body)
    assert json.dumps(body) == before


@pytest.mark.parametrize(
    "body",
    [
        {"five_hour": flat(), "limits": [scoped(f"m{number}") for number in range(30_000)]},
        {"five_hour": flat(), "model_scoped": [{"display_name": f"m{number}"} for number in range(30_000)]},
        {**{f"w{number}": flat() for number in range(30_000)}, "five_hour": flat()},
    ],
    ids=["limits", "model_scoped", "flat"],
)
def test_of_tens_of_thousands_of_windows_only_the_first_are_looked_at(
    body: Body, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[object] = []

    def counted(percent: object) -> float | None:
        looked_at.append(percent)
        return parse_percent(percent)

    monkeypatch.setattr(wire_windows, "parse_percent", counted)
    assert len(parse(body).windows) == 32
    assert len(looked_at) < 10_000


ENDS = "2026-12-18T08:00:00+00:00"
ENDS_AT = datetime(2026, 12, 18, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("body", "pool"),
    [
        ({"cinder_cove": flat(72.5, ENDS)}, ("cinder_cove", "Claude Code and Cowork credit", 72.5, None, ENDS_AT)),
        (
            {"iguana_necktie": flat(None, ENDS, limit_dollars=40, used_dollars=10.5)},
            ("iguana_necktie", "Cloud sessions credit", 26.25, 4000, ENDS_AT),
        ),
        (
            {"wattle_ember": {"label": "Autumn gift", "utilization": 5, "expires_at": ENDS}},
            ("wattle_ember", "Autumn gift", 5.0, None, ENDS_AT),
        ),
        ({"brass_thimble": flat(8, ENDS, limit_dollars=100)}, ("brass_thimble", "Brass thimble", 8.0, 10_000, ENDS_AT)),
        (
            {"promo_credits": [None, {"program_id": "fall-26", "label": "Fall", "utilization": 3, "resets_at": ENDS}]},
            ("fall_26", "Fall", 3.0, None, ENDS_AT),
        ),
    ],
)
def test_money_that_was_given_once_is_a_pool_with_its_end_and_no_window(body: Body, pool: tuple[Any, ...]) -> None:
    stated = parse({"five_hour": flat(31), **body})
    [found] = stated.pools
    limit = found.limit.amount_minor if found.limit else None
    assert (found.id, found.label, found.used_percent, limit, found.ends_at) == pool
    assert [each.id for each in stated.windows] == ["five_hour"]
    assert serial.decode_reading(serial.encode(stated)) == stated


@pytest.mark.parametrize("empty", [None, {}, [], {"utilization": 0.0, "resets_at": None}, "soon", 3])
def test_a_pool_of_which_nothing_is_told_is_none(empty: object) -> None:
    assert parse({"five_hour": flat(31), "cinder_cove": empty, "promo_credits": empty}).pools == ()


@pytest.mark.parametrize(
    ("currency", "exponent"),
    [("JPY", 0), ("krw", 0), ("VND", 0), ("CLP", 0), ("KWD", 3), ("EUR", 2), ("ABC", 2), (None, 2)],
)
def test_a_currency_has_the_minor_unit_that_it_has(currency: object, exponent: int) -> None:
    credits = parse(extra(currency=currency)).credits
    assert credits is not None
    assert credits.used is not None
    assert credits.used.exponent == exponent


def test_credits_that_are_off_keep_their_amounts_and_the_reason() -> None:
    credits = parse(extra(is_enabled=False, used_credits=4000, disabled_reason="out_of_credits")).credits
    assert credits == Credits(
        enabled=False,
        used=dollars(4000),
        limit=dollars(4000),
        used_percent=100.0,
        disabled_reason="out_of_credits",
    )


def test_a_gateways_spend_limit_has_its_amounts() -> None:
    body = {"five_hour": None, "spend_limit": {**flat(104.2), "used_usd": 521.0, "limit_usd": 500, "period": "monthly"}}
    [stated] = parse(body).windows
    assert (stated.id, stated.label, stated.used, stated.limit, stated.period) == (
        "spend_limit",
        "Spend limit (monthly)",
        dollars(52_100),
        dollars(50_000),
        "monthly",
    )


@pytest.mark.parametrize("period", ["fortnightly", "", 7, None, ["daily"]])
def test_a_period_that_is_not_known_is_none(period: object) -> None:
    [stated] = parse({"five_hour": None, "spend_limit": {**flat(4.2), "period": period}}).windows
    assert stated.period is None


@pytest.mark.parametrize("wrap", [lambda rows: rows, lambda rows: {"rows": rows, "as_of": "today"}])
def test_the_week_by_surface_is_kept(wrap: Any) -> None:
    rows = [{"surface": "Claude Code", "percent": 31}, {"label": "Chat", "utilization": 9.5}, {"label": "?"}, 7, None]
    stated = parse({"five_hour": flat(31), "seven_day_breakdown": wrap(rows)})
    assert [(share.label, share.percent) for share in stated.breakdown] == [("Claude Code", 31.0), ("Chat", 9.5)]
    assert [each.id for each in stated.windows] == ["five_hour"]

"""Several sources' statements, merged: properties, and the situations that the rules are for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ullage.quota import meters
from ullage.quota.merge import date_statement, is_disputed, merge
from ullage.quota.model import Account, Credits, Money, Problem, Reading, Window

if TYPE_CHECKING:
    from ullage.quota.model import Kind

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
RESET = NOON + timedelta(hours=3)
KINDS: dict[str, Kind] = {"five_hour": "session", "seven_day": "weekly", "seven_day_fable": "model"}
SOURCES = tuple(meter.name for meter in meters.METERS if meter.counts == "quota")


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def say(
    source: str,
    at: float,
    five_hour: float | None = None,
    *,
    reset: datetime | None = RESET,
    account: str | None = "one",
    **others: float,
) -> Reading:
    """Return what a source says so many minutes after noon."""
    as_of = NOON + minutes(at)
    stated = {**({} if five_hour is None else {"five_hour": five_hour}), **others}
    windows = tuple(
        Window(
            id=name,
            label=name,
            kind=KINDS.get(name, "other"),
            used_percent=used,
            resets_at=reset,
            source=source,
            as_of=as_of,
        )
        for name, used in stated.items()
    )
    return Reading(account=Account(id=account), source=source, as_of=as_of, windows=windows)


def shown(*readings: Reading) -> dict[str, tuple[float | None, str, float]]:
    """Return the merged windows: percentage, source, and minutes after noon."""
    merged = merge(readings)
    assert merged is not None
    return {
        window.id: (window.used_percent, window.source, (window.as_of - NOON) / minutes(1)) for window in merged.windows
    }


def five_hour(*readings: Reading) -> float | None:
    return shown(*readings)["five_hour"][0]


@st.composite
def readings(draw: st.DrawFn) -> Reading:
    source = draw(st.sampled_from(SOURCES))
    as_of = NOON + timedelta(seconds=draw(st.integers(0, 4 * 3600)))
    windows = []
    for name in draw(st.sets(st.sampled_from(list(KINDS)))):
        offset = draw(st.sampled_from([None, -120, -5, 0, 4, 12, 300]))
        windows.append(
            Window(
                id=name,
                label=name,
                kind=KINDS[name],
                used_percent=draw(st.none() | st.floats(0, 120)),
                resets_at=None if offset is None else RESET + minutes(offset),
                severity=draw(st.sampled_from([None, "normal", "critical"])),
                headline=draw(st.booleans()),
                source=source,
                as_of=as_of,
            )
        )
    credits = draw(st.none() | st.builds(lambda used: Credits(enabled=True, used_percent=used), st.floats(0, 100)))
    account = Account(id=draw(st.sampled_from([None, "one", "two"])), plan=draw(st.sampled_from([None, "pro", "max"])))
    return Reading(
        account=account,
        source=source,
        as_of=as_of,
        windows=tuple(windows),
        credits=None if source in meters.PARTIAL else credits,
    )


@given(st.lists(readings(), max_size=6).flatmap(lambda some: st.tuples(st.just(some), st.permutations(some))))
def test_the_order_of_arrival_does_not_matter(orders: tuple[list[Reading], list[Reading]]) -> None:
    assert merge(orders[0]) == merge(orders[1])


@given(st.lists(readings(), min_size=1, max_size=6), st.data())
def test_what_is_said_twice_counts_once(some: list[Reading], data: st.DataObject) -> None:
    assert merge([*some, data.draw(st.sampled_from(some))]) == merge(some)


@given(readings())
def test_a_single_reading_is_itself(reading: Reading) -> None:
    assert merge([reading, reading]) == reading


def test_nothing_comes_to_nothing() -> None:
    assert merge([]) is None


@given(st.lists(readings(), min_size=1, max_size=6))
def test_every_number_was_said_by_whom_and_when_it_is_told(some: list[Reading]) -> None:
    merged = merge(some)
    assert merged is not None
    said = {
        (reading.account.id, window.id, window.used_percent, window.resets_at, window.source, window.as_of)
        for reading in some
        for window in reading.windows
    }
    for window in merged.windows:
        told = (window.id, window.used_percent, window.resets_at, window.source, window.as_of)
        assert {(merged.account.id, *told), (None, *told)} & said


def is_dropped(window: Window, some: list[Reading]) -> bool:
    """Say whether a listing may have dropped a window, which it does not name."""
    return any(
        reading.as_of >= window.as_of and all(window.id != listed.id for listed in reading.windows)
        for reading in some
        if reading.source not in meters.PARTIAL
    )


@given(st.lists(readings(), min_size=1, max_size=6))
def test_a_window_is_never_older_than_what_was_heard_after_the_last_question(some: list[Reading]) -> None:
    merged = merge(some)
    assert merged is not None
    for window in merged.windows:
        rivals = [
            rival
            for reading in some
            for rival in reading.windows
            if rival.id == window.id
            and reading.account.id in (None, merged.account.id)
            and rival.used_percent is not None
            and rival.source != "statusline"
            and not is_dropped(rival, some)
        ]
        if window.used_percent is not None and window.source == "statusline" and rivals:
            assert all(date_statement(window) > date_statement(rival) for rival in rivals)


@pytest.mark.parametrize("frozen_at", [-300, -60, 0, 9, 10])
def test_a_session_that_stands_still_does_not_pull_the_number_back(frozen_at: float) -> None:
    assert five_hour(say("statusline", 10, 45), say("statusline", frozen_at, 30)) == 45


def test_the_newer_of_two_growing_numbers_holds() -> None:
    assert shown(say("claude-cli", 0, 45), say("statusline", 3, 48))["five_hour"] == (48, "statusline", 3)


def test_a_lower_number_with_the_same_reset_is_older_unless_it_is_much_newer() -> None:
    high = say("claude-cli", 0, 45, reset=RESET + minutes(8))
    assert five_hour(high, say("statusline", 20, 40)) == 45
    assert five_hour(high, say("statusline", 31, 40)) == 40


def test_a_confirmation_within_rounding_renews_the_age() -> None:
    assert shown(say("claude-cli", 0, 45.4), say("statusline", 12, 45))["five_hour"] == (45, "statusline", 12)


def test_a_new_period_begins_low() -> None:
    later = RESET + timedelta(hours=5)
    assert five_hour(say("claude-cli", 170, 97), say("statusline", 181, 2, reset=later)) == 2


def test_a_session_from_before_the_reset_says_nothing_of_what_came_after() -> None:
    later = RESET + timedelta(hours=5)
    fresh, frozen = say("claude-cli", 185, 2, reset=later), say("statusline", 200, 97, reset=RESET)
    assert five_hour(fresh, frozen) == 2


def test_a_window_that_has_not_started_is_empty() -> None:
    assert five_hour(say("statusline", 100, 97), say("claude-cli", 190, 0, reset=None)) == 0


def test_just_after_a_reset_another_source_confirms_the_fall() -> None:
    later = RESET + timedelta(hours=5)
    lie = say("oauth", 181, 97, reset=later)
    assert five_hour(lie) == 97
    assert five_hour(lie, say("statusline", 183, 2, reset=later)) == 2
    assert five_hour(lie, say("claude-cli", 184, 3, reset=later)) == 3
    # It stays a lie while nothing can be asked.
    assert five_hour(lie, say("statusline", 200, 5, reset=later)) == 5


@pytest.mark.parametrize("source", ["claude-cli", "claude-cache", "oauth", "web", "claude-cli-text"])
@pytest.mark.parametrize(("used", "reset"), [(0, None), (2, RESET), (69, RESET), (70.5, RESET)])
def test_what_was_asked_last_holds_upwards_and_downwards(source: str, used: float, reset: datetime | None) -> None:
    heard, asked = say("statusline", 0, 70), say(source, 0.1, used, reset=reset)
    assert five_hour(heard, asked) == used
    assert five_hour(heard, say("oauth", -1, 64), asked) == used


def test_a_session_alone_brings_no_number_down_that_was_asked_for() -> None:
    assert five_hour(say("oauth", 0, 45), say("statusline", 5, 20)) == 45
    assert five_hour(say("oauth", 0, 45), say("statusline", 5, 20), say("claude-cli", 6, 20)) == 20


def test_a_session_that_repeats_an_old_period_does_not_pull_the_number_up() -> None:
    granted = say("claude-cli", 30, 0, reset=None)
    assert five_hour(say("statusline", 20, 97), granted) == 0
    # It has been dated anew, though it only repeats: five hours that began after the question end later.
    assert five_hour(granted, say("statusline", 40, 97)) == 0
    later = RESET + timedelta(hours=5)
    assert five_hour(say("claude-cli", 185, 1, reset=later), say("statusline", 190, 97, reset=RESET + minutes(11))) == 1


def test_a_snapshot_is_as_old_as_its_date() -> None:
    heard, snapshot = say("statusline", -35, 95), say("claude-cache", -55, 37)
    assert shown(heard, snapshot)["five_hour"] == (95, "statusline", -35)


def test_an_answer_of_unknown_age_is_no_news_beside_a_dated_one() -> None:
    undated = say("claude-cli", 0, 20)
    windows = tuple(window.replace(is_dated=False) for window in undated.windows)
    undated = undated.replace(windows=windows, is_dated=False, is_listing=False)
    assert five_hour(undated) == 20
    assert five_hour(undated, say("statusline", -5, 45)) == 45
    assert "seven_day_fable" in shown(undated, say("oauth", -5, 45, seven_day_fable=3))


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, float, float, int]]:
    """What a server says over two hours, at rising minutes: use grows, and sometimes a reset is granted.

    Each is who asked or heard, when, the percentage, and which count it was of.
    """
    told, used, at, count = [], 10.0, 0.0, 0
    for _ in range(draw(st.integers(1, 12))):
        at += draw(st.integers(1, 20))
        if draw(st.integers(0, 4)) == 0:
            used, count = 0.0, count + 1
        used += draw(st.integers(0, 15))
        told.append((draw(st.sampled_from(["statusline", "claude-cli", "oauth", "claude-cache"])), at, used, count))
    return told


@given(histories())
def test_no_number_is_shown_that_no_source_said_since_the_last_question(
    told: list[tuple[str, float, float, int]],
) -> None:
    asked = [entry for entry in told if entry[0] != "statusline"]
    number = five_hour(*(say(source, at, used) for source, at, used, _ in told))
    if asked:
        assert number in {used for _, at, used, _ in told if at >= asked[-1][1]}


@given(histories(), st.data())
def test_once_all_have_spoken_after_a_reset_the_old_number_is_gone(
    told: list[tuple[str, float, float, int]], data: st.DataObject
) -> None:
    last = {source: (at, used, count) for source, at, used, count in told}
    newest = max(count for _, _, _, count in told)
    stated = [(source, *rest) for source, rest in last.items()]
    if all(count == newest for _, _, _, count in stated):
        readings_ = [say(source, at, used) for source, at, used, _ in stated]
        number = five_hour(*data.draw(st.permutations(readings_)))
        assert number in {used for _, _, used, count in told if count == newest}


def test_statements_that_differ_in_both_resets_are_two_quotas_and_never_make_one_line() -> None:
    signed_in = two_windows("claude-cli", 0, (30, RESET), (40, RESET + timedelta(days=2)))
    other = two_windows("statusline", 5, (90, RESET + minutes(40)), (80, RESET + timedelta(days=3)))
    assert shown(signed_in, other) == shown(signed_in)
    # An old question still says whose the numbers are; without one the newest session speaks for itself.
    assert shown(two_windows("statusline", 9, (12, RESET), (13, RESET + timedelta(days=2))), other) == {
        "five_hour": (12, "statusline", 9),
        "seven_day": (13, "statusline", 9),
    }


@pytest.mark.parametrize("theirs", ["other", None])
def test_another_machine_of_another_account_is_not_believed_where_our_own_names_none(theirs: str | None) -> None:
    own = two_windows("statusline", 0, (97, RESET), (97, RESET + timedelta(days=2)), account=None)
    far = two_windows("remote:x", 5, (3, RESET + minutes(40)), (3, RESET + timedelta(days=3)), account=theirs)
    assert shown(own, far) == shown(own)
    # Nothing contradicts it where the resets are the same, or where ours are over.
    assert shown(own, two_windows("remote:x", 5, (3, RESET), (3, RESET + timedelta(days=2)), account=theirs)) == {
        "five_hour": (3, "remote:x", 5),
        "seven_day": (3, "remote:x", 5),
    }
    assert shown(far) == {"five_hour": (3, "remote:x", 5), "seven_day": (3, "remote:x", 5)}


def test_one_reset_that_differs_is_a_new_period() -> None:
    before = two_windows("claude-cli", 0, (97, RESET), (40, RESET + timedelta(days=2)))
    granted = two_windows("statusline", 5, (1, NOON + minutes(300)), (40, RESET + timedelta(days=2)))
    assert shown(before, granted)["five_hour"][0] == 1


def two_windows(
    source: str, at: float, session: tuple[float, datetime], week: tuple[float, datetime], account: str | None = "one"
) -> Reading:
    stated = [
        say(source, at, reset=reset, account=account, **{name: used})
        for name, (used, reset) in (("five_hour", session), ("seven_day", week))
    ]
    return stated[0].replace(windows=(*stated[0].windows, *stated[1].windows))


def in_organization(reading: Reading, organization_id: str | None) -> Reading:
    return reading.replace(account=reading.account.replace(organization_id=organization_id))


def test_two_organisations_of_one_person_never_meet_and_an_unknown_one_goes_with_the_last() -> None:
    plan, team = in_organization(say("claude-cli", 0, 80), "home"), in_organization(say("claude-cli", 5, 10), "team")
    assert shown(plan, team) == {"five_hour": (10, "claude-cli", 5)}
    unknown = say("statusline", 6, 12)
    merged = merge([plan, team, unknown])
    assert merged is not None
    assert (merged.account.organization_id, merged.windows[0].used_percent) == ("team", 12)


def test_a_full_body_says_which_windows_there_are() -> None:
    old = say("claude-cli", 0, 10, seven_day_fable=50, seven_day=30)
    assert shown(old, say("oauth", 20, 12, seven_day=31)).keys() == {"five_hour", "seven_day"}


def test_what_the_status_line_adds_is_kept_while_it_is_newer() -> None:
    body = say("claude-cli", 10, seven_day=30)
    assert "five_hour" not in shown(body, say("statusline", 5, 10))
    assert shown(body, say("statusline", 15, 10))["five_hour"] == (10, "statusline", 15)


def test_the_status_line_denies_nothing() -> None:
    both = shown(say("claude-cli", 0, 10, seven_day_fable=50), say("statusline", 20, 12))
    assert both == {"five_hour": (12, "statusline", 20), "seven_day_fable": (50, "claude-cli", 0)}


def test_a_spend_limit_is_in_no_full_body() -> None:
    assert "spend_limit" in shown(say("statusline", 0, spend_limit=80), say("claude-cli", 20, 10))


def test_an_account_that_signs_in_starts_afresh() -> None:
    merged = merge([say("claude-cli", 0, 80, account="one"), say("statusline", 1, 5, account="two")])
    assert merged is not None
    assert merged.account.id == "two"
    assert [window.used_percent for window in merged.windows] == [5]


def test_credits_keep_their_own_age() -> None:
    used = Money(amount_minor=900, currency="EUR", exponent=2)
    body = say("claude-cli", 0, 10).replace(credits=Credits(enabled=True, used=used))
    merged = merge([body, say("statusline", 20, 12)])
    assert merged is not None
    assert merged.as_of == NOON + minutes(20)
    assert merged.source == "statusline"
    assert merged.credits == Credits(enabled=True, used=used, as_of=NOON)


def test_the_plan_is_whoever_told_it_last() -> None:
    body = say("claude-cli", 0, 10).replace(account=Account(id="one", plan="max"))
    merged = merge([body, say("statusline", 20, 12)])
    assert merged is not None
    assert merged.account == Account(id="one", plan="max")


def test_a_problem_that_a_newer_answer_does_not_have_is_over() -> None:
    problem = Problem(code="implausible_percent", message="…")
    old = say("claude-cache", 0, 10).replace(problem=problem)
    merged = merge([old, say("claude-cli", 20, 12)])
    assert merged is not None
    assert merged.problem is None


def test_the_server_s_word_holds_for_its_own_period() -> None:
    body = say("claude-cli", 0, 92)
    body = body.replace(windows=(body.windows[0].replace(severity="critical", headline=True, label="Session (5h)"),))
    for reset, severity in ((RESET, "critical"), (RESET + timedelta(hours=5), None)):
        merged = merge([body, say("statusline", 20, 93, reset=reset)])
        assert merged is not None
        (window,) = merged.windows
        assert (window.severity, window.headline, window.label) == (severity, True, "Session (5h)")


@pytest.mark.parametrize(
    ("heard", "disputed"),
    [
        (say("statusline", 5, 20), True),
        (say("statusline", 5, 36), False),
        (say("statusline", -5, 20), False),
        (say("statusline", 5, 60), False),
        (say("statusline", 5, 2, reset=RESET + timedelta(hours=5)), False),
    ],
)
def test_a_session_that_heard_clearly_less_since_asks_for_another_look(heard: Reading, disputed: bool) -> None:
    stated = [say("claude-cli", 0, 45), heard]
    merged = merge(stated)
    assert merged is not None
    assert is_disputed(merged, stated) is disputed

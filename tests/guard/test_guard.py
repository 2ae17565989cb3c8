"""The verdict: what a reading says about room, and what it cannot say."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.samples import NOW, reading, readings, window
from ullage import guard
from ullage.base.errors import UsageError
from ullage.guard import Question, judge
from ullage.guard.limits import parse_limit
from ullage.quota.model import Credits, Money, Problem, Reading, Thresholds
from ullage.quota.pace import Forecast
from ullage.render import words

THRESHOLDS = Thresholds()
MINUTE = timedelta(minutes=1)
RESETS = words.format_reset(NOW + timedelta(hours=2, minutes=13), NOW)
HINT = " Limits of your own: --max 5h=80, --need 20%."
PROBLEM = Problem(code="timeout", message="The server fell silent.\nTry again.")


def question(*most: str, need: tuple[str, ...] = (), max_age: timedelta | None = None) -> Question:
    return Question(most=tuple(map(parse_limit, most)), need=tuple(map(parse_limit, need)), max_age=max_age)


def verdict(asked: Question, known: Reading | None, **changes: object) -> guard.Verdict:
    given_values = {"problem": None, "forecasts": {}, "thresholds": THRESHOLDS, "now": NOW, **changes}
    return judge(asked, known, **given_values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "exit_code"),
    [
        (question("5h=80"), 1),
        (question("5h=80.1"), 0),
        (question("7d=80"), 0),
        (question("90"), 0),
        (question("40"), 1),
        (question("7d=80", "5h=80"), 1),
        (question(), 0),
        (question("0"), 1),
    ],
)
def test_a_limit_that_is_reached_is_over(asked: Question, exit_code: int) -> None:
    found = verdict(asked, reading(window("five_hour", 80.0), window("seven_day", 41.0)))
    assert found.exit_code == exit_code
    assert found.allowed == (exit_code == 0)


def test_windows_of_unknown_meaning_bind_only_when_they_are_named() -> None:
    known = reading(window("five_hour", 10.0), window("tangelo", 100.0))
    assert verdict(question("50"), known).exit_code == 0
    assert verdict(question("tangelo=50"), known).exit_code == 1


def budget(used_percent: float, **changes: object) -> Credits:
    amounts = (Money(amount_minor=minor, currency="USD", exponent=2) for minor in (round(500 * used_percent), 50_000))
    used, limit = amounts
    return Credits(enabled=True, used=used, limit=limit, used_percent=used_percent).replace(**changes)


@pytest.mark.parametrize(
    ("asked", "known", "exit_code"),
    [
        (question("80"), reading(credits=budget(79.0)), 0),
        (question("80"), reading(credits=budget(81.0)), 1),
        (question(), reading(credits=budget(100.2)), 1),
        (question("credits=90"), reading(window(used=3.0), credits=budget(91.0)), 1),
        (question("90"), reading(window(used=3.0), credits=budget(91.0)), 0),
        (question("credits=90"), reading(window(used=3.0)), 3),
        (question("spend_limit=80"), reading(window("spend_limit", 104.0)), 1),
        (question("spend_limit=80"), reading(window(used=3.0)), 3),
        (question("fable=90"), reading(window("seven_day_fable", 40.0), window("seven_day_fable_5_1", 96.0)), 1),
    ],
)
def test_what_is_counted_in_money_and_in_versions_has_limits_too(
    asked: Question, known: Reading, exit_code: int
) -> None:
    assert verdict(asked, known).exit_code == exit_code


def test_a_budget_is_told_in_its_amounts() -> None:
    assert verdict(question("80"), reading(credits=budget(81.0))).message == (
        "No room: Credits is at 81% ($405.00 of $500.00), limit 80%."
    )


@pytest.mark.parametrize(
    ("most", "credits", "exit_code"),
    [
        ((), budget(20.0), 0),
        (("100",), budget(20.0), 0),
        (("5h=90",), budget(20.0), 1),
        ((), budget(100.0), 1),
        ((), budget(20.0, enabled=False), 1),
        ((), None, 1),
    ],
)
def test_credits_make_room_where_they_are_allowed_and_pay(
    most: tuple[str, ...], credits: Credits | None, exit_code: int
) -> None:
    known = reading(window(used=100.0), window("seven_day", 20.0), credits=credits)
    assert verdict(question(*most), known).exit_code == 1
    found = verdict(question(*most).replace(allow_credits=True), known)
    assert found.exit_code == exit_code
    assert ("credits pay" in found.message) is (exit_code == 0)


def test_a_number_of_unknown_age_is_no_answer_to_max_age() -> None:
    known = reading(window(used=10.0, is_dated=False))
    assert verdict(question(), known).exit_code == 0
    found = verdict(question(max_age=MINUTE * 600), known)
    assert (found.exit_code, "does not say since when" in found.message) == (4, True)


def test_the_line_says_which_window_and_until_when() -> None:
    known = reading(window("five_hour", 85.0, label="Session (5h)"), window("seven_day", 41.0))
    found = verdict(question("80"), known)
    assert found.message == f"No room: Session (5h) is at 85%, limit 80%, {RESETS}."
    assert found.room_at == NOW + timedelta(hours=2, minutes=13)


def many(*used: float | None) -> Reading:
    return reading(*(window(f"seven_day_{name}", percent) for name, percent in zip("abcd", used, strict=False)))


@pytest.mark.parametrize(
    ("asked", "known", "message"),
    [
        (
            question(),
            many(10, 42, 42, 9),
            f"Room: Seven day b is at 42%, limit 100%, {RESETS}; 3 other windows have room too.{HINT}",
        ),
        (
            question("80"),
            many(10, 42),
            f"Room: Seven day b is at 42%, limit 80%, {RESETS}; 1 other window has room too.",
        ),
        (question("80"), many(10), f"Room: Seven day a is at 10%, limit 80%, {RESETS}."),
        (question(), many(None, None, 3), "Cannot tell: nothing is known of Seven day a; nor of 1 other window."),
        (question(), many(100, 3), f"No room: Seven day a is {words.format_used_up(window().resets_at, NOW)}."),
    ],
)
def test_where_no_window_is_named_one_stands_for_all(asked: Question, known: Reading, message: str) -> None:
    found = verdict(asked, known)
    assert found.message == message
    assert [each.id for each in found.findings] == [each.id for each in known.windows]


def test_room_comes_when_the_last_of_those_that_are_over_resets() -> None:
    late, soon = NOW + timedelta(days=3), NOW + timedelta(hours=1)
    known = reading(window("five_hour", 90.0, resets_at=soon), window("seven_day", 95.0, resets_at=late))
    assert verdict(question("80"), known).room_at == late
    assert verdict(question("92"), known).room_at == late
    assert verdict(question("5h=80"), known).room_at == soon
    never = reading(window("five_hour", 90.0, resets_at=None), window("seven_day", 95.0, resets_at=late))
    assert verdict(question("80"), never).room_at is None


@pytest.mark.parametrize(
    ("known", "problem", "exit_code", "words"),
    [
        (None, None, 3, "--refresh asks for a reading"),
        (None, PROBLEM, 5, "The server fell silent. Try again."),
        (None, PROBLEM.replace(code="signed_out"), 3, "The server fell silent. Try again."),
        (reading(), None, 3, "names nothing that binds"),
        (reading(window("seven_day", 5.0)), None, 3, "nothing is known of five_hour"),
        (reading(window("five_hour", None)), None, 3, "nothing is known of Five hour"),
        (reading(window("five_hour", 5.0, as_of=NOW - 361 * MINUTE)), None, 4, "is 6h old"),
        (reading(window("five_hour", 99.0, as_of=NOW - 361 * MINUTE)), None, 4, "is 6h old"),
        (reading(window("five_hour", 99.0, resets_at=NOW)), None, 4, "has reset"),
    ],
)
def test_what_is_not_known_is_not_room(
    known: Reading | None, problem: Problem | None, exit_code: int, words: str
) -> None:
    asked = question("5h=80") if known is None or known.windows else question("80")
    found = verdict(asked, known, problem=problem)
    assert (found.outcome, found.exit_code, found.allowed) == ("unknown", exit_code, False)
    assert words in found.message
    assert found.message.isprintable()


@pytest.mark.parametrize(
    ("used", "age", "exit_code"),
    [
        (50.0, 10 * MINUTE, 0),
        (50.0, 10 * MINUTE + timedelta(seconds=1), 4),
        (50.0, -2 * MINUTE, 4),
        (50.0, -timedelta(seconds=30), 0),
        # Until a reset nothing is given back, so that an old number at its limit is as good as a young one.
        (80.0, 300 * MINUTE, 1),
    ],
)
def test_room_is_told_by_young_numbers_only(used: float, age: timedelta, exit_code: int) -> None:
    known = reading(window("five_hour", used, as_of=NOW - age, resets_at=NOW + timedelta(hours=4)))
    assert verdict(question("80", max_age=10 * MINUTE), known).exit_code == exit_code


@pytest.mark.parametrize(
    ("need", "projected", "exit_code"),
    [
        ("20", None, 0),
        ("40", None, 0),
        ("40.5", None, 1),
        ("20", 70.0, 0),
        ("20", 80.0, 0),
        ("20", 80.5, 1),
        ("0", 99.9, 0),
        ("5h=40", None, 0),
    ],
)
def test_need_must_fit_beside_what_the_pace_lets_expect(need: str, projected: float | None, exit_code: int) -> None:
    known = reading(window("five_hour", 60.0))
    forecasts = {"five_hour": Forecast(ratio=1.0, projected_percent=projected)}
    assert verdict(question(need=(need,)), known, forecasts=forecasts).exit_code == exit_code
    wanted = "heads for 80%" if projected == 80.5 else "is at 60%"
    assert wanted in verdict(question(need=(need,)), known, forecasts=forecasts).message


def test_need_holds_under_the_limit_that_is_given() -> None:
    known = reading(window("five_hour", 60.0))
    assert verdict(question("80", need=("20",)), known).exit_code == 0
    assert verdict(question("79", need=("20",)), known).exit_code == 1


def test_a_limit_for_a_window_that_does_not_exist_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="Known are 5h"):
        verdict(question("opus=80"), reading(window("five_hour", 3.0)))


ALL = st.builds(question, st.floats(0, 1000).map(lambda percent: f"{percent:.2f}%"))


@given(ALL, readings())
def test_a_verdict_is_one_line_that_fits_its_exit_code(asked: Question, known: Reading) -> None:
    found = verdict(asked, known)
    assert found.exit_code in {"under": [0], "over": [1], "unknown": [3, 4]}[found.outcome]
    assert found.message.isprintable()
    assert guard.describe_verdict(found, allowed=found.allowed).exit_code == found.exit_code


@given(ALL, readings(), st.floats(0, 50))
def test_more_usage_never_makes_room(asked: Question, known: Reading, more: float) -> None:
    fuller = known.replace(
        windows=tuple(
            each if each.used_percent is None else each.replace(used_percent=each.used_percent + more)
            for each in known.windows
        )
    )
    assert not (verdict(asked, fuller).allowed and not verdict(asked, known).allowed)


@given(ALL, readings(), st.floats(0, 600))
def test_growing_older_never_makes_room(asked: Question, known: Reading, minutes: float) -> None:
    before, after = verdict(asked, known), verdict(asked, known, now=NOW + minutes * MINUTE)
    assert not (after.allowed and not before.allowed)


@given(ALL, readings(), st.floats(1, 400))
def test_asking_for_younger_numbers_never_makes_room(asked: Question, known: Reading, minutes: float) -> None:
    strict = verdict(asked.replace(max_age=minutes * MINUTE), known)
    assert not (strict.allowed and not verdict(asked, known).allowed)
    assert (strict.outcome == "over") == (verdict(asked, known).outcome == "over")


@given(readings(), st.floats(0, 99), st.floats(0, 99))
def test_a_higher_limit_never_takes_room_away(known: Reading, one: float, other: float) -> None:
    low, high = sorted((one, other))
    tight, loose = (verdict(question(f"{limit:.2f}%"), known) for limit in (low, high))
    assert not (tight.allowed and not loose.allowed)

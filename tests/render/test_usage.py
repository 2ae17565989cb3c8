"""`ullage usage` in lines: what each column says, and that it fits into any width."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.samples import NOW, reading, readings, settings, window
from ullage.quota import pace
from ullage.quota.model import Credits, Money, Problem
from ullage.quota.pace import Forecast, Sample
from ullage.quota.schedule import Schedule
from ullage.render import usage
from ullage.render.cells import measure_width
from ullage.render.gauge import draw_gauge
from ullage.store.overview import Overview
from ullage.store.sign_in import SignInFacts

if TYPE_CHECKING:
    from ullage.quota.model import Reading
    from ullage.render.surfaces import Span

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SESSION = window("five_hour", 64.0, label="Session (5h)", resets_at=NOW + HOUR)
WEEK = window("seven_day", 78.0, label="Week (all models)", resets_at=NOW + 2 * DAY + 7 * HOUR)
FABLE = window("seven_day_fable", 81.0, label="Week (Fable)", resets_at=WEEK.resets_at)
OPUS = window("seven_day_opus", 46.0, label="Week (Opus)", resets_at=WEEK.resets_at)
DOLLARS = Money(amount_minor=5000, currency="USD", exponent=2)
CREDITS = Credits(enabled=True, used=DOLLARS.replace(amount_minor=1234), limit=DOLLARS, used_percent=24.68)


def known(stated: Reading | None, **changes: Any) -> Overview:
    found = Overview(reading=stated, schedule=Schedule(), samples={}, forecasts={})
    return found.replace(**changes)


def lines(overview: Overview, columns: int = 80, chosen: int | None = None, **changes: Any) -> list[str]:
    made = usage.lay_out_page(overview, settings(**changes), NOW, columns, chosen)
    return ["".join(span.text for span in line).rstrip() for line in made]


def spans(overview: Overview, columns: int = 80) -> list[Span]:
    return [span for line in usage.lay_out_page(overview, settings(), NOW, columns) for span in line]


def row(shown: list[str], title: str) -> str:
    return next(line for line in shown if title in line)


def test_each_window_has_a_line_with_its_numbers_under_each_other() -> None:
    shown = lines(known(reading(FABLE, SESSION, OPUS, WEEK, credits=CREDITS)))
    assert re.fullmatch(r"Max 20x +read just now · oauth", shown[0])
    assert [line[2:12].rstrip() for line in shown[2:]] == [
        "Session 5h", "Week 7d", "  Fable", "  Opus", "Credits",
    ]  # fmt: skip
    assert len({line.index("%") for line in shown[2:]}) == 1
    assert [line[line.index("%") + 1] for line in shown[2:5]] == [" ", "!", "!"]
    assert shown[-1].endswith("$12.34 of $50.00")


def test_the_window_that_binds_is_marked_and_bold() -> None:
    overview = known(reading(SESSION, WEEK, FABLE))
    assert [line[0] for line in lines(overview)[2:]] == [" ", " ", "▸"]
    assert [line[0] for line in lines(overview, ascii_only=True)[2:]] == [" ", " ", ">"]
    bold = [span.text.strip() for span in spans(overview) if span.style == "bold"]
    assert {"Fable", "81%"} <= {*bold}
    assert "78%" not in bold


def test_a_reset_is_said_once_for_all_that_share_it() -> None:
    shown = lines(known(reading(SESSION, WEEK, FABLE, OPUS)))
    assert sum("in 2d07h" in line for line in shown) == 1
    assert row(shown, "Week").endswith("Tue 17:38  in 2d07h")
    other = OPUS.replace(resets_at=NOW + DAY)
    assert "in 1d00h" in row(lines(known(reading(SESSION, WEEK, FABLE, other))), "Opus")


def test_the_outlook_is_faint_unless_it_warns() -> None:
    forecasts = {
        "five_hour": Forecast(projected_percent=74.0),
        "seven_day": Forecast(projected_percent=130.0, exhausts_at=NOW + 40 * HOUR),
    }
    overview = known(reading(SESSION, WEEK), forecasts=forecasts)
    levels = {span.text: span.level for span in spans(overview, 120)}
    assert levels["lasts, about 74%"] == "faint"
    assert levels["runs out early Tue, 15h early"] == "warning"
    assert row(lines(overview, 80), "Week").endswith("runs out early Tue")


def test_what_is_used_up_says_when_it_is_back_and_nothing_else() -> None:
    never = {"five_hour": Forecast(projected_percent=180.0, exhausts_at=NOW)}
    shown = lines(known(reading(SESSION.replace(used_percent=104.0), WEEK), forecasts=never))
    assert re.search(r" 100%×  used up; back at \d\d:38, in 1h00$", row(shown, "Session"))


def test_what_has_reset_has_no_number() -> None:
    shown = row(lines(known(reading(SESSION.replace(resets_at=NOW), WEEK))), "Session")
    assert re.search(r" ↺  +has reset; a new reading is due$", shown)
    assert "%" not in shown


def test_what_has_not_started_or_tells_no_reset_says_so() -> None:
    unstarted, untold = SESSION.replace(used_percent=0.0, resets_at=None), WEEK.replace(resets_at=None)
    shown = lines(known(reading(unstarted, untold)))
    assert row(shown, "Session").endswith("not started")
    assert row(shown, "Week").endswith("no reset time known")


def test_a_stale_number_is_marked_and_its_age_warns() -> None:
    as_of = NOW - 20 * timedelta(minutes=1)
    overview = known(reading(SESSION.replace(as_of=as_of), WEEK.replace(as_of=as_of), as_of=as_of))
    shown = lines(overview)
    assert "64%~" in row(shown, "Session")
    assert "read 20m ago (stale)" in shown[0]
    assert next(span.level for span in spans(overview) if "(stale)" in span.text) == "warning"


@pytest.mark.parametrize(
    ("left", "told"),
    [
        (None, False),
        (73 * HOUR, False),
        (72 * HOUR, True),
        (HOUR / 2, True),
        (0 * HOUR, False),
        (-5 * HOUR, False),
    ],
)
def test_the_last_days_of_a_sign_in_are_one_sentence_with_its_date(left: timedelta | None, told: bool) -> None:
    ends = NOW + left if left is not None else None
    found = SignInFacts(account="a1b2", looked_at=NOW - 20 * HOUR, plan_tier="max_20x", expires_at=ends)
    shown = "\n".join(lines(known(reading(SESSION), sign_in=found)))
    assert (
        bool(re.search(r"^As told at \S.*, Claude Code's sign-in ends .+, in \S+: /login", shown, re.MULTILINE)) is told
    )
    assert ("sign-in" in shown) is told


def test_a_problem_stands_below_with_what_comes_next() -> None:
    problem = Problem(code="x", message="Sign in again.", retry_at=NOW + HOUR)
    shown = lines(known(reading(SESSION), schedule=Schedule(problem=problem)))
    assert re.fullmatch(r"Sign in again\. Next attempt \d\d:38; `ullage refresh --force` asks now\.", shown[-1])
    assert lines(known(None)) == ["Nothing is known yet."]


def test_what_is_expected_is_counted_as_the_number_beside_it() -> None:
    overview = known(reading(SESSION)).replace(forecasts={"five_hour": Forecast(ratio=0.6, projected_percent=59.7)})
    assert "lasts, about 59%" in "\n".join(lines(overview))
    assert "lasts, about 41% left" in "\n".join(lines(overview, show_left=True))


def test_who_counts_what_is_left_is_told_so() -> None:
    shown = lines(known(reading(SESSION, WEEK)), show_left=True)
    assert "percent left" in shown[0]
    assert "36%" in row(shown, "Session")


def test_the_course_comes_with_room_for_it() -> None:
    begins = NOW - 4 * HOUR
    samples = [
        Sample(at=begins + n * HOUR / 10, used_percent=1.6 * n, resets_at=SESSION.resets_at) for n in range(1, 40)
    ]
    overview = known(reading(SESSION, WEEK), samples={"five_hour": samples})
    assert pace.list_run(SESSION, samples)
    assert "▂▃" in row(lines(overview, 110), "Session")
    assert "▂▃" not in row(lines(overview, 60), "Session")


def test_below_sixty_columns_the_essentials_are_left() -> None:
    forecasts = {"seven_day": Forecast(projected_percent=130.0, exhausts_at=NOW + 40 * HOUR)}
    shown = lines(known(reading(SESSION, WEEK, FABLE), forecasts=forecasts), 40)
    assert re.fullmatch(r"  Week 7d    [━╾─┃]+  78%! 2d07h", row(shown, "Week"))
    assert "  runs out early Tue, 15h early" in shown
    assert re.fullmatch(r"Session  +64% *1h00", row(lines(known(reading(SESSION, WEEK)), 20), "Session"))


def test_a_chosen_row_is_numbered_and_marked() -> None:
    shown = lines(known(reading(SESSION, WEEK, FABLE, credits=CREDITS)), chosen=1)
    assert [line[:4] for line in shown[2:]] == ["  1 ", "▸ 2 ", "  3 ", "  4 "]


@given(readings(), st.integers(8, 160), st.booleans(), st.booleans())
def test_no_line_is_wider_than_the_terminal(stated: Reading, columns: int, ascii_only: bool, show_left: bool) -> None:
    forecasts = {each.id: found for each in stated.windows if (found := pace.forecast(each, (), NOW)) is not None}
    overview = known(stated.replace(problem=None), forecasts=forecasts)
    shown = lines(overview, columns, ascii_only=ascii_only, show_left=show_left)
    assert max(map(measure_width, shown)) <= columns
    assert not ascii_only or "".join(shown).isascii()


@pytest.mark.parametrize(
    ("share", "elapsed", "drawn"),
    [
        (0.0, None, "────────"),
        (0.001, None, "╾───────"),
        (0.5, None, "━━━━────"),
        (0.55, None, "━━━━╾───"),
        (0.999, None, "━━━━━━━╾"),
        (1.0, None, "━━━━━━━━"),
        (0.5, 0.0, "┃━━━────"),
        (0.5, 0.8, "━━━━──┃─"),
        (0.9, 1.0, "━━━━━━━┃"),
    ],
)
def test_a_gauge_shows_a_share_and_the_time_that_has_passed(share: float, elapsed: float | None, drawn: str) -> None:
    made = draw_gauge(share, elapsed, 8, "warning", ascii_only=False)
    assert "".join(span.text for span in made) == drawn
    assert {span.level for span in made} <= {"warning", "faint", None}
    assert "".join(span.text for span in draw_gauge(share, elapsed, 8, None, ascii_only=True)).isascii()


@pytest.mark.parametrize(("columns", "shown"), [(100, "A name that is…"), (40, "A name that is…"), (20, "A name…")])
def test_a_long_name_is_cut_between_words_with_a_mark(columns: int, shown: str) -> None:
    named = FABLE.replace(label="Week (A name that is incomprehensible to all)")
    cut = row(lines(known(reading(SESSION, named)), columns), "A ")
    assert shown in cut
    assert row(lines(known(reading(SESSION, named)), columns, ascii_only=True), "A ").isascii()

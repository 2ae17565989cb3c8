"""The template: what each field shows, what vanishes, and what is said about one that cannot be read."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.samples import NOW, readings, window
from tests.support.samples import reading as make_reading
from ullage.config.options import OPTIONS
from ullage.config.template import (
    CREDITS_ATTRIBUTES,
    PLAIN_SUBJECTS,
    WINDOW_ATTRIBUTES,
    TemplateError,
    check_template,
    parse_template,
)
from ullage.quota.model import Account, Credits, Money, Reading, Thresholds, list_limits
from ullage.quota.pace import Forecast, Sample
from ullage.render import segment
from ullage.render.segment import View
from ullage.render.surfaces import Span

if TYPE_CHECKING:
    from ullage.quota.model import Severity

DOLLARS = Money(amount_minor=5000, currency="USD", exponent=2)
READING = make_reading(
    window("five_hour", 37.4, label="Session (5h)"),
    window("seven_day", 82.0, label="Week (all models)", resets_at=NOW + timedelta(days=3, hours=4)),
    window("seven_day_fable", 104.0, label="Week (Fable)", resets_at=NOW + timedelta(minutes=48)),
    window("tangelo", 99.0, resets_at=None),
    credits=Credits(enabled=True, used=DOLLARS.replace(amount_minor=1234), limit=DOLLARS, used_percent=24.68),
)


def show(template: str, known: Reading = READING, **view: Any) -> str:
    return "".join(span.text for span in spans(template, known, **view))


def spans(template: str, known: Reading = READING, **view: Any) -> list[Span]:
    view = {"now": NOW, "thresholds": Thresholds(), "timezone": UTC, **view}
    return segment.fill(parse_template(template), View(reading=known, **view))


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("{5h}", "37%"),
        ("{five_hour}", "37%"),
        ("{5h.used}", "37%"),
        ("{5h.left}", "63%"),
        ("{5h.bar}", "▰▰▰▱▱▱▱▱"),
        ("{5h.bar:3}", "▰▱▱"),
        ("{5h.dots}", "●●○○○"),
        ("{5h.dots:10}", "●●●●○○○○○○"),
        ("{5h.ring}", "◔"),
        ("{fable.ring}", "●"),
        ("{credits.ring} {credits.dots:4}", "◔ ●○○○"),
        ("{icon}", "◆"),
        ("{5h.name}", "5h"),
        ("{5h.label}", "Session (5h)"),
        ("{5h.resets_in}", "2h13"),
        ("{5h.resets_at}", "12:51"),
        ("{5h.blocked_for}", "?"),
        ("{7d}", "82%!"),
        ("{7d.name}", "7d"),
        ("{7d.resets_in}", "3d04h"),
        ("{7d.resets_at}", "Wed 14:38"),
        ("{fable}", "100%×"),
        ("{fable.left}", "0%×"),
        ("{fable.name}", "fable"),
        ("{fable.blocked_for}", "?"),
        ("{fable.on_credits}", "· credits"),
        ("{5h.on_credits}", "?"),
        ("{tangelo}", "99%!!"),
        ("{tangelo.resets_in}", "?"),
        ("{top.name} {top}[ {top.on_credits}][ {top.blocked_for}]", "fable 100%× · credits"),
        ("{top.bar}", "▰▰▰▰▰▰▰▰"),
        ("{credits}", "24%"),
        ("{credits.percent}", "24%"),
        ("{credits.used}", "$12.34"),
        ("{credits.limit}", "$50.00"),
        ("{credits.left}", "$37.66"),
        ("{credits.bar}", "▰▰▱▱▱▱▱▱"),
        ("{age} {state} {plan} {source}", "0m fresh max oauth"),
        ("{ 5h }", "37%"),
        ("{opus}", "?"),
    ],
)
def test_fields(template: str, shown: str) -> None:
    assert show(template) == shown


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("{5h}", "63%"),
        ("{5h.used}", "37%"),
        ("{5h.left}", "63%"),
        ("{5h.bar}", "▰▰▰▰▰▱▱▱"),
        ("{7d}", "18%!"),
        ("{fable}", "0%×"),
        ("{credits}", "76%"),
        ("{credits.used}", "$12.34"),
    ],
)
def test_who_wants_to_see_what_is_left_sees_it(template: str, shown: str) -> None:
    assert show(template, show_left=True) == shown


def test_plain_characters() -> None:
    known = make_reading(window(used=100.0), window("seven_day", 50.0, resets_at=NOW))
    assert show("{5h} {5h.bar} {7d}", known, ascii_only=True) == "100%X ######## reset"
    assert show("[{icon}]{5h.dots:3}{5h.ring}", known, ascii_only=True) == "***@"


def test_a_nerd_font_has_finer_rings_and_an_icon_of_its_own() -> None:
    shown = [show("{5h.ring}", make_reading(window(used=used)), nerd=True) for used in (0.0, 1.0, 50.0, 99.9, 100.0)]
    assert shown == ["\U000f0766", "\U000f0a9e", "\U000f0aa1", "\U000f0aa4", "\U000f0aa5"]
    assert show("{icon}", nerd=True) not in ("◆", "")


def test_the_course_is_what_a_window_stood_at_so_far() -> None:
    begins = NOW - timedelta(hours=2, minutes=47)
    samples = [
        Sample(at=begins + n * timedelta(minutes=10), used_percent=2.0 * n, resets_at=READING.windows[0].resets_at)
        for n in range(1, 17)
    ]
    shown = spans("{5h.course:5}|[{7d.course}]", samples={"five_hour": samples})
    assert shown[0] == Span(text="▁▂▃", level="normal")
    assert [span.text for span in shown[1:]] == ["|"]
    assert show("{5h.course:5}", samples={"five_hour": samples}, ascii_only=True).isascii()


def test_a_group_has_a_style_where_nothing_has_a_level() -> None:
    assert spans("[5h {5h}](dim) {7d}") == [
        Span(text="5h ", style="dim"),
        Span(text="37%", level="normal"),
        Span(text=" "),
        Span(text="82%!", level="warning"),
    ]
    assert show("[5h](not a style) ()") == "5h(not a style) ()"


def test_every_field_that_the_configuration_explains_is_one() -> None:
    [explained] = [option.explanation for option in OPTIONS if option.key == "segment.template"]
    for field in re.findall(r"\{([\w.]+)\}", explained):
        parse_template(f"{{{field}}}")
    attributes = set(re.findall(r" \.(\w+)", explained))
    assert attributes == set(WINDOW_ATTRIBUTES) - {""}
    for subject in PLAIN_SUBJECTS:
        assert f"{{{subject}}}" in explained


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("a[ {opus}]b", "ab"),
        ("a[ {5h} {opus}]b", "ab"),
        ("a[ {5h}]b", "a 37%b"),
        ("[{5h}][{opus}][{7d}]", "37%82%!"),
        ("[always]", "always"),
        ("{{5h}} [[{5h}]]", "{5h} [37%]"),
        ("[ [[{5h}]] ]", " [37%] "),
        ("[[[{5h}]]]", "[37%]"),
        ("one\ttwo", "one two"),
        ("$(id) `id` % # \\", "$(id) `id` % # \\"),
        ("", ""),
    ],
)
def test_groups_and_doubled_brackets(template: str, shown: str) -> None:
    assert show(template) == shown


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{5h.bar:0}", "asks for '0' cells at character 1; it can be 1 to 40"),
        ("{5h.bar:x}", "it can be 1 to 40"),
        ("{5h.bar:}", "it can be 1 to 40"),
        ("{5h.bar:²}", "it can be 1 to 40"),
        ("{5h.bar:99999999999}", "it can be 1 to 40"),
        ("{5h:5}", "bar, dots, course have one"),
        ("{age:5}", "bar, dots, course have one"),
        ("{5h", "{ without its } at character 1"),
        ("ab {5h", "at character 4"),
        ("ab }", "} without its counterpart at character 4; to show it, double it"),
        ("[{5h}", "[ without its ]"),
        ("{5h}]", "] without its counterpart at character 5"),
        ("[a [b]]", "[ without its counterpart at character 4"),
        ("x {}", "field without a name at character 3"),
        ("{5h!r}", "field without a name at character 1"),
        ("{__class__.__init__}", "__init__"),
        ("{5h.resetsin}", "did you mean resets_in?"),
        ("{5h.resets_at.x}", "did you mean resets_at?"),
        ("ab {credits.lefts}", "{credits.lefts} at character 4; did you mean left?"),
        ("{credits.resets_in}", "it can be percent, used, limit, left, bar"),
        ("{age.minutes}", "it can be nothing"),
        ("a\x1b[1mb", "control character"),
        ("a\u202eb", "control character"),
        ("x" * 1001, "more than 1000 characters"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(template: str, words: str) -> None:
    problem = check_template(template)
    assert problem is not None
    assert words in problem
    with pytest.raises(TemplateError):
        parse_template(template)


@given(st.text(st.sampled_from("{}[].5hdtop credits_left\\$x"), max_size=30) | st.text(max_size=30))
def test_any_text_is_a_template_or_a_template_error(template: str) -> None:
    if check_template(template) is None:
        assert "\n" not in show(template)


@given(readings(), st.integers(-100, 12 * 86400))
def test_every_field_can_be_filled_at_any_time(known: Reading, after: int) -> None:
    moment = NOW + timedelta(seconds=after)
    subjects = ("5h", "7d", "fable", "opus", "tangelo", "top")
    fields = [f"{{{subject}.{attribute}}}" for subject in subjects for attribute in WINDOW_ATTRIBUTES if attribute]
    fields += [f"{{credits.{attribute}}}" for attribute in CREDITS_ATTRIBUTES if attribute]
    fields += [f"{{{subject}}}" for subject in PLAIN_SUBJECTS]
    for field in fields:
        shown = show(field, known, now=moment)
        # Where nothing is counted the segment is empty, and asks for nothing.
        assert shown or not list_limits(known)
        if not shown:
            continue
        # A question mark may also be a window's name.
        assert show(f"[{field}]", known, now=moment) in ({"", "?"} if shown == "?" else {shown})


@pytest.mark.parametrize(
    ("used", "level", "shown", "plain"),
    [
        (10.0, "normal", "10%", "10%"),
        (75.0, "warning", "75%!", "75%!"),
        (90.0, "critical", "90%!!", "90%!!"),
        (100.0, "exhausted", "100%×", "100%X"),
    ],
)
def test_severity_by_colour_and_form(used: float, level: Severity, shown: str, plain: str) -> None:
    known = make_reading(window(used=used))
    assert spans("{5h}", known) == [Span(text=shown, level=level)]
    assert spans("{5h.bar}", known)[0].level == level
    assert show("{5h}", known, ascii_only=True) == plain
    assert segment.grade_view(spans("x {5h}", known)) == level


def later(**since: float) -> datetime:
    return NOW + timedelta(**since)


@pytest.mark.parametrize("field", ["{5h}", "{5h.used}", "{5h.left}", "{5h.bar}", "{credits}", "{credits.left}"])
def test_an_old_number_is_marked_and_coloured_as_old(field: str) -> None:
    assert spans(field, now=later(minutes=14))[0].level != "stale"
    [old] = spans(field, now=later(minutes=15))
    assert (old.text[0], old.level) == ("~", "stale")
    assert spans(field, now=later(hours=6)) == [Span(text="?")]


@pytest.mark.parametrize("field", ["{5h}", "{5h.used}", "{5h.left}", "{5h.bar}"])
def test_after_a_reset_there_is_a_mark_and_no_number(field: str) -> None:
    known = make_reading(window(used=99.0, resets_at=later(minutes=1)))
    assert show(field, known, now=later(minutes=1)) == "↺"
    assert show(field, known, now=later(minutes=20)) == "↺"
    assert show(field, known, now=later(hours=6)) == "?"
    assert show("[{5h.resets_in}{5h.resets_at}{5h.blocked_for}]", known, now=later(minutes=1)) == ""


def test_the_mark_of_a_reset_has_no_level_of_the_number_that_is_gone() -> None:
    known = make_reading(window(used=100.0, severity="critical", resets_at=NOW))
    assert segment.grade_view(spans("{5h}", known)) == "none"


def test_of_several_levels_the_one_that_warns_most_is_told() -> None:
    known = make_reading(window(used=10.0), window("seven_day", 95.0), window("seven_day_fable", 80.0))
    assert segment.grade_view(spans("{5h} {fable} {7d}", known)) == "critical"
    mixed = make_reading(window(used=10.0, as_of=later(minutes=-20)), window("seven_day", 100.0))
    assert segment.grade_view(spans("{5h} {7d}", mixed)) == "stale"


@pytest.mark.parametrize(
    ("credits", "shown"),
    [
        (None, "????"),
        (Credits(enabled=False), "????"),
        (Credits(enabled=True, used=DOLLARS), "?$50.00??"),
        (Credits(enabled=True, used=DOLLARS.replace(currency="EUR"), limit=DOLLARS), "?50.00 EUR$50.00?"),
        (
            Credits(enabled=True, used=DOLLARS, limit=DOLLARS.replace(amount_minor=1), used_percent=999.0),
            "100%×$50.00$0.01$0.00",
        ),
    ],
)
def test_credits_as_far_as_they_are_known(credits: Credits | None, shown: str) -> None:
    assert show("{credits}{credits.used}{credits.limit}{credits.left}", make_reading(credits=credits)) == shown


@pytest.mark.parametrize("template", ["{top.name} {top}[ {top.blocked_for}]", "{5h} {7d}", "x[{top}]{top.name}"])
def test_where_nothing_binds_the_segment_is_empty(template: str) -> None:
    assert show(template, make_reading(window("tangelo", 50.0))) == ""
    assert show(template, make_reading(credits=Credits(enabled=True, used=DOLLARS))) == ""


def test_a_budget_binds_where_no_window_does_and_501_of_500_is_exhausted() -> None:
    budget = Credits(
        enabled=True, used=DOLLARS.replace(amount_minor=50_100), limit=DOLLARS.replace(amount_minor=50_000)
    )
    known = make_reading(credits=budget.replace(used_percent=100.2))
    assert show("{top.name} {top}[ {top.blocked_for}]", known) == "credits 100%×"
    assert segment.grade_view(spans("{top}", known)) == "exhausted"


def test_a_window_that_is_used_up_says_that_credits_pay_and_else_when_it_is_back() -> None:
    template = "{top.name} {top}[ {top.on_credits}][ {top.blocked_for}]"
    used_up = window(used=100.0)
    paid = Credits(enabled=True, used=DOLLARS, limit=DOLLARS.replace(amount_minor=9900), used_percent=50.5)
    assert show(template, make_reading(used_up, credits=paid)) == "5h 100%× · credits"
    assert show(template, make_reading(used_up, credits=paid), ascii_only=True) == "5h 100%X on credits"
    for credits in (None, paid.replace(enabled=False), paid.replace(used_percent=100.0)):
        assert show(template, make_reading(used_up, credits=credits)) == "5h 100%× 2h13"


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Week (Fable 5.1)", "fable 5.1"),
        ("Week (Claude Fable 5.1)", "fable 5.1"),
        ("Week (Fable)", "fable"),
        ("?", "fable 5 1"),
    ],
)
def test_a_models_name_is_shown_with_its_version(label: str, name: str) -> None:
    known = make_reading(window("seven_day_fable_5_1", 40.0, label=label))
    assert show("{top.name} {fable} {fable_5_1}", known) == f"{name} 40% 40%"


def test_a_models_name_stands_for_the_fullest_of_its_versions() -> None:
    known = make_reading(window("seven_day_fable", 40.0), window("seven_day_fable_5_1", 96.0))
    assert show("{fable} {seven_day_fable}", known) == "96%!! 40%"


def test_a_number_of_unknown_age_is_shown_as_old() -> None:
    known = make_reading(window(used=37.0, is_dated=False), is_dated=False)
    assert show("{5h}", known) == "~37%"


def test_an_age_that_cannot_be_known_is_not_told() -> None:
    assert show("{age}", now=later(minutes=-5)) == "?"


def test_what_an_account_calls_its_plan_is_cleaned() -> None:
    assert show("{plan}", make_reading(account=Account(plan="max\x1b[2J\n20x"))) == "max[2J 20x"


FORECASTS = {
    "five_hour": Forecast(ratio=1.26, projected_percent=120.0, exhausts_at=NOW + timedelta(minutes=42)),
    "seven_day": Forecast(ratio=0.64, projected_percent=70.0),
    "seven_day_fable": Forecast(ratio=1.5, projected_percent=200.0, exhausts_at=NOW + timedelta(minutes=40)),
}


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("{5h.pace}", "1.3×"),
        ("{7d.pace}", "0.6×"),
        ("{top.pace}", "1.5×"),
        ("{5h}[ until {5h.runs_out}]", "37% until 11:20"),
        ("{7d}[ until {7d.runs_out}]", "82%!"),
        ("{7d.runs_out} {opus.pace} {tangelo.pace}", "? ? ?"),
    ],
)
def test_forecasts(template: str, shown: str) -> None:
    assert show(template, forecasts=FORECASTS) == shown


@pytest.mark.parametrize(
    ("after", "pace", "runs_out"),
    [
        (timedelta(minutes=14), "1.3×", "11:20"),
        (timedelta(minutes=15), "?", "?"),
    ],
)
def test_a_forecast_vanishes_when_its_statement_is_old(after: timedelta, pace: str, runs_out: str) -> None:
    assert show("{5h.pace}", forecasts=FORECASTS, now=NOW + after) == pace
    assert show("{5h.runs_out}", forecasts=FORECASTS, now=NOW + after) == runs_out


def test_a_forecast_vanishes_with_the_reset_and_when_it_has_not_come_true() -> None:
    patient = Thresholds(stale_after=timedelta(hours=5))
    assert show("{5h.runs_out}", forecasts=FORECASTS, thresholds=patient, now=NOW + timedelta(minutes=41)) == "11:20"
    assert show("{5h.runs_out}", forecasts=FORECASTS, thresholds=patient, now=NOW + timedelta(minutes=42)) == "?"
    assert show("{5h.pace}", forecasts=FORECASTS, thresholds=patient, now=NOW + timedelta(minutes=42)) == "1.3×"
    assert show("{5h.pace}", forecasts=FORECASTS, thresholds=patient, now=NOW + timedelta(hours=3)) == "?"


def test_pace_in_plain_characters() -> None:
    assert show("{5h.pace}", forecasts=FORECASTS, ascii_only=True) == "1.3x"


@pytest.mark.parametrize(
    ("slip", "meant"), [("tpo", "top"), ("topp", "top"), ("5hh", "5h"), ("credit", "credits"), ("satte", "state")]
)
def test_a_slip_in_a_name_is_found(slip: str, meant: str) -> None:
    assert f"did you mean {meant}?" in str(check_template(f"{{{slip}}}"))


def test_a_field_that_ends_with_a_dot_is_no_field() -> None:
    assert "ends with a dot" in str(check_template("{5h.}"))

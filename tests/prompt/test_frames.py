"""A reading becomes frames: at every second what a timeline shows is what is true at that second."""

from __future__ import annotations

import itertools
import math
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.samples import NOW, moments, money, reading, readings, window
from tests.support.samples import settings as values
from ullage.config.settings import DEFAULTS
from ullage.config.template import parse_template
from ullage.prompt import frames
from ullage.quota.model import Credits, Reading, Thresholds, Window, list_limits
from ullage.quota.pace import Forecast
from ullage.quota.timeline import LEAD_SECONDS, SURFACES, Frame
from ullage.render import segment, words
from ullage.render.segment import View

if TYPE_CHECKING:
    from collections.abc import Iterator

TEMPLATES = (
    DEFAULTS["segment.template"],
    "{5h}",
    "{5h}[ {5h.resets_in}]",
    "{7d.bar} [{7d.resets_at}]",
    "[{fable} ]{5h.left}[ {credits.used}/{credits.limit}]",
    "{state} {top.label}",
)
EVERYTHING = "{5h} {5h.resets_in} {7d.resets_in} {fable.resets_in} {opus.blocked_for} {age} {state}"
WRITTEN = int(NOW.timestamp())

templates = st.sampled_from([*TEMPLATES, EVERYTHING])


def build(known: Reading | None, template: str, now: datetime = NOW, surface: str = "plain") -> list[Frame]:
    return of_surface(frames.build(known, values(template), now), surface)


def of_surface(built: dict[tuple[str, ...], list[Frame]], surface: str) -> list[Frame]:
    [found] = [shown for names, shown in built.items() if surface in names]
    return found


def at(built: list[Frame], second: int) -> Frame:
    return [frame for frame in built if frame.starts_at <= second][-1]


def directly(known: Reading, template: str, second: int) -> str:
    view = View(reading=known, now=datetime.fromtimestamp(second, UTC), thresholds=Thresholds())
    return "".join(span.text for span in segment.fill(parse_template(template), view))


@given(readings(), templates, st.sampled_from(SURFACES), st.floats(0, 1))
def test_frames_are_few_ascend_and_begin_before_they_are_written(
    known: Reading, template: str, surface: str, fraction: float
) -> None:
    built = build(known, template, NOW + timedelta(seconds=fraction), surface)
    starts = [frame.starts_at for frame in built]
    assert starts == sorted(set(starts))
    assert starts[0] == math.floor(NOW.timestamp() + fraction) - LEAD_SECONDS
    assert len(built) <= frames.MOST_FRAMES
    assert not any("\n" in frame.text or "\0" in frame.text for frame in built)
    assert all((one.level, one.text) != (other.level, other.text) for one, other in itertools.pairwise(built))


@given(readings(), st.sampled_from(TEMPLATES), st.integers(0, 60))
def test_within_the_hour_every_second_is_exact(known: Reading, template: str, after: int) -> None:
    seconds = range(WRITTEN + after, WRITTEN + 3600, 61)
    names = [each.id for each in known.windows]
    for one in (template, *(f"{{{name}}}[ {{{name}.resets_in}}][ {{{name}.resets_at}}]" for name in names)):
        built = build(known, one)
        assert [at(built, second).text for second in seconds] == [directly(known, one, second) for second in seconds]


@given(readings(), templates, st.integers(0, 12 * 86400))
def test_every_frame_is_exact_when_it_starts(known: Reading, template: str, after: int) -> None:
    frame = at(build(known, template), WRITTEN + after)
    assert frame.text == directly(known, template, max(frame.starts_at, WRITTEN))


def of_each_window(known: Reading, template: str, after: int) -> Iterator[tuple[Window, str]]:
    """What a template shows of each window after some seconds, from the frames of all of them at once."""
    whole = "|".join(template.format(each.id) for each in known.windows)
    text = at(build(known, whole), WRITTEN + after).text
    # Where nothing is counted all of it is empty.
    shown = text.split("|") if text else [""] * len(known.windows)
    return zip(known.windows, shown, strict=True)


@given(readings(), st.integers(0, 12 * 86400))
@settings(max_examples=3 * settings().max_examples)
def test_numbers_are_only_shown_while_they_are_true(known: Reading, after: int) -> None:
    moment = NOW + timedelta(seconds=after)
    for each, shown in of_each_window(known, "{{{}}}", after):
        too_old = moment >= each.as_of + Thresholds().expire_after
        reset = each.resets_at is not None and moment >= each.resets_at
        if not list_limits(known):
            assert shown == ""
            continue
        if too_old or each.used_percent is None:
            assert shown in ("?", "↺")
        if reset and not too_old:
            assert shown == "↺"
        if not reset and not too_old:
            old = moment >= each.as_of + Thresholds().stale_after
            assert shown.startswith("~") is (old and each.used_percent is not None)


@given(readings(), st.integers(0, 12 * 86400))
def test_a_countdown_neither_stands_still_nor_turns_negative(known: Reading, after: int) -> None:
    moment = NOW + timedelta(seconds=after)
    for each, shown in of_each_window(known, "{{{}.resets_in}}", after):
        if not list_limits(known):
            assert shown == ""
        elif each.resets_at is None or moment >= each.resets_at:
            assert shown == "?"
        elif shown != "?":
            remaining = (each.resets_at - moment).total_seconds()
            assert remaining <= seconds_of(shown) < remaining + 3600 + 900


def seconds_of(countdown: str) -> int:
    days, hours, minutes = re.fullmatch(r"(?:(\d+)d(?=\d+h$))?(?:(\d+)h)?(?:(\d+)m?)?", countdown).groups(default="0")  # type: ignore[union-attr]
    return int(days) * 86400 + int(hours) * 3600 + int(minutes) * 60


@given(readings(), st.lists(st.integers(0, 6 * 3600), min_size=2, max_size=2))
def test_a_countdown_never_grows(known: Reading, seconds: list[int]) -> None:
    for each in known.windows:
        built = build(known, f"{{{each.id}.resets_in}}")
        earlier, later = (at(built, WRITTEN + second).text for second in sorted(seconds))
        if "?" not in (earlier, later):
            assert seconds_of(earlier) >= seconds_of(later)


def staggered(*hours: float) -> Reading:
    ids = ("five_hour", "seven_day", "seven_day_fable", "seven_day_opus")
    return reading(
        *(
            window(id, 100.0, resets_at=NOW + timedelta(hours=each, seconds=7 * number, microseconds=84069))
            for number, (id, each) in enumerate(zip(ids, hours, strict=False))
        )
    )


def test_many_countdowns_grow_coarser_and_never_freeze() -> None:
    known, template = staggered(4, 9, 14, 23), EVERYTHING
    built = build(known, template)
    assert len(built) <= frames.MOST_FRAMES
    lasting = [later.starts_at - one.starts_at for one, later in itertools.pairwise(built)]
    assert max(lasting) <= 3600
    soon = range(WRITTEN, WRITTEN + 600)
    assert [at(built, second).text for second in soon] == [directly(known, template, second) for second in soon]


@pytest.mark.parametrize("template", ["{5h.resets_in}", "{5h.blocked_for}", "{5h.resets_at}"])
@pytest.mark.parametrize("microsecond", [0, 1, 84_069, 999_999])
@pytest.mark.parametrize("hours", [0.5, 4, 24.5])
def test_servers_tell_resets_to_the_microsecond(template: str, microsecond: int, hours: float) -> None:
    resets_at = (NOW + timedelta(hours=hours, seconds=17)).replace(microsecond=microsecond)
    known = reading(window(used=100.0, resets_at=resets_at))
    built = build(known, template)
    hour = range(WRITTEN, WRITTEN + 3600, 7)
    assert [at(built, second).text for second in hour] == [directly(known, template, second) for second in hour]


@pytest.mark.parametrize("microsecond", [0, 1, 500_000, 999_999])
def test_the_second_of_a_reset(microsecond: int) -> None:
    resets_at = (NOW + timedelta(minutes=10)).replace(microsecond=microsecond)
    built = build(reading(window(resets_at=resets_at)), "{5h}[ {5h.resets_in}]")
    second = math.ceil(resets_at.timestamp())
    assert at(built, second - 1).text == "37% 1m"
    assert at(built, second).text == "↺"
    assert at(built, second).level == "none"
    assert second in [frame.starts_at for frame in built]


def test_stale_then_too_old_each_at_its_second() -> None:
    as_of = NOW - timedelta(minutes=5, microseconds=-1)
    known = reading(window(used=80.0, resets_at=None, as_of=as_of), as_of=as_of)
    assert [(frame.starts_at - WRITTEN, frame.level, frame.text) for frame in build(known, "{5h}")] == [
        (-60, "warning", "80%!"),
        (601, "stale", "~80%!"),
        (355 * 60 + 1, "none", "?"),
    ]


def test_what_is_expired_already_is_one_frame_without_a_number() -> None:
    as_of = NOW - timedelta(hours=7)
    known = reading(window(as_of=as_of), as_of=as_of)
    assert [frame.text for frame in build(known, "{5h}[ {5h.resets_in}]")] == ["?"]


def test_ages_and_clock_times_do_not_stand_in_a_last_frame() -> None:
    [*_, last] = build(reading(window()), "{age}|{5h.resets_in}|{5h.resets_at}|{5h}")
    assert last.text == "?|?|?|?"


def test_nothing_known_shows_nothing() -> None:
    assert build(None, "{5h}") == [Frame(starts_at=WRITTEN - LEAD_SECONDS, level="none", text="")]


@given(money, money, moments(NOW - timedelta(hours=5), NOW))
def test_credits_are_marked_when_stale_and_go_when_too_old(used: object, limit: object, as_of: datetime) -> None:
    known = reading(as_of=as_of, credits=Credits(enabled=True, used=used, limit=limit, used_percent=12.0))  # type: ignore[arg-type]
    built = build(known, "[{credits.used}]")
    stale = math.ceil((as_of + Thresholds().stale_after).timestamp())
    expired = math.ceil((as_of + Thresholds().expire_after).timestamp())
    if stale > WRITTEN:
        assert not at(built, stale - 1).text.startswith("~")
    assert at(built, max(stale, WRITTEN)).text.startswith("~")
    assert at(built, expired).text == ""


def many(windows: int) -> tuple[Window, ...]:
    return tuple(
        window(f"kind_{n}", 5.0, as_of=NOW - timedelta(seconds=n), resets_at=NOW + timedelta(hours=1, seconds=n))
        for n in range(windows)
    )


def test_as_many_windows_as_a_cache_may_hold_come_to_an_end() -> None:
    template = "".join(f"{{kind_{n}}}" for n in range(90))
    assert build(reading(*many(90)), template)


@given(st.integers(1, 3 * 86400), st.integers(0, 3 * 3600))
def test_a_forecast_is_shown_while_it_is_young_and_may_come_true(runs_out: int, after: int) -> None:
    exhausts_at = NOW + timedelta(seconds=runs_out, microseconds=5)
    forecasts = {"seven_day": Forecast(ratio=1.2, projected_percent=150.0, exhausts_at=exhausts_at)}
    known = reading(window("seven_day", 80.0, resets_at=NOW + timedelta(days=4)))
    built = of_surface(frames.build(known, values("{7d.pace}|{7d.runs_out}"), NOW, forecasts), "plain")
    pace, time = at(built, WRITTEN + after).text.split("|")
    young = after < Thresholds().stale_after.total_seconds()
    assert pace == ("1.2×" if young else "?")
    moment = NOW + timedelta(seconds=after)
    shown = words.format_forecast_clock(exhausts_at, moment)
    assert time == (shown if young and exhausts_at > moment else "?")

"""The forecast: what it says of windows that are easy to see through, when it is silent, and that it beats guessing."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import pace as simulated
from bench.lives import TUNED_ON
from tests.support.samples import NOW, moments, window
from ullage.quota import pace
from ullage.quota.model import Thresholds, Window, find_length
from ullage.quota.pace import Sample

if TYPE_CHECKING:
    from collections.abc import Sequence

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def session(used: float | None, *, elapsed: timedelta = 2.5 * HOUR) -> Window:
    return window("five_hour", used, resets_at=NOW + 5 * HOUR - elapsed)


def week(used: float, *, elapsed: timedelta = 3.5 * DAY) -> Window:
    return window("seven_day", used, resets_at=NOW + 7 * DAY - elapsed)


def course(stated: Window, *steps: tuple[timedelta, float]) -> list[Sample]:
    """Samples so long after the window's start."""
    whole = find_length(stated)
    assert whole is not None
    assert stated.resets_at is not None
    begins = stated.resets_at - whole
    return [Sample(at=begins + after, used_percent=used, resets_at=stated.resets_at) for after, used in steps]


def evenly(stated: Window, steps: int = 50) -> list[Sample]:
    """Samples of a window that was used evenly until its statement."""
    whole = find_length(stated)
    assert whole is not None
    assert stated.resets_at is not None
    assert stated.used_percent is not None
    elapsed = whole - (stated.resets_at - stated.as_of)
    return course(stated, *((elapsed * n / steps, stated.used_percent * n / steps) for n in range(1, steps)))


@pytest.mark.parametrize(("used", "ratio"), [(25.0, 0.5), (50.0, 1.0), (80.0, 1.6), (0.0, 0.0)])
def test_the_ratio_is_used_against_elapsed(used: float, ratio: float) -> None:
    forecast = pace.forecast(session(used), (), NOW)
    assert forecast is not None
    assert forecast.ratio == pytest.approx(ratio)


@pytest.mark.parametrize("stated", [session(40.0), week(40.0)], ids=["session", "week"])
def test_even_use_goes_on_evenly(stated: Window) -> None:
    forecast = pace.forecast(stated, evenly(stated), NOW)
    assert forecast is not None
    assert forecast.projected_percent == pytest.approx(80, abs=1)
    assert forecast.exhausts_at is None


@pytest.mark.parametrize("stated", [session(80.0), week(80.0)], ids=["session", "week"])
def test_even_use_runs_out_where_the_line_meets_the_limit(stated: Window) -> None:
    forecast = pace.forecast(stated, evenly(stated), NOW)
    whole = find_length(stated)
    assert forecast is not None
    assert whole is not None
    assert forecast.exhausts_at is not None
    assert abs(forecast.exhausts_at - (NOW + whole / 8)) < whole / 100
    assert forecast.exhausts_earliest is not None
    assert NOW < forecast.exhausts_earliest < forecast.exhausts_at
    assert forecast.exhausts_latest is None or forecast.exhausts_at < forecast.exhausts_latest


def test_a_window_that_has_run_out_has_run_out_now() -> None:
    forecast = pace.forecast(session(100.0), (), NOW)
    assert forecast is not None
    assert forecast.exhausts_at == NOW


@pytest.mark.parametrize(
    "stated",
    [
        window("tangelo", 50.0),
        session(None),
        window("five_hour", 50.0, resets_at=None),
        window("five_hour", 50.0, resets_at=NOW),
        session(3.0, elapsed=timedelta(minutes=5)),
        window("five_hour", 50.0, resets_at=NOW + 6 * HOUR),
    ],
    ids=["length", "percent", "reset", "has reset", "too early", "reset too far away"],
)
def test_it_is_silent_where_it_does_not_know_enough(stated: Window) -> None:
    assert pace.forecast(stated, (), NOW) is None


def test_old_statements_get_no_forecast() -> None:
    stated = session(50.0)
    found = [
        set(pace.forecast_windows([stated], {}, Thresholds(), NOW + timedelta(minutes=minutes)))
        for minutes in (0, 14, 15, 600)
    ]
    assert found == [{"five_hour"}, {"five_hour"}, set(), set()]


def test_an_idle_night_neither_halves_the_rate_nor_is_taken_for_work() -> None:
    """A week of which each day is worked from 9 to 17, asked about in the morning and in the evening of a day."""
    begins = datetime(2026, 11, 16, tzinfo=UTC)
    resets_at = begins + 7 * DAY
    samples = []
    for hour in range(7 * 24):
        worked = hour // 24 * 8 + min(max(hour % 24 - 9, 0), 8)
        samples.append(Sample(at=begins + hour * HOUR, used_percent=100 * worked / 56, resets_at=resets_at))
    for hours in (3 * 24 + 9, 3 * 24 + 17, 3 * 24 + 23):
        now = samples[hours]
        stated = window("seven_day", now.used_percent, resets_at=resets_at, as_of=now.at)
        forecast = pace.forecast(stated, samples[:hours], now.at)
        assert forecast is not None
        assert forecast.projected_percent == pytest.approx(100, abs=12)


def test_a_machine_that_was_off_does_not_make_a_burst() -> None:
    """A jump between two readings that lie six hours apart was used in those six hours, not in the last minute."""
    stated = week(50.0)
    jumped = [s for s in evenly(stated, 84) if not s.at > NOW - 6.1 * HOUR]
    told, all_told = (pace.forecast(stated, samples, NOW) for samples in (jumped, evenly(stated, 84)))
    assert told is not None
    assert all_told is not None
    assert told.projected_percent == pytest.approx(all_told.projected_percent, abs=2)


def test_the_old_percentage_that_a_server_repeats_after_a_reset_is_forgotten() -> None:
    stated = session(10.0, elapsed=HOUR)
    echo = course(stated, (timedelta(minutes=1), 98.0), (timedelta(minutes=4), 0.0))
    forecast, without = (pace.forecast(stated, samples, NOW) for samples in (echo, echo[1:]))
    assert forecast is not None
    assert without is not None
    assert forecast.projected_percent == pytest.approx(without.projected_percent, abs=1)


def test_samples_of_other_windows_with_other_resets_do_not_mix() -> None:
    stated = session(40.0)
    assert stated.resets_at is not None
    other = [Sample(at=NOW - HOUR, used_percent=90.0, resets_at=stated.resets_at - 2 * HOUR)]
    assert [sample.used_percent for sample in pace.list_run(stated, [*other, *evenly(stated, 4)])] == [10, 20, 30, 40]


def test_habits_are_carried_over_from_the_weeks_before() -> None:
    """Two days into a week nobody has worked at the weekend yet; last week says that nobody does."""
    monday = datetime(2026, 11, 2, tzinfo=UTC)

    def samples(of_week: int, days: int) -> list[Sample]:
        begins = monday + of_week * 7 * DAY
        return [
            Sample(at=begins + n * HOUR, used_percent=workdays(n) * 15, resets_at=begins + 7 * DAY)
            for n in range(1, 24 * days + 1)
        ]

    def workdays(hours: int) -> float:
        """From eight to eight, from Monday to Friday."""
        return min(hours // 24 + min(max(hours % 24 - 8, 0) / 12, 1), 5)

    *earlier, last = [*samples(0, 7), *samples(1, 7), *samples(2, 2)]
    stated = window("seven_day", last.used_percent, resets_at=last.resets_at, as_of=last.at)
    knowing, naive = (pace.forecast(stated, known, last.at) for known in (earlier, earlier[-47:]))
    assert knowing is not None
    assert naive is not None
    assert knowing.projected_percent == pytest.approx(75, abs=8)
    assert naive.projected_percent == pytest.approx(105, abs=8)
    # Who has seen no weekend yet does not rule out one of rest.
    low, middle, high = naive.projected_low, naive.projected_percent, naive.projected_high
    assert low is not None
    assert middle is not None
    assert high is not None
    assert low < 75
    assert middle - low > 1.5 * (high - middle)


@st.composite
def any_samples(draw: st.DrawFn) -> list[Sample]:
    at = st.lists(moments(NOW - 40 * DAY, NOW + DAY), max_size=30)
    resets = st.none() | moments(NOW - 30 * DAY, NOW + 8 * DAY)
    return [Sample(at=t, used_percent=draw(st.floats(0, 200)), resets_at=draw(resets)) for t in draw(at)]


@given(
    any_samples(),
    st.sampled_from(["five_hour", "seven_day"]),
    st.floats(0, 200),
    moments(NOW - HOUR, NOW + 8 * DAY),
)
def test_whatever_was_recorded_the_forecast_is_in_order(
    samples: Sequence[Sample], id: str, used: float, resets_at: datetime
) -> None:
    stated = window(id, used, resets_at=resets_at)
    points = pace.project_trajectory(stated, samples, NOW)
    forecast = pace.forecast(stated, samples, NOW)
    assert (forecast is None or forecast.projected_percent is None) == (points == ())
    assert all(used <= point.low <= point.middle <= point.high for point in points)
    assert forecast is None or pace.forecast(stated, random.sample(samples, len(samples)), NOW) is not None
    times = (
        [t for t in (forecast.exhausts_earliest, forecast.exhausts_at, forecast.exhausts_latest) if t]
        if forecast
        else []
    )
    assert times == sorted(times)
    assert all(NOW <= t <= resets_at for t in times)


@given(any_samples(), st.sampled_from(["five_hour", "seven_day"]), st.floats(0, 100), st.randoms(use_true_random=False))
def test_neither_order_nor_repetition_of_samples_counts(
    samples: Sequence[Sample], id: str, used: float, chance: random.Random
) -> None:
    stated = window(id, used, resets_at=NOW + 2 * HOUR)
    jumbled = [*samples, *chance.sample(samples, len(samples) // 2)]
    chance.shuffle(jumbled)
    assert pace.forecast(stated, jumbled, NOW) == pace.forecast(stated, samples, NOW)


@given(any_samples(), st.floats(0, 100))
def test_what_is_said_to_come_after_the_statement_is_not_known(samples: Sequence[Sample], used: float) -> None:
    """A clock that was wrong, or another machine's that still is."""
    stated = week(used)
    known = [sample for sample in samples if sample.at < NOW]
    assert pace.forecast(stated, samples, NOW) == pace.forecast(stated, known, NOW)


def test_two_statements_at_one_moment_count_the_same_in_any_order() -> None:
    stated = session(50.0)
    pair = course(stated, (HOUR, 30.0), (HOUR, 40.0))
    assert pace.forecast(stated, pair, NOW) == pace.forecast(stated, pair[::-1], NOW)


def test_of_an_account_that_never_used_anything_nothing_is_said_to_come() -> None:
    stated = week(0.0, elapsed=2 * DAY)
    idle = course(stated, *((n * HOUR, 0.0) for n in range(1, 48)))
    assert pace.forecast(stated, idle, NOW) == pace.Forecast(ratio=0.0)
    assert pace.project_trajectory(stated, idle, NOW) == ()


def test_readings_seconds_apart_are_no_burst() -> None:
    """A source that rounds to whole percents turned to the next one between two readings."""
    stated = session(50.0)
    turned = [*evenly(stated), *course(stated, (2.5 * HOUR - timedelta(seconds=5), 49.0))]
    forecast, without = (pace.forecast(stated, samples, NOW) for samples in (turned, evenly(stated)))
    assert forecast is not None
    assert without is not None
    assert forecast.projected_percent == pytest.approx(without.projected_percent, abs=2)


def test_what_a_server_gives_back_is_counted_from_then() -> None:
    """Four days at 20 % a day, then everything is given back; a day later a fifth of it is used anew."""
    stated = week(20.0, elapsed=5 * DAY)
    before = [(n * HOUR, 20 * n / 24) for n in range(1, 96)]
    after = [(n * HOUR, 20 * (n - 96) / 24) for n in range(96, 120)]
    given_back = course(stated, *before, *after)
    forecast = pace.forecast(stated, given_back, NOW)
    assert forecast is not None
    assert forecast.projected_percent == pytest.approx(60, abs=3)
    assert max(sample.used_percent for sample in pace.list_run(stated, given_back)) == 20


@pytest.mark.parametrize(("before", "after"), [(20, 10), (10, 20)], ids=["larger plan", "smaller plan"])
def test_a_change_of_plan_amid_a_week_neither_stops_use_nor_makes_a_burst(before: float, after: float) -> None:
    """The percentage of the same use falls by half, or doubles, between one reading and the next."""
    stated = week(3 * after + after / 24, elapsed=3 * DAY + HOUR)
    rates = [(n, before if n < 72 else after) for n in range(1, 73)]
    changed = course(stated, *((n * HOUR, rate * n / 24) for n, rate in rates))
    forecast = pace.forecast(stated, changed, NOW)
    assert forecast is not None
    assert forecast.projected_percent == pytest.approx(7 * after, rel=0.15)


def test_a_reset_that_moves_loses_nothing() -> None:
    stated = week(50.0)
    assert stated.resets_at is not None
    moved = [
        sample.replace(resets_at=stated.resets_at - 5 * HOUR) if sample.at < NOW - DAY else sample
        for sample in evenly(stated)
    ]
    forecast = pace.forecast(stated, moved, NOW)
    assert forecast is not None
    assert forecast.projected_percent == pytest.approx(100, abs=5)


def test_an_even_life_gets_a_narrower_band_than_one_of_bursts() -> None:
    """The same half of a window used after the same half of its time, once evenly and once in three days' jumps."""
    stated = week(50.0)
    jumps = course(stated, *((n * HOUR, 50 * min(3, n // 24) / 3) for n in range(1, 84)))
    even, uneven = (pace.project_trajectory(stated, samples, NOW)[-1] for samples in (evenly(stated, 84), jumps))
    assert even.high - even.middle < 5
    assert uneven.high - uneven.middle > 3 * (even.high - even.middle)


@pytest.mark.parametrize("case", [case for case, (name, _) in simulated.CASES.items() if name in TUNED_ON])
def test_it_is_nearer_to_what_happens_than_either_guess_and_its_band_holds_most(case: str) -> None:
    errors = simulated.compare(case, range(6))
    ours = errors.pop("ours")
    assert len(ours.points) > 100
    assert ours.coverage > 0.65
    assert all(ours.mean_points < guess.mean_points for guess in errors.values())
    assert all(ours.mean_hours < guess.mean_hours for guess in errors.values())


@pytest.mark.parametrize("case", [case for case, (name, _) in simulated.CASES.items() if name not in TUNED_ON])
def test_the_band_holds_most_of_what_happens_in_strange_lives(case: str) -> None:
    """Who works at weekends only is known by the second month."""
    assert simulated.compare(case, range(20, 22))["ours"].coverage > (0.4 if "weekends" in case else 0.65)

"""A week of two hundred seats in the real Prometheus: each panel's query against what the seats really did.

The samples are what our own code says at each simulated moment; what is expected follows from the seats alone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock

from bench import monitoring, seats
from bench.seats import BEGINS, ENDS, HOUR, WEEK, Seat
from tests.support.boards import query
from tests.support.tools import need
from ullage.quota import pace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.monitoring import Prometheus

TEAM = seats.team(200)
PAID = 205
AT = ENDS.timestamp()
# The week is told by the hour; what an hour does not tell is not there, as after a scrape that brings it no more.
LOOKBACK = "--query.lookback-delta=30m"


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """The week in blocks, and what the recording rules make of it."""
    need("prometheus")
    base = tmp_path_factory.getbasetemp()
    # Of the processes that share these tests, the first to come writes the week for all.
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with FileLock(shared / "week.lock"):
        if not (shared / "week").exists():
            write_week(shared / "unfinished")
            (shared / "unfinished").rename(shared / "week")
    directory = tmp_path_factory.mktemp("week")
    shutil.copytree(shared / "week", directory / "data")
    with started(directory) as server:
        yield server


def write_week(blocks: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        samples = directory / "week.openmetrics"
        with samples.open("w", encoding="utf-8") as file:
            file.writelines(seats.week(TEAM))
        backfill(samples, blocks)
        shutil.copytree(blocks, directory / "data")
        with started(directory) as server:
            recorded = "".join(monitoring.recorded(server, BEGINS.timestamp(), AT, step=3600))
        samples.write_text(recorded, "utf-8")
        backfill(samples, blocks)


@contextmanager
def started(directory: Path) -> Iterator[Prometheus]:
    with monitoring.prometheus(str(directory), {}, LOOKBACK) as server:
        yield server


def backfill(samples: Path, blocks: Path) -> None:
    # The longest block spares reading the file once for every two hours in it.
    command = [need("promtool"), "tsdb", "create-blocks-from", "--max-block-duration=162h", "openmetrics", "--quiet"]
    done = subprocess.run(
        [*command, str(samples), str(blocks)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def newest(seat: Seat, at: datetime = ENDS) -> tuple[datetime, datetime] | None:
    """When any machine of a seat last had an answer, and when that machine last told what it knows."""
    told = [(seat.answered_at(machine.name, at), seat.told_at(machine.name, at)) for machine in seat.machines]
    return max(((answered, sent) for answered, sent in told if answered and sent), default=None)


def known(window: str, at: datetime = ENDS) -> dict[str, float]:
    """By pseudonym, what each seat was last told to have used of a window that has not been reset since."""
    found = {}
    for seat in TEAM:
        answered, told = newest(seat, at) or (None, None)
        # What was told when it was six hours old was told as unknown.
        if answered is None or told is None or told - answered >= timedelta(hours=6):
            continue
        reset = seat.resets_at(window, answered)
        if reset is None or reset > at:
            found[seats.pseudonym(seat)] = seat.used_percent(window, answered) / 100
    return found


def peaks() -> dict[str, float]:
    """By pseudonym, the most that each seat's week was known to stand at in the last seven days."""
    moments = [BEGINS + number * HOUR for number in range(int(WEEK / HOUR) + 1)]
    found: dict[str, float] = {}
    for at in moments:
        for account, used in known("seven_day", at).items():
            found[account] = max(used, found.get(account, 0.0))
    return found


def user_of() -> dict[str, str]:
    return {seats.pseudonym(seat): seat.user for seat in TEAM}


def by_labels(found: list[dict[str, Any]], *names: str) -> dict[tuple[str, ...], float]:
    answer = {tuple(row["metric"].get(name, "") for name in names): float(row["value"][1]) for row in found}
    assert len(answer) == len(found), "two rows that nobody could tell apart"
    return answer


def number(found: list[dict[str, Any]]) -> float:
    assert len(found) == 1
    return float(found[0]["value"][1])


def near() -> dict[tuple[str, str, str], float]:
    return {
        (user_of()[account], account, window): used
        for window in seats.WINDOWS
        for account, used in known(window).items()
        if used >= 0.75
    }


def test_the_team_is_one_that_could_tell_a_mistake() -> None:
    assert {seat.kind for seat in TEAM} == {"idle", "gone", "failing", "working"}
    assert 20 < len(near()) < 100
    assert len(known("seven_day")) < len(TEAM), "some weeks were reset unseen"
    assert any(len(seat.machines) == 2 for seat in TEAM)


def test_who_is_near_the_wall(prometheus: Prometheus) -> None:
    found = by_labels(prometheus.query(query("Who is near the wall"), AT), "user", "account", "window")
    assert found == pytest.approx(near())


def test_who_is_near_the_wall_with_resets_and_ages(prometheus: Prometheus) -> None:
    resets = by_labels(prometheus.query(query("Who is near the wall", "B"), AT), "user", "account", "window")
    ages = by_labels(prometheus.query(query("Who is near the wall", "C"), AT), "user", "account", "window")
    expected, expected_resets, expected_ages = near(), {}, {}
    for seat in TEAM:
        for window in seats.WINDOWS:
            key = (seat.user, seats.pseudonym(seat), window)
            answered, _ = newest(seat) or (ENDS, ENDS)
            if key in expected:
                reset = seat.resets_at(window, answered)
                assert reset is not None
                expected_resets[key] = reset.timestamp() * 1000
                expected_ages[key] = (ENDS - answered).total_seconds()
    assert resets == expected_resets
    assert ages == expected_ages


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Seats with numbers", lambda: len({account for window in seats.WINDOWS for account in known(window)})),
        ("Near the wall", lambda: len({account for _, account, _ in near()})),
        ("Weeks that run out", lambda: sum(share > 1 for share in outlook().values())),
        ("Unused capacity", lambda: sum(1 - min(1, peak) for peak in peaks().values())),
        ("Seats not used", lambda: sum(seat.kind == "idle" for seat in TEAM)),
        ("Seats without a word", lambda: PAID - len(TEAM)),
    ],
)
def test_the_numbers_at_the_top(prometheus: Prometheus, title: str, expected: Any) -> None:
    assert number(prometheus.query(query(title, seats=PAID), AT)) == pytest.approx(expected())


def outlook() -> dict[tuple[str, str], float]:
    """By user and pseudonym, what each week was last expected to come to, of weeks that have not been reset since."""
    found = {}
    for seat in TEAM:
        answered, told = newest(seat) or (None, None)
        if answered is None or told is None:
            continue
        windows = seat.reading(answered).windows
        forecasts = pace.forecast_windows(windows, {"seven_day": seat.history("seven_day", told)}, seats.LIMITS, told)
        week = forecasts.get("seven_day")
        reset = seat.resets_at("seven_day", answered)
        if week is not None and week.projected_percent is not None and reset is not None and reset > ENDS:
            found[seat.user, seats.pseudonym(seat)] = week.projected_percent / 100
    return found


def test_the_outlook_of_each_week(prometheus: Prometheus) -> None:
    found = by_labels(prometheus.query(query("Weekly outlook"), AT), "user", "account")
    assert found == pytest.approx(outlook(), abs=1e-4)
    assert len(found) > 100
    beside = by_labels(prometheus.query(query("Weekly outlook", "B"), AT), "user", "account")
    used = known("seven_day")
    assert beside == pytest.approx({key: used[key[1]] for key in found})
    assert set(by_labels(prometheus.query(query("Weekly outlook", "C"), AT), "user", "account")) == set(found)


def test_what_each_seat_left_unused(prometheus: Prometheus) -> None:
    found = by_labels(prometheus.query(query("Unused capacity by seat"), AT), "user", "account")
    expected = {(user_of()[account], account): 1 - min(1, peak) for account, peak in peaks().items()}
    assert found == pytest.approx(expected)


def test_the_seats_that_never_use_it(prometheus: Prometheus) -> None:
    found = by_labels(prometheus.query(query("Seats that never use it"), AT), "user")
    assert set(found) == {(seat.user,) for seat in TEAM if seat.kind == "idle"}


def test_the_readings_that_fail(prometheus: Prometheus) -> None:
    found = by_labels(prometheus.query(query("Readings that fail"), AT), "user", "code")
    expected = {
        (seat.user, "unreachable"): float(max(seat.failures(machine.name, ENDS) for machine in seat.machines))
        for seat in TEAM
        if seat.kind == "failing"
    }
    assert found == expected


def test_the_credits(prometheus: Prometheus) -> None:
    found = by_labels(prometheus.query(query("Credits used"), AT), "currency")
    spenders = [seat for seat in TEAM if seat.number % 10 == 7 and tells_credits(seat)]
    assert found == {("USD",): float(sum(seat.number for seat in spenders))}


def tells_credits(seat: Seat) -> bool:
    """Say whether any machine's credits were less than six hours old when it told them."""
    told = [(seat.answered_at(machine.name, ENDS), seat.told_at(machine.name, ENDS)) for machine in seat.machines]
    return any(answered and sent and sent - answered < timedelta(hours=6) for answered, sent in told)


@pytest.mark.parametrize("ref", ["A", "B", "C"])
def test_the_course_of_the_teams_weeks(prometheus: Prometheus, ref: str) -> None:
    series = prometheus.range(query("Weeks of the team", ref), BEGINS.timestamp(), AT, 4 * 3600)
    assert len(series) == 1
    for moment, value in series[0]["values"]:
        at = datetime.fromtimestamp(moment, ENDS.tzinfo)
        assert float(value) == pytest.approx(of_team(ref, sorted(known("seven_day", at).values()))), at


def of_team(ref: str, used: list[float]) -> float:
    if ref == "A":
        return sum(used) / len(used)
    rank = {"B": 0.5, "C": 0.9}[ref] * (len(used) - 1)
    low = int(rank)
    high = min(low + 1, len(used) - 1)
    return used[low] + (used[high] - used[low]) * (rank - low)


def test_the_course_of_windows_near_the_wall(prometheus: Prometheus) -> None:
    series = prometheus.range(query("Windows near the wall"), BEGINS.timestamp(), AT, 6 * 3600)
    found = {(row["metric"]["window"], moment): float(value) for row in series for moment, value in row["values"]}
    moments = [BEGINS + number * 6 * HOUR for number in range(29)]
    expected = {
        (window, at.timestamp()): float(count)
        for window in seats.WINDOWS
        for at in moments
        if (count := sum(used >= 0.75 for used in known(window, at).values()))
    }
    assert found == expected


def test_a_laptop_that_sleeps_does_not_hide_what_the_desktop_knows(prometheus: Prometheus) -> None:
    seat = next(seat for seat in TEAM if len(seat.machines) == 2 and seat.kind == "working")
    account = seats.pseudonym(seat)
    raw = prometheus.query(f'ullage_window_used_ratio{{account="{account}", window="seven_day"}}', AT)
    assert len(raw) == 2
    found = prometheus.query(f'account_window:ullage_window_used_ratio:newest{{account="{account}"}}', AT)
    weekly = [row for row in found if row["metric"]["window"] == "seven_day"]
    assert number(weekly) == pytest.approx(seat.used_percent("seven_day", ENDS) / 100)

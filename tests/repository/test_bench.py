"""The benchmark's arithmetic; what it measures is no test."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

import pytest

from bench import figures, peers, processes

if TYPE_CHECKING:
    from pathlib import Path


def test_a_row_has_the_median_and_its_quartiles_in_milliseconds() -> None:
    row = figures.figure("cat", [0.005, 0.001, 0.004, 0.002, 0.003])
    assert row.runs == 5
    assert row.median == pytest.approx(3)
    assert row.quartiles == pytest.approx((2, 4))
    assert row.slowest == pytest.approx(5)


def test_a_single_run_is_its_own_spread() -> None:
    assert figures.quartiles([7.0]) == (7.0, 7.0, 7.0)


def test_a_row_is_compared_with_the_median_of_the_row_that_it_names() -> None:
    rows = [figures.figure("cat", [0.002] * 3), figures.figure("prompt", [0.001, 0.003, 0.9])]
    cat, prompt = figures.compared(rows, {"prompt": "cat"}, {"prompt": 1.2})
    assert (cat.ratio, cat.baseline, cat.aim) == (None, None, None)
    assert prompt.ratio == pytest.approx(1.5)
    assert (prompt.baseline, prompt.aim) == ("cat", 1.2)


@pytest.mark.parametrize(("aim", "said"), [(1.5, "1.50 × cat (≤ 1.5 ✓)"), (1.4, "1.50 × cat (≤ 1.4 ✗)")])
def test_the_table_says_whether_the_aim_is_reached(aim: float, said: str) -> None:
    rows = [figures.figure("cat", [0.002]), figures.figure("prompt", [0.003], peak=1.25)]
    shown = figures.cells(figures.compared(rows, {"prompt": "cat"}, {"prompt": aim})[1])
    assert shown == ["prompt", "3.00", "3.00–3.00", "3.00", said, "1.2", "1", ""]


def test_what_is_not_known_is_empty_in_the_table_and_null_in_the_file() -> None:
    row = figures.Figure(what="requests", note="1")
    assert figures.cells(row) == ["requests", "", "", "", "", "", "", "1"]
    assert json.loads(json.dumps(figures.as_json(row)))["median"] is None


def test_a_bare_row_is_a_median_with_its_interquartile_range() -> None:
    row = figures.from_plain(("bash hook", 0.05, 0.02))
    assert (row.what, row.median) == ("bash hook", 0.05)
    assert row.quartiles == pytest.approx((0.04, 0.06))


def paired(ratio: float, count: int = 60) -> list[tuple[float, float]]:
    """Pairs of times whose ratio lies around one, within a tenth, with an outlier on either side."""
    chance = random.Random(7)
    pairs = [(0.01, 0.01 * ratio * chance.uniform(0.9, 1.1)) for _ in range(count)]
    return [*pairs, (0.01, 1.0), (1.0, 0.01)]


@pytest.mark.parametrize(("ratio", "verdict"), [(1.0, ""), (1.08, "slower"), (0.9, "faster")])
def test_what_is_slower_than_the_noise_is_told_from_the_noise(ratio: float, verdict: str) -> None:
    change = figures.change(paired(ratio))
    assert change.low < change.ratio < change.high
    assert change.ratio == pytest.approx(ratio, abs=0.03)
    assert change.verdict == verdict


def test_a_few_pairs_tell_nothing() -> None:
    assert figures.change([(0.01, 0.02)] * 7).verdict == ""
    assert figures.change([(0.01, 0.02)] * 8).verdict == "slower"


def test_the_bounds_hold_the_true_ratio_in_ninety_nine_of_a_hundred() -> None:
    chance = random.Random(1)
    held = 0
    for _ in range(1000):
        change = figures.change([(1.0, chance.lognormvariate(0, 0.2)) for _ in range(25)])
        held += change.low <= 1 <= change.high
    assert held >= 980


def test_rounds_end_with_the_budget_but_not_before_a_few() -> None:
    assert list(processes.rounds_in_time(100, budget=0.0)) == list(range(6))
    assert list(processes.rounds_in_time(3, budget=0.0)) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("text", "mode", "reason"),
    [
        ("#!/bin/sh\n", 0o755, ""),
        ("#!/bin/sh\nexit 3\n", 0o755, "ended with 3"),
        ("#!/bin/sh\n", 0o644, "peer: Permission denied"),
        (None, 0, "peer: No such file or directory"),
    ],
)
def test_a_peer_that_cannot_run_is_a_row_that_says_why(
    tmp_path: Path, text: str | None, mode: int, reason: str
) -> None:
    path = tmp_path / "peer"
    if text is not None:
        path.write_text(text)
        path.chmod(mode)
    running, rows = peers.parted({"peer": ([str(path)], {})})
    assert list(running) == ([] if reason else ["peer"])
    assert [row.note for row in rows] == ([f"not measured: {reason}"] if reason else [])

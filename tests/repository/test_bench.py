"""The benchmark's arithmetic; what it measures is no test."""

from __future__ import annotations

import json

import pytest

from bench import figures


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

"""The tests expect the same wherever they run."""

from __future__ import annotations

import os

from tests.support.tools import PYTHON, REPOSITORY, run

# Each failed in one of these surroundings.
TESTS = (
    "tests/render/test_card.py::test_it_has_the_plan_every_window_and_the_fullest_week",
    "tests/cli/test_help.py::test_no_list_of_commands_is_cut_off",
    "tests/store/test_history.py::test_an_empty_file_is_a_new_one",
)
SURROUNDINGS = {"TZ": "Asia/Kolkata", "LC_ALL": "C", "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}


def test_another_zone_language_and_umask_change_nothing() -> None:
    command = [
        "sh",
        "-c",
        'umask 002; exec "$@"',
        "sh",
        PYTHON,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(REPOSITORY),
    ]
    done = run([*command, *(f"{REPOSITORY}/{test}" for test in TESTS)], {"PATH": os.environ["PATH"], **SURROUNDINGS})
    assert done.returncode == 0, done.stdout

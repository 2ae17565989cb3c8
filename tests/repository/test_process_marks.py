"""What `make quick` leaves out: every test that starts a process, and none that does not."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import processes, shells, tools

if TYPE_CHECKING:
    from collections.abc import Callable


class _Client:
    def start(self) -> None:
        subprocess.run([sys.executable, "-c", ""], check=True)


CLIENT = _Client()
CASES: dict[str, tuple[Callable[..., Any], bool]] = {
    "directly": (lambda: subprocess.run(["true"], check=True), True),
    "a helper's": (lambda: tools.run(["true"], {}), True),
    "an object's": (lambda: CLIENT.start(), True),
    "partly": (partial(tools.ullage, "usage"), True),
    "a shell's": (lambda: shells.BASH.start({}, []), True),
    "a fork": (lambda: os.fork(), True),
    "another function of os": (lambda: os.getpid(), False),
    "a path": (lambda: tools.REPOSITORY / "src", False),
}


@pytest.mark.parametrize(("function", "starts"), CASES.values(), ids=CASES)
def test_what_a_test_refers_to_says_whether_it_starts_a_process(function: Callable[..., Any], starts: bool) -> None:
    assert processes.starts_processes([function]) is starts


class _Item:
    """Of a test, what is asked for its marker."""

    def __init__(self, marker: object) -> None:
        self.marker = marker

    def get_closest_marker(self, _: str) -> object:
        return self.marker


@pytest.mark.parametrize("marker", [None, pytest.mark.process])
def test_a_process_that_no_marker_announces_fails_the_test(marker: object) -> None:
    hold: Any = contextlib.contextmanager(processes.hold)
    expected = contextlib.nullcontext() if marker else pytest.raises(pytest.fail.Exception, match="starts a process")
    with expected, hold(_Item(marker)):
        subprocess.run([sys.executable, "-c", ""], check=True)

"""What `ullage refresh` says when it does not ask."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support.terminal import Terminal
from tests.support.tools import ULLAGE, ullage

if TYPE_CHECKING:
    from collections.abc import Callable

    from ullage.simulate import Simulator

    Simulate = Callable[..., Simulator]


def test_it_says_when_the_next_reading_is_due(environ: dict[str, str], simulate: Simulate) -> None:
    simulate("models")
    assert ullage("refresh", environ=environ).stdout == "Refreshed.\n"
    again = ullage("refresh", environ=environ)
    assert re.fullmatch(r"Not due yet, next reading in [45]m; --force asks all the same\.\n", again.stdout)


def test_it_offers_no_force_while_the_server_has_asked_for_a_pause(environ: dict[str, str], simulate: Simulate) -> None:
    simulate("429-storm-at-once")
    assert ullage("refresh", environ=environ).stderr.startswith("No new reading.\n")
    for options in ((), ("--force",)):
        again = ullage("refresh", *options, environ=environ)
        assert re.match(r"The server has asked for a pause until (\w{3} )?\d\d:\d\d\.\n", again.stdout)
        assert "--force" not in again.stdout + again.stderr


@pytest.mark.parametrize("command", ["refresh", "usage", "guard --refresh"])
def test_a_terminal_shows_what_is_waited_for(command: str, environ: dict[str, str], simulate: Simulate) -> None:
    simulate("silent")
    with Terminal([ULLAGE, *command.split()], environ) as terminal:
        terminal.wait_for("Asking for a new reading …")
    simulate("models")
    environ["ULLAGE_CACHE_DIR"] += "-2"
    with Terminal([ULLAGE, *command.split()], environ) as terminal:
        assert terminal.wait_for_end() == 0
        assert "Asking" not in terminal.text
    assert "Asking" not in ullage("refresh", "--force", environ=environ).stderr

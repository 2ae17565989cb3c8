"""A server over a simulated account that has been read once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.serving import Served, environment, serving
from tests.support.tools import ullage
from ullage.simulate import Simulator, write_account

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def known(simulate: Callable[..., Simulator], environ: dict[str, str]) -> dict[str, str]:
    """An environment whose cache holds a fresh reading of several windows."""
    simulate("models")
    # By a process: where a browser is driven, this one runs a loop already.
    assert ullage("refresh", environ=environ).returncode == 0
    return environ


@pytest.fixture
def served(known: dict[str, str]) -> Iterator[Served]:
    with serving(known) as served:
        yield served


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server for the tests of a module that change nothing about it."""
    directory = tmp_path_factory.mktemp("shared")
    environ = environment(directory)
    write_account(environ["CLAUDE_CONFIG_DIR"])
    with Simulator("models").running() as simulator:
        environ["ULLAGE_API_BASE"] = simulator.address
        assert ullage("refresh", environ=environ).returncode == 0
        with serving(environ) as served:
            yield served

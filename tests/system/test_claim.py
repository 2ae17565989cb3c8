"""Who starts a refresh: the first that finds one due, and no other until that one is over or has died."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.tools import PYTHON, ULLAGE, ULLAGE_PROMPT, make_due, need, needs_linux, run, wait_until
from ullage import refresh
from ullage.store.cache import ProfileCache
from ullage.system import claim

if TYPE_CHECKING:
    from collections.abc import Callable

    from ullage.simulate import Simulator

    Simulate = Callable[..., Simulator]

CROWD = 40
TAKING = (
    "import sys, time; from ullage.system import claim; sys.stdin.read(); print(claim.take(sys.argv[1], time.time()))"
)


def test_a_claim_holds_until_its_end(tmp_path: Path) -> None:
    place, now = str(tmp_path), time.time()
    assert claim.take(place, now)
    assert not claim.take(place, now)
    assert not claim.take(place, now + 29)
    assert claim.take(place, now + 32)
    claim.hold(place, now + 300)
    assert not claim.take(place, now + 299)
    claim.release(place)
    assert claim.take(place, now)
    if os.name == "posix":
        assert (tmp_path / "claim.lock").stat().st_mode & 0o777 == 0o600


def test_one_from_a_clock_that_was_set_back_is_none(tmp_path: Path) -> None:
    now = time.time()
    claim.hold(str(tmp_path), now + claim.LONGEST_SECONDS + 60)
    assert claim.take(str(tmp_path), now)


@pytest.mark.parametrize("place", ["not there", "a file"])
def test_where_none_can_be_made_the_refresh_is_started_and_says_why(tmp_path: Path, place: str) -> None:
    (tmp_path / "a file").touch()
    assert claim.take(str(tmp_path / place), time.time())
    claim.hold(str(tmp_path / place), time.time())
    claim.release(str(tmp_path / place))


@pytest.mark.process
def test_one_of_a_crowd_takes_it(tmp_path: Path) -> None:
    crowd = [
        subprocess.Popen(
            [PYTHON, "-c", TAKING, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(12)
    ]
    for process in crowd:
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
    assert sorted(process.communicate()[0] for process in crowd) == [*["False\n"] * 11, "True\n"]


@pytest.fixture
def due(environ: dict[str, str], simulate: Simulate) -> Simulator:
    """A cache whose refresh is due, and a server that answers nobody any more."""
    simulate("models")
    assert refresh.refresh(environ).result == "refreshed"
    make_due(environ)
    return simulate("models")


@needs_linux
@pytest.mark.process
@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
def test_what_finds_a_refresh_started_starts_no_process(
    shell: str, environ: dict[str, str], due: Simulator, tmp_path: Path
) -> None:
    claim.hold(ProfileCache(environ).directory, time.time() + 60)
    interpreter = {"bash": [need("bash"), "--posix"], "busybox": [need("busybox"), "sh"]}.get(shell) or [need(shell)]
    commands = ([ULLAGE, "prompt"], [ULLAGE, "refresh", "--detach"], [*interpreter, ULLAGE_PROMPT])
    for number, command in enumerate(commands):
        log = tmp_path / f"trace-{number}"
        names = "trace=clone,clone3,fork,vfork,execve"
        assert run([need("strace"), "-f", "-qq", "-e", names, "-o", str(log), *command], environ).returncode == 0
        assert len(log.read_text().splitlines()) == 1, log.read_text()
    assert due.requests == 0


@needs_linux
@pytest.mark.process
def test_a_claim_that_has_run_out_stops_nobody(environ: dict[str, str], due: Simulator) -> None:
    directory = ProfileCache(environ).directory
    claim.hold(directory, time.time() - 10)
    assert run(["sh", ULLAGE_PROMPT], environ).returncode == 0
    wait_until(lambda: due.requests == 1, what="the request")
    wait_until(lambda: not os.path.exists(os.path.join(directory, "claim.lock")), what="the end of the claim")


@pytest.mark.process
def test_a_refresh_gives_its_claim_up_and_a_failed_one_too(environ: dict[str, str], simulate: Simulate) -> None:
    for scenario in ("models", "revoked"):
        simulate(scenario)
        refresh.refresh(environ, force=True)
        assert not Path(ProfileCache(environ).directory, "claim.lock").exists()

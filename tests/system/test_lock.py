"""The lock: who holds it, since when, and what becomes of it where a file system has no locks."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.tools import PYTHON, ULLAGE, processes, ullage, wait_until
from ullage.base.errors import CacheError
from ullage.store.cache import ProfileCache
from ullage.system import lock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ullage.simulate import Simulator

    Simulate = Callable[..., Simulator]


WITHOUT = pytest.param("no locks", marks=pytest.mark.posix(reason="a file system without locks"))


@pytest.fixture(params=["locks", WITHOUT])
def path(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A lock's path, on a file system that has locks and on one that has none."""
    if request.param == "no locks":
        import fcntl

        def flock(_descriptor: int, _how: int) -> None:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

        monkeypatch.setattr(fcntl, "flock", flock)
    return str(tmp_path / "refresh.lock")


def test_one_holds_it_and_says_who_it_is(path: str) -> None:
    assert lock.find_holder(path) is None
    with lock.hold_lock(path) as held:
        assert held
        found = lock.find_holder(path)
        assert found is not None
        assert (found.process, found.is_stopped) == (os.getpid(), False)
        assert abs(found.since - time.time()) < 5
    assert lock.find_holder(path) is None
    with lock.hold_lock(path) as held:
        assert held


@pytest.mark.parametrize("left", ["", "1234567 99 5\n", "words", "-1 - 5\n", f"{1 << 40} - 5\n"])
def test_what_a_dead_process_has_left_holds_nobody_up(path: str, left: str, tmp_path: Path) -> None:
    (tmp_path / "refresh.lock").write_bytes(b"")
    (tmp_path / "refresh.lock.holder").write_text(left)
    os.utime(tmp_path / "refresh.lock.holder", (0, 0))
    assert lock.find_holder(path) is None
    with lock.hold_lock(path) as held:
        assert held
    with lock.hold_lock(path) as held:
        assert held


def test_a_later_process_of_the_same_number_is_another(path: str, tmp_path: Path) -> None:
    (tmp_path / "refresh.lock.holder").write_text(f"{os.getpid()} 1 5\n")
    assert lock.find_holder(path) is None


HOLD = """
import errno, fcntl, os, sys, time
from ullage.system import lock
def flock(_descriptor, _how):
    raise OSError(errno.ENOSYS, "Function not implemented")
if sys.argv[2] == "no locks":
    fcntl.flock = flock
inside = sys.argv[1] + ".inside"
for _ in range(20):
    with lock.hold_lock(sys.argv[1], 60) as held:
        assert held
        os.close(os.open(inside, os.O_CREAT | os.O_EXCL))
        time.sleep(0.002)
        os.unlink(inside)
"""


@pytest.mark.parametrize("kind", ["locks", "no locks"])
def test_there_is_one_at_a_time(kind: str, tmp_path: Path) -> None:
    (tmp_path / "refresh.lock.holder").write_text("1234567 99 5\n")
    each = [PYTHON, "-c", HOLD, str(tmp_path / "refresh.lock"), kind]
    running = [subprocess.Popen(each, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    assert [process.communicate(timeout=170)[1] for process in running] == [""] * 4


def test_a_lock_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "a file").touch()
    with pytest.raises(CacheError, match="Cannot lock"), lock.hold_lock(str(tmp_path / "a file" / "refresh.lock")):
        pass


def test_a_refresh_that_has_been_stopped_is_named_and_not_waited_for(
    environ: dict[str, str], simulate: Simulate
) -> None:
    simulate("stalled")
    cache = ProfileCache(environ)
    with subprocess.Popen(
        [ULLAGE, "refresh"], env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as one:
        try:
            wait_until(cache.find_lock_holder, what="the lock")
            os.kill(one.pid, signal.SIGSTOP)
            wait_until(lambda: (found := cache.find_lock_holder()) and found.is_stopped, what="the stop")
            for command in (["usage"], ["guard", "--refresh"], ["refresh", "--force"], ["doctor"]):
                began = time.monotonic()
                said = ullage(*command, environ=environ)
                words = said.stdout + said.stderr
                assert f"rocess {one.pid}" in words, command
                assert "stopped" in words, command
                # Each waited for 45 s.
                assert time.monotonic() - began < 40
        finally:
            os.kill(one.pid, signal.SIGKILL)
    wait_until(lambda: not processes(environ), what="the end of all")
    assert cache.find_lock_holder() is None

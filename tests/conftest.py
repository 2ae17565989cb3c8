"""What the tests share: an environment of their own, a simulator, and the installed programs."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import sysconfig
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.support import processes
from tests.support.tools import MEASURED, REPOSITORY
from ullage.simulate import Simulator, write_account

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

# Who starts the tests in the background, or by nohup, has all that they start ignore what a terminal's end and ^C send.
# A signal that is caught here is in its default state there.
if sys.platform != "win32" and threading.current_thread() is threading.main_thread():
    for number in (signal.SIGHUP, signal.SIGINT):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else lambda *_: None)

# What is said in local time here is expected in this zone, and what is made here must not be for a group to write.
os.environ["TZ"] = "UTC"
if sys.platform != "win32":
    time.tzset()
    os.umask(0o022)

STANDINS = str(REPOSITORY / "tests" / "support" / "standins")
# A machine that is busy with other tests must not fail a property for its time.
settings.register_profile("ullage", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", settings.get_profile("ullage"), max_examples=25)
settings.load_profile("ullage")

processes.watch()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    # What the tests are found by stays: to look through all of it for what does not took a sixth of the time.
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    processes.mark(items)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    if "not process" not in item.config.option.markexpr:
        return (yield)
    with contextlib.contextmanager(processes.hold)(item):
        return (yield)


NOW = datetime(2026, 11, 22, 10, 38, 49, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    """A moment for pure functions."""
    return NOW


@pytest.fixture
def one_day() -> None:
    """Begin no test in the last minutes of a day: what it asks for and what it expects must be of the same one."""
    now = datetime.now(UTC)
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    if midnight - now < timedelta(minutes=2):
        time.sleep((midnight - now).total_seconds())


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment without a real home, account, cache or network: all there is to a process of ours."""
    home = tmp_path / "home"
    home.mkdir()
    return {
        "PATH": os.pathsep.join([sysconfig.get_path("scripts"), STANDINS, os.environ["PATH"]]),
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "TERM": "xterm-256color",
        "ULLAGE_CACHE_DIR": str(tmp_path / "cache"),
        "ULLAGE_STATE_DIR": str(tmp_path / "state"),
        "ULLAGE_CONFIG": str(tmp_path / "config.toml"),
        # The developer's own claude is signed in; the stand-in that hides it is not.
        "STANDIN": "signed-out",
        # The discard port: nothing answers, nothing leaves the machine.
        "ULLAGE_API_BASE": "http://127.0.0.1:9",
        "ULLAGE_WEB_BASE": "http://127.0.0.1:9",
        **MEASURED,
    }


@pytest.fixture
def account(environ: dict[str, str], tmp_path: Path) -> Path:
    """An invented account in a profile of its own, in effect in `environ`, with the oauth source turned on."""
    directory = tmp_path / "claude"
    write_account(str(directory))
    environ["CLAUDE_CONFIG_DIR"] = str(directory)
    environ["ULLAGE_SOURCE"] = "oauth"
    return directory


@pytest.fixture
def simulate(environ: dict[str, str], account: Path) -> Iterator[Callable[..., Simulator]]:
    """Start the provider's stand-in with a scenario; `environ` then points at it."""
    with contextlib.ExitStack() as running:

        def start(scenario: str, **options: float) -> Simulator:
            simulator = running.enter_context(Simulator(scenario, **options).running())  # type: ignore[arg-type]
            environ["ULLAGE_API_BASE"] = environ["ULLAGE_WEB_BASE"] = simulator.address
            return simulator

        yield start


@pytest.fixture(autouse=True)
def _no_environment_of_the_developer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever a test forgets to pass, it must not find the developer's home or credentials."""
    for name in list(os.environ):
        if name.startswith(("CLAUDE", "ANTHROPIC", "ULLAGE", "XDG_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("ULLAGE_API_BASE", "http://127.0.0.1:9")
    monkeypatch.setenv("ULLAGE_WEB_BASE", "http://127.0.0.1:9")
    monkeypatch.setenv("ULLAGE_CONFIG", str(tmp_path / "nothing.toml"))
    monkeypatch.setenv("ULLAGE_CACHE_DIR", str(tmp_path / "nobody-cache"))

"""From a refresh to a person: an outbox that real processes empty, each alert once, and nobody waits."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import desktop
from tests.support.samples import reading, window
from tests.support.tools import PYTHON, processes, run, ullage, wait_until
from ullage import alerts
from ullage.alerts import Alert, Mark, outbox
from ullage.alerts.outbox import Outbox
from ullage.quota.model import Account
from ullage.simulate import ACCOUNT_ID
from ullage.simulate.web import ORGANIZATION_ID
from ullage.store.account import AccountCache
from ullage.store.cache import ProfileCache

if TYPE_CHECKING:
    from collections.abc import Callable

    from ullage.simulate import Simulator

    Simulate = Callable[..., Simulator]

DELIVER = [PYTHON, "-P", "-m", "ullage.alerts.outbox"]
HOSTILE = "A$(touch pwned)`touch pwned`; touch pwned #'\"<b>&\\"


def configure(environ: dict[str, str], **values: object) -> None:
    lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    Path(environ["ULLAGE_CONFIG"]).write_text("\n".join(["[alerts]", *lines]))


@pytest.fixture
def heard(environ: dict[str, str], tmp_path: Path) -> Callable[[], list[dict[str, object]]]:
    """Alerts go to a command that keeps them; return what it was told so far."""
    file = tmp_path / "heard"
    file.touch()
    configure(environ, via=["command"], command=["sh", "-c", f"cat >>'{file}'"], forecast=False)
    return lambda: [json.loads(line) for line in file.read_text().splitlines()]


def settled(environ: dict[str, str]) -> None:
    """Wait until the processes that deliver have ended."""
    wait_until(lambda: not processes(environ), what="the end of the delivery")


@pytest.fixture
def cache(environ: dict[str, str]) -> ProfileCache:
    found = ProfileCache(environ)
    found.make_private()
    return found


def box(cache: ProfileCache) -> Outbox:
    return Outbox(cache, cache.load().account)


def alert(**changes: object) -> Alert:
    return alerts.make_test_alert(datetime.now(UTC)).replace(**changes)


def test_a_refresh_tells_each_threshold_once(
    environ: dict[str, str], simulate: Simulate, heard: Callable[[], list[dict[str, object]]]
) -> None:
    simulate("over-limit")
    for _ in range(3):
        assert ullage("refresh", "--force", environ=environ).returncode == 0
        settled(environ)
    told = sorted((str(each["kind"]), str(each["title"]), each["threshold"]) for each in heard())
    assert told == [
        ("threshold", "Session (5h) is used up", 100.0),
        ("threshold", "Week (Fable) is used up", 100.0),
        ("threshold", "Week (all models): 88% used", 75.0),
    ]


def test_two_profiles_of_one_account_tell_once(
    environ: dict[str, str], simulate: Simulate, heard: Callable[[], list[dict[str, object]]], tmp_path: Path
) -> None:
    simulate("over-limit")
    work = tmp_path / "work"
    shutil.copytree(Path(environ["CLAUDE_CONFIG_DIR"]), work)
    for profile in (environ, {**environ, "CLAUDE_CONFIG_DIR": str(work)}) * 2:
        assert ullage("refresh", "--force", environ=profile).returncode == 0
        settled(environ)
        assert "✓ sent     5h at 100%, until " in ullage("alerts", environ=profile).stdout
    assert len(heard()) == 3


def test_that_readings_fail_is_told_by_profile(environ: dict[str, str], cache: ProfileCache, now: datetime) -> None:
    other = ProfileCache({**environ, "CLAUDE_CONFIG_DIR": environ["HOME"] + "/work"})
    for each in (cache, other):
        each.make_private()
        each.save_reading(reading(window("five_hour", 100.0)))
    threshold = Mark(kind="threshold", window_id="five_hour", percent=90.0, resets_at=now, as_of=now)
    box(cache).save_marks((Mark(kind="failing"), threshold))
    assert box(other).load_marks() == (threshold,)
    box(other).save_marks((threshold,))
    assert box(cache).load_marks() == (Mark(kind="failing"), threshold)


def test_what_a_profile_has_told_before_its_account_was_known_is_told(cache: ProfileCache, now: datetime) -> None:
    told = Mark(kind="threshold", window_id="five_hour", percent=90.0, resets_at=now)
    box(cache).save_marks((told,))
    cache.save_reading(reading(window("five_hour", 100.0)))
    assert box(cache).load_marks() == (told,)
    newer = told.replace(percent=100.0)
    box(cache).save_marks((newer,))
    assert box(cache).load_marks() == (newer,)


def test_a_window_that_is_sure_to_run_out_is_told(
    environ: dict[str, str], simulate: Simulate, heard: Callable[[], list[dict[str, object]]]
) -> None:
    simulate("over-limit")
    config = Path(environ["ULLAGE_CONFIG"])
    config.write_text(config.read_text().replace("forecast = false", "forecast = true\nthresholds = []"))
    for _ in range(2):
        assert ullage("refresh", "--force", environ=environ).returncode == 0
        settled(environ)
    [told] = heard()
    assert told["kind"] == "forecast"
    assert str(told["title"]).startswith("Week (all models) runs out ")


def test_many_refreshes_at_once_tell_once(
    environ: dict[str, str], simulate: Simulate, heard: Callable[[], list[dict[str, object]]]
) -> None:
    simulate("over-limit")
    started = [
        subprocess.Popen([PYTHON, "-P", "-m", "ullage.refresh", "--force"], env=environ, stderr=subprocess.PIPE)
        for _ in range(8)
    ]
    for process in started:
        with process:
            assert process.stderr is not None
            assert process.stderr.read() == b""
    settled(environ)
    assert len(heard()) == 3


def test_a_hostile_name_reaches_a_command_as_data(
    environ: dict[str, str], simulate: Simulate, heard: Callable[[], list[dict[str, object]]], tmp_path: Path
) -> None:
    simulate("hostile-names")
    run([PYTHON, "-P", "-m", "ullage.refresh"], environ)
    settled(environ)
    [told] = heard()
    assert "$(touch pwned)`touch pwned`" in str(told["title"])
    assert str(told["title"]).isprintable()
    assert not list(tmp_path.rglob("pwned"))


def test_many_deliveries_take_each_alert_once(
    environ: dict[str, str], cache: ProfileCache, heard: Callable[[], list[dict[str, object]]]
) -> None:
    for number in range(20):
        box(cache).post(alert(title=f"number {number}"))
    started = [subprocess.Popen(DELIVER, env=environ) for _ in range(5)]
    assert [process.wait(180) for process in started] == [0] * 5
    assert sorted(str(each["title"]) for each in heard()) == sorted(f"number {number}" for number in range(20))
    assert list((Path(cache.directory) / "outbox").iterdir()) == []


def test_a_slow_command_delays_no_refresh_and_no_prompt(
    environ: dict[str, str], simulate: Simulate, tmp_path: Path
) -> None:
    simulate("over-limit")
    gate = tmp_path / "gate"
    configure(environ, via=["command"], command=["sh", "-c", f"until [ -e '{gate}' ]; do sleep 0.05; done"])
    refreshed = ullage("usage", environ=environ)
    assert (refreshed.returncode, refreshed.stderr) == (0, "")
    assert "100%" in refreshed.stdout
    assert processes(environ), "the command is still waiting"
    assert "100%" in ullage("prompt", environ=environ).stdout
    gate.touch()
    settled(environ)


def test_what_goes_wrong_is_kept_and_shown(environ: dict[str, str], simulate: Simulate) -> None:
    simulate("over-limit")
    configure(environ, via=["command"], command=["sh", "-c", "echo no luck >&2; exit 4"])
    assert ullage("refresh", environ=environ).returncode == 0
    settled(environ)
    shown = ullage("alerts", environ=environ)
    assert "sh ended with status 4: no luck" in shown.stderr
    assert re.search(r"sent +5h at 100%, until \d", shown.stdout)


def test_an_outbox_that_cannot_be_written_fails_no_refresh(
    environ: dict[str, str], simulate: Simulate, heard: object, cache: ProfileCache
) -> None:
    simulate("over-limit")
    shared = AccountCache(cache.environ, Account(id=ACCOUNT_ID, organization_id=ORGANIZATION_ID))
    shared.make()
    assert shared.directory is not None
    (Path(shared.directory) / "outbox").write_text("a file in its place")
    refreshed = ullage("refresh", environ=environ)
    assert (refreshed.returncode, refreshed.stdout, refreshed.stderr) == (0, "Refreshed.\n", "")
    assert "100%" in ullage("prompt", environ=environ).stdout
    assert "outbox: File exists" in ullage("alerts", environ=environ).stderr


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"format": 2}', b'{"format": 1, "marks": [1, {"kind": "x"}]}'])
def test_what_was_told_is_read_without_trust(cache: ProfileCache, data: bytes) -> None:
    (Path(cache.directory) / "alerts.json").write_bytes(data)
    assert box(cache).load_marks() == ()


def test_what_was_told_survives(cache: ProfileCache, now: datetime) -> None:
    told = (
        Mark(kind="threshold", window_id="five_hour", percent=90.0, resets_at=now),
        Mark(kind="blocked", window_id="seven_day"),
        Mark(kind="failing"),
    )
    box(cache).save_marks(told)
    assert box(cache).load_marks() == told


def test_strange_files_and_old_alerts_in_the_outbox_are_no_alerts(
    environ: dict[str, str], cache: ProfileCache, heard: Callable[[], list[dict[str, object]]]
) -> None:
    box(cache).post(alert(at=datetime.now(UTC) - timedelta(days=2)))
    kept = Path(cache.directory) / "outbox"
    (kept / "1.json").write_text("{")
    (kept / "2.json").mkdir()
    (kept / "notes.txt").write_text("mine")
    box(cache).post(alert(title="this one"))
    assert run(DELIVER, environ).stderr == ""
    assert [each["title"] for each in heard()] == ["this one"]
    assert (kept / "notes.txt").exists()


def test_nothing_is_evaluated_while_no_way_is_set(environ: dict[str, str], simulate: Simulate) -> None:
    simulate("over-limit")
    assert ullage("refresh", environ=environ).returncode == 0
    names = {path.name for path in Path(environ["ULLAGE_CACHE_DIR"]).rglob("*")}
    assert not names & {"alerts.json", "alerts.lock", "outbox"}


def test_a_test_alert_goes_all_ways_and_says_what_got_through(
    environ: dict[str, str], heard: Callable[[], list[dict[str, object]]]
) -> None:
    tested = ullage("alerts", "test", environ=environ)
    assert (tested.returncode, tested.stdout, tested.stderr) == (0, "✓ command  sent\n", "")
    assert [each["kind"] for each in heard()] == ["test"]
    configure(environ, via=["command"], command=["false"])
    tested = ullage("alerts", "test", environ=environ)
    assert (tested.returncode, tested.stdout) == (5, "")
    assert "false ended with status 1." in tested.stderr
    configure(environ, via=["command"])
    tested = ullage("alerts", "test", environ=environ)
    assert (tested.returncode, "needs a command" in tested.stderr) == (2, True)
    configure(environ, via=[])
    tested = ullage("alerts", "test", environ=environ)
    assert (tested.returncode, "No alerts are sent" in tested.stderr) == (2, True)


def test_what_is_in_force_is_shown(environ: dict[str, str]) -> None:
    assert "No alerts are sent" in ullage("alerts", environ=environ).stdout
    configure(environ, via=["bell"], thresholds=[50], failing_after_minutes=0, quiet_hours="22:00-07:00 UTC")
    shown = ullage("alerts", environ=environ)
    bell, *when = shown.stdout.splitlines()
    assert bell == "✓ bell  is used"
    said = " ".join(" ".join(when).split())
    assert said.startswith("· when at 50%; when a window is going to run out; when one has reset")
    assert said.endswith("; not from 22:00 to 07:00 UTC")


needs_dbus = pytest.mark.skipif(sys.platform != "linux", reason="the desktop is reached by D-Bus on Linux only")


@needs_dbus
def test_the_desktop_shows_alerts_as_text(environ: dict[str, str], cache: ProfileCache, tmp_path: Path) -> None:
    configure(environ, via=["desktop"])
    box(cache).post(alert(title=f"{HOSTILE}: 95% used", message="It resets in 2h13."))
    time.sleep(0.001)
    box(cache).post(alert(kind="failing", title="No new reading", message="<a href='x'>The server</a> & co"))
    with desktop.running(tmp_path) as screen:
        environ["DBUS_SESSION_BUS_ADDRESS"] = screen.address
        delivered = run(DELIVER, environ)
    assert (delivered.returncode, delivered.stdout, delivered.stderr) == (0, "", "")
    assert outbox.load_problem(cache) is None
    assert screen.shown == [
        ("ullage", f"{HOSTILE}: 95% used", "It resets in 2h13."),
        ("ullage", "No new reading", "‹a href='x'›The server‹/a› + co"),
    ]


@needs_dbus
@pytest.mark.parametrize("bus", [True, False])
def test_a_desktop_that_shows_nothing_is_told(environ: dict[str, str], tmp_path: Path, bus: bool) -> None:
    configure(environ, via=["desktop"])
    with desktop.running(tmp_path, service=False) as screen:
        environ["DBUS_SESSION_BUS_ADDRESS"] = screen.address if bus else f"unix:path={tmp_path}/nothing"
        tested = ullage("alerts", "test", environ=environ)
    assert tested.returncode == 5
    assert "desktop  The desktop took no notification" in tested.stderr
    assert len(tested.stderr.splitlines()) == 1

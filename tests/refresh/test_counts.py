"""What a refresh and a status line cost, counted: what they load, merge, decode, sync, write and import."""

from __future__ import annotations

import json
import os
import re
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.tools import PYTHON, ULLAGE, make_due, need, needs_linux, run, settle
from ullage import refresh
from ullage.quota import merge, serial, timeline
from ullage.quota.timeline import TIMELINES
from ullage.store import statements
from ullage.store.cache import ProfileCache
from ullage.system import detach

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ullage.simulate import Simulator

    Simulate = Callable[..., Simulator]

pytestmark = pytest.mark.process

ALERTS = '[alerts]\nvia = ["command"]\ncommand = ["true"]\n'
ACCOUNT = {"oauthAccount": {"accountUuid": "5e000000-0000-4000-8000-000000000001"}}


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often this process does what costs, by name."""
    found: Counter[str] = Counter()

    def count(place: object, name: str) -> None:
        original = getattr(place, name)

        def counting(*given: object, **named: object) -> object:
            found[name] += 1
            return original(*given, **named)

        monkeypatch.setattr(place, name, counting)

    count(merge, "merge")
    count(statements, "load")
    count(serial, "decode_schedule")
    count(os, "fsync")
    return found


def assert_few(counted: Counter[str]) -> None:
    assert counted["load"] <= 2
    assert counted["merge"] <= 2
    assert counted["decode_schedule"] == 1
    assert 0 < counted["fsync"] <= 6


@pytest.mark.process
@pytest.mark.parametrize("config", ["", ALERTS], ids=["plain", "with an alert channel"])
def test_a_refresh_loads_and_merges_once_before_and_once_after_it_asks(
    config: str, environ: dict[str, str], simulate: Simulate, counted: Counter[str]
) -> None:
    simulate("over-limit")
    Path(environ["ULLAGE_CONFIG"]).write_text(config)
    assert refresh.refresh(environ).result == "refreshed"
    assert counted["fsync"] <= 6
    make_due(environ)
    counted.clear()
    assert refresh.refresh(environ).result == "refreshed"
    assert_few(counted)


@pytest.mark.parametrize("source", ["auto", "claude-cli", "claude-cache", "statusline"])
def test_so_does_one_by_every_other_source(source: str, environ: dict[str, str], counted: Counter[str]) -> None:
    environ |= {"ULLAGE_SOURCE": source, "STANDIN": ""}
    window = {"utilization": 17, "resets_at": time.time() + 7200}
    told = {"fetchedAtMs": (time.time() - 60) * 1000, "utilization": {"five_hour": window}}
    told["accountUuid"] = ACCOUNT["oauthAccount"]["accountUuid"]
    Path(environ["HOME"], ".claude.json").write_text(json.dumps({**ACCOUNT, "cachedUsageUtilization": told}))
    said = run(["sh", "-c", f'exec "$0" statusline <"{speak(environ, 17)}"', ULLAGE], environ)
    assert "17%" in said.stdout
    # The status line has started a refresh of its own, which holds the lock for a while.
    settle(environ)
    refresh.refresh(environ, force=True)
    make_due(environ)
    counted.clear()
    assert refresh.refresh(environ, force=True).result == "refreshed"
    assert_few(counted)


@pytest.mark.parametrize("failing", ["outage", "revoked"])
def test_so_does_one_that_fails(
    failing: str, environ: dict[str, str], simulate: Simulate, counted: Counter[str]
) -> None:
    simulate("busy-day")
    assert refresh.refresh(environ).result == "refreshed"
    simulate("revoked")
    make_due(environ)
    counted.clear()
    assert refresh.refresh(environ).result == "failed"
    assert_few(counted)


def test_one_that_is_not_due_loads_nothing(environ: dict[str, str], simulate: Simulate, counted: Counter[str]) -> None:
    simulate("models")
    assert refresh.refresh(environ).result == "refreshed"
    counted.clear()
    assert refresh.refresh(environ).result == "not_due"
    assert counted == {"decode_schedule": 1}


BY_OAUTH = """
import os, sys
from ullage import refresh
assert refresh.refresh(os.environ).result == "refreshed"
print(*sorted(name for name in sys.modules if name.startswith(("ullage.sources", "ullage.refresh", "ullage.alerts"))))
print(*sorted({"filelock", "click", "msgspec"} & set(sys.modules)))
"""


def test_a_refresh_imports_the_source_that_it_asks(environ: dict[str, str], simulate: Simulate) -> None:
    simulate("models")
    done = run([PYTHON, "-c", BY_OAUTH], environ)
    own, others = done.stdout.splitlines()
    sources = {name.removeprefix("ullage.sources.") for name in own.split() if name.startswith("ullage.sources.")}
    assert sources == {"claude_state", "credentials", "oauth", "wire", "wire_windows"}
    assert not [name for name in own.split() if name.startswith("ullage.alerts")]
    assert others == ""


def speak(environ: Mapping[str, str], used: float) -> str:
    limits = {
        "five_hour": {"used_percentage": used, "resets_at": int(time.time()) + 7200},
        "seven_day": {"used_percentage": 40, "resets_at": int(time.time()) + 90_000},
    }
    payload = {"session_id": "one", "rate_limits": limits, "cost": {"total_api_duration_ms": used}}
    path = Path(environ["HOME"], f"payload-{used}")
    path.write_text(json.dumps(payload))
    return str(path)


def inodes(environ: Mapping[str, str]) -> dict[str, int]:
    cache = ProfileCache(environ)
    return {name: os.stat(f"{cache.directory}/{name}.timeline").st_ino for name in TIMELINES}


def test_timelines_with_one_content_are_one_file(environ: dict[str, str], simulate: Simulate) -> None:
    simulate("models")
    assert refresh.refresh(environ).result == "refreshed"
    cache = ProfileCache(environ)
    contents = {cache.read_timeline(name) for name in TIMELINES}
    assert len(contents) == 6
    assert len(set(inodes(environ).values())) == 6


def test_where_a_file_system_knows_no_links_every_timeline_is_written(
    environ: dict[str, str], simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(*_given: object, **_named: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", link)
    simulate("models")
    assert refresh.refresh(environ).result == "refreshed"
    assert len(set(inodes(environ).values())) == len(TIMELINES)
    assert len({ProfileCache(environ).read_timeline(name) for name in TIMELINES}) == 6


def test_moving_a_refresh_on_rewrites_no_timeline(environ: dict[str, str], simulate: Simulate) -> None:
    simulator = simulate("models")
    assert refresh.refresh(environ).result == "refreshed"
    make_due(environ)
    before, answer = inodes(environ), simulator.scenario
    during: list[dict[str, int]] = []

    def look(moment: object) -> object:
        during.append(inodes(environ))
        return answer(moment)  # type: ignore[arg-type]

    simulator.scenario = look  # type: ignore[assignment]
    assert refresh.refresh(environ).result == "refreshed"
    assert during == [before]
    assert not before.items() & inodes(environ).items()


@needs_linux
def test_a_status_line_with_a_changed_number_syncs_one_file_and_waits_for_no_other(
    environ: dict[str, str], tmp_path: Path
) -> None:
    environ["ULLAGE_SOURCE"] = "statusline"
    for used in (17, 18):
        log = tmp_path / f"trace-{used}"
        command = ["sh", "-c", f'exec "$0" statusline <"{speak(environ, used)}"', ULLAGE]
        # Without -f: what goes on behind the line is not traced.
        tracing = [need("strace"), "-qq", "-e", "trace=/sync$,/^rename,/^link", "-o", str(log)]
        traced = run([*tracing, *command], environ)
        assert f"{used}%" in traced.stdout
        assert re.findall(r"^\w*(sync|rename|link)", log.read_text(), re.MULTILINE) == ["sync", "rename"]
    settle(environ)
    assert b"40%" in timeline.find_text(ProfileCache(environ).read_timeline("plain"), int(time.time()))


@needs_linux
def test_so_does_a_refresh_with_its_database(environ: dict[str, str], simulate: Simulate, tmp_path: Path) -> None:
    simulate("models")
    assert refresh.refresh(environ).result == "refreshed"
    make_due(environ)
    log = tmp_path / "trace"
    traced = [need("strace"), "-qq", "-e", "trace=fsync,fdatasync,sync", "-o", str(log)]
    assert run([*traced, PYTHON, "-m", "ullage.refresh"], environ).returncode == 0
    assert 0 < len(re.findall(r"sync\(", log.read_text())) <= 6


@pytest.mark.parametrize("torn", ["empty", "zeros", "halved", "half zeros", "absent"])
@pytest.mark.parametrize("name", TIMELINES)
def test_what_a_power_cut_leaves_is_noticed_and_mended(
    torn: str, name: str, environ: dict[str, str], simulate: Simulate
) -> None:
    simulator = simulate("models")
    assert refresh.refresh(environ).result == "refreshed"
    cache = ProfileCache(environ)
    path = Path(cache.directory, f"{name}.timeline")
    whole = path.read_bytes()
    half = len(whole) // 2
    left = {"empty": b"", "zeros": bytes(len(whole)), "halved": whole[:half]}
    left["half zeros"] = whole[:half] + bytes(len(whole) - half)
    path.unlink()
    if torn != "absent":
        path.write_bytes(left[torn])
        path.chmod(0o600)
    assert timeline.is_due(timeline.read_header(cache.read_timeline(name)), int(time.time()))
    assert refresh.refresh(environ).result == "not_due"
    assert simulator.requests == 1
    mended = timeline.decode(cache.read_timeline(name))
    was = timeline.decode(whole)
    assert mended is not None
    assert was is not None
    assert mended[1][0].text == was[1][0].text


@needs_linux
def test_only_a_refresh_that_asks_prepares_for_libraries(
    environ: dict[str, str], simulate: Simulate, tmp_path: Path
) -> None:
    prepared = tmp_path / "prepared"
    Path(tmp_path, "sitecustomize.py").write_text(f"open({str(prepared)!r}, 'w').close()\n")
    simulator = simulate("models")
    environ["PYTHONPATH"] = str(tmp_path)
    assert run(detach.build_command(detach.REFRESH), environ).returncode == 0
    assert prepared.exists()
    prepared.unlink()
    assert run(detach.build_command(detach.REFRESH), environ).returncode == 0
    assert simulator.requests == 1
    assert not prepared.exists()

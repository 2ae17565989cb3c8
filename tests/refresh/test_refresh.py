"""Refresh against a real server: who asks, how often, and what stays when it fails."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.clock import set_clock
from tests.support.readonly import read_only
from tests.support.tools import PYTHON, make_due, put_in_place, run, ullage
from ullage import refresh
from ullage.base.errors import CacheError
from ullage.quota import timeline
from ullage.quota.schedule import SHORTEST_INTERVAL
from ullage.quota.timeline import SURFACES
from ullage.refresh import attempt
from ullage.simulate import ACCOUNT_ID, TOKEN, Reply, Simulator, write_account
from ullage.store.cache import ProfileCache
from ullage.system import detach

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.clock import Clock

    Simulate = Callable[..., Simulator]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return set_clock(monkeypatch, datetime.now(UTC))


def shown(environ: dict[str, str], now: datetime, surface: str = "plain") -> str:
    return timeline.find_text(ProfileCache(environ).read_timeline(surface), int(now.timestamp())).decode()


def test_reading_becomes_every_timeline(environ: dict[str, str], simulate: Simulate, clock: Clock) -> None:
    simulate("models")
    assert refresh.refresh(environ).result == "refreshed"
    cache = ProfileCache(environ)
    reading = cache.load_reading()
    assert reading is not None
    assert (reading.account.id, cache.load_schedule().account_id) == (ACCOUNT_ID, ACCOUNT_ID)
    assert all("82%!" in shown(environ, clock.now, surface) for surface in ("plain", "fish", "starship"))
    for surface in SURFACES:
        header = timeline.read_header(cache.read_timeline(surface))
        assert header is not None
        assert header.refresh_after >= (clock.now + SHORTEST_INTERVAL).timestamp()


def test_nobody_is_asked_before_it_is_time(environ: dict[str, str], simulate: Simulate, clock: Clock) -> None:
    simulator = simulate("busy-day")
    assert refresh.refresh(environ).result == "refreshed"
    for _ in range(29):
        clock.pass_by(seconds=10)
        assert refresh.refresh(environ).result == "not_due"
    assert simulator.requests == 1
    clock.pass_by(seconds=11)
    assert refresh.refresh(environ).result == "refreshed"
    assert simulator.requests == 2
    assert refresh.refresh(environ, force=True).result == "refreshed"
    assert simulator.requests == 3


def test_cadence_stretches_while_nothing_changes(environ: dict[str, str], simulate: Simulate, clock: Clock) -> None:
    simulator = simulate("busy-day")
    unchanging = simulator.scenario(simulator.next_moment())
    simulator.scenario = lambda moment: unchanging
    cache, intervals = ProfileCache(environ), []
    for _ in range(5):
        assert refresh.refresh(environ).result == "refreshed"
        schedule = cache.load_schedule()
        assert schedule.refresh_at is not None
        assert schedule.idle_refresh_at is not None
        intervals.append(
            ((schedule.refresh_at - clock.now).seconds // 60, (schedule.idle_refresh_at - clock.now).seconds // 60)
        )
        clock.now = schedule.refresh_at
    assert intervals == [(5, 5), (10, 10), (13, 20), (13, 40), (13, 60)]


def test_failures_are_remembered_and_the_last_reading_stays(
    environ: dict[str, str], simulate: Simulate, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt, "_jitter", lambda ceiling: ceiling)
    simulator = simulate("outage")
    assert refresh.refresh(environ).result == "refreshed"
    before, cache, waits = shown(environ, clock.now), ProfileCache(environ), []
    clock.pass_by(minutes=5, seconds=1)
    for failures in range(1, 7):
        outcome = refresh.refresh(environ)
        assert outcome.result == "failed"
        assert outcome.problem is not None
        assert outcome.problem.code == "server_error"
        schedule = cache.load_schedule()
        assert (schedule.failures, schedule.problem) == (failures, outcome.problem)
        assert refresh.refresh(environ).result == "not_due"
        assert schedule.refresh_at is not None
        waits.append(round((schedule.refresh_at - clock.now).total_seconds() / 60))
        if failures == 1:
            assert shown(environ, clock.now) == before
        clock.now = schedule.refresh_at
    assert waits == [5, 10, 20, 40, 60, 60]
    assert cache.load_reading() is not None
    assert simulator.requests == 7
    simulator.requests = 0
    assert refresh.refresh(environ).result == "refreshed"
    assert (cache.load_schedule().failures, cache.load_schedule().problem) == (0, None)


@pytest.mark.parametrize(
    ("header", "shortest", "longest"),
    [
        ({}, 300, 300),
        ({"Retry-After": "0"}, 300, 300),
        ({"Retry-After": "1800"}, 1800, 1800),
        ({"Retry-After": "999999999"}, 86400, 86400),
        ({"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}, 86400, 86400),
        ({"Retry-After": "Sat, 01 Jan 2000 00:00:00 GMT"}, 300, 300),
    ],
)
def test_pause_that_the_server_asks_for_is_kept(
    header: dict[str, str], shortest: int, longest: int, environ: dict[str, str], simulate: Simulate, clock: Clock
) -> None:
    simulator = simulate("busy-day")
    simulator.scenario = lambda moment: Reply(status=429, headers=header)
    # A stored token would expire within the longest pause.
    environ["CLAUDE_CODE_OAUTH_TOKEN"] = TOKEN
    assert refresh.refresh(environ).result == "failed"
    until = ProfileCache(environ).load_schedule().hold_until
    assert until is not None
    assert shortest <= (until - clock.now).total_seconds() <= longest
    clock.now = until - timedelta(seconds=1)
    assert refresh.refresh(environ, force=True).result == "held"
    assert simulator.requests == 1
    clock.pass_by(seconds=2)
    refresh.refresh(environ, force=True)
    assert simulator.requests == 2


def profile(environ: dict[str, str], directory: Path, account_id: str | None = None) -> dict[str, str]:
    """Return the environment of another profile, of the same account or of another."""
    write_account(str(directory))
    if account_id is not None:
        sign_in(directory, account_id)
    return {**environ, "CLAUDE_CONFIG_DIR": str(directory)}


def sign_in(directory: Path, account_id: str) -> None:
    (directory / ".claude.json").write_text(json.dumps({"oauthAccount": {"accountUuid": account_id}}))


def test_pause_counts_for_the_account_in_every_profile(
    environ: dict[str, str], simulate: Simulate, clock: Clock, tmp_path: Path
) -> None:
    simulator = simulate("429-storm")
    simulator.requests = 1
    same = profile(environ, tmp_path / "same")
    other = profile(environ, tmp_path / "other", "0ther000-0000-4000-8000-000000000000")
    assert refresh.refresh(environ).result == "failed"
    for _ in range(2):
        outcome = refresh.refresh(same, force=True)
        assert outcome.result == "held"
        assert outcome.problem is not None
        assert outcome.problem.code == "rate_limited"
    assert simulator.requests == 2
    refresh.refresh(other)
    assert simulator.requests == 3
    clock.pass_by(hours=2)
    refresh.refresh(same)
    assert simulator.requests == 4


def test_reading_of_another_account_is_gone_at_once(
    environ: dict[str, str], simulate: Simulate, clock: Clock, account: Path
) -> None:
    simulator = simulate("models")
    assert refresh.refresh(environ).result == "refreshed"
    sign_in(account, "0ther000-0000-4000-8000-000000000000")
    during: list[object] = []

    def answer(moment: object) -> Reply:
        during.extend(shown(environ, clock.now, surface) for surface in SURFACES)
        during.append(ProfileCache(environ).load_reading())
        return Reply(status=503)

    simulator.scenario = answer
    clock.pass_by(minutes=6)
    assert refresh.refresh(environ).result == "failed"
    assert during == [*([""] * len(SURFACES)), None]
    assert ProfileCache(environ).load_reading() is None
    assert [shown(environ, clock.now, surface) for surface in SURFACES] == [""] * len(SURFACES)


@pytest.mark.parametrize("content", ['{"oauthAccount": {"accou', "[" * 100_000, "\0"])
def test_torn_state_file_keeps_the_reading(
    content: str, environ: dict[str, str], simulate: Simulate, clock: Clock, account: Path
) -> None:
    simulator = simulate("models")
    assert refresh.refresh(environ).result == "refreshed"
    (account / ".claude.json").write_text(content)
    clock.pass_by(minutes=6)
    outcome = refresh.refresh(environ)
    assert outcome.problem is not None
    assert outcome.problem.code == "account_unreadable"
    assert simulator.requests == 1
    assert shown(environ, clock.now) == "fable 82%!"


@pytest.mark.parametrize(
    "text", ["segment = [", "[segment]\ntemplate = 5\nunknown = 1", "[colors]\npalette = 'pink'", "\udcff", ""]
)
def test_faulty_configuration_does_not_stop_a_prompt(
    text: str, environ: dict[str, str], simulate: Simulate, clock: Clock
) -> None:
    simulate("models")
    Path(environ["ULLAGE_CONFIG"]).write_text(text, errors="surrogateescape")
    assert refresh.refresh(environ).result == "refreshed"
    assert shown(environ, clock.now) == "fable 82%!"


@pytest.mark.parametrize("kind", ["directory", "fifo", "dead link"])
def test_configuration_that_is_no_file_does_not_stop_a_prompt(
    kind: str, environ: dict[str, str], simulate: Simulate, clock: Clock
) -> None:
    put_in_place(kind, Path(environ["ULLAGE_CONFIG"]))
    simulate("models")
    assert refresh.refresh(environ).result == "refreshed"


@pytest.mark.parametrize("base", ["http://localhost", "https://api.anthropic.com@evil"])
def test_refused_base_is_told_to_whoever_looks_later(base: str, environ: dict[str, str], account: Path) -> None:
    environ["ULLAGE_API_BASE"] = base
    first = ullage("usage", environ=environ)
    later = ullage("usage", environ=environ)
    assert (first.returncode, later.returncode) == (5, 5)
    assert "ULLAGE_API_BASE" in first.stdout
    assert "ULLAGE_API_BASE" in later.stdout


def test_clock_that_was_set_back_asks_anew(environ: dict[str, str], simulate: Simulate, clock: Clock) -> None:
    simulator = simulate("models")
    assert refresh.refresh(environ).result == "refreshed"
    clock.pass_by(days=-3)
    header = timeline.read_header(ProfileCache(environ).read_timeline("bash"))
    assert timeline.is_due(header, int(clock.now.timestamp()))
    assert refresh.refresh(environ).result == "refreshed"
    assert simulator.requests == 2
    assert shown(environ, clock.now) == "fable 82%!"
    assert refresh.refresh(environ).result == "not_due"


LOSER = """
import os, sys
from ullage import refresh
print(refresh.refresh(os.environ, force=True).result, *sorted({"httpx", "ssl", "anyio"} & set(sys.modules)))
"""


def test_losers_leave_without_the_heavy_imports(environ: dict[str, str], simulate: Simulate) -> None:
    simulator = simulate("busy-day")
    cache = ProfileCache(environ)
    cache.make_private()
    with cache.lock() as held:
        assert held
        lost = run([PYTHON, "-c", LOSER], environ)
    assert (lost.stdout, lost.stderr) == ("busy\n", "")
    assert simulator.requests == 0
    assert refresh.refresh(environ).result == "refreshed"
    not_due = run([PYTHON, "-c", LOSER.replace(", force=True", "")], environ)
    assert (not_due.stdout, not_due.stderr) == ("not_due\n", "")


def test_one_of_many_processes_asks(environ: dict[str, str], simulate: Simulate) -> None:
    simulator = simulate("busy-day")
    crowd = [
        subprocess.Popen([PYTHON, "-m", "ullage.refresh"], env=environ, stderr=subprocess.PIPE, cwd="/")
        for _ in range(12)
    ]
    assert [process.communicate()[1] for process in crowd] == [b""] * 12
    assert {process.returncode for process in crowd} == {0}
    assert simulator.requests == 1
    make_due(environ)
    assert refresh.refresh(environ).result == "refreshed"
    assert simulator.requests == 2


@pytest.mark.parametrize("scenario", ["busy-day", "revoked", "html", "429-storm"])
def test_token_is_in_no_file(scenario: str, environ: dict[str, str], simulate: Simulate, account: Path) -> None:
    simulate(scenario)
    told = ullage("refresh", environ=environ)
    shown = ullage("usage", "--json", environ=environ)
    assert TOKEN not in told.stdout + told.stderr + shown.stdout + shown.stderr
    written = [path for path in Path(environ["ULLAGE_CACHE_DIR"]).rglob("*") if path.is_file()]
    assert written
    assert not [path for path in written if TOKEN.encode() in path.read_bytes()]


@pytest.fixture
def full_disk(environ: dict[str, str], tmp_path: Path) -> Iterator[Callable[[int], None]]:
    """A cache on a disk of its own, which the test fills to all but so many bytes."""
    place = tmp_path / "disk"
    place.mkdir()
    if (
        os.geteuid() != 0
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=256k,mode=0700", "tmpfs", place], check=False, capture_output=True
        ).returncode
    ):
        pytest.skip("only root can mount a small disk; test_file_size_limit stands for it elsewhere")
    environ["ULLAGE_CACHE_DIR"] = str(place / "cache")

    def fill(rest: int) -> None:
        free = os.statvfs(place).f_bavail * os.statvfs(place).f_frsize
        (place / "ballast").write_bytes(bytes(max(0, free - rest)))

    try:
        yield fill
    finally:
        subprocess.run(["umount", "-l", place], check=True)


@pytest.mark.parametrize("rest", [0, 4096, 8192, 16384, 32768])
def test_full_disk_keeps_what_was_known(
    rest: int, environ: dict[str, str], simulate: Simulate, full_disk: Callable[[int], None]
) -> None:
    simulator = simulate("models")
    assert refresh.refresh(environ).result == "refreshed"
    make_due(environ)
    full_disk(rest)
    try:
        refresh.refresh(environ)
    except CacheError as error:
        assert "Make room" in str(error)  # whether the rest suffices is the file system's affair
    assert simulator.requests <= 2
    cache = ProfileCache(environ)
    assert cache.load_reading() is not None
    assert not list(Path(cache.directory).glob("*.new"))
    assert all(timeline.decode(cache.read_timeline(surface)) for surface in SURFACES)
    assert shown(environ, datetime.now(UTC)) == "fable 82%!"
    told = ullage("refresh", "--force", environ=environ)
    assert "Traceback" not in told.stderr
    Path(environ["ULLAGE_CACHE_DIR"], "..", "ballast").unlink()
    assert refresh.refresh(environ, force=True).result == "refreshed"


def test_first_refresh_on_a_full_disk_says_so(
    environ: dict[str, str], simulate: Simulate, full_disk: Callable[[int], None]
) -> None:
    simulator = simulate("models")
    full_disk(0)
    told = ullage("refresh", environ=environ)
    assert told.returncode == 5
    assert "No space left" in told.stderr
    assert "Traceback" not in told.stderr
    assert simulator.requests == 0
    assert ullage("prompt", environ=environ).stdout == ""


def test_file_size_limit(environ: dict[str, str], simulate: Simulate) -> None:
    simulate("models")
    assert refresh.refresh(environ).result == "refreshed"
    make_due(environ)
    limited = run(["sh", "-c", 'ulimit -f 0; exec "$0" "$@"', PYTHON, "-m", "ullage", "refresh"], environ)
    assert limited.returncode == 5
    assert "Cannot write" in limited.stderr
    assert "Traceback" not in limited.stderr
    assert not list(Path(ProfileCache(environ).directory).glob("*.new"))
    assert shown(environ, datetime.now(UTC)) == "fable 82%!"


def test_cache_that_cannot_be_written_is_read_all_the_same(environ: dict[str, str], simulate: Simulate) -> None:
    simulator = simulate("models")
    assert refresh.refresh(environ).result == "refreshed"
    make_due(environ)
    with read_only(Path(ProfileCache(environ).directory)):
        for command in (["prompt"], ["usage"], ["refresh"]):
            told = ullage(*command, environ=environ)
            assert "Traceback" not in told.stderr
            assert told.returncode == (5 if command == ["refresh"] else 0)
            assert ("82%" in told.stdout) == (command != ["refresh"])
        assert "ULLAGE_CACHE_DIR" in told.stderr
        assert simulator.requests == 1


def test_what_a_refresh_starts_gets_no_key_that_it_does_not_need(
    environ: dict[str, str], simulate: Simulate, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulate("models")
    started: dict[str, dict[str, str]] = {}
    monkeypatch.setattr(detach, "start", lambda module, given, *_: started.update({module: dict(given)}))
    Path(environ["ULLAGE_CONFIG"]).write_text(
        '[alerts]\nvia = ["command"]\ncommand = ["true"]\n[metrics]\ntextfile = "/nowhere"\n'
    )
    keys = {"CLAUDE_CODE_OAUTH_TOKEN": TOKEN, "MINE": "sk-ant-sid01-x", "ULLAGE_METRICS_AUTH": "y"}
    assert refresh.refresh({**environ, **keys}).result == "refreshed"
    assert {module: given.keys() & keys.keys() for module, given in started.items()} == {
        "ullage.alerts.outbox": set(),
        "ullage.metrics.report": {"ULLAGE_METRICS_AUTH"},
    }

"""`auto`: what Claude Code tells by itself first, its program when that is too old, and no more often than it may."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.tools import ULLAGE, run, settle, ullage, wait_until
from ullage import refresh
from ullage.quota.model import Account, Reading, Window
from ullage.quota.schedule import Schedule
from ullage.quota.timeline import read_header
from ullage.refresh import turns
from ullage.store import statements
from ullage.store.account import AccountCache
from ullage.store.cache import ProfileCache, Snapshot
from ullage.system import claim

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ullage.quota.model import Kind

# Our own code starts `claude` here.
pytestmark = pytest.mark.process

ACCOUNT_ID = "5e000000-0000-4000-8000-000000000001"


@pytest.fixture
def claude(environ: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """A signed-in Claude Code whose program is the stand-in, and `auto`."""
    environ |= {
        "STANDIN_LOG": str(tmp_path / "starts"),
        "STANDIN": "",
    }
    sign_in(environ)
    return environ


def sign_in(environ: Mapping[str, str], account: str = ACCOUNT_ID, **more: Any) -> None:
    state = {"numStartups": 3, "oauthAccount": {"accountUuid": account}, **more}
    Path(environ["HOME"], ".claude.json").write_text(json.dumps(state, indent=2))


def fetched(age: timedelta, percent: float = 17, owner: str = ACCOUNT_ID) -> dict[str, Any]:
    now = datetime.now(UTC)
    window = {"utilization": percent, "resets_at": (now + timedelta(hours=2)).isoformat()}
    body = {"five_hour": window, "seven_day": window, "limits": []}
    at = int((now - age).timestamp() * 1000)
    return {"cachedUsageUtilization": {"fetchedAtMs": at, "accountUuid": owner, "utilization": body}}


def starts(environ: Mapping[str, str]) -> int:
    """How often it was asked for usage."""
    path = Path(environ["STANDIN_LOG"])
    told = [json.loads(line)["argv"] for line in path.read_text().splitlines()] if path.exists() else []
    return sum(argv != ["auth", "status"] for argv in told)


def told(environ: Mapping[str, str]) -> dict[str, tuple[float | None, str]]:
    reading = ProfileCache(environ).load_reading()
    return {window.id: (window.used_percent, window.source) for window in reading.windows} if reading else {}


def turn_back(environ: Mapping[str, str], by: timedelta, **changes: Any) -> None:
    """Make what is in the cache older, as if so much time had passed."""
    cache = ProfileCache(environ)
    schedule = cache.load_schedule()
    shared = AccountCache(cache.environ, schedule.account)
    asked_at = shared.load_asked_at()
    if asked_at is not None:
        shared.save_asked_at(asked_at - by)
    times = ("attempted_at", "refresh_at", "idle_refresh_at", "spawned_at")
    cache.save_schedule(
        schedule.replace(**{name: getattr(schedule, name) - by for name in times if getattr(schedule, name)}, **changes)
    )
    for reading in cache.load_readings():
        windows = tuple(window.replace(as_of=window.as_of - by) for window in reading.windows)
        cache.save_reading(reading.replace(as_of=reading.as_of - by, windows=windows))


def test_a_fresh_cache_of_claude_code_is_enough(claude: dict[str, str]) -> None:
    sign_in(claude, **fetched(timedelta(minutes=2)))
    assert refresh.refresh(claude).result == "refreshed"
    assert told(claude)["five_hour"] == (17.0, "claude-cache")
    assert starts(claude) == 0


def test_an_old_one_is_not(claude: dict[str, str]) -> None:
    sign_in(claude, **fetched(timedelta(hours=2)))
    assert refresh.refresh(claude).result == "refreshed"
    assert told(claude)["five_hour"] == (23.5, "claude-cli")
    assert starts(claude) == 1


def test_a_repeated_answer_is_no_success_and_is_not_asked_for_again(claude: dict[str, str]) -> None:
    sign_in(claude, **fetched(timedelta(minutes=40), percent=37))
    outcome = refresh.refresh({**claude, "STANDIN": "snapshot"})
    assert (outcome.result, outcome.problem.code if outcome.problem else None) == ("failed", "served_from_snapshot")
    assert told(claude)["five_hour"] == (37.0, "claude-cache")
    schedule = ProfileCache(claude).load_schedule()
    assert schedule.failures == 1
    assert schedule.is_held(datetime.now(UTC) + timedelta(minutes=4))
    # Neither a person who asks for it nor another profile of the account goes before that.
    for environ in (claude, {**claude, "CLAUDE_CONFIG_DIR": other_profile(claude)}):
        assert refresh.refresh(environ, force=True).result == "held"
    assert starts(claude) == 1
    usage = json.loads(run([ULLAGE, "usage", "--no-refresh", "--json"], claude).stdout)
    assert (usage["state"], usage["problem"]["code"], usage["age_seconds"] >= 2400) == (
        "stale",
        "served_from_snapshot",
        True,
    )
    assert run([ULLAGE, "guard", "--max", "5h=90", "--max-age", "10m"], claude).returncode == 4
    assert run([ULLAGE, "guard", "--max", "5h=90"], claude).returncode == 0


def other_profile(environ: Mapping[str, str]) -> str:
    directory = Path(environ["HOME"], "other")
    directory.mkdir()
    state = Path(environ["HOME"], ".claude.json").read_text()
    (directory / ".claude.json").write_text(state)
    return str(directory)


def test_what_claude_code_fetches_itself_meanwhile_is_shown_in_a_pause(claude: dict[str, str]) -> None:
    sign_in(claude, **fetched(timedelta(minutes=40), percent=37))
    refresh.refresh({**claude, "STANDIN": "snapshot"})
    sign_in(claude, **fetched(timedelta(minutes=1), percent=52))
    assert refresh.refresh(claude, force=True).result == "held"
    assert told(claude)["five_hour"] == (52.0, "claude-cache")


def test_a_status_line_newer_than_the_snapshot_goes_before_it(claude: dict[str, str]) -> None:
    sign_in(claude, **fetched(timedelta(minutes=55), percent=37))
    speak(claude, 95)
    turn_back(claude, timedelta(minutes=35))
    refresh.refresh({**claude, "STANDIN": "snapshot"})
    assert told(claude)["five_hour"][0] == 95.0


def test_a_granted_reset_is_shown_at_once(claude: dict[str, str]) -> None:
    speak(claude, 97)
    assert run([ULLAGE, "guard", "--max", "90"], {**claude, "ULLAGE_SOURCE": "statusline"}).returncode == 1
    # The status line may have started one in the background.
    wait_until(lambda: refresh.refresh(claude, force=True).result == "refreshed", what="a refresh of our own")
    assert told(claude)["five_hour"] == (23.5, "claude-cli")
    assert run([ULLAGE, "guard", "--max", "90"], claude).returncode == 0


@pytest.mark.parametrize("force", [False, True])
def test_a_token_alone_tells_no_limits_and_starts_no_program(claude: dict[str, str], force: bool) -> None:
    Path(claude["HOME"], ".claude.json").write_text("{}")
    alone = {**claude, "CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-SIMULATED"}
    outcome = refresh.refresh(alone, force=force)
    assert outcome.problem is not None
    assert outcome.problem.code == "token_alone"
    assert starts(claude) == 0


@pytest.mark.parametrize("mode", ["signed-out", "setup-token"])
def test_a_program_that_tells_no_limits_is_not_started_again_and_again(claude: dict[str, str], mode: str) -> None:
    away = {**claude, "STANDIN": mode}
    for _ in range(4):
        refresh.refresh(away)
        turn_back(away, timedelta(minutes=7))
    assert starts(claude) == 1
    turn_back(away, timedelta(minutes=31))
    refresh.refresh(away)
    assert starts(claude) == 2
    # Another sign-in is told by the state file.
    turn_back(away, timedelta(minutes=7))
    sign_in(claude, hasSignedInAgain=True)
    refresh.refresh(claude)
    assert starts(claude) == 3
    assert told(claude)["five_hour"] == (23.5, "claude-cli")


def test_one_of_another_account_counts_for_nothing(claude: dict[str, str]) -> None:
    sign_in(claude, **fetched(timedelta(minutes=2), owner="somebody-else"))
    refresh.refresh(claude)
    assert told(claude)["five_hour"] == (23.5, "claude-cli")


def speak(environ: Mapping[str, str], five_hour: float = 8) -> None:
    limits = {
        "five_hour": {"used_percentage": five_hour, "resets_at": int(time.time()) + 7200},
        "seven_day": {"used_percentage": 40, "resets_at": int(time.time()) + 90_000},
    }
    payload = json.dumps({"session_id": "one", "rate_limits": limits})
    cache = ProfileCache(environ)
    cache.make_private()
    # It starts no refresh then, which would come before those of the tests.
    claim.hold(cache.directory, time.time() + 60)
    done = run([ULLAGE, "statusline"], {**environ, "ULLAGE_SOURCE": "statusline"}, input=payload)
    assert f"{five_hour}%" in done.stdout
    settle(environ)
    claim.release(cache.directory)


def test_a_status_line_that_has_just_spoken_makes_an_older_listing_enough(claude: dict[str, str]) -> None:
    sign_in(claude, **fetched(timedelta(minutes=20), percent=3))
    speak(claude)
    assert refresh.refresh(claude).result == "refreshed"
    assert starts(claude) == 0
    assert told(claude)["five_hour"] == (8.0, "statusline")


def test_the_status_line_alone_does_not_say_which_windows_there_are(claude: dict[str, str]) -> None:
    speak(claude, five_hour=33)
    refresh.refresh(claude)
    assert starts(claude) == 1
    assert told(claude)["seven_day_fable"] == (58.0, "claude-cli")


def test_the_program_is_started_once_in_five_minutes_while_there_is_activity(claude: dict[str, str]) -> None:
    refresh.refresh(claude)
    turn_back(claude, timedelta(minutes=4))
    assert refresh.refresh(claude).result == "not_due"
    assert starts(claude) == 1
    turn_back(claude, timedelta(minutes=3))
    assert refresh.refresh(claude).result == "refreshed"
    assert starts(claude) == 2


@pytest.mark.parametrize("source", ["auto", "claude-cli"])
def test_it_is_started_once_in_thirty_minutes_while_nothing_happens(claude: dict[str, str], source: str) -> None:
    claude["ULLAGE_SOURCE"] = source
    refresh.refresh(claude)
    turn_back(claude, timedelta(minutes=20), unchanged=1)
    outcome = refresh.refresh(claude)
    assert outcome.result == "not_due"
    assert starts(claude) == 1
    due = ProfileCache(claude).load_schedule().refresh_at
    assert due is not None
    assert timedelta(minutes=8) < due - datetime.now(UTC) <= timedelta(minutes=10)
    turn_back(claude, timedelta(minutes=11), unchanged=1)
    assert refresh.refresh(claude).result == "refreshed"
    assert starts(claude) == 2


@pytest.mark.parametrize("source", ["auto", "claude-cli"])
def test_what_claude_code_writes_is_activity(claude: dict[str, str], source: str) -> None:
    claude["ULLAGE_SOURCE"] = source
    refresh.refresh(claude)
    turn_back(claude, timedelta(minutes=20), unchanged=1)
    sign_in(claude, promptQueueUseCount=7)
    refresh.refresh(claude)
    assert starts(claude) == 2


def test_force_goes_before_the_cadence(claude: dict[str, str]) -> None:
    refresh.refresh(claude)
    refresh.refresh(claude, force=True)
    assert starts(claude) == 2


@pytest.mark.parametrize("mode", ["exits", "signed-out", "old-and-paid"])
def test_a_program_that_fails_is_not_started_again_at_once(claude: dict[str, str], mode: str) -> None:
    claude["STANDIN"] = "paid-text" if mode == "old-and-paid" else mode
    outcome = refresh.refresh(claude)
    assert outcome.result == "failed"
    assert outcome.problem is not None
    begun = starts(claude)
    turn_back(claude, timedelta(minutes=2))
    refresh.refresh(claude)
    assert starts(claude) == begun
    problem = ProfileCache(claude).load_schedule().problem
    assert problem is not None
    assert problem.code == outcome.problem.code


def test_what_is_known_stays_when_the_program_fails(claude: dict[str, str]) -> None:
    sign_in(claude, **fetched(timedelta(minutes=50)))
    claude["STANDIN"] = "exits"
    assert refresh.refresh(claude).result == "failed"
    assert told(claude)["five_hour"] == (17.0, "claude-cache")
    assert read_header(ProfileCache(claude).read_timeline("plain")) is not None


def test_signing_in_as_somebody_else_starts_afresh(claude: dict[str, str]) -> None:
    refresh.refresh(claude)
    sign_in(claude, account="somebody-else")
    claude["STANDIN"] = "exits"
    refresh.refresh(claude, force=True)
    assert told(claude) == {}
    assert ProfileCache(claude).load_schedule().account_id == "somebody-else"


def test_the_first_refresh_keeps_what_the_status_line_told(claude: dict[str, str]) -> None:
    speak(claude, five_hour=9)
    claude["STANDIN"] = "exits"
    refresh.refresh(claude)
    assert told(claude)["five_hour"] == (9.0, "statusline")


def test_a_torn_state_file_is_no_sign_out(claude: dict[str, str]) -> None:
    refresh.refresh(claude)
    Path(claude["HOME"], ".claude.json").write_text('{"oauthAccount": {"accountU')
    outcome = refresh.refresh(claude, force=True)
    assert outcome.problem is not None
    assert outcome.problem.code == "account_unreadable"
    assert told(claude)["five_hour"] == (23.5, "claude-cli")


@pytest.mark.parametrize(
    ("source", "code"),
    [("statusline", "no_status_line"), ("claude-cache", "nothing_cached")],
)
def test_a_passive_source_alone_starts_nothing(claude: dict[str, str], source: str, code: str) -> None:
    outcome = refresh.refresh({**claude, "ULLAGE_SOURCE": source})
    assert outcome.problem is not None
    assert outcome.problem.code == code
    assert starts(claude) == 0
    assert ullage("usage", "--no-refresh", environ=claude).returncode == 3


def test_the_state_file_alone_is_read_when_it_has_changed(claude: dict[str, str]) -> None:
    claude["ULLAGE_SOURCE"] = "claude-cache"
    path = Path(claude["HOME"], ".claude.json")
    sign_in(claude, **fetched(timedelta(minutes=2), percent=17))
    before = path.stat()
    refresh.refresh(claude)
    path.write_text(path.read_text().replace('"utilization": 17', '"utilization": 18'))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert refresh.refresh(claude, force=True).result == "refreshed"
    assert told(claude)["five_hour"] == (17.0, "claude-cache")
    os.utime(path)
    refresh.refresh(claude, force=True)
    assert told(claude)["five_hour"] == (18.0, "claude-cache")


def test_the_program_alone_is_asked_each_time_it_is_due(claude: dict[str, str]) -> None:
    claude["ULLAGE_SOURCE"] = "claude-cli"
    sign_in(claude, **fetched(timedelta(seconds=1)))
    refresh.refresh(claude)
    assert told(claude)["five_hour"] == (23.5, "claude-cli")
    assert refresh.refresh(claude).result == "not_due"
    assert starts(claude) == 1


def test_the_cadence_slows_while_the_numbers_stand_still(claude: dict[str, str]) -> None:
    claude["ULLAGE_SOURCE"] = "claude-cli"
    for unchanged in range(4):
        refresh.refresh(claude, force=True)
        assert ProfileCache(claude).load_schedule().unchanged == unchanged


class TestTurns:
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def reading(self, *ages: float, kind: Kind = "session", source: str = "claude-cli", reset: float = 60) -> Reading:
        """Return a reading of now, with windows of these ages in minutes that reset in so many."""
        windows = tuple(
            Window(
                id=f"{kind}-{age}",
                label="",
                kind=kind,
                used_percent=1.0,
                resets_at=self.now + timedelta(minutes=reset),
                source=source,
                as_of=self.now - timedelta(minutes=age),
            )
            for age in ages
        )
        return Reading(account=Account(), source=source, as_of=self.now, windows=windows)

    def stated(self, *readings: Reading) -> statements.Stated:
        files = {str(number): each for number, each in enumerate(readings)}
        return statements.combine(files, self.now)

    def is_enough(self, *readings: Reading) -> bool:
        return turns.is_enough(self.stated(*readings), self.now)

    def is_busy(self, schedule: Schedule, *readings: Reading, changed_at: datetime | None = None) -> bool:
        return turns.is_busy(Snapshot(stated=self.stated(*readings), schedule=schedule), changed_at, self.now)

    @pytest.mark.parametrize(
        ("ages", "enough"), [((1,), True), ((1, 6), False), ((5,), False), ((), False), ((-2,), False)]
    )
    def test_every_window_counts(self, ages: tuple[float, ...], enough: bool) -> None:
        assert self.is_enough(self.reading(*ages)) is enough

    def test_a_window_of_unknown_meaning_does_not(self) -> None:
        mixed = self.reading(1).replace(
            windows=self.reading(1).windows
            + tuple(window.replace(is_listed=False) for window in self.reading(60, kind="other").windows)
        )
        assert self.is_enough(mixed)

    def test_a_window_that_has_reset_is_not_known(self) -> None:
        past = self.reading(1, reset=-0.5)
        assert not self.is_enough(past)
        assert self.is_busy(Schedule(spawned_at=self.now, unchanged=1), past)

    def test_without_a_listing_it_is_not_known_what_there_is(self) -> None:
        line = self.reading(1, source="statusline")
        assert not self.is_enough(line)
        assert not self.is_enough(line, self.reading().replace(as_of=self.now - timedelta(minutes=30)))
        assert not self.is_enough()

    def test_nothing_started_yet_may_start(self) -> None:
        assert turns.find_next_start(Schedule(), is_busy=False) is None
        assert self.is_busy(Schedule())

    def test_our_own_process_writing_the_state_file_is_no_activity(self) -> None:
        schedule = Schedule(spawned_at=self.now, unchanged=1)
        assert not self.is_busy(schedule, changed_at=self.now + timedelta(seconds=5))
        assert self.is_busy(schedule, changed_at=self.now + timedelta(minutes=5))


class TestAllProfiles:
    def profile(self, claude: dict[str, str], name: str, account: str) -> dict[str, str]:
        directory = Path(claude["HOME"], name)
        directory.mkdir()
        (directory / ".claude.json").write_text(json.dumps({"oauthAccount": {"accountUuid": account}}))
        environ = {**claude, "CLAUDE_CONFIG_DIR": str(directory)}
        refresh.refresh(environ)
        return environ

    def test_each_account_is_shown_once(self, claude: dict[str, str]) -> None:
        refresh.refresh(claude)
        self.profile(claude, "work", "another-account")
        self.profile(claude, "same", ACCOUNT_ID)
        shown = json.loads(ullage("usage", "--all", "--json", "--no-refresh", environ=claude).stdout)
        assert [one["usage"]["account"]["id"] for one in shown["profiles"]] == [ACCOUNT_ID, "another-account"]
        assert [one["profile"] for one in shown["profiles"]] == ["default", os.path.join(claude["HOME"], "work")]
        assert starts(claude) == 2
        told = ullage("usage", "--all", "--no-refresh", environ=claude).stdout
        assert told.count("Session") == 2

    def test_without_any_it_shows_this_one(self, claude: dict[str, str]) -> None:
        done = ullage("usage", "--all", "--json", "--no-refresh", environ=claude)
        assert done.returncode == 3
        assert [one["profile"] for one in json.loads(done.stdout)["profiles"]] == ["default"]

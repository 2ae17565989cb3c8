"""Whose numbers a session tells: one person in two organisations, a token of another account, and a new sign-in."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.tools import ULLAGE, run, settle
from ullage import refresh
from ullage.store.cache import ProfileCache

if TYPE_CHECKING:
    from collections.abc import Mapping

PERSON = "5e000000-0000-4000-8000-000000000007"
HOUR = 3600


@pytest.fixture
def claude(environ: dict[str, str]) -> dict[str, str]:
    environ |= {"STANDIN": "", "ULLAGE_SOURCE": "statusline"}
    sign_in(environ, "home")
    return environ


def sign_in(environ: Mapping[str, str], organization: str | None, person: str = PERSON, **more: Any) -> None:
    account = {"accountUuid": person, "organizationUuid": organization, "organizationName": f"The {organization}"}
    directory = Path(environ.get("CLAUDE_CONFIG_DIR") or environ["HOME"])
    directory.mkdir(exist_ok=True)
    (directory / ".claude.json").write_text(json.dumps({"oauthAccount": account, **more}, indent=2))


def say(environ: Mapping[str, str], session: str, five_hour: float, week: float, shift: float = 0) -> str:
    """Let a session answer; `shift` moves its resets, in hours, as another quota's are."""
    now = int(time.time())
    limits = {
        "five_hour": {"used_percentage": five_hour, "resets_at": now + int((2 + shift) * HOUR)},
        "seven_day": {"used_percentage": week, "resets_at": now + int((50 + shift) * HOUR)},
    }
    done = run([ULLAGE, "statusline"], environ, input=json.dumps({"session_id": session, "rate_limits": limits}))
    assert done.stderr == ""
    settle(environ)
    return done.stdout


def shown(environ: Mapping[str, str]) -> list[float | None]:
    reading = ProfileCache(environ).load_reading()
    return [window.used_percent for window in reading.windows] if reading else []


def test_a_session_that_goes_on_after_a_new_sign_in_keeps_its_account(claude: dict[str, str]) -> None:
    say(claude, "old", 30, 40)
    refresh.refresh(claude, force=True)
    sign_in(claude, "team")
    refresh.refresh(claude, force=True)
    assert shown(claude) == []
    assert "33%" in say(claude, "old", 33, 41)
    assert shown(claude) == []
    assert "5%" in say(claude, "new", 5, 6, shift=1)
    assert shown(claude) == [5, 6]
    assert "34%" in say(claude, "old", 34, 42)
    assert shown(claude) == [5, 6]
    usage = json.loads(run([ULLAGE, "usage", "--no-refresh", "--json"], claude).stdout)
    assert usage["account"]["organization_id"] == "team"


def test_a_session_that_signs_in_elsewhere_itself_tells_of_the_new_account(claude: dict[str, str]) -> None:
    say(claude, "one", 30, 40)
    refresh.refresh(claude, force=True)
    sign_in(claude, "team")
    refresh.refresh(claude, force=True)
    say(claude, "one", 5, 6, shift=1)
    assert shown(claude) == [5, 6]


def test_a_session_under_a_token_of_another_account_stands_beside_nothing(claude: dict[str, str]) -> None:
    now = time.time()
    resets = {"five_hour": now + 2 * HOUR, "seven_day": now + 50 * HOUR}
    body = {name: {"utilization": 20, "resets_at": at} for name, at in resets.items()}
    report = {"fetchedAtMs": int(now * 1000), "accountUuid": PERSON, "utilization": {**body, "limits": []}}
    sign_in(claude, "home", cachedUsageUtilization=report)
    claude["ULLAGE_SOURCE"] = "claude-cache"
    refresh.refresh(claude, force=True)
    assert shown(claude) == [20, 20]
    # Its own line tells its own numbers; nothing else does.
    line = say(claude, "token", 90, 80, shift=1)
    assert "90%" in line
    assert "80%" in line
    assert shown(claude) == [20, 20]
    assert "20%" in run([ULLAGE, "prompt"], claude).stdout
    say(claude, "own", 21, 22)
    assert shown(claude) == [21, 22]


def test_a_report_from_before_the_new_sign_in_is_of_the_organisation_before(claude: dict[str, str]) -> None:
    claude["ULLAGE_SOURCE"] = "claude-cache"
    now = int(time.time() * 1000)
    body = {"five_hour": {"utilization": 77, "resets_at": None}, "limits": []}
    report = {"fetchedAtMs": now, "accountUuid": PERSON, "utilization": body}
    sign_in(claude, "home", cachedUsageUtilization=report)
    refresh.refresh(claude, force=True)
    assert shown(claude) == [77]
    sign_in(claude, "team", cachedUsageUtilization=report)
    assert refresh.refresh(claude, force=True).result == "failed"
    assert shown(claude) == []
    later = {
        **report,
        "fetchedAtMs": int(time.time() * 1000) + 5,
        "utilization": {**body, "five_hour": None, "seven_day": body["five_hour"]},
    }
    sign_in(claude, "team", cachedUsageUtilization=later)
    time.sleep(0.1)
    refresh.refresh(claude, force=True)
    assert shown(claude) == [77]


def test_two_profiles_of_one_person_are_two_rows(claude: dict[str, str], tmp_path: Path) -> None:
    other = {**claude, "CLAUDE_CONFIG_DIR": str(tmp_path / "team")}
    sign_in(other, "team")
    say(claude, "one", 30, 40)
    say(other, "two", 5, 6, shift=1)
    for environ in (claude, other):
        refresh.refresh(environ, force=True)
    whole = json.loads(run([ULLAGE, "usage", "--no-refresh", "--all", "--json"], claude).stdout)
    accounts = [profile["usage"]["account"] for profile in whole["profiles"]]
    assert [account["organization_id"] for account in accounts] == ["home", "team"]
    assert {account["id"] for account in accounts} == {PERSON}
    text = run([ULLAGE, "usage", "--no-refresh", "--all"], claude).stdout
    assert "The home" in text
    assert "The team" in text
    directories = {path.name for path in Path(claude["ULLAGE_CACHE_DIR"], "accounts").glob("*")}
    assert len(directories) == 2 or not directories
    samples = run([ULLAGE, "metrics"], claude).stdout.splitlines()
    used = {line.partition("{")[2].partition(",")[0] for line in samples if line.startswith("ullage_window_used_ratio")}
    assert len(used) == 2


def test_the_stored_sign_in_counts_where_the_state_file_names_another(claude: dict[str, str]) -> None:
    directory = Path(claude["HOME"], ".claude")
    directory.mkdir()
    stored = {"accessToken": "sk-ant-oat01-SIMULATED", "accountUuid": PERSON, "organizationUuid": "team"}
    (directory / ".credentials.json").write_text(json.dumps({"claudeAiOauth": stored}))
    say(claude, "one", 30, 40)
    outcome = refresh.refresh(claude, force=True)
    usage = json.loads(run([ULLAGE, "usage", "--no-refresh", "--json"], claude).stdout)
    assert (usage["account"]["id"], usage["account"]["organization_id"]) == (PERSON, "team")
    assert outcome.problem is not None
    assert outcome.problem.code == usage["problem"]["code"] == "accounts_disagree"
    assert "SIMULATED" not in json.dumps(usage)

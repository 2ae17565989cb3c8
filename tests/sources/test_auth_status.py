"""`claude auth status`, looked at once a day: what it says, of whom, and what it costs."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.tools import ullage
from ullage.quota.model import Account
from ullage.sources import auth_status, claude_cli
from ullage.store import sign_in
from ullage.store.sign_in import SignInFacts

if TYPE_CHECKING:
    from collections.abc import Mapping

PERSON, ORGANIZATION = "5e000000-0000-4000-8000-000000000001", "0c000000-0000-4000-8000-000000000001"
ACCOUNT = Account(id=PERSON, organization_id=ORGANIZATION)
NOW = datetime(2026, 12, 1, 9, 12, tzinfo=UTC)
ENDS = datetime(2026, 12, 3, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def told(**changes: Any) -> bytes:
    said = {"loggedIn": True, "orgId": ORGANIZATION, "planTier": "max_20x", "loginExpiresAt": ENDS.isoformat()}
    return json.dumps({**said, **changes}).encode()


@pytest.mark.parametrize(
    ("output", "known"),
    [
        (told(), ("max_20x", ENDS)),
        (told(loginExpiresAt=int(ENDS.timestamp())), ("max_20x", ENDS)),
        (told(loginExpiresAt=int(ENDS.timestamp()) * 1000), ("max_20x", ENDS)),
        (told(loginExpiresAt=0), ("max_20x", None)),
        (told(loginExpiresAt="soon", planTier="max\x1b[31m"), ("max[31m", None)),
        (told(planTier=None, loginExpiresAt=None, orgId=None), (None, None)),
        (told(orgId="another"), None),
        (told(loggedIn=False), None),
        (told(loggedIn="yes"), None),
        (b"[]", None),
        (b"", None),
        (b"\xff{", None),
    ],
)
def test_the_answer_is_read_for_this_organisation(output: bytes, known: tuple[object, object] | None) -> None:
    assert auth_status.parse(output, ACCOUNT) == known


def test_what_is_kept_is_of_one_account_and_comes_back(tmp_path: Path) -> None:
    assert sign_in.load(str(tmp_path), ACCOUNT) is None
    assert ACCOUNT.key is not None
    kept = SignInFacts(account=ACCOUNT.key, looked_at=NOW, plan_tier="max_20x", expires_at=ENDS)
    sign_in.save(str(tmp_path), kept)
    assert sign_in.load(str(tmp_path), ACCOUNT) == kept
    for other in (ACCOUNT.replace(organization_id="team"), ACCOUNT.replace(id="another"), Account()):
        assert sign_in.load(str(tmp_path), other) is None
    for torn in (b"", b"[1]", b'{"account": 3', b'{"looked_at": "x"}'):
        (tmp_path / "sign-in.json").write_bytes(torn)
        assert sign_in.load(str(tmp_path), ACCOUNT) is None


@pytest.mark.parametrize(("hours", "may"), [(0, False), (23, False), (24, True), (-3, True)])
def test_a_day_lies_between_two_looks(hours: int, may: bool) -> None:
    assert SignInFacts(account="a", looked_at=NOW).may_look(NOW + hours * HOUR) is may


@pytest.fixture
def claude(environ: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """A signed-in Claude Code whose program is the stand-in."""
    environ |= {"STANDIN": "", "STANDIN_LOG": str(tmp_path / "starts"), "ULLAGE_SOURCE": "claude-cli"}
    environ["STANDIN_SIGN_IN"] = told(loginExpiresAt=(datetime.now(UTC) + 50 * HOUR).isoformat()).decode()
    sign_in_as(environ, ORGANIZATION)
    return environ


def sign_in_as(environ: Mapping[str, str], organization: str) -> None:
    account = {"accountUuid": PERSON, "organizationUuid": organization}
    Path(environ["HOME"], ".claude.json").write_text(json.dumps({"oauthAccount": account}))


def looks(environ: Mapping[str, str]) -> int:
    path = Path(environ["STANDIN_LOG"])
    lines = path.read_text().splitlines() if path.exists() else []
    return sum(json.loads(line)["argv"] == ["auth", "status"] for line in lines)


@pytest.mark.process
def test_a_refresh_that_asked_claude_looks_once_a_day(claude: dict[str, str]) -> None:
    Path(claude["ULLAGE_CACHE_DIR"], "default").mkdir(parents=True)
    for hours, known in ((0, 1), (1, 1), (23, 1), (24, 2), (47, 2)):
        claude_cli.read(claude, ACCOUNT, NOW + hours * HOUR)
        assert looks(claude) == known


@pytest.mark.process
@pytest.mark.parametrize("said", [b"no JSON", told(loggedIn=False)])
def test_a_look_in_vain_is_not_repeated_and_costs_no_reading(claude: dict[str, str], said: bytes) -> None:
    Path(claude["ULLAGE_CACHE_DIR"], "default").mkdir(parents=True)
    claude["STANDIN_SIGN_IN"] = said.decode()
    for _ in range(2):
        assert claude_cli.read(claude, ACCOUNT, NOW).windows
    assert looks(claude) == 1


@pytest.mark.process
def test_nobody_is_asked_for_an_unknown_account_or_where_nothing_can_be_kept(claude: dict[str, str]) -> None:
    for account in (Account(), ACCOUNT):
        assert claude_cli.read(claude, account, NOW).windows
    assert looks(claude) == 0


@pytest.mark.process
def test_a_program_that_only_tells_its_text_is_never_asked(claude: dict[str, str]) -> None:
    Path(claude["ULLAGE_CACHE_DIR"], "default").mkdir(parents=True)
    # Older than `auth status`, it would take the words for a question.
    assert claude_cli.read({**claude, "STANDIN": "old"}, ACCOUNT, NOW).source == "claude-cli-text"
    assert looks(claude) == 0


@pytest.mark.process
def test_doctor_and_the_last_days_of_usage_show_it_to_the_account_that_it_is_about(claude: dict[str, str]) -> None:
    assert ullage("refresh", environ=claude).returncode == 0
    assert "Claude Code's sign-in ends" in ullage("usage", environ=claude).stdout
    assert re.search(r"^✓ sign-in +max_20x, ends .*, in 2d", ullage("doctor", environ=claude).stdout, re.MULTILINE)
    found = json.loads(ullage("doctor", "--json", environ=claude).stdout)["sign_in"]
    assert found["plan_tier"] == "max_20x"
    assert looks(claude) == 1
    sign_in_as(claude, "0c000000-0000-4000-8000-000000000002")
    assert ullage("refresh", "--force", environ=claude).returncode == 0
    assert "sign-in ends" not in ullage("usage", environ=claude).stdout
    # The answer is still about the first organisation.
    assert json.loads(ullage("doctor", "--json", environ=claude).stdout)["sign_in"]["plan_tier"] is None

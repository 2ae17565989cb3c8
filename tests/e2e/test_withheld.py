"""No program that ullage starts finds a key in its environment, not even one whose variable the user chose."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.tools import ULLAGE, run, ullage, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from ullage.simulate import Simulator

    Simulate = Callable[..., Simulator]

# Not shaped like the provider's: only the name tells that they are keys.
KEYS = {
    "MY_SESSION": "opaque-1",
    "MY_ADMIN": "opaque-2",
    "MY_ANALYTICS": "opaque-3",
    "ULLAGE_METRICS_AUTH": "me:opaque-4",
}
TOKEN = {"CLAUDE_CODE_OAUTH_TOKEN": "opaque-5"}


@pytest.fixture
def seen(environ: dict[str, str], tmp_path: Path) -> Path:
    """Where the programs of a config.toml, which names variables for keys, leave the environment that is theirs."""
    seen = tmp_path / "seen"
    command = json.dumps(["sh", "-c", f"cat >/dev/null; env >{seen}; exit 1"])
    Path(environ["ULLAGE_CONFIG"]).write_text(
        '[web]\nsession_key_variable = "MY_SESSION"\n'
        '[org]\nadmin_key_variable = "MY_ADMIN"\nanalytics_key_variable = "MY_ANALYTICS"\n'
        f"admin_key_command = {command}\n"
        f'[alerts]\nvia = ["command"]\ncommand = {command}\n'
    )
    environ |= {**KEYS, **TOKEN, "KEPT": "yes"}
    return seen


def leaked(text: str) -> list[str]:
    assert "KEPT=yes" in text or '"KEPT": "yes"' in text
    return [value for value in (*KEYS.values(), *TOKEN.values()) if value in text]


def test_the_command_of_alerts(environ: dict[str, str], seen: Path) -> None:
    ullage("alerts", "test", environ=environ)
    assert leaked(seen.read_text()) == []


def test_the_command_of_alerts_after_a_refresh(environ: dict[str, str], seen: Path, simulate: Simulate) -> None:
    simulate("over-limit")
    del environ["CLAUDE_CODE_OAUTH_TOKEN"]
    assert ullage("refresh", environ=environ).returncode == 0
    wait_until(lambda: seen.exists() and "KEPT" in seen.read_text(), what="the alert's command")
    assert leaked(seen.read_text()) == []


def test_the_command_for_a_key(environ: dict[str, str], seen: Path) -> None:
    del environ["MY_ADMIN"]
    assert ullage("org", "usage", environ=environ).returncode == 5
    assert leaked(seen.read_text()) == []


@pytest.mark.parametrize("source", ["claude-cli", "auto"])
def test_claude(source: str, environ: dict[str, str], account: Path, seen: Path) -> None:
    environ |= {"STANDIN": "", "STANDIN_LOG": str(seen), "ULLAGE_SOURCE": source}
    Path(environ["HOME"], ".claude.json").write_text('{"oauthAccount": {"accountUuid": "a1b2"}}')
    assert ullage("refresh", environ=environ).returncode == 0
    # It is asked for usage, and for the state of its sign-in.
    assert len(seen.read_text().splitlines()) == 2
    assert leaked(seen.read_text()) == []


def test_a_status_line_of_before_is_given_what_claude_code_gave_it(environ: dict[str, str], seen: Path) -> None:
    run([ULLAGE, "statusline", "--then", f"env >{seen}"], environ, input="{}")
    assert leaked(seen.read_text()) == list(TOKEN.values())


def test_a_guarded_command_is_the_users_own(environ: dict[str, str], seen: Path) -> None:
    told = ullage("guard", "--fail-open", "--", "env", environ=environ)
    assert sorted(leaked(told.stdout)) == sorted([*KEYS.values(), *TOKEN.values()])

"""When something was mended it is seen: what failed is tried at once where it might not fail now."""

from __future__ import annotations

import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import STANDINS
from tests.support.tools import ULLAGE, run, ullage, wait_until
from ullage import refresh
from ullage.simulate import Reply
from ullage.store.cache import ProfileCache

if TYPE_CHECKING:
    from collections.abc import Callable

    from ullage.simulate import Simulator

pytestmark = pytest.mark.process

ACCOUNT = "5e000000-0000-4000-8000-000000000001"


def sign_in(environ: dict[str, str]) -> None:
    Path(environ["HOME"], ".claude.json").write_text(json.dumps({"oauthAccount": {"accountUuid": ACCOUNT}}))


def install_claude(environ: dict[str, str]) -> None:
    program = Path(environ["HOME"], ".local", "bin", "claude")
    program.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(Path(STANDINS, "claude"), program)
    environ["STANDIN"] = ""


def problem(environ: dict[str, str]) -> str | None:
    found = ProfileCache(environ).load_schedule().problem
    return found.code if found else None


@pytest.fixture
def bare(environ: dict[str, str]) -> dict[str, str]:
    """A machine without Claude Code's program, on which somebody is signed in."""
    sign_in(environ)
    environ["PATH"] = "/usr/bin:/bin"
    return environ


def test_a_claude_that_is_installed_now_is_asked_at_once(bare: dict[str, str]) -> None:
    assert refresh.refresh(bare).result == "failed"
    assert problem(bare) == "claude_missing"
    assert refresh.refresh(bare).result == "not_due"
    install_claude(bare)
    assert refresh.refresh(bare).result == "refreshed"
    assert problem(bare) is None
    assert refresh.refresh(bare).result == "not_due"


def test_whoever_signs_in_now_is_asked_about_at_once(bare: dict[str, str]) -> None:
    Path(bare["HOME"], ".claude.json").unlink()
    install_claude(bare)
    bare["STANDIN"] = "signed-out"
    assert refresh.refresh(bare).result == "failed"
    assert refresh.refresh(bare).result == "not_due"
    sign_in(bare)
    bare["STANDIN"] = ""
    assert refresh.refresh(bare).result == "refreshed"


@pytest.mark.parametrize("other", [{"organizationUuid": "team"}, {"accountUuid": "another"}])
def test_whoever_signs_in_after_another_is_asked_about_at_once(bare: dict[str, str], other: dict[str, str]) -> None:
    install_claude(bare)
    state = Path(bare["HOME"], ".claude.json")
    account = {"accountUuid": ACCOUNT, "organizationUuid": "own"}
    state.write_text(json.dumps({"oauthAccount": account}))
    assert refresh.refresh(bare).result == "refreshed"
    assert refresh.refresh(bare).result == "not_due"
    account |= other
    state.write_text(json.dumps({"oauthAccount": account}))
    document = json.loads(ullage("usage", "--json", environ=bare).stdout)
    assert document["account"]["id"] == account["accountUuid"]
    assert document["account"]["organization_id"] == account["organizationUuid"]
    assert (document["source"], document["state"]) == ("claude-cli", "fresh")
    state.write_text(json.dumps({"oauthAccount": {"accountUuid": "a-second"}}))
    unknown = ullage("guard", environ=bare)
    assert (unknown.returncode, "Another account has signed in" in unknown.stderr) == (3, True)
    assert ullage("guard", "--refresh", environ=bare).returncode == 0
    assert ProfileCache(bare).load_schedule().account_id == "a-second"
    # What fails then is not tried at each look.
    bare["STANDIN"] = "exits"
    state.write_text(json.dumps({"oauthAccount": {"accountUuid": "a-third"}}))
    assert refresh.refresh(bare).result == "failed"
    assert refresh.refresh(bare).result == "not_due"


def test_a_hook_blocks_for_no_account_before_and_has_the_new_one_asked_about(bare: dict[str, str]) -> None:
    install_claude(bare)
    assert refresh.refresh(bare).result == "refreshed"
    state, command = Path(bare["HOME"], ".claude.json"), [ULLAGE, "hook", "--block", "1"]
    event = json.dumps({"hook_event_name": "UserPromptSubmit", "session_id": "s", "cwd": "/"})
    assert json.loads(run(command, bare, input=event).stdout)["decision"] == "block"
    state.write_text(json.dumps({"oauthAccount": {"accountUuid": "another"}}))
    said = json.loads(run(command, bare, input=event).stdout)
    assert "Another account has signed in" in said["systemMessage"]
    assert "decision" not in said
    wait_until(lambda: ProfileCache(bare).load_schedule().account_id == "another", what="the new account's reading")
    assert "decision" in json.loads(run([*command, "--fail-closed"], bare, input=event).stdout)


def test_another_source_is_asked_at_once(bare: dict[str, str], simulate: Callable[..., Simulator]) -> None:
    simulate("busy-day")
    bare["ULLAGE_SOURCE"] = "claude-cli"
    assert refresh.refresh(bare).result == "failed"
    assert refresh.refresh(bare).result == "not_due"
    bare["ULLAGE_SOURCE"] = "oauth"
    assert refresh.refresh(bare).result == "refreshed"


def test_new_credentials_are_tried_at_once(environ: dict[str, str], simulate: Callable[..., Simulator]) -> None:
    simulator = simulate("busy-day")
    file = Path(environ["CLAUDE_CONFIG_DIR"], ".credentials.json")
    stored = file.read_text()
    file.write_text("{}")
    assert refresh.refresh(environ).result == "failed"
    assert problem(environ) == "token_missing"
    assert refresh.refresh(environ).result == "not_due"
    file.write_text(stored)
    assert refresh.refresh(environ).result == "refreshed"
    assert simulator.requests == 1


def test_claude_codes_own_writing_mends_nothing(environ: dict[str, str], simulate: Callable[..., Simulator]) -> None:
    simulator = simulate("revoked")
    assert refresh.refresh(environ).result == "failed"
    state = Path(environ["CLAUDE_CONFIG_DIR"], ".claude.json")
    for number in range(5):
        os.utime(state, (number, number))
        assert refresh.refresh(environ).result == "not_due"
    assert simulator.requests == 1


def test_a_pause_that_the_server_asked_for_is_kept_whatever_is_mended(
    environ: dict[str, str], simulate: Callable[..., Simulator]
) -> None:
    simulator = simulate("busy-day")
    simulator.scenario = lambda _: Reply(status=429, headers={"Retry-After": "1800"})
    assert refresh.refresh(environ).result == "failed"
    credentials = Path(environ["CLAUDE_CONFIG_DIR"], ".credentials.json")
    os.utime(credentials, (1, 1))
    assert refresh.refresh(environ).result == "held"
    assert refresh.refresh(environ).result == "not_due"
    assert simulator.requests == 1
    assert "--force" not in ullage("usage", environ=environ).stdout


def test_a_failure_on_this_machine_is_looked_at_again_after_a_minute(
    bare: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    for _ in range(4):
        monkeypatch.setattr(refresh, "_now", lambda now=now: now)
        assert refresh.refresh(bare).result == "failed"
        schedule = ProfileCache(bare).load_schedule()
        assert schedule.refresh_at == now + timedelta(minutes=1)
        assert schedule.idle_refresh_at is not None
        assert schedule.idle_refresh_at >= schedule.refresh_at
        now += timedelta(seconds=61)


def test_what_cannot_be_asked_yet_names_the_way_to_ask_now(bare: dict[str, str]) -> None:
    for _ in range(2):
        shown = " ".join(ullage("usage", environ=bare).stdout.split())
        assert "`ullage refresh --force` asks now." in shown


def test_no_secret_is_in_what_is_kept_of_it(environ: dict[str, str], simulate: Callable[..., Simulator]) -> None:
    simulate("revoked")
    environ["CLAUDE_CODE_OAUTH_TOKEN"] = "sk-ant-hunter2"
    assert refresh.refresh(environ).result == "failed"
    kept = Path(ProfileCache(environ).directory, "schedule.json").read_text()
    means = json.loads(kept)["means"]
    assert len(means) == 16
    environ["CLAUDE_CODE_OAUTH_TOKEN"] = "sk-ant-hunter3"
    assert refresh.refresh(environ).result == "not_due"
    assert json.loads(Path(ProfileCache(environ).directory, "schedule.json").read_text())["means"] == means

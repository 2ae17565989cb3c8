"""The claude-cli source against a program that speaks Claude Code's control protocol, and its failures."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.tools import PATIENCES, REPOSITORY, ULLAGE, is_running, wait_until
from ullage.base.errors import SourceError
from ullage.cli import asking
from ullage.quota.model import Account
from ullage.simulate import write_account
from ullage.sources import claude_cli
from ullage.system import programs

if TYPE_CHECKING:
    from datetime import datetime

    from ullage.quota.model import Reading

# Our own code starts `claude` here.
pytestmark = pytest.mark.process

STANDINS = REPOSITORY / "tests" / "support" / "standins"
ACCOUNT = Account(id="5e000000-0000-4000-8000-000000000001")


@pytest.fixture
def claude(environ: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """An environment whose `claude` is the stand-in."""
    environ["STANDIN"] = ""
    environ["STANDIN_LOG"] = str(tmp_path / "starts")
    environ["STANDIN_CHILD"] = str(tmp_path / "child")
    return environ


def starts(environ: dict[str, str]) -> list[dict[str, Any]]:
    """Every start that asked for usage."""
    path = Path(environ["STANDIN_LOG"])
    told = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [start for start in told if start["argv"] != ["auth", "status"]]


def ask(environ: dict[str, str], mode: str, now: datetime) -> Reading:
    return claude_cli.read({**environ, "STANDIN": mode}, ACCOUNT, now)


@pytest.mark.parametrize("mode", ["", "noise", "two-answers", "leaves-a-child"])
def test_the_first_answer_to_our_request_is_read(claude: dict[str, str], now: datetime, mode: str) -> None:
    reading = ask(claude, mode, now)
    shown = {window.id: (window.used_percent, window.source, window.as_of) for window in reading.windows}
    assert shown == {
        "five_hour": (23.5, "claude-cli", now),
        "seven_day": (41.0, "claude-cli", now),
        "seven_day_fable": (58.0, "claude-cli", now),
    }
    assert reading.account == ACCOUNT.replace(plan="max")
    assert reading.credits is not None
    assert reading.credits.used is not None
    assert reading.credits.used.amount_minor == 900
    assert len(starts(claude)) == 1


@pytest.mark.parametrize(
    ("mode", "code"),
    [
        ("ancient", "claude_too_old"),
        ("exits", "cli_no_answer"),
        ("wrong-id", "cli_no_answer"),
        ("flood", "cli_flood"),
        ("refuses", "cli_refused"),
        ("signed-out", "signed_out"),
        ("setup-token", "no_plan_limits"),
        ("no-numbers", "cli_without_numbers"),
        ("shape", "unexpected_shape"),
    ],
)
def test_each_failure_is_a_clear_problem(claude: dict[str, str], now: datetime, mode: str, code: str) -> None:
    with pytest.raises(SourceError) as error:
        ask(claude, mode, now)
    assert error.value.code == code
    assert str(error.value).isprintable()


def test_a_program_that_hangs_is_ended_with_all_that_it_started(
    claude: dict[str, str], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claude_cli, "_GOODBYE_SECONDS", 0.2)
    child = Path(claude["STANDIN_CHILD"])
    child.touch()
    for seconds in PATIENCES:
        if not child.read_text():
            monkeypatch.setattr(claude_cli, "ANSWER_SECONDS", seconds)
            with pytest.raises(SourceError) as error:
                ask(claude, "hangs", now)
            assert error.value.code == "cli_timeout"
    wait_until(lambda: not is_running(int(child.read_text())), what="the end of the child")


def test_both_questions_share_one_deadline(
    claude: dict[str, str], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Either answer alone would be in time.
    monkeypatch.setattr(claude_cli, "ANSWER_SECONDS", 2.8)
    with pytest.raises(SourceError) as error:
        ask(claude, "old-and-slow", now)
    assert error.value.code == "cli_timeout"


def test_whoever_waits_for_a_refresh_waits_longer_than_it_can_take() -> None:
    # The deadline, and twice the end of a program that does not go by itself.
    longest = claude_cli.ANSWER_SECONDS + 2 * (claude_cli._GOODBYE_SECONDS + 2 * programs._SIGNAL_SECONDS)
    assert longest < 40 < asking.LONGEST_REFRESH_SECONDS


def test_a_child_that_a_wrapper_leaves_is_ended(claude: dict[str, str], now: datetime) -> None:
    ask(claude, "leaves-a-child", now)
    child = int(Path(claude["STANDIN_CHILD"]).read_text())
    wait_until(lambda: not is_running(child), what="the end of the child")


def test_a_missing_program_is_named(environ: dict[str, str], now: datetime) -> None:
    environ["PATH"] = "/nonexistent"
    with pytest.raises(SourceError, match="PATH") as error:
        ask(environ, "", now)
    assert error.value.code == "claude_missing"


def test_a_program_in_its_usual_place_is_found_without_path(environ: dict[str, str]) -> None:
    place = Path(environ["HOME"]) / ".local" / "bin"
    place.mkdir(parents=True)
    (place / "claude").symlink_to(STANDINS / "claude")
    assert claude_cli.find({**environ, "PATH": "/nonexistent"}) == str(place / "claude")


def test_a_wrapper_that_is_no_program_is_a_problem(environ: dict[str, str], now: datetime, tmp_path: Path) -> None:
    wrapper = tmp_path / "claude"
    wrapper.write_bytes(b"\x7fELF nothing")
    wrapper.chmod(0o755)
    with pytest.raises(SourceError) as error:
        ask({**environ, "PATH": str(tmp_path)}, "", now)
    assert error.value.code == "claude_not_started"


def test_the_child_gets_no_override_and_keeps_what_reaches_the_network(claude: dict[str, str], now: datetime) -> None:
    overrides = {
        "ANTHROPIC_API_KEY": "sk-ant-api03-SECRET",
        "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",
        "CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-SECRET",
        "CLAUDE_CODE_USE_BEDROCK": "1",
        "CLAUDECODE": "1",
    }
    kept = {"HTTPS_PROXY": "http://127.0.0.1:9", "CLAUDE_CODE_CERT_STORE": "system", "NODE_EXTRA_CA_CERTS": "/ca.pem"}
    ask({**claude, **overrides, **kept}, "", now)
    (start,) = starts(claude)
    assert not overrides.keys() & start["env"].keys()
    assert kept.items() <= start["env"].items()
    assert not [name for name in start["env"] if name.startswith("ULLAGE_")]
    assert "SECRET" not in json.dumps(start)


def test_it_is_asked_to_start_nothing_and_to_keep_nothing(claude: dict[str, str], now: datetime) -> None:
    ask(claude, "", now)
    (start,) = starts(claude)
    arguments = " ".join(argument or "''" for argument in start["argv"])
    for wanted in ("--no-session-persistence", "--setting-sources ''", "--strict-mcp-config", "--tools ''"):
        assert wanted in arguments
    assert start["env"]["CLAUDE_CODE_SAFE_MODE"] == "1"
    assert not os.path.exists(start["cwd"])


@pytest.mark.parametrize("named", ["{home}/.claude", "{home}/.claude/", "{home}/link"])
def test_the_default_directory_is_never_named(claude: dict[str, str], now: datetime, named: str) -> None:
    home = Path(claude["HOME"])
    (home / ".claude").mkdir()
    (home / "link").symlink_to(home / ".claude")
    ask({**claude, "CLAUDE_CONFIG_DIR": named.format(home=home)}, "", now)
    assert "CLAUDE_CONFIG_DIR" not in starts(claude)[0]["env"]


def test_a_directory_of_its_own_is_named(claude: dict[str, str], now: datetime, tmp_path: Path) -> None:
    ask({**claude, "CLAUDE_CONFIG_DIR": str(tmp_path / "work")}, "", now)
    assert starts(claude)[0]["env"]["CLAUDE_CONFIG_DIR"] == str(tmp_path / "work")


def test_an_old_version_is_asked_for_its_text(claude: dict[str, str], now: datetime) -> None:
    reading = ask(claude, "old", now)
    assert reading.source == "claude-cli-text"
    assert {window.id: window.used_percent for window in reading.windows} == {"five_hour": 12.0, "seven_day": 34.0}
    assert [start["argv"][:2] for start in starts(claude)][1] == ["-p", "/usage"]


def test_a_version_that_takes_it_for_a_question_is_asked_once_and_never_again(
    claude: dict[str, str], now: datetime
) -> None:
    Path(claude["ULLAGE_CACHE_DIR"], "default").mkdir(parents=True)
    for _ in range(3):
        with pytest.raises(SourceError, match="not asked again") as error:
            ask(claude, "paid-text", now)
        assert error.value.code == "usage_text_costs"
    asked = [start for start in starts(claude) if "/usage" in start["argv"]]
    assert len(asked) == 1


def test_every_start_has_a_request_of_its_own(claude: dict[str, str], now: datetime, tmp_path: Path) -> None:
    wrapper = tmp_path / "bin" / "claude"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\ntee -a "{tmp_path}/sent" | "{STANDINS}/claude" "$@"\n')
    wrapper.chmod(0o755)
    for _ in range(2):
        ask({**claude, "PATH": f"{wrapper.parent}:{claude['PATH']}"}, "", now)
    requests = re.findall(r'"request_id":"([^"]+)"', (tmp_path / "sent").read_text())
    assert len(requests) == len(set(requests)) == 2


def test_what_it_says_on_its_standard_error_has_a_limit_too(claude: dict[str, str], now: datetime) -> None:
    with pytest.raises(SourceError) as error:
        ask(claude, "complains", now)
    assert error.value.code == "cli_flood"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGALRM])
@pytest.mark.parametrize("detached", [True, False])
def test_a_signal_that_ends_a_refresh_ends_the_program_too(
    claude: dict[str, str], tmp_path: Path, number: signal.Signals, detached: bool
) -> None:
    write_account(str(tmp_path / "claude"))
    environ = {**claude, "STANDIN": "hangs", "ULLAGE_SOURCE": "claude-cli", "TMPDIR": str(tmp_path / "tmp")}
    environ["CLAUDE_CONFIG_DIR"] = str(tmp_path / "claude")
    (tmp_path / "tmp").mkdir()
    command = [sys.executable, "-m", "ullage.refresh"] if detached else [ULLAGE, "refresh"]
    child = Path(environ["STANDIN_CHILD"])
    with subprocess.Popen(command, env=environ) as refreshing:
        wait_until(lambda: child.exists() and child.read_text(), what="the program's own child")
        refreshing.send_signal(number)
        assert refreshing.wait(90) == -number
    wait_until(lambda: not is_running(int(child.read_text())), what="the end of the child")
    assert list((tmp_path / "tmp").iterdir()) == []

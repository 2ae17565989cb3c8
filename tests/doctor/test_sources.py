"""What doctor says of each source."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from pathlib import Path

from tests.support.tools import ULLAGE, run, ullage
from ullage.doctor.sources import report_sources
from ullage.quota.model import Account, Problem, Reading
from ullage.quota.remotes import RemoteAnswer
from ullage.store.remotes import RemoteStore


def obstacles(environ: dict[str, str], chosen: str, now: datetime) -> dict[str, str | None]:
    return {row.name: row.obstacle for row in report_sources(environ, chosen, (), now)}


def test_each_source_says_what_stands_in_its_way(environ: dict[str, str], now: datetime) -> None:
    found = obstacles({**environ, "PATH": "/nonexistent"}, "auto", now)
    words = {
        "statusline": "setup claude-code",
        "tee": "in a pipe",
        "claude-cache": "/usage",
        "claude-cli": "PATH",
        "oauth": "not turned on",
        "web": "not turned on",
        "remote": "setup remote",
    }
    assert found.keys() == words.keys()
    assert all(words[name] in str(obstacle) for name, obstacle in found.items())


def test_nothing_stands_in_the_way_of_what_is_set_up(environ: dict[str, str], now: datetime) -> None:
    ullage("setup", "claude-code", "--yes", environ=environ)
    window = {"utilization": 5, "resets_at": None}
    cached = {"fetchedAtMs": 1795343931013, "accountUuid": "one", "utilization": {"five_hour": window}}
    state = {"oauthAccount": {"accountUuid": "one"}, "cachedUsageUtilization": cached}
    Path(environ["HOME"], ".claude.json").write_text(json.dumps(state))
    Path(environ["ULLAGE_CONFIG"]).write_text('web.session_key_command = "pass show claude"\n')
    piped = '{"type":"rate_limit_event","rate_limit_info":{"unifiedWindows":{"five_hour":{"utilization":0.5}}}}'
    run([ULLAGE, "tee"], environ, input=piped)
    told = {name: obstacle for name, obstacle in obstacles(environ, "oauth", now).items() if obstacle}
    assert told == {
        "web": 'not turned on: `source = "web"` in config.toml',
        "remote": "no other machine is named: `ullage setup remote`",
    }
    assert obstacles(environ, "web", now)["web"] is None


def test_a_source_without_its_key_says_how_to_name_one(environ: dict[str, str], now: datetime) -> None:
    assert "session_key_command" in str(obstacles(environ, "web", now)["web"])
    Path(environ["ULLAGE_CONFIG"]).write_text('web.session_key_variable = "MY_KEY"\n')
    assert "session_key_command" in str(obstacles(environ, "web", now)["web"])
    assert obstacles({**environ, "MY_KEY": "x"}, "web", now)["web"] is None


def test_a_broken_state_file_is_said(environ: dict[str, str], now: datetime) -> None:
    Path(environ["HOME"], ".claude.json").write_text("{")
    assert "damaged" in str(obstacles(environ, "auto", now)["claude-cache"])


def test_auto_is_four_of_them_and_the_newest_answer_counts(environ: dict[str, str], now: datetime) -> None:
    told = [
        Reading(account=Account(), source="statusline", as_of=now - timedelta(minutes=age), windows=())
        for age in (9, 4)
    ]
    rows = report_sources(environ, "auto", told, now)
    assert [row.name for row in rows if row.in_force] == ["statusline", "tee", "claude-cache", "claude-cli"]
    assert {row.name: row.as_of for row in rows if row.as_of} == {"statusline": now - timedelta(minutes=4)}
    assert [row.name for row in report_sources(environ, "oauth", told, now) if row.in_force] == ["oauth"]


def test_doctor_shows_them(environ: dict[str, str]) -> None:
    shown = ullage("doctor", environ=environ).stdout
    assert re.search(r"claude-cli +in force, no answer yet, costs one process", shown)


def test_another_machine_is_in_force_once_it_is_named(environ: dict[str, str], now: datetime) -> None:
    Path(environ["ULLAGE_CONFIG"]).write_text('[[remote]]\nname = "laptop"\nsocket = "/nowhere"\n')
    told = [
        Reading(account=Account(), source=f"remote:{name}", as_of=now - timedelta(minutes=age), windows=())
        for name, age in (("laptop", 9), ("box", 4))
    ]
    [row] = [row for row in report_sources(environ, "oauth", told, now) if row.name == "remote"]
    assert (row.in_force, row.obstacle, row.as_of) == (True, None, now - timedelta(minutes=4))
    problem = Problem(code="remote_late", message="It is asleep.")
    RemoteStore(environ).save(RemoteAnswer(name="laptop", problem=problem))
    assert obstacles(environ, "oauth", now)["remote"] == "It is asleep."

"""Each JSON that a command prints or hands on, as a process prints it, against the schema that is published for it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from tests.support.samples import reading, window
from tests.support.tools import ULLAGE, postpone, run, ullage
from tests.support.transcript import line, write
from ullage.quota import schemas
from ullage.quota.meters import METERS
from ullage.quota.model import Problem
from ullage.quota.schedule import Schedule
from ullage.store import history, overview
from ullage.store.cache import ProfileCache
from ullage.tokens.report import GROUPINGS

HOUR = timedelta(hours=1)


@pytest.fixture
def known(environ: dict[str, str]) -> None:
    """A window that is used up, one with room, and one of which nothing but the name is known."""
    now = datetime.now(UTC)
    cache = ProfileCache(environ)
    cache.make_private()
    windows = (
        window("five_hour", 100.0, as_of=now, resets_at=now + 2 * HOUR),
        window("seven_day", 30.0, as_of=now, resets_at=None),
        window("tangelo", None, as_of=now),
    )
    stated = reading(*windows, as_of=now)
    cache.save_reading(stated)
    problem = Problem(code="refused", message="It said no.", retry_at=now + HOUR)
    cache.save_schedule(Schedule().begun(now).replace(problem=problem))
    postpone(cache.environ, int((now + HOUR).timestamp()))
    history.record(overview.locate_history(environ), overview.name_owner(cache, stated), windows, now)


def is_published(name: str, printed: str, environ: dict[str, str]) -> Any:
    """Hold a document against the schema of this name: it is valid, and says nothing that is not in it."""
    document = json.loads(printed)
    schema = json.loads(ullage("schema", name, environ=environ).stdout)
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(document)
    kind = schemas.DOCUMENTS[name][0]
    assert msgspec.to_builtins(msgspec.convert(document, kind)) == document
    return document


@pytest.mark.parametrize(("name", "count"), [("usage", 3), ("all", 3), ("history", 2), ("guard", 2), ("doctor", 3)])
@pytest.mark.parametrize("is_known", [True, False])
def test_what_a_command_prints_is_as_published(
    environ: dict[str, str], request: pytest.FixtureRequest, name: str, count: int, is_known: bool
) -> None:
    if is_known:
        request.getfixturevalue("known")
    arguments = {"usage": ["usage", "--no-refresh"], "all": ["usage", "--all", "--no-refresh"]}.get(name, [name])
    printed = ullage(*arguments, "--json", environ=environ)
    document = is_published(name, printed.stdout, environ)
    assert told(document) == (count if is_known else 0)


def told(document: Any) -> int:
    """How many things a document tells of."""
    if "profiles" in document:
        [profile] = document["profiles"]
        return told(profile["usage"])
    if "reading" in document:
        return document["reading"]["windows"] if document["reading"] else 0
    return len(document["samples"] if "samples" in document else document["windows"])


@pytest.mark.parametrize("by", GROUPINGS)
def test_what_tokens_prints_is_as_published(environ: dict[str, str], known: None, by: str) -> None:
    claude = Path(environ["HOME"], ".claude")
    now = datetime.now(UTC).isoformat()
    write(claude, "-home-ada-p/s1.jsonl", line() + line("msg_2", request="req_2", at=now, model="claude-nope-9"))
    document = is_published("tokens", ullage("tokens", "--by", by, "--json", environ=environ).stdout, environ)
    assert document["rows"]
    assert all(set(GROUPINGS[by]) <= set(row) for row in document["rows"])
    assert document["running_window"]["machines"]
    assert document["unpriced"]


def test_what_tokens_prints_of_nothing_is_as_published(environ: dict[str, str]) -> None:
    assert is_published("tokens", ullage("tokens", "--json", environ=environ).stdout, environ)["rows"] == []


@pytest.mark.parametrize("is_known", [True, False])
def test_what_sources_prints_is_as_published(
    environ: dict[str, str], request: pytest.FixtureRequest, is_known: bool
) -> None:
    if is_known:
        request.getfixturevalue("known")
    document = is_published("sources", ullage("sources", "--json", environ=environ).stdout, environ)
    assert [meter["name"] for meter in document["meters"]] == [meter.name for meter in METERS]


@pytest.mark.parametrize("is_known", [True, False])
def test_what_a_widget_reads_is_as_published(
    environ: dict[str, str], request: pytest.FixtureRequest, is_known: bool
) -> None:
    if is_known:
        request.getfixturevalue("known")
    document = is_published("panel", ullage("panel", "json", environ=environ).stdout, environ)
    assert [row["window"] for row in document["rows"]] == (["five_hour", "seven_day"] if is_known else [])


@pytest.mark.parametrize("event", ["UserPromptSubmit", "PreToolUse", "Stop"])
@pytest.mark.parametrize("arguments", [["--warn", "1"], ["--block", "5h=90"]])
def test_what_a_hook_answers_is_as_published(
    environ: dict[str, str], known: None, event: str, arguments: list[str]
) -> None:
    given = json.dumps({"hook_event_name": event, "session_id": "a"})
    answered = run([ULLAGE, "hook", *arguments], environ, input=given)
    assert answered.returncode == 0
    if event == "Stop" and "--block" in arguments:
        assert answered.stdout == ""
    else:
        assert is_published("hook", answered.stdout, environ)


def test_what_a_command_for_alerts_reads_is_as_published(environ: dict[str, str], known: None, tmp_path: Path) -> None:
    written = tmp_path / "alert.json"
    command = json.dumps(["sh", "-c", 'cat > "$0"', str(written)])
    with open(environ["ULLAGE_CONFIG"], "w") as file:
        file.write(f'[alerts]\nvia = ["command"]\ncommand = {command}\n')
    assert ullage("alerts", "test", environ=environ).returncode == 0
    assert is_published("alerts", written.read_text(), environ)["kind"] == "test"
    alert = {
        "kind": "threshold", "title": "5h: 90 % used", "message": "It resets.", "at": "2026-11-22T10:38:49Z",
        "threshold": 90.0, "schema": 1,
        "window": {"id": "five_hour", "label": "5h", "used_percent": 91.0, "resets_at": "2026-11-22T12:00:00Z"},
    }  # fmt: skip
    assert is_published("alerts", json.dumps(alert), environ)


@pytest.mark.parametrize("name", schemas.DOCUMENTS)
def test_a_schema_names_its_command(name: str) -> None:
    schema = schemas.build_schema(name)
    Draft202012Validator.check_schema(schema)
    assert schema["title"].startswith("ullage ")
    assert schema["description"].endswith("never renamed.")


def test_without_a_name_it_is_that_of_usage(environ: dict[str, str]) -> None:
    assert ullage("schema", environ=environ).stdout == ullage("schema", "usage", environ=environ).stdout


def test_a_name_that_there_is_none_of(environ: dict[str, str]) -> None:
    told = ullage("schema", "usages", environ=environ)
    assert (told.returncode, told.stdout) == (2, "")
    assert "did you mean usage?" in told.stderr

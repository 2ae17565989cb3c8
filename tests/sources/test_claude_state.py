"""Claude Code's own state file: where it lies, who is signed in, what it fetched last."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ullage.base.errors import SourceError
from ullage.quota.model import Account
from ullage.sources import claude_cache, claude_cli, claude_state, oauth, statusline

if TYPE_CHECKING:
    from ullage.refresh.ask import Source

ACCOUNT = Account(id="5e000000-0000-4000-8000-000000000001")


def body(percent: float = 29) -> dict[str, Any]:
    resets_at = "2026-11-22T14:00:00.000000+00:00"
    return {
        "five_hour": {"utilization": percent, "resets_at": resets_at},
        "seven_day": {"utilization": 44, "resets_at": "2026-11-25T10:00:00+00:00"},
        "limits": [
            {
                "kind": "weekly_scoped",
                "percent": 52,
                "resets_at": resets_at,
                "scope": {"model": {"id": None, "display_name": "Fable"}},
            }
        ],
    }


def cached(now: datetime, **changes: Any) -> dict[str, Any]:
    fetched_at = int((now - timedelta(minutes=7)).timestamp() * 1000)
    return {"fetchedAtMs": fetched_at, "accountUuid": ACCOUNT.id, "utilization": body(), **changes}


def state(now: datetime) -> dict[str, Any]:
    return {"oauthAccount": {"accountUuid": ACCOUNT.id}, "cachedUsageUtilization": cached(now)}


def test_it_is_as_old_as_the_fetch(now: datetime) -> None:
    reading = claude_cache.parse(cached(now), ACCOUNT, now)
    assert (reading.source, reading.as_of, reading.account) == ("claude-cache", now - timedelta(minutes=7), ACCOUNT)
    assert [(window.id, window.used_percent) for window in reading.windows] == [
        ("five_hour", 29.0),
        ("seven_day", 44.0),
        ("seven_day_fable", 52.0),
    ]


@pytest.mark.parametrize(("seconds", "is_dated"), [(50, True), (70, False), (2 * 86400, False)])
def test_a_fetch_from_the_future_is_of_unknown_age(now: datetime, seconds: int, is_dated: bool) -> None:
    ahead = int((now + timedelta(seconds=seconds)).timestamp() * 1000)
    reading = claude_cache.parse(cached(now, fetchedAtMs=ahead), ACCOUNT, now)
    as_of = now if is_dated else now - timedelta(hours=1)
    assert (reading.is_dated, reading.as_of) == (is_dated, as_of)
    assert {(window.is_dated, window.as_of) for window in reading.windows} == {(is_dated, as_of)}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"accountUuid": "somebody-else"}, "other_account"),
        ({"accountUuid": None}, "other_account"),
        ({"fetchedAtMs": None}, "nothing_cached"),
        ({"fetchedAtMs": True}, "nothing_cached"),
        ({"utilization": None}, "unexpected_shape"),
        ({"utilization": []}, "unexpected_shape"),
    ],
)
def test_what_does_not_fit_is_not_shown(now: datetime, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(SourceError) as error:
        claude_cache.parse(cached(now, **changes), ACCOUNT, now)
    assert error.value.code == code


@pytest.mark.parametrize("content", [{}, {"cachedUsageUtilization": None}, {"cachedUsageUtilization": 3}])
def test_nothing_cached_is_said(environ: dict[str, str], now: datetime, content: dict[str, Any]) -> None:
    Path(claude_state.locate_file(environ)).write_text(json.dumps(content, indent=2))
    with pytest.raises(SourceError, match="/usage"):
        claude_cache.read(environ, ACCOUNT, now)


def test_nobody_signed_in_owns_nothing(now: datetime) -> None:
    with pytest.raises(SourceError) as error:
        claude_cache.parse(cached(now), Account(), now)
    assert error.value.code == "other_account"


@pytest.mark.parametrize(
    ("config_dir", "expected"),
    [
        (None, "{home}/.claude.json"),
        ("", "{home}/.claude.json"),
        ("{home}/.claude", "{home}/.claude.json"),
        ("{home}/.claude/", "{home}/.claude.json"),
        ("{home}/work", "{home}/work/.claude.json"),
    ],
)
def test_it_lies_in_a_directory_of_its_own_or_beside_the_default_one(
    environ: dict[str, str], config_dir: str | None, expected: str
) -> None:
    home = environ["HOME"]
    if config_dir is not None:
        environ["CLAUDE_CONFIG_DIR"] = config_dir.format(home=home)
    assert claude_state.locate_file(environ) == expected.format(home=home)


def test_a_torn_file_is_read_again(environ: dict[str, str], now: datetime) -> None:
    path = Path(claude_state.locate_file(environ))
    whole = json.dumps(state(now), indent=2)
    path.write_text(whole[: len(whole) // 2])
    assert claude_state.load(environ, lambda _seconds: void(path.write_text(whole))) == state(now)


def void(_result: object) -> None:
    return None


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"oauthAccount": {"accountUu'])
def test_one_that_stays_torn_is_not_taken_for_signed_out(environ: dict[str, str], content: bytes) -> None:
    Path(claude_state.locate_file(environ)).write_bytes(content)
    for read in (claude_state.load, claude_state.read_account):
        with pytest.raises(SourceError) as error:
            read(environ, lambda _seconds: None)
        assert error.value.code == "account_unreadable"


def test_none_is_nobody(environ: dict[str, str]) -> None:
    assert claude_state.load(environ) == {}
    assert claude_state.read_account(environ) == Account()


@pytest.mark.parametrize("indent", [None, 1, 2, 4])
def test_a_glance_finds_whoever_is_signed_in(environ: dict[str, str], now: datetime, indent: int | None) -> None:
    content = {"projects": {"/p": {"oauthAccount": {"accountUuid": "decoy"}}}, **state(now)}
    Path(claude_state.locate_file(environ)).write_text(json.dumps(content, indent=indent))
    assert claude_state.read_account(environ) == ACCOUNT


@pytest.mark.parametrize("source", [claude_cache, claude_cli, oauth, statusline])
def test_no_source_parses_the_whole_file_to_learn_who_is_signed_in(
    environ: dict[str, str], now: datetime, source: Source
) -> None:
    text = json.dumps({**state(now), "projects": {}}, indent=2)
    # What stands behind the account is not JSON, and nobody minds.
    Path(claude_state.locate_file(environ)).write_text(text.replace('"projects": {}', '"projects": {'))
    assert source.account(environ) == ACCOUNT
    assert claude_cache.read(environ, ACCOUNT, now).source == "claude-cache"


def test_a_mark_changes_with_the_file(environ: dict[str, str]) -> None:
    assert claude_state.find_state_mark(environ) is None
    path = Path(claude_state.locate_file(environ))
    path.write_text("{}")
    first = claude_state.find_state_mark(environ)
    assert claude_state.find_state_mark(environ) == first
    path.write_text('{"a": 1}')
    assert claude_state.find_state_mark(environ) != first


def test_the_clock_of_the_sample_is_a_time() -> None:
    # Milliseconds, as Claude Code writes them.
    reading = claude_cache.parse(
        cached(datetime(2026, 11, 22, tzinfo=UTC)), ACCOUNT, datetime(2026, 11, 23, tzinfo=UTC)
    )
    assert reading.as_of == datetime(2026, 11, 21, 23, 53, tzinfo=UTC)

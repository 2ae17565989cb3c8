"""When the server said what `claude` told, and what it is that it only repeats what it knew."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ullage.base.errors import SourceError
from ullage.quota.model import Account
from ullage.sources import claude_cli

if TYPE_CHECKING:
    from datetime import datetime

    from ullage.quota.model import Reading

# Our own code starts `claude` here.
pytestmark = pytest.mark.process

ACCOUNT = Account(id="5e000000-0000-4000-8000-000000000001", organization_id="5e000000-0000-4000-8000-0000000000aa")
BODY: dict[str, Any] = {"five_hour": {"utilization": 37, "resets_at": None}, "seven_day": None, "limits": []}


def keep(environ: dict[str, str], at: datetime | None, **more: Any) -> None:
    kept = {"fetchedAtMs": int(at.timestamp() * 1000) if at else None, "accountUuid": ACCOUNT.id, "utilization": BODY}
    state = {"oauthAccount": {"accountUuid": ACCOUNT.id}, "cachedUsageUtilization": {**kept, **more}}
    Path(environ["HOME"], ".claude.json").write_text(json.dumps(state, indent=2))


def ask(environ: dict[str, str], mode: str, now: datetime) -> Reading:
    return claude_cli.read({**environ, "STANDIN": mode}, ACCOUNT, now)


@pytest.mark.parametrize("mode", ["snapshot", "old-snapshot"])
@pytest.mark.parametrize("age", [timedelta(minutes=2), timedelta(minutes=59), timedelta(days=3)])
def test_what_is_only_repeated_is_no_answer(environ: dict[str, str], now: datetime, mode: str, age: timedelta) -> None:
    keep(environ, now - age)
    with pytest.raises(SourceError) as caught:
        ask(environ, mode, now)
    assert caught.value.code == "served_from_snapshot"
    assert caught.value.reached_server
    assert f"{(now - age).astimezone():%H:%M}" in str(caught.value)


@pytest.mark.parametrize("mode", ["snapshot", "old-snapshot"])
@pytest.mark.parametrize("seconds", [0, 59, 70, -30])
def test_an_answer_is_as_old_as_the_report_that_claude_keeps(
    environ: dict[str, str], now: datetime, mode: str, seconds: int
) -> None:
    keep(environ, now - timedelta(seconds=seconds))
    reading = ask(environ, mode, now)
    assert reading.as_of == now - timedelta(seconds=max(0, seconds))
    assert {window.as_of for window in reading.windows} == {reading.as_of}
    assert reading.is_dated


def test_a_version_that_keeps_its_report_for_five_minutes_lists_its_limits(
    environ: dict[str, str], now: datetime
) -> None:
    keep(environ, now - timedelta(minutes=4))
    # The stand-in renews its report with the clock of the machine, as the real program does.
    assert ask(environ, "", now).as_of == now


@pytest.mark.parametrize("more", [{"fetchedAtMs": None}, {"accountUuid": "another"}, {"organizationUuid": "another"}])
@pytest.mark.parametrize("mode", ["snapshot", "old-snapshot"])
def test_without_a_date_of_this_account_the_age_is_unknown(
    environ: dict[str, str], now: datetime, mode: str, more: dict[str, Any]
) -> None:
    keep(environ, now, **more)
    reading = ask(environ, mode, now)
    assert (reading.is_dated, reading.is_listing) == (False, False)
    assert {window.is_dated for window in reading.windows} == {False}


@pytest.mark.parametrize("mode", ["snapshot", "old-snapshot"])
def test_a_report_from_the_future_does_not_make_a_repeated_answer_new(
    environ: dict[str, str], now: datetime, mode: str
) -> None:
    # The clock was ahead when Claude Code fetched it, and has been set right since.
    keep(environ, now + timedelta(hours=3))
    reading = ask(environ, mode, now)
    assert (reading.is_dated, reading.is_listing, reading.as_of) == (False, False, now - timedelta(hours=1))


def test_the_list_of_limits_is_in_no_repeated_answer(environ: dict[str, str], now: datetime) -> None:
    reading = ask(environ, "", now)
    assert (reading.is_dated, reading.is_listing, reading.as_of) == (True, True, now)

"""What is believed of the statements on disk."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.samples import reading, window
from tests.support.tools import ULLAGE, run
from ullage.quota.model import Thresholds, judge_age
from ullage.store import statements
from ullage.store.cache import ProfileCache

if TYPE_CHECKING:
    from ullage.quota.model import Reading

HOUR = timedelta(hours=1)


def stated(source: str, used: float, as_of: datetime, account: str = "a1b2") -> Reading:
    whole = window("five_hour", used, source=source, as_of=as_of, resets_at=as_of + 2 * HOUR)
    known = reading(whole, source=source, as_of=as_of)
    return known.replace(account=known.account.replace(id=account))


@pytest.mark.parametrize("account", ["a1b2", "another"])
def test_a_statement_from_the_future_loses_to_any_other(environ: dict[str, str], account: str) -> None:
    now = datetime.now(UTC)
    cache = ProfileCache(environ)
    cache.make_private()
    cache.save_reading(stated("oauth", 90.0, now + 3 * HOUR, account))
    alone = cache.load_reading()
    assert alone is not None
    assert judge_age(alone.as_of, now, Thresholds()) == "stale"
    cache.save_reading(stated("claude-cli", 20.0, now - HOUR))
    both = cache.load_reading()
    assert both is not None
    assert (both.source, both.account.id, both.windows[0].used_percent) == ("claude-cli", "a1b2", 20.0)


@pytest.mark.parametrize(("ahead", "counts"), [(timedelta(seconds=50), True), (timedelta(minutes=2), False)])
def test_clocks_that_differ_by_little_are_no_fault(environ: dict[str, str], ahead: timedelta, counts: bool) -> None:
    now = datetime.now(UTC)
    cache = ProfileCache(environ)
    cache.make_private()
    cache.save_reading(stated("oauth", 90.0, now + ahead))
    cache.save_reading(stated("claude-cli", 20.0, now - HOUR))
    found = {known.source for known in statements.load(cache.directory, now).statements}
    assert ("oauth" in found) is counts


def test_a_statement_from_the_future_goes_on_for_what_no_other_states(environ: dict[str, str]) -> None:
    now = datetime.now(UTC)
    cache = ProfileCache(environ)
    cache.make_private()
    ahead = stated("oauth", 90.0, now + 3 * HOUR)
    week = window("seven_day", 61.0, source="oauth", as_of=ahead.as_of, resets_at=now + 90 * HOUR)
    cache.save_reading(ahead.replace(windows=(*ahead.windows, week)))
    cache.save_reading(stated("claude-cli", 20.0, now - HOUR / 2).replace(is_listing=False))
    both = cache.load_reading()
    assert both is not None
    known = {each.id: (each.used_percent, each.is_dated, each.source) for each in both.windows}
    assert known == {"five_hour": (20.0, True, "claude-cli"), "seven_day": (61.0, False, "oauth")}


def test_an_empty_list_ends_the_windows_that_were_there(environ: dict[str, str]) -> None:
    now = datetime.now(UTC)
    cache = ProfileCache(environ)
    cache.make_private()
    cache.save_reading(stated("claude-cache", 20.0, now - HOUR))
    nothing = reading(source="claude-cli", as_of=now)
    cache.save_reading(nothing.replace(is_listing=False))
    assert [each.used_percent for each in (cache.load_reading() or nothing).windows] == [20.0]
    cache.save_reading(nothing)
    left = cache.load_reading()
    assert left is not None
    assert left.windows == ()


def test_a_session_that_spoke_in_the_future_speaks_anew(environ: dict[str, str]) -> None:
    now = datetime.now(UTC)
    reset = int((now + 2 * HOUR).timestamp())
    limits = {"five_hour": {"used_percentage": 37.0, "resets_at": reset}}
    payload = json.dumps({"session_id": "s", "rate_limits": limits})
    cache = ProfileCache(environ)
    assert run([ULLAGE, "statusline"], environ, input=payload).returncode == 0
    [name] = statements.list_names(cache.directory)
    path = f"{cache.directory}/{name}"
    with open(path) as file:
        kept = json.load(file)
    later = (now + 3 * HOUR).isoformat()
    kept["as_of"] = later
    for each in kept["windows"]:
        each["as_of"] = later
    with open(path, "w") as file:
        json.dump(kept, file)
    assert run([ULLAGE, "statusline"], environ, input=payload).returncode == 0
    known = cache.load_reading()
    assert known is not None
    assert known.as_of <= datetime.now(UTC)

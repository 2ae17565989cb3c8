"""What the profiles of one account share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ullage.quota.model import Account, Reading
from ullage.store.account import AccountCache


@pytest.mark.parametrize("content", [b"", b"soon", b"\xff", b"2026-99-99T00:00:00+00:00", b"1" * 5000])
def test_damaged_times_hold_nobody(content: bytes, environ: dict[str, str]) -> None:
    shared = AccountCache(environ, Account(id="somebody"))
    shared.save_hold(datetime.now(UTC))
    shared.save_asked_at(datetime.now(UTC))
    for name in ("hold", "asked"):
        Path(environ["ULLAGE_CACHE_DIR"], "accounts", "somebody", name).write_bytes(content)
    assert (shared.load_hold(), shared.load_asked_at()) == (None, None)


def test_an_account_with_a_hostile_name_stays_inside(environ: dict[str, str], tmp_path: Path) -> None:
    until = datetime.now(UTC) + timedelta(hours=1)
    shared = AccountCache(environ, Account(id="../../" + "x" * 10 + "/$(touch pwned)"))
    shared.save_hold(until)
    assert shared.load_hold() == until
    assert [path.parent for path in tmp_path.rglob("*xxxxxxxxxx*")] == [Path(environ["ULLAGE_CACHE_DIR"], "accounts")]


def test_accounts_are_kept_apart_and_a_nameless_one_shares_nothing(environ: dict[str, str]) -> None:
    now = datetime.now(UTC)
    reading = Reading(account=Account(id="a"), source="oauth", as_of=now, windows=())
    for name in ("a", None):
        AccountCache(environ, Account(id=name)).save_asked_at(now)
        AccountCache(environ, Account(id=name)).save_reading(reading)
    assert AccountCache(environ, Account(id="a")).load_reading("oauth") == reading
    for other in ("b", None):
        assert AccountCache(environ, Account(id=other)).load_reading("oauth") is None
        assert AccountCache(environ, Account(id=other)).load_asked_at() is None


def test_one_profile_asks_at_a_time(environ: dict[str, str]) -> None:
    with (
        AccountCache(environ, Account(id="a")).lock() as first,
        AccountCache(environ, Account(id="a")).lock() as second,
    ):
        assert (first, second) == (True, False)
    with AccountCache(environ, Account(id="a")).lock() as again:
        assert again


def test_the_first_organisation_that_is_known_takes_over_what_named_none(environ: dict[str, str]) -> None:
    until = datetime.now(UTC) + timedelta(hours=1)
    AccountCache(environ, Account(id="a")).save_hold(until)
    first, second = (AccountCache(environ, Account(id="a", organization_id=name)) for name in ("home", "team"))
    for shared in (first, second):
        shared.take_over()
    assert (first.load_hold(), second.load_hold()) == (until, None)
    assert AccountCache(environ, Account(id="a")).load_hold() is None
    AccountCache(environ, Account(id=None)).take_over()

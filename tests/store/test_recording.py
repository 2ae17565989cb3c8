"""A refresh keeps what it read, forecasts find it again, and whatever is wrong with the history stops nobody."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.samples import NOW, reading, window
from tests.support.samples import settings as values
from tests.support.tools import published, ullage
from ullage import refresh
from ullage.prompt import publish
from ullage.quota.model import Account, Problem, Thresholds
from ullage.quota.schedule import Schedule
from ullage.simulate import ACCOUNT_ID
from ullage.simulate.web import ORGANIZATION_ID
from ullage.store import history, overview, recording
from ullage.store.cache import ProfileCache

if TYPE_CHECKING:
    from collections.abc import Callable

    from ullage.quota.pace import Sample
    from ullage.simulate import Simulator

    Simulate = Callable[..., Simulator]

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
PLAN = Schedule(account_id="a1b2")


@pytest.fixture
def cache(environ: dict[str, str]) -> ProfileCache:
    cache = ProfileCache(environ)
    cache.make_private()
    return cache


def read(cache: ProfileCache, used: float, at: datetime = NOW, owner: str | None = "a1b2") -> None:
    """Take in a reading as a refresh does."""
    stated = window("five_hour", used, as_of=at, resets_at=NOW + timedelta(hours=2))
    cache.save_reading(reading(stated, as_of=at, account=Account(id=owner)))
    assert recording.remember(cache, cache.load().replace(schedule=PLAN), at) == PLAN


def recorded(cache: ProfileCache, owner: str = "a1b2") -> list[float]:
    found = history.load_samples(overview.locate_history(cache.environ), owner, LONG_AGO, NOW)
    return [sample.used_percent for samples in found.values() for sample in samples]


def test_every_reading_is_kept(cache: ProfileCache) -> None:
    for minutes, used in ((10, 10.0), (5, 20.0), (0, 30.0)):
        read(cache, used, NOW - timedelta(minutes=minutes))
    assert recorded(cache) == [10.0, 20.0, 30.0]


def test_without_a_reading_nothing_is_begun(cache: ProfileCache, environ: dict[str, str]) -> None:
    assert recording.remember(cache, cache.load().replace(schedule=PLAN), NOW) == PLAN
    assert overview.load_samples(cache, None, NOW) == {}
    assert overview.load_forecasts(cache, None, Thresholds(), NOW) == {}
    assert not os.path.exists(environ["ULLAGE_STATE_DIR"])


def test_a_profile_whose_account_is_not_told_has_a_history_of_its_own(cache: ProfileCache) -> None:
    read(cache, 10.0, owner=None)
    assert (recorded(cache, cache.directory), recorded(cache)) == ([10.0], [])


def test_forecasts_go_by_the_readings_before(cache: ProfileCache) -> None:
    for minutes in range(170, -10, -10):
        read(cache, 50.0 if minutes == 0 else 0.0, NOW - timedelta(minutes=minutes))
    known = cache.load_reading()
    [knowing] = overview.load_forecasts(cache, known, Thresholds(), NOW).values()
    os.remove(overview.locate_history(cache.environ))
    [naive] = overview.load_forecasts(cache, known, Thresholds(), NOW).values()
    assert knowing.ratio == naive.ratio
    assert knowing.projected_percent != naive.projected_percent


def test_a_refresh_keeps_what_it_read(environ: dict[str, str], simulate: Simulate) -> None:
    simulate("models")
    assert refresh.refresh(environ).result == "refreshed"
    cache = ProfileCache(environ)
    found = history.load_samples(
        overview.locate_history(cache.environ), f"{ACCOUNT_ID} {ORGANIZATION_ID}", LONG_AGO, datetime.now(UTC)
    )
    assert set(found) == {"five_hour", "seven_day", "seven_day_fable", "seven_day_opus", "seven_day_sonnet"}
    assert [sample.used_percent for sample in found["seven_day_fable"]] == [82.0]


def test_a_refresh_that_failed_begins_no_history(environ: dict[str, str], simulate: Simulate) -> None:
    simulate("revoked")
    assert refresh.refresh(environ).result == "failed"
    assert not os.path.exists(environ["ULLAGE_STATE_DIR"])


def test_a_history_that_cannot_be_kept_does_not_fail_the_refresh(environ: dict[str, str], simulate: Simulate) -> None:
    simulate("models")
    Path(environ["ULLAGE_STATE_DIR"]).write_text("in the way")
    outcome = refresh.refresh(environ)
    assert outcome.result == "refreshed"
    assert outcome.problem is not None
    assert outcome.problem.code == "history_not_written"
    assert b"82%" in published(environ)
    told = ullage("usage", "--no-refresh", environ=environ)
    assert (told.returncode, "cannot be written" in " ".join(told.stdout.split())) == (0, True)


def test_a_damaged_history_is_replaced_with_a_notice(environ: dict[str, str], simulate: Simulate) -> None:
    simulate("models")
    state = Path(environ["ULLAGE_STATE_DIR"])
    state.mkdir()
    (state / "history.sqlite3").write_bytes(b"rubbish" * 500)
    outcome = refresh.refresh(environ)
    assert outcome.result == "refreshed"
    assert outcome.problem is not None
    assert outcome.problem.code == "history_damaged"
    [aside] = state.glob("history.sqlite3.damaged-*")
    assert aside.read_bytes() == b"rubbish" * 500
    told = ullage("history", environ=environ)
    assert aside.name in told.stderr
    assert "fable" in told.stdout


def test_what_went_wrong_with_the_source_goes_before(cache: ProfileCache, environ: dict[str, str]) -> None:
    read(cache, 10.0)
    Path(environ["ULLAGE_STATE_DIR"], "history.sqlite3").write_bytes(b"rubbish" * 500)
    schedule = PLAN.replace(problem=Problem(code="timeout", message="The server did not answer."))
    assert recording.remember(cache, cache.load().replace(schedule=schedule), NOW) == schedule


def test_a_wrong_state_directory_is_a_note_beside_the_reading(environ: dict[str, str], simulate: Simulate) -> None:
    simulate("models")
    outcome = refresh.refresh({**environ, "ULLAGE_STATE_DIR": "not/absolute"})
    assert outcome.result == "refreshed"
    assert outcome.problem is not None
    assert "ULLAGE_STATE_DIR must be an absolute path" in outcome.problem.message


@pytest.mark.parametrize(("template", "lookups"), [("{5h}[ {5h.resets_in}]", 0), ("{5h.pace}[ {7d.runs_out}]", 1)])
def test_the_history_is_opened_for_a_timeline_only_where_a_template_asks(
    cache: ProfileCache, monkeypatch: pytest.MonkeyPatch, template: str, lookups: int
) -> None:
    looked: list[str] = []

    def samples(path: str, owner: str, since: datetime, now: datetime) -> dict[str, list[Sample]]:
        looked.append(owner)
        return {}

    monkeypatch.setattr(history, "load_samples", samples)
    cache.save_reading(reading(window("five_hour", 75.0)))
    publish.publish(cache, values(template), cache.load().replace(schedule=PLAN), NOW)
    assert looked == ["a1b2"] * lookups
    assert (b"1.3" in cache.read_timeline("plain")) == bool(lookups)


def test_the_history_of_a_models_week_goes_on_when_its_label_gains_a_version(cache: ProfileCache) -> None:
    path, owner = overview.locate_history(cache.environ), "a1b2"
    for minutes, window_id in ((30, "seven_day_fable"), (20, "seven_day_fable"), (10, "seven_day_opus")):
        stated = window(window_id, 50.0 - minutes, as_of=NOW - timedelta(minutes=minutes))
        history.record(path, owner, [stated], NOW)
    renamed = reading(window("seven_day_fable_5_1", 60.0), account=Account(id=owner))
    history.record(path, owner, renamed.windows, NOW)
    samples = overview.load_samples(cache, renamed, NOW)
    assert [sample.used_percent for sample in samples["seven_day_fable_5_1"]] == [20.0, 30.0, 60.0]
    both = reading(window("seven_day_fable", 1.0), window("seven_day_fable_5_1", 60.0), account=Account(id=owner))
    assert [sample.used_percent for sample in overview.load_samples(cache, both, NOW)["seven_day_fable_5_1"]] == [60.0]

"""The page of meters: held to the table of facts, and to the documentation."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.tools import REPOSITORY, ullage
from ullage.doctor import meters as page
from ullage.quota import meters
from ullage.quota.model import Account, Reading
from ullage.store.cache import ProfileCache

if TYPE_CHECKING:
    from collections.abc import Callable

    from ullage.simulate import Simulator

DOCS = (REPOSITORY / "docs" / "sources.md").read_text("utf-8")
each = pytest.mark.parametrize("meter", meters.METERS, ids=lambda meter: meter.name)


def told(environ: dict[str, str], *arguments: str) -> dict[str, dict[str, object]]:
    done = ullage("sources", "--json", *arguments, environ=environ)
    assert done.returncode == 0, done.stderr
    return {meter["name"]: meter for meter in json.loads(done.stdout)["meters"]}


@each
def test_the_documentation_says_the_same(meter: meters.Meter) -> None:
    # The documentation has a dash where there is nothing to say.
    fields = (f"`{meter.name}`", meter.what, meter.exact, meter.fresh or "-", meter.needs or "-", meter.cost)
    assert f"| {' | '.join(fields)} |\n" in DOCS


@each
def test_the_documentation_names_no_other(meter: meters.Meter) -> None:
    rows = [line.split("`")[1] for line in DOCS.splitlines() if line.startswith("| `")]
    assert rows == [meter.name for meter in meters.METERS]


def test_every_meter_is_explained(environ: dict[str, str]) -> None:
    shown = " ".join(ullage("sources", environ=environ).stdout.split())
    for meter in meters.METERS:
        for text in (meter.name, meter.what, meter.exact, meter.fresh, meter.needs, meter.cost):
            assert text in shown


@pytest.mark.parametrize("columns", [24, 40, 80, 200])
def test_it_fits_the_terminal(columns: int, environ: dict[str, str]) -> None:
    lines = ullage("sources", environ={**environ, "COLUMNS": str(columns)}).stdout.splitlines()
    assert max(map(len, lines)) <= min(columns, 100)


def test_what_is_counted_in_percent_in_tokens_and_in_money_stands_apart(environ: dict[str, str]) -> None:
    shown = ullage("sources", environ=environ).stdout
    places = [shown.index(heading.split()[0]) for heading in page.HEADINGS.values()]
    assert places == sorted(places)
    for meter in meters.METERS:
        at = shown.index(f"\n{meter.name}\n")
        begins = places[list(page.HEADINGS).index(meter.counts)]
        assert begins < at
        assert not [place for place in places if begins < place < at]


def test_one_meter_can_be_named(environ: dict[str, str]) -> None:
    assert told(environ, "web", "oauth").keys() == {"oauth", "web"}
    done = ullage("sources", "wbe", environ=environ)
    assert (done.returncode, done.stdout) == (2, "")
    assert "There is no meter 'wbe'; did you mean web?" in done.stderr


def test_what_is_in_force_here(environ: dict[str, str], simulate: Callable[..., Simulator]) -> None:
    simulate("busy-day")
    assert ullage("refresh", environ=environ).returncode == 0
    found = told(environ)
    assert [name for name, meter in found.items() if meter["in_force"]] == ["oauth"]
    assert found["oauth"]["usable"] is True
    assert found["oauth"]["as_of"]
    assert found["web"]["usable"] is False
    assert "In force here: oauth." in ullage("sources", environ=environ).stdout
    assert [name for name, meter in told({**environ, "ULLAGE_SOURCE": "auto"}).items() if meter["in_force"]] == [
        "statusline",
        "tee",
        "claude-cache",
        "claude-cli",
    ]


def test_it_asks_nobody_and_changes_nothing(environ: dict[str, str], simulate: Callable[..., Simulator]) -> None:
    simulator = simulate("busy-day")
    told(environ)
    assert simulator.requests == 0
    assert not Path(environ["ULLAGE_CACHE_DIR"]).exists()


def test_transcripts_are_usable_where_there_are_some(environ: dict[str, str]) -> None:
    assert told(environ)["transcripts"]["usable"] is False
    Path(environ["HOME"], ".config", "claude", "projects").mkdir(parents=True)
    assert told(environ)["transcripts"]["usable"] is True


@pytest.mark.parametrize(
    ("setting", "variables", "usable"),
    [
        ("", {}, (False, False)),
        ("", {"ANTHROPIC_ADMIN_KEY": "x"}, (True, False)),
        ("", {"ANTHROPIC_ANALYTICS_KEY": "x"}, (False, True)),
        ('org.admin_key_command = "pass admin"', {}, (True, False)),
        ('org.analytics_key_keyring = ["ullage", "me"]', {}, (False, True)),
        ('org.admin_key_variable = "MINE"', {"ANTHROPIC_ADMIN_KEY": "x"}, (False, False)),
    ],
)
def test_an_organisations_reports_need_a_key(
    setting: str, variables: dict[str, str], usable: tuple[bool, bool], environ: dict[str, str]
) -> None:
    Path(environ["ULLAGE_CONFIG"]).write_text(setting)
    found = told({**environ, **variables})
    assert (found["org-cost"]["usable"], found["org-analytics"]["usable"]) == usable
    assert found["org-usage"]["usable"] == found["org-claude-code"]["usable"] == usable[0]


def test_it_works_where_nothing_else_does(environ: dict[str, str], tmp_path: Path) -> None:
    for broken in (
        {**environ, "ULLAGE_CACHE_DIR": "relative"},
        {name: value for name, value in environ.items() if name not in ("HOME", "ULLAGE_CACHE_DIR")},
        {**environ, "PATH": "/nowhere"},
    ):
        assert ullage("sources", environ=broken).returncode == 0
    done = ullage("sources", environ={**environ, "ULLAGE_SOURCE": "guess"})
    assert done.returncode == 2
    assert "ULLAGE_SOURCE" in done.stderr


def test_the_last_answer_is_told(environ: dict[str, str], now: datetime) -> None:
    told_then = Reading(account=Account(), source="claude-cli-text", as_of=now - timedelta(minutes=7), windows=())
    rows = {row.meter.name: row for row in page.report_meters(environ, "auto", [told_then], now)}
    assert "last answer 7m ago" in page.word_state(rows["claude-cli-text"], now)
    assert page.word_state(rows["token-guesses"], now) == "not read"
    assert ProfileCache(environ).load_reading() is None

"""`ullage org` as a person runs it: tables, JSON, CSV, and every slip."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tests.support.tools import need, ullage
from ullage.simulate import Simulator
from ullage.simulate import org as stand_in

if TYPE_CHECKING:
    from collections.abc import Callable

    Simulate = Callable[..., Simulator]

pytestmark = pytest.mark.usefixtures("one_day")

COMMANDS = (["usage"], ["cost"], ["claude-code"], ["analytics"], ["analytics", "--cost"])


@pytest.fixture
def org(environ: dict[str, str], simulate: Simulate) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `ullage org` with both keys, against a stand-in that is well."""
    environ |= {"ANTHROPIC_ADMIN_KEY": stand_in.ADMIN_KEY, "ANTHROPIC_ANALYTICS_KEY": stand_in.ANALYTICS_KEY}
    simulate("busy-day")

    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        done = ullage("org", *arguments, environ={**environ, **more})
        assert not [key for key in (stand_in.ADMIN_KEY, stand_in.ANALYTICS_KEY) if key in done.stdout + done.stderr]
        assert "Traceback" not in done.stderr
        return done

    return run


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("columns", ["40", "80", "200"])
def test_a_table_fits_its_terminal_and_says_what_it_is_not(arguments: list[str], columns: str, org: Any) -> None:
    done = org(*arguments, COLUMNS=columns)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Says nothing about a plan's windows." in " ".join(done.stdout.split())
    assert max(map(len, done.stdout.splitlines())) <= int(columns)
    assert "total" in done.stdout
    assert "%" not in done.stdout
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_json_and_csv_say_the_same(arguments: list[str], org: Any) -> None:
    document = json.loads(org(*arguments, "--json", "--since", "3d").stdout)
    assert document["schema"] == 1
    assert document["last_day"] == datetime.now(UTC).date().isoformat()
    assert document["unfinished_days"]
    table = list(csv.DictReader(io.StringIO(org(*arguments, "--csv", "--since", "3d").stdout)))
    assert len(table) == len(document["rows"])
    for line, row in zip(table, document["rows"], strict=True):
        cost = row.pop("cost").get("USD", "")
        assert line.pop("cost_usd", "") == cost
        shown = {name: value.removeprefix("'") for name, value in line.items()}
        assert shown == {name: str(value) for name, value in row.items()}


def test_money_in_json_is_exact_text(org: Any) -> None:
    document = json.loads(org("cost", "--json", "--since", "5d").stdout)
    costs = [row["cost"]["USD"] for row in document["rows"]]
    assert all(isinstance(cost, str) for cost in costs)
    assert sum(map(Decimal, costs)) == Decimal(document["total"]["cost"]["USD"])
    day = datetime.fromisoformat(document["rows"][0]["day"]).day
    assert Decimal(costs[0]) == Decimal(f"{day * 10000 + 1}.78912") / 100


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_metrics_are_the_totals_of_json_and_promtool_finds_nothing(arguments: list[str], org: Any) -> None:
    by = ("--since", "3d", "--by", "day")
    document = json.loads(org(*arguments, *by, "--json").stdout)
    text = org(*arguments, *by, "--openmetrics").stdout
    families = text_string_to_metric_families(text)  # type: ignore[no-untyped-call]  # the library's
    found = [sample for family in families for sample in family.samples]
    for row in document["rows"]:
        of_day = [sample for sample in found if sample.labels.get("day") == row["day"]]
        cost = [sample.value for sample in of_day if sample.name == "ullage_org_cost"]
        assert cost == [float(amount) for amount in row["cost"].values()]
        tokens = {f"{one.labels['type']}_tokens": one.value for one in of_day if one.name == "ullage_org_tokens"}
        assert tokens == {name: row[name] for name in row if name.endswith("_tokens") and name != "total_tokens"}
    moments = [int(sample.value) for sample in found if sample.name.startswith("ullage_org_range_")]
    assert [datetime.fromtimestamp(at, UTC).date().isoformat() for at in moments] == [
        document["first_day"],
        (datetime.now(UTC).date() + timedelta(days=1)).isoformat(),
    ]
    checked = subprocess.run(
        [need("promtool"), "check", "metrics"], input=text, text=True, capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_metrics_have_no_day_unless_it_is_asked_for(org: Any) -> None:
    assert "ullage_org_cost{" in (text := org("cost", "--openmetrics").stdout)
    assert "day=" not in text
    assert org("cost", "--openmetrics", "--csv").returncode == 2


def test_a_spreadsheet_takes_no_name_for_a_formula(org: Any) -> None:
    lines = org("claude-code", "--csv").stdout.splitlines()
    assert [line for line in lines if line.startswith("'=SUM(A1)")]
    assert not [line for line in lines if line.startswith(("=", "+", "-", "@"))]


def test_it_is_added_up_by_what_is_asked_for(org: Any) -> None:
    document = json.loads(org("usage", "--json", "--by", "workspace", "--by", "service_tier", "--since", "2d").stdout)
    assert {(row["workspace_id"], row["service_tier"]) for row in document["rows"]} == {
        ("wrkspc_SIM1", "standard"),
        ("wrkspc_SIM1", "batch"),
        (None, "standard"),
        (None, "batch"),
    }
    people = json.loads(org("claude-code", "--json", "--by", "person", "--by", "day", "--since", "2d").stdout)["rows"]
    assert {"ada@example.com", "key deploy bot"} <= {row["person"] for row in people}
    assert len({row["day"] for row in people}) == 2
    hours = json.loads(org("usage", "--json", "--by", "day", "--width", "1h", "--since", "yesterday").stdout)["rows"]
    assert len(hours) > 24
    assert hours[1]["at"].endswith("T01:00Z")


def test_filters_reach_the_server(org: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    answer = stand_in.answer_admin

    def note(simulator: Simulator, path: str, query: str, key: str) -> Any:
        asked.append(query)
        return answer(simulator, path, query, key)

    monkeypatch.setattr(stand_in, "answer_admin", note)
    filters = ["--model", "claude-opus-5", "--tier", "batch", "--tier", "flex", "--workspace", "wrkspc_1"]
    assert org("usage", *filters, "--api-key", "apikey_1", "--geo", "us", "--context-window", "0-200k").returncode == 0
    for part in ("models%5B%5D=claude-opus-5", "service_tiers%5B%5D=batch&service_tiers%5B%5D=flex"):
        assert part in asked[0]
    assert "workspace_ids%5B%5D=wrkspc_1" in asked[0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["usage", "--by", "colour"], "'colour' is none of day, model, workspace_id"),
        (["cost", "--by", "model"], "'model' is none of day, workspace_id, description"),
        (["usage", "--since", "soon"], "Invalid value for '--since': 'soon' is none of 90m, 12h"),
        (["usage", "--since", "2026-11-20", "--until", "2026-11-01"], "ends before that"),
        (["usage", "--since", "2999-01-01", "--until", "2999-01-02"], "lies in the future"),
        (["analytics", "--since", "2020-01-01", "--until", "2020-02-01"], "has nothing of the days before"),
        (["usage", "--width", "1w"], "1w"),
        (["cost", "--width", "1h"], "No such option"),
        (["usage", "--tier", "gold"], "gold"),
        (["usage", "--model", "a\nb"], "'--model': holds characters that no id has"),
        (["usage", "--api-key", ""], "'--api-key': is empty"),
        (["usage", "--json", "--csv"], "exclude each other"),
        (["usge"], "There is no command 'usge'. Did you mean usage?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_slip_is_said_before_anybody_is_asked(arguments: list[str], words: str, org: Any) -> None:
    done = org(*arguments, ULLAGE_API_BASE="http://127.0.0.1:9")
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr


def test_a_far_range_is_cut_and_that_is_said(org: Any) -> None:
    done = org("cost", "--since", "2015-01-01", "--json")
    assert done.returncode == 0
    assert "366 days are the most" in done.stderr
    document = json.loads(done.stdout)
    assert document["first_day"] == (datetime.now(UTC).date() - timedelta(days=365)).isoformat()
    assert len(document["rows"]) == 366


@pytest.mark.parametrize(
    ("scenario", "code", "words"),
    [
        ("revoked", 5, "does not accept the Admin API key"),
        ("scope", 5, "does not accept the Admin API key"),
        ("429-storm", 5, "goes on from there"),
        ("redirect", 5, "does not follow with a key"),
        ("html", 5, "a web page"),
    ],
)
def test_each_fault_has_its_words_and_its_exit_code(
    scenario: str, code: int, words: str, org: Any, environ: dict[str, str]
) -> None:
    with Simulator(scenario).running() as simulator:
        simulator.requests = 1
        done = org("usage", ULLAGE_API_BASE=simulator.address)
    assert (done.returncode, done.stdout) == (code, "")
    assert words in done.stderr


def test_an_organisation_that_used_nothing(org: Any) -> None:
    with Simulator("empty").running() as simulator:
        done = org("usage", ULLAGE_API_BASE=simulator.address)
        assert done.returncode == 0
        assert "Nothing was used in that time." in done.stdout
        document = json.loads(org("usage", "--json", ULLAGE_API_BASE=simulator.address).stdout)
    assert (document["rows"], document["total"]) == ([], {"cost": {}})


def test_a_busy_server_is_waited_for(org: Any) -> None:
    with Simulator("flaky").running() as simulator:
        assert org("usage", ULLAGE_API_BASE=simulator.address).returncode == 0


def test_without_a_key(org: Any, environ: dict[str, str]) -> None:
    done = org("usage", ANTHROPIC_ADMIN_KEY="")
    assert (done.returncode, done.stdout) == (3, "")
    assert "There is no Admin API key" in done.stderr
    done = org("analytics", ANTHROPIC_ANALYTICS_KEY="")
    assert done.returncode == 3
    assert "There is no Analytics API key" in done.stderr


def test_a_key_from_a_command(org: Any, environ: dict[str, str]) -> None:
    Path(environ["ULLAGE_CONFIG"]).write_text(f'org.admin_key_command = ["echo", "{stand_in.ADMIN_KEY[7:]}"]\n')
    done = org("usage", ANTHROPIC_ADMIN_KEY="")
    assert done.returncode == 5
    assert "does not accept" in done.stderr
    store = Path(environ["HOME"], "store")
    store.write_text(stand_in.ADMIN_KEY)
    Path(environ["ULLAGE_CONFIG"]).write_text(f'org.admin_key_command = "cat {store}"\n')
    assert org("usage", ANTHROPIC_ADMIN_KEY="").returncode == 0


def test_the_wrong_kind_of_key(org: Any) -> None:
    done = org("analytics", ANTHROPIC_ANALYTICS_KEY=stand_in.ADMIN_KEY)
    assert done.returncode == 5
    assert "read:analytics" in done.stderr

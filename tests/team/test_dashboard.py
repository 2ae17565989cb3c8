"""The dashboard is one that Grafana takes: every field of it is in Grafana's own model, and nothing needs a plugin."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from tests.support.boards import BOARD, PANELS, query
from tests.support.tools import REPOSITORY

TEAM = REPOSITORY / "team"
BUILT_IN = {"stat", "table", "timeseries"}


def differences(ours: Any, back: Any, path: str = "") -> list[str]:
    """Where what came back is not what went in."""
    if isinstance(ours, dict) and isinstance(back, dict):
        absent = [f"{path}/{key} is unknown" for key in ours if key not in back]
        return absent + [d for key in ours if key in back for d in differences(ours[key], back[key], f"{path}/{key}")]
    if isinstance(ours, list) and isinstance(back, list) and len(ours) == len(back):
        return [d for number, one in enumerate(ours) for d in differences(one, back[number], f"{path}/{number}")]
    return [] if ours == back else [f"{path} became {back!r}"]


def through_the_model(board: dict[str, Any]) -> dict[str, Any]:
    register_default_plugins()
    back: dict[str, Any] = json.loads(JSONEncoder().encode(Dashboard.from_json(board)))
    return back


def test_every_field_is_in_grafanas_model() -> None:
    assert differences(BOARD, through_the_model(BOARD)) == []


@pytest.mark.parametrize("place", ["", "panels/0", "panels/0/targets/0", "panels/0/fieldConfig/defaults", "time"])
def test_the_model_finds_a_field_that_there_is_not(place: str) -> None:
    board = json.loads(json.dumps(BOARD))
    part = board
    for step in filter(None, place.split("/")):
        part = part[int(step)] if step.isdigit() else part[step]
    part["colour"] = "green"
    assert differences(board, through_the_model(board))


def test_no_panel_needs_a_plugin() -> None:
    assert {panel["type"] for panel in BOARD["panels"]} <= BUILT_IN


def test_every_panel_and_query_asks_the_chosen_prometheus() -> None:
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    for panel in BOARD["panels"]:
        assert panel["datasource"] == chosen
        assert [target["datasource"] for target in panel["targets"]] == [chosen] * len(panel["targets"])


def test_panels_have_names_of_their_own_and_say_what_they_show() -> None:
    assert len(PANELS) == len(BOARD["panels"])
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
    assert all(panel["description"].endswith(".") for panel in BOARD["panels"])


def test_panels_fill_the_grid_without_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        x, y, w, h = (panel["gridPos"][key] for key in "xywh")
        cells = {(column, row) for column in range(x, x + w) for row in range(y, y + h)}
        assert x + w <= 24
        assert not taken & cells, panel["title"]
        taken |= cells


def test_queries_use_only_metrics_and_rules_that_there_are() -> None:
    from ullage.metrics.samples import METRICS

    groups = yaml.safe_load((TEAM / "prometheus" / "ullage.rules.yml").read_text("utf-8"))["groups"]
    records = {rule["record"] for group in groups for rule in group["rules"] if "record" in rule}
    metrics = {metric.name for metric in METRICS}
    rules = " ".join(rule["expr"] for group in groups for rule in group["rules"])
    asked = [(panel["title"], target["refId"]) for panel in PANELS.values() for target in panel["targets"]]
    queries = " ".join(query(title, ref) for title, ref in asked)
    for text in (queries, rules):
        named = set(re.findall(r"[a-z_]+:ullage_\w+:\w+|(?<![:\w])ullage_\w+", text))
        assert named <= records | metrics


def test_a_dashboard_that_is_imported_finds_its_datasource() -> None:
    sources = yaml.safe_load((TEAM / "grafana/provisioning/datasources/prometheus.yml").read_text("utf-8"))
    assert [source["type"] for source in sources["datasources"]] == ["prometheus"]
    providers = yaml.safe_load((TEAM / "grafana/provisioning/dashboards/ullage.yml").read_text("utf-8"))
    compose = yaml.safe_load((TEAM / "compose.yaml").read_text("utf-8"))
    mounted = [volume.split(":")[1] for volume in compose["services"]["grafana"]["volumes"]]
    assert providers["providers"][0]["options"]["path"] in mounted


def test_every_file_that_compose_mounts_is_there() -> None:
    compose = yaml.safe_load((TEAM / "compose.yaml").read_text("utf-8"))
    for service in compose["services"].values():
        assert re.search(r":v?\d+\.\d+", service["image"]), "an image without a version is another one tomorrow"
        for volume in service["volumes"]:
            if volume.startswith("./"):
                assert (TEAM / volume.split(":")[0]).exists(), volume

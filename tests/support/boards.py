"""The dashboard's own queries, with its variables put in as Grafana does."""

from __future__ import annotations

import json
from typing import Any

from tests.support.tools import REPOSITORY

BOARD: dict[str, Any] = json.loads((REPOSITORY / "team" / "grafana" / "dashboards" / "ullage.json").read_text("utf-8"))
PANELS: dict[str, dict[str, Any]] = {panel["title"]: panel for panel in BOARD["panels"]}


def query(title: str, ref: str = "A", *, seats: int = 0) -> str:
    """The expression of a panel; the variables have the values that they open with, but for the paid seats."""
    expression: str = next(target["expr"] for target in PANELS[title]["targets"] if target["refId"] == ref)
    values = {
        variable["name"]: variable["current"]["value"]
        for variable in BOARD["templating"]["list"]
        if variable["type"] != "datasource"
    }
    for name, value in {**values, "seats": str(seats)}.items():
        expression = expression.replace(f"${name}", value)
    assert "$" not in expression
    return expression

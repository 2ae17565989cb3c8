"""The picture of the houses is the code's."""

from __future__ import annotations

import importlib.util

from tests.repository.test_layers import HOUSES, houses
from tests.support.tools import REPOSITORY

SCRIPT = REPOSITORY / "docs" / "architecture.py"


def test_the_picture_is_drawn_from_the_imports() -> None:
    spec = importlib.util.spec_from_file_location("architecture", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    arrows = script.read_arrows()
    assert arrows == {house: houses(house) for house in HOUSES}
    page = script.PAGE.read_text("utf-8")
    assert script.draw(arrows) in page, "run python docs/architecture.py"


def test_every_house_is_explained() -> None:
    page = (REPOSITORY / "docs" / "architecture.md").read_text("utf-8")
    assert [house for house in HOUSES if f"| `{house}/` |" not in page] == []

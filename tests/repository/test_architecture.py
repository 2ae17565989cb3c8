"""The picture of the houses is the code's."""

from __future__ import annotations

import importlib.util
import re

from tests.repository.test_layers import HOUSES, houses
from tests.support.tools import REPOSITORY

SCRIPT = REPOSITORY / "docs" / "architecture.py"
PAGE = (REPOSITORY / "docs" / "architecture.md").read_text("utf-8")


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
    assert [house for house in HOUSES if f"| `{house}/` |" not in PAGE] == []


def test_every_file_that_the_page_names_is_there() -> None:
    package = REPOSITORY / "src" / "ullage"
    # A command's files are named without their house, `cli/`.
    places = (REPOSITORY, package, package / "cli")
    named = set(re.findall(r"`([\w/]+\.py)`", PAGE))
    assert len(named) > 20
    assert [name for name in named if not any((place / name).exists() for place in places)] == []


def test_the_way_of_a_reading_leads_through_fewer_than_a_dozen_files_and_twice_through_none() -> None:
    (way,) = re.findall(r"^Follow a reading:.*?\n\n", PAGE, re.MULTILINE | re.DOTALL)
    files = re.findall(r"`(\w+/\w+\.py)`", way)
    assert 5 < len(files) == len(set(files)) < 12

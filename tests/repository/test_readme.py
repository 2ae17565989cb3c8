"""The README, the list of commands, the reference and the help are held to the code."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from tests.support.tools import REPOSITORY
from ullage.cli.listing import COMMANDS
from ullage.config.options import OPTIONS
from ullage.config.template import WINDOW_ATTRIBUTES
from ullage.quota.contract import UsageDocument
from ullage.quota.meters import SOURCES
from ullage.quota.schemas import CONTRACT
from ullage.quota.timeline import SURFACES

README = (REPOSITORY / "README.md").read_text("utf-8")
LIST = (REPOSITORY / "docs" / "commands.md").read_text("utf-8")
REFERENCE = (REPOSITORY / "docs" / "reference.md").read_text("utf-8")
CODE = "\n".join(path.read_text("utf-8") for path in (REPOSITORY / "src").rglob("*.py"))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_list(command: str) -> None:
    assert f"| `ullage {command}` |" in LIST


def test_no_command_is_named_that_there_is_none_of() -> None:
    named = set(re.findall(r"(?:`|^|\()ullage ([a-z][a-z-]*)", README + LIST, re.MULTILINE))
    assert named <= {*COMMANDS}


@pytest.mark.parametrize("source", [source for source in SOURCES if source != "auto"])
def test_every_source_is_in_the_reference(source: str) -> None:
    assert f"`{source}`" in REFERENCE


@pytest.mark.parametrize("surface", SURFACES)
def test_every_surface_is_in_the_reference(surface: str) -> None:
    assert f"`{surface}`" in REFERENCE


@pytest.mark.parametrize("attribute", [name for name in WINDOW_ATTRIBUTES if name])
def test_every_field_of_a_window_is_explained(attribute: str) -> None:
    template = next(option for option in OPTIONS if option.key == "segment.template")
    assert f".{attribute}" in REFERENCE
    assert f".{attribute}" in template.explanation


def test_environment_variables_are_those_that_the_code_reads() -> None:
    section = REFERENCE[REFERENCE.index("Environment:") :]
    named = set(re.findall(r"`(ULLAGE_[A-Z_]+)`", section))
    read = set(re.findall(r'environ(?:\.get\(|\[)"(ULLAGE_[A-Z_]+)"', CODE))
    assert named == read - {"ULLAGE_NOTIFY"}


def test_the_example_is_the_contract() -> None:
    example = re.search(r"```json\n(.*?)```", REFERENCE, re.DOTALL)
    assert example is not None
    document = json.loads(example.group(1))
    msgspec.convert(document, CONTRACT["UsageDocument"])
    assert set(document) == set(UsageDocument.__annotations__)


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`make ([a-z]+)`", README))))
def test_every_target_of_make_is_there(target: str) -> None:
    assert re.search(rf"^{target}:", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)


def test_nothing_is_left_to_fill_in() -> None:
    assert "@@" not in README


@pytest.mark.parametrize("page", [Path("README.md"), Path("docs/commands.md"), Path("docs/reference.md")], ids=str)
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    for name in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (REPOSITORY / page).read_text("utf-8")):
        assert (REPOSITORY / page.parent / name).exists(), name

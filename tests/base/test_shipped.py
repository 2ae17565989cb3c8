"""Pages that messages refer to: where they lie, and that they are there."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from tests.support.tools import REPOSITORY
from ullage.base.shipped import locate

if TYPE_CHECKING:
    from pathlib import Path

SOURCES = {path: path.read_text("utf-8") for path in (REPOSITORY / "src").rglob("*.py")}


def test_a_page_lies_in_the_package_or_beside_the_sources(tmp_path: Path) -> None:
    package = tmp_path / "src" / "ullage"
    installed, checkout = package / "docs" / "org.md", tmp_path / "docs" / "org.md"
    assert locate("docs", "org.md", package=str(package)) == str(installed)
    checkout.parent.mkdir(parents=True)
    checkout.touch()
    assert locate("docs", "org.md", package=str(package)) == str(checkout)
    installed.parent.mkdir(parents=True)
    installed.touch()
    assert locate("docs", "org.md", package=str(package)) == str(installed)


def test_every_page_that_is_referred_to_is_there() -> None:
    named = {name for text in SOURCES.values() for name in re.findall(r"find_page\([\"'](\w+)[\"']\)", text)}
    assert named
    assert not [name for name in named if not (REPOSITORY / "docs" / f"{name}.md").is_file()]


def test_no_message_names_a_page_that_only_a_checkout_has() -> None:
    for path, text in SOURCES.items():
        tree = ast.parse(text)
        explanations = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in explanations:
                assert not re.search(r"\bdocs/\w+\.md", node.value), f"{path}: {node.value}"

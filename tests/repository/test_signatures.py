"""A function that needs seven arguments gets a record: only click hands a command as many as it has options."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from tests.support.tools import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

MOST = 6
MODULES = sorted((REPOSITORY / "src").rglob("*.py"))


def is_command(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    names = [ast.unparse(decorator).partition("(")[0] for decorator in function.decorator_list]
    return any(name.rpartition(".")[2] in ("command", "group") for name in names)


def count_arguments(arguments: ast.arguments) -> int:
    starred = [each for each in (arguments.vararg, arguments.kwarg) if each is not None]
    return len([*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *starred])


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(REPOSITORY / "src").as_posix())
def test_no_function_takes_more_arguments_than_can_be_told_apart(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert [each.name for each in functions if count_arguments(each.args) > MOST and not is_command(each)] == []

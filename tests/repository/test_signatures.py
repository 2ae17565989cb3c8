"""A function that needs seven arguments gets a record: only click hands a command as many as it has options."""

from __future__ import annotations

import ast

from tests.repository.test_layers import MODULES, tree_of

MOST = 6


def is_command(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    names = [ast.unparse(decorator).partition("(")[0] for decorator in function.decorator_list]
    return any(name.rpartition(".")[2] in ("command", "group") for name in names)


def count_arguments(arguments: ast.arguments) -> int:
    starred = [each for each in (arguments.vararg, arguments.kwarg) if each is not None]
    return len([*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *starred])


def test_no_function_takes_more_arguments_than_can_be_told_apart() -> None:
    functions = [
        (module, node)
        for module, path in MODULES.items()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    long = [(module, each) for module, each in functions if count_arguments(each.args) > MOST]
    assert [(module, each.name) for module, each in long if not is_command(each)] == []
    # Commands are left: the rule is looked for where they stand.
    assert long

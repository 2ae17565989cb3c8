"""The hook of PowerShell, which no registry has for this machine: its grammar, its rules, and what it may not call.

That it shows the segment is seen in the workflow, in Windows PowerShell and in PowerShell 7 on Windows and on Ubuntu.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import tree_sitter
import tree_sitter_powershell

from tests.support.tools import REPOSITORY
from ullage.setup import init, loading
from ullage.setup.loading import Words

if TYPE_CHECKING:
    from collections.abc import Iterator

HOOK = REPOSITORY / "shell" / "ullage.ps1"
# What the hook calls at a prompt beside its own functions, by its full name.
QUALIFIED = {"Microsoft.PowerShell.Management\\Get-Item", "Microsoft.PowerShell.Utility\\Write-Error"}


def parsed(code: str) -> tree_sitter.Node:
    language = tree_sitter.Language(tree_sitter_powershell.language())
    return tree_sitter.Parser(language).parse(code.encode()).root_node


def nodes(node: tree_sitter.Node, kind: str) -> Iterator[tree_sitter.Node]:
    if node.type == kind:
        yield node
    for child in node.children:
        yield from nodes(child, kind)


def text(node: tree_sitter.Node) -> str:
    assert node.text is not None
    return node.text.decode()


@pytest.mark.parametrize("place", init.list_places("pwsh"))
@pytest.mark.parametrize("program", [r"C:\Program Files\it's\ullage.exe", "/home/zoë/‘x’/ullage"])
def test_what_init_prints_is_a_script(place: str, program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(init, "find_this_program", lambda *_: program)
    code = init.build_code("pwsh", place).decode()
    assert not parsed(code).has_error
    assert code.isascii()


@pytest.mark.parametrize("path", ["C:\\it's\\x.ps1", "/home/zoë/x.ps1", "/\U0001f600", "", "/‘x’", "/$(x)`y"])
def test_lines_of_a_profile_are_a_script_and_tell_their_file(path: str) -> None:
    word = init.quote(path, "pwsh")
    code = loading.build_lines("pwsh", "starship", Words(program=word, file=word))
    assert not parsed(code).has_error
    found = re.fullmatch(loading.build_shape("pwsh", "starship"), code)
    assert found is not None
    assert loading.read_path(found["file"], "pwsh", {}) == path


def test_what_the_workflow_runs_is_a_script() -> None:
    assert not parsed((REPOSITORY / "tests" / "shell" / "powershell.ps1").read_text()).has_error


def test_a_prompt_calls_nothing_that_a_name_of_the_user_stands_for() -> None:
    functions = list(nodes(parsed(HOOK.read_text()), "function_statement"))
    names = {text(next(nodes(function, "function_name"))).removeprefix("global:") for function in functions}
    called = {text(name) for function in functions for name in nodes(function, "command_name")}
    assert "prompt" in names
    assert called <= names | QUALIFIED


def test_the_hook_keeps_to_what_windows_powershell_knows() -> None:
    code = HOOK.read_text()
    assert code.isascii()
    # PowerShell 7 alone: a ternary, ?? and ?., && and ||.
    assert not re.search(
        r"\?\?|\?\.|&&|\|\||\?\[|\s\?\s", re.sub(r"#.*", "", code).replace("(?i)", "").replace("(?:", "")
    )


def test_the_hook_writes_no_command_of_others_and_starts_one_program() -> None:
    code = HOOK.read_text()
    assert not re.search(r"Invoke-Expression|\biex\b|Start-Process|Add-Type", re.sub(r"#.*", "", code), re.IGNORECASE)
    assert code.count("[Diagnostics.Process]::Start(") == 1

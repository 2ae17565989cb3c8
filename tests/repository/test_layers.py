"""The direction of imports and the price of the prompt, read from the syntax trees."""

from __future__ import annotations

import ast
import functools
import sys
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tests.support.tools import REPOSITORY
from ullage.base import errors
from ullage.cli.listing import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SOURCE = REPOSITORY / "src" / "ullage"


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_of(path): path for path in SOURCE.rglob("*.py")}

# The houses from the top down: each with the houses that it uses, all of them further down, type-only imports included.
HOUSES = {
    "cli": "alerts base claude_code config doctor guard metrics org panel prompt quota refresh render serve setup "
    "simulate store system tokens",
    "doctor": "base config metrics prompt quota render setup sources store system",
    "setup": "base claude_code config quota sources system",
    "claude_code": "base config guard prompt quota render sources store system",
    "panel": "base config prompt quota render store system",
    "serve": "base config metrics prompt quota render store system",
    "guard": "base quota render",
    "tokens": "base config quota render store system",
    "org": "base config metrics render system",
    "metrics": "base config quota sources store system",
    "refresh": "alerts base config prompt quota sources store system",
    # Below refresh, which announces what it has learnt.
    "alerts": "base config quota render store system",
    "prompt": "base config quota render store system",
    "render": "base config quota store",
    "sources": "base config quota store system",
    "store": "base config quota system",
    "config": "base quota system",
    "quota": "base",
    "system": "base",
    "simulate": "base",
    "base": "",
}
ON_THE_WAY_TO_A_PROMPT = (
    "prompt",
    "system.files",
    "system.places",
    "system.claim",
    "system.detach",
    "quota.timeline",
    "base.arguments",
    "base.record",
    "base.errors",
)
CHEAP = {"os", "sys", "time", "stat"}
# The one module that may import each heavy library; msgspec describes two formats, one written and one read.
HOMES = {
    "httpx": ["system.http"],
    "filelock": ["system.lock"],
    "_datetime": ["base.dates"],
    "platformdirs": ["config"],
    "msgspec": ["quota.fields", "quota.schemas", "system.statefile", "tokens.lines"],
    "sqlite3": ["system.database"],
    "PIL": ["render.picture"],
    "desktop_notifier": ["alerts.channels"],
    "keyring": ["system.keys"],
    "watchdog": ["system.watching"],
    "starlette": ["serve.app"],
    "uvicorn": ["serve.server"],
    "h11": ["serve.server"],
    "prometheus_client": ["metrics.formats"],
    "opentelemetry": ["metrics.otlp"],
    "pystray": ["panel.tray.icon"],
}


def only_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def statements(node: ast.AST) -> list[ast.AST]:
    """The tree without what only a type checker executes."""
    if only_for_types(node):
        assert isinstance(node, ast.If)
        return [found for child in node.orelse for found in statements(child)]
    return [node, *(found for child in ast.iter_child_nodes(node) for found in statements(child))]


def names(nodes: Iterable[ast.AST]) -> set[str]:
    """Every name that these nodes import, with its module."""
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name the package"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found - {"__future__.annotations"}


@functools.cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


@functools.cache
def imports(path: Path) -> set[str]:
    """Every name that a file imports at run time, anywhere in it."""
    return names(statements(tree_of(path)))


@functools.cache
def arrows(path: Path, *, at_run_time: bool = False) -> set[str]:
    """The modules of ullage that a file imports; those that only a type checker sees too, unless told otherwise."""
    tree = tree_of(path)
    found = names(statements(tree) if at_run_time else ast.walk(tree))
    own = {name.removeprefix("ullage.") for name in found if name.startswith("ullage.")}
    return {name if name in MODULES else name.rpartition(".")[0] for name in own} - {""}


def house_of(module: str) -> str:
    return module.partition(".")[0]


def houses(house: str) -> set[str]:
    """The other houses that the modules of a house import."""
    used = {house_of(arrow) for name, path in MODULES.items() if house_of(name) == house for arrow in arrows(path)}
    return used - {house}


def test_the_folder_holds_the_houses_and_nothing_else() -> None:
    held = {path.name for path in SOURCE.iterdir()} - {"__pycache__"}
    assert held == {"__init__.py", "__main__.py", "py.typed", *HOUSES}


@pytest.mark.parametrize("house", HOUSES)
def test_a_house_uses_these_and_no_others(house: str) -> None:
    assert sorted(houses(house)) == sorted(HOUSES[house].split())


def test_no_arrow_points_up() -> None:
    above: set[str] = set()
    up = []
    for house, used in HOUSES.items():
        above.add(house)
        up += [(house, other) for other in used.split() if other in above]
    assert up == []


def test_no_module_imports_itself_by_way_of_others() -> None:
    waiting = {name: arrows(path) - {name, "__init__"} for name, path in MODULES.items()}
    while free := {name for name, used in waiting.items() if not used & waiting.keys()}:
        for name in free:
            del waiting[name]
    assert waiting == {}


@pytest.mark.parametrize("module", ON_THE_WAY_TO_A_PROMPT)
def test_what_a_prompt_imports_is_cheap(module: str) -> None:
    path = MODULES[module]
    foreign = {name.split(".")[0] for name in imports(path)} - {"ullage"}
    # Windows starts its detached process through subprocess, in a function that nothing else calls.
    assert foreign <= CHEAP | ({"subprocess"} if module == "system.detach" else set())
    # What Windows alone imports is as cheap: two modules that its interpreter has built in.
    assert arrows(path, at_run_time=True) - {"system.windows"} <= set(ON_THE_WAY_TO_A_PROMPT)


def test_what_is_of_windows_is_imported_there_alone() -> None:
    guard = 'if sys.platform == "win32":'
    for name, path in MODULES.items():
        lines = path.read_text("utf-8").splitlines()
        for before, line in pairwise(lines):
            assert "import windows" not in line or before.strip() == guard, name


@pytest.mark.parametrize("module", ["quota.meters", "system.secret"])
def test_what_every_status_line_imports_for_the_settings_is_cheap(module: str) -> None:
    tree = tree_of(MODULES[module])
    at_once = {ast.unparse(node) for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)}
    assert {line.split()[1].split(".")[0] for line in at_once} <= {"__future__", "ullage"}
    assert arrows(MODULES[module], at_run_time=True) <= {"base.record", "base.errors"}


@pytest.mark.parametrize("library", HOMES)
def test_a_heavy_library_has_one_home(library: str) -> None:
    users = [name for name, path in MODULES.items() if any(used.split(".")[0] == library for used in imports(path))]
    assert sorted(users) == HOMES[library]


def test_no_command_is_a_library_of_another() -> None:
    commands = {f"ullage.cli.{module}" for module in COMMANDS}
    users = {
        (name, used)
        for name, path in MODULES.items()
        for used in imports(path)
        # A function of a command's module makes that module half a library.
        if used in commands or used.rpartition(".")[0] in commands
    }
    assert users == set()


def test_click_lives_in_the_command_line() -> None:
    users = {house_of(name) for name, path in MODULES.items() if any(u.split(".")[0] == "click" for u in imports(path))}
    assert users == {"cli"}


def test_the_tree_of_errors_shows_every_one() -> None:
    classes = [
        node
        for path in MODULES.values()
        for node in tree_of(path).body
        if isinstance(node, ast.ClassDef)
        and any(ast.unparse(base) in ("UllageError", "UsageError") for base in node.bases)
    ]
    shown = errors.__doc__ or ""
    assert [node.name for node in classes if f"── {node.name} " not in shown] == []
    assert shown.count("── ") == len(classes)


def test_no_other_library_is_imported() -> None:
    known = {*sys.stdlib_module_names, "ullage", "click", *HOMES}
    strangers = {name: {used.split(".")[0] for used in imports(path)} - known for name, path in MODULES.items()}
    assert {name: found for name, found in strangers.items() if found} == {}


# ruff asks for a zone where it sees the standard library's name, and not where `dates` stands for it.
LEAST_WITH_A_ZONE = {"datetime.now": 1, "datetime.fromtimestamp": 2, "datetime": 8}
WITHOUT_A_ZONE = {"datetime.utcnow", "datetime.today", "datetime.utcfromtimestamp", "datetime.strptime"}


def lacks_a_zone(call: ast.Call) -> bool:
    name, given = ast.unparse(call.func), len(call.args) + len(call.keywords)
    named = any(keyword.arg in ("tz", "tzinfo") for keyword in call.keywords)
    return name in WITHOUT_A_ZONE or (given < LEAST_WITH_A_ZONE.get(name, 0) and not named)


@pytest.mark.parametrize(
    ("code", "lacks"), [("datetime.now()", True), ("datetime.now(UTC)", False), ("datetime(2026, 1, 2)", True)]
)
def test_a_moment_without_a_zone_is_found(code: str, lacks: bool) -> None:
    call = ast.parse(code, mode="eval").body
    assert isinstance(call, ast.Call)
    assert lacks_a_zone(call) == lacks


def test_every_moment_has_a_zone() -> None:
    with_dates = {name: path for name, path in MODULES.items() if "base.dates" in arrows(path)}
    assert with_dates
    calls = [
        (name, node)
        for name, path in with_dates.items()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call)
    ]
    assert [(name, ast.unparse(call)) for name, call in calls if lacks_a_zone(call)] == []


def test_the_core_has_no_clock_and_no_output() -> None:
    pure = [
        *(name for name in MODULES if house_of(name) == "quota"),
        *("base.record", "base.text", "claude_code.answers", "config.wishes", "prompt.frames"),
        *("sources.wire", "sources.wire_windows"),
        *("alerts", "guard", "guard.limits"),
        *(f"org.{module}" for module in ("days", "reports", "rows", "totals")),
        *(f"panel{module}" for module in ("", ".clicks", ".colours", ".formats", ".lines", ".markup")),
        *("panel.document", "panel.menus", "panel.objects"),
        *(f"render.{module}" for module in ("columns", "segment", "surfaces", "words")),
        *(f"tokens.{module}" for module in ("amounts", "cost", "counts", "document", "lines", "litellm", "report")),
        *("tokens.windows", "tokens.words"),
    ]
    for name in pure:
        calls = [node for node in ast.walk(tree_of(MODULES[name])) if isinstance(node, ast.Call)]
        called = {ast.unparse(call.func) for call in calls}
        assert called & {"datetime.now", "time.time", "print", "open", "os.getenv"} == set(), name
        assert "os.environ" not in MODULES[name].read_text("utf-8"), name


def test_no_two_classes_have_one_name() -> None:
    places: dict[str, list[str]] = {}
    for name, path in MODULES.items():
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(name)
    assert {name: found for name, found in places.items() if len(found) > 1} == {}

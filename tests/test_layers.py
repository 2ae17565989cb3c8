"""The direction of imports and the price of the prompt, read from the syntax trees."""

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING

import pytest
from tools import REPOSITORY

from ullage import errors
from ullage.cli import COMMANDS

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = REPOSITORY / "src" / "ullage"
MODULES = {".".join(path.relative_to(SOURCE).with_suffix("").parts): path for path in SOURCE.rglob("*.py")}

# Each house and the houses that it may use; a house that is a package holds its modules.
ALLOWED = {
    "__init__": "",
    "record": "",
    "dates": "",
    "lock": "errors",
    "errors": "",
    "text": "",
    "model": "dates record",
    "timeline": "record",
    "meters": "record",
    "secret": "errors",
    "user_command": "programs secret",
    "key_command": "errors secret text user_command",
    "places": "errors",
    "detach": "",
    "prompt": "detach errors files places timeline",
    "schedule": "dates model record",
    "pace": "model pace record",
    "database": "private",
    "history": "database errors model pace",
    "memory": "cache config dates errors files history model pace text",
    "jsontext": "",
    "programs": "",
    "private": "errors",
    "files": "errors",
    "serial": "dates jsontext model record schedule text",
    "statements": "files model serial",
    "merge": "dates meters model",
    "cache": "dates files lock merge places private serial statements timeline",
    "render": "model pace places record render text tokens",
    "account": "files lock model private serial statements text",
    "target": "text",
    "config": "config dates errors files jsontext meters model places record render secret text tokens wishes",
    "wishes": "dates errors record text",
    "channels": "alerts errors user_command",
    "delivery": "account alerts cache channels config detach errors files lock memory model private secret text",
    "frames": "dates places render timeline",
    "publish": "dates files frames memory places schedule timeline tmux",
    "ask": "account config errors meters model schedule sources",
    "contract": "model schedule",
    "sources": "__init__ dates errors files jsontext key_command merge meters model places private programs record "
    "secret sources statements target text",
    "statusline": "cache config dates detach errors files memory merge model places prompt publish record render "
    "secret serial sources statements statusline timeline",
    "setup": "errors files guard init record setup sources",
    "tmux": "programs record timeline",
    "overview": "cache memory pace places record",
    "changes": "errors",
    "panel": "cache changes config contract detach errors model overview panel programs prompt record render schedule "
    "schemas secret text",
    "tray": "detach errors panel render text tray",
    "moments": "",
    "serve": "__init__ cache changes config contract detach errors files frames history lock memory metrics model "
    "moments overview places private prompt record render schemas secret serve target text timeline",
    "metrics": "__init__ config contract errors files lock metrics model overview places private record sources "
    "target text",
    "refresh": "account ask cache config delivery detach errors memory places publish record schedule secret timeline",
    "hook": "cache config dates errors files guard jsontext prompt",
    "init": "errors",
    "schemas": "contract",
    "doctor": "__init__ cache config doctor errors files history memory meters metrics model places private programs "
    "publish record schedule secret setup sources timeline",
    "guard": "dates errors guard model record render text",
    "alerts": "model record render text",
    "org": "errors files key_command model moments org places private record secret sources text",
    "simulate": "errors record simulate",
    "tokens": "database errors files jsontext model private record text tokens",
    "receipt": "config errors prompt render tally tokens",
    "tally": "cache config errors history memory model places private record tokens",
}
ON_THE_WAY_TO_A_PROMPT = ("prompt", "files", "places", "timeline", "record", "errors", "detach")
CHEAP = {"os", "sys", "time", "stat"}
# The one module that may import each heavy library; msgspec describes two formats, one written and one read.
HOMES = {
    "httpx": ["sources.http"],
    "filelock": ["lock"],
    "_datetime": ["dates"],
    "platformdirs": ["config.__init__"],
    "rich": ["render.table"],
    "msgspec": ["contract", "schemas", "tokens.lines"],
    "sqlite3": ["database"],
    "PIL": ["render.picture"],
    "desktop_notifier": ["channels"],
    "keyring": ["org.keys"],
    "watchdog": ["changes"],
    "starlette": ["serve.app"],
    "uvicorn": ["serve.server"],
    "h11": ["serve.server"],
    "prometheus_client": ["metrics.formats"],
    "opentelemetry": ["metrics.otlp"],
    "pystray": ["tray.icon"],
}


def only_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def statements(node: ast.AST) -> list[ast.AST]:
    """The tree without what only a type checker executes."""
    if only_for_types(node):
        assert isinstance(node, ast.If)
        return [found for child in node.orelse for found in statements(child)]
    return [node, *(found for child in ast.iter_child_nodes(node) for found in statements(child))]


def imports(path: Path) -> set[str]:
    """Every module that a file imports at run time, anywhere in it."""
    found = set()
    for node in statements(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports name the package"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found - {"__future__.annotations"}


def houses(path: Path) -> set[str]:
    """The houses of ullage that a file uses."""
    own = [name.split(".") for name in imports(path) if name.split(".")[0] == "ullage"]
    return {parts[1] if len(parts) > 1 and parts[1] != "__version__" else "__init__" for parts in own}


def house_of(module: str) -> str:
    return module.partition(".")[0]


@pytest.mark.parametrize("module", [name for name in MODULES if house_of(name) not in ("cli", "__main__")])
def test_imports_point_one_way(module: str) -> None:
    house = house_of(module)
    assert house in ALLOWED, f"{house} is new: say here what it may import"
    assert houses(MODULES[module]) <= set(ALLOWED[house].split())


@pytest.mark.parametrize("house", ALLOWED)
def test_a_house_is_granted_what_it_uses_and_no_more(house: str) -> None:
    used = set().union(*(houses(path) for name, path in MODULES.items() if house_of(name) == house))
    unused = set(ALLOWED[house].split()) - used
    assert unused == set(), f"nobody in {house} imports {', '.join(sorted(unused))}: take it out of ALLOWED"


def test_nothing_imports_the_command_line_but_the_entry_point() -> None:
    users = {house_of(name) for name, path in MODULES.items() if "cli" in houses(path)}
    assert users <= {"__main__", "cli"}


def test_the_houses_have_no_circle() -> None:
    reached: dict[str, set[str]] = {}
    for house in ALLOWED:
        todo, seen = [*ALLOWED[house].split()], set()
        while todo:
            other = todo.pop()
            if other not in seen and other != house:
                seen.add(other)
                todo += ALLOWED[other].split()
        reached[house] = seen
    assert [(one, other) for one in reached for other in reached[one] if one in reached[other] and one != other] == []


@pytest.mark.parametrize("module", ON_THE_WAY_TO_A_PROMPT)
def test_what_a_prompt_imports_is_cheap(module: str) -> None:
    path = MODULES[module]
    foreign = {name.split(".")[0] for name in imports(path)} - {"ullage"}
    # Windows starts its detached process through subprocess, in a function that nothing else calls.
    assert foreign <= CHEAP | ({"subprocess"} if module == "detach" else set())
    assert houses(path) <= set(ON_THE_WAY_TO_A_PROMPT)


@pytest.mark.parametrize("module", ["meters", "secret"])
def test_what_every_status_line_imports_for_the_settings_is_cheap(module: str) -> None:
    tree = ast.parse(MODULES[module].read_text("utf-8"))
    at_once = {ast.unparse(node) for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)}
    assert {line.split()[1].split(".")[0] for line in at_once} <= {"__future__", "ullage"}
    assert houses(MODULES[module]) <= {"record", "errors"}


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
        for node in ast.parse(path.read_text("utf-8")).body
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


@pytest.mark.parametrize("module", [name for name, path in MODULES.items() if "dates" in houses(path)])
def test_every_moment_has_a_zone(module: str) -> None:
    calls = [node for node in ast.walk(ast.parse(MODULES[module].read_text("utf-8"))) if isinstance(node, ast.Call)]
    assert [ast.unparse(call) for call in calls if lacks_a_zone(call)] == []


def test_the_core_has_no_clock_and_no_output() -> None:
    pure = [
        *(
            "meters",
            "model",
            "text",
            "record",
            "frames",
            "timeline",
            "schedule",
            "serial",
            "sources.wire",
            "contract",
            "pace.__init__",
        )
    ]
    pure += [
        "render.words",
        "render.meters",
        "render.columns",
        "org.reports",
        "org.days",
        "org.rows",
        "org.totals",
        "render.segment",
        "render.surfaces",
        "guard.limits",
        "guard.__init__",
        "guard.hooks",
        "alerts",
        "wishes",
        "render.tokens",
        "render.tokens_document",
        *(f"tokens.{module}" for module in ("amounts", "counts", "cost", "lines", "litellm", "report", "windows")),
        "moments",
        *("panel.__init__", "panel.colours", "panel.markup", "panel.lines", "panel.objects", "panel.menus"),
        *("panel.formats", "panel.moments", "panel.clicks", "panel.document", "render.phrases"),
    ]
    for name in pure:
        calls = [node for node in ast.walk(ast.parse(MODULES[name].read_text("utf-8"))) if isinstance(node, ast.Call)]
        called = {ast.unparse(call.func) for call in calls}
        assert called & {"datetime.now", "time.time", "print", "open", "os.getenv"} == set(), name
        assert "os.environ" not in MODULES[name].read_text("utf-8"), name

"""How our modules are found: as Python would find them, without a look at what else lies beside them."""

from __future__ import annotations

import importlib
import importlib.util
from importlib.machinery import PathFinder
from pathlib import Path

import pytest

import ullage
from tests.support.tools import PYTHON, run

DIRECTORY = Path(ullage.__file__).parent
NAMES = sorted(
    ".".join(path.relative_to(DIRECTORY.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in DIRECTORY.rglob("*.py")
)


@pytest.mark.parametrize("name", NAMES)
def test_a_module_is_found_as_python_finds_it(name: str) -> None:
    found = importlib.util.find_spec(name)
    place = DIRECTORY.parent.joinpath(*name.split(".")[:-1])
    expected = PathFinder.find_spec(name, [str(place)])
    assert found is not None
    assert expected is not None
    for attribute in ("name", "origin", "cached", "has_location", "parent", "submodule_search_locations"):
        assert getattr(found, attribute) == getattr(expected, attribute), attribute
    assert type(found.loader) is type(expected.loader)


@pytest.mark.parametrize("name", ["ullage.nothing", "ullage.base.nothing", "ullage.base.text.nothing"])
def test_what_is_not_there_is_said_to_be_missing(name: str) -> None:
    with pytest.raises(ModuleNotFoundError, match=name):
        importlib.import_module(name)


LISTED = "import sys; import ullage.claude_code.statusline; print(*sys.path_importer_cache, sep='\\n')"


def test_no_directory_of_ours_is_listed(environ: dict[str, str]) -> None:
    code = f"import sys; sys.path.append({str(DIRECTORY.parent)!r}); {LISTED}"
    listed = run([PYTHON, "-I", "-c", code], environ).stdout.splitlines()
    assert str(DIRECTORY.parent) in listed
    assert not [path for path in listed if path.startswith(str(DIRECTORY))]

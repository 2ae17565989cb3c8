"""Ullage shows how much of a Claude plan's quota is used, in the shell prompt and wherever else a person looks.

A reading goes from `sources` by `refresh` into `store`, and by `render` and `prompt` to a shell: docs/architecture.md.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from typing import Any

__version__ = "0.1.0"

_DIRECTORY = os.path.dirname(__file__)
# What importlib.machinery has too, which takes longer to import.
_Spec: Any = type(__spec__)
_Loader: Any = type(__spec__.loader)


class _Finder:
    """Finds our modules where their names say, and leaves all others to Python.

    Python's own finder lists every directory first, and looks for four kinds of files in it; a status line imports
    forty of our modules at each start.
    """

    @staticmethod
    def find_spec(name: str, *_given: object) -> ModuleSpec | None:
        package, _, rest = name.partition(".")
        if package != "ullage":
            return None
        place = os.path.join(_DIRECTORY, rest.replace(".", os.sep))
        for file in (f"{place}.py", os.path.join(place, "__init__.py")):
            if os.path.isfile(file):
                spec: ModuleSpec = _Spec(name, _Loader(name, file), origin=file)
                spec.has_location = True
                if file.endswith("__init__.py"):
                    spec.submodule_search_locations = [place]
                return spec
        return None


if _Loader.__name__ == "SourceFileLoader":
    sys.meta_path.insert(0, _Finder)

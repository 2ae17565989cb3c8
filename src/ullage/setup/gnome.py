"""`ullage setup gnome`: the extension for GNOME Shell, put together for the version that is here, and turned on.

Up to 44 an extension imports by gjs' own importer, from 45 on as a module: a head for each goes before the same text.
"""

from __future__ import annotations

import ast
import json
import os
import re
import tempfile

from ullage.base.errors import UsageError
from ullage.setup import widgets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ullage.setup.widgets import Tree

NAME = "gnome"
ADDS = "the extension to those that GNOME Shell runs"
UUID = "ullage@ullage"
OLDEST = 42
_FIRST_WITH_MODULES = 45
_SCHEMA = "schemas/org.gnome.shell.extensions.ullage.gschema.xml"
_SHELL = "org.gnome.shell"


def find_version(environ: Mapping[str, str]) -> int:
    """Return which GNOME Shell is here; raise UsageError where there is none, or one that is too old."""
    told = widgets.ask(["gnome-shell", "--version"], environ) or ""
    found = re.search(r"GNOME Shell (\d+)", told)
    if found is None:
        raise UsageError("No `gnome-shell` is on your PATH. Run this on the desktop that is to show the extension.")
    if int(found[1]) < OLDEST:
        raise UsageError(f"This is GNOME Shell {found[1]}; the extension needs {OLDEST} or newer.")
    return int(found[1])


def locate_directory(environ: Mapping[str, str]) -> str:
    """Return where the extension lies, whether it is there or not."""
    return os.path.join(widgets.locate_data_directory(environ), "gnome-shell", "extensions", UUID)


def build_tree(environ: Mapping[str, str], program: str) -> Tree:
    """Return the extension for the version of the shell that is here; `program` is the ullage that it starts."""
    given, number = widgets.read_source(NAME), find_version(environ)
    head = "45" if number >= _FIRST_WITH_MODULES else "44"
    described = {**json.loads(given["metadata.json"]), "shell-version": [str(number)], "ullage-program": program}
    files = {
        "extension.js": _joined(given, f"heads/extension-{head}.js", "program.js", "extension.js"),
        "prefs.js": _joined(given, f"heads/prefs-{head}.js", "program.js", "preferences.js"),
        "metadata.json": json.dumps(described, indent=2).encode() + b"\n",
        "stylesheet.css": given["stylesheet.css"],
        _SCHEMA: given[_SCHEMA],
        "schemas/gschemas.compiled": _compiled(given[_SCHEMA], environ),
    }
    return widgets.Tree(directory=locate_directory(environ), files=files)


def turn_on(environ: Mapping[str, str]) -> str:
    """Put the extension on the shell's list of those to run, and return what is left to do."""
    if not (_list("enabled-extensions", environ, last=UUID) and _list("disabled-extensions", environ)):
        return f"Log out and in, then turn it on: gnome-extensions enable {UUID}"
    return "Log out and in: GNOME Shell looks for new extensions when it starts."


def turn_off(environ: Mapping[str, str]) -> str:
    """Take the extension off the shell's lists, and return what is left to do."""
    if not (_list("enabled-extensions", environ) and _list("disabled-extensions", environ)):
        return f"Take {UUID} off the list as well: gsettings get {_SHELL} enabled-extensions"
    return "It is gone from the bar."


def _joined(given: Mapping[str, bytes], *names: str) -> bytes:
    return b"\n".join(given[name] for name in names)


def _compiled(schema: bytes, environ: Mapping[str, str]) -> bytes:
    """Return what the desktop's own compiler makes of the preferences' schema."""
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, os.path.basename(_SCHEMA)), "wb") as file:
            file.write(schema)
        if widgets.ask(["glib-compile-schemas", folder], environ) is None:
            raise UsageError(
                "The extension's preferences need `glib-compile-schemas`, which is missing or failed. Install it first "
                "(Debian, Ubuntu: libglib2.0-bin; Fedora: glib2-devel)."
            )
        with open(os.path.join(folder, "gschemas.compiled"), "rb") as file:
            return file.read()


def _list(key: str, environ: Mapping[str, str], *, last: str | None = None) -> bool:
    """Take the extension out of a list of the shell's, and put it at its end where wanted; False where that fails."""
    told = widgets.ask(["gsettings", "get", _SHELL, key], environ)
    try:
        # GVariant's text; an empty list is written with its type.
        before = ast.literal_eval((told or "").removeprefix("@as "))
    except (ValueError, SyntaxError):
        return False
    names = [name for name in before if name != UUID] + ([last] if last else [])
    if set(names) == set(before):
        return True
    return widgets.ask(["gsettings", "set", _SHELL, key, json.dumps(names, ensure_ascii=False)], environ) is not None

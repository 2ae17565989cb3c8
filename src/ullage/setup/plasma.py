"""`ullage setup plasma`: the widget for Plasma 6, where the desktop finds it, and in the first panel."""

from __future__ import annotations

import json
import os

from ullage.setup import widgets
from ullage.setup.hosts import find_home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ullage.setup.widgets import Tree

NAME = "plasma"
ADDS = "the widget to the first panel"
ID = "ullage"
_ADD = f"const all = panels(); if (all.length && !all.some(p => p.widgets('{ID}').length)) all[0].addWidget('{ID}');"
_REMOVE = f"panels().forEach(p => p.widgets('{ID}').forEach(w => w.remove()));"


def locate_directory(environ: Mapping[str, str]) -> str:
    """Return where the widget lies, whether it is there or not."""
    return os.path.join(widgets.locate_data_directory(environ, find_home(environ)), "plasma", "plasmoids", ID)


def build_tree(environ: Mapping[str, str], program: str) -> Tree:
    """Return the widget; `program` is the ullage that it starts unless its preferences name another."""
    given = widgets.read_source(NAME)
    files = {name: data for name, data in given.items() if name == "metadata.json" or name.startswith("contents/")}
    files["contents/ui/Program.js"] = f".pragma library\n\nvar path = {json.dumps(program)}\n".encode()
    return widgets.Tree(directory=locate_directory(environ), files=files)


def turn_on(environ: Mapping[str, str]) -> str:
    """Put the widget into the first panel, and return what is left to do."""
    if _evaluate(_ADD, environ):
        return "It is in the first panel."
    return "Add it: right-click a panel, Add Widgets, ullage."


def turn_off(environ: Mapping[str, str]) -> str:
    """Take the widget out of the panels, and return what is left to do."""
    if _evaluate(_REMOVE, environ):
        return "It is gone from the panels."
    return "A panel that still has it: right-click it there, Remove."


def _evaluate(script: str, environ: Mapping[str, str]) -> bool:
    """Have the running desktop evaluate a script of ours; say whether it did."""
    call = ["dbus-send", "--session", "--print-reply", "--reply-timeout=10000", "--dest=org.kde.plasmashell"]
    call += ["/PlasmaShell", "org.kde.PlasmaShell.evaluateScript", f"string:{script}"]
    return widgets.ask(call, environ) is not None

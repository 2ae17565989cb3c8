"""`ullage setup plasma`: the widget for Plasma 6, where the desktop finds it, and in a panel."""

from __future__ import annotations

import json
import os

from ullage.setup import widgets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ullage.setup.widgets import Tree

NAME = "plasma"
ADDS = "the widget to a panel, beside the tray"
ID = "ullage"
# Beside the tray, where there is one: what is added without a place goes into the panel's corner.
_ADD = f"""
const all = panels();
const withTray = all.find(panel => panel.widgets('org.kde.plasma.systemtray').length);
if (all.some(panel => panel.widgets('{ID}').length)) {{
    print('there');
}} else if (withTray) {{
    const place = withTray.widgets('org.kde.plasma.systemtray')[0].geometry;
    withTray.addWidget('{ID}', place.x, place.y, 0, 0);
    print('added');
}} else if (all.length) {{
    all[0].addWidget('{ID}');
    print('added');
}}
"""
_REMOVE = f"panels().forEach(p => p.widgets('{ID}').forEach(w => w.remove()));"


def locate_directory(environ: Mapping[str, str]) -> str:
    """Return where the widget lies, whether it is there or not."""
    return os.path.join(widgets.locate_data_directory(environ), "plasma", "plasmoids", ID)


def build_tree(environ: Mapping[str, str], program: str) -> Tree:
    """Return the widget; `program` is the ullage that it starts unless its preferences name another."""
    given = widgets.read_source(NAME)
    files = {name: data for name, data in given.items() if name == "metadata.json" or name.startswith("contents/")}
    files["contents/ui/Program.js"] = f".pragma library\n\nvar path = {json.dumps(program)}\n".encode()
    return widgets.Tree(directory=locate_directory(environ), files=files)


def turn_on(environ: Mapping[str, str]) -> str:
    """Put the widget into a panel, and return what is left to do."""
    said = _evaluate(_ADD, environ) or ""
    if "added" in said:
        return "It is in the panel."
    if "there" in said:
        return "It is in the panel already, which shows this version after you log in again."
    return "Add it: right-click a panel, Add Widgets, ullage."


def turn_off(environ: Mapping[str, str]) -> str:
    """Take the widget out of the panels, and return what is left to do."""
    if _evaluate(_REMOVE, environ) is not None:
        return "It is gone from the panels."
    return "A panel that still has it: right-click it there, Show Panel Configuration, and remove it."


def _evaluate(script: str, environ: Mapping[str, str]) -> str | None:
    """Return what the running desktop says when it evaluates a script of ours; None where none runs."""
    call = ["dbus-send", "--session", "--print-reply=literal", "--reply-timeout=10000", "--dest=org.kde.plasmashell"]
    call += ["/PlasmaShell", "org.kde.PlasmaShell.evaluateScript", f"string:{script}"]
    return widgets.ask(call, environ)

"""Survey the hosts on this machine that can show the segment, and plan to set all of them up, or to undo that."""

from __future__ import annotations

import functools
import os
import re

from ullage import config
from ullage.base.errors import UllageError
from ullage.base.record import Record
from ullage.setup import claude_code, gnome, hosts, look, plans, plasma, service, tray, widgets
from ullage.system import programs
from ullage.system.files import read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ullage.setup.plans import Plan
    from ullage.setup.widgets import Tree

WIDGETS = {gnome.NAME: gnome, plasma.NAME: plasma}

# The programs of bars by what `ullage panel` calls their format; their own files are left to the person.
_BARS = {
    "waybar": "waybar",
    "i3bar": "i3bar",
    "swaybar": "i3bar",
    "i3blocks": "i3blocks",
    "i3status-rs": "i3status-rust",
    "py3status": "py3status",
    "polybar": "polybar",
    "lemonbar": "lemonbar",
    "xmobar": "xmobar",
    "conky": "conky",
    "xfce4-panel": "genmon",
    "sketchybar": "sketchybar",
}
_DESKTOPS = {gnome.NAME: ("GNOME", "gnome-shell"), plasma.NAME: ("KDE", "plasmashell")}


class HostPlan(Record):
    """A host, its file or directory, and the change there: a plan, a widget's tree, or `words` that say why none."""

    name: str
    path: str
    plan: Plan | None = None
    tree: Tree | None = None
    words: str = ""

    @property
    def changes(self) -> bool:
        """Say whether there is anything to write or remove."""
        return self.tree is not None or (self.plan is not None and self.plan.change is not None)


class Survey(Record):
    """What a survey found: places, bars by their format, and installed hosts for which the person has no file."""

    places: tuple[HostPlan, ...]
    bars: tuple[str, ...]
    unused: tuple[str, ...]


def survey_machine(environ: Mapping[str, str], program: str, *, has_tray: bool = False) -> Survey:
    """Survey this machine; `program` is the ullage that a widget starts, `has_tray` that it can show an icon."""
    here = [name for name in hosts.HOSTS if plans.find_host_program(name, environ)]
    used = [name for name in here if _is_used(name, environ)]
    fed = _fed_shells(used, environ) if "starship" in here else []
    places = [_place(name, environ, fed) for name in used if name != "starship"]
    if fed:
        places.append(_place("starship", environ, fed))
    settings_path = functools.partial(claude_code.locate_settings, environ)
    if programs.find_program("claude", environ) or os.path.isdir(os.path.dirname(settings_path())):
        places.append(_planned(claude_code.NAME, settings_path, claude_code.plan, environ))
    desktops = environ.get("XDG_CURRENT_DESKTOP", "").split(":")
    for name, (desktop, needed) in _DESKTOPS.items():
        if desktop in desktops and programs.find_program(needed, environ):
            places.append(_widget(name, environ, program))
    if has_tray and tray.is_started_at_login(environ) and not any(place.name in WIDGETS for place in places):
        places.append(_planned(tray.NAME, lambda: tray.locate(environ), lambda _: tray.plan(environ, program), environ))
    bars = dict.fromkeys(form for bar, form in _BARS.items() if programs.find_program(bar, environ))
    unused = [name for name in here if name not in used and not (name == "starship" and fed)]
    return Survey(places=tuple(places), bars=tuple(bars), unused=tuple(unused))


def find_set_up(environ: Mapping[str, str]) -> tuple[HostPlan, ...]:
    """Return every place that ullage has changed, with the plan that undoes it."""
    places = [_undone(name, environ) for name in hosts.HOSTS]
    places.append(
        _planned(claude_code.NAME, lambda: claude_code.locate_settings(environ), claude_code.plan_undo_all, environ)
    )
    if os.name == "posix":
        manager = service.find_manager()
        path = service.locate_file(environ, manager)
        places.append(
            _planned(service.NAME, lambda: path, lambda environ: service.plan_undo(environ, manager), environ)
        )
    places.append(_planned(tray.NAME, lambda: tray.locate(environ), tray.plan_undo, environ))
    places.append(_planned(look.NAME, lambda: config.locate_config(environ), look.plan_undo, environ))
    for name, desktop in WIDGETS.items():
        directory = desktop.locate_directory(environ)
        if widgets.is_ours(directory):
            places.append(HostPlan(name=name, path=directory, tree=widgets.Tree(directory=directory, files={})))
    return tuple(
        place
        for place in places
        if place.changes or (place.plan is None and b"ullage" in (read_regular(place.path) or b""))
    )


def _is_used(name: str, environ: Mapping[str, str]) -> bool:
    """Say whether a host has a file of the person's, is the shell that they log in to, or the tmux that they are in."""
    if name == os.path.basename(environ.get("SHELL", "")) or (name == "tmux" and environ.get("TMUX")):
        return True
    try:
        host = hosts.find_host(name, environ)
    except UllageError:
        return False
    own = [host.path, *([host.beside] if host.beside else [])]
    # These have a directory of their own, in which ours is a file beside theirs.
    if name in ("fish", "nushell"):
        own.append(os.path.dirname(os.path.dirname(host.path)))
    return any(map(os.path.lexists, own))


def _fed_shells(used: list[str], environ: Mapping[str, str]) -> list[str]:
    """Return the shells whose prompt starship makes, where its own format has room for the segment; none elsewhere."""
    shells = [name for name in hosts.FEEDS_STARSHIP if name in used and _runs_starship(name, environ)]
    try:
        plan = plans.plan(hosts.find_host("starship", environ, without_process=True)) if shells else None
    except UllageError:
        return []
    return shells if plan is not None and not plan.note else []


def _runs_starship(name: str, environ: Mapping[str, str]) -> bool:
    if {"nushell": "nu", "pwsh": "powershell"}.get(name, name) == environ.get("STARSHIP_SHELL"):
        return True
    host = hosts.find_host(name, environ)
    texts = ((read_regular(path) or b"").decode(errors="replace") for path in (host.path, host.beside) if path)
    return any(re.search(r"^\s*[^#\n]*\bstarship init\b", text, re.MULTILINE) for text in texts)


def _place(name: str, environ: Mapping[str, str], fed: list[str]) -> HostPlan:
    host = hosts.find_host(name, environ, starship=name in fed, without_process=name == "starship")
    return _planned(name, lambda: host.path, lambda environ: _left_alone(host, environ) or plans.plan(host), environ)


def _left_alone(host: hosts.Host, environ: Mapping[str, str]) -> Plan | None:
    """Return that nothing is to be done where a block of ours works, with whatever options it was written."""
    data = read_regular(host.path)
    standing = plans.find_standing(data, host)
    if standing.how not in ("block", "edited") or plans.find_lost_file(data, host, environ):
        return None
    return plans.Plan(change=None, words=f"is set up already (line {standing.line})")


def _undone(name: str, environ: Mapping[str, str]) -> HostPlan:
    def host() -> hosts.Host:
        return hosts.find_host(name, environ)

    return _planned(name, lambda: host().path, lambda _: plans.plan_undo(host()), environ)


def _planned(
    name: str, path: Callable[[], str], plan: Callable[[Mapping[str, str]], Plan], environ: Mapping[str, str]
) -> HostPlan:
    shown = ""
    try:
        shown = path()
        planned = plan(environ)
    except UllageError as error:
        return HostPlan(name=name, path=shown, words=str(error))
    return HostPlan(name=name, path=shown, plan=planned, words="" if planned.change else planned.words)


def _widget(name: str, environ: Mapping[str, str], program: str) -> HostPlan:
    desktop = WIDGETS[name]
    try:
        tree = desktop.build_tree(environ, program)
        if widgets.is_written(tree):
            return HostPlan(name=name, path=tree.directory, words="is set up already")
    except UllageError as error:
        return HostPlan(name=name, path="", words=str(error))
    return HostPlan(name=name, path=tree.directory, tree=tree)

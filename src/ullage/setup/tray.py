"""`ullage setup tray`: the tray at each login, by a desktop's autostart file, an agent of launchd, or the registry."""

from __future__ import annotations

import os
import plistlib
import re
import shlex
import sys

from ullage.base.errors import UsageError
from ullage.base.text import quote
from ullage.setup import ownfile
from ullage.setup.hosts import find_config_home, find_home

if sys.platform == "win32":
    from ullage.setup import registry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ullage.setup.plans import Plan

NAME = "tray"
_LABEL = "ullage.tray"
_ENDING = "An icon that is there now ends by its menu's Quit."
_NOTE = "No desktop is named here that reads such a file; i3 and sway do not. Their own line for it: exec ullage tray"

_ENTRY = """\
[Desktop Entry]
Type=Application
Name=ullage
Comment=How much of a Claude plan is used
Icon=utilities-system-monitor
TryExec={tried}
Exec={command}
Terminal=false
"""


def locate(environ: Mapping[str, str], platform: str = sys.platform) -> str:
    """Return the file, whether it exists or not, or the registry's value."""
    if sys.platform == "win32":
        return registry.PATH
    if platform == "darwin":
        return os.path.join(find_home(environ), "Library", "LaunchAgents", f"{_LABEL}.plist")
    return os.path.join(find_config_home(environ), "autostart", "ullage-tray.desktop")


def is_started_at_login(environ: Mapping[str, str], platform: str = sys.platform) -> bool:
    """Say whether there is a desktop that starts what is put there: a window manager starts what its own file says."""
    return platform in ("win32", "darwin") or environ.get("XDG_CURRENT_DESKTOP", "") not in ("", "i3", "sway")


def plan(environ: Mapping[str, str], program: str, platform: str = sys.platform) -> Plan:
    """Return what would be written to start `program`; raise UsageError where it cannot be done safely."""
    if sys.platform == "win32":
        return registry.plan(program)
    path, text = locate(environ, platform), build_text(environ, program, platform)
    if platform == "darwin":
        return ownfile.plan(path, text, f"Start it now: launchctl bootstrap gui/$(id -u) {shlex.quote(path)}")
    note = "" if is_started_at_login(environ, platform) else _NOTE
    return ownfile.plan(path, text, "It starts at each login. Start it now: ullage tray", note)


def plan_undo(environ: Mapping[str, str], platform: str = sys.platform) -> Plan:
    """Return what taking it away would change."""
    if sys.platform == "win32":
        return registry.plan_undo(_ENDING)
    return ownfile.plan_undo(locate(environ, platform), _ENDING)


def build_text(environ: Mapping[str, str], program: str, platform: str = sys.platform) -> bytes:
    """Return the file's bytes."""
    body = _agent(environ, program) if platform == "darwin" else _entry(environ, program).encode()
    return ownfile.sign(body, NAME)


def _entry(environ: Mapping[str, str], program: str) -> str:
    variables = [f"{name}={value}" for name, value in ownfile.list_kept(environ).items()]
    command = " ".join(["env", *map(_quoted, [*variables, program]), "tray"])
    if "=" in program:
        # env would take it for a variable.
        raise UsageError(f"A desktop starts no program whose path holds a =: {quote(program)}. Install it elsewhere.")
    return _ENTRY.format(tried=program, command=command)


def _quoted(argument: str) -> str:
    """Quote an argument of Exec, where % means something; raise UsageError for what desktops and systemd read apart."""
    odd = re.search(r"[`$\\]", ownfile.check_printable(argument))
    if odd:
        raise UsageError(
            f"{quote(argument)} has a {odd[0]} in it, which desktops read in different ways. Choose paths without it."
        )
    escaped = argument.replace('"', r'\\"').replace("%", "%%")
    return f'"{escaped}"'


def _agent(environ: Mapping[str, str], program: str) -> bytes:
    agent = {
        "Label": _LABEL,
        "ProgramArguments": [ownfile.check_printable(program), "tray"],
        "EnvironmentVariables": ownfile.list_kept(environ),
        "LimitLoadToSessionType": "Aqua",
        "ProcessType": "Interactive",
        "RunAtLoad": True,
    }
    return plistlib.dumps(agent, sort_keys=False)

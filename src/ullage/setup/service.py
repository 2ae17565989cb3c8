"""`ullage setup service`: a unit of the user's own systemd, or an agent of launchd, that runs `ullage serve`."""

from __future__ import annotations

import os
import plistlib
import shlex
import shutil
import sys

from ullage.base.errors import UsageError
from ullage.setup import ownfile
from ullage.setup.hosts import find_config_home, find_home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    from ullage.setup.plans import Plan

    Manager = Literal["systemd", "launchd"]

NAME = "service"
LABEL = "ullage.serve"

# Home stays writable: the refresh runs the user's own claude, which must be able to keep the token that it renews.
_UNIT = """\
[Unit]
Description=How much of a Claude plan is used, on a Unix socket

[Service]
Type=exec
ExecStart={command}
Restart=on-failure
RestartSec=10
{environment}UMask=0077
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths={writable}
PrivateTmp=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
LockPersonality=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native

[Install]
WantedBy=default.target
"""


def find_manager(platform: str = sys.platform) -> Manager:
    """Return what runs services here; raise UsageError where nothing does that this knows."""
    if platform == "win32":
        raise UsageError(
            "Windows has neither systemd nor launchd. Make a task in the Task Scheduler that runs `ullage serve` when "
            "you log on."
        )
    return "launchd" if platform == "darwin" else "systemd"


def locate_file(environ: Mapping[str, str], manager: Manager) -> str:
    """Return where the file lies, whether it exists or not."""
    if manager == "launchd":
        return os.path.join(find_home(environ), "Library", "LaunchAgents", f"{LABEL}.plist")
    return os.path.join(find_config_home(environ), "systemd", "user", "ullage.service")


def plan(environ: Mapping[str, str], manager: Manager) -> Plan:
    """Return what setting up would change; raise UsageError where it cannot be done safely."""
    path = locate_file(environ, manager)
    return ownfile.plan(path, build_text(environ, manager), _afterwards(manager, path))


def plan_undo(environ: Mapping[str, str], manager: Manager) -> Plan:
    """Return what taking the service away would change."""
    path = locate_file(environ, manager)
    return ownfile.plan_undo(path, _ending(manager, path))


def build_text(environ: Mapping[str, str], manager: Manager) -> bytes:
    """Return the file's bytes."""
    return ownfile.sign(_agent(environ) if manager == "launchd" else _unit(environ).encode(), NAME)


def _unit(environ: Mapping[str, str]) -> str:
    kept = ownfile.list_kept(environ)
    own = ["%h", "%t", *(path for name, path in kept.items() if name.endswith(("_DIR", "_HOME")))]
    # A minus: one that is not there yet is no reason to fail.
    writable = " ".join(entry if entry.startswith("%") else _quoted(f"-{entry}") for entry in own)
    command = " ".join([_quoted(_program(environ)), "serve", "--unix", "%t/ullage/serve.sock"])
    variables = "".join(f"Environment={_quoted(f'{name}={value}')}\n" for name, value in kept.items())
    return _UNIT.format(command=command, environment=variables, writable=writable)


def _agent(environ: Mapping[str, str]) -> bytes:
    socket = os.path.join(find_home(environ), "Library", "Application Support", "ullage", "serve.sock")
    agent = {
        "Label": LABEL,
        "ProgramArguments": [ownfile.check_printable(_program(environ)), "serve", "--unix", socket],
        "EnvironmentVariables": ownfile.list_kept(environ),
        "KeepAlive": {"SuccessfulExit": False},
        "ProcessType": "Background",
        "RunAtLoad": True,
        "ThrottleInterval": 10,
        "Umask": 0o077,
    }
    return plistlib.dumps(agent, sort_keys=False)


def _program(environ: Mapping[str, str]) -> str:
    found = shutil.which("ullage", path=environ.get("PATH"))
    if found is None:
        raise UsageError("No `ullage` is on your PATH, and a service needs one to run. Put it there first.")
    if "$" in found:
        raise UsageError(f"{found} has a $ in it, which a service would take for a variable. Install ullage elsewhere.")
    return os.path.abspath(found)


def _quoted(text: str) -> str:
    """Quote for a unit file, where % means something; raise UsageError for what no quoting helps."""
    escaped = ownfile.check_printable(text).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def _afterwards(manager: Manager, path: str) -> str:
    if manager == "launchd":
        return f"Start it: launchctl bootstrap gui/$(id -u) {shlex.quote(path)}"
    return (
        "Start it: systemctl --user daemon-reload && systemctl --user enable --now ullage\n"
        "Ask it: curl --unix-socket $XDG_RUNTIME_DIR/ullage/serve.sock http://localhost/v1/usage"
    )


def _ending(manager: Manager, path: str) -> str:
    if manager == "launchd":
        return f"One that runs ends with: launchctl bootout gui/$(id -u)/{LABEL}"
    return f"One that runs ends with: systemctl --user disable --now {shlex.quote(os.path.basename(path))}"

"""`ullage setup service`: a unit of the user's own systemd, or an agent of launchd, that runs `ullage serve`.

The file is ours alone. Its first comment holds a checksum of the rest, so that a file of somebody else's is never
replaced, and one that was changed since is never lost.
"""

from __future__ import annotations

import hashlib
import os
import plistlib
import re
import shlex
import shutil
import sys

from ullage.base.errors import UsageError
from ullage.base.text import quote
from ullage.setup import userfile
from ullage.setup.plans import Plan, find_home
from ullage.setup.userfile import Change

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    from ullage.setup.userfile import UserFile

    Manager = Literal["systemd", "launchd"]

NAME = "service"
LABEL = "ullage.serve"
# What says where things lie; never what could be a secret, nor a proxy that holds one.
_KEPT = ("PATH", "CLAUDE_CONFIG_DIR", "ULLAGE_CONFIG", "ULLAGE_CACHE_DIR", "ULLAGE_STATE_DIR", "XDG_CACHE_HOME")
_MARK = re.compile(rb"(?:# |<!-- )Written by `ullage setup service`; checksum ([0-9a-f]{64})(?: -->)?\n")

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
    given = environ.get("XDG_CONFIG_HOME", "")
    root = given if os.path.isabs(given) else os.path.join(find_home(environ), ".config")
    return os.path.join(root, "systemd", "user", "ullage.service")


def plan(environ: Mapping[str, str], manager: Manager) -> Plan:
    """Return what setting up would change; raise UsageError where it cannot be done safely."""
    file = userfile.read(locate_file(environ, manager))
    wanted = build_text(environ, manager)
    if file.data == wanted:
        return Plan(change=None, words=f"{file.path} is set up already.")
    if file.data is not None and not _is_as_written(file.data):
        raise UsageError(
            f"{file.path} is there already, and is not as this command wrote it. It stays as it is; move it away first."
        )
    return Plan(change=Change(file=file, after=wanted), words=_afterwards(manager, file.path), takes_back=True)


def plan_undo(environ: Mapping[str, str], manager: Manager) -> Plan:
    """Return what taking the service away would change."""
    file = userfile.read(locate_file(environ, manager))
    if file.data is None or _MARK.search(file.data) is None:
        return Plan(change=None, words=f"{file.path} is not from this command: nothing to undo.")
    ours = _is_as_written(file.data)
    return Plan(
        change=Change(file=file, after=None),
        words=_ending(manager, file),
        note="" if ours else "The file is not as ullage wrote it; a copy is kept.",
        takes_back=ours,
    )


def build_text(environ: Mapping[str, str], manager: Manager) -> bytes:
    """Return the file's bytes."""
    return _marked(_agent(environ), after=1) if manager == "launchd" else _marked(_unit(environ).encode(), after=0)


def _unit(environ: Mapping[str, str]) -> str:
    kept = [f"Environment={_quoted(f'{name}={environ[name]}')}\n" for name in _KEPT if environ.get(name)]
    own = ["%h", "%t", *(environ[name] for name in _KEPT if name.endswith(("_DIR", "_HOME")) and environ.get(name))]
    # A minus: one that is not there yet is no reason to fail.
    writable = " ".join(entry if entry.startswith("%") else _quoted(f"-{entry}") for entry in own)
    command = " ".join([_quoted(_program(environ)), "serve", "--unix", "%t/ullage/serve.sock"])
    return _UNIT.format(command=command, environment="".join(kept), writable=writable)


def _agent(environ: Mapping[str, str]) -> bytes:
    socket = os.path.join(find_home(environ), "Library", "Application Support", "ullage", "serve.sock")
    agent = {
        "Label": LABEL,
        "ProgramArguments": [_program(environ), "serve", "--unix", socket],
        "EnvironmentVariables": {name: environ[name] for name in _KEPT if environ.get(name)},
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
    if not text.isprintable():
        raise UsageError(f"{quote(text)} cannot stand in a service's file. Choose paths without control characters.")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def _marked(body: bytes, after: int) -> bytes:
    """Put the mark behind the first so many lines."""
    lines = body.splitlines(keepends=True)
    mark = f"Written by `ullage setup service`; checksum {hashlib.sha256(body).hexdigest()}"
    comment = f"<!-- {mark} -->\n" if after else f"# {mark}\n"
    return b"".join([*lines[:after], comment.encode(), *lines[after:]])


def _is_as_written(data: bytes) -> bool:
    found = _MARK.search(data)
    rest = data[: found.start()] + data[found.end() :] if found else b""
    return found is not None and hashlib.sha256(rest).hexdigest().encode() == found[1]


def _afterwards(manager: Manager, path: str) -> str:
    if manager == "launchd":
        return f"Start it: launchctl bootstrap gui/$(id -u) {shlex.quote(path)}"
    return (
        "Start it: systemctl --user daemon-reload && systemctl --user enable --now ullage\n"
        "Ask it: curl --unix-socket $XDG_RUNTIME_DIR/ullage/serve.sock http://localhost/v1/usage"
    )


def _ending(manager: Manager, file: UserFile) -> str:
    if manager == "launchd":
        return f"One that runs ends with: launchctl bootout gui/$(id -u)/{LABEL}"
    return f"One that runs ends with: systemctl --user disable --now {shlex.quote(os.path.basename(file.path))}"

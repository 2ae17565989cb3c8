"""The programs that show the segment: which are here and new enough, how each is set up, and what it costs a prompt."""

from __future__ import annotations

import os
import re
import subprocess

from ullage.base.errors import UllageError, UsageError
from ullage.doctor import measure
from ullage.doctor.finding import Finding
from ullage.setup import plans
from ullage.system import programs
from ullage.system.files import read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any

_VERSION_SECONDS = 5
_PROGRAMS = {"nushell": "nu"}
# What the tests run, or what the shell code is written for.
_MINIMUM = {
    "bash": (3, 2),
    "zsh": (5, 3),
    "fish": (3, 4),
    "elvish": (0, 19),
    "nushell": (0, 107),
    "xonsh": (0, 13),
    "starship": (1, 20),
    "tmux": (3, 2),
}
# Where else a line of one's own may stand.
_MORE_FILES = {
    "bash": (".bash_profile", ".bash_login", ".profile"),
    "zsh": (".zprofile", ".zshenv"),
    "fish": (".config/fish/config.fish",),
    "elvish": (".elvish/rc.elv",),
    "nushell": (".config/nushell/config.nu", ".config/nushell/env.nu"),
    "xonsh": (".config/xonsh/rc.xsh",),
    "tmux": (".tmux.conf", ".config/tmux/tmux.conf"),
}


def report_hosts(
    environ: Mapping[str, str], now: datetime, findings: list[Finding]
) -> tuple[list[dict[str, Any]], dict[str, float | None]]:
    """Return what is to be said of each host, and how long each program takes for a prompt, in milliseconds."""
    hosts = [_host(name, environ, findings) for name in plans.HOSTS]
    prompt: dict[str, float | None] = {}
    try:
        with measure.cache(environ, int(now.timestamp())) as inside:
            prompt = measure.programs(inside)
            for host in hosts:
                if host["name"] in measure.SHELLS and host["program"]:
                    host["hook_microseconds"] = measure.hook(host["name"], host["program"], inside)
    except (OSError, UllageError) as error:
        findings.append(Finding(code="not_measured", message=f"Nothing could be measured: {error}.", exit_code=2))
    set_up = [host["name"] for host in hosts if host["set_up"] not in ("none", "damaged")]
    for program in ("ullage", "ullage-prompt"):
        if set_up and programs.find_program(program, environ) is None:
            words = f"{program} is not in PATH, so {', '.join(set_up)} cannot find it. Add its directory to PATH."
            findings.append(Finding(code="not_in_path", message=words, exit_code=2))
    if _is_starship_unfed(hosts, environ):
        words = (
            "starship shows what a shell's hook exports, and none does: `ullage setup bash --starship`, or zsh, "
            "fish or nushell."
        )
        findings.append(Finding(code="starship_unfed", message=words, exit_code=2))
    return hosts, prompt


def _is_starship_unfed(hosts: list[dict[str, Any]], environ: Mapping[str, str]) -> bool:
    texts = {host["name"]: read_regular(host["file"]) or b"" for host in hosts if host["file"]}
    starship = texts.pop("starship", b"")
    if b"env_var.ULLAGE_SEGMENT" not in starship or b"custom.ullage" in starship or "ULLAGE_SEGMENT" in environ:
        return False
    return not any(
        word in text
        for text in texts.values()
        for word in (b"--starship", b"ULLAGE_PLACE", b"ULLAGE_SEGMENT", b"__ullage.place")
    )


def _host(name: str, environ: Mapping[str, str], findings: list[Finding]) -> dict[str, Any]:
    program = programs.find_program(_PROGRAMS.get(name, name), environ)
    version = _version(program, environ) if program else None
    enough = version is None or _numbers(version) >= _MINIMUM[name]
    file, standing = _standing(name, environ)
    minimum = ".".join(map(str, _MINIMUM[name]))
    if standing.how == "damaged":
        words = f"The marks of ullage's block in {file} do not pair up. `ullage setup {name}` says where."
        findings.append(Finding(code="damaged_block", message=words, exit_code=2))
    lost = plans.lost_file(read_regular(file)) if file else None
    if lost:
        words = (
            f"{file} names {lost}, which is not there any more, so {name} shows nothing. `ullage setup {name} --undo`, "
            f"then `ullage setup {name}` names the new one."
        )
        findings.append(Finding(code="lost_file", message=words, exit_code=2))
    if standing.how not in ("none", "damaged") and not enough:
        words = f"{name} {version} is too old for what {file} asks of it: ullage needs {minimum}."
        findings.append(Finding(code="too_old", message=words, exit_code=2))
    return {
        "name": name,
        "program": program,
        "version": version,
        "minimum": minimum,
        "enough": enough if version else None,
        "file": file,
        "set_up": standing.how,
        "line": standing.line,
        "hook_microseconds": None,
    }


def _version(program: str, environ: Mapping[str, str]) -> str | None:
    try:
        done = subprocess.run(
            [program, "-V" if os.path.basename(program) == "tmux" else "--version"],
            env={"PATH": environ.get("PATH", os.defpath), "HOME": "/", "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_VERSION_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(rb"\d+(?:\.\d+)+[a-z]?", done.stdout)
    return found.group().decode() if found else None


def _numbers(version: str) -> tuple[int, ...]:
    # tmux counts in letters: 3.3a.
    return tuple(int(number) for number in re.findall(r"\d+", version))


def _standing(name: str, environ: Mapping[str, str]) -> tuple[str | None, plans.Standing]:
    """Return the file that shows the segment, else the one that setup would change."""
    try:
        host = plans.host(name, environ)
    except UsageError:
        return None, plans.Standing(how="none")
    home = environ.get("HOME", "")
    for path in (host.path, *(os.path.join(home, more) for more in _MORE_FILES.get(name, ()))):
        standing = plans.standing(read_regular(path), host)
        if standing.how != "none":
            return path, standing
    return host.path, plans.Standing(how="none")

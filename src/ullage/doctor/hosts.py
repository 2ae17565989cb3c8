"""Report on the programs that show the segment: which are here and new enough, and how each is set up."""

from __future__ import annotations

import os
import re
import threading

from ullage.base.errors import UllageError, UsageError
from ullage.doctor.finding import Finding
from ullage.quota.schemas import HostDocument
from ullage.setup import plans, reasons, started
from ullage.setup.hosts import HOSTS, find_host
from ullage.system import programs
from ullage.system.files import read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

_VERSION_SECONDS = 5
# Bounded, so that a program which prints a MiB of digits is not searched for hours.
_VERSION = re.compile(rb"\d{1,9}(?:\.\d{1,9}){1,9}[a-z]?")
# The oldest versions that the tests run, or that the shell code is written for.
_MINIMUM = {
    "bash": (3, 2),
    "zsh": (5, 3),
    "fish": (3, 4),
    "elvish": (0, 19),
    "nushell": (0, 107),
    "xonsh": (0, 13),
    "pwsh": (5, 1),
    "starship": (1, 20),
    "tmux": (3, 2),
}
_SET_UP = ("block", "edited", "by hand")
# Those that run it at every prompt.
_READERS = ("starship", "tmux")
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
    environ: Mapping[str, str], findings: list[Finding], show: Callable[[str], object]
) -> list[HostDocument]:
    """Report on each host; programs that are set up are started once, for their version, all at the same time."""
    paths = {name: plans.find_host_program(name, environ) for name in HOSTS}
    standings = {name: _standing(name, environ) for name in HOSTS}
    # Another's version says nothing about what is wrong here, and that of a shell written in Python takes long to come.
    asked = {name: path for name, path in paths.items() if path and standings[name][1].how != "none"}
    versions = _versions(asked, environ) if asked else {}
    hosts = [_host(name, paths[name], versions.get(name), standings[name], environ, findings) for name in HOSTS]
    _prove(hosts, environ, findings, show)
    needed = {
        # The lines that setup writes name it by its full path.
        "ullage": [host.name for host in hosts if host.set_up == "by hand" and host.name in started.SHELLS],
        "ullage-prompt": [host.name for host in hosts if host.name in _READERS and host.set_up in _SET_UP],
    }
    for program, users in needed.items():
        if users and programs.find_program(program, environ) is None:
            words = f"{program} is not in PATH, so {', '.join(users)} cannot find it. Add its directory to PATH."
            findings.append(Finding(code="not_in_path", message=words, exit_code=2))
    if _is_starship_unfed(hosts, environ):
        words = (
            "starship shows what a shell's hook exports, and none does: `ullage setup bash --starship`, or zsh, "
            "fish, nushell or pwsh."
        )
        findings.append(Finding(code="starship_unfed", message=words, exit_code=2))
    return hosts


def measure_prompts(
    hosts: Sequence[HostDocument],
    environ: Mapping[str, str],
    now: datetime,
    findings: list[Finding],
    show: Callable[[str], object],
) -> dict[str, float | None]:
    """Return how many milliseconds each program takes for a prompt; put what each shell's hook takes into `hosts`."""
    # Imported late: few ask for it.
    from ullage.doctor import measure

    prompt: dict[str, float | None] = {}
    try:
        with measure.cache(environ, int(now.timestamp())) as inside:
            show("Timing ullage-prompt …")
            prompt = measure.programs(inside)
            for host in hosts:
                if host.name in measure.SHELLS and host.program:
                    show(f"Timing a prompt of {host.name} …")
                    host.hook_microseconds = measure.hook(host.name, host.program, inside)
    except (OSError, UllageError) as error:
        findings.append(Finding(code="not_measured", message=f"Nothing could be measured: {error}.", exit_code=2))
    return prompt


def _prove(
    hosts: Sequence[HostDocument],
    environ: Mapping[str, str],
    findings: list[Finding],
    show: Callable[[str], object],
) -> None:
    """Start each shell that is set up, and put into `hosts` whether its prompt shows the segment."""
    shells = {host.name: host for host in hosts if host.name in started.SHELLS and host.set_up in _SET_UP}
    found = {name: host.program for name, host in shells.items() if host.program and host.enough is not False}
    if not found or os.name != "posix":
        # There is none to start, or no terminal to start it on.
        return
    show(f"Starting {', '.join(found)} to see what prompts show …")
    try:
        starts = started.look(found, environ)
    except OSError as error:
        words = f"No shell could be started on a terminal: {error.strerror or error}."
        findings.append(Finding(code="not_tried", message=words, exit_code=2))
        return
    for name in found:
        of_shell = [start for start in starts if start.shell == name]
        for start in of_shell:
            setattr(shells[name], "seen_at_login" if start.login else "seen", start.seen)
        missing = reasons.explain(find_host(name, environ), of_shell, environ)
        findings += [Finding(code="not_seen", message=sentence, exit_code=2) for sentence in missing]


def _is_starship_unfed(hosts: list[HostDocument], environ: Mapping[str, str]) -> bool:
    texts = {host.name: read_regular(host.file) or b"" for host in hosts if host.file}
    starship = texts.pop("starship", b"")
    if b"env_var.ULLAGE_SEGMENT" not in starship or b"custom.ullage" in starship or "ULLAGE_SEGMENT" in environ:
        return False
    return not any(
        word in text
        for text in texts.values()
        for word in (b"--starship", b"ULLAGE_PLACE", b"ULLAGE_SEGMENT", b"__ullage.place")
    )


def _host(
    name: str,
    program: str | None,
    version: str | None,
    found: tuple[str | None, plans.Standing],
    environ: Mapping[str, str],
    findings: list[Finding],
) -> HostDocument:
    file, standing = found
    enough = version is None or _numbers(version) >= _MINIMUM[name]
    minimum = ".".join(map(str, _MINIMUM[name]))
    if standing.how == "damaged":
        words = f"The marks of ullage's block in {file} do not pair up. `ullage setup {name}` says where."
        findings.append(Finding(code="damaged_block", message=words, exit_code=2))
    lost = _lost_file(name, file, environ)
    if lost:
        words = (
            f"{file} names {lost}, which is not there any more, so {name} shows nothing or starts slowly. "
            f"`ullage setup {name}` names the new one."
        )
        findings.append(Finding(code="lost_file", message=words, exit_code=2))
    if standing.how not in ("none", "damaged") and not enough:
        words = f"{name} {version} is too old for what {file} asks of it: ullage needs {minimum}."
        findings.append(Finding(code="too_old", message=words, exit_code=2))
    return HostDocument(
        name=name,
        program=program,
        version=version,
        minimum=minimum,
        enough=enough if version else None,
        file=file,
        set_up=standing.how,
        line=standing.line,
        seen=None,
        seen_at_login=None,
        hook_microseconds=None,
    )


def _lost_file(name: str, file: str | None, environ: Mapping[str, str]) -> str | None:
    return plans.find_lost_file(read_regular(file), find_host(name, environ), environ) if file else None


def _versions(paths: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the version that each program says it has, all asked at once; without those that say none in time."""
    versions: dict[str, str] = {}
    asking = [
        threading.Thread(target=_ask_version, args=(name, path, environ, versions)) for name, path in paths.items()
    ]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    return versions


def _ask_version(name: str, program: str, environ: Mapping[str, str], versions: dict[str, str]) -> None:
    name_of_program = os.path.basename(program).lower()
    if name_of_program == "powershell.exe":
        # Windows PowerShell has no option that says its version.
        command = [program, "-NoProfile", "-NonInteractive", "-Command", "$PSVersionTable.PSVersion.ToString()"]
    else:
        command = [program, "-V" if name_of_program == "tmux" else "--version"]
    inside = {"PATH": environ.get("PATH", os.defpath), "HOME": "/", "LC_ALL": "C"}
    done = programs.ask_program(command, inside, seconds=_VERSION_SECONDS)
    found = _VERSION.search(done.output) if done else None
    if found:
        versions[name] = found.group().decode()


def _numbers(version: str) -> tuple[int, ...]:
    # tmux counts in letters: 3.3a.
    return tuple(int(number) for number in re.findall(r"\d+", version))


def _standing(name: str, environ: Mapping[str, str]) -> tuple[str | None, plans.Standing]:
    """Return the file that shows the segment, else the one that setup would change."""
    try:
        host = find_host(name, environ)
    except UsageError:
        return None, plans.Standing(how="none")
    home = environ.get("HOME", "")
    for path in (host.path, *(os.path.join(home, more) for more in _MORE_FILES.get(name, ()))):
        standing = plans.find_standing(read_regular(path), host)
        if standing.how != "none":
            return path, standing
    return host.path, plans.Standing(how="none")

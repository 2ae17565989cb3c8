"""`ullage doctor`: what is installed, set up, read and due here, and what is wrong with it. It changes nothing.

Works where little else does: without a home, with a cache that belongs to somebody else, with a broken config.toml.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess

from ullage import __version__, config, memory, schedule, setup
from ullage.cache import ProfileCache, refuse_strangers
from ullage.doctor import measure, redact, source_report, state_report
from ullage.errors import CacheError, UllageError, UsageError
from ullage.files import read_regular
from ullage.metrics import report as metrics_report
from ullage.model import Limits, iso, state_at
from ullage.record import Record
from ullage.schedule import Schedule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from typing import Any

    from ullage.model import Reading

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


class Finding(Record):
    """Something that is wrong, in words that say what to do, and the exit code that it makes."""

    code: str
    message: str
    exit_code: int


class Examination(Record):
    """All that was found: `document` is what is shown, without a secret; the rest is for the exit code."""

    document: dict[str, Any]
    findings: tuple[Finding, ...]
    reading: Reading | None
    plan: Schedule
    limits: Limits


def examine(environ: Mapping[str, str], now: datetime) -> Examination:
    """Look at everything once; raises nothing that the state of the machine could cause."""
    findings: list[Finding] = []
    cache = _cache(environ, findings)
    reading, plan = (cache.reading(), cache.schedule()) if cache else (None, Schedule())
    limits, configuration = _configuration(environ, findings)
    hosts, prompt = _hosts(environ, now, findings)
    state = _state(environ, findings)
    document = {
        "schema": 1,
        "ullage": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "variables": sorted(name for name in environ if name.startswith("ULLAGE_") or name == "CLAUDE_CONFIG_DIR"),
        "hosts": hosts,
        "prompt_milliseconds": prompt,
        "cache": _cache_document(cache),
        "state": state,
        "reading": _reading_document(reading, limits, now),
        "refresh": _refresh_document(reading, plan, now),
        "sources": _sources(environ, configuration["source"], cache, now),
        "metrics": _metrics_document(environ),
        "config": configuration,
        "findings": [{"code": finding.code, "message": finding.message} for finding in findings],
    }
    ids = (reading.account.id if reading else None, plan.account_id)
    return Examination(
        document=redact.redact(document, environ, ids),
        findings=tuple(findings),
        reading=reading,
        plan=plan,
        limits=limits,
    )


def _cache(environ: Mapping[str, str], findings: list[Finding]) -> ProfileCache | None:
    try:
        cache = ProfileCache(environ)
        for directory in _directories(cache):
            refuse_strangers(directory)
    except UsageError as error:
        findings.append(Finding(code="no_cache_directory", message=str(error), exit_code=error.exit_code))
        return None
    except CacheError as error:
        findings.append(Finding(code="cache_not_private", message=str(error), exit_code=error.exit_code))
        return cache
    except OSError as error:
        words = f"{error.filename or cache.directory} cannot be looked at: {error.strerror}."
        findings.append(Finding(code="cache_unreadable", message=words, exit_code=5))
        return cache
    nearest = cache.directory
    while not os.path.lexists(nearest):
        nearest = os.path.dirname(nearest)
    if not os.path.isdir(nearest) or not os.access(nearest, os.R_OK | os.W_OK | os.X_OK):
        words = (
            f"A refresh cannot write in {nearest}. Make it a directory of yours, or name another in ULLAGE_CACHE_DIR."
        )
        findings.append(Finding(code="cache_not_writable", message=words, exit_code=5))
    return cache


def _directories(cache: ProfileCache) -> Iterator[str]:
    directory = cache.root
    for part in ("", *os.path.relpath(cache.directory, cache.root).split(os.sep)):
        directory = os.path.join(directory, part) if part else directory
        if os.path.isdir(directory):
            yield directory


def _cache_document(cache: ProfileCache | None) -> dict[str, Any] | None:
    if cache is None:
        return None
    return state_report.directory_document(cache.directory)


def _state(environ: Mapping[str, str], findings: list[Finding]) -> dict[str, Any] | None:
    try:
        path = memory.history_path(environ)
    except UsageError as error:
        findings.append(Finding(code="no_state_directory", message=str(error), exit_code=error.exit_code))
        return None
    findings += [Finding(code=code, message=words, exit_code=5) for code, words in state_report.obstacles(path)]
    return state_report.document(path)


def _configuration(environ: Mapping[str, str], findings: list[Finding]) -> tuple[Limits, dict[str, Any]]:
    path = config.config_path(environ)
    settings, issues = config.load(environ)
    wrong = config.wrong_source(settings)
    if wrong:
        findings.append(Finding(code="wrong_environment", message=wrong, exit_code=2))
    # What stands in those lines may be anything, a key that was pasted into the wrong place too.
    lines = sorted({issue.line for issue in issues})
    if issues:
        words = f"{path} has mistakes{_on_lines(lines)}; `ullage config check` explains them."
        findings.append(Finding(code="wrong_config", message=words, exit_code=2))
    return settings.limits, {
        "path": path,
        "exists": os.path.lexists(path),
        "wrong_lines": lines,
        "source": settings.source,
        "push_to_tmux": settings.push_to_tmux,
    }


def _on_lines(lines: list[int]) -> str:
    numbers = [str(line) for line in lines if line]
    return f" on line{'s' if len(numbers) > 1 else ''} {', '.join(numbers)}" if numbers else ""


def _reading_document(reading: Reading | None, limits: Limits, now: datetime) -> dict[str, Any] | None:
    if reading is None:
        return None
    return {
        "source": reading.source,
        "as_of": iso(reading.as_of),
        "age_seconds": int((now - reading.as_of).total_seconds()),
        "state": state_at(reading.as_of, now, limits),
        "windows": len(reading.windows),
    }


def _sources(
    environ: Mapping[str, str], chosen: str, cache: ProfileCache | None, now: datetime
) -> list[dict[str, Any]]:
    rows = source_report.report(environ, chosen, cache.readings() if cache else (), now)
    return [
        {
            "name": row.name,
            "in_force": row.in_force,
            "obstacle": row.obstacle,
            "as_of": iso(row.as_of) if row.as_of else None,
            "age_seconds": int((now - row.as_of).total_seconds()) if row.as_of else None,
            "cost": row.cost,
        }
        for row in rows
    ]


def _refresh_document(reading: Reading | None, plan: Schedule, now: datetime) -> dict[str, Any]:
    problem = plan.problem or (reading.problem if reading else None)
    due = schedule.due_at(plan, reading)
    return {
        "attempted_at": iso(plan.attempted_at) if plan.attempted_at else None,
        "next_at": iso(due) if due else None,
        "due": schedule.is_due(plan, reading, now),
        "held_until": iso(plan.hold_until) if plan.hold_until and schedule.is_held(plan, now) else None,
        "failures": plan.failures,
        "problem": None
        if problem is None
        else {
            "code": problem.code,
            "message": problem.message,
            "retry_at": iso(problem.retry_at) if problem.retry_at else None,
        },
    }


def _metrics_document(environ: Mapping[str, str]) -> list[dict[str, Any]]:
    try:
        sent = metrics_report.last(environ)
    except UsageError:
        return []
    return [
        {
            "way": one.way,
            "succeeded_at": iso(one.succeeded_at) if one.succeeded_at else None,
            "problem": one.problem or None,
        }
        for one in sent
    ]


def _hosts(
    environ: Mapping[str, str], now: datetime, findings: list[Finding]
) -> tuple[list[dict[str, Any]], dict[str, float | None]]:
    hosts = [_host(name, environ, findings) for name in setup.HOSTS]
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
        if set_up and shutil.which(program, path=environ.get("PATH")) is None:
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
    program = shutil.which(_PROGRAMS.get(name, name), path=environ.get("PATH"))
    version = _version(program, environ) if program else None
    enough = version is None or _numbers(version) >= _MINIMUM[name]
    file, standing = _standing(name, environ)
    minimum = ".".join(map(str, _MINIMUM[name]))
    if standing.how == "damaged":
        words = f"The marks of ullage's block in {file} do not pair up. `ullage setup {name}` says where."
        findings.append(Finding(code="damaged_block", message=words, exit_code=2))
    lost = setup.lost_file(read_regular(file)) if file else None
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


def _standing(name: str, environ: Mapping[str, str]) -> tuple[str | None, setup.Standing]:
    """Return the file that shows the segment, else the one that setup would change."""
    try:
        host = setup.host(name, environ)
    except UsageError:
        return None, setup.Standing(how="none")
    home = environ.get("HOME", "")
    for path in (host.path, *(os.path.join(home, more) for more in _MORE_FILES.get(name, ()))):
        standing = setup.standing(read_regular(path), host)
        if standing.how != "none":
            return path, standing
    return host.path, setup.Standing(how="none")

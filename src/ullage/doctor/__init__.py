"""`ullage doctor`: report what is installed, set up, read and due here, and what is wrong. It changes nothing.

Works where little else does: without a home, with a cache that belongs to somebody else, with a broken config.toml.
"""

from __future__ import annotations

import os
import platform

from ullage import __version__, config
from ullage.base.dates import UTC, datetime
from ullage.base.errors import CacheError, UsageError
from ullage.base.values import format_time
from ullage.doctor import permissions, redact
from ullage.doctor.finding import Finding
from ullage.doctor.hosts import measure_prompts, report_hosts
from ullage.doctor.sources import report_sources
from ullage.doctor.state import describe_cache, describe_state, find_obstacles
from ullage.metrics import outcomes
from ullage.quota import contract, exits, schemas
from ullage.quota.model import Thresholds, judge_age
from ullage.quota.schedule import Schedule
from ullage.store import overview, pushes, sign_in
from ullage.store.cache import ProfileCache
from ullage.system import directories
from ullage.system.files import is_filled_elsewhere

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ullage.quota.model import Reading
    from ullage.quota.schemas import DoctorDocument


def examine(
    environ: Mapping[str, str],
    now: datetime,
    *,
    measured: bool = False,
    show: Callable[[str], object] = lambda _doing: None,
) -> DoctorDocument:
    """Look at everything once, and time the prompts if asked to; the state of the machine raises nothing.

    The document holds no secret, no address and no account's id. `show` is called with what takes long, as it begins.
    """
    findings: list[Finding] = []
    cache = _cache(environ, findings)
    reading, schedule = (cache.load_reading(), cache.load_schedule()) if cache else (None, Schedule())
    thresholds, configuration = _configuration(environ, findings)
    hosts = report_hosts(environ, findings, show)
    prompt = measure_prompts(hosts, environ, now, findings, show) if measured else {}
    state = _state(environ, findings)
    by_contract = exits.choose_exit_code(reading, schedule.problem, thresholds, now)
    code = findings[0].exit_code if findings else by_contract
    document = schemas.DoctorDocument(
        schema=1,
        ullage=__version__,
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
        variables=sorted(name for name in environ if name.startswith("ULLAGE_") or name == "CLAUDE_CONFIG_DIR"),
        hosts=hosts,
        prompt_milliseconds=prompt,
        cache=describe_cache(cache) if cache else None,
        state=state,
        reading=_describe_reading(reading, thresholds, now) if reading else None,
        refresh=_describe_refresh(cache, reading, schedule, now),
        sources=_sources(environ, configuration.source, cache, now),
        sign_in=_describe_sign_in(cache, schedule),
        metrics=_describe_metrics(environ),
        push=_describe_push(environ, cache),
        config=configuration,
        findings=[schemas.WrongDocument(code=finding.code, message=finding.message) for finding in findings],
        exit_code=code,  # type: ignore[arg-type]  # checked below
    )
    accounts = [schedule.account, *([reading.account] if reading else [])]
    ids = tuple(name for account in accounts for name in (account.id, account.organization_id))
    return schemas.revise(document, lambda plain: redact.redact(plain, environ, ids))


def _cache(environ: Mapping[str, str], findings: list[Finding]) -> ProfileCache | None:
    try:
        cache = ProfileCache(environ)
        if is_filled_elsewhere(cache.root, cache.environ):
            if not os.access(cache.directory, os.R_OK | os.X_OK):
                words = f"{cache.directory} is trusted (ULLAGE_TRUSTED_CACHE), and cannot be read. Mount what fills it."
                findings.append(Finding(code="cache_unreadable", message=words, exit_code=5))
            return cache
        for directory in _directories(cache):
            directories.refuse_strangers(directory)
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
    nearest = directories.find_existing(cache.directory)
    if not os.path.isdir(nearest) or not os.access(nearest, os.R_OK | os.W_OK | os.X_OK):
        words = (
            f"A refresh cannot write in {nearest}. Make it a directory of yours, or name another in ULLAGE_CACHE_DIR."
        )
        findings.append(Finding(code="cache_not_writable", message=words, exit_code=5))
    if cache.lacks_flock():
        words = (
            f"The file system of {cache.directory} has no locks (flock), so a refresh leaves a note there instead, "
            "which other machines cannot check. Name a directory of a local disk in ULLAGE_CACHE_DIR."
        )
        findings.append(Finding(code="no_flock", message=words, exit_code=5))
    findings += filter(None, [permissions.find_exposure("cache_open", cache.root)])
    return cache


def _directories(cache: ProfileCache) -> Iterator[str]:
    directory = cache.root
    for part in ("", *os.path.relpath(cache.directory, cache.root).split(os.sep)):
        directory = os.path.join(directory, part) if part else directory
        if os.path.isdir(directory):
            yield directory


def _state(environ: Mapping[str, str], findings: list[Finding]) -> schemas.StateDocument | None:
    try:
        path = overview.locate_history(environ)
    except UsageError as error:
        findings.append(Finding(code="no_state_directory", message=str(error), exit_code=error.exit_code))
        return None
    obstacles = find_obstacles(path)
    findings += [Finding(code=code, message=words, exit_code=5) for code, words in obstacles]
    if not any(code == "state_not_private" for code, _ in obstacles):
        directory = os.path.dirname(path)
        # On macOS config.toml lies there too, which an editor has made.
        besides = os.path.join(directory, "config.toml")
        findings += filter(None, [permissions.find_exposure("state_open", directory, besides=besides)])
    return describe_state(path)


def _configuration(environ: Mapping[str, str], findings: list[Finding]) -> tuple[Thresholds, schemas.ConfigDocument]:
    try:
        path = config.locate_config(environ)
    except UsageError as error:
        findings.append(Finding(code="no_config_path", message=str(error), exit_code=error.exit_code))
        source = environ.get("ULLAGE_SOURCE") or "auto"
        return Thresholds(), schemas.ConfigDocument(
            path=None, exists=False, wrong_lines=[], source=source, push_to_tmux=False
        )
    settings, issues = config.load(environ)
    wrong = config.find_wrong_source(settings)
    if wrong:
        findings.append(Finding(code="wrong_environment", message=wrong, exit_code=2))
    # What stands in those lines may be anything, a key that was pasted into the wrong place too.
    lines = sorted({issue.line for issue in issues})
    if issues:
        words = f"{path} has mistakes{_on_lines(lines)}; `ullage config check` explains them."
        findings.append(Finding(code="wrong_config", message=words, exit_code=2))
    return settings.thresholds, schemas.ConfigDocument(
        path=path,
        exists=os.path.lexists(path),
        wrong_lines=lines,
        source=settings.source,
        push_to_tmux=settings.push_to_tmux,
    )


def _on_lines(lines: list[int]) -> str:
    numbers = [str(line) for line in lines if line]
    return f" on line{'s' if len(numbers) > 1 else ''} {', '.join(numbers)}" if numbers else ""


def _describe_reading(reading: Reading, thresholds: Thresholds, now: datetime) -> schemas.ReadingDocument:
    return schemas.ReadingDocument(
        source=reading.source,
        as_of=format_time(reading.as_of),
        age_seconds=int((now - reading.as_of).total_seconds()),
        state=judge_age(reading.as_of, now, thresholds),
        windows=len(reading.windows),
    )


def _sources(
    environ: Mapping[str, str], chosen: str, cache: ProfileCache | None, now: datetime
) -> list[schemas.SourceDocument]:
    rows = report_sources(environ, chosen, cache.load_readings() if cache else (), now)
    return [
        schemas.SourceDocument(
            name=row.name,
            in_force=row.in_force,
            obstacle=row.obstacle,
            as_of=format_time(row.as_of) if row.as_of else None,
            age_seconds=int((now - row.as_of).total_seconds()) if row.as_of else None,
            cost=row.cost,
        )
        for row in rows
    ]


def _describe_sign_in(cache: ProfileCache | None, schedule: Schedule) -> schemas.SignInDocument | None:
    """Return what `claude auth status` said last, once a day after a refresh had asked `claude`."""
    found = sign_in.load(cache.directory, schedule.account) if cache else None
    if found is None:
        return None
    return schemas.SignInDocument(
        plan_tier=found.plan_tier,
        expires_at=format_time(found.expires_at) if found.expires_at else None,
        looked_at=format_time(found.looked_at),
    )


def _find_running(cache: ProfileCache | None) -> schemas.RunningDocument | None:
    """Return the process that refreshes now, and since when."""
    found = cache.find_lock_holder() if cache else None
    if found is None:
        return None
    since = format_time(datetime.fromtimestamp(found.since, UTC))
    return schemas.RunningDocument(process=found.process, since=since, stopped=found.is_stopped)


def _describe_refresh(
    cache: ProfileCache | None, reading: Reading | None, schedule: Schedule, now: datetime
) -> schemas.RefreshDocument:
    problem = schedule.problem or (reading.problem if reading else None)
    due = schedule.find_due(reading)
    return schemas.RefreshDocument(
        attempted_at=format_time(schedule.attempted_at) if schedule.attempted_at else None,
        next_at=format_time(due) if due else None,
        due=schedule.is_due(reading, now),
        held_until=format_time(schedule.hold_until) if schedule.hold_until and schedule.is_held(now) else None,
        failures=schedule.failures,
        problem=contract.describe_problem(problem) if problem else None,
        running=_find_running(cache),
    )


def _describe_push(environ: Mapping[str, str], cache: ProfileCache | None) -> schemas.PushDocument | None:
    try:
        is_wanted = bool(config.load(environ)[0].push)
    except UsageError:
        return None
    if cache is None or not is_wanted:
        return None
    pushed = pushes.load_last(cache.root)
    succeeded_at = format_time(pushed.succeeded_at) if pushed.succeeded_at else None
    return schemas.PushDocument(succeeded_at=succeeded_at, problem=pushed.problem or None)


def _describe_metrics(environ: Mapping[str, str]) -> list[schemas.SentDocument]:
    try:
        sent = outcomes.load_last(environ)
    except UsageError:
        return []
    return [
        schemas.SentDocument(
            way=one.way,
            succeeded_at=format_time(one.succeeded_at) if one.succeeded_at else None,
            problem=one.problem or None,
        )
        for one in sent
    ]

"""What `ullage doctor` says of each source: whether it can be asked here or why not, its last answer, what it costs."""

from __future__ import annotations

import os

from ullage import config
from ullage.base.errors import UllageError
from ullage.base.record import Record
from ullage.quota import meters
from ullage.setup import settings_json
from ullage.sources import claude_cache, claude_cli, claude_state, tee
from ullage.store import statements
from ullage.store.remotes import RemoteStore
from ullage.system.files import read_regular
from ullage.system.places import locate_profile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from ullage.quota.model import Reading
    from ullage.quota.remotes import RemoteAnswer

_LARGEST_SETTINGS = 4 << 20


class SourceReport(Record):
    """One source; `obstacle` says why it cannot be asked, None where it can."""

    name: str
    in_force: bool
    obstacle: str | None
    as_of: datetime | None
    cost: str


def report_sources(
    environ: Mapping[str, str], chosen: str, readings: Sequence[Reading], now: datetime
) -> list[SourceReport]:
    """Look at each source without asking anybody: no process is started, no request made, no secret read."""
    answers = {
        name: [reading.as_of for reading in readings if reading.source.partition(":")[0] == name] for name in _OBSTACLES
    }
    return [
        SourceReport(
            name=name,
            # Readings of other machines count whichever source is chosen.
            in_force=name == chosen
            or (chosen == "auto" and name in meters.IN_AUTO)
            or (name == "remote" and bool(_load_answers(environ))),
            obstacle=obstacle(environ, chosen, now),
            as_of=max(answers[name], default=None),
            cost=meters.find_meter(name).cost,
        )
        for name, obstacle in _OBSTACLES.items()
    ]


def _status_line(environ: Mapping[str, str], _chosen: str, _now: datetime) -> str | None:
    directory = claude_state.locate_directory(environ)
    named = read_regular(os.path.join(directory, "settings.json"), _LARGEST_SETTINGS) or b""
    if settings_json.COMMAND.encode() in named:
        return None
    return "settings.json does not name it: `ullage setup claude-code`"


def _stream(environ: Mapping[str, str], _chosen: str, _now: datetime) -> str | None:
    try:
        directory = locate_profile(environ)
    except UllageError as error:
        return str(error)
    if any(statements.is_of_session(name, tee.NAME) for name in statements.list_names(directory)):
        return None
    return f"nothing in a pipe has named the windows yet: {meters.find_meter(tee.NAME).needs}"


def _cache(environ: Mapping[str, str], _chosen: str, now: datetime) -> str | None:
    try:
        claude_cache.read(environ, claude_cache.account(environ), now)
    except UllageError as error:
        return str(error)
    return None


def _program(environ: Mapping[str, str], _chosen: str, _now: datetime) -> str | None:
    try:
        claude_cli.find(environ)
    except UllageError as error:
        return str(error)
    return None


def _oauth(_environ: Mapping[str, str], chosen: str, _now: datetime) -> str | None:
    return None if chosen == "oauth" else 'not turned on: `source = "oauth"` in config.toml'


def _web(environ: Mapping[str, str], chosen: str, _now: datetime) -> str | None:
    if chosen != "web":
        return 'not turned on: `source = "web"` in config.toml'
    try:
        names = config.load(environ)[0].web
    except UllageError as error:
        return str(error)
    if names.are_given(environ):
        return None
    return "no session key is named: [web] session_key_command in config.toml"


def _load_answers(environ: Mapping[str, str]) -> list[RemoteAnswer]:
    """Load what other machines said; nothing where the environment names no place for it."""
    try:
        asked = config.load(environ)[0].remotes
        return RemoteStore(environ).load_all([remote.name for remote in asked])
    except UllageError:
        return []


def _remote(environ: Mapping[str, str], _chosen: str, _now: datetime) -> str | None:
    answers = _load_answers(environ)
    if not answers:
        return "no other machine is named: `ullage setup remote`"
    return next((answer.problem.message for answer in answers if answer.problem and not answer.readings), None)


_OBSTACLES: dict[str, Callable[[Mapping[str, str], str, datetime], str | None]] = {
    "statusline": _status_line,
    "tee": _stream,
    "claude-cache": _cache,
    "claude-cli": _program,
    "oauth": _oauth,
    "web": _web,
    "remote": _remote,
}

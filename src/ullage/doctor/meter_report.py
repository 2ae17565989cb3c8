"""Every meter with what this machine can do with it: what stands in its way, its last answer, if it is in force."""

from __future__ import annotations

import os

from ullage import config, meters
from ullage.doctor import source_report
from ullage.record import Record
from ullage.sources import claude_state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from ullage.meters import Meter
    from ullage.model import Reading


class MeterReport(Record):
    """One meter; `usable` is None for one that ullage does not read, `obstacle` says why one cannot be used here."""

    meter: Meter
    in_force: bool
    usable: bool | None
    obstacle: str | None
    as_of: datetime | None


def report(environ: Mapping[str, str], chosen: str, readings: Sequence[Reading], now: datetime) -> list[MeterReport]:
    """Look at each meter without asking anybody: no process is started, no request made, no secret read."""
    sources = {row.name: row for row in source_report.report(environ, chosen, readings, now)}
    rows = []
    for meter in meters.METERS:
        source = sources.get(meter.name) or sources.get(meter.fallback_of)
        obstacle = source.obstacle if source else _obstacle(meter, environ)
        told = [reading.as_of for reading in readings if reading.source == meter.name]
        rows.append(
            MeterReport(
                meter=meter,
                in_force=source is not None and source.name == meter.name and source.in_force,
                usable=None if meter.counts == "not read" else obstacle is None,
                obstacle=obstacle,
                as_of=max(told, default=None),
            )
        )
    return rows


def _obstacle(meter: Meter, environ: Mapping[str, str]) -> str | None:
    if meter.counts == "tokens":
        looked_in = list(_transcripts(environ))
        found = any(os.path.isdir(directory) for directory in looked_in)
        return None if found else f"there is no {looked_in[0]}"
    if meter.counts == "organisation":
        return _organisation(meter, environ)
    return None


def _transcripts(environ: Mapping[str, str]) -> Iterator[str]:
    yield os.path.join(claude_state.own_directory(environ) or claude_state.default_directory(environ), "projects")
    yield os.path.join(claude_state.default_directory(environ), "projects")
    yield os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".config", "claude", "projects")


def _organisation(meter: Meter, environ: Mapping[str, str]) -> str | None:
    settings, _ = config.load(environ)
    which, names = ("analytics", settings.analytics) if meter.name == "org-analytics" else ("admin", settings.admin)
    if names.command or names.keyring or (names.variable and environ.get(names.variable)):
        return None
    return f"no key is named: [org] {which}_key_command in config.toml"

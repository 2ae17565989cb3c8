"""Every meter with what this machine can do with it, and the page that shows them."""

from __future__ import annotations

import os
import textwrap

from ullage import config
from ullage.base.record import Record
from ullage.base.text import clean
from ullage.doctor.sources import report_sources
from ullage.quota import meters
from ullage.render import words
from ullage.render.surfaces import Span
from ullage.sources import claude_state
from ullage.system.places import find_home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from ullage.quota.meters import Counted, Meter
    from ullage.quota.model import Reading
    from ullage.quota.timeline import Level


HEADINGS: dict[Counted, str] = {
    "quota": "QUOTA: how much of a window of your plan is used, in percent, as the provider's server counts it. Only "
    "these numbers are shown in a prompt.",
    "tokens": "TOKENS: what went through this machine. No percentage of anything: the server tells nobody how it "
    "weighs tokens.",
    "organisation": "ORGANISATION: what an organisation used and pays, from its own reports. Says nothing about your "
    "plan's windows.",
    "not read": "NOT READ, and why:",
}
_LABELS = {"what": "what", "exact": "exact", "fresh": "fresh", "needs": "needs", "cost": "costs", "command": "see"}
_INDENT = 10
_NARROWEST = 24


class MeterReport(Record):
    """One meter; `usable` is None for one that ullage does not read, `obstacle` says why one cannot be used here."""

    meter: Meter
    in_force: bool
    usable: bool | None
    obstacle: str | None
    as_of: datetime | None


def report_meters(
    environ: Mapping[str, str], chosen: str, readings: Sequence[Reading], now: datetime
) -> list[MeterReport]:
    """Look at each meter without asking anybody: no process is started, no request made, no secret read."""
    sources = {row.name: row for row in report_sources(environ, chosen, readings, now)}
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
    yield os.path.join(claude_state.locate_directory(environ), "projects")
    yield os.path.join(claude_state.locate_default_directory(environ), "projects")
    yield os.path.join(find_home(environ), ".config", "claude", "projects")


def _organisation(meter: Meter, environ: Mapping[str, str]) -> str | None:
    settings, _ = config.load(environ)
    which, names = ("analytics", settings.analytics) if meter.name == "org-analytics" else ("admin", settings.admin)
    if names.are_given(environ):
        return None
    return f"no key is named: [org] {which}_key_command in config.toml"


def lay_out(rows: Sequence[MeterReport], now: datetime, width: int) -> Iterator[list[Span]]:
    """Yield the lines of the page, group by group."""
    width = max(width, _NARROWEST)
    in_force = ", ".join(row.meter.name for row in rows if row.in_force)
    if in_force:
        yield from ([Span(text=line)] for line in textwrap.wrap(f"In force here: {in_force}.", width))
        yield []
    groups = [(HEADINGS[counted], [row for row in rows if row.meter.counts == counted]) for counted in HEADINGS]
    for number, (heading, group) in enumerate((heading, group) for heading, group in groups if group):
        yield from ([], []) if number else ()
        first, *more = textwrap.wrap(heading, width)
        word, colon, rest = first.partition(":")
        yield [Span(text=word + colon, style="bold"), Span(text=rest, level="faint")]
        yield from ([Span(text=line, level="faint")] for line in more)
        for row in group:
            yield []
            yield from _meter(row, now, width)


def word_state(row: MeterReport, now: datetime) -> str:
    """Return in words whether a meter can be used here and is in force."""
    if row.usable is None:
        return "not read"
    told = f", last answer {words.format_ago(now - row.as_of)}" if row.as_of else ""
    if row.in_force:
        return f"in force{told}{f'; {clean(row.obstacle, 300)}' if row.obstacle else ''}"
    return f"usable here{told}" if row.usable else f"not usable here: {clean(row.obstacle, 300)}"


def _meter(row: MeterReport, now: datetime, width: int) -> Iterator[list[Span]]:
    meter = row.meter
    yield [Span(text=meter.name, level="accent", style="bold" if row.in_force else "")]
    for field, label in _LABELS.items():
        text = getattr(meter, field)
        if text:
            yield from _labelled(label, text, width)
    if row.usable is not None:
        level: Level = "normal" if row.usable else "warning" if row.in_force else "none"
        yield from _labelled("here", word_state(row, now), width, level)


def _labelled(label: str, text: str, width: int, level: Level | None = None) -> Iterator[list[Span]]:
    lines = textwrap.wrap(text, width - _INDENT, break_on_hyphens=False)
    for number, line in enumerate(lines):
        shown = f"  {'' if number else label:{_INDENT - 2}}"
        yield [Span(text=shown, level="faint"), Span(text=line, level=level)]

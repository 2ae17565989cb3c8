"""`ullage sources`."""

from __future__ import annotations

import json
import os
import shutil
from datetime import UTC, datetime

import click

from ullage.base.errors import CacheError, UsageError
from ullage.base.values import format_time
from ullage.cli import options
from ullage.cli.settings import load_settings, tell_issues
from ullage.doctor.meters import lay_out, report_meters
from ullage.quota import meters
from ullage.store.cache import ProfileCache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ullage.doctor.meters import MeterReport
    from ullage.quota.model import Reading

_WIDEST = 100


@click.command(name="sources")
@click.argument("names", nargs=-1, metavar="[METER]...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@options.add_profile_option
def command(names: tuple[str, ...], as_json: bool) -> int:
    """Explain every meter there is: what it counts, how exact and fresh it is, what it needs, what of it works here.

    Percentages of a plan's windows, token counts and an organisation's bills are different things, and are listed
    apart. Asks nobody and starts nothing.
    """
    unknown = [name for name in names if name not in {meter.name for meter in meters.METERS}]
    if unknown:
        known = ", ".join(meter.name for meter in meters.METERS)
        raise click.BadParameter(f"there is no meter {unknown[0]!r}; there are {known}.")
    settings, issues = load_settings()
    tell_issues(issues)
    now = datetime.now(UTC)
    rows = report_meters(os.environ, settings.source, _readings(), now)
    shown = [row for row in rows if not names or row.meter.name in names]
    if as_json:
        document = {"schema": 1, "source": settings.source, "meters": [_plain(row) for row in shown]}
        click.echo(json.dumps(document, indent=1))
    else:
        width = min(shutil.get_terminal_size().columns, _WIDEST)
        click.echo("\n".join(lay_out(shown, now, width)).rstrip())
    return 0


def _readings() -> tuple[Reading, ...]:
    try:
        return ProfileCache(os.environ).load_readings()
    except (CacheError, UsageError):
        # The page is also read before anything is set up: it does not need a reading.
        return ()


def _plain(row: MeterReport) -> dict[str, Any]:
    meter = row.meter
    return {
        "name": meter.name,
        "counts": meter.counts,
        "what": meter.what,
        "exact": meter.exact,
        "fresh": None if meter.fresh == "-" else meter.fresh,
        "needs": None if meter.needs == "-" else meter.needs,
        "costs": meter.cost,
        "command": meter.command or None,
        "is_source": bool(meter.module),
        "in_auto": meter.in_auto,
        "in_force": row.in_force,
        "usable": row.usable,
        "obstacle": row.obstacle,
        "as_of": format_time(row.as_of) if row.as_of else None,
    }

"""`ullage sources`."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import click

from ullage.base.errors import CacheError, UsageError
from ullage.base.text import quote, suggest
from ullage.base.values import format_time
from ullage.cli import options
from ullage.cli.say import say_styled
from ullage.cli.settings import load_settings, load_terminal_settings, print_issues
from ullage.doctor.meters import lay_out, report_meters
from ullage.quota import meters
from ullage.store.cache import ProfileCache
from ullage.system.streams import measure_terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ullage.doctor.meters import MeterReport
    from ullage.quota.model import Reading
    from ullage.quota.schemas import MeterDocument

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
        known = [meter.name for meter in meters.METERS]
        hint = suggest(unknown[0], known)
        raise UsageError(f"There is no meter {quote(unknown[0])}{hint} There are {', '.join(known)}.")
    settings, issues = load_settings()
    print_issues(issues)
    now = datetime.now(UTC)
    rows = report_meters(os.environ, settings.source, _readings(), now)
    shown = [row for row in rows if not names or row.meter.name in names]
    if as_json:
        from ullage.quota import schemas

        document = schemas.MetersDocument(schema=1, source=settings.source, meters=list(map(_describe, shown)))
        click.echo(schemas.encode(document), nl=False)
    else:
        width = min(measure_terminal(), _WIDEST)
        settings = load_terminal_settings(settings)
        lines = lay_out(shown, now, width)
        say_styled(lines, settings)
    return 0


def _readings() -> tuple[Reading, ...]:
    try:
        return ProfileCache(os.environ).load_readings()
    except (CacheError, UsageError):
        # The page is also read before anything is set up: it does not need a reading.
        return ()


def _describe(row: MeterReport) -> MeterDocument:
    from ullage.quota.schemas import MeterDocument

    meter = row.meter
    return MeterDocument(
        name=meter.name,
        counts=meter.counts,
        what=meter.what,
        exact=meter.exact,
        fresh=meter.fresh or None,
        needs=meter.needs or None,
        costs=meter.cost,
        command=meter.command or None,
        is_source=bool(meter.module),
        in_auto=meter.in_auto,
        in_force=row.in_force,
        usable=row.usable,
        obstacle=row.obstacle,
        as_of=format_time(row.as_of) if row.as_of else None,
    )

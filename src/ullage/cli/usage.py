"""`ullage usage`."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime

import click

from ullage import config, refresh, schedule
from ullage.cache import ProfileCache
from ullage.cli import options
from ullage.cli.refresh import NO_ACCOUNT
from ullage.errors import CacheError
from ullage.model import state_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ullage.model import Limits, Reading
    from ullage.schedule import Schedule

# A little longer than a source may take.
_LONGEST_WAIT_SECONDS = 25


@click.command(name="usage")
@click.option("--json", "as_json", is_flag=True, help="Print the JSON contract (`ullage schema` describes it).")
@click.option("--refresh/--no-refresh", "may_refresh", default=True, help="Ask for a new reading first if one is due.")
@options.profile
def command(as_json: bool, may_refresh: bool) -> int:
    """Show every window: how much is used, when it resets, how old the number is and who said so.

    Exits with 3 when nothing is known, 4 when what is known is too old to show, 5 when a source failed and there is
    nothing to fall back on.
    """
    settings, issues = config.load(os.environ)
    for issue in issues:
        click.echo(f"ullage: {config.config_path(os.environ)}:{issue.line}: {issue.message}", err=True)
    cache = ProfileCache(os.environ)
    now = datetime.now(UTC)
    if may_refresh and schedule.is_due(cache.schedule(), cache.reading(), now):
        refresh_or_wait()
        now = datetime.now(UTC)
    reading, plan = cache.reading(), cache.schedule()
    if as_json:
        from ullage import contract

        sys.stdout.buffer.write(contract.encode(contract.document(reading, plan, settings.limits, now)))
    else:
        from ullage.render import table

        table.print_usage(reading, plan, settings, now)
    return exit_code(reading, plan, settings.limits, now)


def refresh_or_wait(*, force: bool = False) -> None:
    """Refresh, or wait for the process that is refreshing; what fails is told and left to the last reading."""
    try:
        outcome = refresh.refresh(os.environ, force=force)
        if outcome.result == "busy":
            # Another process is asking: its answer is ours too.
            with ProfileCache(os.environ).lock(wait_seconds=_LONGEST_WAIT_SECONDS):
                pass
    except CacheError as error:
        click.echo(f"ullage: {error}", err=True)


def exit_code(reading: Reading | None, plan: Schedule, limits: Limits, now: datetime) -> int:
    """Return what the contract says for what is known."""
    if reading is None:
        return 5 if plan.problem and plan.problem.code not in NO_ACCOUNT else 3
    return 4 if state_at(reading.as_of, now, limits) == "expired" else 0

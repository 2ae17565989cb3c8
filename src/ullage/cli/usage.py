"""`ullage usage`."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import click

from ullage.base.text import clean
from ullage.cli import options
from ullage.cli.asking import refresh_or_wait
from ullage.quota import exits
from ullage.store import everywhere, overview
from ullage.system import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ullage.store.overview import Overview


@click.command(name="usage")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print the JSON contract; `ullage schema` and `ullage schema all` describe it.",
)
@click.option("--refresh/--no-refresh", "may_refresh", default=True, help="Ask for a new reading first if one is due.")
@click.option("--all", "every", is_flag=True, help="Every profile that ullage has seen, each account once.")
@options.add_profile_option
def command(as_json: bool, may_refresh: bool, every: bool) -> int:
    """Show every window: how much is used, when it resets, whether it lasts, and how old the number is.

    The tick on a bar is the time that has passed: a bar beyond it is used faster than would just last. The steps are
    what a window stood at by the end of each tenth of its time, from its start to its reset: the lowest near 0, the
    highest 100 %, none for what is to come, and none where no reading tells. The pointer marks the window nearest to
    its limit. ! is a warning, !! critical, × used up, ~ stale, ↺ reset since.

    Exits with 3 when nothing is known, 4 when what is known is too old to show, 5 when a source failed and there is
    nothing to fall back on.
    """
    if every and options.is_profile_named():
        raise click.UsageError("--all shows every profile; leave it out, or --profile.")
    settings, issues = options.load_settings()
    options.tell_issues(issues)
    profiles = overview.list_profiles(os.environ) if every else [os.environ.get("CLAUDE_CONFIG_DIR") or None]
    if may_refresh:
        for profile in profiles:
            refresh_or_wait(places.select_profile(profile, os.environ))
    now = datetime.now(UTC)
    if every:
        shown = everywhere.load_everywhere(profiles, os.environ, settings, now)
    else:
        shown = overview.load_all(profiles, os.environ, settings.thresholds, now)
    if as_json:
        from ullage.quota import contract

        described = everywhere.describe_all(shown, settings.thresholds, now)
        click.echo(contract.encode(described if every else described.profiles[0].usage), nl=False)
    else:
        from ullage.render import table

        settings = options.load_terminal_settings(settings)
        for number, one in enumerate(shown):
            table.print_usage(one, settings, now, title=_title(one) if every else "", first=not number)
    return min(exits.choose_exit_code(one.reading, one.schedule.problem, settings.thresholds, now) for one in shown)


def _title(one: Overview) -> str:
    """Return the profile's name, with its organisation's name where that is known, and the machines that told."""
    organization = clean(one.account.organization)
    told = f"told by {', '.join(one.machines)}" if one.machines else ""
    return ", ".join(filter(None, (one.profile or "default", organization, told)))

"""`ullage usage` for its help and its errors; without those it runs without click (`quick`)."""

from __future__ import annotations

import click

from ullage.cli import options, usage_report


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
    return usage_report.show(as_json=as_json, may_refresh=may_refresh, every=every)

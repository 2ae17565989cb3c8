"""`ullage refresh`."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import click

from ullage import prompt, refresh
from ullage.cli import asking, options
from ullage.cli.progress import StatusLine
from ullage.cli.say import remark, say
from ullage.cli.settings import load_settings, print_issues
from ullage.quota import exits
from ullage.render import words
from ullage.store.cache import ProfileCache
from ullage.system import detach as detaching


@click.command(name="refresh")
@click.option("--detach", is_flag=True, help="Leave the terminal at once and refresh in the background.")
@click.option(
    "--force", is_flag=True, help="Do not wait for the cadence; a wait that the server asked for still counts."
)
@click.option(
    "--early",
    is_flag=True,
    help="Do not wait for the cadence, but for five minutes since the last attempt: for a click.",
)
@options.add_profile_option
def command(detach: bool, force: bool, early: bool) -> int:
    """Ask the source for a new reading, if it is time.

    One refresh runs at a time; the others leave at once. At least five minutes lie between two requests.
    """
    if detach and (force or early):
        detaching.start_refresh(os.environ, "--force" if force else "--early")
        return 0
    if detach:
        return prompt.start_refresh_if_due(os.environ)
    settings, issues = load_settings()
    print_issues(issues)
    with StatusLine() as line:
        outcome = refresh.refresh(os.environ, force=force, early=early, begin=lambda: line.show(asking.ASKING))
    busy = asking.describe_holder(ProfileCache(os.environ).find_lock_holder()) if outcome.result == "busy" else None
    say(busy or _describe(outcome.result), err=outcome.result == "failed")
    if outcome.problem:
        remark(outcome.problem.message)
    if outcome.problem is None:
        return 0
    cache = ProfileCache(os.environ)
    return exits.choose_exit_code(
        cache.load_reading(), cache.load_schedule().problem, settings.thresholds, datetime.now(UTC)
    )


def _describe(result: str) -> str:
    cache, now = ProfileCache(os.environ), datetime.now(UTC)
    schedule = cache.load_schedule()
    if result in ("not_due", "held") and schedule.hold_until is not None and schedule.is_held(now):
        # --force would not ask either.
        return f"The server has asked for a pause until {words.format_clock(schedule.hold_until, now)}."
    if result == "not_due" and schedule.attempted_at is not None:
        due = schedule.find_due(cache.load_reading())
        return f"Not due yet, {words.format_next_reading(due, now)}; --force asks all the same."
    return _WORDS[result]


_WORDS = {
    "refreshed": "Refreshed.",
    "not_due": "Not due yet; --force asks all the same.",
    "held": "The server has asked for a pause; the last reading stays.",
    "failed": "No new reading.",
    "elsewhere": "This cache is filled elsewhere (ULLAGE_TRUSTED_CACHE); no refresh is started here.",
}

"""`ullage alerts`."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import click

from ullage import alerts, config
from ullage.alerts import channels, outbox
from ullage.base.errors import UllageError
from ullage.cli import options
from ullage.cli.settings import tell_issues
from ullage.render import words
from ullage.store.cache import ProfileCache
from ullage.system import secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ullage.config.wishes import Wishes


@click.group(name="alerts", invoke_without_command=True)
@options.add_profile_option
@click.pass_context
def command(context: click.Context) -> None:
    """Show which alerts are sent, by which ways, and whether they get through. config.toml sets them."""
    if context.invoked_subcommand is not None:
        return
    settings, issues = config.load(os.environ)
    tell_issues(issues)
    wishes = settings.alerts
    for channel in wishes.via:
        why = channels.explain_missing(channel, wishes)
        click.echo(f"{channel:8} {why or 'is used'}")
    if not wishes.via:
        click.echo('No alerts are sent. via = ["desktop"] under [alerts] in config.toml turns them on.')
    click.echo(f"when     {_when(wishes)}")
    cache = ProfileCache(os.environ)
    for mark in outbox.Outbox(cache, cache.load().account).load_marks():
        until = f" until {words.format_clock(mark.resets_at, datetime.now(UTC))}" if mark.resets_at else ""
        click.echo(f"told     {mark.kind} {mark.window_id} {f'{mark.percent:g}%' if mark.percent else ''}{until}")
    found = outbox.load_problem(cache)
    if found:
        click.echo(f"ullage: {words.format_ago(datetime.now(UTC) - found[0])}: {found[1]}", err=True)


def _when(wishes: Wishes) -> str:
    parts = [f"at {', '.join(f'{threshold:g}%' for threshold in wishes.thresholds)}"] if wishes.thresholds else []
    parts += ["when a window is going to run out"] if wishes.forecast else []
    parts += ["when one has reset that was used up"]
    if wishes.failing_after is not None:
        parts.append(f"when readings have failed for {words.format_countdown(wishes.failing_after)}")
    if wishes.quiet is not None:
        parts.append(
            f"not from {wishes.quiet.start:%H:%M} to {wishes.quiet.end:%H:%M} {wishes.quiet.zone or ''}".rstrip()
        )
    return "; ".join(parts)


@command.command(short_help="Send an alert by each way, and say whether it got through.")
def test() -> int:
    """Send an alert by each of the ways in config.toml, and say whether it got through.

    Exits with 5 when one did not, with 2 when none is set or one lacks what it needs.
    """
    settings, _ = config.load(os.environ)
    wishes, environ = settings.alerts, secret.withhold_keys(os.environ, settings.key_variables)
    unusable, failed = not wishes.via, False
    for channel in wishes.via:
        try:
            why = channels.explain_missing(channel, wishes)
            unusable = unusable or why is not None
            if why is None:
                channels.send_alert(channel, alerts.make_test_alert(datetime.now(UTC)), wishes, environ)
        except UllageError as error:
            why, failed = str(error), True
        click.echo(f"{channel:8} {why or 'sent'}", err=why is not None)
    if not wishes.via:
        click.echo('No way is set. via = ["desktop"] under [alerts] in config.toml sets one.', err=True)
    if not (failed or unusable):
        outbox.forget_problem(ProfileCache(os.environ))
    return 5 if failed else 2 if unusable else 0

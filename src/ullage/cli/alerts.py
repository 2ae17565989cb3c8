"""`ullage alerts`."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import click

from ullage import alerts, config
from ullage.alerts import channels, outbox
from ullage.base.errors import UllageError
from ullage.cli import options
from ullage.cli.parameters import Subcommands
from ullage.cli.say import find_width, remark, say, say_lines, say_styled
from ullage.cli.settings import load_terminal_settings, print_issues
from ullage.quota.model import list_named_limits
from ullage.render import words
from ullage.render.facts import Fact
from ullage.render.segment import shorten_name
from ullage.store.cache import ProfileCache
from ullage.system import secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ullage.config.wishes import Wishes


_NONE_SENT = 'No alerts are sent. via = ["desktop"] under [alerts] in config.toml turns them on.'


@click.group(name="alerts", cls=Subcommands, invoke_without_command=True)
@options.add_profile_option
@click.pass_context
def command(context: click.Context) -> None:
    """Show which alerts are sent, by which ways, and whether they get through. config.toml sets them."""
    if context.invoked_subcommand is not None:
        return
    settings, issues = config.load(os.environ)
    print_issues(issues)
    wishes, now = settings.alerts, datetime.now(UTC)
    cache = ProfileCache(os.environ)
    facts = [*_ways(wishes), Fact(mark="·", name="when", text=_when(wishes)), *_told(cache, now)]
    settings = load_terminal_settings(settings)
    width, names = find_width(), max(len(fact.name) for fact in facts) + 2
    lines = [line for fact in facts for line in fact.lay_out(width, names)]
    say_styled(lines, settings)
    found = outbox.load_problem(cache)
    if found:
        remark(f"{words.format_ago(now - found[0])}: {found[1]}")


def _ways(wishes: Wishes) -> list[Fact]:
    if not wishes.via:
        text = _NONE_SENT
        return [Fact(mark="·", name="via", text=text)]
    missing = {channel: channels.explain_missing(channel, wishes) for channel in wishes.via}
    return [Fact(mark="✗" if why else "✓", name=channel, text=why or "is used") for channel, why in missing.items()]


def _told(cache: ProfileCache, now: datetime) -> list[Fact]:
    """Return the alerts that were sent, which are not sent again before their window's reset."""
    reading = cache.load_reading()
    names = {window.id: shorten_name(window) for window in (list_named_limits(reading) if reading else ())}
    facts = []
    for mark in outbox.Outbox(cache, cache.load().account).load_marks():
        name = names.get(mark.window_id, mark.window_id)
        what = {
            "threshold": f"{name} at {mark.percent or 0:g}%",
            "forecast": f"{name} is going to run out",
            "blocked": f"{name} is used up; its reset follows",
            "failing": "readings fail",
        }.get(mark.kind, f"{mark.kind} {name}")
        until = f", until {words.format_clock(mark.resets_at, now)}" if mark.resets_at else ""
        facts.append(Fact(mark="✓", name="sent", text=what + until))
    return facts


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
        fact = Fact(mark="✗" if why else "✓", name=channel, text=why or "sent")
        say_lines(fact.lay_out(find_width(err=why is not None), len(channel) + 2), err=why is not None)
    if not wishes.via:
        say(_NONE_SENT, err=True)
    if not (failed or unusable):
        outbox.forget_problem(ProfileCache(os.environ))
    return 5 if failed else 2 if unusable else 0

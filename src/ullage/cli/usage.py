"""`ullage usage`."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import click

from ullage import guard, places
from ullage.cache import ProfileCache
from ullage.cli import options, overview
from ullage.cli.asking import refresh_or_wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ullage.model import Limits
    from ullage.render.overview import Overview


@click.command(name="usage")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print the JSON contract; `ullage schema` and `ullage schema all` describe it.",
)
@click.option("--refresh/--no-refresh", "may_refresh", default=True, help="Ask for a new reading first if one is due.")
@click.option("--all", "every", is_flag=True, help="Every profile that ullage has seen, each account once.")
@options.profile
def command(as_json: bool, may_refresh: bool, every: bool) -> int:
    """Show every window: how much is used, when it resets, how old the number is and who said so.

    "Over time" is what a window stood at by the end of each tenth of its time, from its start to its reset: the lowest
    step is near 0, the highest 100 %; it is empty for what is to come, and where no reading tells. "Pace" is the used
    share against the elapsed share: at 1.0 it just lasts.

    Exits with 3 when nothing is known, 4 when what is known is too old to show, 5 when a source failed and there is
    nothing to fall back on.
    """
    settings, issues = options.load_settings()
    options.tell_issues(issues)
    own = os.environ.get("CLAUDE_CONFIG_DIR") or None
    if every:
        known = [
            _known(profile, settings.limits, may_refresh=may_refresh)
            for profile in places.known_profiles(os.environ) or [own]
        ]
        shown = _each_account_once(known)
    else:
        shown = [_known(own, settings.limits, may_refresh=may_refresh)]
    now = datetime.now(UTC)
    if as_json:
        from ullage import contract

        documents = [contract.document(one.reading, one.plan, settings.limits, now, one.forecasts) for one in shown]
        profiles = [
            contract.ProfileDocument(profile=one.profile or "default", usage=document)
            for one, document in zip(shown, documents, strict=True)
        ]
        whole = contract.ProfilesDocument(schema=1, profiles=profiles) if every else documents[0]
        click.echo(contract.encode(whole), nl=False)
    else:
        from ullage.render import table

        for one in shown:
            if every:
                click.echo(one.profile or "default")
            table.print_usage(one, settings, now)
    return min(guard.exit_code(one.reading, one.plan.problem, settings.limits, now) for one in shown)


def _known(profile: str | None, limits: Limits, *, may_refresh: bool) -> Overview:
    environ = places.of_profile(profile, os.environ)
    cache = ProfileCache(environ)
    if may_refresh:
        refresh_or_wait(environ)
    return overview.load(cache, limits, datetime.now(UTC), profile)


def _each_account_once(known: list[Overview]) -> list[Overview]:
    """Keep the newest word on each account, and what names none."""
    newest: dict[str, Overview] = {}
    for one in known:
        account = _account_of(one)
        if account is not None and (account not in newest or _as_of(one) > _as_of(newest[account])):
            newest[account] = one
    return [one for one in known if _account_of(one) is None or one in newest.values()]


def _account_of(known: Overview) -> str | None:
    return known.reading.account.id if known.reading else known.plan.account_id


def _as_of(known: Overview) -> datetime:
    return known.reading.as_of if known.reading else datetime.min.replace(tzinfo=UTC)

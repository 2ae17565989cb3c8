"""Print what `ullage usage` shows; `cli/usage.py` and `cli/quick.py` parse its options."""

from __future__ import annotations

import os

from ullage.base.dates import UTC, datetime
from ullage.base.text import clean
from ullage.cli.asking import refresh_or_wait
from ullage.cli.settings import load_settings, load_terminal_settings, print_issues
from ullage.quota import exits
from ullage.store import overview
from ullage.system import places, streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ullage.config import Settings
    from ullage.store.overview import Overview


def show(*, as_json: bool, may_refresh: bool, every: bool) -> int:
    """Print every window of the profile in effect, or of every profile, and return the exit code."""
    settings, issues = load_settings()
    print_issues(issues)
    profiles = overview.list_profiles(os.environ) if every else [os.environ.get("CLAUDE_CONFIG_DIR") or None]
    if may_refresh:
        for profile in profiles:
            refresh_or_wait(places.select_profile(profile, os.environ))
    now = datetime.now(UTC)
    if every:
        from ullage.store import all_accounts

        shown = all_accounts.load_all_accounts(profiles, os.environ, settings, now)
    else:
        shown = overview.load_all(profiles, os.environ, settings.thresholds, now)
    if as_json:
        # JSON is UTF-8, whatever the locale says.
        streams.write(_describe(shown, settings, now, every=every))
    else:
        settings = load_terminal_settings(settings)
        for number, one in enumerate(shown):
            _print(one, settings, now, title=_title(one) if every else "", first=not number)
    return min(exits.choose_exit_code(one.reading, one.schedule.problem, settings.thresholds, now) for one in shown)


def _print(known: Overview, settings: Settings, now: datetime, *, title: str, first: bool) -> None:
    """Print what is known, how old it is, who said so and what went wrong; under a title where there are several."""
    # Imported late: programs, which read JSON, need no look.
    from ullage.cli.say import say_lines
    from ullage.render import usage

    room = streams.measure_terminal()
    above = [*([] if first else [[]]), *usage.lay_out_title(title, settings, room)] if title else []
    say_lines([*above, *usage.lay_out_page(known, settings, now, room)], settings.palette, folded=True)


def _describe(shown: Sequence[Overview], settings: Settings, now: datetime, *, every: bool) -> str:
    from ullage.quota import contract

    if every:
        from ullage.store import all_accounts

        return contract.encode(all_accounts.describe_all_accounts(shown, settings.thresholds, now))
    [one] = shown
    document = contract.build_document(one.reading, one.schedule, settings.thresholds, now, one.forecasts)
    return contract.encode(document)


def _title(one: Overview) -> str:
    """Return the profile's name, its organisation's name where known, and the other machines that know its account."""
    organization = clean(one.account.organization)
    machines = f"from {', '.join(one.machines)}" if one.machines else ""
    return ", ".join(filter(None, (one.profile or "default", organization, machines)))

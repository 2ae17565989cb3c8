"""Load and describe every known account: those of this machine's profiles, and those that only other machines know."""

from __future__ import annotations

from ullage.quota import contract, merge
from ullage.quota.remotes import group_accounts, is_of, name_machine
from ullage.quota.schedule import Schedule
from ullage.store import overview
from ullage.store.overview import Overview
from ullage.store.remotes import RemoteStore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from ullage.config import Settings
    from ullage.quota.contract import ProfilesDocument
    from ullage.quota.model import Reading, Thresholds


def load_all_accounts(
    profiles: Iterable[str | None], environ: Mapping[str, str], settings: Settings, now: datetime
) -> list[Overview]:
    """Load the overview of each profile, and of each account that only other machines know: each account once."""
    shown = overview.load_all(profiles, environ, settings.thresholds, now)
    answers = RemoteStore(environ).load_all([remote.name for remote in settings.remotes])
    groups = group_accounts(answers)
    known = [
        one.replace(machines=_name_machines(each for group in groups for each in _find_statements(one, group)))
        for one in shown
    ]
    others = [group for group in groups if not any(_find_statements(one, group) for one in shown)]
    return [*known, *(_load_group(group) for group in others)]


def describe_all_accounts(shown: Iterable[Overview], thresholds: Thresholds, now: datetime) -> ProfilesDocument:
    """Build the document of these overviews, as `ullage usage --all --json` prints it."""
    profiles = [
        contract.ProfileDocument(
            profile=each.profile or "default",
            usage=contract.build_document(each.reading, each.schedule, thresholds, now, each.forecasts),
            machines=list(each.machines),
        )
        for each in shown
    ]
    return contract.ProfilesDocument(schema=1, profiles=profiles)


def _find_statements(one: Overview, group: list[Reading]) -> list[Reading]:
    """Return the statements of a group that are of the account that a profile shows."""
    if one.account.id is not None:
        return [each for each in group if is_of(each, one.account)]
    # Neither names an account: the statement is the profile's where the profile shows that statement.
    source = one.reading.source if one.reading else None
    return [each for each in group if each.account.id is None and each.source == source]


def _load_group(group: list[Reading]) -> Overview:
    return Overview(
        profile=group[0].source,
        reading=merge.merge(group),
        schedule=Schedule(),
        samples={},
        forecasts={},
        machines=_name_machines(group),
    )


def _name_machines(readings: Iterable[Reading]) -> tuple[str, ...]:
    return tuple(sorted({name_machine(each.source) for each in readings}))

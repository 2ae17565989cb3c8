"""What is known of every account: by the profiles of this machine, and by what other machines told."""

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


def load_everywhere(
    profiles: Iterable[str | None], environ: Mapping[str, str], settings: Settings, now: datetime
) -> list[Overview]:
    """Load what these profiles show, and every account that other machines alone tell of: each account once."""
    shown = overview.load_all(profiles, environ, settings.thresholds, now)
    answers = RemoteStore(environ).load_all([remote.name for remote in settings.remotes])
    groups = group_accounts(answers)
    known = [
        one.replace(machines=_name_tellers(each for group in groups for each in _told_of(one, group))) for one in shown
    ]
    others = [group for group in groups if not any(_told_of(one, group) for one in shown)]
    return [*known, *(_load_group(group) for group in others)]


def describe_all(shown: Iterable[Overview], thresholds: Thresholds, now: datetime) -> ProfilesDocument:
    """Build the document of what is shown of every account."""
    profiles = [
        contract.ProfileDocument(
            profile=each.profile or "default",
            usage=contract.build_document(each.reading, each.schedule, thresholds, now, each.forecasts),
            machines=list(each.machines),
        )
        for each in shown
    ]
    return contract.ProfilesDocument(schema=1, profiles=profiles)


def _told_of(one: Overview, group: list[Reading]) -> list[Reading]:
    """Return the statements of a group that are of the account that a profile shows."""
    if one.account.id is not None:
        return [each for each in group if is_of(each, one.account)]
    # Nobody is named here or there: it is the profile's where the profile shows it.
    source = one.reading.source if one.reading else None
    return [each for each in group if each.account.id is None and each.source == source]


def _load_group(group: list[Reading]) -> Overview:
    return Overview(
        profile=group[0].source,
        reading=merge.merge(group),
        schedule=Schedule(),
        samples={},
        forecasts={},
        machines=_name_tellers(group),
    )


def _name_tellers(readings: Iterable[Reading]) -> tuple[str, ...]:
    return tuple(sorted({name_machine(each.source) for each in readings}))

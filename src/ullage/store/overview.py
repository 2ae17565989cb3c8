"""All there is to show of a profile, or of every account: the cache, with what the history and the forecasts add."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from ullage import config
from ullage.base.errors import UllageError
from ullage.base.record import Record
from ullage.quota import pace
from ullage.quota.model import model_words
from ullage.store import sign_in
from ullage.store.cache import ProfileCache
from ullage.system import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ullage.quota.contract import ProfilesDocument
    from ullage.quota.model import Account, Problem, Reading, Thresholds
    from ullage.quota.pace import Forecast, Sample
    from ullage.quota.schedule import Schedule
    from ullage.store.sign_in import SignInFacts


class Overview(Record):
    """What one profile shows; samples and forecasts by window id."""

    profile: str | None = None
    reading: Reading | None
    schedule: Schedule
    samples: Mapping[str, Sequence[Sample]]
    forecasts: Mapping[str, Forecast]
    sign_in: SignInFacts | None = None

    @property
    def problem(self) -> Problem | None:
        """What went wrong on the last refresh, or what the reading itself notes."""
        return self.schedule.problem or (self.reading.problem if self.reading else None)

    @property
    def account(self) -> Account:
        """Whose it is, as far as a source tells."""
        return self.reading.account if self.reading else self.schedule.account


def load(cache: ProfileCache, thresholds: Thresholds, now: datetime, profile: str | None = None) -> Overview:
    """Return all there is to show at `now`; asks nobody."""
    snapshot = cache.load()
    reading = snapshot.reading
    samples = load_samples(cache, reading, now)
    forecasts = pace.forecasts(reading.windows, samples, thresholds, now) if reading else {}
    return Overview(
        profile=profile,
        reading=reading,
        schedule=snapshot.schedule,
        samples=samples,
        forecasts=forecasts,
        sign_in=sign_in.load(cache.directory, snapshot.schedule.account),
    )


def every_profile(environ: Mapping[str, str]) -> list[str | None]:
    """Return every configuration directory that has a cache, or else the one in effect; None is the default one."""
    return places.known_profiles(environ) or [environ.get("CLAUDE_CONFIG_DIR") or None]


def load_all(
    profiles: Iterable[str | None], environ: Mapping[str, str], thresholds: Thresholds, now: datetime
) -> list[Overview]:
    """Return what these profiles show, each account once by its newest word, and every profile that names none."""
    known = [load(ProfileCache(places.of_profile(profile, environ)), thresholds, now, profile) for profile in profiles]
    newest: list[Overview] = []
    for one in sorted(known, key=lambda each: (each.account.organization_id is not None, _as_of(each)), reverse=True):
        account = one.account
        if account.id is None or not any(
            account.id == each.account.id and account.may_be(each.account) for each in newest
        ):
            newest.append(one)
    return [one for one in known if any(one is each for each in newest)]


def describe_all(shown: Iterable[Overview], thresholds: Thresholds, now: datetime) -> ProfilesDocument:
    """Return what profiles show as the contract words it."""
    from ullage.quota import contract

    profiles = [
        contract.ProfileDocument(
            profile=each.profile or "default",
            usage=contract.document(each.reading, each.schedule, thresholds, now, each.forecasts),
        )
        for each in shown
    ]
    return contract.ProfilesDocument(schema=1, profiles=profiles)


def _as_of(known: Overview) -> datetime:
    return known.reading.as_of if known.reading else datetime.min.replace(tzinfo=UTC)


def history_path(environ: Mapping[str, str]) -> str:
    """Return where the history lies; raise UsageError where the environment names no place for it."""
    return os.path.join(config.state_path(environ), "history.sqlite3")


def owner(cache: ProfileCache, reading: Reading) -> str:
    """Return whose history a reading belongs to: its account's, or the profile's where no source tells the account."""
    return reading.account.key or cache.directory


def former_owners(reading: Reading) -> tuple[str, ...]:
    """Return whose it was before organisations were told apart: the first organisation that is known has it."""
    account = reading.account
    if account.id is None or account.organization_id is None:
        return ()
    return account.id, f"{account.id}@{account.organization_id}"


def load_samples(cache: ProfileCache, reading: Reading | None, now: datetime) -> dict[str, list[Sample]]:
    """Return what forecasts go by, by window id; nothing where the history cannot be read, which `history` explains."""
    from ullage.quota import pace
    from ullage.store import history

    if reading is None:
        return {}
    try:
        samples = history.samples(history_path(cache.environ), owner(cache, reading), now - pace.MEMORY, now)
    except UllageError:
        return {}
    return _renamed(samples, [window.id for window in reading.windows if window.kind == "model"])


def _renamed(samples: dict[str, list[Sample]], ids: Sequence[str]) -> dict[str, list[Sample]]:
    """Let the samples of a model's week go on under its new name: a label gains a version."""
    families: dict[str, list[str]] = {}
    for window_id in {*ids, *samples}:
        families.setdefault("".join(model_words(window_id)[:1]), []).append(window_id)
    for members in families.values():
        named = [window_id for window_id in members if window_id in ids]
        if len(named) == 1:
            joined = [sample for window_id in members for sample in samples.get(window_id, ())]
            samples[named[0]] = sorted(joined, key=lambda sample: sample.at)
    return samples


def load_forecasts(
    cache: ProfileCache, reading: Reading | None, thresholds: Thresholds, now: datetime
) -> dict[str, Forecast]:
    """Return what to expect of the windows whose statement is fresh, by window id."""
    from ullage.quota import pace

    return pace.forecasts(reading.windows, load_samples(cache, reading, now), thresholds, now) if reading else {}

"""What screens show of a profile, or of every account: its cache, its history, and forecasts made from both."""

from __future__ import annotations

import os

from ullage import config
from ullage.base.dates import UTC, datetime
from ullage.base.errors import UllageError
from ullage.base.record import Record
from ullage.quota import pace
from ullage.quota.model import LONGEST_MONTH, is_budget, list_named_limits, split_model_name
from ullage.store import sign_in
from ullage.store.cache import ProfileCache
from ullage.system import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ullage.quota.model import Account, Problem, Reading, Thresholds
    from ullage.quota.pace import Forecast, Sample
    from ullage.quota.schedule import Schedule
    from ullage.store.sign_in import SignInFacts


class Overview(Record):
    """What screens show of one profile; samples and forecasts by window id.

    `machines` are the others that told of its account; `profile` names one of them where no profile is of the account.
    """

    profile: str | None = None
    reading: Reading | None
    schedule: Schedule
    samples: Mapping[str, Sequence[Sample]]
    forecasts: Mapping[str, Forecast]
    sign_in: SignInFacts | None = None
    machines: tuple[str, ...] = ()

    @property
    def problem(self) -> Problem | None:
        """What went wrong on the last refresh, or what the reading itself notes."""
        return self.schedule.problem or (self.reading.problem if self.reading else None)

    @property
    def account(self) -> Account:
        """The account, as far as a source names it."""
        return self.reading.account if self.reading else self.schedule.account


def load(cache: ProfileCache, thresholds: Thresholds, now: datetime, profile: str | None = None) -> Overview:
    """Load what there is to show at `now`, without a request."""
    snapshot = cache.load()
    reading = snapshot.reading
    samples = load_samples(cache, reading, now)
    forecasts = pace.forecast_windows(reading.windows, samples, thresholds, now) if reading else {}
    return Overview(
        profile=profile,
        reading=reading,
        schedule=snapshot.schedule,
        samples=samples,
        forecasts=forecasts,
        sign_in=sign_in.load(cache.directory, snapshot.schedule.account),
    )


def list_profiles(environ: Mapping[str, str]) -> list[str | None]:
    """Return every configuration directory that has a cache, or else the one in effect; None is the default one."""
    return places.list_known_profiles(environ) or [environ.get("CLAUDE_CONFIG_DIR") or None]


def load_all(
    profiles: Iterable[str | None], environ: Mapping[str, str], thresholds: Thresholds, now: datetime
) -> list[Overview]:
    """Load what these profiles show: each account once, by its newest reading, and each profile without an account."""
    known = [
        load(ProfileCache(places.select_profile(profile, environ)), thresholds, now, profile) for profile in profiles
    ]
    newest: list[Overview] = []
    for one in sorted(known, key=lambda each: (each.account.organization_id is not None, _as_of(each)), reverse=True):
        account = one.account
        if account.id is None or not any(
            account.id == each.account.id and account.may_be(each.account) for each in newest
        ):
            newest.append(one)
    return [one for one in known if any(one is each for each in newest)]


def _as_of(known: Overview) -> datetime:
    return known.reading.as_of if known.reading else datetime.min.replace(tzinfo=UTC)


def locate_history(environ: Mapping[str, str]) -> str:
    """Return where the history lies; raise UsageError where the environment names no place for it."""
    return os.path.join(config.locate_state(environ), "history.sqlite3")


def name_owner(cache: ProfileCache, reading: Reading) -> str:
    """Return the owner of a reading's history: the account, or the profile where no source names the account."""
    return reading.account.key or cache.directory


def list_former_owners(reading: Reading) -> tuple[str, ...]:
    """Return the owner's names from before histories knew organisations; the first known organisation inherits them."""
    account = reading.account
    if account.id is None or account.organization_id is None:
        return ()
    return account.id, f"{account.id}@{account.organization_id}"


def load_samples(cache: ProfileCache, reading: Reading | None, now: datetime) -> dict[str, list[Sample]]:
    """Load the samples that charts show and forecasts are made from, by window id.

    None where the history cannot be read.
    """
    from ullage.store import history

    if reading is None:
        return {}
    # Of a budget a month is shown, which is longer than habits are learned from.
    has_budget = any(map(is_budget, list_named_limits(reading)))
    since = now - (max(LONGEST_MONTH, pace.MEMORY) if has_budget else pace.MEMORY)
    try:
        samples = history.load_samples(locate_history(cache.environ), name_owner(cache, reading), since, now)
    except UllageError:
        return {}
    return _renamed(samples, [window.id for window in reading.windows if window.kind == "model"])


def _renamed(samples: dict[str, list[Sample]], ids: Sequence[str]) -> dict[str, list[Sample]]:
    """Let the samples of a model's week go on under its new name: a label gains a version."""
    families: dict[str, list[str]] = {}
    for window_id in {*ids, *samples}:
        families.setdefault("".join(split_model_name(window_id)[:1]), []).append(window_id)
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
    return pace.forecast_windows(reading.windows, load_samples(cache, reading, now), thresholds, now) if reading else {}

"""All there is to show of a profile, or of every account: the cache, with what the history and the forecasts add."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from ullage import config
from ullage.base.errors import UllageError
from ullage.base.record import Record
from ullage.quota import pace
from ullage.store.cache import ProfileCache
from ullage.system import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ullage.quota.model import Problem, Reading, Thresholds
    from ullage.quota.pace import Forecast, Sample
    from ullage.quota.schedule import Schedule


class Overview(Record):
    """What one profile shows; samples and forecasts by window id."""

    profile: str | None = None
    reading: Reading | None
    schedule: Schedule
    samples: Mapping[str, Sequence[Sample]]
    forecasts: Mapping[str, Forecast]

    @property
    def problem(self) -> Problem | None:
        """What went wrong on the last refresh, or what the reading itself notes."""
        return self.schedule.problem or (self.reading.problem if self.reading else None)

    @property
    def account_id(self) -> str | None:
        """Whose it is, None where no source tells."""
        return self.reading.account.id if self.reading else self.schedule.account_id


def load(cache: ProfileCache, thresholds: Thresholds, now: datetime, profile: str | None = None) -> Overview:
    """Return all there is to show at `now`; asks nobody."""
    snapshot = cache.load()
    reading = snapshot.reading
    samples = load_samples(cache, reading, now)
    forecasts = pace.forecasts(reading.windows, samples, thresholds, now) if reading else {}
    return Overview(profile=profile, reading=reading, schedule=snapshot.schedule, samples=samples, forecasts=forecasts)


def every_profile(environ: Mapping[str, str]) -> list[str | None]:
    """Return every configuration directory that has a cache, or else the one in effect; None is the default one."""
    return places.known_profiles(environ) or [environ.get("CLAUDE_CONFIG_DIR") or None]


def load_all(
    profiles: Iterable[str | None], environ: Mapping[str, str], thresholds: Thresholds, now: datetime
) -> list[Overview]:
    """Return what these profiles show, each account once by its newest word, and every profile that names none."""
    known = [load(ProfileCache(places.of_profile(profile, environ)), thresholds, now, profile) for profile in profiles]
    newest: dict[str, Overview] = {}
    for one in known:
        account = one.account_id
        if account is not None and (account not in newest or _as_of(one) > _as_of(newest[account])):
            newest[account] = one
    return [one for one in known if one.account_id is None or one in newest.values()]


def _as_of(known: Overview) -> datetime:
    return known.reading.as_of if known.reading else datetime.min.replace(tzinfo=UTC)


def history_path(environ: Mapping[str, str]) -> str:
    """Return where the history lies; raise UsageError where the environment names no place for it."""
    return os.path.join(config.state_path(environ), "history.sqlite3")


def owner(cache: ProfileCache, reading: Reading) -> str:
    """Return whose history a reading belongs to: its account's, or the profile's where no source tells the account."""
    return reading.account.id or cache.directory


def load_samples(cache: ProfileCache, reading: Reading | None, now: datetime) -> dict[str, list[Sample]]:
    """Return what forecasts go by, by window id; nothing where the history cannot be read, which `history` explains."""
    from ullage.quota import pace
    from ullage.store import history

    if reading is None:
        return {}
    try:
        return history.samples(history_path(cache.environ), owner(cache, reading), now - pace.MEMORY)
    except UllageError:
        return {}


def load_forecasts(
    cache: ProfileCache, reading: Reading | None, thresholds: Thresholds, now: datetime
) -> dict[str, Forecast]:
    """Return what to expect of the windows whose statement is fresh, by window id."""
    from ullage.quota import pace

    return pace.forecasts(reading.windows, load_samples(cache, reading, now), thresholds, now) if reading else {}

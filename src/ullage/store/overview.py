"""All there is to show of a profile, or of every account: the cache, with what the history and the forecasts add."""

from __future__ import annotations

from datetime import UTC, datetime

from ullage.base.record import Record
from ullage.quota import pace
from ullage.store import recording
from ullage.store.cache import ProfileCache
from ullage.system import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ullage.quota.model import Limits, Problem, Reading
    from ullage.quota.pace import Forecast, Sample
    from ullage.quota.schedule import Schedule


class Overview(Record):
    """What one profile shows; samples and forecasts by window id."""

    profile: str | None = None
    reading: Reading | None
    plan: Schedule
    samples: Mapping[str, Sequence[Sample]]
    forecasts: Mapping[str, Forecast]

    @property
    def problem(self) -> Problem | None:
        """What went wrong on the last refresh, or what the reading itself notes."""
        return self.plan.problem or (self.reading.problem if self.reading else None)

    @property
    def account_id(self) -> str | None:
        """Whose it is, None where no source tells."""
        return self.reading.account.id if self.reading else self.plan.account_id


def load(cache: ProfileCache, limits: Limits, now: datetime, profile: str | None = None) -> Overview:
    """Return all there is to show at `now`; asks nobody."""
    reading, plan = cache.reading(), cache.schedule()
    samples = recording.samples(cache, reading, now)
    forecasts = pace.forecasts(reading.windows, samples, limits, now) if reading else {}
    return Overview(profile=profile, reading=reading, plan=plan, samples=samples, forecasts=forecasts)


def every_profile(environ: Mapping[str, str]) -> list[str | None]:
    """Return every configuration directory that has a cache, or else the one in effect; None is the default one."""
    return places.known_profiles(environ) or [environ.get("CLAUDE_CONFIG_DIR") or None]


def load_all(
    profiles: Iterable[str | None], environ: Mapping[str, str], limits: Limits, now: datetime
) -> list[Overview]:
    """Return what these profiles show, each account once by its newest word, and every profile that names none."""
    known = [load(ProfileCache(places.of_profile(profile, environ)), limits, now, profile) for profile in profiles]
    newest: dict[str, Overview] = {}
    for one in known:
        account = one.account_id
        if account is not None and (account not in newest or _as_of(one) > _as_of(newest[account])):
            newest[account] = one
    return [one for one in known if one.account_id is None or one in newest.values()]


def _as_of(known: Overview) -> datetime:
    return known.reading.as_of if known.reading else datetime.min.replace(tzinfo=UTC)

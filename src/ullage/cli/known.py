"""The last reading for guard and wait, refreshed where they ask for it and the schedule allows it."""

from __future__ import annotations

import os

from ullage import guard, refresh
from ullage.base.dates import UTC, datetime
from ullage.cli.asking import refresh_or_wait
from ullage.cli.settings import load_settings, print_issues
from ullage.quota import exits
from ullage.quota.schedule import SHORTEST_INTERVAL
from ullage.store import overview
from ullage.store.cache import ProfileCache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import timedelta

    from ullage.guard import Question, Verdict
    from ullage.quota.model import Reading


class Known:
    """The settings and the cache of the profile in effect; its reading is loaded again when a source has written."""

    def __init__(self) -> None:
        self.settings, self.issues = load_settings()
        self._cache = ProfileCache(os.environ)
        self._version: object = None
        self._reading: Reading | None = None

    def print_issues(self) -> None:
        """Print what is wrong with the configuration file."""
        print_issues(self.issues)

    def load_reading(self) -> Reading | None:
        """Return the last reading."""
        # The version is taken before the files are read, so that a write in between is noticed by the next call.
        version = self._cache.find_version()
        if version != self._version:
            self._version, self._reading = version, self._cache.load_reading()
        return self._reading

    def refresh(self, max_age: timedelta | None = None, *, attended: bool = True) -> None:
        """Refresh if one is due, or if the reading is older than `max_age` and the last attempt is long enough ago."""
        schedule, now = self._cache.load_schedule(), datetime.now(UTC)
        # The refresh itself decides: it notices what was mended after a failure, and that another has signed in.
        if attended or schedule.failures or schedule.is_due(self.load_reading(), now, attended=False):
            refresh_or_wait(os.environ, attended=attended)
        reading = self.load_reading()
        if max_age is not None and reading is not None and now - _oldest(reading) > max_age:
            attempted_at = self._cache.load_schedule().attempted_at
            if attempted_at is None or now - attempted_at >= SHORTEST_INTERVAL:
                refresh_or_wait(os.environ, force=True, attended=attended)

    def find_next_refresh(self) -> datetime | None:
        """Return when the next unattended refresh is due."""
        return self._cache.load_schedule().find_due(self.load_reading(), attended=False)

    def is_hopeless(self, verdict: Verdict) -> bool:
        """Say whether waiting cannot help: the verdict is unknown, and there is no account to refresh."""
        return verdict.outcome == "unknown" and exits.is_without_account(self._cache.load_schedule().problem)

    def judge(self, question: Question, now: datetime) -> Verdict:
        """Judge the last reading by the question; nothing is known where another account has signed in since."""
        reading, problem = self.load_reading(), self._cache.load_schedule().problem
        other = refresh.find_other_sign_in(reading, os.environ)
        if other is not None:
            reading, problem = None, other
        return guard.judge(
            question,
            reading,
            problem,
            overview.load_forecasts(self._cache, reading, self.settings.thresholds, now) if question.need else {},
            self.settings.thresholds,
            now,
        )


def _oldest(reading: Reading) -> datetime:
    return min([reading.as_of, *(window.as_of for window in reading.windows)])

"""Load what the server serves, anew only when it may have changed, and start refreshes that are due."""

from __future__ import annotations

import os
import subprocess
import threading
from datetime import UTC, datetime

from ullage import config, prompt
from ullage.base.record import Record
from ullage.metrics import formats
from ullage.metrics.gathering import gather
from ullage.quota import contract, timeline
from ullage.quota.changes import find_next_turn
from ullage.quota.model import list_named_limits
from ullage.render import burnup
from ullage.serve import documents
from ullage.store import all_accounts, history, overview
from ullage.store.cache import ProfileCache
from ullage.system import detach, places, programs
from ullage.system.files import find_mark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ullage.config import Settings
    from ullage.quota.contract import ProfilesDocument, UsageDocument
    from ullage.serve.documents import BurnupDocument, SamplesDocument
    from ullage.store.overview import Overview

# A request may come from a machine, like a bar's; an open stream belongs to a page that a person watches, so it is
# refreshed at the cadence of a prompt.
_SURFACE, _ATTENDED_SURFACE = "plain", "bash"


class _Loaded(Record):
    version: object
    until: datetime | None
    settings: Settings
    overview: Overview
    burnups: dict[str, BurnupDocument | None]


class Knowledge:
    """The profiles of an environment, each loaded once per change; None names the profile in effect."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self._loaded: dict[str | None, _Loaded] = {}

    def list_profiles(self) -> list[str | None]:
        """Return every profile that has a cache, or else the profile in effect."""
        return overview.list_profiles(self.environ)

    def find_profile_in_effect(self) -> str | None:
        """Return the profile that the environment names."""
        return self.environ.get("CLAUDE_CONFIG_DIR") or None

    def build_usage(self, profile: str | None, now: datetime) -> UsageDocument:
        """Return the usage document of a profile at `now`."""
        loaded = self._load(profile, now)
        known = loaded.overview
        return contract.build_document(known.reading, known.schedule, loaded.settings.thresholds, now, known.forecasts)

    def build_every_usage(self, now: datetime) -> ProfilesDocument:
        """Return the usage documents of all accounts."""
        profiles = self.list_profiles()
        settings = self._load(profiles[0], now).settings
        shown = all_accounts.load_all_accounts(profiles, self.environ, settings, now)
        return all_accounts.describe_all_accounts(shown, settings.thresholds, now)

    def expose_metrics(self, now: datetime, *, openmetrics: bool) -> bytes:
        """Return the metrics of all accounts as text."""
        settings, _ = config.load(self.environ)
        return formats.encode(gather(settings, self.environ, now), openmetrics=openmetrics)

    def build_burnup(self, profile: str | None, window: str, now: datetime) -> BurnupDocument | None:
        """Return the chart of the window with this id; None where it has none to draw."""
        loaded = self._load(profile, now)
        reading = loaded.overview.reading
        for one in list_named_limits(reading) if reading else ():
            # Drawing takes about 20 ms and is the same for all requests until the reading changes.
            if one.id == window and window not in loaded.burnups:
                drawn = burnup.plot_known(one, loaded.overview, loaded.settings.thresholds, now)
                loaded.burnups[window] = documents.describe_burnup(drawn) if drawn else None
        return loaded.burnups.get(window)

    def build_history(self, profile: str | None, window: str | None, since: datetime, most: int) -> SamplesDocument:
        """Return the samples since a moment, the newest `most` of them; raise HistoryError."""
        cache = self._cache(profile)
        reading = cache.load_reading()
        path, now = overview.locate_history(cache.environ), datetime.now(UTC)
        found = history.load_samples(path, overview.name_owner(cache, reading), since, now) if reading else {}
        return documents.describe_samples({id: found[id] for id in found if window in (None, id)}, most)

    def find_next_event(self, profile: str | None, now: datetime) -> datetime | None:
        """Return when time alone changes a profile's document or its refresh falls due; None when neither will."""
        header = timeline.read_header(self._cache(profile).read_timeline(_ATTENDED_SURFACE))
        until = self._load(profile, now).until
        moments = [until] if until is not None else []
        if header is not None and header.refresh_after > now.timestamp():
            moments.append(datetime.fromtimestamp(header.refresh_after, UTC))
        return min(moments, default=None)

    def refresh_if_due(self, profile: str | None, *, attended: bool = False) -> None:
        """Start a refresh in the background if the schedule allows one; `attended` applies the cadence of a prompt."""
        surface = _ATTENDED_SURFACE if attended else _SURFACE
        prompt.start_refresh_if_due(self._environ_of(profile), (surface,), _start_refresh)

    def _environ_of(self, profile: str | None) -> dict[str, str]:
        return places.select_profile(profile, self.environ)

    def _cache(self, profile: str | None) -> ProfileCache:
        return ProfileCache(self._environ_of(profile))

    def _load(self, profile: str | None, now: datetime) -> _Loaded:
        cache = self._cache(profile)
        schedule = os.path.join(cache.directory, "schedule.json")
        version = (cache.find_version(), find_mark(schedule), find_mark(config.locate_config(self.environ)))
        loaded = self._loaded.get(profile)
        if loaded is None or loaded.version != version or (loaded.until is not None and now >= loaded.until):
            settings, _ = config.load(self.environ)
            known = overview.load(cache, settings.thresholds, now, profile)
            until = find_next_turn(known.reading, known.forecasts, settings.thresholds, now) if known.reading else None
            loaded = _Loaded(version=version, until=until, settings=settings, overview=known, burnups={})
            self._loaded[profile] = loaded
        return loaded


def _start_refresh(environ: Mapping[str, str]) -> None:
    """Start a refresh that outlives this process; not by `detach`, which forks: a process with threads must not."""
    try:
        process = subprocess.Popen(
            detach.build_command(detach.REFRESH),
            env=dict(environ),
            cwd=os.path.abspath(os.sep),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            creationflags=programs.HIDDEN,
        )
    except OSError:
        return
    # The refresh stays a zombie unless its end is waited for.
    threading.Thread(target=process.wait, daemon=True).start()

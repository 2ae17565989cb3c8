"""Publish a snapshot: write every surface's timeline, and set tmux's option."""

from __future__ import annotations

import math
import time

from ullage.base.dates import UTC, datetime
from ullage.config.template import COURSES, FORECASTS
from ullage.prompt import frames
from ullage.quota import timeline
from ullage.quota.changes import list_turns, round_up_to_second
from ullage.quota.timeline import ATTENDED, TIMELINES, BootClock, find_surface
from ullage.system.files import read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ullage.config import Settings
    from ullage.quota.model import Reading
    from ullage.quota.pace import Forecast, Sample
    from ullage.store.cache import ProfileCache, Snapshot

_MOST_PUBLICATIONS = 5


def publish_anew(
    cache: ProfileCache,
    settings: Settings,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    snapshot: Snapshot | None = None,
) -> Snapshot:
    """Write every surface's timeline from what is on disk; again while another process has changed that meanwhile.

    A snapshot that the caller has just loaded spares loading it here. Returns the snapshot that was published.
    """
    snapshot = snapshot or cache.load()
    for _ in range(_MOST_PUBLICATIONS):
        publish(cache, settings, snapshot, clock())
        if cache.find_version() == snapshot.stated.version:
            break
        snapshot = cache.load()
    return snapshot


def publish(cache: ProfileCache, settings: Settings, snapshot: Snapshot, now: datetime) -> None:
    """Write every surface's timeline, equal ones once, and set what tmux shows where the user wants that."""
    for (data, checkpoint), names in _contents(cache, settings, snapshot, now).items():
        cache.save_timeline(names[0], data, checkpoint, same=names[1:])
    if settings.push_to_tmux:
        from ullage.prompt import tmux

        tmux.push(cache.environ, cache.read_timeline("tmux"), math.floor(now.timestamp()))


def _load_forecasts(
    cache: ProfileCache, reading: Reading | None, settings: Settings, now: datetime
) -> dict[str, Forecast]:
    # Few templates show what a forecast says, and the history takes SQLite.
    from ullage.store import overview

    return overview.load_forecasts(cache, reading, settings.thresholds, now)


def _load_samples(cache: ProfileCache, reading: Reading | None, now: datetime) -> dict[str, list[Sample]]:
    from ullage.store import overview

    return overview.load_samples(cache, reading, now)


def _contents(
    cache: ProfileCache, settings: Settings, snapshot: Snapshot, now: datetime
) -> dict[tuple[bytes, int], list[str]]:
    """Return the timelines' bytes and checkpoints, each with the names of those that have it; the last name is last."""
    written = math.floor(now.timestamp())
    reading, clock = snapshot.reading, read_boot_clock()
    forecasts = _load_forecasts(cache, reading, settings, now) if frames.is_any_shown(FORECASTS, settings) else {}
    samples = _load_samples(cache, reading, now) if frames.is_any_shown(COURSES, settings) else {}
    turns = list_turns(reading, settings.thresholds, written) if reading else ()
    due = {attended: snapshot.schedule.find_due(reading, attended=attended) for attended in (True, False)}
    found: dict[tuple[bytes, int], list[str]] = {}
    for names, built in frames.build(reading, settings, now, forecasts, samples).items():
        for attended, due_at in due.items():
            alike = [name for name in names if (find_surface(name) in ATTENDED) is attended]
            if alike:
                refresh_after = round_up_to_second(due_at) if due_at else written
                checkpoint = min([refresh_after, *turns])
                data = timeline.encode(
                    built, written=written, refresh_after=refresh_after, checkpoint=checkpoint, clock=clock
                )
                found.setdefault((data, checkpoint), []).extend(alike)
    # The last timeline is written last, so that it shows whether a publication was completed.
    return dict(sorted(found.items(), key=lambda content: TIMELINES[-1] in content[1]))


def read_boot_clock() -> BootClock | None:
    """Return the wall clock at boot where the system tells its uptime to a shell (Linux), else None."""
    uptime = (read_regular("/proc/uptime") or b"").split()
    boot_id = (read_regular("/proc/sys/kernel/random/boot_id") or b"").decode(errors="replace").strip()
    try:
        centiseconds = math.floor(time.time() * 100) - round(float(uptime[0]) * 100)
    except (IndexError, ValueError):
        return None
    return BootClock(centiseconds=centiseconds, boot_id=boot_id) if boot_id and " " not in boot_id else None

"""What is known becomes every surface's timeline, and what tmux shows."""

from __future__ import annotations

import math
import time

from ullage.base.dates import UTC, datetime
from ullage.config.template import COURSES, FORECASTS
from ullage.prompt import frames
from ullage.quota import timeline
from ullage.quota.timeline import ATTENDED, BootClock, surface_of
from ullage.store import overview
from ullage.system.files import read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ullage.config import Settings
    from ullage.quota.model import Reading
    from ullage.quota.schedule import Schedule
    from ullage.store.cache import ProfileCache

_MOST_PUBLICATIONS = 5


def utc_now() -> datetime:
    """Return the time by the wall clock."""
    return datetime.now(UTC)


def publish_anew(cache: ProfileCache, settings: Settings, clock: Callable[[], datetime] = utc_now) -> None:
    """Write every surface's timeline from what is on disk, until nobody has added to that in the meantime."""
    for _ in range(_MOST_PUBLICATIONS):
        version = cache.version()
        publish(cache, settings, cache.reading(), cache.schedule(), clock())
        if cache.version() == version:
            return


def publish(
    cache: ProfileCache, settings: Settings, reading: Reading | None, schedule: Schedule, now: datetime
) -> None:
    """Write every surface's timeline, and set what tmux shows where the user wants that."""
    written = math.floor(now.timestamp())
    clock = boot_clock()
    forecasts = (
        overview.load_forecasts(cache, reading, settings.thresholds, now)
        if frames.asks_for(FORECASTS, settings)
        else {}
    )
    samples = overview.load_samples(cache, reading, now) if frames.asks_for(COURSES, settings) else {}
    events = frames.events(reading, settings, written) if reading else ()
    for name, built in frames.build(reading, settings, now, forecasts, samples).items():
        due = schedule.due_at(reading, attended=surface_of(name) in ATTENDED)
        refresh_after = math.ceil(due.timestamp()) if due else written
        checkpoint = min([refresh_after, *events])
        data = timeline.encode(built, written=written, refresh_after=refresh_after, checkpoint=checkpoint, clock=clock)
        cache.save_timeline(name, data, checkpoint)
    if settings.push_to_tmux:
        from ullage.prompt import tmux

        tmux.push(cache.environ, cache.timeline("tmux"), written)


def boot_clock(
    uptime_path: str = "/proc/uptime", boot_id_path: str = "/proc/sys/kernel/random/boot_id"
) -> BootClock | None:
    """Return the wall clock at boot where the system tells its uptime to a shell (Linux), else None."""
    uptime = (read_regular(uptime_path) or b"").split()
    boot_id = (read_regular(boot_id_path) or b"").decode(errors="replace").strip()
    try:
        centiseconds = math.floor(time.time() * 100) - round(float(uptime[0]) * 100)
    except (IndexError, ValueError):
        return None
    return BootClock(centiseconds=centiseconds, boot_id=boot_id) if boot_id and " " not in boot_id else None

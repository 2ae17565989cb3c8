"""An invented account's week, put where a real one's would be: `python -m gallery.invented SESSION WEEK MODEL`.

It runs where the clock is made to stand still, since it writes what is shown at that moment.
"""

from __future__ import annotations

import math
import os
import sys
from datetime import UTC, datetime, timedelta

from ullage import config
from ullage.prompt.publish import publish_anew
from ullage.quota.model import SESSION, WEEK, Account, Reading, Window
from ullage.quota.schedule import Schedule
from ullage.simulate import ACCOUNT_ID, write_account
from ullage.simulate.web import ORGANIZATION_ID
from ullage.store import history
from ullage.store.cache import ProfileCache
from ullage.store.overview import locate_history, name_owner

SESSION_ENDS, WEEK_ENDS = timedelta(minutes=64), timedelta(days=2, hours=7)
STEP = timedelta(minutes=20)
# When each day's sessions begin, before the one of now, and the share of a whole one that each comes to.
BEGINNINGS = {timedelta(hours=-7): 0.7, timedelta(hours=-1): 1.0, timedelta(hours=5): 0.35}


def fill(session: float, week: float, model: float, now: datetime) -> None:
    """Make the account, and fill cache and history with the week that leads to these percentages."""
    directory = os.environ["CLAUDE_CONFIG_DIR"]
    if not os.path.isdir(directory):
        write_account(directory)
    cache = ProfileCache(os.environ)
    cache.make_private()
    later = now + timedelta(hours=1)
    cache.save_schedule(Schedule().begun(now).replace(refresh_at=later, idle_refresh_at=later))
    account = Account(id=ACCOUNT_ID, plan="max", tier="default_claude_max_20x", organization_id=ORGANIZATION_ID)
    windows = (
        _window("five_hour", session, SESSION_ENDS, now),
        _window("seven_day", week, WEEK_ENDS, now),
        _window("seven_day_fable", model, WEEK_ENDS, now),
        _window("seven_day_opus", model * 0.62, WEEK_ENDS, now),
    )
    reading = Reading(account=account, source="claude-cli", as_of=now, windows=windows)
    if not os.path.exists(locate_history(os.environ)):
        _remember(cache, reading, now)
    cache.save_reading(reading)
    publish_anew(cache, config.load(os.environ)[0], lambda: now)


def _window(id: str, used: float, ends: timedelta, now: datetime) -> Window:
    labels = {"five_hour": "Session (5h)", "seven_day": "Week (all models)"}
    return Window(
        id=id,
        label=labels.get(id) or f"Week ({id.rpartition('_')[2].capitalize()})",
        kind="session" if id == "five_hour" else "weekly" if id == "seven_day" else "model",
        used_percent=round(used, 1),
        resets_at=now + ends,
        source="claude-cli",
        as_of=now,
        is_listed=True,
    )


def _remember(cache: ProfileCache, reading: Reading, now: datetime) -> None:
    """Record the week step by step: busy by day, still by night and at lunch."""
    begins = now + WEEK_ENDS - WEEK
    steps = [begins + STEP * number for number in range(int((now - begins) / STEP) + 1)]
    shares = [_share(at, now) for at in steps]
    whole = sum(shares)
    path, owner = locate_history(os.environ), name_owner(cache, reading)
    done = 0.0
    for at, share in zip(steps, shares, strict=True):
        done += share
        windows = [
            window.replace(used_percent=round(_used_percent(window) * done / whole, 1), as_of=at)
            for window in reading.windows
            if window.kind != "session"
        ]
        session = _session(at, now, reading.windows[0])
        history.record(path, owner, [*windows, *([session] if session else [])], at)


def _used_percent(window: Window) -> float:
    assert window.used_percent is not None
    return window.used_percent


def _share(at: datetime, now: datetime) -> float:
    hour = (at - now).total_seconds() / 3600 % 24
    # From seven hours before the hour of now until three hours after it, with a pause in between.
    since = (hour + 7) % 24
    return 0.0 if since > 10 or 4 < since < 5 else 1.0 + 0.6 * math.sin(at.timestamp() / 9000)


def _session(at: datetime, now: datetime, last: Window) -> Window | None:
    """Return the session window of a moment; None where none is open."""
    begins = now + SESSION_ENDS - SESSION
    if at >= begins:
        return last.replace(
            used_percent=round(_used_percent(last) * _course((at - begins) / (now - begins)), 1), as_of=at
        )
    day = math.floor((at - now - min(BEGINNINGS)) / timedelta(days=1))
    for beginning, share in BEGINNINGS.items():
        opened = now + timedelta(days=day) + beginning
        if opened <= at < min(opened + SESSION, begins):
            peak = share * (88 - 9 * ((day * 7) % 5))
            used = peak * _course((at - opened) / SESSION)
            return last.replace(used_percent=round(used, 1), resets_at=opened + SESSION, as_of=at)
    return None


def _course(part: float) -> float:
    return part + 0.06 * math.sin(2 * math.pi * part * 1.5) * (1 - part)


def main() -> None:
    session, week, model = map(float, sys.argv[1:])
    fill(session, week, model, datetime.now(UTC))


if __name__ == "__main__":
    main()

"""Put alerts that are due into an outbox on disk, which a process of its own empties and sends.

So a refresh never waits for a desktop or a command, and each alert is taken from the outbox by one process alone. The
profiles of an account share the outbox and the marks of sent alerts, since their windows are the same; only the mark
that refreshes fail is a profile's own.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from datetime import UTC, datetime
from typing import Literal

from ullage import alerts, config
from ullage.alerts import Alert, Mark, News, channels
from ullage.base.errors import UllageError
from ullage.base.text import clean
from ullage.base.values import parse_time
from ullage.store import overview
from ullage.store.account import AccountCache
from ullage.store.cache import ProfileCache
from ullage.system import detach, directories, secret, statefile
from ullage.system.files import read_regular, remove_file, write_atomically, write_derived
from ullage.system.lock import hold_lock
from ullage.system.statefile import Kept

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ullage.config import Settings
    from ullage.config.wishes import Wishes
    from ullage.quota.model import Account
    from ullage.store.cache import Snapshot

_MARKS, _OUTBOX, _PROBLEM, _LOCK = "alerts.json", "outbox", "alerts.problem", "alerts.lock"

# How long to wait while another profile of the account posts; without the lock, alerts wait for the next refresh.
_LONGEST_POSTING_SECONDS = 5


class _Marks(Kept, frozen=True):
    format: Literal[1]
    marks: tuple[Mark, ...]


class _Posted(Kept, frozen=True):
    format: Literal[1]
    alert: Alert


def announce(
    environ: Mapping[str, str], settings: Settings, cache: ProfileCache, snapshot: Snapshot, now: datetime
) -> None:
    """Post the alerts that are due and start the process that sends them; called under the refresh lock.

    The refresh has published its reading by now, so errors do not fail it: they are kept for `ullage alerts` to show.
    """
    try:
        if list_usable(settings.alerts) and _post_due(settings, Outbox(cache, snapshot.account), snapshot, now):
            detach.start("ullage.alerts.outbox", secret.withhold_keys(environ, settings.key_variables))
    except Exception as error:
        keep_problem(cache, f"{type(error).__name__}: {error}", now)


def _post_due(settings: Settings, outbox: Outbox, snapshot: Snapshot, now: datetime) -> bool:
    outbox.make()
    with hold_lock(os.path.join(outbox.place, _LOCK), _LONGEST_POSTING_SECONDS) as alone:
        if not alone:
            return False
        wishes, thresholds, told = settings.alerts, settings.thresholds, outbox.load_marks()
        expected = overview.load_forecasts(outbox.cache, snapshot.reading, thresholds, now) if wishes.forecast else {}
        news = News(
            reading=snapshot.reading, schedule=snapshot.schedule, forecasts=expected, thresholds=thresholds, now=now
        )
        found, after = alerts.find_due(news, told, wishes)
        if after != told:
            # Marks are kept before the alerts are sent: losing an alert is better than repeating it for ever.
            outbox.save_marks(after)
        for alert in found:
            outbox.post(alert)
        return bool(found)


def list_usable(wishes: Wishes) -> tuple[str, ...]:
    """Return the configured channels that can be used here."""
    return tuple(channel for channel in wishes.via if channels.explain_missing(channel, wishes) is None)


class Outbox:
    """The alerts of an account that wait to be sent, and the marks of sent ones, in a directory its profiles share.

    Where the account is not known, both are in the profile's own directory.
    """

    def __init__(self, cache: ProfileCache, account: Account) -> None:
        self.cache = cache
        self._shared = AccountCache(cache.environ, account)
        self.place = self._shared.directory or cache.directory

    def make(self) -> None:
        """Make the shared directory, private to the user."""
        self._shared.make()

    def post(self, alert: Alert) -> None:
        """Put an alert into the outbox."""
        outbox = os.path.join(self.place, _OUTBOX)
        directories.make_private(self.cache.root, outbox, environ=self.cache.environ)
        name = f"{alert.at.timestamp():.6f}-{secrets.token_hex(4)}.json"
        # Written without fsync: its mark is synced, and losing an alert is better than repeating it.
        write_derived([os.path.join(outbox, name)], statefile.encode(_Posted(format=1, alert=alert)))

    def take_all(self) -> Iterator[Alert]:
        """Yield every alert in the outbox and remove it; an alert that another process takes first is skipped."""
        outbox = os.path.join(self.place, _OUTBOX)
        for name in sorted(os.listdir(outbox)):
            alert = _take(os.path.join(outbox, name)) if name.endswith(".json") else None
            if alert is not None:
                yield alert

    def load_marks(self) -> tuple[Mark, ...]:
        """Return the marks of sent alerts, by any profile of the account; none for files that cannot be decoded."""
        # A window's mark in the profile's own file dates from before the account was known: the account's mark wins.
        found = {(mark.kind, mark.window_id): mark for mark in _load_marks(_path(self.cache, _MARKS))}
        if self.place != self.cache.directory:
            shared = _load_marks(os.path.join(self.place, _MARKS))
            found |= {(mark.kind, mark.window_id): mark for mark in shared if mark.kind != "failing"}
        return tuple(found.values())

    def save_marks(self, told: tuple[Mark, ...]) -> None:
        """Write the marks of sent alerts: `failing` into the profile's own file, the others into the account's."""
        self.make()
        own = tuple(mark for mark in told if mark.kind == "failing" or self.place == self.cache.directory)
        if self.place != self.cache.directory:
            _save_marks(os.path.join(self.place, _MARKS), tuple(mark for mark in told if mark not in own))
        _save_marks(_path(self.cache, _MARKS), own)


def deliver(environ: Mapping[str, str]) -> None:
    """Send every alert in the outbox that is not too old; an alert that another process takes first is skipped."""
    settings, _ = config.load(environ)
    cache, now = ProfileCache(environ), datetime.now(UTC)
    for alert in Outbox(cache, cache.load().account).take_all():
        if now - alert.at < alerts.LONGEST_NEWS:
            _send(cache, alert, settings.alerts, environ)


def _take(path: str) -> Alert | None:
    taken = path.removesuffix(".json") + ".taken"
    try:
        os.rename(path, taken)
    except OSError:
        return None
    data = read_regular(taken)
    os.unlink(taken)
    found = statefile.decode(data, _Posted)
    return found.alert if found else None


def _send(cache: ProfileCache, alert: Alert, wishes: Wishes, environ: Mapping[str, str]) -> None:
    for channel in list_usable(wishes):
        try:
            channels.send_alert(channel, alert, wishes, environ)
        except UllageError as error:
            keep_problem(cache, f"{channel}: {error}", datetime.now(UTC))


def keep_problem(cache: ProfileCache, words: str, now: datetime) -> None:
    """Write why an alert could not be posted or sent, for `ullage alerts` to show."""
    with contextlib.suppress(UllageError):
        write_atomically(_path(cache, _PROBLEM), f"{now.isoformat()} {clean(words, 500)}\n".encode())


def load_problem(cache: ProfileCache) -> tuple[datetime, str] | None:
    """Return when and why an alert last failed; None when none did."""
    when, _, words = (read_regular(_path(cache, _PROBLEM)) or b"").decode(errors="replace").partition(" ")
    moment = parse_time(when)
    return (moment, clean(words, 500)) if moment else None


def forget_problem(cache: ProfileCache) -> None:
    """Remove the kept problem, once alerts get through."""
    remove_file(_path(cache, _PROBLEM))


def _load_marks(path: str) -> tuple[Mark, ...]:
    found = statefile.decode(read_regular(path), _Marks)
    return found.marks if found else ()


def _save_marks(path: str, told: tuple[Mark, ...]) -> None:
    if told != _load_marks(path):
        write_atomically(path, statefile.encode(_Marks(format=1, marks=told)))


def _path(cache: ProfileCache, name: str) -> str:
    return os.path.join(cache.directory, name)


def main() -> int:
    """Send the outbox of the profile in effect, and return an exit code."""
    try:
        deliver(os.environ)
    except (UllageError, OSError):
        # No terminal reads an error of this background process; the next one sends what is left in the outbox.
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

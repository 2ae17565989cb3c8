"""Refresh for a command that waits for the new reading."""

from __future__ import annotations

from ullage import refresh
from ullage.base.dates import UTC, datetime
from ullage.base.errors import CacheError
from ullage.cli.say import remark
from ullage.store.cache import ProfileCache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ullage.cli.progress import StatusLine
    from ullage.system.lock import Holder

# The refresh lock is waited for longer than any source may take to answer.
LONGEST_REFRESH_SECONDS = 45
ASKING, _WAITING = "Asking for a new reading …", "Waiting for another refresh …"
# How long to wait for a process that is stopped, or that has held the lock longer than a refresh takes.
_BRIEF_SECONDS = 1.0


def refresh_or_wait(environ: Mapping[str, str], *, force: bool = False, attended: bool = True) -> None:
    """Refresh, or wait for the process that is refreshing; a CacheError is printed, and the last reading stays.

    A terminal shows what is waited for where it is `attended`, and not another line of the command's own.
    """
    shown: list[StatusLine] = []

    def show(text: str) -> None:
        # Imported late: most commands find that nothing is due.
        from ullage.cli.progress import StatusLine

        if attended:
            shown.append(StatusLine())
            shown[-1].show(text)

    words = None
    try:
        outcome = refresh.refresh(environ, force=force, begin=lambda: show(ASKING))
        if outcome.result == "busy":
            show(_WAITING)
            words = _wait_for_another(ProfileCache(environ))
    except CacheError as error:
        words = str(error)
    finally:
        for line in shown:
            line.clear()
    if words:
        remark(words)


def _wait_for_another(cache: ProfileCache) -> str | None:
    """Wait until another process has refreshed, since its reading is ours too; return which it is when it is late."""
    found = cache.find_lock_holder()
    with cache.lock(wait_seconds=_patience(found, datetime.now(UTC))) as free:
        return None if free else describe_holder(cache.find_lock_holder())


def _patience(found: Holder | None, now: datetime) -> float:
    if found is None:
        return LONGEST_REFRESH_SECONDS
    if found.is_stopped:
        return _BRIEF_SECONDS
    return min(LONGEST_REFRESH_SECONDS, max(_BRIEF_SECONDS, LONGEST_REFRESH_SECONDS - (now.timestamp() - found.since)))


def describe_holder(found: Holder | None) -> str:
    """Return the message that another process refreshes: which, since when, and how to end it."""
    if found is None:
        return "Another refresh is running."
    since = datetime.fromtimestamp(found.since, UTC).astimezone()
    how = "has been stopped, as by Ctrl-Z" if found.is_stopped else "is running"
    return (
        f"Another refresh (process {found.process}) {how}, and has kept others out since {since:%H:%M:%S}. "
        f"The last reading is shown meanwhile. If it does not end by itself: kill -9 {found.process}"
    )

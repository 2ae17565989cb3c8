"""Ask the sources that the settings name, one after the other, until the reading is fresh enough."""

from __future__ import annotations

import importlib

from ullage.base.contexts import suppress
from ullage.base.dates import UTC, datetime, timedelta
from ullage.base.errors import SourceError
from ullage.config import find_wrong_source
from ullage.quota import meters
from ullage.quota.model import CLOCK_SLACK, SESSION_SOURCES, Account
from ullage.quota.schedule import SHORTEST_INTERVAL
from ullage.refresh import turns
from ullage.store.account import AccountCache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Protocol

    from ullage.config import Settings
    from ullage.quota.model import Reading
    from ullage.quota.schedule import Schedule
    from ullage.store.cache import ProfileCache, Snapshot

    class Source(Protocol):
        """A source of readings."""

        NAME: str

        def account(self, environ: Mapping[str, str]) -> Account: ...
        def read(self, environ: Mapping[str, str], account: Account, now: datetime) -> Reading: ...


class Inquiry:
    """What a refresh asks with, and what is known so far; `snapshot` grows with every answer.

    With `force` sources are asked before their turn.
    """

    def __init__(
        self, environ: Mapping[str, str], cache: ProfileCache, snapshot: Snapshot, now: datetime, *, force: bool
    ) -> None:
        self.environ, self.cache, self.snapshot = environ, cache, snapshot
        self.now, self.force = now, force
        self.account = Account()

    @property
    def schedule(self) -> Schedule:
        """When to ask again, as far as that is known yet."""
        return self.snapshot.schedule

    @schedule.setter
    def schedule(self, schedule: Schedule) -> None:
        self.snapshot = self.snapshot.replace(schedule=schedule)

    def note_schedule(self) -> None:
        """Keep the schedule before an attempt begins, so that one that dies is not repeated at once."""
        self.cache.note_schedule(self.schedule)


def find_sources(settings: Settings) -> list[Source]:
    """Return the sources to ask in turn; raise SourceError for an unknown name, which only the environment can hold."""
    wrong = find_wrong_source(settings)
    if wrong:
        raise SourceError("unknown_source", wrong)
    if settings.source == OtherMachines.NAME:
        return [OtherMachines()]
    return [_find_source(name, settings) for name in meters.list_asked_sources(settings.source)]


def _find_source(name: str, settings: Settings | None) -> Source:
    module = importlib.import_module(f"ullage.sources.{meters.find_meter(name).module}")
    # Where the key comes from stands in the settings, which no source looks into by itself.
    source: Source = module.Web(settings.web) if name == "web" and settings else module
    return source


class OtherMachines:
    """The source in force where a person wants only the readings of other machines, which are asked before it."""

    NAME = "remote"

    def account(self, _environ: Mapping[str, str]) -> Account:
        """Return an unknown account: nobody signs in here."""
        return Account()

    def read(self, _environ: Mapping[str, str], _account: Account, _now: datetime) -> Reading:
        """Raise SourceError: no other machine has answered yet."""
        raise SourceError(
            "no_remote",
            "No other machine has sent its numbers yet. `ullage setup remote` adds one and tries it; `ullage receive` "
            "takes what another hands on.",
        )


def ask_in_turn(sources: Sequence[Source], inquiry: Inquiry) -> bool:
    """Ask each source whose turn it is until the reading is fresh enough; the last source is asked in any case.

    Returns whether the reading counts as an answer; where it does not, the schedule says when the last source may be
    asked. Raises SourceError when the last source has no answer; the failures of those before it are passed over.
    """
    state_changed_at = _note_state_file(sources, inquiry)
    *first, last = sources
    for source in first:
        _ask_if_new(source, inquiry, state_changed_at)
        if not inquiry.force and turns.is_enough(inquiry.snapshot.stated, inquiry.now):
            return True
    if turns.has_said_all(last.NAME, inquiry.snapshot, state_changed_at):
        return True
    wait_until = None
    if not inquiry.force:
        wait_until = turns.find_next_turn(last.NAME, inquiry.snapshot, state_changed_at, inquiry.now)
    if wait_until is not None:
        inquiry.schedule = inquiry.schedule.replace(refresh_at=wait_until, idle_refresh_at=wait_until)
        return False
    started = turns.mark_start(last.NAME, inquiry.schedule, inquiry.now)
    if started is not inquiry.schedule:
        inquiry.schedule = started
        inquiry.note_schedule()
    _ask(last, inquiry)
    # What the program wrote there while we asked it is no news.
    _note_state_file(sources, inquiry)
    return True


def ask_in_pause(sources: Sequence[Source], inquiry: Inquiry) -> None:
    """Ask the sources that send the server no request, during a pause that the server asked for."""
    state_changed_at = _note_state_file(sources, inquiry)
    for source in sources:
        if source.NAME not in meters.ASKS_SERVER:
            _ask_if_new(source, inquiry, state_changed_at)


def _ask_if_new(source: Source, inquiry: Inquiry, state_changed_at: datetime | None) -> None:
    if turns.has_news(source.NAME, state_changed_at):
        with suppress(SourceError):
            _ask(source, inquiry)


def _note_state_file(sources: Sequence[Source], inquiry: Inquiry) -> datetime | None:
    """Return when Claude Code wrote its state file, if it did since the last refresh, and note that in the schedule."""
    if not any(source.NAME in turns.GO_BY_STATE_FILE for source in sources):
        return None
    from ullage.sources import claude_state

    mark = claude_state.find_state_mark(inquiry.environ)
    if mark is None or mark == inquiry.schedule.state_mark:
        return None
    inquiry.schedule = inquiry.schedule.replace(state_mark=mark)
    return datetime.fromtimestamp(int(mark.partition("-")[0]) / 1e9, UTC)


def _ask(source: Source, inquiry: Inquiry) -> None:
    """Ask a source and keep its answer; raise SourceError when there is none."""
    try:
        if source.NAME in meters.ASKS_SERVER:
            answer = _ask_once_for_account(source, inquiry)
        else:
            answer = source.read(inquiry.environ, inquiry.account, inquiry.now)
    except SourceError as error:
        if error.code == "served_from_snapshot":
            # What Claude Code repeated is what it keeps, with its date.
            _ask_if_new(_find_source("claude-cache", None), inquiry, inquiry.now)
        raise
    since = inquiry.schedule.account_since
    if answer.source == "claude-cache" and since is not None and answer.as_of < since:
        raise SourceError(
            "other_account", "The usage report that Claude Code kept is from before this account signed in here."
        )
    # Sessions keep their statements themselves.
    if answer.source not in SESSION_SOURCES:
        inquiry.snapshot = inquiry.cache.keep(inquiry.snapshot, answer)


def _ask_once_for_account(source: Source, inquiry: Inquiry) -> Reading:
    """Ask the server at most once in five minutes for an account, for all of its profiles together."""
    now = inquiry.now
    shared = AccountCache(inquiry.environ, inquiry.account)
    with shared.lock() as alone:
        asked_at = shared.load_asked_at()
        is_recent = asked_at is not None and timedelta() <= now - asked_at < SHORTEST_INTERVAL
        if not alone or (is_recent and not inquiry.force):
            known = shared.load_reading(source.NAME)
            if known is not None and -CLOCK_SLACK <= now - known.as_of < SHORTEST_INTERVAL:
                return known
            raise SourceError(
                "asked_already",
                "The server was asked for this account less than five minutes ago. ullage asks again by itself.",
            )
        shared.save_asked_at(now)
        try:
            answer = source.read(inquiry.environ, inquiry.account, now)
        except SourceError as error:
            if not error.reached_server:
                shared.save_asked_at(None)
            raise
        # A key may turn out to be another account's than it was.
        AccountCache(inquiry.environ, answer.account).save_reading(answer)
        return answer

"""Follow one session of Claude Code: the account of its statements, whether they are news, and what keeps those."""

from __future__ import annotations

import os

from ullage.base.errors import SourceError
from ullage.quota import merge, serial
from ullage.quota.model import Account, has_reset
from ullage.system.places import locate_cache, locate_profile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ullage.config import Settings
    from ullage.quota.model import Reading, Window
    from ullage.store.statements import Stated, Statement

# An unchanged statement is written again after so long, with its new date: this keeps its age true to the minute.
_CONFIRMED_SECONDS = 60


def follow(last: Statement | None, said: Statement, environ: Mapping[str, str]) -> Statement:
    """Return a session's new statement with the account that it is about, or the last one where it says nothing new.

    It is news where its numbers differ from the session's last, or where that is a minute older. It takes over the
    account of the last statement that it continues, completed by the account signed in now.
    """
    if last is not None and not _is_news(said.reading, last.reading):
        return last
    known, reading = last.reading if last else None, said.reading
    signed_in = _signed_in(environ)
    goes_on = known is not None and merge.goes_on(known, reading)
    account = known.account if known is not None and goes_on else Account()
    if account.may_be(signed_in):
        account = Account(
            id=signed_in.id or account.id,
            organization_id=signed_in.organization_id or account.organization_id,
            organization=signed_in.organization or account.organization,
        )
    if known is not None and goes_on and known.account.may_be(account):
        unmentioned = _unmentioned(known, reading)
        reading = reading.replace(windows=(*reading.windows, *unmentioned))
    reading = reading.replace(account=account, is_apart=not account.may_be(signed_in))
    return said.replace(reading=reading, is_news=True)


def keep(statement: Statement, environ: Mapping[str, str]) -> bytes | None:
    """Write the statement, where it is news, and return what was written; None where it is not kept; raises CacheError.

    A cache that is only trusted to be read stays as it is: another user fills it.
    """
    if environ.get("ULLAGE_TRUSTED_CACHE"):
        return None
    from ullage.system import directories
    from ullage.system.files import write_atomically

    directories.make_private(locate_cache(environ), locate_profile(environ), environ=environ)
    if not statement.is_news:
        return b""
    written = serial.encode(statement.reading, mark=statement.mark)
    write_atomically(statement.path, written)
    return written


def publish(
    statement: Statement, written: bytes, known: Stated, settings: Settings, environ: Mapping[str, str]
) -> None:
    """Publish a statement that has been kept, and have it recorded and handed on, where it is news; raises CacheError.

    `written` is what `keep` has written, and `known` what every source said last, this statement included.
    """
    from ullage.prompt.publish import publish_anew
    from ullage.store.cache import ProfileCache, Snapshot
    from ullage.system import detach, secret

    cache = ProfileCache(environ)
    ours = (os.path.basename(statement.path), written) if statement.is_news else ()
    snapshot = cache.settle(Snapshot(stated=known, schedule=cache.load_schedule()), *ours)
    publish_anew(cache, settings, snapshot=snapshot)
    if statement.is_news:
        # In the background, since SQLite or a lock on it may take its time.
        detach.start("ullage.store.recording", secret.withhold_keys(environ, settings.key_variables))
        if settings.push:
            from ullage.store import pushes

            pushes.start(cache.root, settings, environ)


def _signed_in(environ: Mapping[str, str]) -> Account:
    from ullage.sources import claude_state

    if environ.get("CLAUDE_CODE_OAUTH_TOKEN"):
        # Claude Code asks with the token, which may be another account's than the one that is signed in.
        return Account()
    try:
        return claude_state.read_account(environ, lambda _seconds: None)
    except SourceError:
        # The file is being written at this moment: the statement names no account, and goes with any.
        return Account()


def _unmentioned(known: Reading, reading: Reading) -> list[Window]:
    """Return windows of the session's last statement that the new one leaves out and that have not reset since."""
    mentioned = {window.id for window in reading.windows}
    return [window for window in known.windows if window.id not in mentioned and not has_reset(window, reading.as_of)]


def _is_news(reading: Reading, known: Reading) -> bool:
    is_older = (reading.as_of - known.as_of).total_seconds() >= _CONFIRMED_SECONDS
    return is_older or _numbers(known) != _numbers(reading)


def _numbers(reading: Reading) -> list[tuple[object, ...]]:
    return [(window.id, window.used_percent, window.resets_at) for window in reading.windows]

"""Take in what another machine pushes: keep it, and show it at once in every profile of its account."""

from __future__ import annotations

from datetime import UTC, datetime

from ullage import config
from ullage.base.errors import CacheError, SourceError
from ullage.prompt.publish import publish_anew
from ullage.refresh import ask, remotes
from ullage.sources import remote as source
from ullage.sources.remote import Exchange
from ullage.store import overview
from ullage.store.cache import ProfileCache
from ullage.store.remotes import RemoteStore
from ullage.system import detach, places, secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ullage.config import Settings
    from ullage.quota.model import Account, Reading
    from ullage.quota.remotes import RemoteAnswer

# How long another process that receives under the same name may take.
_PATIENCE_SECONDS = 5.0


def receive(document: bytes, name: str, environ: Mapping[str, str]) -> tuple[Reading, ...]:
    """Keep a document as the answer of the machine of this name, and return its readings.

    Raises SourceError where it holds none, CacheError where nothing can be kept.
    """
    now = datetime.now(UTC)
    readings = source.parse(document, name, Exchange(asked_at=now, answered_at=now))
    settings, _ = config.load(environ)
    store = RemoteStore(environ)
    with store.lock(name, _PATIENCE_SECONDS) as alone:
        if not alone:
            raise CacheError(f"Another process keeps what remote:{name} says. Try again.")
        before = store.load(name).replace(asked_at=now, is_received=True)
        store.save(remotes.update_answer(before, readings))
    answers = store.load_all([each.name for each in settings.remotes])
    for profile in {*overview.list_profiles(environ), environ.get("CLAUDE_CONFIG_DIR") or None}:
        _show(places.select_profile(profile, environ), settings, answers)
    return readings


def _show(environ: Mapping[str, str], settings: Settings, answers: list[RemoteAnswer]) -> None:
    """Show in a profile the readings of its account."""
    cache = ProfileCache(environ)
    cache.make_private()
    before = cache.load()
    snapshot = remotes.take_over(cache, before, answers, _find_account(environ, settings, before.schedule.account))
    if snapshot is before:
        return
    publish_anew(cache, settings, snapshot=snapshot)
    # In the background: the pushing machine waits for this process to end.
    detach.start("ullage.store.recording", secret.withhold_keys(environ, settings.key_variables))


def _find_account(environ: Mapping[str, str], settings: Settings, scheduled: Account) -> Account:
    try:
        return ask.find_sources(settings)[0].account(environ)
    except SourceError:
        return scheduled

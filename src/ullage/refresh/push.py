"""Push the reading to other machines: to each command of `[push]`, at most once a minute, in the background.

A command gets the document of `ullage usage --all --json` on its stdin: percentages with their ages, and no credential.
One that fails is run less and less often; `ullage doctor` says what went wrong.
"""

from __future__ import annotations

import hashlib
import os
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from ullage import config
from ullage.base.errors import UllageError
from ullage.quota import contract
from ullage.quota.remotes import SHORTEST_PAUSE
from ullage.store import all_accounts, overview, pushes
from ullage.store.cache import ProfileCache
from ullage.store.pushes import MOST_FAILURES
from ullage.system import claim, places, programs, secret
from ullage.system.lock import hold_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ullage.config import Settings
    from ullage.store.pushes import PushState

SECONDS = 15.0
_LOCK = "push.lock"
# A process that has just released its claim still holds the lock for a moment.
_PATIENCE_SECONDS = 5.0
_LARGEST_ANSWER = 1 << 16


def main() -> int:
    """Push the reading if it is new, in a detached process; return the exit code."""
    try:
        push_news(os.environ)
    except UllageError:
        # The cache cannot be written: the next refresh says so.
        return 1
    return 0


def push_news(environ: Mapping[str, str], sleep: Callable[[float], None] = time.sleep) -> None:
    """Push until no reading is newer than the one pushed; waits out a minute, but no longer pause after failures."""
    settings, _ = config.load(environ)
    root = places.locate_cache(environ)
    with hold_lock(os.path.join(root, _LOCK), _PATIENCE_SECONDS) as alone:
        while alone and settings.push:
            pushed, version = pushes.load_last(root), _mark_version(environ)
            wait = pushed.find_wait_seconds(datetime.now(UTC))
            if pushed.version == version or wait > SHORTEST_PAUSE.total_seconds():
                claim.release(root, claim.PUSH)
                # A statement that came while this process held the claim started no push of its own.
                if _mark_version(environ) == version or not claim.take(root, time.time(), claim.PUSH):
                    return
                continue
            claim.hold(root, time.time() + wait + 2 * SECONDS, claim.PUSH)
            sleep(wait)
            pushes.save(root, _push(settings, environ, pushed))


def _push(settings: Settings, environ: Mapping[str, str], before: PushState) -> PushState:
    # The mark is taken first: a statement that is written meanwhile makes another push.
    version, now = _mark_version(environ), datetime.now(UTC)
    shown = overview.load_all(overview.list_profiles(environ), environ, settings.thresholds, now)
    document = contract.encode(all_accounts.describe_all_accounts(shown, settings.thresholds, now)).encode()
    given = secret.withhold_keys(environ, settings.key_variables)
    with ThreadPoolExecutor(max_workers=len(settings.push)) as pool:
        problems = list(pool.map(lambda command: _hand_on(command, document, given), settings.push))
    problem = next(filter(None, problems), "")
    after = before.replace(at=now, version=version, problem=problem)
    if problem:
        # The document itself may be at fault: it is not pushed again before there is a newer one.
        return after.replace(failures=min(before.failures + 1, MOST_FAILURES))
    return after.replace(failures=0, succeeded_at=now)


def _hand_on(command: tuple[str, ...], document: bytes, environ: Mapping[str, str]) -> str:
    """Run a command with the document on its stdin; return what went wrong, or nothing."""
    try:
        done = programs.run_named(command, environ, seconds=SECONDS, given=document, largest_bytes=_LARGEST_ANSWER)
    except programs.NotRunError as error:
        return f"{error}."
    return "" if done.status == 0 else f"{programs.explain_end(command, done)}."


def _mark_version(environ: Mapping[str, str]) -> str:
    profiles = [places.select_profile(profile, environ) for profile in overview.list_profiles(environ)]
    versions = [ProfileCache(profile).find_version() for profile in profiles]
    return hashlib.sha256(repr(versions).encode()).hexdigest()[:16]

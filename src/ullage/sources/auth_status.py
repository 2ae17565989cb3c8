"""`claude auth status`: which tier a plan has and when the sign-in ends, looked at once a day after `claude` was asked.

It prints JSON, requests no usage and shows no secret. Versions without it would take the words for a question to the
model, so only versions that know `get_usage`, which is younger, are asked. `planTier` and `loginExpiresAt` were seen in
2.1.332.
"""

from __future__ import annotations

import time

from ullage.base import jsontext
from ullage.base.errors import CacheError
from ullage.base.text import clean
from ullage.base.values import parse_time
from ullage.store import sign_in
from ullage.store.sign_in import SignInFacts
from ullage.system import programs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ullage.quota.model import Account

_ASK = ("auth", "status")
_ANSWER_SECONDS = 5.0
_LARGEST_OUTPUT = 1 << 16


def look(program: str, environ: Mapping[str, str], directory: str, account: Account, now: datetime) -> None:
    """Ask the program once a day, and keep its answer about this account in the profile's directory.

    `environ` is the program's own. No answer is no failure: usage does not depend on it.
    """
    if account.key is None:
        return
    known = sign_in.load(directory, account)
    if known is not None and not known.may_look(now):
        return
    looked = SignInFacts(account=account.key, looked_at=now)
    try:
        # Kept before it is asked, so that a look that dies is not repeated at once.
        sign_in.save(directory, looked)
        told = parse(_ask(program, environ), account)
        if told is not None:
            sign_in.save(directory, looked.replace(plan_tier=told[0], expires_at=told[1]))
    except (CacheError, OSError, programs.ProgramLateError, programs.ProgramFloodError):
        return


def parse(output: bytes, account: Account) -> tuple[str | None, datetime | None] | None:
    """Return the plan's tier and when the sign-in ends; None for what is no answer, or is about another organisation.

    `output` is `{"loggedIn": true, "orgId": …, "planTier": "max_20x", "loginExpiresAt": …}`, the last one in ISO 8601
    or in epoch seconds or milliseconds.
    """
    try:
        told = jsontext.loads(output)
    except ValueError:
        return None
    if not isinstance(told, dict) or told.get("loggedIn") is not True:
        return None
    organization = clean(told.get("orgId"))
    if organization and account.organization_id and organization != account.organization_id:
        return None
    return clean(told.get("planTier")) or None, parse_time(told.get("loginExpiresAt"))


def _ask(program: str, environ: Mapping[str, str]) -> bytes:
    with programs.run_beside([program, *_ASK], environ, largest_bytes=_LARGEST_OUTPUT) as claude:
        claude.send(b"", close=True)
        return b"".join(claude.read_output(time.monotonic() + _ANSWER_SECONDS))

"""claude.ai's usage endpoint, asked with the user's own session key. Used only where the user chose it.

GET {base}/api/organizations/{uuid}/usage with the cookie `sessionKey`; whose key it is comes from
/api/organizations and /api/account, once a day. All of it is undocumented, and Cloudflare may stand in front.
"""

from __future__ import annotations

import os
import time
from datetime import timedelta

from ullage.base.errors import SourceError
from ullage.base.text import clean
from ullage.quota.model import Account
from ullage.sources import claude_state, web_account, wire
from ullage.system import directories, http, keys, refusals, secret, statefile
from ullage.system.files import read_regular, remove_file, write_atomically
from ullage.system.places import locate_cache, locate_profile
from ullage.system.statefile import Kept, Moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import httpx

    from ullage.config.outside import KeyNames
    from ullage.quota.model import Reading
    from ullage.sources.web_account import Identity
    from ullage.system.secret import Secret

NAME = "web"
PROVIDER = "https://claude.ai"
ORGANIZATIONS_PATH, ACCOUNT_PATH = "/api/organizations", "/api/account"
# For the command and all questions together: a person may be waiting for this refresh to end.
ANSWER_SECONDS = 30.0
_KNOWN_FOR = timedelta(days=1)
_WHAT = "session key"


class _WebIdentity(Kept, frozen=True):
    """Whose key it was at `told_at`; `salt` and `mark` show whether it is that key still."""

    account_id: str
    organization: str
    plan: str | None
    tier: str | None
    told_at: Moment
    salt: str
    mark: str


class Web:
    """The source, with the places that its key comes from."""

    NAME = NAME

    def __init__(self, names: KeyNames) -> None:
        self._names = names

    def account(self, environ: Mapping[str, str]) -> Account:
        """Return the account whose numbers this source reads: the one signed in here, else the key's where known."""
        signed_in = claude_state.read_account(environ)
        if signed_in.id is not None:
            return signed_in
        kept = _load(environ)
        return Account(id=kept.account_id, organization_id=kept.organization) if kept else Account()

    def read(self, environ: Mapping[str, str], account: Account, now: datetime) -> Reading:
        """Ask the endpoint once; raise SourceError, which says what to do, when it gives no reading."""
        base = http.check_base(environ.get("ULLAGE_WEB_BASE") or PROVIDER, PROVIDER, "ULLAGE_WEB_BASE")
        deadline = time.monotonic() + ANSWER_SECONDS
        key = fetch_session_key(self._names, environ)
        question = _Question(base, key, deadline, now)
        identity = _identity(environ, question, self._names.organization)
        try:
            body = question.ask(f"{ORGANIZATIONS_PATH}/{identity.organization}/usage")
        except SourceError as error:
            if error.code in ("unauthorized", "forbidden", "not_found"):
                # The key or the membership may have changed hands: the next read looks that up again.
                remove_file(_path(environ))
            raise
        account = account.replace(
            id=identity.account_id, organization_id=identity.organization, plan=identity.plan, tier=identity.tier
        )
        return wire.parse_usage(body, account=account, source=NAME, as_of=now)


def fetch_session_key(names: KeyNames, environ: Mapping[str, str]) -> Secret:
    """Fetch the key; raise SourceError with what to do when there is none."""
    found = keys.fetch_key(names, environ, _WHAT)
    if found is not None:
        return secret.Secret(found.reveal().removeprefix("sessionKey="))
    unset = f"The variable {names.variable} is not set here" if names.variable else "No session key is named"
    raise SourceError(
        "key_missing", f"{unset}. Name the command that prints it in config.toml: [web] session_key_command."
    )


class _Question:
    """What the requests of one reading have in common."""

    def __init__(self, base: httpx.URL, key: Secret, deadline: float, now: datetime) -> None:
        self.base, self.key, self.deadline, self.now = base, key, deadline, now

    def ask(self, path: str) -> object:
        """Return a decoded body; raise SourceError for every other answer."""
        # A client for each: what one answer sets as a cookie is not sent with the next question.
        answer = http.get_response(
            self.base, path, {"Cookie": f"sessionKey={self.key.reveal()}"}, max(0.1, self.deadline - time.monotonic())
        )
        if answer.status != 200 or _is_cloudflare(answer):
            raise _refusal(answer, self.base.host, self.now)
        return http.decode_body(answer, self.base.host)


def _identity(environ: Mapping[str, str], question: _Question, wanted: str) -> Identity:
    """Return the identity behind the key: the one kept for this key for a day, else what claude.ai says now."""
    signed_in = claude_state.read_part(environ, "oauthAccount")
    about = [wanted, *(clean(signed_in.get(name), 200) for name in ("accountUuid", "emailAddress", "organizationUuid"))]
    kept = _load(environ)
    is_recent = kept is not None and timedelta() <= question.now - kept.told_at < _KNOWN_FOR
    # The mark shows whether the key has changed; the key cannot be derived from it.
    if kept and is_recent and kept.mark == keys.fingerprint_key(question.key, about, kept.salt):
        return web_account.Identity(
            account_id=kept.account_id, organization=kept.organization, plan=kept.plan, tier=kept.tier
        )
    found = web_account.identify(question.ask(ORGANIZATIONS_PATH), question.ask(ACCOUNT_PATH), signed_in, wanted)
    salt = os.urandom(16).hex()
    mark = keys.fingerprint_key(question.key, about, salt)
    note = _WebIdentity(**vars(found), told_at=question.now, salt=salt, mark=mark)
    directories.make_private(locate_cache(environ), locate_profile(environ), environ=environ)
    write_atomically(_path(environ), statefile.encode(note))
    return found


def _path(environ: Mapping[str, str]) -> str:
    return os.path.join(locate_profile(environ), "web.json")


def _load(environ: Mapping[str, str]) -> _WebIdentity | None:
    return statefile.decode(read_regular(_path(environ), own=True), _WebIdentity)


def _is_cloudflare(answer: http.Response) -> bool:
    is_page = "html" in answer.headers.get("content-type", "") or answer.body.lstrip()[:1] == b"<"
    return "cf-mitigated" in answer.headers or (
        is_page and (b"Just a moment" in answer.body or b"cf-chl" in answer.body)
    )


def _refusal(answer: http.Response, host: str, now: datetime) -> SourceError:
    status = answer.status
    if _is_cloudflare(answer):
        code = "cloudflare"
        message = (
            f"{host} answered with Cloudflare's check for browsers. ullage does not pretend to be one, so this source "
            'may not work from this network: use source = "auto".'
        )
    elif status == 401 or (status == 403 and b"session_invalid" in answer.body):
        code = "unauthorized"
        message = "claude.ai does not accept the session key. Sign in there in a browser, and keep the new key."
    elif status == 403:
        code = "forbidden"
        message = f"{host} refuses this session key or this network. Check that the page opens in a browser."
    elif status == 404:
        code, message = "not_found", f"{host} has no usage page for this organisation any more. ullage asks again."
    else:
        return refusals.build_refusal(answer, host, now, sent="session key")
    return SourceError(code, message, reached_server=True)

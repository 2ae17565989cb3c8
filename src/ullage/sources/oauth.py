"""The provider's usage endpoint, asked with the token that Claude Code stored. Used only where the user chose it.

GET {base}/api/oauth/usage with `anthropic-beta: oauth-2025-04-20`. The endpoint is undocumented and throttled per
account; an expired token may be answered with 429, which is why one is never sent.
"""

from __future__ import annotations

from ullage.base.errors import SourceError
from ullage.quota.model import Account
from ullage.sources import claude_state, credentials, wire
from ullage.system import http, refusals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ullage.quota.model import Reading

NAME = "oauth"
_PATH = "/api/oauth/usage"


def account(environ: Mapping[str, str]) -> Account:
    """Return the account whose numbers this source reads; an unknown one for a token in the environment."""
    if environ.get("CLAUDE_CODE_OAUTH_TOKEN"):
        return Account()
    return claude_state.read_account(environ)


def read(environ: Mapping[str, str], account: Account, now: datetime) -> Reading:
    """Ask the endpoint once; raise SourceError, which says what to do, when it gives no reading."""
    base = http.choose_api_base(environ)
    sign_in = credentials.load_sign_in(environ, now)
    headers = {**sign_in.build_header(), "anthropic-beta": "oauth-2025-04-20"}
    answer = http.get_response(base, _PATH, headers)
    if answer.status != 200:
        raise _refusal(answer, base.host, now)
    account = account.replace(plan=sign_in.plan, tier=sign_in.tier)
    return wire.parse_usage(http.decode_body(answer, base.host), account=account, source=NAME, as_of=now)


def _refusal(answer: http.Response, host: str, now: datetime) -> SourceError:
    status = answer.status
    if status == 401:
        code, message = "unauthorized", "The server does not accept Claude Code's token. Sign in again with /login."
    elif status == 403 and b"oauth_scope_insufficient" in answer.body:
        code = "scope_missing"
        message = (
            "The token may not read usage: one from `claude setup-token` can only make model requests. "
            "Sign in with /login, and unset CLAUDE_CODE_OAUTH_TOKEN for ullage."
        )
    elif status == 403:
        code, message = "forbidden", f"{host} refuses this account or this network. Check that `claude` works here."
    else:
        return refusals.build_refusal(answer, host, now, sent="token")
    return SourceError(code, message, reached_server=True)

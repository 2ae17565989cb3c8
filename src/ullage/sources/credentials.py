"""The token that Claude Code stored: read at the moment of use, never kept, never renewed.

Order: CLAUDE_CODE_OAUTH_TOKEN; `.credentials.json` in the configuration directory; on macOS the Keychain item. A
refresh token is single-use, and using it would sign Claude Code out; so an expired token is left to Claude Code.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import unicodedata

from ullage.base.dates import UTC, datetime
from ullage.base.errors import SourceError
from ullage.base.text import clean
from ullage.base.values import parse_time
from ullage.sources import claude_state
from ullage.system.files import read_regular
from ullage.system.places import find_home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_KEYCHAIN_SECONDS = 10
# How `security` ends where the Keychain has no such item, the last byte of errSecItemNotFound (-25300); a locked one
# without a person to ask is 36, a refusal 51 or 128.
_NO_ITEM = 44

_SCOPE = "user:profile"
# Before September 2001, in seconds: no token was made then.
_LONG_AGO = 1e9
_MOST_DIGITS = 16


class SignIn:
    """A bearer token that no print, log or traceback shows, and the plan that it was stored with."""

    def __init__(self, secret: str, plan: str | None = None, tier: str | None = None) -> None:
        self._secret, self.plan, self.tier = secret, plan, tier

    def build_header(self) -> dict[str, str]:
        """Return the request header that carries the token."""
        return {"Authorization": f"Bearer {self._secret}"}

    def __repr__(self) -> str:
        return f"SignIn(…, plan={self.plan!r}, tier={self.tier!r})"


def load_sign_in(environ: Mapping[str, str], now: datetime) -> SignIn:
    """Return a token that may work; raise SourceError, which says what to do, when there is none."""
    given = environ.get("CLAUDE_CODE_OAUTH_TOKEN")
    if given:
        _check_scopes(environ.get("CLAUDE_CODE_OAUTH_SCOPES"))
        return SignIn(_checked(given, "CLAUDE_CODE_OAUTH_TOKEN"))
    stored = _stored(environ)
    if not stored.get("accessToken"):
        raise SourceError(
            "token_missing", "Claude Code is not signed in here. Run claude and sign in with /login, then try again."
        )
    expires_at = _expiry(stored.get("expiresAt"))
    if expires_at is not None and expires_at <= now:
        raise SourceError(
            "token_expired", "Claude Code's sign-in token has expired. Open Claude Code once to renew it."
        )
    _check_scopes(stored.get("scopes"))
    return SignIn(
        _checked(stored["accessToken"], "Claude Code's credentials"),
        plan=clean(stored.get("subscriptionType")) or None,
        tier=clean(stored.get("rateLimitTier")) or None,
    )


def _expiry(value: object) -> datetime | None:
    """Read when a token expires: milliseconds, seconds, or either as a text. 0 is 1970, so that token has expired."""
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        value = int(value.strip()[:_MOST_DIGITS])
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _LONG_AGO:
        return datetime.fromtimestamp(0, UTC)
    return parse_time(value)


def _check_scopes(stated: object) -> None:
    """Refuse a token whose scopes do not allow reading usage: the server counts its refusals against the account."""
    scopes = stated.split() if isinstance(stated, str) else stated
    if isinstance(scopes, list) and scopes and _SCOPE not in scopes:
        raise SourceError(
            "scope_missing",
            "Claude Code's token may not read usage: one from `claude setup-token` can only make model requests. Sign "
            "in with /login; without that the status line is the source that works.",
        )


def _checked(secret: object, origin: str) -> str:
    if isinstance(secret, str) and secret.isascii() and secret.isprintable() and " " not in secret:
        return secret
    raise SourceError("token_unreadable", f"{origin} holds no token of a known form. Sign in again with /login.")


def _stored(environ: Mapping[str, str]) -> dict[str, Any]:
    path = claude_state.locate_credentials(environ)
    stored = claude_state.read_sign_in(read_regular(path))
    if not stored and os.path.exists(path) and not os.access(path, os.R_OK):
        raise SourceError("token_unreadable", f"{path} cannot be read. Make it readable for yourself: chmod 600 it.")
    if sys.platform == "darwin" and not stored:
        return claude_state.read_sign_in(_keychain(environ))
    return stored


def name_keychain_service(environ: Mapping[str, str]) -> str:
    """Return the name of Claude Code's Keychain item: with a hash unless the directory is the default."""
    config_dir = environ.get("CLAUDE_CONFIG_DIR")
    if not config_dir:
        return "Claude Code-credentials"
    digest = hashlib.sha256(unicodedata.normalize("NFC", config_dir).encode()).hexdigest()
    return f"Claude Code-credentials-{digest[:8]}"


def _keychain(environ: Mapping[str, str], program: str = "/usr/bin/security") -> bytes | None:
    command = [program, "find-generic-password", "-s", name_keychain_service(environ), "-w"]
    try:
        found = subprocess.run(
            command, env={"HOME": find_home(environ)}, capture_output=True, timeout=_KEYCHAIN_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SourceError(
            "token_unreadable", "The Keychain did not answer. Unlock it, and allow access when macOS asks."
        ) from error
    if found.returncode == _NO_ITEM:
        return None
    if found.returncode != 0:
        raise SourceError(
            "token_unreadable",
            f"The Keychain gave nothing out (security: {found.returncode}): it is locked, or access was refused. "
            "Unlock it, and allow access when macOS asks.",
        )
    secret = found.stdout.strip()
    try:
        return secret if secret.startswith(b"{") else bytes.fromhex(secret.decode())
    except ValueError:
        return None

"""The token that Claude Code stored: read at the moment of use, never kept, never renewed.

Order: CLAUDE_CODE_OAUTH_TOKEN; `.credentials.json` in the configuration directory; on macOS the Keychain item. A
refresh token is single-use, and using it would sign Claude Code out; so an expired token is left to Claude Code.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import unicodedata

from ullage.cache import read_regular
from ullage.errors import SourceError
from ullage.model import Account, parse_time
from ullage.text import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any

_KEYCHAIN_SECONDS = 10
# Claude Code keeps its history in the file that also names the account.
_LARGEST_STATE_FILE = 64 << 20


class Token:
    """A bearer token that no print, log or traceback shows."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def header(self) -> dict[str, str]:
        """Return the request header that carries it."""
        return {"Authorization": f"Bearer {self._secret}"}

    def __repr__(self) -> str:
        return "Token(…)"


def config_directory(environ: Mapping[str, str]) -> str:
    """Return Claude Code's configuration directory: CLAUDE_CONFIG_DIR or ~/.claude."""
    return environ.get("CLAUDE_CONFIG_DIR") or os.path.join(_home(environ), ".claude")


def account(environ: Mapping[str, str]) -> Account:
    """Return who is signed in, as far as Claude Code's own files say; reads no secret into the result."""
    stored = _stored(environ)
    return Account(
        id=None if environ.get("CLAUDE_CODE_OAUTH_TOKEN") else _account_id(environ),
        plan=clean(stored.get("subscriptionType")) or None,
        tier=clean(stored.get("rateLimitTier")) or None,
    )


def token(environ: Mapping[str, str], now: datetime) -> Token:
    """Return a token that is worth sending; raise SourceError that says what to do when there is none."""
    given = environ.get("CLAUDE_CODE_OAUTH_TOKEN")
    if given:
        return _checked(given, "CLAUDE_CODE_OAUTH_TOKEN")
    stored = _stored(environ)
    if not stored.get("accessToken"):
        raise SourceError(
            "token_missing", "Claude Code is not signed in here. Run claude and sign in with /login, then try again."
        )
    expires_at = parse_time(stored.get("expiresAt"))
    if expires_at is not None and expires_at <= now:
        raise SourceError(
            "token_expired", "Claude Code's sign-in token has expired. Open Claude Code once to renew it."
        )
    return _checked(stored["accessToken"], "Claude Code's credentials")


def _checked(secret: object, origin: str) -> Token:
    if isinstance(secret, str) and secret.isascii() and secret.isprintable() and " " not in secret:
        return Token(secret)
    raise SourceError("token_unreadable", f"{origin} holds no token of a known form. Sign in again with /login.")


def _stored(environ: Mapping[str, str]) -> dict[str, Any]:
    if environ.get("CLAUDE_CODE_OAUTH_TOKEN"):
        return {}
    path = os.path.join(config_directory(environ), ".credentials.json")
    stored = _oauth_part(read_regular(path))
    if not stored and os.path.exists(path) and not os.access(path, os.R_OK):
        raise SourceError("token_unreadable", f"{path} cannot be read. Make it readable for yourself: chmod 600 it.")
    if sys.platform == "darwin" and not stored:
        return _oauth_part(_keychain(environ))
    return stored


def _oauth_part(data: bytes | None) -> dict[str, Any]:
    try:
        whole = json.loads(data or b"{}")
    except (ValueError, RecursionError):
        return {}
    part = whole.get("claudeAiOauth") if isinstance(whole, dict) else None
    return part if isinstance(part, dict) else {}


def keychain_service(environ: Mapping[str, str]) -> str:
    """Return the name of Claude Code's Keychain item; a configuration directory of one's own adds a hash to it."""
    config_dir = environ.get("CLAUDE_CONFIG_DIR")
    if not config_dir:
        return "Claude Code-credentials"
    digest = hashlib.sha256(unicodedata.normalize("NFC", config_dir).encode()).hexdigest()
    return f"Claude Code-credentials-{digest[:8]}"


def _keychain(environ: Mapping[str, str], program: str = "/usr/bin/security") -> bytes | None:
    command = [program, "find-generic-password", "-s", keychain_service(environ), "-w"]
    try:
        found = subprocess.run(
            command, env={"HOME": _home(environ)}, capture_output=True, timeout=_KEYCHAIN_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SourceError(
            "token_unreadable", "The Keychain did not answer. Unlock it, and allow access when macOS asks."
        ) from error
    secret = found.stdout.strip()
    try:
        return secret if secret.startswith(b"{") else bytes.fromhex(secret.decode())
    except ValueError:
        return None


def _account_id(environ: Mapping[str, str]) -> str | None:
    directory = environ.get("CLAUDE_CONFIG_DIR") or _home(environ)
    path = os.path.join(directory, ".claude.json")
    try:
        state = json.loads(read_regular(path, _LARGEST_STATE_FILE) or b"{}")
    except (ValueError, RecursionError) as error:
        # Claude Code rewrites the file all the time: not knowing who is signed in is not the same as nobody.
        raise SourceError(
            "account_unreadable", f"{path} was being written or is damaged. The next attempt comes by itself."
        ) from error
    signed_in = state.get("oauthAccount") if isinstance(state, dict) else None
    return clean(signed_in.get("accountUuid")) or None if isinstance(signed_in, dict) else None


def _home(environ: Mapping[str, str]) -> str:
    return environ.get("HOME") or os.path.expanduser("~")

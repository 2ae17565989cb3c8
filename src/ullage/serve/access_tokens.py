"""Store the access tokens of `ullage serve`: those that the user makes, and links that each admit one browser.

A secret is 256 random bits, so its stored SHA-256 cannot be searched and needs neither salt nor a slow hash. A revoked
token is removed from the file, which the server reads anew.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from datetime import timedelta
from typing import Literal

from ullage import config
from ullage.base.errors import UsageError
from ullage.base.text import clean, quote
from ullage.serve import ServeError
from ullage.system import directories, statefile
from ullage.system.files import read_regular, write_atomically
from ullage.system.lock import hold_lock
from ullage.system.statefile import Kept, Moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

Scope = Literal["read", "metrics"]
SCOPES: tuple[Scope, ...] = ("read", "metrics")
PREFIX = "ullage_"
LINK_LASTS = timedelta(minutes=10)
SESSION_LASTS = timedelta(days=30)

_MOST = 100
_LARGEST_FILE = 1 << 17
_WAIT_SECONDS = 10.0


class Token(Kept, frozen=True):
    """The stored entry of an access token or a link: a hash, never the secret itself.

    `link` is the address that a link was made for, where it may be exchanged for a session once; from `used_at` on,
    the entry stands for that session. No field has a default: one that is missing must not make a token last for ever.
    """

    id: str
    name: str
    scope: Scope
    sha256: str
    created_at: Moment
    expires_at: Moment | None
    link: str | None
    used_at: Moment | None


class _File(Kept, frozen=True):
    version: Literal[1]
    tokens: tuple[Token, ...]


def locate_directory(environ: Mapping[str, str]) -> str:
    """Make the private directory of the access tokens and return its path; raise CacheError where that fails."""
    state = config.locate_state(environ)
    path = os.path.join(state, "serve")
    directories.make_private(state, path, environ=environ, variable=directories.STATE)
    return path


def locate_tokens(directory: str) -> str:
    """Return the path of the file of access tokens."""
    return os.path.join(directory, "tokens.json")


def load(directory: str, now: datetime) -> tuple[Token, ...]:
    """Return the entries that are valid at `now`; raise ServeError for a file that cannot be read or decoded."""
    data = read_regular(locate_tokens(directory), _LARGEST_FILE, own=True)
    if data is None:
        if os.path.lexists(locate_tokens(directory)):
            raise ServeError(f"{locate_tokens(directory)} cannot be read, or is not yours. Make it so, or remove it.")
        return ()
    found = statefile.decode(data, _File)
    if found is None:
        raise ServeError(
            f"{locate_tokens(directory)} cannot be understood, so no token is valid. Remove it and make new ones."
        )
    tokens = (token.replace(name=clean(token.name)) for token in found.tokens)
    return tuple(token for token in tokens if token.expires_at is None or now < token.expires_at)


def create(directory: str, name: str, scope: Scope, now: datetime, *, link: str | None = None) -> tuple[str, Token]:
    """Make and store an access token, or with `link` a one-time link to that address.

    Returns the secret, which is stored nowhere, and the stored entry.
    """
    secret = PREFIX + secrets.token_urlsafe(32)
    token = Token(
        id=secrets.token_hex(4),
        name=clean(name),
        scope=scope,
        sha256=hash_token(secret),
        created_at=now,
        expires_at=now + LINK_LASTS if link else None,
        link=link,
        used_at=None,
    )
    _change(directory, now, lambda tokens: (*_with_room(tokens), token))
    return secret, token


def revoke(directory: str, name: str, now: datetime) -> Token:
    """Remove the entry with this id or unique name, and return it; raise UsageError when none or several match."""
    known = load(directory, now)
    # An empty name matches nothing, not every token without a name.
    found = [token for token in known if name and name in (token.id, token.name)]
    if len(found) != 1:
        what = "more than one token is" if found else "no token is"
        raise UsageError(f"{what.capitalize()} called {quote(name)}. `ullage serve token list` shows the ids.")
    _change(directory, now, lambda tokens: tuple(token for token in tokens if token.id != found[0].id))
    return found[0]


def use_link(directory: str, token: Token, now: datetime) -> bool:
    """Mark a link as used; False when another request has used it first."""
    before: list[Token] = []

    def mark(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
        before.extend(one for one in tokens if one.id == token.id and one.used_at is None)
        used = token.replace(used_at=now, expires_at=now + SESSION_LASTS)
        return tuple(used if one in before else one for one in tokens)

    _change(directory, now, mark)
    return bool(before)


def find_matching(tokens: Iterable[Token], secret: str) -> Token | None:
    """Return the token with this secret; None for a wrong one. The time it takes reveals nothing: all are compared."""
    wanted, found = hash_token(secret), None
    for token in tokens:
        if hmac.compare_digest(token.sha256, wanted):
            found = token
    return found


def hash_token(secret: str) -> str:
    """Return the hash that is stored of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _with_room(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
    """Return the entries without the oldest links where there is no room for another; raise UsageError when full.

    Tokens that the user made are never dropped.
    """
    links = sorted((token for token in tokens if token.link), key=lambda token: token.created_at)
    gone = {token.id for token in links[: max(0, len(tokens) + 1 - _MOST)]}
    kept = tuple(token for token in tokens if token.id not in gone)
    if len(kept) >= _MOST:
        raise UsageError(f"There are {_MOST} tokens already. Revoke some: `ullage serve token list` shows them.")
    return kept


def _change(directory: str, now: datetime, change: Callable[[tuple[Token, ...]], tuple[Token, ...]]) -> None:
    with hold_lock(locate_tokens(directory) + ".lock", _WAIT_SECONDS) as held:
        if not held:
            raise ServeError(f"Another process holds {locate_tokens(directory)}.lock. Try again.")
        tokens = change(load(directory, now))
        write_atomically(locate_tokens(directory), statefile.encode(_File(version=1, tokens=tokens)))

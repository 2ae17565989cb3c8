"""Decide by a request's Host, Origin and Authorization headers whether it may be answered.

Every user of the machine can connect to a loopback port, and any web page can make a browser do so. So the port asks
for an access token, in a header that no browser adds by itself: a cookie would be shared with every other port of the
host. A Unix socket asks for none, since the system lets only its owner connect.
"""

from __future__ import annotations

import secrets

from ullage.base.record import Record
from ullage.serve import access_tokens
from ullage.system.files import find_mark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ullage.serve.access_tokens import Scope, Token

_MOST_SESSIONS = 100
_LONGEST_SECRET = 200


class Grant(Record):
    """The scope of an authorized request, and the id of its access token."""

    token_id: str
    scope: Scope


class Access:
    """The server's access rules: `hosts` are the allowed values of the Host header, `scheme` that of our origins.

    `directory` holds the access tokens; None where the server needs none.
    """

    def __init__(self, directory: str | None, hosts: frozenset[str], scheme: str) -> None:
        self.directory = directory
        self._hosts = hosts
        self._scheme = scheme
        self._origins = {f"{scheme}://{host}" for host in hosts}
        self._seen: object = None
        self._tokens: tuple[Token, ...] = ()
        self._sessions: dict[str, str] = {}

    def is_wrong_host(self, headers: list[tuple[bytes, bytes]]) -> bool:
        """Say whether the request was meant for another host, as under DNS rebinding."""
        named = [value for name, value in headers if name == b"host"]
        return len(named) != 1 or named[0].decode("latin-1").lower() not in self._hosts

    def is_wrong_origin(self, headers: list[tuple[bytes, bytes]], *, navigation: bool) -> bool:
        """Say whether a page of another origin sent the request; `navigation` to our page is allowed from anywhere."""
        given = dict(headers)
        origin = given.get(b"origin")
        site = given.get(b"sec-fetch-site", b"none")
        if origin is not None and origin.decode("latin-1").lower() not in self._origins:
            return True
        return not navigation and site not in (b"none", b"same-origin")

    def find_grant(self, headers: Mapping[bytes, bytes], now: datetime) -> Grant | None:
        """Return the grant of the request's access token or session; None where it has no valid one."""
        if self.directory is None:
            return Grant(token_id="", scope="read")
        secret = _secret(headers)
        if secret is None:
            return None
        known = self.list_known(now)
        session = self._sessions.get(access_tokens.hash_token(secret))
        found = next((token for token in known if token.id == session), None)
        found = found or access_tokens.find_matching([token for token in known if not token.link], secret)
        return Grant(token_id=found.id, scope=found.scope) if found else None

    def holds(self, grant: Grant, now: datetime) -> bool:
        """Say whether a grant is still valid: its access token is neither revoked nor expired."""
        return self.directory is None or any(token.id == grant.token_id for token in self.list_known(now))

    def begin_session(self, headers: Mapping[bytes, bytes], now: datetime) -> str | None:
        """Exchange an access token, or an unused link, for a session's secret, or return None.

        A session lives in this process and ends with it or with its token: what a browser keeps opens nothing at a
        later program on our port. A link is valid only at the address it was made for, so a program at another
        address that receives it by mistake cannot use it here.
        """
        secret = _secret(headers)
        if self.directory is None or secret is None:
            return None
        token = access_tokens.find_matching([token for token in self.list_known(now) if token.used_at is None], secret)
        if token is None or (token.link and not self._is_here(token.link, headers)):
            return None
        if token.link and not access_tokens.use_link(self.directory, token, now):
            return None
        session = access_tokens.PREFIX + secrets.token_urlsafe(32)
        while len(self._sessions) >= _MOST_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        self._sessions[access_tokens.hash_token(session)] = token.id
        return session

    def _is_here(self, address: str, headers: Mapping[bytes, bytes]) -> bool:
        host = headers.get(b"host", b"").decode("latin-1")
        return _without_default_port(address) == _without_default_port(f"{self._scheme}://{host}")

    def list_known(self, now: datetime) -> tuple[Token, ...]:
        """Return the access tokens that are valid at `now`; the file is read anew when it was replaced."""
        assert self.directory is not None
        seen = find_mark(access_tokens.locate_tokens(self.directory))
        if seen is None or seen != self._seen:
            # Cleared before loading: a file that cannot be decoded then grants nothing.
            self._seen, self._tokens = None, ()
            self._tokens = access_tokens.load(self.directory, now)
            self._seen = seen
        return tuple(token for token in self._tokens if token.expires_at is None or now < token.expires_at)


def _without_default_port(address: str) -> str:
    default = ":443" if address.lower().startswith("https:") else ":80"
    return address.lower().rstrip("/").removesuffix(default)


def _secret(headers: Mapping[bytes, bytes]) -> str | None:
    scheme, _, secret = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    if scheme.lower() != "bearer" or not secret.startswith(access_tokens.PREFIX) or len(secret) > _LONGEST_SECRET:
        return None
    return secret if secret.isascii() else None

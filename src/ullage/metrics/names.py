"""Who the label `account` names: a pseudonym that every machine of the account agrees on, or what the user opts in to.

The pseudonym is a hash of the UUIDs of person and organisation, which nobody can guess. With a team's key only who has
the key can tell whether a pseudonym belongs to UUIDs that they know.
"""

from __future__ import annotations

import hashlib
import hmac
from types import MappingProxyType

from ullage.base.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# 64 bits: among a million accounts, two alike are not to be expected.
_DIGITS = 16
_WITHOUT_KEY = b"ullage"


class Names(Record):
    """How accounts are called: `key` of the team, `addresses` by account key, `user` for who reads a dashboard.

    `install` tells this installation from others, for profiles of which no source names the account.
    """

    key: bytes = b""
    user: str = ""
    install: str = ""
    addresses: Mapping[str, str] = MappingProxyType({})

    def account(self, key: str | None, profile: str | None) -> str:
        """Return the value of the label `account` for an account's key (`quota.model.Account`)."""
        if key is None:
            return "unnamed-" + self._pseudonym(f"{self.install} {profile or ''}")
        return self.addresses.get(key) or self._pseudonym(key.strip().lower())

    def _pseudonym(self, text: str) -> str:
        return hmac.new(self.key or _WITHOUT_KEY, text.encode(), hashlib.sha256).hexdigest()[:_DIGITS]


PSEUDONYMS = Names()

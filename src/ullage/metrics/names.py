"""Name accounts in the label `account`: by a pseudonym that is the same on every machine, or by an opted-in address.

The pseudonym is a hash of the UUIDs of person and organisation, which cannot be guessed. With a team's key, only a
holder of the key can check whether a pseudonym belongs to known UUIDs.
"""

from __future__ import annotations

import hashlib
import hmac
from types import MappingProxyType

from ullage.base.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# 64 bits: two of a million accounts are unlikely to share one.
_DIGITS = 16
_WITHOUT_KEY = b"ullage"


class Names(Record):
    """How accounts are named: the team's `key`, `addresses` by account key, and `user`, a name for dashboards.

    `install` is the installation's id, for profiles whose account no source names.
    """

    key: bytes = b""
    user: str = ""
    install: str = ""
    addresses: Mapping[str, str] = MappingProxyType({})

    def name_account(self, key: str | None, profile: str | None) -> str:
        """Return the value of the label `account` for an account's key (`quota.model.Account`)."""
        if key is None:
            return "unnamed-" + self._pseudonym(f"{self.install} {profile or ''}")
        return self.addresses.get(key) or self._pseudonym(key.strip().lower())

    def _pseudonym(self, text: str) -> str:
        return hmac.new(self.key or _WITHOUT_KEY, text.encode(), hashlib.sha256).hexdigest()[:_DIGITS]

"""What `claude auth status` said last, kept with the profile: the plan's tier, and when the sign-in ends.

Asked for at most once a day, so it is shown with the time at which that was.
"""

from __future__ import annotations

import os

from ullage.base import jsontext
from ullage.base.dates import timedelta
from ullage.base.record import Record
from ullage.base.text import clean
from ullage.base.values import parse_time
from ullage.quota import serial
from ullage.quota.model import CLOCK_SLACK
from ullage.system.files import read_regular, write_derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

    from ullage.quota.model import Account

_NAME = "sign-in.json"
_PAUSE = timedelta(days=1)
_LONGEST_TIER = 60


class SignInFacts(Record):
    """What Claude Code said at `looked_at` about the account with the key `account`; None is a field it left out."""

    account: str
    looked_at: datetime
    plan_tier: str | None = None
    expires_at: datetime | None = None

    def may_look(self, now: datetime) -> bool:
        """Say whether it is time to look again; it is after a look from the future, as the clock was set back since."""
        return not -CLOCK_SLACK <= now - self.looked_at < _PAUSE


def load(directory: str, account: Account) -> SignInFacts | None:
    """Load what a profile's directory keeps about this account; None where it keeps nothing, or another account's."""
    try:
        fields = jsontext.loads(read_regular(os.path.join(directory, _NAME), own=True) or b"")
    except ValueError:
        return None
    looked_at = parse_time(fields.get("looked_at")) if isinstance(fields, dict) else None
    if looked_at is None or account.key is None or fields.get("account") != account.key:
        return None
    return SignInFacts(
        account=account.key,
        looked_at=looked_at,
        plan_tier=clean(fields.get("plan_tier"), _LONGEST_TIER) or None,
        expires_at=parse_time(fields.get("expires_at")),
    )


def save(directory: str, sign_in: SignInFacts) -> None:
    """Keep the facts, without a sync: a power cut costs another look. Raises CacheError."""
    write_derived([os.path.join(directory, _NAME)], serial.encode(sign_in))

"""Start pushes of the reading to other machines, one background process at a time, and keep how the last went."""

from __future__ import annotations

import os
import time

from ullage.base import jsontext
from ullage.base.record import Record
from ullage.base.text import clean
from ullage.base.values import parse_time
from ullage.quota import serial
from ullage.quota.remotes import LONGEST_PAUSE_FAILING, SHORTEST_PAUSE
from ullage.system import claim, detach, secret
from ullage.system.files import read_regular, write_derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ullage.config import Settings

MOST_FAILURES = 8
_STATE = "push.json"
_LONGEST_PROBLEM = 400


class PushState(Record):
    """How the last push went: `version` marks the statements pushed, `problem` is the first failure's message."""

    at: datetime | None = None
    version: str = ""
    succeeded_at: datetime | None = None
    failures: int = 0
    problem: str = ""

    def find_wait_seconds(self, now: datetime) -> float:
        """Return how long the next push has to wait."""
        if self.at is None or self.at > now:
            return 0.0
        pause = min(SHORTEST_PAUSE * (1 << min(self.failures, MOST_FAILURES)), LONGEST_PAUSE_FAILING)
        return max(0.0, (self.at + pause - now).total_seconds())


def start(root: str, settings: Settings, environ: Mapping[str, str]) -> None:
    """Start a push and return at once; one that already runs, or waits for its minute, pushes this reading too."""
    if claim.take(root, time.time(), claim.PUSH):
        detach.start("ullage.refresh.push", secret.withhold_keys(environ, settings.key_variables))


def load_last(root: str) -> PushState:
    """Return how the last push went."""
    try:
        fields = jsontext.loads(read_regular(os.path.join(root, _STATE), own=True) or b"")
        failures = fields["failures"]
        return PushState(
            at=parse_time(fields["at"]),
            version=clean(fields["version"]),
            succeeded_at=parse_time(fields["succeeded_at"]),
            failures=failures if isinstance(failures, int) else 0,
            problem=clean(fields["problem"], _LONGEST_PROBLEM),
        )
    except (ValueError, KeyError, TypeError):
        return PushState()


def save(root: str, pushed: PushState) -> None:
    """Keep how a push went; after a power cut it is done once more."""
    write_derived([os.path.join(root, _STATE)], serial.encode(pushed))

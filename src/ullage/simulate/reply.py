"""What the stand-in's parts share: the moment that a request comes in, and what is sent."""

from __future__ import annotations

import json
import math
from types import MappingProxyType

from ullage.base.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime, timedelta
    from typing import Any, Protocol

    class Provider(Protocol):
        """What a part of the stand-in asks of the server that it belongs to."""

        scenario: Callable[[Moment], Reply]
        organizations: list[dict[str, Any]]
        web_account: dict[str, str]
        largest_page: int

        def next_moment(self) -> Moment: ...
        def this_moment(self) -> Moment: ...


class Moment(Record):
    """Where a scenario stands: the day so far in simulated time, the speed, and how often it was asked."""

    started: datetime
    elapsed: timedelta
    speed: float
    request: int

    def resets_at(self, length: timedelta, offset: timedelta) -> str:
        """Return when the running window of this length ends, in real time, as the server words it."""
        periods = math.floor((self.elapsed + offset) / length) + 1
        return self.real(length * periods - offset)

    def real(self, simulated: timedelta) -> str:
        """Return the real time at which so much simulated time has passed."""
        return (self.started + simulated / self.speed).isoformat(timespec="microseconds")


class Reply(Record):
    """What the server sends; `fault` breaks the sending off in a chosen way."""

    status: int = 200
    headers: Mapping[str, str] = MappingProxyType({})
    body: bytes = b""
    fault: str = ""


def refuse(status: int, kind: str, message: str, **headers: str) -> Reply:
    body = json.dumps({"error": {"type": kind, "message": message}}).encode()
    return Reply(status=status, headers=headers, body=body)

"""The types that the simulator's parts share: the moment of a request, and the reply to it."""

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
        """What the simulator's parts need of the server."""

        scenario: Callable[[Moment], Reply]
        organizations: list[dict[str, Any]]
        web_account: dict[str, str]
        largest_page: int

        def next_moment(self) -> Moment: ...
        def this_moment(self) -> Moment: ...


class Moment(Record):
    """A moment of a scenario: its real start, the simulated time since, the speed, and the number of requests."""

    started: datetime
    elapsed: timedelta
    speed: float
    request: int

    def resets_at(self, length: timedelta, offset: timedelta) -> str:
        """Return when the running window of this length resets, in real time, in the server's format.

        `offset` is how far into a window the scenario starts.
        """
        periods = math.floor((self.elapsed + offset) / length) + 1
        return self.real(length * periods - offset)

    def real(self, simulated: timedelta) -> str:
        """Return the real time at which this much simulated time has passed, in the server's format."""
        return (self.started + simulated / self.speed).isoformat(timespec="microseconds")


class Reply(Record):
    """A reply; `fault` names how its sending fails: truncate, cut, stall, drip or silence."""

    status: int = 200
    headers: Mapping[str, str] = MappingProxyType({})
    body: bytes = b""
    fault: str = ""


def refuse(status: int, kind: str, message: str, **headers: str) -> Reply:
    body = json.dumps({"error": {"type": kind, "message": message}}).encode()
    return Reply(status=status, headers=headers, body=body)

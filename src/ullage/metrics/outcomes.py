"""What became of the metrics that were sent last, kept on disk, as no terminal reads what the sender prints."""

from __future__ import annotations

import os
from typing import Literal

from ullage import config
from ullage.system import statefile
from ullage.system.files import read_regular, write_atomically
from ullage.system.statefile import Kept, Moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

Way = Literal["textfile", "push", "otlp"]
WAYS: tuple[Way, ...] = ("textfile", "push", "otlp")
LONGEST_WORDS = 500
_STATUS = "metrics.json"


class Sent(Kept, frozen=True):
    """The state of one way: when it last succeeded, and the failure since, if any."""

    way: Way
    succeeded_at: Moment | None = None
    problem: str = ""


class _Outcomes(Kept, frozen=True):
    format: Literal[2]
    ways: tuple[Sent, ...]


def load_last(environ: Mapping[str, str]) -> tuple[Sent, ...]:
    """Return the kept outcome of each way; none for a file that cannot be decoded."""
    found = statefile.decode(read_regular(os.path.join(config.locate_state(environ), _STATUS), own=True), _Outcomes)
    return found.ways if found else ()


def keep(environ: Mapping[str, str], sent: tuple[Sent, ...]) -> None:
    """Keep the outcome of each way; raise UllageError where nothing can be written."""
    path = os.path.join(config.locate_state(environ), _STATUS)
    write_atomically(path, statefile.encode(_Outcomes(format=2, ways=sent)))

"""What became of the metrics that were sent last, kept on disk, as no terminal reads what the sender prints."""

from __future__ import annotations

import os

from ullage import config
from ullage.base import jsontext
from ullage.base.record import Record
from ullage.base.text import clean
from ullage.base.values import format_time, parse_time
from ullage.system.files import read_regular, write_atomically

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

WAYS = ("textfile", "push", "otlp")
LONGEST_WORDS = 500
_FORMAT = 1
_STATUS = "metrics.json"


class Sent(Record):
    """The state of one way: when it last succeeded, and the failure since, if any."""

    way: str
    succeeded_at: datetime | None = None
    failed_at: datetime | None = None
    problem: str = ""


def load_last(environ: Mapping[str, str]) -> tuple[Sent, ...]:
    """Return the kept outcome of each way; none for a file that cannot be decoded."""
    data = read_regular(os.path.join(config.locate_state(environ), _STATUS), own=True)
    try:
        fields = jsontext.loads(data or b"{}")
    except (ValueError, RecursionError):
        return ()
    if not isinstance(fields, dict) or fields.get("format") != _FORMAT or not isinstance(fields.get("ways"), dict):
        return ()
    return tuple(_sent(way, fields["ways"][way]) for way in WAYS if isinstance(fields["ways"].get(way), dict))


def _sent(way: str, fields: Mapping[str, object]) -> Sent:
    return Sent(
        way=way,
        succeeded_at=parse_time(fields.get("succeeded_at")),
        failed_at=parse_time(fields.get("failed_at")),
        problem=clean(fields.get("problem"), LONGEST_WORDS),
    )


def keep(environ: Mapping[str, str], sent: tuple[Sent, ...]) -> None:
    """Keep the outcome of each way; raise UllageError where nothing can be written."""
    ways = {
        one.way: {
            "succeeded_at": format_time(one.succeeded_at) if one.succeeded_at else None,
            "failed_at": format_time(one.failed_at) if one.failed_at else None,
            "problem": one.problem,
        }
        for one in sent
    }
    data = jsontext.dumps({"format": _FORMAT, "ways": ways}).encode() + b"\n"
    write_atomically(os.path.join(config.locate_state(environ), _STATUS), data)

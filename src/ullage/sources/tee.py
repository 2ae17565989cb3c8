"""What `claude -p --output-format stream-json` says of the windows beside its answers, for `ullage tee`.

A line `{"type": "rate_limit_event", "rate_limit_info": {…, "unifiedWindows": {five_hour, seven_day,
seven_day_overage_included}}, "uuid", "session_id"}`, each window `{utilization: 0-1, resetsAt: epoch seconds}` and each
of them absent where the server's headers did not name it; seen since 2.1.260. It comes when an answer moves a number.
`seven_day_overage_included` is the week of the model that Claude Code calls Fable, and comes with calls to it.
"""

from __future__ import annotations

from ullage.base import jsontext
from ullage.base.errors import SourceError
from ullage.base.record import Record
from ullage.base.text import clean
from ullage.quota.model import SESSION_SOURCES, Account, is_named
from ullage.sources import read_signed_in, wire
from ullage.store import statements
from ullage.system.places import locate_profile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from typing import Any

    from ullage.quota.model import Reading, Window

NAME = "tee"
# Whose statements a refresh asks for.
account = read_signed_in
_WINDOWS = ("five_hour", "seven_day")
_MODEL_WEEK, _MODEL = "seven_day_overage_included", "Fable"


class StreamEvent(Record):
    """An event of limits in a session's stream; no other event of the session has its `mark`."""

    session: str
    mark: str
    reading: Reading


def read(environ: Mapping[str, str], account: Account, now: datetime) -> Reading:  # noqa: ARG001  # a source's signature
    """Return the last statement that went through `ullage tee`; raise SourceError when there is none."""
    newest = statements.load_newest(locate_profile(environ), NAME, now)
    if newest is None:
        raise SourceError(
            "no_stream",
            "Nothing in a pipe has named the windows yet: claude -p --output-format stream-json --verbose … | "
            "ullage tee.",
        )
    return newest


def parse_event(line: bytes, arrived_at: datetime) -> StreamEvent | None:
    """Read a line of the stream that arrived at a time; None for any other line, and for one that names no windows."""
    try:
        event = jsontext.loads(line)
    except ValueError:
        return None
    if not isinstance(event, dict) or event.get("type") != "rate_limit_event":
        return None
    info = event.get("rate_limit_info")
    stated = info.get("unifiedWindows") if isinstance(info, dict) else None
    windows = _windows(stated if isinstance(stated, dict) else {}, arrived_at)
    if not windows:
        return None
    return StreamEvent(
        session=clean(event.get("session_id"), 64) or "unknown",
        mark=clean(event.get("uuid"), 64),
        reading=windows,
    )


def _windows(stated: Mapping[str, Any], as_of: datetime) -> Reading | None:
    weeks = [_plain(stated.get(_MODEL_WEEK), {"display_name": _MODEL})]
    body = {name: _plain(stated.get(name)) for name in _WINDOWS}
    reading = wire.parse_usage(
        {**body, "model_scoped": [week for week in weeks if week]}, account=Account(), source=NAME, as_of=as_of
    )
    windows = tuple(window for window in reading.windows if window.used_percent is not None)
    return reading.replace(windows=windows, problem=None) if windows else None


def _plain(window: object, more: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
    """Return a window as a usage body words it; the event counts from 0 to 1."""
    used = window.get("utilization") if isinstance(window, dict) else None
    if not isinstance(window, dict) or isinstance(used, bool) or not isinstance(used, int | float):
        return None
    # A fraction in binary, times 100, has digits that no server meant.
    return {"utilization": round(used * 100, 6), "resets_at": window.get("resetsAt"), **(more or {})}


def name_model(reading: Reading, stated: Iterable[Reading]) -> Reading:
    """Return the reading with the model's week called as the server's last list calls it, which names a version too."""
    listings = [other for other in stated if other.source not in SESSION_SOURCES]
    listed = max(listings, key=lambda listing: listing.as_of).windows if listings else ()
    weeks = [window for window in listed if window.kind == "model" and is_named(window.id, _MODEL.lower())]
    if len(weeks) != 1:
        return reading
    return reading.replace(windows=tuple(_called(window, weeks[0]) for window in reading.windows))


def _called(window: Window, week: Window) -> Window:
    return window if window.kind != "model" else window.replace(id=week.id, label=week.label)

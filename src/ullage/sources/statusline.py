"""What Claude Code pipes to its status line command: the session, and since 2.1.80 the two main windows.

`rate_limits.five_hour|seven_day` = `{used_percentage: 0-100, resets_at: epoch seconds}`, each of which may be absent;
`spend_limit` behind a gateway. The numbers are those of the session's last answer from the server, however long ago
that was: an idle session repeats them. Documented, though any field may be missing.
"""

from __future__ import annotations

import os

from ullage.base import jsontext
from ullage.base.dates import UTC, datetime
from ullage.base.errors import SourceError
from ullage.base.record import Record
from ullage.base.text import clean
from ullage.quota.model import Account, Reading
from ullage.sources import read_signed_in, wire_windows
from ullage.store import statements
from ullage.system.places import locate_profile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

NAME = "statusline"
# Whose statements a refresh asks for.
account = read_signed_in


def read(environ: Mapping[str, str], account: Account, now: datetime) -> Reading:  # noqa: ARG001  # a source's signature
    """Return the last statement of the sessions' status lines; raise SourceError when there is none."""
    newest = statements.load_newest(locate_profile(environ), NAME, now)
    if newest is None:
        raise SourceError(
            "no_status_line",
            "Claude Code's status line has said nothing yet. Name `ullage statusline` as its statusLine command, and "
            "let it answer once.",
        )
    return newest


class Session(Record):
    """One run of the status line command.

    `reading` is what it says of the windows at the latest possible time; None when it says nothing. `mark` changes
    with every answer that the session has had from the server. `fields` are the texts for templates.
    """

    id: str
    mark: str
    transcript: str
    reading: Reading | None
    fields: Mapping[str, str]


def parse_payload(payload: bytes, now: datetime) -> Session | None:
    """Parse a status line's payload; None for anything but a JSON object."""
    try:
        data = jsontext.loads(payload)
    except ValueError:
        return None
    if not isinstance(data, dict):
        return None
    return Session(
        id=clean(data.get("session_id"), 64) or "unknown",
        mark=_mark(data),
        transcript=_text(data.get("transcript_path")),
        reading=_reading(data.get("rate_limits"), now),
        fields=_fields(data),
    )


def date_payload(session: Session, known_mark: str | None, known_as_of: datetime | None, now: datetime) -> datetime:
    """Return when the server stated the session's numbers.

    A session with an answer since its last run has just had it; without one its statement keeps its time. For a session
    that is seen for the first time, its transcript's date is the time of its last answer.
    """
    if known_mark is not None and known_as_of is not None:
        return known_as_of if known_mark == session.mark else now
    try:
        active = datetime.fromtimestamp(os.stat(session.transcript).st_mtime, UTC)
    except (OSError, ValueError, OverflowError):
        return now
    return min(now, active)


def _mark(data: Mapping[str, Any]) -> str:
    cost, context = _part(data, "cost"), _part(data, "context_window")
    counters = (
        cost.get("total_api_duration_ms"),
        cost.get("total_cost_usd"),
        context.get("total_input_tokens"),
        context.get("total_output_tokens"),
        [sorted(limit.items()) for limit in _part(data, "rate_limits").values() if isinstance(limit, dict)],
    )
    return clean(repr(counters), 1000)


def _reading(limits: object, now: datetime) -> Reading | None:
    if not isinstance(limits, dict):
        return None
    body: dict[str, Any] = {}
    for key, window in limits.items():
        if isinstance(window, dict) and "used_percentage" in window:
            body[key] = {"resets_at": None, **window, "utilization": window["used_percentage"]}
    implausible: list[str] = []
    stated = wire_windows.parse_windows(body, NAME, now, implausible)
    # An impossible number is dropped: the next answer or another source has a better one.
    windows = tuple(window for window in stated if window.used_percent is not None)
    if not windows:
        return None
    return Reading(
        account=Account(),
        source=NAME,
        as_of=now,
        windows=windows,
        problem=wire_windows.note_implausible(implausible),
        is_listing=False,
    )


def _fields(data: Mapping[str, Any]) -> dict[str, str]:
    model, workspace = data.get("model"), _part(data, "workspace")
    context = _part(data, "context_window").get("used_percentage")
    cost = _part(data, "cost").get("total_cost_usd")
    folder = _text(workspace.get("current_dir")) or _text(data.get("cwd"))
    effort = data.get("effort")
    return {
        "model": clean(model.get("display_name") or model.get("id") if isinstance(model, dict) else model),
        "context": _worded(context, "{:.0f}%"),
        "cost": _worded(cost, "${:.2f}"),
        "folder": clean(os.path.basename(folder.rstrip("/\\")) or folder),
        "version": clean(data.get("version")),
        "effort": clean(effort.get("level") if isinstance(effort, dict) else effort),
    }


def _worded(value: object, form: str) -> str:
    is_amount = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e9
    return form.format(value) if is_amount else ""


def _part(data: Mapping[str, Any], key: str) -> dict[str, Any]:
    part = data.get(key)
    return part if isinstance(part, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""

"""Readings and schedules as JSON, and back without trusting the file: what does not fit counts as absent."""

from __future__ import annotations

from ullage.base import jsontext
from ullage.base.dates import datetime
from ullage.base.record import Record
from ullage.base.text import clean
from ullage.base.values import parse_percent, parse_time
from ullage.quota.model import (
    KINDS,
    LARGEST_EXPONENT,
    PERIODS,
    SEVERITIES,
    Account,
    Credits,
    Money,
    Pool,
    Problem,
    Reading,
    Share,
    Window,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ullage.quota.remotes import RemoteAnswer
    from ullage.quota.schedule import Schedule

_FORMAT = 1
_LONGEST_MESSAGE = 500


def encode(record: Record, **more: str) -> bytes:
    """Encode a record as JSON: its fields, the format's version, and what `more` adds."""
    return jsontext.dumps({"format": _FORMAT, **_plain(record), **more}).encode() + b"\n"


def decode_reading(data: bytes | None) -> Reading | None:
    """Decode a reading; None for bytes that hold no reading of this version."""
    return decode_noted_reading(data, "")[0]


def decode_noted_reading(data: bytes | None, name: str) -> tuple[Reading | None, str | None]:
    """Decode a reading and a text that `encode` was given as `more`, each None where there is none."""
    fields = _fields(data) or {}
    note = fields.get(name)
    try:
        reading = _reading(fields) if fields else None
    except (KeyError, TypeError, ValueError, AttributeError):
        reading = None
    return reading, note if isinstance(note, str) else None


def decode_schedule(data: bytes | None) -> Schedule:
    """Decode a schedule; an empty one for bytes that hold no schedule of this version."""
    # A status line reads no schedule.
    from ullage.quota.schedule import Schedule

    fields = _fields(data)
    try:
        return Schedule(**_schedule(fields)) if fields else Schedule()
    except (KeyError, TypeError, ValueError, AttributeError):
        return Schedule()


def decode_remote(data: bytes | None) -> RemoteAnswer | None:
    """Return what another machine said, or None for bytes that hold nothing of this version."""
    # Few have other machines.
    from ullage.quota.remotes import RemoteAnswer

    fields = _fields(data)
    try:
        return RemoteAnswer(**_remote(fields)) if fields else None
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _plain(value: object) -> Any:
    if isinstance(value, Record):
        return {name: _plain(field) for name, field in vars(value).items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value


def _fields(data: bytes | None) -> dict[str, Any] | None:
    try:
        fields = jsontext.loads(data or b"")
    except ValueError:
        return None
    return fields if isinstance(fields, dict) and fields.get("format") == _FORMAT else None


def _reading(fields: dict[str, Any]) -> Reading:
    return Reading(
        account=_account(fields["account"]),
        source=clean(fields["source"]),
        as_of=_time(fields["as_of"]),
        windows=tuple(_window(window) for window in fields["windows"]),
        credits=_credits(fields["credits"]),
        problem=_problem(fields["problem"]),
        pools=tuple(_pool(pool) for pool in fields.get("pools", ())),
        breakdown=tuple(_share(share) for share in fields.get("breakdown", ())),
        is_listing=fields.get("is_listing") is not False,
        is_dated=fields.get("is_dated") is not False,
        is_apart=fields.get("is_apart") is True,
        is_heard=fields.get("is_heard") is True,
    )


def _account(fields: dict[str, Any]) -> Account:
    # A reading of an earlier version names no organisation.
    more = {name: _text(fields.get(name)) for name in ("organization_id", "organization")}
    return Account(**{name: _text(fields[name]) for name in ("id", "plan", "tier")}, **more)


def _pool(fields: dict[str, Any]) -> Pool:
    return Pool(
        id=clean(fields["id"]),
        label=clean(fields["label"]),
        used_percent=parse_percent(fields["used_percent"]),
        used=_money(fields["used"]),
        limit=_money(fields["limit"]),
        ends_at=parse_time(fields["ends_at"]),
        as_of=parse_time(fields.get("as_of")),
    )


def _share(fields: dict[str, Any]) -> Share:
    percent = parse_percent(fields["percent"])
    if percent is None:
        raise ValueError("not a percentage")
    return Share(label=clean(fields["label"]), percent=percent)


def _window(fields: dict[str, Any]) -> Window:
    if fields["kind"] not in KINDS:
        raise ValueError("unknown kind of window")
    return Window(
        id=clean(fields["id"]),
        label=clean(fields["label"]),
        kind=fields["kind"],
        used_percent=parse_percent(fields["used_percent"]),
        resets_at=parse_time(fields["resets_at"]),
        severity=fields["severity"] if fields["severity"] in SEVERITIES else None,
        headline=fields["headline"] is True,
        source=clean(fields["source"]),
        as_of=_time(fields["as_of"]),
        is_listed=fields.get("is_listed") is not False,
        used=_money(fields.get("used")),
        limit=_money(fields.get("limit")),
        period=fields.get("period") if fields.get("period") in PERIODS else None,
        is_dated=fields.get("is_dated") is not False,
        is_heard=fields.get("is_heard") is True,
    )


def _credits(fields: dict[str, Any] | None) -> Credits | None:
    if fields is None:
        return None
    return Credits(
        enabled=fields["enabled"] is True,
        used=_money(fields["used"]),
        limit=_money(fields["limit"]),
        used_percent=parse_percent(fields["used_percent"]),
        as_of=parse_time(fields.get("as_of")),
        disabled_reason=_text(fields.get("disabled_reason")),
    )


def _money(fields: dict[str, Any] | None) -> Money | None:
    if fields is None:
        return None
    amount, exponent = fields["amount_minor"], fields["exponent"]
    if type(amount) is not int or type(exponent) is not int or not 0 <= exponent <= LARGEST_EXPONENT:
        raise ValueError("not an amount of money")
    return Money(amount_minor=amount, currency=clean(fields["currency"]), exponent=exponent)


def _schedule(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        "account_id": _text(fields["account_id"]),
        "organization_id": _text(fields.get("organization_id")),
        "account_since": parse_time(fields.get("account_since")),
        "attempted_at": parse_time(fields["attempted_at"]),
        "succeeded_at": parse_time(fields.get("succeeded_at")),
        "refresh_at": parse_time(fields["refresh_at"]),
        "idle_refresh_at": parse_time(fields["idle_refresh_at"]),
        "hold_until": parse_time(fields["hold_until"]),
        "unchanged": _count(fields["unchanged"]),
        "failures": _count(fields["failures"]),
        "problem": _problem(fields["problem"]),
        "spawned_at": parse_time(fields.get("spawned_at")),
        "state_mark": _text(fields.get("state_mark")),
        "means": _text(fields.get("means")),
        "remotes_at": parse_time(fields.get("remotes_at")),
    }


def _remote(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": fields["name"],
        "asked_at": parse_time(fields["asked_at"]),
        "readings": tuple(map(_reading, fields["readings"])),
        "problem": _problem(fields["problem"]),
        "unchanged": _count(fields["unchanged"]),
        "failures": _count(fields["failures"]),
        "is_received": fields["is_received"] is True,
    }


def _problem(fields: dict[str, Any] | None) -> Problem | None:
    if fields is None:
        return None
    return Problem(
        code=clean(fields["code"]),
        message=clean(fields["message"], _LONGEST_MESSAGE),
        retry_at=parse_time(fields["retry_at"]),
    )


def _time(value: object) -> datetime:
    parsed = parse_time(value)
    if parsed is None:
        raise ValueError("not a time")
    return parsed


def _text(value: object) -> str | None:
    return clean(value) or None


def _count(value: object) -> int:
    return min(max(value, 0), 16) if isinstance(value, int) else 0

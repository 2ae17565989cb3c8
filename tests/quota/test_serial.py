"""What the cache keeps comes back as it was, or not at all."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.samples import NOW, moments, problems, reading, readings, window, words
from ullage.quota import serial
from ullage.quota.model import Credits, Money, Problem, Reading
from ullage.quota.schedule import Schedule

times = st.none() | moments(NOW - timedelta(days=1), NOW + timedelta(days=1))
schedules = st.builds(
    Schedule,
    account_id=st.none() | words,
    attempted_at=times,
    refresh_at=times,
    idle_refresh_at=times,
    hold_until=times,
    unchanged=st.integers(0, 8),
    failures=st.integers(0, 16),
    problem=st.none() | problems,
)

READING = reading(
    window(),
    credits=Credits(enabled=True, used=Money(amount_minor=1234, currency="USD", exponent=2), used_percent=None),
)
SCHEDULE = Schedule(attempted_at=NOW, refresh_at=NOW, unchanged=2, problem=Problem(code="timeout", message="Wait."))


@given(readings())
def test_a_reading_comes_back_as_it_was(known: Reading) -> None:
    assert serial.decode_reading(serial.encode(known)) == known


@given(schedules)
def test_a_schedule_comes_back_as_it_was(schedule: Schedule) -> None:
    assert serial.decode_schedule(serial.encode(schedule)) == schedule


def test_a_path_that_is_no_text_does_not_stop_the_schedule_from_being_kept() -> None:
    schedule = SCHEDULE.replace(problem=Problem(code="token_missing", message="Nothing in /home/\udce9/.claude."))
    decoded = serial.decode_schedule(serial.encode(schedule))
    assert decoded.problem == Problem(code="token_missing", message="Nothing in /home//.claude.")


def with_value(record: Reading | Schedule, path: str, value: object) -> bytes:
    """The record's JSON with one value replaced; `path` is dotted."""
    fields: Any = json.loads(serial.encode(record))
    *parents, last = [int(name) if name.isdigit() else name for name in path.split(".")]
    inner = fields
    for name in parents:
        inner = inner[name]
    inner[last] = value
    return json.dumps(fields).encode()


NOTHING = [
    pytest.param(None, id="no file"),
    pytest.param(b"", id="empty"),
    pytest.param(b"\x00" * 512, id="zeros after a crash"),
    pytest.param(b"\xff\xfe\xff", id="no text"),
    pytest.param(b"null", id="null"),
    pytest.param(b"[]", id="a list"),
    pytest.param(b"{}", id="an empty object"),
    pytest.param(b'{"format": 1}', id="nothing but the version"),
    pytest.param(b"[" * 100_000, id="deep"),
    pytest.param(b'{"format": 1' + b"0" * 5000 + b"}", id="a number that is too long"),
    pytest.param(with_value(READING, "format", 2), id="a newer version"),
    pytest.param(with_value(READING, "format", "1"), id="a version that is no number"),
    pytest.param(with_value(READING, "format", None), id="no version"),
]


@pytest.mark.parametrize("data", NOTHING)
def test_what_is_not_of_this_version_reads_as_nothing_known(data: bytes | None) -> None:
    assert serial.decode_reading(data) is None
    assert serial.decode_schedule(data) == Schedule()


@pytest.mark.parametrize("length", range(0, len(serial.encode(READING)) - 1, 7))
def test_a_truncated_file_reads_as_nothing_known(length: int) -> None:
    assert serial.decode_reading(serial.encode(READING)[:length]) is None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("windows", None),
        ("windows", "five_hour"),
        ("windows", {"five_hour": {}}),
        ("windows.0", None),
        ("windows.0.kind", "monthly"),
        ("windows.0.kind", ["session"]),
        ("windows.0.as_of", None),
        ("as_of", "yesterday"),
        ("as_of", 10**400),
        ("account", None),
        ("account", []),
        ("credits", [1]),
        ("credits.used.amount_minor", None),
        ("credits.used.amount_minor", 1e400),
        ("credits.used.amount_minor", float("nan")),
        ("credits.used.amount_minor", "12"),
        ("credits.used.exponent", 10**9),
        ("credits.used.exponent", -1),
        ("credits.used.exponent", 2.5),
        ("problem", "broken"),
    ],
)
def test_a_reading_with_a_value_that_cannot_be_is_none(path: str, value: object) -> None:
    assert serial.decode_reading(with_value(READING, path, value)) is None


@pytest.mark.parametrize("value", [1795357200, -7, "37", True, float("nan"), 10**400, [37]])
def test_a_percentage_that_cannot_be_one_is_unknown(value: object) -> None:
    decoded = serial.decode_reading(with_value(READING, "windows.0.used_percent", value))
    assert decoded == READING.replace(windows=(window(used=None),))


@pytest.mark.parametrize("field", ["id", "label", "source"])
def test_a_cache_that_somebody_has_edited_brings_no_control_characters(field: str) -> None:
    decoded = serial.decode_reading(with_value(READING, f"windows.0.{field}", "\x1b[2Ja\u202e\nb"))
    assert decoded is not None
    assert getattr(decoded.windows[0], field) == "[2Ja b"


@pytest.mark.parametrize(
    ("field", "value", "read"),
    [
        ("failures", 10**9, 16),
        ("failures", -3, 0),
        ("failures", "3", 0),
        ("unchanged", None, 0),
        ("refresh_at", "x", None),
    ],
)
def test_a_schedules_values_are_kept_within_reason(field: str, value: object, read: object) -> None:
    assert serial.decode_schedule(with_value(SCHEDULE, field, value)) == SCHEDULE.replace(**{field: read})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
places = st.sampled_from(
    [
        *("account", "account.id", "source", "as_of", "credits", "credits.used", "credits.used.currency", "problem"),
        *("windows", "windows.0", "windows.0.id", "windows.0.severity", "windows.0.resets_at", "windows.0.headline"),
    ]
)


@given(places, json_values)
def test_no_value_in_a_reading_raises(path: str, value: object) -> None:
    serial.decode_reading(with_value(READING, path, value))


@given(st.sampled_from(list(vars(SCHEDULE))), json_values)
def test_no_value_in_a_schedule_raises(name: str, value: object) -> None:
    assert isinstance(serial.decode_schedule(with_value(SCHEDULE, name, value)), Schedule)


@given(st.binary(max_size=200))
def test_no_bytes_raise(data: bytes) -> None:
    assert serial.decode_reading(data) is None
    assert serial.decode_schedule(data) == Schedule()

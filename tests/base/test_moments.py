"""Moments in words: the same ones for every command that has a --since."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ullage.base.errors import UsageError
from ullage.base.moments import FORMS, parse_beginning, parse_end, parse_utc_day
from ullage.cli import run

# A Friday in Berlin already, a Thursday in UTC still.
NOW = datetime(2026, 11, 26, 23, 30, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
COMMANDS = [
    ["history", "--since"],
    ["tokens", "--since"],
    ["tokens", "--until"],
    *(
        ["org", report, option]
        for report in ("usage", "cost", "claude-code", "analytics")
        for option in ("--since", "--until")
    ),
]


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ("today", date(2026, 11, 27)),
        (" Yesterday ", date(2026, 11, 26)),
        ("friday", date(2026, 11, 27)),
        ("Saturday", date(2026, 11, 21)),
        ("thursday", date(2026, 11, 26)),
        ("2026-11-20", date(2026, 11, 20)),
        ("20261120", date(2026, 11, 20)),
        ("2026-W47-5", date(2026, 11, 20)),
        ("2026-10-25", date(2026, 10, 25)),
    ],
)
def test_a_day_begins_and_ends_at_midnight_of_its_zone(text: str, begins: date) -> None:
    first = datetime(begins.year, begins.month, begins.day, tzinfo=BERLIN)
    assert parse_beginning(text, NOW, BERLIN) == first
    assert parse_end(text, NOW, BERLIN) == first + timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("today", date(2026, 11, 26)),
        ("monday", date(2026, 11, 23)),
        ("1d", date(2026, 11, 26)),
        ("2w", date(2026, 11, 13)),
        ("90m", date(2026, 11, 26)),
        ("24h", date(2026, 11, 25)),
        ("4 w", date(2026, 10, 30)),
        (" Today ", date(2026, 11, 26)),
        ("2026-11-22T00:30+01:00", date(2026, 11, 21)),
        ("2030-01-01", date(2030, 1, 1)),
    ],
)
def test_a_day_of_utc(text: str, day: date) -> None:
    assert parse_utc_day(text, NOW) == day


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01", "2026-02-30", "7y", "-7d", "7", "22.11.2026", "0d", "²d"])
def test_what_is_no_day(text: str) -> None:
    with pytest.raises(UsageError, match="is none of "):
        parse_utc_day(text, NOW)


@given(st.text(max_size=30) | st.from_regex(r"[0-9]{0,6}[mhdw]|[0-9]{4}-[0-9]{2}-[0-9]{2}", fullmatch=True))
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    for read in (parse_beginning, parse_end, parse_utc_day):
        try:
            read(text, NOW)
        except UsageError as error:
            assert str(error).isprintable()


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_takes_the_same_words_and_says_so(
    command: list[str], environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {**environ, "COLUMNS": "100"}.items():
        monkeypatch.setenv(name, value)
    assert run([*command[:-1], "--help"]) == 0
    assert FORMS in " ".join(capsys.readouterr().out.split())
    assert run([*command, "last\ntuesday"]) == 2
    refused = capsys.readouterr()
    assert refused.out == ""
    assert f"'last\\ntuesday' is none of {FORMS}." in refused.err
    for text in ("today", "90m", "monday"):
        # Whoever knows nothing yet says so; nothing is wrong with the words.
        assert run([*command, text]) == 3
        assert FORMS not in capsys.readouterr().err

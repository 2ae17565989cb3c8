"""The text of `/usage`, as old versions print it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ullage.base.errors import SourceError
from ullage.quota.model import Account
from ullage.sources import usage_text


def windows(text: str, as_of: datetime) -> dict[str, tuple[float | None, datetime | None]]:
    reading = usage_text.parse(text, account=Account(), source="claude-cli-text", as_of=as_of)
    return {window.id: (window.used_percent, window.resets_at) for window in reading.windows}


def test_each_row_is_a_window(now: datetime) -> None:
    text = (
        "You are using your subscription\n\n"
        "Current session: 47% used · resets Nov 22, 9:10pm (Asia/Shanghai)\n"
        "Current week (all models): 18% used · resets Nov 26, 7am (Europe/Berlin)\n"
        "Current week (Fable): 71% used · resets soon\n"
    )
    assert windows(text, now) == {
        "five_hour": (47.0, datetime(2026, 11, 22, 13, 10, tzinfo=UTC)),
        "seven_day": (18.0, datetime(2026, 11, 26, 6, 0, tzinfo=UTC)),
        "seven_day_fable": (71.0, None),
    }


@pytest.mark.parametrize(
    ("reset", "expected"),
    [
        ("12pm (UTC)", datetime(2026, 11, 22, 12, 0, tzinfo=UTC)),
        ("12:30am (UTC)", datetime(2026, 11, 23, 0, 30, tzinfo=UTC)),
        ("Jan 2, 3am (UTC)", datetime(2027, 1, 2, 3, 0, tzinfo=UTC)),
        ("Nov 22, 10am (UTC)", datetime(2026, 11, 22, 10, 0, tzinfo=UTC)),
        ("Feb 30, 3am (UTC)", None),
        ("Xyz 3, 3am (UTC)", None),
        ("3am (Mars/Olympus)", None),
        ("3am (../../etc/passwd)", None),
        ("3am", None),
        ("", None),
    ],
)
def test_a_reset_is_the_next_one(now: datetime, reset: str, expected: datetime | None) -> None:
    assert windows(f"Current session: 3% used · resets {reset}", now)["five_hour"] == (3.0, expected)


@pytest.mark.parametrize(
    "text", ["", "You are currently using your subscription to power your usage", "Current session: many% used"]
)
def test_a_text_without_rows_is_a_problem(now: datetime, text: str) -> None:
    with pytest.raises(SourceError, match="no percentage"):
        windows(text, now)

"""A finding: something that is wrong here."""

from __future__ import annotations

from ullage.base.record import Record


class Finding(Record):
    """What is wrong, in words that say what to do, and the exit code that it makes."""

    code: str
    message: str
    exit_code: int

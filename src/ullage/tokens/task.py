"""What is to be read of one file, and in what form it comes back."""

from __future__ import annotations

from ullage.base.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ullage.tokens.transcripts import Status

    # What is found: ("afresh", number) when nothing of before holds, ("rows", number, rows by context), and last of all
    # ("done", number, status, offset, mark, skipped, folder). Builtins alone, for marshal.
    Piece = tuple[Any, ...]

# What stays true of the lines that have been read; the rest of what is skipped is told anew by each reading.
LASTING = ("broken_lines", "long_lines", "clockless_lines", "mended_lines")
UNREAD: Status = (0, 0, -1, 0, 0)


class Task(Record):
    """A file to read on: up to `offset` it has been read when it had this status, and `mark` was found there."""

    number: int
    path: str
    project: str
    offset: int = 0
    mark: bytes = b""
    status: Status = UNREAD

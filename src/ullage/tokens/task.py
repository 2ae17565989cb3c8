"""The task to read one file, and the pieces that come back from the worker."""

from __future__ import annotations

from ullage.base.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ullage.tokens.transcripts import Status

    # ("afresh", number) where earlier rows of the file are void, then ("rows", number, rows by context), and last
    # ("done", number, status, offset, mark, skipped, folder). Builtins only: they cross a pipe by marshal.
    Piece = tuple[Any, ...]

# What a look skips, and what it reads all the same, in the order of every report.
SKIPPED = (
    *("unreadable_folders", "unreadable_files", "not_files", "folders_seen_before", "files_seen_before"),
    *("changed_files", "broken_lines", "long_lines", "clockless_lines", "half_written_lines"),
)
MENDED = ("mended_lines",)
# Counts about lines that are not read again, and so add up; the other kinds are counted anew by each read.
LASTING = ("broken_lines", "long_lines", "clockless_lines", "mended_lines")
UNREAD: Status = (0, 0, -1, 0, 0)


class Task(Record):
    """A file to read from `offset`, where the last read ended; the file's `status` and hashed samples (`mark`) then."""

    number: int
    path: str
    project: str
    offset: int = 0
    mark: bytes = b""
    status: Status = UNREAD

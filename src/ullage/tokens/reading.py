"""Read one transcript from where the last read ended, in blocks of whole lines and in bounded memory."""

from __future__ import annotations

import os
import re
import stat
import sys

from ullage.base import search
from ullage.base.hashes import blake2b
from ullage.system.files import open_shared
from ullage.tokens import lines
from ullage.tokens.task import UNREAD
from ullage.tokens.transcripts import read_status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ullage.tokens.lines import Context, Key, Row, Said
    from ullage.tokens.task import Piece, Task
    from ullage.tokens.transcripts import Status

LONGEST_LINE = 4 << 20
_BLOCK = 1 << 18
_PROBE = 512
_MOST_ROWS = 4000
# Bytes of the lines whose rows are held: names and ids are as long as a line allows, so rows alone bound no memory.
_MOST_BYTES = 8 << 20

_memmem = search.load_memmem()


def read_transcript(task: Task) -> Iterator[Piece]:
    """Read what was appended to a file, or all of it where it is not the file that was read before."""
    try:
        descriptor = open_shared(task.path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        yield "afresh", task.number
        yield "done", task.number, UNREAD, 0, b"", {"unreadable_files": 1}, ""
        return
    try:
        yield from _Reader(task, descriptor).pieces()
    finally:
        os.close(descriptor)


class _Reader:
    def __init__(self, task: Task, descriptor: int) -> None:
        self._task, self._descriptor = task, descriptor
        self._skipped: dict[str, int] = {}
        self._said: dict[Key, Said] = {}
        self._held = 0
        self._folder = ""
        self._session = os.path.splitext(os.path.basename(task.path))[0]

    def pieces(self) -> Iterator[Piece]:
        """Yield the pieces of this file, in the order that `Piece` describes."""
        number = self._task.number
        try:
            before = os.fstat(self._descriptor)
            if not stat.S_ISREG(before.st_mode):
                yield "afresh", number
                yield "done", number, UNREAD, 0, b"", {"not_files": 1}, ""
                return
            offset = self._task.offset if self._goes_on(before) else 0
            if offset == 0:
                yield "afresh", number
            for reached in self._blocks(offset, before.st_size):
                offset = reached
                if len(self._said) >= _MOST_ROWS or self._held >= _MOST_BYTES:
                    yield "rows", number, self._taken()
            status = self._status_after(before)
            mark = _mark(self._descriptor, offset)
        except OSError:
            self._skip("unreadable_files")
            status, offset, mark = UNREAD, 0, b""
        yield "rows", number, self._taken()
        yield "done", number, status, offset, mark, self._skipped, self._folder

    def _goes_on(self, status: os.stat_result) -> bool:
        """Say whether the file only grew since the last read: same inode, no shorter, and the same hashed samples."""
        task = self._task
        device, inode, size, modified, _ = task.status
        if (status.st_dev, status.st_ino) != (device, inode) or status.st_size < size or task.offset == 0:
            return False
        if status.st_size == size and status.st_mtime_ns != modified:
            return False
        return _mark(self._descriptor, task.offset) == task.mark

    def _status_after(self, before: os.stat_result) -> Status:
        """Return the file's status before this read, or UNREAD when it shrank or was rewritten in the meantime."""
        after = os.fstat(self._descriptor)
        rewritten = after.st_size == before.st_size and after.st_mtime_ns != before.st_mtime_ns
        if after.st_size < before.st_size or rewritten:
            self._skip("changed_files")
            return UNREAD
        return read_status(before)

    def _taken(self) -> dict[Context, list[Row]]:
        """Return the held responses as rows by context, and let go of them: the index merges repeats across pieces."""
        taken: dict[Context, list[Row]] = {}
        for key, said in self._said.items():
            context, row = lines.identify_response(key, said)
            taken.setdefault(context, []).append(row)
        self._said.clear()
        self._held = 0
        return taken

    def _blocks(self, offset: int, end: int) -> Iterator[int]:
        """Read from `offset` to `end`; yield after each block the offset behind its last whole line.

        The buffer holds one unfinished line at its start, and doubles while that line does not fit, up to LONGEST_LINE.
        A longer line is dropped as it comes in: `is_too_long` stays set until its newline, and the line is counted
        then. So a file of any shape is read in memory of one block, or of its longest line.
        """
        buffer = bytearray(_BLOCK)
        filled = 0
        is_too_long = False
        yield offset
        while offset + filled < end:
            if filled == len(buffer):
                if len(buffer) < LONGEST_LINE:
                    buffer += bytes(len(buffer))
                else:
                    is_too_long = True
                    offset += filled
                    filled = 0
            came = self._fill(buffer, filled, min(len(buffer) - filled, end - offset - filled), offset + filled)
            if came == 0:
                # The file was cut short while it was read; `_status_after` reports that.
                return
            newline = buffer.rfind(b"\n", filled, filled + came) + 1
            filled += came
            if newline == 0:
                continue
            begins = 0
            if is_too_long:
                begins = buffer.find(b"\n", 0, newline) + 1
                self._skip("long_lines")
                is_too_long = False
            self._lines(buffer, begins, newline, offset)
            offset += newline
            buffer[: filled - newline] = buffer[newline:filled]
            filled -= newline
            yield offset
        if is_too_long:
            self._skip("half_written_lines")
        elif filled:
            self._last(buffer[:filled], offset)

    def _fill(self, buffer: bytearray, at: int, size: int, offset: int) -> int:
        """Read up to `size` bytes at `offset` into the buffer at `at`; return how many bytes were read."""
        if not hasattr(os, "preadv"):
            data = _read_at(self._descriptor, size, offset)
            buffer[at : at + len(data)] = data
            return len(data)
        with memoryview(buffer) as whole, whole[at : at + size] as part:
            return os.preadv(self._descriptor, [part], offset)

    def _lines(self, buffer: bytearray, at: int, stop: int, offset: int) -> None:
        """Read the lines of a block that hold usage; searching for the needle skips all others without splitting them.

        `offset` is the file offset of the buffer's start.
        """
        begins = at
        find = search.choose_find(buffer, _memmem)
        while (at := find(lines.NEEDLE, at, stop)) >= 0:
            start = buffer.rfind(b"\n", begins, at) + 1 or begins
            at = buffer.find(b"\n", at, stop)
            try:
                self._line(buffer[start:at], offset + start)
            except lines.Clockless:
                self._skip("clockless_lines")
            except lines.Unreadable:
                self._skip("broken_lines")

    def _last(self, line: bytearray, offset: int) -> None:
        """Read a last line without a newline; the offset stays before it, so it is read again when the file grows."""
        if lines.NEEDLE in line:
            try:
                self._line(line, offset)
            except (lines.Clockless, *lines.Unreadable):
                self._skip("half_written_lines")
        elif not line.rstrip().endswith(b"}") and line.strip(b"\0 \t\r"):
            self._skip("half_written_lines")

    def _line(self, line: bytearray, offset: int) -> None:
        usage = lines.read_line(line, self._session, (self._task.path, offset))
        if usage is None:
            return
        found, folder, is_mended = usage
        self._held += len(line)
        if is_mended:
            self._skip("mended_lines")
        for key, said in found:
            known = self._said.get(key)
            if known is None or lines.counts_more(said, known):
                self._said[key] = said
        if folder and not self._folder and name_folder(folder) == self._task.project:
            self._folder = folder

    def _skip(self, kind: str) -> None:
        self._skipped[kind] = self._skipped.get(kind, 0) + 1


def name_folder(folder: str) -> str:
    """Return the folder name that Claude Code gives to a working directory's transcripts."""
    return re.sub(r"[^a-zA-Z0-9]", "-", folder)


def _mark(descriptor: int, offset: int) -> bytes:
    """Return a hash of a file's first bytes and of those before `offset`, _PROBE bytes each."""
    length = min(_PROBE, offset)
    begins = _read_at(descriptor, length, 0)
    return blake2b(begins + _read_at(descriptor, length, offset - length), digest_size=16).digest()


def _read_at(descriptor: int, size: int, offset: int) -> bytes:
    if sys.platform != "win32":
        return os.pread(descriptor, size, offset)
    os.lseek(descriptor, offset, os.SEEK_SET)
    return os.read(descriptor, size)

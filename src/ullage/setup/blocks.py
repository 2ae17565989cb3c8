"""One marked block in a person's own text file: insert it, find it, remove it to the last byte. Pure.

    # >>> ullage setup bash >>>
    …
    # <<< ullage setup <<<

The first line of the block holds what its removal must know: whether ullage made the file, and whether it had to end
the line before. Files are bytes throughout, so that their encoding does not matter.
"""

from __future__ import annotations

import re

from ullage.base.record import Record

_OPENING = b"# >>> ullage setup "
_CLOSING = b"# <<< ullage setup <<<"
_MADE = b"(made this file)"
_ENDED = b"(ended the line above)"


class Found(Record):
    """A block: its bytes are `data[start:end]`, `body` is what stands between the markers, `line` is its first."""

    start: int
    end: int
    line: int
    body: bytes
    made_file: bool
    ended_line: bool


class TornBlockError(ValueError):
    """The markers of a block do not pair up; says on which lines they stand."""


def insert(
    data: bytes | None,
    name: str,
    body: bytes,
    newline: bytes = b"\n",
    *,
    before: str | None = None,
    after: str | None = None,
) -> bytes:
    """Return a file's bytes with a block at its end, or before or after the first line that matches a pattern.

    None is a file that does not exist yet.
    """
    head, tail = _cut(data or b"", before or after, behind=before is None)
    joint = newline if head and not head.endswith(b"\n") else b""
    note = _MADE if data is None else _ENDED if joint else b""
    opening = b" ".join(filter(None, (_OPENING + name.encode(), b">>>", note)))
    lines = [opening, *body.splitlines(), _CLOSING, b""]
    return head + joint + newline.join(lines) + tail


def _cut(data: bytes, pattern: str | None, *, behind: bool) -> tuple[bytes, bytes]:
    """Return what is before the first line that matches and what comes from there on, or from the next line on."""
    at = 0
    for line in _lines(data) if pattern else ():
        text = line.decode(errors="replace")
        if not text.lstrip().startswith("#") and re.search(pattern or "", text):
            at += len(line) if behind else 0
            return data[:at], data[at:]
        at += len(line)
    return data, b""


def replace(data: bytes, found: Found, body: bytes) -> bytes:
    """Return the file's bytes with other lines between the markers of the block."""
    opening, _, rest = data[found.start : found.end].partition(b"\n")
    newline = b"\r\n" if opening.endswith(b"\r") else b"\n"
    closing = rest[len(found.body) :]
    return data[: found.start] + opening + b"\n" + newline.join([*body.splitlines(), b""]) + closing + data[found.end :]


def find(data: bytes) -> Found | None:
    """Return the block, None where there is none; raise DamagedError when it is not one whole block."""
    openings, closings = [], []
    at = 0
    for number, line in enumerate(_lines(data), 1):
        if line.strip().startswith(_OPENING):
            openings.append((number, at, line))
        elif line.strip() == _CLOSING:
            closings.append((number, at, line))
        at += len(line)
    if not openings and not closings:
        return None
    if len(openings) != 1 or len(closings) != 1 or openings[0][0] > closings[0][0]:
        numbers = sorted(number for number, _, _ in (*openings, *closings))
        raise TornBlockError(f"line{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}")
    (number, start, opening), (_, close, closing) = openings[0], closings[0]
    return Found(
        start=start,
        end=close + len(closing),
        line=number,
        body=data[start + len(opening) : close],
        made_file=_MADE in opening,
        ended_line=_ENDED in opening,
    )


def remove(data: bytes, found: Found) -> bytes | None:
    """Return the file's bytes without the block; None when ullage made the file and nothing else is in it."""
    before, after = data[: found.start], data[found.end :]
    if found.ended_line and not after:
        crlf = data[found.start : found.end].partition(b"\n")[0].endswith(b"\r")
        before = before.removesuffix(b"\r\n" if crlf else b"\n")
    rest = before + after
    return None if found.made_file and not rest else rest


def has_body(found: Found, body: bytes) -> bool:
    """Say whether a block is as ullage would write it, whatever the line endings have become."""
    return found.body.splitlines() == body.splitlines()


def _lines(data: bytes) -> list[bytes]:
    """Split after line feeds alone: a carriage return in the middle of a line is part of it."""
    lines = [line + b"\n" for line in data.split(b"\n")]
    lines[-1] = lines[-1][:-1]
    return lines

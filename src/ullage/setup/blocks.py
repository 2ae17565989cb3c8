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

    name: str
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
    """Return the block, None where there is none; raise TornBlockError when it is not one whole block."""
    found = _find_all(data)
    if len(found) > 1:
        marks = [number for each in found for number in (each.line, each.line + each.body.count(b"\n") + 1)]
        raise TornBlockError(f"lines {', '.join(map(str, marks))}")
    return found[0] if found else None


def find_named(data: bytes, name: str) -> Found | None:
    """Return the block of this name in a file that may have several; raise TornBlockError where one is not whole."""
    return next((found for found in _find_all(data) if found.name == name), None)


def _find_all(data: bytes) -> list[Found]:
    marks, at = [], 0
    for number, line in enumerate(_lines(data), 1):
        if line.strip().startswith(_OPENING) or line.strip() == _CLOSING:
            marks.append((number, at, line))
        at += len(line)
    pairs = list(zip(marks[::2], marks[1::2], strict=False))
    is_paired = all(one[2].strip() != _CLOSING and other[2].strip() == _CLOSING for one, other in pairs)
    if len(marks) % 2 or not is_paired:
        raise TornBlockError(f"line{'s' if len(marks) > 1 else ''} {', '.join(str(number) for number, _, _ in marks)}")
    return [_found(data, *opening, *closing[1:]) for opening, closing in pairs]


def _found(data: bytes, line: int, start: int, opening: bytes, close: int, closing: bytes) -> Found:
    name, _, notes = opening.strip().removeprefix(_OPENING).partition(b" >>>")
    return Found(
        name=name.decode(errors="replace"),
        start=start,
        end=close + len(closing),
        line=line,
        body=data[start + len(opening) : close],
        made_file=_MADE in notes,
        ended_line=_ENDED in notes,
    )


def remove(data: bytes, found: Found) -> bytes | None:
    """Return the file's bytes without the block; None when ullage made the file and nothing else is in it."""
    before, after = data[: found.start], data[found.end :]
    note = _MADE if found.made_file else _ENDED if found.ended_line else b""
    if note and after.startswith(_OPENING):
        # Another block follows, whose removal has to know then.
        opening, newline, after = after.partition(b"\n")
        after = opening.rstrip(b"\r") + b" " + note + opening[len(opening.rstrip(b"\r")) :] + newline + after
    if found.ended_line and not after:
        crlf = data[found.start : found.end].partition(b"\n")[0].endswith(b"\r")
        before = before.removesuffix(b"\r\n" if crlf else b"\n")
    rest = before + after
    return None if found.made_file and not rest else rest


def remove_all(data: bytes) -> bytes | None:
    """Return the file's bytes without any block; None where there was no file before the first."""
    rest: bytes | None = data
    while rest is not None and (found := _find_all(rest)):
        rest = remove(rest, found[-1])
    return rest


def has_body(found: Found, body: bytes) -> bool:
    """Say whether a block is as ullage would write it, whatever the line endings have become."""
    return found.body.splitlines() == body.splitlines()


def _lines(data: bytes) -> list[bytes]:
    """Split after line feeds alone: a carriage return in the middle of a line is part of it."""
    lines = [line + b"\n" for line in data.split(b"\n")]
    lines[-1] = lines[-1][:-1]
    return lines

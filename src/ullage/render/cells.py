"""Measure how many terminal cells a text takes, and cut it to fit."""

from __future__ import annotations

import unicodedata

from ullage.base.text import replace_signs
from ullage.render.surfaces import Span, join_spans

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


def measure_width(text: str) -> int:
    """Return how many cells a text takes; escape sequences take none."""
    cells = at = 0
    while at < len(text):
        if text[at] == "\033":
            at = _end_of_escape(text, at)
        else:
            cells += _width_of(text[at])
            at += 1
    return cells


def measure_spans(spans: Iterable[Span]) -> int:
    """Return how many cells spans take together."""
    return sum(measure_width(span.text) for span in spans)


def _width_of(character: str) -> int:
    if character.isascii():
        return character.isprintable()
    if unicodedata.category(character) in ("Mn", "Me", "Cf", "Cc"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _end_of_escape(text: str, at: int) -> int:
    """Return where the escape sequence at `at` ends: a CSI at its final letter, an OSC at BEL or ST."""
    kind = text[at + 1 : at + 2]
    end = at + 2
    if kind == "[":
        while end < len(text) and not "@" <= text[end] <= "~":
            end += 1
        return end + 1
    if kind == "]":
        while end < len(text) and text[end] != "\a" and text[end - 1 : end + 1] != "\033\\":
            end += 1
        return end + 1
    return end


def fit(spans: Sequence[Span], cells: int, *, ascii_only: bool = False) -> list[Span]:
    """Return the spans cut to so many cells, the cut marked."""
    if measure_spans(spans) <= cells:
        return list(spans)
    mark = "." if ascii_only else "…"
    fitted, room = [], cells - 1
    for span in spans:
        text = _head(span.text, room)
        room -= measure_width(text)
        fitted.append(span.replace(text=text))
        if text != span.text:
            break
    return [*fitted, Span(text=mark)] if cells > 0 else []


def wrap(spans: Sequence[Span], cells: int) -> list[list[Span]]:
    """Return the spans in lines of so many cells, broken at spaces; a word that is longer than a line is cut."""
    if measure_spans(spans) <= cells:
        return [list(spans)]
    lines: list[list[Span]] = []
    line: list[Span] = []
    used, last_space = 0, 0
    for span in spans:
        for character in span.text:
            taken = _width_of(character)
            if used + taken > cells and line and character != " ":
                end = last_space or len(line)
                lines.append(line[:end])
                line, last_space = line[end:], 0
                used = sum(_width_of(each.text) for each in line)
            line.append(span.replace(text=character))
            used += taken
            last_space = len(line) if character == " " else last_space
    return [trim_end(join_spans(each)) for each in (*lines, line)]


def fit_words(text: str, room: int, *, ascii_only: bool = False) -> str:
    """Return a text cut to so many cells between words, the cut marked; of a path the end stays, of all else the start.

    Only a word that is longer than the room is cut itself.
    """
    if measure_width(text) <= room:
        return text
    mark = "." if ascii_only else "…"
    if "/" in text.strip("/"):
        parts = text.split("/")
        ends = ("/".join(parts[at:]) for at in range(1, len(parts)))
        fitting = next((end for end in ends if end and measure_width(end) + 2 <= room), None)
        if fitting is not None:
            return f"{mark}/{fitting}"
    head = _head(text, max(0, room - 1))
    whole = max(head.rfind(separator) for separator in " -_")
    return (head[:whole].rstrip() if whole > len(head) // 3 else head) + mark


def _head(text: str, room: int) -> str:
    for at, character in enumerate(text):
        room -= _width_of(character)
        if room < 0:
            return text[:at]
    return text


def wrap_parts(spans: Sequence[Span], cells: int, separator: str) -> list[list[Span]]:
    """Return the spans in lines of so many cells, broken at separators, and at spaces in what is longer than a line."""
    lines: list[list[Span]] = [[]]
    left = cells
    for piece in _pieces(spans, separator):
        size = measure_spans(piece)
        if lines[-1] and size > left:
            lines.append([])
            left = cells
        # As what follows it: a separator belongs to that part.
        lines[-1] += [*([piece[0].replace(text=separator)] if lines[-1] and piece else []), *piece]
        left -= size + len(separator)
    return [part for line in lines for part in wrap(trim_end(line), cells)]


def _pieces(spans: Sequence[Span], separator: str) -> Iterator[list[Span]]:
    """Yield what stands between separators, which belong to no span's style."""
    piece: list[Span] = []
    for span in spans:
        first, *more = span.text.split(separator)
        piece.append(span.replace(text=first))
        for text in more:
            yield [part for part in piece if part.text]
            piece = [span.replace(text=text)]
    yield [part for part in piece if part.text]


def trim_end(spans: Sequence[Span]) -> list[Span]:
    """Return the spans without the blanks at their end."""
    shown = list(spans)
    while shown:
        last = shown.pop()
        text = last.text.rstrip()
        if text:
            return [*shown, last.replace(text=text)]
    return []


def replace_all_signs(lines: Iterable[Sequence[Span]]) -> Iterator[list[Span]]:
    """Yield lines of spans with plain characters in the place of signs."""
    for line in lines:
        yield [span.replace(text=replace_signs(span.text)) for span in line]

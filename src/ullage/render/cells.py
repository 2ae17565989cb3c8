"""Measure how many terminal cells a text takes, and cut it to fit."""

from __future__ import annotations

import unicodedata

from ullage.render.surfaces import Span, join_spans

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


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
    if sum(measure_width(span.text) for span in spans) <= cells:
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
    if sum(measure_width(span.text) for span in spans) <= cells:
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
    return [_without_end(each) for each in (*lines, line)]


def _without_end(line: Sequence[Span]) -> list[Span]:
    end = len(line)
    while end and line[end - 1].text == " ":
        end -= 1
    return join_spans(line[:end])


def _head(text: str, room: int) -> str:
    for at, character in enumerate(text):
        room -= _width_of(character)
        if room < 0:
            return text[:at]
    return text

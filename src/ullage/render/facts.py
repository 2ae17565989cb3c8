"""Lines that begin with a mark: ✓ is as it should be, ✗ needs a hand, · is neither. Pure."""

from __future__ import annotations

import textwrap

from ullage.base.record import Record
from ullage.render.surfaces import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal

    from ullage.render.surfaces import Role

    Mark = Literal["✓", "✗", "·"]

_LEVELS: dict[Mark, Role] = {"✓": "normal", "✗": "critical", "·": "faint"}
_NARROWEST = 20


class Fact(Record):
    """A fact for a list: its mark, its name, and a text."""

    mark: Mark
    name: str
    text: str

    def lay_out(self, width: int, names: int = 0) -> Iterator[list[Span]]:
        """Yield the lines for a terminal: the mark and the name, in `names` cells, stand alone on the left."""
        name, indent = self.name.ljust(names), 2 + max(names, len(self.name))
        level: Role | None = "faint" if self.mark == "·" else None
        begin = [Span(text=f"{self.mark} ", level=_LEVELS[self.mark]), Span(text=name, level=level)]
        is_command = False
        room = max(width - indent, _NARROWEST)
        for line in textwrap.wrap(self.text, room, break_long_words=False, break_on_hyphens=False):
            parts, is_command = _with_commands(line, level, is_command=is_command)
            yield [*begin, *parts]
            begin = [Span(text=" " * indent)]


def _with_commands(line: str, level: Role | None, *, is_command: bool) -> tuple[list[Span], bool]:
    """Return a line whose text in backticks has the accent's colour, and whether it ends between backticks."""
    spans = []
    for number, part in enumerate(line.split("`")):
        if number:
            spans.append(Span(text="`", level="faint"))
            is_command = not is_command
        spans.append(Span(text=part, level="accent" if is_command else level))
    return spans, is_command

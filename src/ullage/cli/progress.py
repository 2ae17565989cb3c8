"""Show what goes on in long work: a line or a bar on a terminal, which goes away at the end; nothing elsewhere."""

from __future__ import annotations

import math
import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

_PATIENCE_SECONDS = 0.5
_CELLS = 24
_CLEAR = "\r\033[K"
_NARROW_CELLS = 4


class StatusLine:
    """A line of stderr that says what is being done now, and is erased at the end. A context manager.

    `is_wanted` says whether stderr is a terminal that can erase a line.
    """

    def __init__(self) -> None:
        self.is_wanted = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._shown = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.clear()

    def clear(self) -> None:
        """Erase the line."""
        if self._shown:
            self._shown = ""
            self._write(_CLEAR)

    def show(self, text: str) -> None:
        """Show a text, which must fit into a line, in the place of the one before."""
        if self.is_wanted and text != self._shown:
            self._shown = text
            self._write(_CLEAR + text)

    @staticmethod
    def _write(text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


class ProgressBar(StatusLine):
    """A line with a bar, which appears after half a second and is erased at the end. A context manager."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self._what, self._draw_at = what, time.monotonic() + _PATIENCE_SECONDS

    def advance(self, done_bytes: int, total_bytes: int) -> None:
        """Draw the bar for these bytes."""
        if not self.is_wanted or time.monotonic() < self._draw_at:
            return
        # Imported late: most work ends before a bar is drawn.
        from ullage.cli.say import choose_palette, has_colours
        from ullage.render import cells, gauge
        from ullage.render.surfaces import Span, paint
        from ullage.system.streams import measure_terminal

        share = min(done_bytes / max(1, total_bytes), 1.0)
        size, room = f" of {total_bytes / (1 << 20):.0f} MiB", measure_terminal() - 1
        is_narrow = room < len(self._what) + _CELLS + len(size) + len("  100%")
        ascii_only = not (sys.stderr.encoding or "").lower().startswith("utf")
        bar = gauge.draw_gauge(share, None, _NARROW_CELLS if is_narrow else _CELLS, "normal", ascii_only=ascii_only)
        said = Span(text=f" {math.floor(share * 100)}%{'' if is_narrow else size}")
        line = cells.fit([Span(text=f"{self._what} "), *bar, said], room, ascii_only=ascii_only)
        self.show(paint(line, "ansi" if has_colours(err=True) else "plain", choose_palette()))

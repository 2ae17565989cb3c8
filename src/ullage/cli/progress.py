"""How far something has come that takes long: a bar on a terminal, silence elsewhere."""

from __future__ import annotations

import os
import sys
import time

from ullage.render import words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from ullage.config import Settings

_PATIENCE_SECONDS = 0.5
_STEP_SECONDS = 0.1
_CLEAR = "\r\033[K"
_CELLS = 24


class Meter:
    """Use as a context manager; nothing is drawn in the first half second, and nothing is left behind."""

    def __init__(self, what: str, settings: Settings) -> None:
        self._what = what
        encoding = getattr(sys.stderr, "encoding", None) or ""
        self._ascii_only = settings.ascii_only or not encoding.lower().startswith("utf")
        self._draws = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._next_at = time.monotonic() + _PATIENCE_SECONDS
        self._has_drawn = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._has_drawn:
            self._print(_CLEAR)

    def show(self, done: int, whole: int) -> None:
        """Draw the bar, unless it has been drawn just now; `done` and `whole` are bytes."""
        if not self._draws or time.monotonic() < self._next_at:
            return
        self._next_at = time.monotonic() + _STEP_SECONDS
        percent = 100 * done / max(1, whole)
        bar = words.bar(percent, ascii_only=self._ascii_only, cells=_CELLS)
        text = f"{self._what} {bar} {percent:.0f}% of {whole / (1 << 20):.0f} MiB"
        # Some terminals break a line that fills its last column.
        self._print(_CLEAR + text[: os.get_terminal_size(sys.stderr.fileno()).columns - 1])
        self._has_drawn = True

    def _print(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()

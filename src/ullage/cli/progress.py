"""Show what goes on in long work: a line or a bar on a terminal, which goes away at the end; nothing elsewhere."""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from rich.progress import Progress

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

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
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


class ProgressBar:
    """A progress bar that appears after half a second and is erased at the end. A context manager."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._is_wanted = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._draw_at = time.monotonic() + _PATIENCE_SECONDS
        self._progress: Progress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.stop()

    def show(self, done_bytes: int, total_bytes: int) -> None:
        """Draw the bar for these bytes."""
        if not self._is_wanted or time.monotonic() < self._draw_at:
            return
        if self._progress is None:
            self._progress = _begin(self._what, done_bytes, max(1, total_bytes))
        [task] = self._progress.task_ids
        self._progress.update(task, completed=done_bytes, total=max(1, total_bytes))
        self._progress.refresh()


def _begin(what: str, done_bytes: int, total_bytes: int) -> Progress:
    # Imported late: rich takes 60 ms, and most work ends before a bar is drawn.
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    console = Console(stderr=True)
    size = f" of {total_bytes / (1 << 20):.0f} MiB"
    is_narrow = console.width < len(what) + _CELLS + len(size) + len(" 100% ")
    progress = Progress(
        TextColumn(what),
        BarColumn(_NARROW_CELLS if is_narrow else _CELLS),
        TextColumn("{task.percentage:.0f}%" + ("" if is_narrow else size)),
        console=console,
        auto_refresh=False,
        transient=True,
    )
    progress.add_task(what, completed=done_bytes, total=total_bytes)
    progress.start()
    return progress

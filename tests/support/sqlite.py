"""A database of ours, opened beside our own code."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def opened(path: str | Path) -> Iterator[sqlite3.Connection]:
    """Commit what the block writes, and close, which sqlite3's own block leaves to whoever collects the garbage."""
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        yield connection

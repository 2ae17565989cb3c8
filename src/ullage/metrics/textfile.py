"""Write a file for node_exporter's textfile collector."""

from __future__ import annotations

import os

from ullage.base.errors import CacheError, UsageError
from ullage.metrics import MetricsError
from ullage.system.files import write_atomically

NAME = "ullage.prom"
# node_exporter runs as another user and must read the file; it publishes the same content.
_MODE = 0o644


def write(directory: str, text: bytes) -> str:
    """Replace ullage.prom in the directory atomically, and return its path.

    Raises UsageError where there is no such directory, and MetricsError where the file cannot be written.
    """
    if not os.path.isdir(directory):
        raise UsageError(
            f"{directory or repr(directory)} is no directory. Name the one that node_exporter has in "
            "--collector.textfile.directory."
        )
    path = os.path.join(directory, NAME)
    try:
        write_atomically(path, text, mode=_MODE)
    except CacheError as error:
        why = getattr(error.__cause__, "strerror", None) or "it cannot be written"
        raise MetricsError(
            f"Cannot write {path}: {why}. Make room, or give yourself the right to write there."
        ) from error
    return path

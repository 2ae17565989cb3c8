"""Notice when a cache may have changed, by the system's file events instead of polling."""

from __future__ import annotations

import contextlib
import os

from watchdog.events import FileDeletedEvent, FileMovedEvent, FileSystemEventHandler
from watchdog.observers import Observer

from ullage.base.errors import CacheError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from watchdog.events import FileSystemEvent


@contextlib.contextmanager
def watch(directory: str, changed: Callable[[], None], *, recursive: bool = False) -> Iterator[None]:
    """Call `changed`, from a thread of its own, whenever a file in the directory was replaced or removed.

    Every file of a cache is replaced by a rename; locks and unfinished files say nothing. `changed` returns at once
    and raises nothing. Raises CacheError when the directory cannot be watched.
    """
    observer = Observer()
    # Writes into a file are not watched: for us these are locks and unfinished files.
    kinds: list[type[FileSystemEvent]] = [FileMovedEvent, FileDeletedEvent]
    try:
        # On Windows a thread would find out, and print it.
        os.stat(directory)
        observer.schedule(_FileEvents(changed), directory, recursive=recursive, event_filter=kinds)
        observer.start()
    except OSError as error:
        raise CacheError(
            f"Cannot watch {directory}: {error.strerror or error}. Make it readable, or raise the system's limit of "
            "watches."
        ) from error
    try:
        yield
    finally:
        observer.stop()
        observer.join()


class _FileEvents(FileSystemEventHandler):
    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed

    def dispatch(self, event: FileSystemEvent) -> None:
        name = os.path.basename(os.fsdecode(event.dest_path or event.src_path))
        if not name.endswith((".new", ".lock")):
            self._changed()

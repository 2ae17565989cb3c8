"""Read many transcripts, by several processes where there is much to read and the system can fork."""

from __future__ import annotations

import gc
import marshal
import os
import struct

from ullage.base.contexts import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ullage.tokens.task import Piece, Task

    Read = Callable[[Task], Iterator[Piece]]
    # Called with the bytes that have been read, and the bytes to read in all.
    Progress = Callable[[int, int], None]

# One process reads less than this before a second would have started.
_WORTH_FORKING = 16 << 20
_MOST_WORKERS = 4
# A batch's number is one byte in a pipe.
_MOST_BATCHES = 256
_LENGTH = struct.Struct("<I")


def read_all(
    tasks: Sequence[Task], sizes: Sequence[int], progress: Progress, workers: int | None = None
) -> Iterator[Piece]:
    """Yield the pieces of all files; those of one file come in order.

    `sizes` are the bytes to read of each file. What a killed worker leaves unread is read by this process.
    """
    total, done = sum(sizes), 0
    size_of = {task.number: size for task, size in zip(tasks, sizes, strict=True)}
    workers = _count_workers(total, len(tasks)) if workers is None else workers
    pieces = _read_by_workers(tasks, sizes, workers) if workers > 1 else _read_here(tasks)
    for piece in pieces:
        yield piece
        if piece[0] == "done":
            done += size_of[piece[1]]
            progress(done, total)


def _count_workers(total: int, files: int) -> int:
    if not hasattr(os, "fork") or total < _WORTH_FORKING:
        return 1
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, _MOST_WORKERS, files)


def _read_here(tasks: Sequence[Task]) -> Iterator[Piece]:
    read_one = _load_reader()
    for task in tasks:
        yield from read_one(task)


def _load_reader() -> Read:
    """Import the reader of one file late: it brings msgspec, which an update that finds nothing new does not need."""
    from ullage.base.hiding import hide_module

    with hide_module("typing_extensions"):
        # msgspec takes what it needs from typing instead, and imports faster that way.
        from ullage.tokens import reading
    return reading.read_transcript


def _read_by_workers(tasks: Sequence[Task], sizes: Sequence[int], workers: int) -> Iterator[Piece]:
    # Workers share the pages of what is imported before the fork, until the collector writes to them: so freeze first.
    _load_reader()
    gc.freeze()
    batches = _make_batches(tasks, sizes)
    queue = _open_queue(len(batches))
    running = {}
    finished: set[object] = set()
    with suppress(OSError):
        # Where no more processes are allowed, those that run read everything; without any, this one does.
        for _ in range(workers):
            process, pipe = _start(batches, queue)
            running[pipe] = process
    os.close(queue)
    try:
        for piece in _receive(list(running)):
            if piece[0] == "done":
                finished.add(piece[1])
            yield piece
    finally:
        for pipe, process in running.items():
            os.close(pipe)
            with suppress(ChildProcessError):
                os.waitpid(process, 0)
        gc.unfreeze()
    yield from _read_here([task.replace(offset=0) for task in tasks if task.number not in finished])


def _make_batches(tasks: Sequence[Task], sizes: Sequence[int]) -> list[list[Task]]:
    """Return the tasks in batches, those with the largest files first, so that the last ones to be read are small."""
    ordered = [task for _, task in sorted(zip(sizes, tasks, strict=True), key=lambda one: -one[0])]
    count = min(len(ordered), _MOST_BATCHES)
    return [ordered[number::count] for number in range(count)]


def _open_queue(batches: int) -> int:
    """Return a pipe that holds the number of each batch as a byte: each worker takes the next one when it has time."""
    queue, entrance = os.pipe()
    os.write(entrance, bytes(range(batches)))
    os.close(entrance)
    return queue


def _start(batches: Sequence[Sequence[Task]], queue: int) -> tuple[int, int]:
    """Fork a worker that reads batches from the queue; return its process id and the end of its pipe to read from."""
    ours, theirs = os.pipe()
    try:
        process = os.fork()
    except OSError:
        os.close(ours)
        os.close(theirs)
        raise
    if process:
        os.close(theirs)
        return process, ours
    # From here on this is the child: it must leave by _exit, whatever happens, and never return into the parent's work.
    try:
        # A worker makes no reference cycles, so collecting would only copy shared pages.
        gc.disable()
        os.close(ours)
        with open(theirs, "wb", buffering=1 << 16) as pipe:
            while taken := os.read(queue, 1):
                for piece in _read_here(batches[taken[0]]):
                    data = marshal.dumps(piece)
                    pipe.write(_LENGTH.pack(len(data)) + data)
    except BaseException:
        # Another process reads the files that this worker did not finish.
        os._exit(1)
    os._exit(0)


def _receive(pipes: Sequence[int]) -> Iterator[Piece]:
    """Yield pieces as they arrive on any of the pipes, until all are closed."""
    import select

    kept = {pipe: bytearray() for pipe in pipes}
    while kept:
        ready, _, _ = select.select(list(kept), [], [])
        for pipe in ready:
            data = os.read(pipe, 1 << 16)
            if not data:
                del kept[pipe]
                continue
            kept[pipe] += data
            yield from _cut_pieces(kept[pipe])


def _cut_pieces(received: bytearray) -> Iterator[Piece]:
    """Yield the complete pieces at the start of a buffer, and remove them from it."""
    at = 0
    while len(received) >= at + _LENGTH.size:
        begins = at + _LENGTH.size
        ends = begins + _LENGTH.unpack_from(received, at)[0]
        if len(received) < ends:
            break
        yield marshal.loads(received[begins:ends])  # noqa: S302  # our own child wrote it
        at = ends
    del received[:at]

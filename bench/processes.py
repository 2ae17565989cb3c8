"""Start a program, wait for it, take its time and its peak memory.

Programs are started by posix_spawn, which copies nothing of this process: what the harness adds is the same small cost
for every program.
"""

from __future__ import annotations

import ctypes
import os
import random
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Measurement = Callable[[], float]

_NULL = [(os.POSIX_SPAWN_OPEN, descriptor, os.devnull, os.O_RDWR, 0) for descriptor in (0, 1, 2)]
_PR_SET_CHILD_SUBREAPER = 36
_QUIET_SECONDS = 3.0
# Rounds end when this has passed, though not before so many: all of `make bench` takes less than four minutes.
BUDGET_SECONDS = 15.0
_FEWEST_ROUNDS = 5
_GATHERING_SECONDS = 0.2
_MAXRSS_PER_MIB = 1 << 20 if sys.platform == "darwin" else 1 << 10


def adopt_orphans() -> bool:
    """Become the parent of what detaches from our children, so that its end can be waited for; Linux knows how."""
    return sys.platform == "linux" and bool(ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


def start(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Start a program whose path is absolute, with /dev/null for its descriptors; return its process id."""
    return os.posix_spawn(command[0], list(command), environ, file_actions=_NULL)


def seconds(command: Sequence[str], environ: Mapping[str, str], expected: int = 0) -> float:
    """Return how long a program takes from its start to its end, and insist on its exit code."""
    started = time.perf_counter()
    _, status = os.waitpid(start(command, environ), 0)
    elapsed = time.perf_counter() - started
    code = os.waitstatus_to_exitcode(status)
    assert code == expected, f"{' '.join(command)} ended with {code} instead of {expected}"
    return elapsed


def rounds_in_time(most: int, budget: float = BUDGET_SECONDS) -> Iterator[int]:
    """Count rounds up to `most`, fewer once the budget is used; round 0 fills the caches and does not count."""
    ends = time.monotonic() + budget
    for round_ in range(most + 1):
        if round_ > _FEWEST_ROUNDS and time.monotonic() > ends:
            return
        yield round_


def interleaved(
    measurements: Mapping[str, Measurement], rounds: int, budget: float = BUDGET_SECONDS
) -> dict[str, list[float]]:
    """Measure everything once a round, in an order of chance, so that the machine's noise hits all alike."""
    times: dict[str, list[float]] = {what: [] for what in measurements}
    for round_ in rounds_in_time(rounds, budget):
        for what in random.sample(list(measurements), len(measurements)):
            elapsed = measurements[what]()
            if round_:
                times[what].append(elapsed)
    return times


def herd(command: Sequence[str], environ: Mapping[str, str], size: int) -> list[float]:
    """Let so many instances loose at one moment and return how long after it each had ended."""
    gate, key = os.pipe()
    waiting = ["/bin/sh", "-c", 'read -r _; exec "$@"', "sh", *command]
    behind_gate = [(os.POSIX_SPAWN_DUP2, gate, 0), *_NULL[1:]]
    members = {os.posix_spawn(waiting[0], waiting, environ, file_actions=behind_gate) for _ in range(size)}
    os.close(gate)
    # Let the last of them get to the gate.
    time.sleep(_GATHERING_SECONDS)
    opened = time.perf_counter()
    os.close(key)
    times = []
    while members:
        # What has detached from the herd may be among those that end, and does not count.
        ended, status = os.waitpid(-1, 0)
        if ended in members:
            times.append(time.perf_counter() - opened)
            members.remove(ended)
            assert status == 0, f"{command[0]} ended with {os.waitstatus_to_exitcode(status)}"
    return times


def settle() -> None:
    """Wait until everything that was started has ended, also what has detached."""
    if sys.platform != "linux":
        time.sleep(_QUIET_SECONDS)
        return
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def peak(command: Sequence[str], environ: Mapping[str, str], before: Callable[[], object] = lambda: None) -> float:
    """Return a program's peak memory in MiB.

    Linux counts what a process held before its exec, which is the harness's memory under posix_spawn. So a shell, the
    smallest that there is, starts the program and leaves it to us.
    """
    before()
    if sys.platform != "linux":
        return os.wait4(start(command, environ), 0)[2].ru_maxrss / _MAXRSS_PER_MIB
    starter = start(["/bin/sh", "-c", '"$@" &', "sh", *command], environ)
    largest = 0
    while True:
        try:
            ended, _, usage = os.wait4(-1, 0)
        except ChildProcessError:
            return largest / _MAXRSS_PER_MIB
        if ended != starter:
            largest = max(largest, usage.ru_maxrss)

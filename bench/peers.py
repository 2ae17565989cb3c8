"""Programs of others that ours is measured beside: tried once, and left out with the reason where they do not run."""

from __future__ import annotations

import os
import subprocess

from bench.figures import Figure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Command = tuple[Sequence[str], Mapping[str, str]]

_TRIAL_SECONDS = 120
_INSTALL_SECONDS = 180


def fault(command: Sequence[str], environ: Mapping[str, str]) -> str:
    """Run a program once and return why it cannot be measured; nothing when it can."""
    try:
        done = subprocess.run(
            list(command),
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=_TRIAL_SECONDS,
        )
    except OSError as error:
        return f"{os.path.basename(command[0])}: {error.strerror}"
    except subprocess.TimeoutExpired:
        return f"took more than {_TRIAL_SECONDS} s"
    return f"ended with {done.returncode}" if done.returncode else ""


def parted(programs: Mapping[str, Command]) -> tuple[dict[str, Command], list[Figure]]:
    """Part programs into those that run here and rows that say why the others do not."""
    faults = {name: fault(*command) for name, command in programs.items()}
    running = {name: command for name, command in programs.items() if not faults[name]}
    return running, [absent(name, reason) for name, reason in faults.items() if reason]


def absent(name: str, reason: str) -> Figure:
    """Return the row of a program that is not measured."""
    return Figure(what=name, note=f"not measured: {reason}")


def missing(found: Mapping[str, object], names: Iterable[str]) -> list[Figure]:
    """Return a row for each program that is not installed here."""
    return [absent(name, "not installed") for name in names if not found.get(name)]


def install(command: Sequence[str]) -> str:
    """Fetch a program with its package manager and return why that failed; nothing when it did not."""
    try:
        done = subprocess.run(
            list(command), stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=_INSTALL_SECONDS
        )
    except OSError as error:
        return f"{command[0]}: {error.strerror}"
    except subprocess.TimeoutExpired:
        return "could not be fetched in time"
    return "" if done.returncode == 0 else "could not be fetched"

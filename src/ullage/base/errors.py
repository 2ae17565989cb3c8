"""What can go wrong, each with an exit code and words that say what to do next.

UllageError
├── UsageError    2  the command, the environment or the configuration is wrong
│   ├── UnknownWindowError  a limit names no window that there is (guard.limits)
│   └── MissingExtraError  a library that only some need is not installed
├── NoKeyError    3  no key of an organisation is named, or what is named holds none (org.keys)
├── SourceError   5  a source did not answer
├── CacheError    5  the cache cannot be used
├── MeddledError  5  another user could have put a file there (system.directories)
├── HistoryError  5  the history cannot be used (store.history)
├── MetricsError  5  metrics did not get where they were sent (metrics)
├── ChannelError  5  an alert did not get through (channels)
├── TrayError     5  there is no place for an icon (tray)
└── ServeError    5  a port cannot be listened on, or the tokens of `ullage serve` cannot be read (serve)
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime


class UllageError(Exception):
    """The base of every error that a user is meant to read."""

    exit_code = 5


class UsageError(UllageError):
    exit_code = 2


class MissingExtraError(UsageError):
    """What was asked for needs a library that an extra brings; `packages` are its names for pipx and uv."""

    def __init__(self, what: str, extra: str, packages: str, more: str = "") -> None:
        super().__init__(f"{what} {needs_extra(extra, packages)}.{more}")


def needs_extra(extra: str, packages: str) -> str:
    """Return the words that say how to install what is missing, by what has installed ullage.

    The libraries are named, not ullage with its extra: what an index has under our name need not be this program.
    """
    prefix = sys.prefix.replace("\\", "/")
    if "/pipx/" in prefix:
        command = f"pipx inject ullage {packages}"
    elif "/uv/tools/" in prefix:
        command = f"uv pip install --python '{sys.prefix}' {packages}"
    else:
        # By its own Python: the pip in PATH may be another's.
        python = f"'{sys.executable}'" if " " in sys.executable else sys.executable or "python"
        command = f"{python} -m pip install {packages}"
    return f"needs what the extra `{extra}` brings: {command}"


class CacheError(UllageError):
    """The cache cannot be used."""


class SourceError(UllageError):
    """A source gave no reading.

    `code` is a stable word for programs. `reached_server` says whether a request was made, which the cadence counts.
    `retry_at` is the time before which the server does not want to be asked again.
    """

    def __init__(
        self, code: str, message: str, *, reached_server: bool = False, retry_at: datetime | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reached_server = reached_server
        self.retry_at = retry_at


def describe_fault(error: Exception) -> str:
    """Return the words for an exception that no code foresaw: its type and place, and nothing of its own text.

    Of an error of the system, what that says, and of which file.
    """
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    file = place.tb_frame.f_code.co_filename.replace("\\", "/").rpartition("/")[2] if place else "?"
    where = f"{file}:{place.tb_lineno}" if place else file
    of_system = f" ({error})" if isinstance(error, OSError) else ""
    return f"has a fault of its own: {type(error).__name__}{of_system} at {where}. Please report it with these words."

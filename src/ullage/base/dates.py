"""The standard library's dates and times, without the 3 ms that they take to import on Python 3.11.

There `datetime` first runs an implementation in Python, and then replaces it by the one in C that stands here alone;
later versions import that at once.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import UTC, datetime, time, timedelta
else:
    try:
        from _datetime import UTC, datetime, time, timedelta
    except ImportError:
        # Another implementation of Python has none in C.
        from datetime import UTC, datetime, time, timedelta

__all__ = ["UTC", "datetime", "time", "timedelta"]

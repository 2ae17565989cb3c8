"""What each source said last, a file each, so that no two writers ever share one.

`reading.<source>.json`; the status line of every running session writes one of its own,
`reading.statusline-<session>.json`. Readers merge what they find.
"""

from __future__ import annotations

import os

from ullage.quota import serial
from ullage.quota.model import CLOCK_SLACK
from ullage.system.files import read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

    from ullage.quota.model import Reading

_PREFIX, _SUFFIX = "reading.", ".json"
_SESSION = "statusline-"
_LONGEST_SESSION = 64


def file_name(source: str, session: str = "") -> str:
    """Return the name of a source's file, or of one session of it."""
    kept = "".join(c for c in session[: 4 * _LONGEST_SESSION] if c.isascii() and (c.isalnum() or c in "-_"))
    return f"{_PREFIX}{source}{'-' if session else ''}{kept[:_LONGEST_SESSION]}{_SUFFIX}"


def is_of_session(name: str) -> bool:
    """Say whether a file name is that of a session's status line."""
    return name.startswith(_PREFIX + _SESSION) and name.endswith(_SUFFIX)


def names(directory: str) -> list[str]:
    """Return the names of all statements in a profile's cache directory."""
    try:
        found = os.listdir(directory)
    except OSError:
        return []
    return sorted(name for name in found if name.startswith(_PREFIX) and name.endswith(_SUFFIX))


def load(directory: str, now: datetime, *, without: str = "") -> tuple[Reading, ...]:
    """Return every statement that can be read, but for that of the file named `without`.

    What a clock that ran ahead has dated to the future would be the newest until then: it counts only where there is
    nothing else.
    """
    found = (os.path.join(directory, name) for name in names(directory) if name != without)
    readings = (serial.decode_reading(read_regular(path, own=True)) for path in found)
    stated = tuple(reading for reading in readings if reading is not None and (reading.windows or reading.credits))
    return tuple(reading for reading in stated if not is_from_future(reading, now)) or stated


def is_from_future(reading: Reading, now: datetime) -> bool:
    """Say whether a statement was dated by a clock that has since been set back."""
    return reading.as_of > now + CLOCK_SLACK

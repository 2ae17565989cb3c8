"""The last statement of each source, each in a file of its own, so that no two writers ever share one.

`reading.<source>.json`; every running session's status line, or the `ullage tee` behind it, writes one of its own,
`reading.<source>-<session>.json`. Readers merge all of them.
"""

from __future__ import annotations

import os

from ullage.base.record import Record
from ullage.quota import serial
from ullage.quota.model import CLOCK_SLACK, SESSION_SOURCES, leave_undated
from ullage.system.files import find_mark, read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from ullage.quota.model import Reading
    from ullage.system.files import FileMark

    # Each file's name, with a mark that changes whenever the file is replaced.
    Version = tuple[tuple[str, FileMark], ...]

_PREFIX, _SUFFIX = "reading.", ".json"
_LONGEST_SESSION = 64


class Statement(Record):
    """A session's statement, the mark of its last answer, its file, and whether it is news to the cache."""

    reading: Reading
    mark: str
    path: str
    is_news: bool


class Stated(Record):
    """The sources' last statements, loaded once: by file, and those that count now.

    `version` is what the files were known by just before they were read.
    """

    version: Version = ()
    files: Mapping[str, Reading]
    statements: tuple[Reading, ...]
    merging: Merging

    @property
    def reading(self) -> Reading | None:
        """The merge of the statements; None when nothing is known."""
        return self.merging.finish()


class Merging:
    """A merge of statements, done when its reading is first asked for: not every step of a refresh needs one."""

    def __init__(self, statements: tuple[Reading, ...]) -> None:
        self._statements, self._is_done = statements, False
        self._reading: Reading | None = None

    def finish(self) -> Reading | None:
        """Merge the statements; None when nothing is known."""
        if not self._is_done:
            self._reading, self._is_done = _merge(self._statements), True
        return self._reading


def _merge(statements: tuple[Reading, ...]) -> Reading | None:
    if len(statements) < 2:
        return statements[0] if statements else None
    # Most have one session, whose statement is the reading.
    from ullage.quota import merge

    return merge.merge(statements)


def name_file(source: str, session: str = "") -> str:
    """Return the name of a source's file, or of one session of it."""
    kept = "".join(c for c in session[: 4 * _LONGEST_SESSION] if c.isascii() and (c.isalnum() or c in "-_"))
    return f"{_PREFIX}{source.replace(':', '-')}{'-' if session else ''}{kept[:_LONGEST_SESSION]}{_SUFFIX}"


def is_of_session(name: str, *sources: str) -> bool:
    """Say whether a file name is that of a session's statement, of one of these sources where they are given."""
    begins = tuple(f"{_PREFIX}{source}-" for source in sources or SESSION_SOURCES)
    return name.startswith(begins) and name.endswith(_SUFFIX)


def list_names(directory: str) -> list[str]:
    """Return the names of all statements in a profile's cache directory."""
    try:
        found = os.listdir(directory)
    except OSError:
        return []
    return sorted(name for name in found if name.startswith(_PREFIX) and name.endswith(_SUFFIX))


def find_version(directory: str) -> Version:
    """Return a mark that changes whenever a statement does."""
    found = []
    for name in list_names(directory):
        mark = find_mark(os.path.join(directory, name))
        # None: another process has just removed it.
        if mark is not None:
            found.append((name, mark))
    return tuple(found)


def load_last(path: str, now: datetime) -> Statement | None:
    """Return a session's last statement; None where there is none, or where a clock that ran ahead has dated it."""
    known, mark = serial.decode_noted_reading(read_regular(path, own=True), "mark")
    if known is None or is_from_future(known, now):
        return None
    return Statement(reading=known, mark=mark or "", path=path, is_news=False)


def load(directory: str, now: datetime, said: Mapping[str, Reading] | None = None) -> Stated:
    """Load each statement that can be read; those in `said` take the place of their files, which are not read."""
    # Looked at before the files are read: what is written meanwhile makes another version.
    known_by = find_version(directory)
    said = said or {}
    paths = {name: os.path.join(directory, name) for name, _ in known_by if name not in said}
    stored = {name: serial.decode_reading(read_regular(path, own=True)) for name, path in paths.items()}
    files = {name: reading for name, reading in {**stored, **said}.items() if reading is not None}
    return combine(files, now, known_by)


def load_newest(directory: str, source: str, now: datetime) -> Reading | None:
    """Return the newest statement of a source; None where it has made none."""
    stated = (statement for statement in load(directory, now).statements if statement.source == source)
    return max(stated, key=lambda statement: statement.as_of, default=None)


def combine(files: Mapping[str, Reading], now: datetime, known_by: Version = ()) -> Stated:
    """Combine the files' statements into those that count now."""
    counted = _counted(files, now)
    return Stated(version=known_by, files=files, statements=counted, merging=Merging(counted))


def add(stated: Stated, said: Mapping[str, Reading], now: datetime) -> Stated:
    """Return the statements with these in place of their files."""
    return combine({**stated.files, **said}, now, stated.version)


def is_same_but_for(name: str, one: Version, other: Version) -> bool:
    """Say whether no other file than this one differs."""
    return [file for file in one if file[0] != name] == [file for file in other if file[0] != name]


def _counted(files: Mapping[str, Reading], now: datetime) -> tuple[Reading, ...]:
    """Return the statements that count: those with content, and of those from the future what no other states.

    A statement that a fast clock has dated into the future would stay the newest until that time: its age is not known.
    """
    told = (reading for reading in files.values() if not reading.is_apart)
    stated = tuple(
        reading for reading in told if reading.windows or reading.credits or reading.pools or reading.is_listing
    )
    dated = tuple(reading for reading in stated if not is_from_future(reading, now))
    ahead = [leave_undated(reading, now) for reading in stated if is_from_future(reading, now)]
    if not dated:
        return tuple(ahead)
    rest = (_leave_out(dated, reading) for reading in ahead)
    return (*dated, *(reading for reading in rest if reading.windows))


def _leave_out(dated: Sequence[Reading], ahead: Reading) -> Reading:
    """Return a statement of unknown age with what no dated one states, and without what is of another account."""
    stated = {window.id for reading in dated for window in reading.windows}
    is_theirs = all(ahead.account.may_be(reading.account) for reading in dated)
    windows = tuple(window for window in ahead.windows if is_theirs and window.id not in stated)
    return ahead.replace(windows=windows, is_listing=False)


def is_from_future(reading: Reading, now: datetime) -> bool:
    """Say whether a statement was dated by a clock that has since been set back."""
    return reading.as_of > now + CLOCK_SLACK

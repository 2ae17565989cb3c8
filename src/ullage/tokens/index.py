"""Keep in SQLite what was read of the transcripts, so that the next update reads only what is new.

`tables` defines the tables and how new rows are merged into them, `amounts` the queries over counted responses.
"""

# ruff: noqa: S608  # the SQL is made of constants of `tables`
from __future__ import annotations

import itertools
import os

from ullage.base.errors import CacheError
from ullage.system import database
from ullage.tokens import amounts
from ullage.tokens.counts import COUNTS
from ullage.tokens.tables import (
    BEFORE_FIRST,
    COUNT_COLUMNS,
    FIRST,
    MERGE,
    MIGRATIONS,
    QUARTER_MS,
    STAGE,
    STAGED_TABLES,
    TAKE,
)
from ullage.tokens.task import LASTING, UNREAD, Task

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from typing import Any

    from ullage.system.database import Connection
    from ullage.tokens.amounts import Amount
    from ullage.tokens.lines import Context, Row
    from ullage.tokens.task import Piece
    from ullage.tokens.transcripts import Transcript, TranscriptList

    Scan = Callable[[Sequence[Task], Sequence[int]], Iterator[Piece]]

_BUSY_SECONDS = 60.0


class Index:
    """An open index of one set of roots."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def update(self, found: TranscriptList, scan: Scan) -> None:
        """Read new and changed files with `scan`, and delete the rows of files that are gone."""
        if not self._work(found):
            return
        with database.transaction(self._connection):
            # Another process may have updated the index while this one waited for the write lock.
            work = self._work(found)
            if not work:
                return
            self._execute_all(STAGE)
            is_first = self._connection.execute("SELECT 1 FROM responses LIMIT 1").fetchone() is None
            self._execute_all(BEFORE_FIRST if is_first else ())
            self._read(work, scan, "responses" if is_first else "fresh")
            self._execute_all(FIRST if is_first else MERGE)
            self._execute_all(f"DROP TABLE IF EXISTS temp.{table}" for table in STAGED_TABLES)

    def _execute_all(self, statements: Iterable[str]) -> None:
        for statement in statements:
            self._connection.execute(statement)

    def _work(self, found: TranscriptList) -> list[tuple[Transcript | None, tuple[Any, ...] | None]]:
        """Return what differs from the walk, as (transcript now, row of `files` before).

        A new file has no row; a file that is gone has no transcript.
        """
        rows = self._connection.execute(
            "SELECT path, id, root, project, device, inode, size, modified, changed, offset, mark FROM files"
        )
        known = {row[0]: row[1:] for row in rows}
        work: list[tuple[Transcript | None, tuple[Any, ...] | None]] = []
        for transcript in found.transcripts:
            before = known.pop(os.fsencode(transcript.path), None)
            if before is None or before[3:8] != transcript.status:
                work.append((transcript, before))
        return [*work, *((None, before) for before in known.values())]

    def _read(self, work: list[tuple[Transcript | None, tuple[Any, ...] | None]], scan: Scan, table: str) -> None:
        tasks, sizes, transcripts = [], [], {}
        for transcript, before in work:
            if transcript is None:
                assert before is not None
                self._connection.execute("INSERT INTO dropped VALUES (?)", before[:1])
                self._connection.execute("DELETE FROM files WHERE id = ?", before[:1])
                continue
            task = self._task(transcript, before)
            transcripts[task.number] = transcript
            tasks.append(task)
            sizes.append(max(1, transcript.status[2] - task.offset))
        contexts = _Contexts(self._connection, table)
        begun: set[int] = set()
        for piece in scan(tasks, sizes):
            kind, number = piece[:2]
            if kind == "afresh" and number in begun:
                # A worker was killed in the middle of this file, and it is read again: drop the worker's rows.
                self._connection.execute(f"DELETE FROM {table} WHERE file = ?", (number,))
            begun.add(number)
            self._take(piece, transcripts[number], contexts)

    def _task(self, transcript: Transcript, before: tuple[Any, ...] | None) -> Task:
        """Return the task to read a file on from where it was left.

        A file that is new, or is found under another root or project than before, gets a new row and is read from its
        start, since the contexts of its old rows name the old root and project.
        """
        project = _decode_name(transcript.project)
        if before is not None and before[1:3] == (transcript.root, project):
            return Task(
                number=before[0],
                path=transcript.path,
                project=project,
                offset=before[8],
                mark=before[9],
                status=before[3:8],
            )
        if before is not None:
            self._connection.execute("DELETE FROM files WHERE id = ?", before[:1])
            self._connection.execute("INSERT INTO dropped VALUES (?)", before[:1])
        values = (os.fsencode(transcript.path), transcript.root, project, *UNREAD, 0, b"", "", "")
        new = self._connection.execute(
            "INSERT INTO files (path, root, project, device, inode, size, modified, changed, offset, mark, folder, "
            "skipped) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            values,
        ).lastrowid
        assert new is not None
        return Task(number=new, path=transcript.path, project=project)

    def _take(self, piece: Piece, transcript: Transcript, contexts: _Contexts) -> None:
        """Write one piece: drop the file's earlier rows, insert new rows, or keep where its reading ended."""
        kind, number, *values = piece
        if kind == "afresh":
            self._connection.execute("INSERT OR IGNORE INTO dropped VALUES (?)", (number,))
            self._connection.execute("UPDATE files SET skipped = '', folder = '' WHERE id = ?", (number,))
        elif kind == "rows":
            contexts.keep(number, transcript, values[0])
        else:
            status, offset, mark, skipped, folder = values
            (before,) = self._connection.execute("SELECT skipped FROM files WHERE id = ?", (number,)).fetchone()
            lasting = {kind: count for kind, count in _decode_counts(before).items() if kind in LASTING}
            self._connection.execute(
                "UPDATE files SET device = ?, inode = ?, size = ?, modified = ?, changed = ?, offset = ?, mark = ?, "
                "skipped = ?, folder = CASE folder WHEN '' THEN ? ELSE folder END WHERE id = ?",
                (*status, offset, mark, _encode_counts(lasting, skipped), folder, number),
            )

    def count_skipped(self) -> dict[str, int]:
        """Return how many files and lines were skipped or mended, by kind, over all files."""
        total: dict[str, int] = {}
        for (noted,) in self._connection.execute("SELECT skipped FROM files WHERE skipped != ''"):
            for kind, count in _decode_counts(noted).items():
                total[kind] = total.get(kind, 0) + count
        return total

    def list_folders(self) -> dict[tuple[int, str], str]:
        """Return the working directory of each project whose files name one, by root and project."""
        rows = self._connection.execute("SELECT root, project, min(folder) FROM files WHERE folder != '' GROUP BY 1, 2")
        return {(root, project): folder for root, project, folder in rows}

    def find_reach(self) -> tuple[int, int] | None:
        """Return the time of the first and the last counted response, in milliseconds rounded out to quarter hours.

        None where there are no responses.
        """
        first, last = self._connection.execute("SELECT min(quarter), max(quarter) FROM sums").fetchone()
        return None if first is None else (first * QUARTER_MS, (last + 1) * QUARTER_MS - 1)

    def sum_amounts(
        self,
        since: int | None,
        until: int | None,
        *,
        keep: Iterable[str],
        slots: Sequence[int] = (),
        by_quarter: bool = False,
    ) -> list[Amount]:
        """Return the sums of counted responses from `since` to before `until`, in milliseconds since the epoch.

        `keep` names the columns to group by, of root, project, session and branch; models are always kept apart.
        `slots` are the ascending starts of stretches of time, each on a quarter of an hour: `Amount.slot` is then the
        index of the stretch, with `by_quarter` the number of the quarter, else 0.
        """
        self._connection.execute("CREATE TEMP TABLE slots (slot INTEGER PRIMARY KEY, begins INTEGER, ends INTEGER)")
        pairs = itertools.pairwise([*slots, 1 << 60])
        self._connection.executemany(
            "INSERT INTO slots VALUES (?, ?, ?)",
            ((slot, begins // QUARTER_MS, ends // QUARTER_MS) for slot, (begins, ends) in enumerate(pairs)),
        )
        sql, values = amounts.build_query(since, until, keep, has_slots=bool(slots), by_quarter=by_quarter)
        found = [amounts.read_amount(row) for row in self._connection.execute(sql, values)]
        self._connection.execute("DROP TABLE temp.slots")
        return found


class _Contexts:
    """Insert rows with the id of their context into `fresh`, or into `responses` where the index was empty."""

    def __init__(self, connection: Connection, table: str) -> None:
        self._connection = connection
        columns = f"message, request, sidechain, at, {COUNT_COLUMNS}, file, context"
        self._insert = f"INSERT INTO fresh ({columns}) VALUES ({', '.join('?' * (6 + len(COUNTS)))})"
        if table == "responses":
            self._insert = f"INSERT INTO responses ({columns}, counted) "
            self._insert += f"VALUES ({', '.join('?' * (6 + len(COUNTS)))}, 1) {TAKE}"

    def keep(self, number: int, transcript: Transcript, rows: Mapping[Context, Sequence[Row]]) -> None:
        whose = (transcript.root, _decode_name(transcript.project))
        for of_response, some in rows.items():
            context = self._find_or_add((*whose, *of_response))
            self._connection.executemany(self._insert, [(*row, number, context) for row in some])

    def _find_or_add(self, context: tuple[object, ...]) -> int:
        self._connection.execute(
            "INSERT OR IGNORE INTO contexts (root, project, session, branch, model, variant) VALUES (?, ?, ?, ?, ?, ?)",
            context,
        )
        (known,) = self._connection.execute(
            "SELECT id FROM contexts WHERE root = ? AND project = ? AND session = ? AND branch = ? AND model = ? "
            "AND variant = ?",
            context,
        ).fetchone()
        return int(known)


def _decode_name(project: str) -> str:
    """Return a folder's name as valid UTF-8 text; bytes that are none are replaced."""
    return os.fsencode(project).decode("utf-8", "replace")


def _decode_counts(noted: str) -> dict[str, int]:
    pairs = (part.split("=") for part in noted.split() if "=" in part)
    return {kind: int(count) for kind, count in pairs}


def _encode_counts(*counts: dict[str, int]) -> str:
    total: dict[str, int] = {}
    for one in counts:
        for kind, count in one.items():
            total[kind] = total.get(kind, 0) + count
    return " ".join(f"{kind}={count}" for kind, count in sorted(total.items()))


def work_with_index(path: str, work: Callable[[Index], None], now: datetime) -> str | None:
    """Open the index at `path`, made empty where there is none, and call `work`; return a notice for a damaged one.

    A damaged index is set aside and begun anew; `:memory:` keeps nothing. Raises CacheError when it cannot be used.
    """

    def open_and_work() -> None:
        if path != ":memory:":
            database.create_private(path)
        # What a power cut loses is read from the transcripts again.
        with database.open_database(path, MIGRATIONS, _BUSY_SECONDS, may_be_lost=True) as connection:
            connection.execute("PRAGMA cache_size = -4000")
            try:
                work(Index(connection))
            except (TypeError, ValueError, LookupError, OverflowError) as error:
                if path == ":memory:":
                    raise
                # SQLite keeps any value in any column. The index can be thrown away: the transcripts are still there.
                raise database.DamagedError("it holds values of other types than ullage writes") from error

    try:
        return database.repair(path, "The index of transcripts", open_and_work, now)
    except database.ERRORS as error:
        raise CacheError(
            f"The index of transcripts in {path} cannot be used: {database.word_error(error)}. Make the directory "
            "writable, or name another one in ULLAGE_CACHE_DIR."
        ) from error

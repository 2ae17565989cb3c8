"""What has been read of the transcripts, in SQLite, so that the next look reads only what is new.

`responses` holds what each file says of each response, once a file; `counted` marks the one that counts of all files.
`sums` holds what counts by quarter of an hour: every zone's day begins with one. No text of a transcript is kept: ids
are hashes, and names are those of sessions, folders, branches and models.
"""

# ruff: noqa: S608  # the SQL is made of constants of this module
from __future__ import annotations

import itertools
import os
from typing import NamedTuple

from ullage import database
from ullage.errors import CacheError
from ullage.tokens.counts import COUNTS
from ullage.tokens.task import LASTING, UNREAD, Task

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime
    from typing import Any

    from ullage.database import Connection
    from ullage.tokens.lines import Row
    from ullage.tokens.task import Piece
    from ullage.tokens.transcripts import Found, Transcript

    Scan = Callable[[Sequence[Task], Sequence[int]], Iterator[Piece]]

QUARTER_MS = 900_000
_COUNTS = ", ".join(COUNTS)
_BUSY_SECONDS = 60.0
_KEY = "message, request, sidechain, file"
_TOTAL = "{0}input + {0}output + {0}cache_write_5m + {0}cache_write_1h + {0}cache_read"
_SUMS = ", ".join(f"sum({name})" for name in COUNTS)
_LOOKUPS = {
    "responses_by_file": "CREATE INDEX responses_by_file ON responses (file)",
    "responses_by_time": "CREATE INDEX responses_by_time ON responses (at)",
}

MIGRATIONS = (
    f"""
    CREATE TABLE files (
        id INTEGER PRIMARY KEY,
        path BLOB NOT NULL UNIQUE,
        root INTEGER NOT NULL,
        project TEXT NOT NULL,
        device INTEGER NOT NULL, inode INTEGER NOT NULL, size INTEGER NOT NULL,
        modified INTEGER NOT NULL, changed INTEGER NOT NULL,
        offset INTEGER NOT NULL,
        mark BLOB NOT NULL,
        folder TEXT NOT NULL,
        skipped TEXT NOT NULL
    );
    CREATE TABLE contexts (
        id INTEGER PRIMARY KEY,
        root INTEGER NOT NULL,
        project TEXT NOT NULL,
        session TEXT NOT NULL,
        branch TEXT NOT NULL,
        model TEXT NOT NULL,
        variant INTEGER NOT NULL,
        UNIQUE (session, model, variant, branch, project, root)
    );
    CREATE TABLE responses (
        message INTEGER NOT NULL,
        request INTEGER NOT NULL,
        sidechain INTEGER NOT NULL,
        file INTEGER NOT NULL,
        at INTEGER NOT NULL,
        context INTEGER NOT NULL,
        counted INTEGER NOT NULL,
        {", ".join(f"{name} INTEGER NOT NULL" for name in COUNTS)},
        PRIMARY KEY ({_KEY})
    ) WITHOUT ROWID;
    {"; ".join(_LOOKUPS.values())};
    CREATE TABLE sums (
        quarter INTEGER NOT NULL,
        context INTEGER NOT NULL,
        first_at INTEGER NOT NULL,
        last_at INTEGER NOT NULL,
        responses INTEGER NOT NULL,
        {", ".join(f"{name} INTEGER NOT NULL" for name in COUNTS)},
        PRIMARY KEY (quarter, context)
    ) WITHOUT ROWID;
    """,
)

_STAGE = (
    f"""CREATE TEMP TABLE fresh (message, request, sidechain, file, at, context, {_COUNTS})""",
    "CREATE TEMP TABLE dropped (file INTEGER PRIMARY KEY)",
)
_TAKE = f"""ON CONFLICT ({_KEY}) DO UPDATE SET at = excluded.at, context = excluded.context,
    {", ".join(f"{name} = excluded.{name}" for name in COUNTS)}
    WHERE ({_TOTAL.format("excluded.")}, excluded.output, -excluded.at)
    > ({_TOTAL.format("responses.")}, responses.output, -responses.at)"""
# Of what files say about one response the largest total counts, then the largest output, then the first; what a side
# chain repeats counts only where nobody else says it.
_RANK = f"""UPDATE responses SET counted = 1 WHERE ({_KEY}) IN (SELECT {_KEY} FROM (
    SELECT {_KEY}, min(sidechain) OVER (PARTITION BY message) AS lowest, row_number() OVER (
        PARTITION BY message, sidechain, CASE sidechain WHEN 0 THEN request END
        ORDER BY {_TOTAL.format("")} DESC, output DESC, at, (SELECT path FROM files WHERE id = file)) AS place
    FROM several JOIN responses USING (message)) WHERE place = 1 AND sidechain = lowest)"""
_MERGE = (
    "CREATE TEMP TABLE touched (message INTEGER PRIMARY KEY) WITHOUT ROWID",
    "INSERT OR IGNORE INTO touched SELECT message FROM fresh ORDER BY message",
    "INSERT OR IGNORE INTO touched SELECT message FROM responses WHERE file IN dropped",
    "CREATE TEMP TABLE quarters (quarter INTEGER, context INTEGER, PRIMARY KEY (quarter, context)) WITHOUT ROWID",
    f"""INSERT OR IGNORE INTO quarters SELECT at / {QUARTER_MS}, context FROM touched JOIN responses USING (message)
        WHERE counted""",
    "DELETE FROM responses WHERE file IN dropped",
    f"""INSERT INTO responses ({_KEY}, at, context, counted, {_COUNTS})
        SELECT {_KEY}, at, context, 1, {_COUNTS} FROM fresh WHERE true ORDER BY {_KEY} {_TAKE}""",
    # Most responses stand in one file alone.
    """CREATE TEMP TABLE several AS SELECT message FROM touched JOIN responses USING (message)
        GROUP BY message HAVING count(*) > 1""",
    """UPDATE responses SET counted = message NOT IN several
        WHERE message IN touched AND counted != (message NOT IN several)""",
    _RANK,
    f"""INSERT OR IGNORE INTO quarters SELECT at / {QUARTER_MS}, context FROM touched JOIN responses USING (message)
        WHERE counted""",
    "DELETE FROM sums WHERE (quarter, context) IN quarters",
    f"""INSERT INTO sums SELECT quarter, context, min(at), max(at), count(*), {_SUMS}
        FROM (SELECT DISTINCT quarter AS wanted FROM quarters) JOIN responses
        ON at >= wanted * {QUARTER_MS} AND at < (wanted + 1) * {QUARTER_MS} JOIN quarters USING (context)
        WHERE counted AND quarter = wanted GROUP BY quarter, context""",
)
_CLEAR = ("fresh", "dropped", "touched", "quarters", "several")
# Where nothing was known, nothing has to be compared with it; to sort once is less work than to keep in order.
_BEFORE_FIRST = tuple(f"DROP INDEX {name}" for name in _LOOKUPS)
_FIRST = (
    *_LOOKUPS.values(),
    "CREATE TEMP TABLE several AS SELECT message FROM responses GROUP BY message HAVING count(*) > 1",
    "UPDATE responses SET counted = 0 WHERE message IN several",
    _RANK,
    f"""INSERT INTO sums SELECT at / {QUARTER_MS}, context, min(at), max(at), count(*), {_SUMS} FROM responses
        WHERE counted GROUP BY 1, 2""",
)


class Amount(NamedTuple):
    """Responses of one kind: of which slot of time, whose, how many, when the first and the last, and their counts."""

    slot: int
    root: int
    project: str
    session: str
    branch: str
    model: str
    variant: int
    responses: int
    first_at: int
    last_at: int
    counts: tuple[int, ...]


class Index:
    """An open index of one set of roots."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def update(self, found: Found, scan: Scan) -> None:
        """Read what is new, forget what is gone."""
        if not self._work(found):
            return
        with database.transaction(self._connection):
            # Whoever wrote before us may have done it all.
            work = self._work(found)
            if not work:
                return
            self._all(_STAGE)
            is_first = self._connection.execute("SELECT 1 FROM responses LIMIT 1").fetchone() is None
            self._all(_BEFORE_FIRST if is_first else ())
            self._read(work, scan, "responses" if is_first else "fresh")
            self._all(_FIRST if is_first else _MERGE)
            self._all(f"DROP TABLE IF EXISTS temp.{table}" for table in _CLEAR)

    def _all(self, statements: Iterable[str]) -> None:
        for statement in statements:
            self._connection.execute(statement)

    def _work(self, found: Found) -> list[tuple[Transcript | None, tuple[Any, ...] | None]]:
        """Return what differs: files that are new or changed, and files that are gone, as (now, before)."""
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
                # Whoever read it first did not come to its end.
                self._connection.execute(f"DELETE FROM {table} WHERE file = ?", (number,))
            begun.add(number)
            self._take(piece, transcripts[number], contexts)

    def _task(self, transcript: Transcript, before: tuple[Any, ...] | None) -> Task:
        project = _shown(transcript.project)
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
        kind, number, *values = piece
        if kind == "afresh":
            self._connection.execute("INSERT OR IGNORE INTO dropped VALUES (?)", (number,))
            self._connection.execute("UPDATE files SET skipped = '', folder = '' WHERE id = ?", (number,))
        elif kind == "rows":
            contexts.keep(number, transcript, values[0])
        else:
            status, offset, mark, skipped, folder = values
            (before,) = self._connection.execute("SELECT skipped FROM files WHERE id = ?", (number,)).fetchone()
            lasting = {kind: count for kind, count in _counted(before).items() if kind in LASTING}
            self._connection.execute(
                "UPDATE files SET device = ?, inode = ?, size = ?, modified = ?, changed = ?, offset = ?, mark = ?, "
                "skipped = ?, folder = CASE folder WHEN '' THEN ? ELSE folder END WHERE id = ?",
                (*status, offset, mark, _noted(lasting, skipped), folder, number),
            )

    def skipped(self) -> dict[str, int]:
        """Return what was not taken of all files, by kind."""
        total: dict[str, int] = {}
        for (noted,) in self._connection.execute("SELECT skipped FROM files WHERE skipped != ''"):
            for kind, count in _counted(noted).items():
                total[kind] = total.get(kind, 0) + count
        return total

    def folders(self) -> dict[tuple[int, str], str]:
        """Return the folder of each project whose files tell one, by root and project."""
        rows = self._connection.execute("SELECT root, project, min(folder) FROM files WHERE folder != '' GROUP BY 1, 2")
        return {(root, project): folder for root, project, folder in rows}

    def reach(self) -> tuple[int, int] | None:
        """Return when the first and the last of all responses were made; None where there are none."""
        first, last = self._connection.execute("SELECT min(quarter), max(quarter) FROM sums").fetchone()
        return None if first is None else (first * QUARTER_MS, (last + 1) * QUARTER_MS - 1)

    def amounts(
        self,
        since: int | None,
        until: int | None,
        *,
        keep: Iterable[str],
        slots: Sequence[int] = (),
        by_quarter: bool = False,
    ) -> list[Amount]:
        """Return what counts from one moment to before another, in milliseconds since the epoch.

        `keep` names what is told apart, of root, project, session and branch; models always are. Of time, what lies
        between two of `slots`, which begin with a quarter of an hour, and the number of the first is told; or with
        `by_quarter` each quarter.
        """
        kept = set(keep)
        names = [name if name in kept else "0" if name == "root" else "''" for name in _NAMES]
        self._connection.execute("CREATE TEMP TABLE slots (slot INTEGER PRIMARY KEY, begins INTEGER, ends INTEGER)")
        pairs = itertools.pairwise([*slots, 1 << 60])
        self._connection.executemany(
            "INSERT INTO slots VALUES (?, ?, ?)",
            ((slot, begins // QUARTER_MS, ends // QUARTER_MS) for slot, (begins, ends) in enumerate(pairs)),
        )
        parts, values = _span(since, until, "slot" if slots else "quarter" if by_quarter else "0")
        sql = (
            f"SELECT slot, {', '.join(names)}, model, variant, sum(responses), min(first_at), max(last_at), {_SUMS} "
            f"FROM ({parts}) JOIN contexts ON contexts.id = context GROUP BY 1, 2, 3, 4, 5, 6, 7"
        )
        found = [Amount._make((*row[:10], row[10:])) for row in self._connection.execute(sql, values)]
        self._connection.execute("DROP TABLE temp.slots")
        return found


_NAMES = ("root", "project", "session", "branch")


def _span(since: int | None, until: int | None, slot: str) -> tuple[str, list[int]]:
    """Return the SQL of what lies in a span, and its values.

    Quarters that lie in it whole come summed up; what is cut off at its ends is counted response by response.
    """
    first = None if since is None else -(-since // QUARTER_MS)
    last = None if until is None else until // QUARTER_MS
    joined, single_joined = ("", "")
    if slot == "slot":
        joined = "CROSS JOIN sums ON quarter >= begins AND quarter < ends"
        single_joined = f"CROSS JOIN responses ON at >= begins * {QUARTER_MS} AND at < ends * {QUARTER_MS}"
    single_slot = slot.replace("quarter", f"at / {QUARTER_MS}")
    single = f"SELECT {single_slot} AS slot, context, 1 AS responses, at AS first_at, at AS last_at, {_COUNTS} "
    single += f"FROM {f'slots {single_joined}' if joined else 'responses'} WHERE counted AND at >= ? AND at < ?"
    if since is not None and until is not None and first is not None and last is not None and first >= last:
        return single, [since, until]
    summed = f"SELECT {slot} AS slot, context, responses, first_at, last_at, {_COUNTS} "
    summed += f"FROM {f'slots {joined}' if joined else 'sums'} WHERE quarter >= ? AND quarter < ?"
    parts = [summed]
    values = [first if first is not None else -(1 << 40), last if last is not None else 1 << 40]
    if since is not None and first is not None and since < first * QUARTER_MS:
        parts.append(single)
        values += [since, first * QUARTER_MS]
    if until is not None and last is not None and until > last * QUARTER_MS:
        parts.append(single)
        values += [last * QUARTER_MS, until]
    return " UNION ALL ".join(parts), values


class _Contexts:
    """The ids of contexts, and the way of rows into a table: the staged ones, or the last."""

    def __init__(self, connection: Connection, table: str) -> None:
        self._connection = connection
        columns = f"message, request, sidechain, file, at, context, {_COUNTS}"
        self._insert = f"INSERT INTO fresh ({columns}) VALUES ({', '.join('?' * (6 + len(COUNTS)))})"
        if table == "responses":
            self._insert = f"INSERT INTO responses ({columns}, counted) "
            self._insert += f"VALUES ({', '.join('?' * (6 + len(COUNTS)))}, 1) {_TAKE}"

    def keep(self, number: int, transcript: Transcript, rows: Sequence[Row]) -> None:
        whose = (transcript.root, _shown(transcript.project))
        ids = {told: self._of((*whose, *told)) for told in {row[4:8] for row in rows}}
        self._connection.executemany(
            self._insert, ((*row[:3], number, row[3], ids[row[4:8]], *row[8:]) for row in rows)
        )

    def _of(self, context: tuple[object, ...]) -> int:
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


def _shown(project: str) -> str:
    """Return a folder's name as text, whatever bytes it is made of."""
    return os.fsencode(project).decode("utf-8", "replace")


def _counted(noted: str) -> dict[str, int]:
    pairs = (part.split("=") for part in noted.split() if "=" in part)
    return {kind: int(count) for kind, count in pairs}


def _noted(*counts: dict[str, int]) -> str:
    total: dict[str, int] = {}
    for one in counts:
        for kind, count in one.items():
            total[kind] = total.get(kind, 0) + count
    return " ".join(f"{kind}={count}" for kind, count in sorted(total.items()))


def use(path: str, work: Callable[[Index], None], now: datetime) -> str | None:
    """Open an index, which begins empty, and work with it; return a notice when a damaged one had to be set aside.

    `:memory:` keeps nothing. Raises CacheError when it cannot be used.
    """

    def open_and_work() -> None:
        if path != ":memory:":
            database.create_private(path)
        with database.opened(path, MIGRATIONS, _BUSY_SECONDS) as connection:
            # What is lost with the power is read again.
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("PRAGMA cache_size = -4000")
            work(Index(connection))

    try:
        return database.repaired(path, "The index of transcripts", open_and_work, now)
    except database.ERRORS as error:
        raise CacheError(
            f"The index of transcripts in {path} cannot be used: {database.words(error)}. Make the directory writable, "
            "or name another one in ULLAGE_CACHE_DIR."
        ) from error

"""The tables of the index of transcripts, and the statements that merge newly read rows into them.

`responses` holds a row per response and file; of a response that several files repeat, `counted` marks one row.
`sums` holds the counted rows by quarter of an hour, since every zone's day begins on a quarter. No text of a transcript
is kept: ids are hashes, and names are those of sessions, folders, branches and models.
"""

# ruff: noqa: S608  # the SQL is made of constants of this module
from __future__ import annotations

from ullage.tokens.counts import COUNTS

QUARTER_MS = 900_000
COUNT_COLUMNS = ", ".join(COUNTS)
_KEY = "message, request, sidechain, file"
_TOTAL = "{0}input + {0}output + {0}cache_write_5m + {0}cache_write_1h + {0}cache_read"
COUNT_SUMS = ", ".join(f"sum({name})" for name in COUNTS)
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

STAGE = (
    f"""CREATE TEMP TABLE fresh (message, request, sidechain, file, at, context, {COUNT_COLUMNS})""",
    "CREATE TEMP TABLE dropped (file INTEGER PRIMARY KEY)",
)
TAKE = f"""ON CONFLICT ({_KEY}) DO UPDATE SET at = excluded.at, context = excluded.context,
    {", ".join(f"{name} = excluded.{name}" for name in COUNTS)}
    WHERE ({_TOTAL.format("excluded.")}, excluded.output, -excluded.at)
    > ({_TOTAL.format("responses.")}, responses.output, -responses.at)"""
# Of the rows about one response the largest total counts, then the largest output, then the earliest; a side chain's
# row counts only where the main chain has none.
_RANK = f"""UPDATE responses SET counted = 1 WHERE ({_KEY}) IN (SELECT {_KEY} FROM (
    SELECT {_KEY}, min(sidechain) OVER (PARTITION BY message) AS lowest, row_number() OVER (
        PARTITION BY message, sidechain, CASE sidechain WHEN 0 THEN request END
        ORDER BY {_TOTAL.format("")} DESC, output DESC, at, (SELECT path FROM files WHERE id = file)) AS place
    FROM several JOIN responses USING (message)) WHERE place = 1 AND sidechain = lowest)"""
# The merge looks only at the messages that the new or dropped rows name (`touched`), and sums anew only the quarters
# and contexts where those were counted before or are counted now (`quarters`).
MERGE = (
    "CREATE TEMP TABLE touched (message INTEGER PRIMARY KEY) WITHOUT ROWID",
    "INSERT OR IGNORE INTO touched SELECT message FROM fresh ORDER BY message",
    "INSERT OR IGNORE INTO touched SELECT message FROM responses WHERE file IN dropped",
    "CREATE TEMP TABLE quarters (quarter INTEGER, context INTEGER, PRIMARY KEY (quarter, context)) WITHOUT ROWID",
    f"""INSERT OR IGNORE INTO quarters SELECT at / {QUARTER_MS}, context FROM touched JOIN responses USING (message)
        WHERE counted""",
    "DELETE FROM responses WHERE file IN dropped",
    f"""INSERT INTO responses ({_KEY}, at, context, counted, {COUNT_COLUMNS})
        SELECT {_KEY}, at, context, 1, {COUNT_COLUMNS} FROM fresh WHERE true ORDER BY {_KEY} {TAKE}""",
    # Most responses stand in one file alone.
    """CREATE TEMP TABLE several AS SELECT message FROM touched JOIN responses USING (message)
        GROUP BY message HAVING count(*) > 1""",
    """UPDATE responses SET counted = message NOT IN several
        WHERE message IN touched AND counted != (message NOT IN several)""",
    _RANK,
    f"""INSERT OR IGNORE INTO quarters SELECT at / {QUARTER_MS}, context FROM touched JOIN responses USING (message)
        WHERE counted""",
    "DELETE FROM sums WHERE (quarter, context) IN quarters",
    f"""INSERT INTO sums SELECT quarter, context, min(at), max(at), count(*), {COUNT_SUMS}
        FROM (SELECT DISTINCT quarter AS wanted FROM quarters) JOIN responses
        ON at >= wanted * {QUARTER_MS} AND at < (wanted + 1) * {QUARTER_MS} JOIN quarters USING (context)
        WHERE counted AND quarter = wanted GROUP BY quarter, context""",
)
STAGED_TABLES = ("fresh", "dropped", "touched", "quarters", "several")
# For an empty index: rows go straight into `responses`, and the lookups are built once at the end, which is less work
# than keeping them in order.
BEFORE_FIRST = tuple(f"DROP INDEX {name}" for name in _LOOKUPS)
FIRST = (
    *_LOOKUPS.values(),
    "CREATE TEMP TABLE several AS SELECT message FROM responses GROUP BY message HAVING count(*) > 1",
    "UPDATE responses SET counted = 0 WHERE message IN several",
    _RANK,
    f"""INSERT INTO sums SELECT at / {QUARTER_MS}, context, min(at), max(at), count(*), {COUNT_SUMS} FROM responses
        WHERE counted GROUP BY 1, 2""",
)

"""An index that is filled for the first time is the same as one that has grown."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.support.transcript import line, write
from ullage.tokens import index, scan, transcripts

if TYPE_CHECKING:
    from pathlib import Path


def look(root: Path, path: Path) -> None:
    found = transcripts.list_transcripts([transcripts.choose_root(str(root))])
    index.work_with_index(
        str(path),
        lambda opened: opened.update(found, lambda tasks, sizes: scan.read_all(tasks, sizes, lambda *_: None)),
        datetime.now(UTC),
    )


def test_it_holds_the_same_in_the_same_order(tmp_path: Path) -> None:
    first, second = line(), line("msg_2", request="req_2", output=7)
    for root in ("whole", "grown"):
        write(tmp_path / root, "-p/s1.jsonl", first)
    look(tmp_path / "grown", tmp_path / "grown.sqlite3")
    for root in ("whole", "grown"):
        write(tmp_path / root, "-p/s1.jsonl", first + second)
        look(tmp_path / root, tmp_path / f"{root}.sqlite3")
    held = []
    for root in ("whole", "grown"):
        connection = sqlite3.connect(tmp_path / f"{root}.sqlite3")
        schema = connection.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY 1, 2").fetchall()
        tables = [connection.execute(f"SELECT * FROM {table}").fetchall() for table in ("responses", "sums")]
        held.append((schema, tables))
        connection.close()
    assert held[0] == held[1]
    assert {"responses_by_file", "responses_by_time"} <= {name for _, name, _ in held[0][0]}

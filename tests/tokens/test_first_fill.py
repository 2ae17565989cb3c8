"""An index that is filled for the first time is the same as one that has grown, and costs little to fill and to ask."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.tools import ULLAGE, need, needs_linux, run
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


@needs_linux
def test_it_waits_for_no_disk(tmp_path: Path, environ: dict[str, str]) -> None:
    write(tmp_path / "home" / ".claude", "-p/s1.jsonl", line())
    log = tmp_path / "trace"
    environ["HOME"] = str(tmp_path / "home")
    traced = [need("strace"), "-f", "-qq", "-e", "trace=fsync,fdatasync,sync", "-o", str(log), ULLAGE, "tokens"]
    assert run(traced, environ).returncode == 0
    assert log.read_text() == ""


@pytest.mark.parametrize("bounded", [False, True])
def test_a_sum_by_day_reads_each_quarter_once_however_many_days_there_are(tmp_path: Path, bounded: bool) -> None:
    begins = datetime(2026, 7, 1, tzinfo=UTC)
    lines = (line(f"msg_{day}", request=f"r{day}", at=(begins + timedelta(days=day)).isoformat()) for day in range(140))
    write(tmp_path / "many", "-p/s1.jsonl", "".join(lines))
    path = tmp_path / "index.sqlite3"
    look(tmp_path / "many", path)
    since, until = (round((begins + timedelta(days=day, minutes=7)).timestamp() * 1000) for day in (1, 130))
    steps: list[int] = []

    def count() -> int:
        steps[-1] += 1
        return 0

    with closing(sqlite3.connect(path)) as connection:
        connection.set_progress_handler(count, 1)
        for days in (10, 140):
            steps.append(0)
            slots = [round((begins + timedelta(days=day)).timestamp() * 1000) for day in range(days)]
            summed = index.Index(connection).sum_amounts(
                since if bounded else None, until if bounded else None, keep=(), slots=slots
            )
            assert sum(amount.responses for amount in summed) == (129 if bounded else 140)
    assert steps[1] < 3 * steps[0]

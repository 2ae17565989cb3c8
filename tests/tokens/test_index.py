"""The index: after whatever happened to the files, it says what a reading of all of them says."""

from __future__ import annotations

import errno
import itertools
import os
import random
from typing import TYPE_CHECKING

import pytest

from tests.support.samples import NOW
from tests.support.sqlite import opened
from tests.support.transcript import amounts_of, count, line, sums, write
from ullage.tokens import index, reading, scan, transcripts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ullage.tokens.amounts import Amount
    from ullage.tokens.index import Index
    from ullage.tokens.task import Piece, Task


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "cache" / "index.sqlite3")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "claude"


def bytes_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count what is read of transcripts from now on."""
    read: list[int] = []

    def pread(descriptor: int, length: int, offset: int) -> bytes:
        data = real(descriptor, length, offset)
        read.append(len(data))
        return data

    real = os.pread
    monkeypatch.setattr(os, "pread", pread)
    return read


def test_one_response_in_several_lines_counts_once_with_what_it_came_to(config: Path) -> None:
    write(config, "p/a.jsonl", line(output=2) + line(output=159) + line(output=1))
    total, _ = count(config)
    assert (total.responses, total.counts[:2]) == (1, [10, 159])


def test_a_resumed_session_does_not_count_twice(config: Path) -> None:
    write(config, "p/a.jsonl", line() + line("msg_2", request="req_2"))
    write(config, "p/b.jsonl", line(session="s2") + line("msg_3", request="req_3", session="s2"))
    assert count(config)[0].responses == 3


@pytest.mark.parametrize("order", [*itertools.permutations(("parent", "chain", "other"))])
def test_what_a_side_chain_repeats_counts_once_in_whatever_order(config: Path, order: tuple[str, ...]) -> None:
    lines = {
        "parent": line(output=50, read=20),
        "chain": line(output=50, read=90_000, request="req_9", sidechain=True),
        "other": line("msg_2", request="req_8", output=3, sidechain=True),
    }
    for number, name in enumerate(order):
        write(config, f"p/{number}.jsonl", lines[name])
    total, _ = count(config)
    assert (total.responses, total.counts[1], total.counts[4]) == (2, 53, 20)


def test_a_side_chain_counts_when_its_parent_is_gone(config: Path, path: str) -> None:
    parent = write(config, "p/a.jsonl", line(output=50))
    write(config, "p/b.jsonl", line(output=60, request="req_9", sidechain=True) + line(output=70, sidechain=True))
    assert sums(config, path)[1] == 50
    parent.unlink()
    assert sums(config, path)[1] == 70


def test_what_is_appended_is_read_and_nothing_else(config: Path, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    filling = '{"type":"user","message":"' + "x" * 1000 + '"}\n'
    file = write(config, "p/a.jsonl", line() + filling * 2000)
    for number in range(20):
        write(config, f"p/other-{number}.jsonl", filling * 100)
    sums(config, path)
    read = bytes_read(monkeypatch)
    assert sums(config, path)[1] == 100
    assert read == []
    with file.open("a") as appended:
        appended.write(line("msg_2", request="req_2", output=7))
    assert sums(config, path)[1] == 107
    assert sum(read) < 4 * 1024


def test_a_line_that_grows_while_it_is_looked_at_counts_once_it_is_whole(config: Path, path: str) -> None:
    whole = line("msg_2", request="req_2", output=7)
    file = write(config, "p/a.jsonl", line() + whole[:100])
    total, skipped = count(config, path)
    assert (total.counts[1], skipped) == (100, {"half_written_lines": 1})
    with file.open("a") as appended:
        appended.write(whole[100:])
    total, skipped = count(config, path)
    assert (total.counts[1], skipped) == (107, {})


def test_a_last_line_without_its_newline_counts_once(config: Path, path: str) -> None:
    nameless = line(None, request=None, output=7)
    file = write(config, "p/a.jsonl", line() + nameless.rstrip("\n"))
    assert sums(config, path)[1] == 107
    with file.open("a") as appended:
        appended.write("\n" + nameless)
    assert sums(config, path)[1] == 114


def test_a_truncated_file_says_what_is_left(config: Path, path: str) -> None:
    first = line()
    file = write(config, "p/a.jsonl", first + line("msg_2", request="req_2"))
    assert sums(config, path)[1] == 200
    os.truncate(file, len(first))
    assert sums(config, path)[1] == 100


def test_a_truncated_file_that_has_grown_again_is_read_anew(config: Path, path: str) -> None:
    file = write(config, "p/a.jsonl", "".join(line(f"msg_{n}", request=f"r_{n}") for n in range(9)))
    assert sums(config, path)[1] == 900
    file.write_text("".join(line(f"msg_{n}", request=f"r_{n}", output=7) for n in range(20, 40)))
    assert sums(config, path)[1] == 140


def test_a_file_rewritten_at_the_same_length_is_read_anew(config: Path, path: str) -> None:
    file = write(config, "p/a.jsonl", line(output=111))
    assert sums(config, path)[1] == 111
    times = file.stat()
    file.write_text(line(output=222))
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns + 1_000_000))
    assert sums(config, path)[1] == 222


def test_a_file_replaced_by_another_is_read_anew(config: Path, path: str) -> None:
    file = write(config, "p/a.jsonl", line(output=111))
    assert sums(config, path)[1] == 111
    times = file.stat()
    other = write(config, "p/new", line(output=222))
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
    other.replace(file)
    assert sums(config, path)[1] == 222


def test_a_rotated_file_is_forgotten_and_its_successor_read(config: Path, path: str) -> None:
    file = write(config, "p/a.jsonl", line())
    sums(config, path)
    file.rename(file.with_suffix(".jsonl.1"))
    write(config, "p/a.jsonl", line("msg_2", request="req_2", output=7))
    assert sums(config, path)[1] == 7


def test_a_file_that_moves_to_another_project_belongs_to_it(config: Path, path: str) -> None:
    file = write(config, "p/a.jsonl", line())
    amounts_of(config, path)
    (config / "projects" / "q").mkdir()
    file.rename(config / "projects" / "q" / "a.jsonl")
    assert [amount.project for amount in amounts_of(config, path)] == ["q"]


def test_a_deleted_file_leaves_what_another_says_of_the_same_response(config: Path, path: str) -> None:
    file = write(config, "p/a.jsonl", line(output=500) + line("msg_2", request="req_2"))
    write(config, "p/b.jsonl", line(output=400, session="s2"))
    assert sums(config, path)[1] == 600
    file.unlink()
    assert sums(config, path)[1] == 400


def test_a_folder_that_is_gone_leaves_nothing(config: Path, path: str) -> None:
    write(config, "p/a.jsonl", line())
    sums(config, path)
    for file in (config / "projects" / "p").iterdir():
        file.unlink()
    (config / "projects" / "p").rmdir()
    assert sums(config, path) == [0] * 7
    with opened(path) as connection:
        for table in ("files", "responses", "sums"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


def _change(chance: random.Random, config: Path, number: int) -> None:
    """Do to a file what happens to files."""
    file = config / "projects" / f"p{chance.randrange(2)}" / f"{chance.randrange(4)}.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(
        line(
            f"msg_{chance.randrange(12)}",
            request=f"req_{chance.randrange(2)}",
            session=f"s{chance.randrange(3)}",
            at=f"2026-11-20T{chance.randrange(24):02}:{chance.randrange(60):02}:00Z",
            output=chance.randrange(1000),
            sidechain=chance.random() < 0.3,
            model=chance.choice(("claude-opus-4-6", "claude-haiku-4-5")),
        )
        for _ in range(chance.randrange(1, 5))
    )
    kind = chance.choice(("append", "append", "append", "cut", "rewrite", "delete", "move", "tear"))
    if kind in ("append", "tear"):
        with file.open("a") as appended:
            appended.write(text[: -chance.randrange(1, 60)] if kind == "tear" else text)
    elif kind == "rewrite":
        file.write_text(text)
    elif file.exists() and kind == "cut":
        os.truncate(file, chance.randrange(file.stat().st_size + 1))
    elif file.exists() and kind == "delete":
        file.unlink()
    elif file.exists():
        file.rename(file.with_name(f"moved-{number}.jsonl"))


@pytest.mark.parametrize("seed", range(8))
def test_after_any_changes_the_index_says_what_a_first_look_says(config: Path, path: str, seed: int) -> None:
    chance = random.Random(seed)
    for number in range(25):
        for _ in range(chance.randrange(1, 4)):
            _change(chance, config, number)
        kept = sorted(map(repr, amounts_of(config, path, by_quarter=True)))
        assert kept == sorted(map(repr, amounts_of(config, by_quarter=True))), number
        # What is cut off at the ends of a span is as exact as what is summed up.
        day = 1_795_132_800_000
        span = sorted(day + chance.randrange(86_400_000) for _ in range(2))
        some = sum(amount.responses for amount in amounts_of(config, path, since=span[0], until=span[1]))
        each = [
            amounts_of(config, since=begins, until=ends)
            for begins, ends in ((day, span[0]), (span[1], day + 86_400_000))
        ]
        rest = sum(amount.responses for part in each for amount in part)
        assert some + rest == sum(amount.responses for amount in amounts_of(config, path))


def test_no_word_of_a_transcript_is_kept(config: Path, path: str) -> None:
    secret = "what nobody else should read"
    entry = line(toolUseResult={"stdout": secret}, slug=secret).replace(
        '"content":[]', f'"content":[{{"text":"{secret}"}}]'
    )
    write(config, "p/a.jsonl", entry)
    assert secret in entry
    assert sums(config, path)[1] == 100
    for file in os.scandir(os.path.dirname(path)):
        with open(file, "rb") as opened:
            data = opened.read()
        assert secret.encode() not in data
        assert b"msg_1" not in data
        assert file.stat().st_mode & 0o077 == 0


@pytest.mark.process
@pytest.mark.parametrize("files", [2, 40, 300])
def test_many_files_are_read_by_several_processes_to_the_same_end(config: Path, files: int) -> None:
    for number in range(files):
        write(
            config,
            f"p{number % 3}/{number}.jsonl",
            line(f"msg_{number % 30}", request=f"r{number % 30}", output=number),
        )
    assert repr(sorted(map(repr, amounts_of(config, workers=3)))) == repr(
        sorted(map(repr, amounts_of(config, workers=1)))
    )


@pytest.mark.process
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no worker can be killed where none is forked")
def test_what_a_killed_process_leaves_is_read_by_another(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(12):
        write(config, f"p/{number}.jsonl", line(f"msg_{number}", request=f"r{number}"))
    parent, read = os.getpid(), reading.read_transcript

    def killed(task: Task) -> Iterator[Piece]:
        for piece in read(task):
            if os.getpid() != parent and task.number in (3, 8) and piece[0] == "done":
                os.kill(os.getpid(), 9)
            yield piece

    monkeypatch.setattr(reading, "read_transcript", killed)
    total, _ = count(config, workers=2)
    assert total.responses == 12


@pytest.mark.process
@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing is forked")
@pytest.mark.parametrize("allowed", [0, 1])
def test_a_user_who_may_have_no_process_more_waits_longer(
    config: Path, monkeypatch: pytest.MonkeyPatch, allowed: int
) -> None:
    for number in range(12):
        write(config, f"p/{number}.jsonl", line(f"msg_{number}", request=f"r{number}"))
    fork = os.fork
    forked: list[int] = []

    def refuse() -> int:
        if len(forked) == allowed:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        forked.append(1)
        return fork()

    monkeypatch.setattr(os, "fork", refuse)
    total, _ = count(config, workers=3)
    assert total.responses == 12


STRANGE_VALUES = (
    "UPDATE files SET skipped = CAST(x'ff3d31' AS TEXT)",
    "UPDATE files SET skipped = 'limit=much'",
    "UPDATE files SET offset = 'far', size = 0",
    "UPDATE files SET path = 7",
    "UPDATE contexts SET model = CAST(x'ff' AS TEXT)",
    "UPDATE sums SET quarter = 'never'",
    "DROP TABLE sums",
    "PRAGMA user_version = 60000",
)


@pytest.mark.parametrize("statement", STRANGE_VALUES)
def test_whatever_the_index_holds_the_transcripts_are_counted(config: Path, path: str, statement: str) -> None:
    write(config, "p/a.jsonl", line() + line("msg_2", request="req_2"))
    assert count(config, path)[0].responses == 2
    with opened(path) as connection:
        connection.execute(statement)
    write(config, "p/b.jsonl", line("msg_3", request="req_3"))
    found = transcripts.list_transcripts([transcripts.choose_root(str(config))])
    counted: list[Amount] = []

    def work(opened: Index) -> None:
        opened.update(found, lambda tasks, sizes: scan.read_all(tasks, sizes, lambda done, whole: None))
        opened.count_skipped()
        counted[:] = opened.sum_amounts(None, None, keep=("session",))

    notice = index.work_with_index(path, work, NOW)
    assert sum(amount.responses for amount in counted) == 3
    assert notice is None or "The index of transcripts" in notice
    assert index.work_with_index(path, work, NOW) is None

"""The history on disk: what is kept, how it is thinned, who may write, and what becomes of a damaged file."""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.readonly import read_only
from tests.support.samples import NOW, window
from tests.support.sqlite import opened
from tests.support.tools import PYTHON, REPOSITORY
from ullage.quota.pace import Sample
from ullage.store import history
from ullage.store.history import HistoryError
from ullage.system import database

HOUR = timedelta(hours=1)
RESET = NOW + timedelta(days=3)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "state" / "history.sqlite3")


def keep(
    path: str, used: float | None, *, ago: timedelta = timedelta(0), now: datetime = NOW, **changes: object
) -> None:
    changes = {"resets_at": RESET, "as_of": now - ago, **changes}
    history.record(path, "ada", [window("seven_day", used, **changes)], now)
    assert history.take_notice(path) is None


def kept(path: str, owner: str = "ada") -> list[tuple[timedelta, float]]:
    """How long ago and how much, oldest first."""
    found = history.load_samples(path, owner, LONG_AGO, NOW)
    return [(NOW - sample.at, sample.used_percent) for sample in found.get("seven_day", [])]


def test_a_sample_says_when_how_much_and_until_when(path: str) -> None:
    keep(path, 37.5, as_of=NOW.replace(microsecond=0))
    expected = [Sample(at=NOW.replace(microsecond=0), used_percent=37.5, resets_at=RESET)]
    assert history.load_samples(path, "ada", LONG_AGO, NOW) == {"seven_day": expected}


def test_what_is_not_known_is_not_kept(path: str) -> None:
    keep(path, None)
    assert kept(path) == []


def test_a_window_without_a_reset_is_kept(path: str) -> None:
    keep(path, 12.0, resets_at=None)
    [sample] = history.load_samples(path, "ada", LONG_AGO, NOW)["seven_day"]
    assert sample.resets_at is None


def test_the_same_statement_is_kept_once(path: str) -> None:
    for _ in range(3):
        keep(path, 10.0)
    assert kept(path) == [(timedelta(0), 10.0)]


def test_what_stays_the_same_is_kept_as_its_two_ends(path: str) -> None:
    for hours, used in ((6, 10.0), (5, 11.0), (4, 11.0), (3, 11.0), (2, 11.0), (1, 12.0)):
        keep(path, used, ago=hours * HOUR)
    assert kept(path) == [(6 * HOUR, 10.0), (5 * HOUR, 11.0), (2 * HOUR, 11.0), (HOUR, 12.0)]


def test_a_reset_that_is_worded_a_little_differently_is_no_change(path: str) -> None:
    for hours in (3, 2, 1):
        keep(path, 11.0, ago=hours * HOUR, resets_at=RESET + timedelta(seconds=hours))
    assert len(kept(path)) == 2


def test_another_reset_is_a_change(path: str) -> None:
    for hours in (3, 2, 1):
        keep(path, 0.0, ago=hours * HOUR, resets_at=RESET + hours * HOUR)
    assert len(kept(path)) == 3


def test_accounts_do_not_mix(path: str) -> None:
    keep(path, 10.0)
    history.record(path, "bob", [window("seven_day", 90.0)], NOW)
    assert (len(kept(path)), [used for _, used in kept(path, "bob")]) == (1, [90.0])


def test_reading_begins_no_file(path: str) -> None:
    assert history.load_samples(path, "ada", LONG_AGO, NOW) == {}
    assert not os.path.exists(os.path.dirname(path))


def test_since_leaves_out_what_is_older(path: str) -> None:
    keep(path, 10.0, ago=3 * HOUR)
    keep(path, 20.0, ago=HOUR)
    assert [s.used_percent for s in history.load_samples(path, "ada", NOW - 2 * HOUR, NOW)["seven_day"]] == [20.0]


@pytest.mark.posix(reason="permissions")
def test_the_file_is_the_users_alone(path: str) -> None:
    keep(path, 1.0)
    assert os.stat(path).st_mode & 0o777 == 0o600
    assert os.stat(os.path.dirname(path)).st_mode & 0o777 == 0o700


def fill(path: str, first: timedelta, last: timedelta, step: timedelta, resets_at: datetime = RESET) -> None:
    """Record growing numbers from so long ago until so long ago."""
    count = (first - last) // step
    stated = [
        window("seven_day", 50 * number / count, resets_at=resets_at, as_of=NOW - first + number * step)
        for number in range(count)
    ]
    history.record(path, "ada", stated, NOW - last)


def let_days_pass(path: str, first: int) -> None:
    """Record another account's numbers once a day, as days are what thinning goes by."""
    for days in range(first, -1, -1):
        history.record(path, "bob", [window("seven_day", 1.0)], NOW - timedelta(days=days))


def test_an_hour_keeps_one_sample_after_a_month(path: str) -> None:
    fill(path, timedelta(days=32), timedelta(days=31), timedelta(minutes=5))
    fill(path, timedelta(days=2), timedelta(days=1), timedelta(minutes=5))
    let_days_pass(path, 30)
    keep(path, 60.0)
    ages = [age for age, _ in kept(path)]
    assert len([age for age in ages if age > timedelta(days=30)]) in (24, 25)
    assert len([age for age in ages if timedelta(0) < age < timedelta(days=30)]) == 24 * 12


def test_a_day_keeps_one_sample_after_a_year(path: str) -> None:
    fill(path, timedelta(days=380), timedelta(days=370), timedelta(minutes=30))
    let_days_pass(path, 369)
    keep(path, 60.0)
    assert len([age for age, _ in kept(path) if age > timedelta(days=365)]) in (10, 11)


def test_thinning_keeps_the_last_of_an_hour_and_each_window_of_its_own(path: str) -> None:
    base = NOW.replace(minute=0, second=0, microsecond=0) - timedelta(days=40)
    ends = base + timedelta(minutes=30)
    for minute, used, reset in ((1, 90.0, ends), (20, 95.0, ends), (40, 1.0, RESET), (55, 3.0, RESET)):
        keep(path, used, as_of=base + timedelta(minutes=minute), now=base + HOUR, resets_at=reset)
    let_days_pass(path, 39)
    keep(path, 60.0)
    assert [used for _, used in kept(path)] == [95.0, 3.0, 60.0]


def test_a_clock_that_is_wrong_for_a_while_takes_nothing_away(path: str) -> None:
    fill(path, timedelta(days=7), timedelta(days=0), timedelta(minutes=5))
    before = kept(path)
    assert len(before) > 2000
    for jump in (timedelta(days=730), timedelta(0), timedelta(days=-3000), timedelta(days=9000), timedelta(0)):
        history.record(path, "ada", [window("seven_day", 1.0, as_of=NOW + jump)], NOW + jump)
    shown = kept(path)
    # What was recorded ahead of now is no newest number.
    assert [age for age, _ in shown if age < timedelta(0)] == []
    assert set(before) <= {*shown, *before[:1]}
    assert {age for age, _ in before} - {age for age, _ in shown} == set()


def test_many_processes_write_at_once(path: str) -> None:
    script = """
import sys
from datetime import timedelta
sys.path.insert(0, sys.argv[3])
from tests.support.readonly import read_only
from tests.support.samples import NOW, window
from ullage.store import history
from ullage.system import database
# Six that write all the time: on a busy machine one of them may wait for long.
database._BUSY_SECONDS = 90
writer = int(sys.argv[2])
for number in range(25):
    at = NOW - timedelta(minutes=number, seconds=writer)
    assert history.record(sys.argv[1], "ada", [window("seven_day", float(25 - number), as_of=at)], NOW) is None
"""
    writers = [
        subprocess.Popen([PYTHON, "-c", script, path, str(number), str(REPOSITORY)], stderr=subprocess.PIPE, text=True)
        for number in range(6)
    ]
    ended = [(writer.wait(timeout=180), writer.stderr.read() if writer.stderr else "") for writer in writers]
    for writer in writers:
        assert writer.stderr is not None
        writer.stderr.close()
    assert ended == [(0, "")] * 6
    minutes = {age // timedelta(minutes=1) for age, _ in kept(path)}
    assert minutes == set(range(25))
    with opened(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def garbage(path: str) -> None:
    Path(path).write_bytes(b"this is no database" * 100)


def torn_page(path: str) -> None:
    """Keep the header and overwrite what follows it."""
    data = bytearray(Path(path).read_bytes())
    data[200:] = b"\xff" * (len(data) - 200)
    Path(path).write_bytes(data)


def truncated(path: str) -> None:
    data = Path(path).read_bytes()
    Path(path).write_bytes(data[: len(data) // 2])


@pytest.mark.parametrize("damage", [garbage, torn_page, truncated])
def test_a_damaged_file_is_set_aside_and_a_new_one_begun(path: str, damage: object) -> None:
    for hours in range(200, 0, -1):
        keep(path, hours / 10, ago=hours * HOUR)
    with opened(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    assert callable(damage)
    damage(path)
    before = Path(path).read_bytes()
    history.record(path, "ada", [window("seven_day", 42.0)], NOW)
    notice = history.take_notice(path)
    [aside] = history.list_damaged_files(path)
    assert notice is not None
    assert path in notice
    assert aside in notice
    assert (Path(path).parent / aside).read_bytes() == before
    assert [used for _, used in kept(path)] == [42.0]
    history.record(path, "ada", [window("seven_day", 43.0)], NOW)
    assert history.take_notice(path) is None


def test_an_empty_file_is_a_new_one(path: str) -> None:
    os.makedirs(os.path.dirname(path))
    Path(path).touch()
    keep(path, 5.0)
    assert len(kept(path)) == 1


def test_reading_a_damaged_file_sets_it_aside_and_the_next_record_tells(path: str) -> None:
    os.makedirs(os.path.dirname(path), mode=0o700)
    garbage(path)
    before = Path(path).read_bytes()
    with pytest.raises(HistoryError, match="was damaged"):
        history.load_samples(path, "ada", LONG_AGO, NOW)
    [aside] = history.list_damaged_files(path)
    assert (Path(path).parent / aside).read_bytes() == before
    assert history.load_samples(path, "ada", LONG_AGO, NOW) == {}
    history.record(path, "ada", [window("seven_day", 42.0)], NOW)
    notice = history.take_notice(path)
    assert notice is not None
    assert aside in notice
    history.record(path, "ada", [window("seven_day", 43.0)], NOW)
    assert history.take_notice(path) is None


@pytest.mark.posix(reason="a directory that nothing can be written in")
@pytest.mark.process
@pytest.mark.parametrize("way", ["alone", "while a writer is there"])
def test_a_history_is_read_where_nothing_can_be_written(path: str, way: str) -> None:
    keep(path, 5.0, ago=HOUR)
    with contextlib.ExitStack() as stack:
        if way != "alone":
            # Its last write is still in the file beside.
            writer = stack.enter_context(database.open_database(path, history.MIGRATIONS))
            writer.execute("PRAGMA wal_autocheckpoint = 0")
        keep(path, 6.0)
        stack.enter_context(read_only(Path(path).parent))
        assert [used for _, used in kept(path)] == [5.0, 6.0]
        assert history.count_samples(path) == 2


def test_only_a_damaged_file_is_said_to_be_set_aside(path: str) -> None:
    keep(path, 5.0)
    with database.open_database(path, history.MIGRATIONS) as connection:
        connection.execute("PRAGMA user_version = 900")
    with pytest.raises(HistoryError, match=r"written by a newer ullage \(version 900\)\. It stays as it is"):
        history.load_samples(path, "ada", LONG_AGO, NOW)
    garbage(path)
    with pytest.raises(HistoryError, match="sets it aside"):
        history.count_samples(path)


def test_a_look_changes_nothing_of_a_damaged_file(path: str) -> None:
    os.makedirs(os.path.dirname(path), mode=0o700)
    garbage(path)
    with pytest.raises(HistoryError, match="cannot be read"):
        history.count_samples(path)
    assert os.listdir(os.path.dirname(path)) == ["history.sqlite3"]


STRANGE_VALUES = {
    "a window's name that is no UTF-8": "UPDATE samples SET window = CAST(x'66ff' AS TEXT)",
    "a name that is a blob": "UPDATE samples SET window = x'0001'",
    "a percentage in words": "UPDATE samples SET used_percent = 'much'",
    "a percentage that is no UTF-8": "UPDATE samples SET used_percent = CAST(x'ff' AS TEXT)",
    "a percentage without end": "UPDATE samples SET used_percent = 9e999",
    "a percentage below nothing": "UPDATE samples SET used_percent = -5",
    "a time in words": "UPDATE samples SET at = 'now' WHERE at = (SELECT max(at) FROM samples)",
    "a time beyond the calendar": "UPDATE samples SET at = at, resets_at = 9000000000000000000",
    "a reset that is a blob": "UPDATE samples SET resets_at = x'ff'",
    "no table": "DROP TABLE samples",
    "no time of thinning": "DELETE FROM thinned",
    "a time of thinning in words": "UPDATE thinned SET at = 'never'",
}


@pytest.mark.parametrize("statement", STRANGE_VALUES.values(), ids=STRANGE_VALUES)
def test_whatever_a_row_holds_the_next_record_is_kept(path: str, statement: str) -> None:
    for hours in (3, 2, 1):
        keep(path, 10.0, ago=hours * HOUR)
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    connection.close()
    with contextlib.suppress(HistoryError):
        kept(path)
    later = NOW + timedelta(days=1, hours=1)
    history.record(path, "ada", [window("seven_day", 42.0, as_of=later)], later)
    assert history.load_samples(path, "ada", LONG_AGO, later)["seven_day"][-1].used_percent == 42.0
    # Set aside, if it was in the way, and not thrown away.
    assert len(history.list_damaged_files(path)) <= 1


def filled(path: str) -> bytes:
    """Write some pages, and return the file."""
    for name in ("five_hour", "seven_day", "seven_day_opus"):
        stated = [
            window(name, number / 2, resets_at=RESET, as_of=NOW - timedelta(minutes=5 * (100 - number)))
            for number in range(100)
        ]
        history.record(path, "ada", stated, NOW)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    return Path(path).read_bytes()


def test_no_damaged_byte_makes_a_history_unreadable_for_good(path: str) -> None:
    whole = filled(path)
    chances = random.Random(18)
    # Every byte of the head, and some of every page: its own head, where its cells begin, and their contents.
    places = [*range(16, 100), *range(100, 140)]
    for page in range(0, len(whole), 4096):
        places += [page + chances.randrange(0, 200) for _ in range(12)]
        places += [page + chances.randrange(4096) for _ in range(12)]
    newer = 0
    for place in places:
        data = bytearray(whole)
        data[place] ^= 1 << chances.randrange(8)
        Path(path).write_bytes(data)
        # At once, and when the day's check has been made.
        for step in (timedelta(minutes=1), timedelta(days=1, minutes=1)):
            later = NOW + step
            with contextlib.suppress(HistoryError):
                kept(path)
            try:
                history.record(path, "ada", [window("seven_day", 42.0, as_of=later)], later)
            except HistoryError as error:
                # One byte says which version wrote it.
                assert "newer ullage" in str(error), place
                newer += 1
                break
        else:
            assert history.load_samples(path, "ada", LONG_AGO, later)["seven_day"][-1].used_percent == 42.0, place
        for left in Path(path).parent.iterdir():
            left.unlink()
    assert newer <= 4


def test_a_file_of_a_newer_version_is_left_alone(path: str) -> None:
    keep(path, 5.0)
    with opened(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(HistoryError, match="newer ullage"):
        history.record(path, "ada", [window("seven_day", 6.0)], NOW)
    assert history.list_damaged_files(path) == []


def test_a_file_of_an_older_version_is_brought_up(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(path, 5.0)
    monkeypatch.setattr(
        history, "MIGRATIONS", (*history.MIGRATIONS, "ALTER TABLE samples ADD COLUMN note TEXT; CREATE TABLE more (x)")
    )
    assert [used for _, used in kept(path)] == [5.0]
    with opened(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (3,)
        assert connection.execute("SELECT note FROM samples").fetchall() == [(None,)]
    connection.close()


def test_a_migration_that_fails_changes_nothing(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(path, 5.0)
    with monkeypatch.context() as patched:
        patched.setattr(history, "MIGRATIONS", (*history.MIGRATIONS, "CREATE TABLE more (x); CREATE NONSENSE"))
        with pytest.raises(HistoryError):
            history.record(path, "ada", [window("seven_day", 6.0)], NOW)
    keep(path, 7.0, ago=-timedelta(seconds=1))
    assert [used for _, used in kept(path)] == [5.0, 7.0]


def test_a_directory_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(HistoryError, match="ULLAGE_STATE_DIR"):
        history.record(str(tmp_path / "state" / "history.sqlite3"), "ada", [window()], NOW)


def test_a_database_that_is_locked_for_long_is_explained(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(path, 5.0)
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0.05)
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(HistoryError, match="locked"):
            history.record(path, "ada", [window("seven_day", 6.0)], NOW)
        assert len(kept(path)) == 1
    finally:
        blocker.close()
    assert history.list_damaged_files(path) == []


@pytest.mark.posix(reason="permissions")
@pytest.mark.parametrize("what", ["directory", "file"])
def test_what_others_can_write_is_neither_read_nor_written(path: str, what: str) -> None:
    keep(path, 10.0)
    os.chmod(os.path.dirname(path) if what == "directory" else path, 0o777)
    for use in (kept, history.count_samples, lambda path: keep(path, 20.0)):
        with pytest.raises(HistoryError, match="is not yours alone to write"):
            use(path)


def test_the_first_owner_that_is_known_takes_over_what_was_kept_before(path: str) -> None:
    keep(path, 20.0, ago=timedelta(hours=2))
    for owner in ("ada home", "ada team"):
        history.record(path, owner, [window("seven_day", 30.0)], NOW, ("ada", "ada@home"))
    assert kept(path) == []
    assert [used for _, used in kept(path, "ada home")] == [20.0, 30.0]
    assert [used for _, used in kept(path, "ada team")] == [30.0]

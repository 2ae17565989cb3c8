"""SQLite files of our own, wherever they lie."""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING

import pytest

from ullage.system import database

if TYPE_CHECKING:
    from pathlib import Path


NO_NAME_ON_WINDOWS = pytest.mark.posix(reason="a question mark in a name")


@pytest.mark.parametrize(
    "name", ["plain", pytest.param("a ?mode=rwc", marks=NO_NAME_ON_WINDOWS), "100%", "%41", "#1", "ä&b=c"]
)
def test_any_path_can_be_read(tmp_path: Path, name: str) -> None:
    path = str(tmp_path / name)
    database.create_private(path)
    with database.open_database(path, ("CREATE TABLE things (thing)", "INSERT INTO things VALUES (7)")):
        pass
    with database.open_read_only(path) as connection:
        assert connection.execute("SELECT thing FROM things").fetchall() == [(7,)]


def test_a_new_file_waits_for_whoever_is_making_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(tmp_path / "new")
    database.create_private(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr(time, "sleep", lambda _seconds: other.execute("COMMIT"))
    with database.open_database(path, ("CREATE TABLE things (thing)",)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    other.close()


def test_a_file_that_another_keeps_is_said_to_be_locked(tmp_path: Path) -> None:
    path = str(tmp_path / "kept")
    database.create_private(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with (
        pytest.raises(sqlite3.OperationalError, match="locked"),
        database.open_database(path, ("CREATE TABLE things (thing)",), 0.05),
    ):
        pass
    other.close()

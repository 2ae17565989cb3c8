"""SQLite files of our own, wherever they lie."""

from __future__ import annotations

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

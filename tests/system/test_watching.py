"""Changes of a cache are told by the system, at once, and only those that a reader would see."""

from __future__ import annotations

import queue
import sys
from typing import TYPE_CHECKING

import pytest

from ullage.base.errors import CacheError
from ullage.system.files import write_atomically
from ullage.system.watching import watch

if TYPE_CHECKING:
    from pathlib import Path


def is_wine() -> bool:
    if sys.platform != "win32":
        return False
    import ctypes

    return hasattr(ctypes.WinDLL("ntdll"), "wine_get_version")


def test_a_replaced_and_a_removed_file_are_told(tmp_path: Path) -> None:
    told: queue.Queue[None] = queue.Queue()
    with watch(str(tmp_path), lambda: told.put(None)):
        write_atomically(str(tmp_path / "schedule.json"), b"{}")
        told.get(timeout=90)
        (tmp_path / "schedule.json").unlink()
        told.get(timeout=90)


def test_locks_and_unfinished_files_wake_nobody(tmp_path: Path) -> None:
    told: queue.Queue[str] = queue.Queue()
    with watch(str(tmp_path), lambda: told.put("told")):
        (tmp_path / "refresh.lock").write_bytes(b"")
        (tmp_path / "refresh.lock").unlink()
        (tmp_path / "schedule.json.1.new").write_bytes(b"{}")
        (tmp_path / "schedule.json.1.new").unlink()
        write_atomically(str(tmp_path / "schedule.json"), b"{}")
        told.get(timeout=90)
    # What came before the replacement would have been told before it.
    assert told.empty()


@pytest.mark.skipif(is_wine(), reason="Wine reports no change in a directory below")
def test_a_profile_below_is_seen_where_that_is_wanted(tmp_path: Path) -> None:
    told: queue.Queue[None] = queue.Queue()
    below = tmp_path / "profiles" / "work"
    below.mkdir(parents=True)
    with watch(str(tmp_path), lambda: told.put(None), recursive=True):
        write_atomically(str(below / "reading.oauth.json"), b"{}")
        told.get(timeout=90)


def test_a_directory_that_is_not_there_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(CacheError, match="Cannot watch"), watch(str(tmp_path / "nothing"), lambda: None):
        pass

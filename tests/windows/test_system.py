"""What Windows does otherwise: files that others hold open, programs with children, windows that must not show."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from tests.support.tools import wait_until
from ullage.base.errors import CacheError
from ullage.system import files, programs

assert sys.platform == "win32"


from ullage.system import windows  # noqa: E402

pytestmark = pytest.mark.windows

if TYPE_CHECKING:
    from pathlib import Path

    from tests.windows.conftest import Desk

REPLACEMENTS = 300
# Reads a hundred times a second until it is told to stop, and says how often it has seen nothing.
READER = """
import os, sys, time
from ullage.system import files, windows
windows.PATIENCE_SECONDS = 60
path, stop = sys.argv[1:]
empty = seen = 0
while not os.path.exists(stop):
    data = files.read_regular(path)
    seen += 1
    empty += data is None or len(set(data.split())) != 1
    time.sleep(0.01)
print(empty, seen)
"""


@pytest.fixture
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine a reader may be put aside for longer than half a second while it has the file open."""
    monkeypatch.setattr(windows, "PATIENCE_SECONDS", 60)


@pytest.mark.usefixtures("_patient")
def test_two_readers_that_poll_lose_no_replacement_and_see_no_gap(tmp_path: Path) -> None:
    path, stop = tmp_path / "fish.timeline", tmp_path / "stop"
    files.write_derived([str(path)], b"0 " * 2000)
    command = [sys.executable, "-c", READER, str(path), str(stop)]
    readers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        for number in range(1, REPLACEMENTS + 1):
            files.write_derived([str(path)], f"{number} ".encode() * 2000)
            assert path.read_bytes().split()[0] == str(number).encode()
    finally:
        stop.touch()
    for reader in readers:
        empty, seen = map(int, reader.communicate(timeout=60)[0].split())
        assert (empty, seen > 0) == (0, True)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["fish.timeline", "stop"]


@pytest.mark.usefixtures("_patient")
def test_a_file_that_another_holds_is_replaced_once_that_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "held"
    path.write_bytes(b"old")
    held = path.open("rb")
    threading.Timer(0.1, held.close).start()
    files.write_atomically(str(path), b"new")
    assert path.read_bytes() == b"new"


def test_one_file_that_stays_held_leaves_no_other_old(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a", "b", "c")]
    for path in paths:
        path.write_bytes(b"old")
    with paths[0].open("rb"), pytest.raises(CacheError, match="a: "):
        files.write_derived([str(path) for path in paths], b"new")
    assert [path.read_bytes() for path in paths] == [b"old", b"new", b"new"]


def test_a_cmd_is_ended_with_its_children(desk: Desk) -> None:
    note = desk.directory / "child"
    code = f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    script = desk.put_script("slow", f'"{sys.executable}" -c "{code}"')

    def run() -> None:
        with pytest.raises(programs.ProgramLateError):
            programs.run_program([str(script)], desk.environ, seconds=20)

    waiting = threading.Thread(target=run)
    waiting.start()
    wait_until(lambda: note.exists() and note.read_text(), what="the child's note")
    child = int(note.read_text())
    assert windows.is_running(child)
    waiting.join(60)
    wait_until(lambda: not windows.is_running(child), what="the child's end")

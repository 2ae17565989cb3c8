"""State files that hold anything: the reading is shown or asked for anew, and no command ends in a traceback."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ullage import cli, refresh

if TYPE_CHECKING:
    from collections.abc import Callable

    from ullage.simulate import Simulator

    Simulate = Callable[..., Simulator]

DAMAGES = {
    "nothing": b"",
    "no UTF-8": b"\xff\xfe\x00\x80",
    "NULs": bytes(4096),
    "a list": b"[]",
    "another object": b'{"windows": 7, "schema": "x", "account": [], "as_of": 1e400}',
    "a nest": b"[" * 50_000,
    "a number without end": b'{"as_of": ' + b"9" * 6000 + b"}",
}


def keys_renamed(value: object) -> object:
    """Return the same document with each value of another type."""
    if isinstance(value, dict):
        return {name: keys_renamed(each) for name, each in value.items()}
    if isinstance(value, list):
        return {"0": [keys_renamed(each) for each in value]}
    return [value] if isinstance(value, str) else f"{value}\udcff"


def damages(data: bytes) -> dict[str, bytes]:
    torn = {"half of it": data[: len(data) // 2], "a flipped bit": data[:20] + bytes([data[20] ^ 0x40]) + data[21:]}
    try:
        other = {"values of other types": json.dumps(keys_renamed(json.loads(data))).encode()}
    except ValueError:
        other = {}
    return {**DAMAGES, **torn, **other}


@pytest.fixture
def known(environ: dict[str, str], simulate: Simulate, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    simulate("busy-day")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert refresh.refresh(environ).result == "refreshed"
    return environ


def state_files(environ: dict[str, str]) -> list[Path]:
    roots = [Path(environ[name]) for name in ("ULLAGE_CACHE_DIR", "ULLAGE_STATE_DIR") if name in environ]
    files = [path for root in roots for path in root.rglob("*") if path.is_file() and path.stat().st_size > 20]
    # The readers of timelines have tests of their own; each of these files is one of a kind.
    return [path for path in files if path.suffix not in (".timeline", ".lock") and "sqlite3" not in path.name]


def test_whatever_a_state_file_holds_every_command_answers(
    known: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    files = state_files(known)
    assert {path.name for path in files} >= {"schedule.json"}
    tried = 0
    for path in files:
        before = path.read_bytes()
        for kind, data in damages(before).items():
            path.write_bytes(data)
            for command in (["usage", "--json"], ["usage"], ["guard"], ["metrics"], ["alerts"]):
                status = cli.run(command)
                said = capsys.readouterr()
                assert status in (0, 3, 4, 5), (path.name, kind, command)
                assert "Traceback" not in said.err, (path.name, kind, command)
                tried += 1
            assert refresh.refresh(known).result in ("refreshed", "not_due", "held", "failed"), (path.name, kind)
            path.write_bytes(before)
    assert tried > 100


@pytest.mark.process
@pytest.mark.parametrize("kind", ["fifo", "directory", "dead link", "device"])
def test_what_is_no_regular_file_holds_nobody_up(
    kind: str, known: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    files = [*state_files(known), Path(known["ULLAGE_STATE_DIR"], "history.sqlite3")]
    for path in files:
        before = path.read_bytes()
        path.unlink()
        if kind == "fifo":
            os.mkfifo(path)
        elif kind == "directory":
            path.mkdir()
        else:
            path.symlink_to("nowhere" if kind == "dead link" else "/dev/zero")
        commands = [["usage"], ["guard"], ["history"], ["history", "--json"], ["chart"]]
        # It measures for a second.
        for command in [*commands, *([["doctor"]] if path.name == "history.sqlite3" else [])]:
            assert cli.run(command) in (0, 2, 3, 4, 5), (path.name, command)
            assert "Traceback" not in capsys.readouterr().err
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        path.write_bytes(before)
        path.chmod(0o600)

"""`ullage setup claude-code`: into settings.json, and back to the last byte."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from tests.support.tools import run, ullage


def settings_path(environ: dict[str, str]) -> Path:
    return Path(environ.get("CLAUDE_CONFIG_DIR") or Path(environ["HOME"], ".claude"), "settings.json")


@pytest.mark.parametrize("own_profile", [False, True])
@pytest.mark.parametrize("before", [None, "", "\n", '{\n  "model": "opus"\n}\n', '{"hooks":{}}', "{\r\n}\r\n"])
def test_in_and_out(environ: dict[str, str], tmp_path: Path, before: str | None, own_profile: bool) -> None:
    if own_profile:
        environ["CLAUDE_CONFIG_DIR"] = str(tmp_path / "work")
    path = settings_path(environ)
    if before is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(before.encode())
    done = ullage("setup", "claude-code", "--yes", environ=environ)
    assert (done.returncode, done.stderr) == (0, "")
    assert '"ullage statusline"' in done.stdout
    assert json.loads(path.read_text())["statusLine"] == {
        "type": "command",
        "command": "ullage statusline",
        "refreshInterval": 60,
    }
    again = ullage("setup", "claude-code", "--yes", environ=environ)
    assert "nothing to add" in again.stdout
    undone = ullage("setup", "claude-code", "--undo", "--yes", environ=environ)
    assert (undone.returncode, undone.stderr) == (0, "")
    assert (path.read_bytes().decode() if path.exists() else None) == before
    assert "nothing to undo" in ullage("setup", "claude-code", "--undo", "--yes", environ=environ).stdout


@pytest.mark.parametrize("interval", [None, 5, 60])
def test_the_line_that_was_there_runs_on_and_keeps_its_interval(environ: dict[str, str], interval: int | None) -> None:
    path = settings_path(environ)
    path.parent.mkdir()
    own = {"type": "command", "command": "printf '%s' \"it's mine\"", "padding": 0}
    own |= {} if interval is None else {"refreshInterval": interval}
    before = json.dumps({"statusLine": own}, indent=4)
    path.write_text(before)
    done = ullage("setup", "claude-code", "--yes", environ=environ)
    assert "Your own status line stays" in done.stdout
    after = json.loads(path.read_text())["statusLine"]
    command = after["command"]
    assert after["refreshInterval"] == (interval or 60)
    assert "nothing to add" in ullage("setup", "claude-code", "--yes", environ=environ).stdout
    assert shlex.split(command)[:2] == ["ullage", "statusline"]
    stated = json.dumps({"model": {"display_name": "Test"}})
    assert run(["sh", "-c", command], environ, input=stated).stdout == "it's mine  Test\n"
    ullage("setup", "claude-code", "--undo", "--yes", environ=environ)
    assert path.read_text() == before


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff\xfe{\x00}\x00", b"\xff{}", b'{"statusLine": 3}'])
def test_what_cannot_be_understood_stays(environ: dict[str, str], content: bytes) -> None:
    path = settings_path(environ)
    path.parent.mkdir()
    path.write_bytes(content)
    done = ullage("setup", "claude-code", "--yes", environ=environ)
    assert done.returncode == 2
    assert "settings" in done.stderr
    assert path.read_bytes() == content
    assert [found.name for found in path.parent.iterdir()] == ["settings.json"]


def test_without_a_word_nothing_is_written(environ: dict[str, str]) -> None:
    done = ullage("setup", "claude-code", environ=environ)
    assert done.returncode == 2
    assert not settings_path(environ).parent.exists()


def test_a_file_of_which_there_is_a_backup_is_not_removed(environ: dict[str, str]) -> None:
    path = settings_path(environ)
    for options in ([], ["--guard"], ["--undo"], ["--guard", "--undo"]):
        assert ullage("setup", "claude-code", *options, "--yes", environ=environ).returncode == 0
    assert json.loads(path.read_text()) == {}

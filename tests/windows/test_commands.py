"""The commands on Windows, end to end: `ullage.exe` against the simulated account."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.tools import SCRIPTS, wait_until

pytestmark = pytest.mark.windows

if TYPE_CHECKING:
    from pathlib import Path

    from tests.windows.conftest import Desk

STATUS = {"session_id": "s", "model": {"display_name": "Fable"}, "rate_limits": {"five_hour": {"used_percentage": 61}}}
# The command, its exit code, and what it prints.
COMMANDS: dict[str, tuple[list[str], int, str]] = {
    "help": (["--help"], 0, "ullage guard"),
    "usage": (["usage", "--no-refresh"], 0, "Session 5h"),
    "prompt": (["prompt"], 0, "82%"),
    "prompt in colours": (["prompt", "--surface", "fish"], 0, "\033["),
    "panel": (["panel", "plain"], 0, "82%"),
    "panel as JSON": (["panel", "waybar"], 0, '"text"'),
    "guard": (["guard", "--max", "99"], 0, ""),
    "guard at its limit": (["guard", "--max", "1"], 1, ""),
    "guard and a command": (["guard", "--", sys.executable, "-c", "print('ran'); raise SystemExit(7)"], 7, "ran"),
    "history": (["history"], 0, "opus"),
    "history of a long time": (["history", "--since", "1969-01-01"], 0, "opus"),
    "tokens": (["tokens"], 3, ""),
    "chart": (["chart"], 0, "82"),
    "sources": (["sources"], 0, "claude-cli"),
    "config": (["config"], 0, ""),
    "metrics": (["metrics"], 0, "ullage_"),
    "schema": (["schema", "usage"], 0, "$defs"),
    "init bash": (["init", "bash"], 0, "__ullage_program="),
    "init pwsh": (["init", "pwsh"], 0, "$__ullage_program = "),
    "a wrong command": (["usag"], 2, ""),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_does_what_it_does_elsewhere(known: Desk, name: str) -> None:
    arguments, status, words = COMMANDS[name]
    done = known.run(*arguments)
    assert (done.returncode, "Traceback" in done.stderr) == (status, False), done.stderr
    assert words in done.stdout
    assert "\r" not in done.stdout


def test_json_is_utf_8(known: Desk) -> None:
    document = json.loads(known.run("usage", "--json").stdout)
    assert {window["id"] for window in document["windows"]} >= {"five_hour", "seven_day"}


def test_a_bar_is_drawn_whatever_the_code_page(known: Desk) -> None:
    assert "━" in known.run("usage", "--no-refresh").stdout


def test_status_line_reads_what_claude_code_says(known: Desk) -> None:
    done = known.run("statusline", given=json.dumps(STATUS))
    assert (done.returncode, done.stderr) == (0, "")
    assert "%" in done.stdout


@pytest.mark.parametrize("by", ["CLAUDE_CODE_GIT_BASH_PATH", "PATH"])
def test_status_line_runs_the_users_own_as_claude_code_does(known: Desk, tmp_path: Path, by: str) -> None:
    """By Git Bash, which its own variable names or which lies beside git, and with the status on stdin."""
    shell = tmp_path / "Git" / "bin" / "bash.exe"
    shell.parent.mkdir(parents=True)
    # The launcher of a Python script, which is a program for Windows as any other.
    launcher = (SCRIPTS / "ullage.exe").read_bytes()
    script = "import sys; print('theirs', sys.argv[1:], len(sys.stdin.read()))"
    shell.write_bytes(_with_script(launcher, script))
    git = tmp_path / "Git" / "cmd" / "git.exe"
    git.parent.mkdir()
    git.touch()
    changes = {by: str(shell) if by != "PATH" else f"{git.parent};{known.environ['PATH']}"}
    payload = json.dumps(STATUS)
    done = known.run("statusline", "--then", "echo $HOME | cat", given=payload, **changes)
    assert f"theirs ['-c', 'echo $HOME | cat'] {len(payload)}" in done.stdout, (done.stdout, done.stderr)
    assert "%" in done.stdout


def _with_script(launcher: bytes, script: str) -> bytes:
    import io
    import zipfile

    head = launcher[: launcher.rindex(b"PK\3\4")]
    head = head[: head.rindex(b"#!")] + f"#!{sys.executable}\n".encode()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("__main__.py", script)
    return head + archive.getvalue()


def test_doctor_gives_no_advice_of_unix(known: Desk) -> None:
    done = known.run("doctor")
    assert done.returncode == 0, done.stdout
    assert "chmod" not in done.stdout
    assert "zsh" not in done.stdout


SETUPS = {
    "bash": "zoë/.bashrc",
    "nushell": "zoë/AppData/Roaming/nushell/autoload/ullage.nu",
    "elvish": "zoë/AppData/Roaming/elvish/rc.elv",
    "xonsh": "zoë/.xonshrc",
}


@pytest.mark.parametrize("host", SETUPS)
def test_setup_finds_the_file_of_a_shell_and_undoes_its_change(known: Desk, host: str) -> None:
    file = known.directory / SETUPS[host]
    file.parent.mkdir(parents=True, exist_ok=True)
    assert known.run("setup", host, "--yes").returncode == 0
    # nushell's strings double every backslash.
    assert str(SCRIPTS / "ullage.exe") in file.read_text("utf-8").replace("\\\\", "\\")
    assert known.run("setup", host, "--yes", "--undo").returncode == 0
    assert not file.exists() or file.read_bytes() == b""


def test_setup_puts_the_hook_into_the_profile_of_powershell(known: Desk) -> None:
    done = known.run("setup", "pwsh", "--yes")
    assert done.returncode == 0, done.stderr
    try:
        assert "PowerShell_profile.ps1" in done.stdout
        assert "$__ullage_program = " in done.stdout
    finally:
        assert known.run("setup", "pwsh", "--yes", "--undo").returncode == 0


def test_claude_is_asked_through_its_cmd(desk: Desk) -> None:
    done = desk.run("refresh")
    assert (done.stdout, done.stderr) == ("Refreshed.\n", "")
    assert json.loads(desk.run("usage", "--json").stdout)["source"] == "claude-cli"


def test_a_key_comes_from_a_command(desk: Desk) -> None:
    key = desk.put_script("my-key", "echo sk-ant-sid01-abc")
    lines = ['source = "web"', "[web]", f"session_key_command = ['{key}']", ""]
    (desk.directory / "config.toml").write_text("\n".join(lines), "utf-8")
    done = desk.run("refresh", ULLAGE_SOURCE="web")
    assert "could not be started" not in done.stderr + done.stdout
    assert desk.run("usage", "--json", ULLAGE_SOURCE="web").stdout


def test_demo_shows_every_surface(known: Desk) -> None:
    done = known.run("demo", "--bytes")
    assert (done.returncode, done.stderr) == (0, "")
    assert "tmux" in done.stdout
    assert (
        "Requests that the server has seen: 2" in done.stdout or "Requests that the server has seen: 1" in done.stdout
    )


def test_a_follower_shows_what_changes_and_takes_requests(desk: Desk) -> None:
    follower = subprocess.Popen(
        [str(SCRIPTS / "ullage.exe"), "panel", "json", "--follow"],
        env=desk.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert follower.stdin is not None and follower.stdout is not None
        follower.stdout.readline()
        desk.run("refresh")
        text = follower.stdout.readline().decode()
        assert json.loads(text)["text"]
    finally:
        follower.kill()
        follower.communicate()


def test_a_first_prompt_starts_the_refresh_that_the_next_one_shows(desk: Desk) -> None:
    assert desk.run("prompt").stdout == ""
    wait_until(lambda: "%" in desk.run("prompt").stdout, what="a prompt with a number")

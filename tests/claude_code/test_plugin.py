"""The plugin for Claude Code: what it declares, and what its hooks do with an installed ullage and without one."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.test_guard import state
from tests.support.tools import REPOSITORY, SCRIPTS, ULLAGE, need, run
from ullage import __version__
from ullage.claude_code.answers import EVENTS
from ullage.cli.listing import COMMANDS
from ullage.setup import hook_settings

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping

PLUGIN = REPOSITORY / "claude-plugin"
SCRIPT = PLUGIN / "ullage.sh"
MANIFEST = json.loads((PLUGIN / ".claude-plugin" / "plugin.json").read_text("utf-8"))
HOOKS = json.loads((PLUGIN / "hooks" / "hooks.json").read_text("utf-8"))["hooks"]
PROMPT = {"hook_event_name": "UserPromptSubmit", "session_id": "s1", "prompt": "hi"}


def test_the_marketplace_names_the_plugin_and_its_version_is_ours() -> None:
    marketplace = json.loads((REPOSITORY / ".claude-plugin" / "marketplace.json").read_text("utf-8"))
    [listed] = marketplace["plugins"]
    assert (REPOSITORY / listed["source"]).resolve() == PLUGIN
    assert listed["name"] == MANIFEST["name"] == "ullage"
    assert MANIFEST["version"] == __version__


def test_its_hooks_are_those_that_setup_writes() -> None:
    written = hook_settings.build_entries()
    assert HOOKS.keys() == {"SessionStart", *EVENTS}
    for name, [group] in written.items():
        [own] = HOOKS[name]
        assert own.get("matcher") == group.get("matcher")
        assert own["hooks"][0] == {**group["hooks"][0], "command": 'sh "${CLAUDE_PLUGIN_ROOT}/ullage.sh" hook'}


def test_the_script_reads_what_the_manifest_asks_for() -> None:
    read = set(re.findall(r"CLAUDE_PLUGIN_OPTION_(\w+)", SCRIPT.read_text("utf-8")))
    assert read == {name.upper() for name in MANIFEST["userConfig"]}
    assert MANIFEST["userConfig"]["tell_room"]["default"] == ""


@pytest.mark.parametrize("path", sorted((PLUGIN / "commands").iterdir()), ids=lambda path: path.stem)
def test_a_command_runs_what_it_is_allowed_to_and_nothing_else(path: Path) -> None:
    text = path.read_text("utf-8")
    allowed = re.search(r"^allowed-tools: (.*)$", text, re.MULTILINE)
    assert allowed
    ran = [line.split(" || ")[0].partition(" </dev/null")[0] for line in re.findall(r"^!`(.*)`$", text, re.MULTILINE)]
    assert {f"Bash({command.removesuffix(' >/dev/null')})" for command in ran} < {*allowed[1].split(", ")}
    assert set(re.findall(r"[`(]ullage ([a-z]+)", text)) <= {*COMMANDS}


def hook(
    environ: Mapping[str, str], event: object = None, what: str = "hook", **options: str
) -> subprocess.CompletedProcess[str]:
    given = {f"CLAUDE_PLUGIN_OPTION_{name.upper()}": value for name, value in options.items()}
    return run([need("sh"), str(SCRIPT), what], {**environ, **given}, input=json.dumps(event or PROMPT))


def answer(done: subprocess.CompletedProcess[str]) -> Any:
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout or "null")


@pytest.fixture
def without_ullage(environ: dict[str, str], tmp_path: Path) -> dict[str, str]:
    directory = tmp_path / "bin"
    directory.mkdir()
    (directory / "sh").symlink_to(str(shutil.which("sh")))
    return {**environ, "PATH": str(directory)}


def test_without_ullage_the_start_of_a_session_says_how_to_install_it(without_ullage: dict[str, str]) -> None:
    assert "pipx install ." in answer(hook(without_ullage, what="look"))["systemMessage"]
    assert answer(hook(without_ullage)) is None


def test_ullage_is_found_where_pipx_puts_it(without_ullage: dict[str, str]) -> None:
    local = Path(without_ullage["HOME"], ".local", "bin")
    local.mkdir(parents=True)
    (local / "ullage").symlink_to(ULLAGE)
    state(without_ullage, used=97)
    assert answer(hook(without_ullage, what="look")) is None
    assert "97%" in answer(hook(without_ullage))["systemMessage"]


def test_it_warns_and_blocks_from_where_the_person_says(environ: dict[str, str]) -> None:
    state(environ)
    assert answer(hook(environ, what="look")) is None
    assert answer(hook(environ, warn="", block="")) is None
    assert answer(hook(environ, warn="90")) is None
    assert "85%" in answer(hook(environ, warn="7d=99 five_hour=80"))["systemMessage"]
    assert answer(hook(environ, block="5h=85"))["decision"] == "block"


@pytest.mark.parametrize("option", ["warn", "block", "tell_room"])
@pytest.mark.parametrize("hostile", ["$(touch pwned)", "`touch pwned`", "; touch pwned", "*", "--fail-closed", "\n-\n"])
def test_an_option_is_never_code_and_a_wrong_one_never_blocks(
    option: str, hostile: str, environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    state(environ)
    done = hook(environ, **{option: hostile})
    assert done.returncode == 1
    assert done.stdout == ""
    assert not Path("pwned").exists()


@pytest.mark.parametrize("place", [".claude", "work"])
def test_the_hooks_of_settings_json_act_in_its_place(place: str, environ: dict[str, str]) -> None:
    state(environ)
    if place == "work":
        environ["CLAUDE_CONFIG_DIR"] = str(Path(environ["HOME"], "work"))
        state(environ)
    assert answer(hook(environ, block="5h=85"))["decision"] == "block"
    done = run([ULLAGE, "setup", "claude-code", "--guard", "--warn", "5h=80", "--yes"], environ)
    assert done.returncode == 0
    assert answer(hook(environ, block="5h=85")) is None
    settings = json.loads(Path(environ["HOME"], place, "settings.json").read_text())
    [command] = {group["hooks"][0]["command"] for [group] in settings["hooks"].values()}
    said = run([need("sh"), "-c", command], environ, input=json.dumps(PROMPT))
    assert "85%" in json.loads(said.stdout)["systemMessage"]
    assert run([ULLAGE, "setup", "claude-code", "--guard", "--undo", "--yes"], environ).returncode == 0
    assert answer(hook(environ, block="5h=85"))["decision"] == "block"


@pytest.mark.parametrize(
    "settings",
    [
        "",
        "{",
        "[]",
        '{"hooks": 7}',
        '{"hooks": {"Stop": [{"hooks": [{"command": "echo ullage hook"}]}]}}',
        '{"hooks": {"Stop": [{"hooks": [{"command": "\'hook"}, 7]}, 8]}}',
        '{"hooks": {"Notification": [{"hooks": [{"command": "ullage hook"}]}]}}',
        '{"statusLine": {"type": "command", "command": "ullage statusline"}}',
    ],
)
def test_other_settings_leave_it_to_the_plugin(settings: str, environ: dict[str, str]) -> None:
    state(environ)
    directory = Path(environ["HOME"], ".claude")
    directory.mkdir()
    (directory / "settings.json").write_text(settings)
    assert answer(hook(environ, block="5h=85"))["decision"] == "block"


def context(done: subprocess.CompletedProcess[str]) -> str | None:
    said = answer(done)
    return said["hookSpecificOutput"]["additionalContext"] if said else None


def test_the_model_is_told_what_is_left_once_in_a_time_and_session(environ: dict[str, str]) -> None:
    state(environ, used=41.4)
    tool = {"hook_event_name": "PreToolUse", "session_id": "s1", "tool_name": "Bash", "tool_input": {}}
    assert context(hook(environ, tool, tell_room="30m")) is None
    told = context(hook(environ, tell_room="30m"))
    assert told is not None
    assert re.search(r"Of the user's Claude plan about 59 % of the session is left until \d\d:\d\d\. ", told)
    assert context(hook(environ, tell_room="30m")) is None
    assert context(hook(environ, {**PROMPT, "session_id": "s2"}, tell_room="30m")) == told
    # With a time that has passed since, again.
    path = next(Path(environ["ULLAGE_CACHE_DIR"]).rglob("hook.room"))
    old = re.sub(r"^\S+ s1$", "2020-01-01T00:00:00Z s1", path.read_text(), flags=re.MULTILINE)
    path.write_text(f"rubbish\n{old}")
    assert context(hook(environ, tell_room="30m")) == told
    assert context(hook(environ)) is None


def test_the_fullest_window_is_told_beside_the_session(environ: dict[str, str]) -> None:
    state(environ, used=12)
    told = context(hook(environ, tell_room="1s"))
    assert told is not None
    assert re.search(
        r"about 88 % of the session is left until \d\d:\d\d and about 59 % of the week is left until ", told
    )


@pytest.mark.parametrize("used", [None, 97])
def test_a_warning_goes_before_and_the_unknown_is_not_told(used: float | None, environ: dict[str, str]) -> None:
    state(environ, used=used, age=0 if used else 86400)
    told = context(hook(environ, tell_room="1s"))
    assert told is None if used is None else "running low" in str(told)


def test_nothing_of_it_is_found_on_the_path_of_a_project(environ: dict[str, str], tmp_path: Path) -> None:
    """A directory that strangers filled is where hooks run."""
    for name in ("ullage", "sh", "printf"):
        (tmp_path / name).write_text("#!/bin/sh\ntouch pwned\n")
        (tmp_path / name).chmod(0o755)
    command = ["env", "-C", str(tmp_path), need("sh"), str(SCRIPT), "look"]
    assert run(command, {**environ, "PATH": os.pathsep.join([str(SCRIPTS), "/usr/bin", "/bin"])}).returncode == 0
    assert not (tmp_path / "pwned").exists()


def test_an_empty_path_finds_nothing_in_a_project(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "ullage").write_text("#!/bin/sh\necho pwned\n")
    (tmp_path / "ullage").chmod(0o755)
    started = ["env", "-C", str(tmp_path), "PATH=", need("sh"), str(SCRIPT), "hook"]
    done = run(started, environ, input=json.dumps(PROMPT))
    assert (done.returncode, done.stdout) == (0, "")

"""The extension for VS Code, in node, with a stand-in for VS Code's own part."""

from __future__ import annotations

import json
import subprocess
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.bars import RED, know, stand_in_for_the_browser
from tests.support.tools import REPOSITORY, need, processes, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EXTENSION = REPOSITORY / "desktop" / "vscode"
STANDIN = REPOSITORY / "tests" / "support" / "standins" / "vscode.js"


class Editor:
    """A running extension: `shown` is all that its item was, and the menus that it opened."""

    def __init__(self, environ: dict[str, str], **settings: str) -> None:
        command = [need("node"), str(STANDIN), str(EXTENSION / "extension.js"), json.dumps(settings)]
        self.process = subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.shown: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.shown.append(json.loads(line))

    def shows(self, text: str) -> dict[str, Any]:
        def found() -> list[dict[str, Any]]:
            return [each for each in list(self.shown) if each.get("text") == text]

        wait_until(found, what=f"{text!r} among {self.shown}")
        return found()[-1]

    def run(self, command: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()

    def leave(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(90)
        self._reader.join()
        self.process.stdout.close()


@pytest.fixture
def editor(environ: dict[str, str], tmp_path: Path) -> Iterator[Editor]:
    stand_in_for_the_browser(environ, tmp_path)
    know(environ, 95.0, label="$(bell) <b>x</b>")
    running = Editor(environ)
    yield running
    running.leave()


def test_its_item_follows_the_cache(editor: Editor, environ: dict[str, str]) -> None:
    shown = editor.shows("5h 95%!!")
    assert (shown["shown"], shown["color"], shown["command"]) == (True, RED, "ullage.menu")
    assert shown["tooltip"].startswith("$(bell) <b>x</b>: 95%!!, resets ")
    know(environ, 100.0)
    shown = editor.shows(next(each["text"] for each in _later(editor, "5h 95%!!")))
    assert shown["backgroundColor"] == {"id": "statusBarItem.errorBackground"}
    assert "color" not in shown


def _later(editor: Editor, text: str) -> list[dict[str, Any]]:
    wait_until(lambda: editor.shown[-1]["text"] != text, what="another text")
    return editor.shown[-1:]


def test_its_menu_opens_the_usage_page(editor: Editor, tmp_path: Path) -> None:
    editor.shows("5h 95%!!")
    editor.run("ullage.menu")
    wait_until((tmp_path / "opened").exists, what="the usage page")
    [menu] = [each["entries"] for each in editor.shown if "entries" in each]
    assert [entry["label"] for entry in menu][:2] == ["$(bell) <b>x</b>", "Week (all models)"]
    assert [entry["label"] for entry in menu][-2:] == ["Refresh", "Open the usage page"]


def test_it_ends_with_the_editor(environ: dict[str, str]) -> None:
    know(environ, 30.0)
    editor = Editor(environ, window="7d", count="left")
    editor.shows("7d 95%")
    editor.leave()
    wait_until(lambda: processes(environ) == set(), what="the end of the follower")


def test_a_program_that_is_missing_is_said(environ: dict[str, str]) -> None:
    editor = Editor(environ, program="/nowhere/ullage")
    assert editor.shows("ullage?")["tooltip"] == "ullage is not installed. In a clone of it, run: pipx install ."
    editor.leave()


def test_what_the_manifest_names_is_there() -> None:
    manifest = json.loads((EXTENSION / "package.json").read_text())
    text = (EXTENSION / manifest["main"]).read_text()
    for command in manifest["contributes"]["commands"]:
        assert f"registerCommand('{command['command']}'" in text
    for name in manifest["contributes"]["configuration"]["properties"]:
        assert f"settings.get('{name.removeprefix('ullage.')}')" in text

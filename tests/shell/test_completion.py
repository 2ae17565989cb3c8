"""Tab in real shells on a terminal: ullage's own commands, options and values are completed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click
import pytest

from tests.support.shells import BASH, FISH, ZSH
from tests.support.tools import need, run, ullage
from ullage.cli.group import Commands, main
from ullage.cli.listing import WORDS
from ullage.guard.limits import find_named_window
from ullage.quota.model import Account
from ullage.sources import wire
from ullage.store.cache import ProfileCache

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.shells import Shell
    from ullage.simulate import Simulator

LOADS = {
    "bash": ['eval "$(ullage completion bash)"'],
    "zsh": ["autoload -Uz compinit", "compinit -D -u", 'eval "$(ullage completion zsh)"'],
    "fish": ["ullage completion fish | source"],
}


@pytest.mark.parametrize("shell", [BASH, ZSH, FISH], ids=lambda shell: shell.version)
def test_tab_completes(shell: Shell, environ: dict[str, str]) -> None:
    with shell.start(environ, [shell.prompt, *LOADS[shell.name]]) as terminal:
        terminal.wait_for_line("$")
        for typed, completed in (
            ("ullage pan\t", "$ ullage panel"),
            ("xmo\t", "$ ullage panel xmobar"),
            ("--fol\t", "$ ullage panel xmobar --follow"),
        ):
            terminal.send(typed)
            terminal.wait(lambda terminal, line=completed: terminal.line == line, completed)  # type: ignore[misc]


@pytest.mark.parametrize("shell", [BASH, ZSH, FISH], ids=lambda shell: shell.name)
def test_tab_completes_the_windows_that_are_known(
    shell: Shell, environ: dict[str, str], simulate: Callable[..., Simulator]
) -> None:
    simulate("busy-day")
    assert ullage("refresh", environ=environ).returncode == 0
    with shell.start(environ, [shell.prompt, *LOADS[shell.name]]) as terminal:
        terminal.wait_for_line("$")
        for typed, completed in (
            ("ullage wait fiv\t", "$ ullage wait five_hour"),
            ("--bel\t", "$ ullage wait five_hour --below"),
        ):
            terminal.send(typed)
            terminal.wait(lambda terminal, line=completed: terminal.line == line, completed)  # type: ignore[misc]


@pytest.mark.parametrize("shell", [BASH, ZSH, FISH], ids=lambda shell: shell.name)
@pytest.mark.parametrize(("model", "name"), [("Fable;touch x", "fable_touch_x"), ("Fable 5.1", "fable_5_1")])
def test_a_name_of_the_server_is_no_code_in_what_is_completed(
    model: str, name: str, shell: Shell, environ: dict[str, str]
) -> None:
    now = datetime.now(UTC)
    reset = now + timedelta(days=3)
    body = {
        "model_scoped": [{"display_name": model, "utilization": 12.0, "resets_at": reset.isoformat()}],
        "limits": [],
    }
    cache = ProfileCache(environ)
    cache.make_private()
    reading = wire.parse_usage(body, account=Account(), source="claude-cli", as_of=now)
    cache.save_reading(reading)
    assert find_named_window(name, reading.windows) == reading.windows[0]
    with shell.start(environ, [shell.prompt, *LOADS[shell.name]]) as terminal:
        terminal.wait_for_line("$")
        terminal.send("ullage wait fab\t")
        terminal.wait(lambda terminal: terminal.line == f"$ ullage wait {name}", name)


def test_descriptions_are_whole_in_fish(environ: dict[str, str]) -> None:
    need("fish")
    commas = {name: words for name, words in WORDS.items() if "," in words}
    assert commas
    script = "ullage completion fish | source; complete --do-complete 'ullage '"
    done = run([need("fish"), "--no-config", "-c", script], environ)
    for name, words in commas.items():
        assert f"{name}\t{words}" in done.stdout.splitlines()


def test_a_list_of_commands_imports_none_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Commands, "get_command", lambda *_: pytest.fail("a command was imported"))
    completed = main.shell_complete(click.Context(main), "")
    assert [(item.value, item.help) for item in completed] == [*WORDS.items()]

"""`ullage config check`: what is right by itself, and means nothing here."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.tools import ullage
from ullage.cli import run

if TYPE_CHECKING:
    from collections.abc import Callable

    from ullage.simulate import Simulator

pytestmark = pytest.mark.process


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[segment]\ntemplate = "{fabel}"\n', "asks for {fabel}, which no window here is called; did you mean fable?"),
        ('[segment.templates]\nfish = "{5h}[ {fabel.bar}]"\n', "segment.templates.fish asks for {fabel}"),
        ('[statusline]\ntemplate = "{model} {fabble}"\n', "did you mean fable?"),
        ('[segment]\ntemplate = "{fable} {5h} {top} {credits} {age}"\n', ""),
        # It may come back tomorrow.
        ('[segment]\ntemplate = "{another}"\n', ""),
        ("[severity]\nwarning_percent = 95\n", ":2: severity.warning_percent is 95, above critical_percent (90)"),
        ("[severity]\nwarning_percent = 95\ncritical_percent = 96\n", ""),
        (
            "[age]\nstale_after_minutes = 400\n",
            ":2: age.stale_after_minutes is 400, above expire_after_minutes (360): none would be seen",
        ),
        ("[age]\nstale_after_minutes = 400\nexpire_after_minutes = 400\n", ""),
        ('[alerts]\nvia = ["command"]\n', "alerts.via names command, which needs a command in config.toml"),
        ('[alerts]\nvia = ["command"]\ncommand = ["notify"]\n', ""),
    ],
)
def test_what_means_nothing_here_is_found(
    environ: dict[str, str], simulate: Callable[..., Simulator], text: str, words: str
) -> None:
    simulate("busy-day")
    assert ullage("refresh", environ=environ).returncode == 0
    Path(environ["ULLAGE_CONFIG"]).write_text(text)
    done = ullage("config", "check", environ=environ)
    assert (done.returncode, words in done.stderr, bool(done.stderr)) == (2 if words else 0, True, bool(words))


def test_a_desktop_without_its_extra_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[alerts]\nvia = ["desktop"]\n')
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert run(["config", "check", str(file)]) == 2
    assert "alerts.via names desktop, which needs what the extra `notify` brings" in capsys.readouterr().err

"""The ways to a person: real terminals, real commands, and texts that would like to be code."""

from __future__ import annotations

import json
import os
import pty
import select
import sys
import termios
import tty
from typing import TYPE_CHECKING

import pytest

from tests.support.samples import NOW
from tests.support.tools import PATIENCES, is_running, wait_until
from ullage import alerts
from ullage.alerts import channels
from ullage.alerts.channels import ChannelError
from ullage.base.errors import MissingExtraError
from ullage.config.wishes import Wishes

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = "A$(touch pwned)`touch pwned`; touch pwned #'\"<b>&\\"
ALERT = alerts.Alert(
    kind="threshold",
    title=f"{HOSTILE}: 95% used",
    message="It resets in 2h13.",
    at=NOW,
    window_id="seven_day_hostile",
    label=HOSTILE,
    used_percent=95.0,
    threshold=90.0,
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of the test's own to be in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.process
def test_a_command_gets_the_alert_on_stdin_and_nothing_in_its_words(here: Path, environ: dict[str, str]) -> None:
    command = ("sh", "-c", 'cat >given; printf "%s\n" "$#" "$0" >words; env >environment', "$LABEL")
    secrets = {"CLAUDE_CODE_OAUTH_TOKEN": "sk-1", "ANTHROPIC_API_KEY": "sk-2", "NTFY_TOPIC": "mine"}
    channels.run_command(command, ALERT, {**environ, **secrets})
    told = json.loads((here / "given").read_text())
    assert (told["schema"], told["kind"], told["threshold"]) == (1, "threshold", 90.0)
    assert told["window"] == {
        "id": "seven_day_hostile",
        "label": HOSTILE,
        "used_percent": 95.0,
        "resets_at": None,
    }
    assert (here / "words").read_text().splitlines() == ["0", "$LABEL"]
    environment = (here / "environment").read_text()
    assert "NTFY_TOPIC=mine" in environment
    assert "sk-" not in environment
    assert not (here / "pwned").exists()


@pytest.mark.process
@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("no-such-command",), "no-such-command could not be started: No such file"),
        (("sh", "-c", "echo it is broken >&2; exit 3"), "sh ended with status 3: it is broken"),
        (("sh", "-c", "echo 'https://a.example/KEY: 404' >&2; exit 1"), "status 1: https://a.example/… 404"),
        (("sh", "-c", "kill -9 $$"), "sh ended with status -9."),
        (("nul\0l",), "could not be started"),
    ],
)
def test_a_command_that_fails_is_told(
    command: tuple[str, ...], words: str, here: Path, environ: dict[str, str]
) -> None:
    with pytest.raises(ChannelError) as failed:
        channels.run_command(command, ALERT, environ)
    assert words in str(failed.value)


@pytest.mark.process
def test_a_command_that_does_not_read_is_no_failure(environ: dict[str, str]) -> None:
    channels.run_command(("true",), ALERT.replace(message="x" * (1 << 20)), environ)


@pytest.mark.process
def test_a_command_that_hangs_is_stopped_with_its_children(
    here: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    child = here / "child"
    child.touch()
    for seconds in PATIENCES:
        if not child.read_text():
            monkeypatch.setattr(channels, "_PATIENCE_SECONDS", seconds)
            with pytest.raises(ChannelError, match="was stopped"):
                channels.run_command(("sh", "-c", "sleep 600 & echo $! >child; wait"), ALERT, environ)
    wait_until(lambda: not is_running(int(child.read_text())), what="the end of the child")


def test_the_bell_rings_in_terminals_of_the_users_own(here: Path) -> None:
    rung, terminal = pty.openpty()
    tty.setraw(terminal)
    (here / "5").symlink_to(os.ttyname(terminal))
    (here / "6").write_text("not a terminal")
    (here / "7").symlink_to("/dev/null")
    (here / "8").symlink_to("nowhere")
    os.mkfifo(here / "9")
    (here / "ptmx").symlink_to("/dev/ptmx")
    channels.ring_bells(str(here))
    assert select.select([rung], [], [], 60)[0] == [rung]
    assert os.read(rung, 10) == b"\a"
    assert (here / "6").read_text() == "not a terminal"
    os.close(rung)
    os.close(terminal)


def test_a_terminal_that_takes_nothing_is_not_waited_for(here: Path) -> None:
    controller, terminal = pty.openpty()
    termios.tcflow(terminal, termios.TCOOFF)
    (here / "1").symlink_to(os.ttyname(terminal))
    # Stopped by ^S it may keep the bell for later or refuse it; what matters is that this returns.
    try:
        channels.ring_bells(str(here))
    except ChannelError as error:
        assert "no terminal" in str(error)
    termios.tcflow(terminal, termios.TCOON)
    os.close(controller)
    os.close(terminal)


def test_no_terminal_is_told(here: Path) -> None:
    with pytest.raises(ChannelError, match="no terminal of yours"):
        channels.ring_bells(str(here))


def test_what_is_missing_is_said() -> None:
    assert channels.explain_missing("command", Wishes()) == "needs a command in config.toml: alerts.command"
    assert channels.explain_missing("command", Wishes(command=("true",))) is None
    assert channels.explain_missing("desktop", Wishes()) is None
    assert channels.explain_missing("bell", Wishes()) is None


def test_without_the_extra_the_desktop_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "desktop_notifier", None)
    with pytest.raises(MissingExtraError, match=r"the extra `notify` brings: .* -m pip install desktop-notifier"):
        channels.notify_desktop(ALERT)

"""Keys from commands and variables: fetched, bounded, and never shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.tools import PATIENCES, is_running, wait_until
from ullage.base.errors import SourceError
from ullage.panel.page import open_usage_page
from ullage.system import detach, keys, programs, secret

if TYPE_CHECKING:
    from collections.abc import Mapping

# Our own code starts the command that has the key.
pytestmark = pytest.mark.process

MARK = "sk-ant-sid01-MARKER-of-these-tests"


def fetched(script: str, environ: Mapping[str, str]) -> secret.Secret:
    return keys.read_command(("sh", "-c", script), environ, "session key")


def refusal(script: str, environ: Mapping[str, str]) -> str:
    with pytest.raises(SourceError) as caught:
        fetched(script, environ)
    assert MARK not in f"{caught.value} {caught.value.__dict__}"
    assert not caught.value.reached_server
    return str(caught.value)


@pytest.mark.parametrize(
    "script",
    [
        f"echo {MARK}",
        f"printf %s {MARK}",
        f"printf '%s\\r\\n' {MARK}",
        f"printf '\\n\\n  %s  \\nlogin: me\\n' {MARK}",
        f"echo {MARK}; echo noise >&2",
        f"cat; echo {MARK}",
    ],
)
def test_the_first_line_is_the_key(script: str, environ: dict[str, str]) -> None:
    assert fetched(script, environ).reveal() == MARK


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (f"echo {MARK}; exit 3", "sh ended with status 3"),
        (f"echo {MARK} >&2; exit 1", "Run it in a terminal"),
        ("true", "should give the key alone"),
        (f"echo 'key: {MARK}'", "should give the key alone"),
        (f"echo '{MARK};evil=1'", "should give the key alone"),
        ("echo schlüssel", "should give the key alone"),
        ("printf 'a\\0b'", "should give the key alone"),
        ("head -c 5000 /dev/zero | tr '\\0' a", "should give the key alone"),
        ("yes", "printed more than 64 KiB"),
        ("kill -9 $$", "ended with status -9"),
    ],
)
def test_what_is_no_key_is_said_without_repeating_it(script: str, words: str, environ: dict[str, str]) -> None:
    assert words in refusal(script, environ)


def test_a_program_that_is_not_there(environ: dict[str, str]) -> None:
    for command in (("/nowhere/pass", MARK), (str(Path(environ["HOME"])), MARK)):
        with pytest.raises(SourceError, match="could not be started") as caught:
            keys.read_command(command, environ, "session key")
        assert MARK not in str(caught.value)


def test_a_command_that_does_not_end_is_ended_with_all_its_children(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = tmp_path / "child"
    child.touch()
    for seconds in PATIENCES:
        if not child.read_text():
            monkeypatch.setattr(keys, "COMMAND_SECONDS", seconds)
            assert "may want to be unlocked" in refusal(f"sleep 600 & echo $! >{child}; wait", environ)
    wait_until(lambda: not is_running(int(child.read_text())), what="the end of the child")


def test_a_command_that_closes_its_output_and_stays_is_ended(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "_GOODBYE_SECONDS", 0.2)
    assert "ended with status -9" in refusal(f"echo {MARK}; exec sleep 600 >&-", environ)


def test_an_agent_that_holds_the_output_keeps_no_key_back(environ: dict[str, str], tmp_path: Path) -> None:
    script = f"sleep 600 & echo $! >{tmp_path}/agent; echo {MARK}"
    assert fetched(script, environ).reveal() == MARK
    # It was started in passing, and is ended with the command.
    wait_until(lambda: not is_running(int((tmp_path / "agent").read_text())), what="the end of the agent")


@pytest.mark.parametrize("path", [".:{}", ":{}", "{}:", "{}::.", "relative:{}"])
def test_no_program_is_taken_from_the_directory_where_the_user_is(
    path: str, environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for directory, word in ((tmp_path, "evil"), (tmp_path / "relative", "evil"), (tmp_path / "bin", MARK)):
        directory.mkdir(exist_ok=True)
        (directory / "a-keeper").write_text(f"#!/bin/sh\necho {word}\n")
        (directory / "a-keeper").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    environ["PATH"] = path.format(tmp_path / "bin")
    assert keys.read_command(("a-keeper",), environ, "session key").reveal() == MARK
    (tmp_path / "bin" / "a-keeper").unlink()
    with pytest.raises(SourceError, match="could not be started: No such file"):
        keys.read_command(("a-keeper",), environ, "session key")
    assert programs.find_program("a-keeper", {"PATH": ""}) is None


def test_no_key_is_handed_to_a_command(environ: dict[str, str], tmp_path: Path) -> None:
    environ |= {"MINE": MARK, "ANTHROPIC_API_KEY": "another", "CLAUDE_CODE_OAUTH_TOKEN": "third", "KEPT": "yes"}
    fetched(f"env >{tmp_path}/environment; echo {MARK}", environ)
    given = (tmp_path / "environment").read_text()
    assert "KEPT=yes" in given
    assert not [word for word in (MARK, "another", "third") if word in given]


def test_a_variable_that_is_set_is_read_and_no_other(environ: dict[str, str]) -> None:
    found = secret.read_variable("MINE", {**environ, "MINE": MARK}, "session key")
    assert found is not None
    assert found.reveal() == MARK
    assert secret.read_variable("MINE", environ, "session key") is None
    assert secret.read_variable("", {"": MARK}, "session key") is None
    with pytest.raises(SourceError, match="The variable MINE") as caught:
        secret.read_variable("MINE", {"MINE": f"{MARK} {MARK}"}, "session key")
    assert MARK not in str(caught.value)


def test_a_secret_is_not_printed() -> None:
    assert MARK not in f"{secret.Secret(MARK)!r} {secret.Secret(MARK)} {[secret.Secret(MARK)]}"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([], ()),
        ("", ()),
        ("pass show claude", ("pass", "show", "claude")),
        ("pass show 'my key'", ("pass", "show", "my key")),
        (["pass", "show claude", "$HOME;x"], ("pass", "show claude", "$HOME;x")),
        ("pass $(id) | cat", ("pass", "$(id)", "|", "cat")),
    ],
)
def test_a_command_is_a_list_or_a_text_and_never_a_shells(value: object, words: tuple[str, ...]) -> None:
    assert secret.split_command(value) == words


@pytest.mark.parametrize("value", [MARK, f"echo {MARK}", ["echo", MARK], [f"--key={MARK}"]])
def test_a_key_in_the_place_of_its_command_is_not_repeated(value: object) -> None:
    said = secret.check_command(value)
    assert said is not None
    assert "password manager" in said
    assert MARK not in said
    assert MARK not in str(secret.check_variable(value))
    assert secret.check_variable(value) is not None


def test_a_program_gets_no_key_and_at_most_the_one_that_it_needs() -> None:
    secrets = {
        "CLAUDE_CODE_OAUTH_TOKEN": "a",
        "ANTHROPIC_ADMIN_KEY": "b",
        "ANTHROPIC_ANALYTICS_KEY": "c",
        "ULLAGE_METRICS_AUTH": "d",
        "MINE": "sessionKey=sk-ant-sid01-x",
    }
    assert secret.withhold_keys({**secrets, "HOME": "/h"}) == {"HOME": "/h"}
    assert secret.withhold_keys(secrets, keep=secret.METRICS_AUTH) == {"ULLAGE_METRICS_AUTH": "d"}


def test_what_is_started_in_passing_gets_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[dict[str, str]] = []
    monkeypatch.setattr(detach, "start_program", lambda _command, environ: started.append(dict(environ)))
    opener = tmp_path / "xdg-open"
    opener.write_text("#!/bin/sh\n")
    opener.chmod(0o755)
    environ = {"PATH": str(tmp_path), "CLAUDE_CODE_OAUTH_TOKEN": "a", "ULLAGE_METRICS_AUTH": "b"}
    assert open_usage_page(environ, "linux")
    assert started == [{"PATH": str(tmp_path)}]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("no route to https://hooks.example/services/T0/B0/XYZ", "no route to https://hooks.example/…"),
        ("GET 'https://me:pw@a.example:8443?key=1' failed", "GET 'https://a.example:8443/…' failed"),
        ("https://me:pw@a.example refused", "https://a.example refused"),
        ("https://a.example/: 404; http://b.example#k", "https://a.example/… 404; http://b.example/…"),
        ("> authorization: Bearer abc.def", "> authorization: Bearer <secret>"),
        ("curl -H 'Authorization: Basic bWU6cHc='", "curl -H 'Authorization: Basic <secret>'"),
        (f"+ notify --key={MARK}", "+ notify --key=<secret>"),
        ("basic plan: no route to /srv/a@b, see ://", "basic plan: no route to /srv/a@b, see ://"),
    ],
)
def test_what_a_program_has_said_is_shown_without_keys(said: str, shown: str) -> None:
    assert secret.hide_keys(said) == shown


def test_why_a_command_failed_is_told_without_keys(environ: dict[str, str]) -> None:
    script = f"echo 'https://hooks.example/services/XYZ: {MARK} is refused' >&2; exit 4"
    done = programs.run_program(("sh", "-c", script), environ, seconds=30)
    assert programs.explain_end(("sh",), done) == "sh ended with status 4: https://hooks.example/… <secret> is refused"

"""Two and more ullages at once: over a real sshd, a real socket and a real port, as docs/machines.md has it."""

from __future__ import annotations

import json
import os
import subprocess
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support import sshd
from tests.support.samples import reading, window
from tests.support.serving import serving
from tests.support.tools import SCRIPTS, make_due, run, ullage, wait_until
from ullage import config
from ullage.base.values import format_time
from ullage.prompt.publish import publish_anew
from ullage.quota.model import Account, Reading
from ullage.refresh import push
from ullage.simulate import ACCOUNT_ID
from ullage.store import pushes
from ullage.store.cache import ProfileCache
from ullage.store.remotes import RemoteStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from ullage.simulate import Simulator

    Simulate = Callable[..., Simulator]

pytestmark = pytest.mark.process
ASK = ("ullage", "usage", "--all", "--json", "--no-refresh")


@pytest.fixture
def laptop(environ: dict[str, str], simulate: Simulate) -> dict[str, str]:
    """A machine that is signed in, with a reading."""
    simulate("busy-day")
    assert ullage("refresh", environ=environ).returncode == 0
    return environ


@pytest.fixture
def box(tmp_path: Path, environ: dict[str, str]) -> dict[str, str]:
    """A machine where nobody is signed in."""
    return machine(tmp_path, environ, "box")


def machine(tmp_path: Path, environ: Mapping[str, str], name: str) -> dict[str, str]:
    (tmp_path / name / "home").mkdir(parents=True)
    places = {f"ULLAGE_{what}": str(tmp_path / name / what.lower()) for what in ("CACHE_DIR", "STATE_DIR")}
    own = {"HOME": str(tmp_path / name / "home"), "ULLAGE_CONFIG": str(tmp_path / name / "config.toml"), **places}
    not_here = ("CLAUDE_CONFIG_DIR", "ULLAGE_SOURCE", "ULLAGE_API_BASE", "ULLAGE_WEB_BASE")
    return {**{key: value for key, value in environ.items() if key not in not_here}, **own}


@contextmanager
def reachable(tmp_path: Path, there: Mapping[str, str], here: dict[str, str], forced: str = "") -> Iterator[None]:
    """Let `ssh` in one environment lead to sessions in another."""
    (tmp_path / "ssh").mkdir()
    session = {**there, "PATH": f"{SCRIPTS}:/usr/bin:/bin"}
    with sshd.running(tmp_path / "ssh", session, forced=forced) as client:
        here["PATH"] = f"{client}:{here['PATH']}"
        yield


def known(environ: Mapping[str, str]) -> Reading:
    found = ProfileCache(environ).load_reading()
    assert found is not None
    return found


def knows(environ: Mapping[str, str], source: str) -> bool:
    found = ProfileCache(environ).load_reading()
    return found is not None and found.source == source


@pytest.mark.parametrize("forced", ["", " ".join(ASK)], ids=["any command", "forced command"])
def test_a_box_asks_the_laptop_by_ssh(laptop: dict[str, str], box: dict[str, str], tmp_path: Path, forced: str) -> None:
    with reachable(tmp_path, laptop, box, forced):
        done = ullage("setup", "remote", "laptop", "--ssh", "laptop", "--yes", environ=box)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "It was tried, and says: Session (5h)" in done.stdout
        there, here = known(laptop), known(box)
        assert here.account == there.account
        assert [each.used_percent for each in here.windows] == [each.used_percent for each in there.windows]
        assert format_time(here.as_of) == format_time(there.as_of)
        shown = ullage("prompt", environ=box).stdout
        assert shown
        assert shown == ullage("prompt", environ=laptop).stdout
        undone = ullage("setup", "remote", "laptop", "--undo", "--yes", environ=box)
        assert undone.returncode == 0, undone.stderr
    assert not os.path.exists(box["ULLAGE_CONFIG"])
    assert ProfileCache(box).load_reading() is None


def test_a_laptop_pushes_to_a_box_that_can_do_nothing_but_receive(
    laptop: dict[str, str], box: dict[str, str], tmp_path: Path
) -> None:
    with reachable(tmp_path, box, laptop, "ullage receive --from laptop"):
        command = ["ssh", "-o", "BatchMode=yes", "box", "touch", str(tmp_path / "touched")]
        with open(laptop["ULLAGE_CONFIG"], "w", encoding="utf-8") as file:
            file.write(f"[push]\ncommands = [{json.dumps(command)}]\n")
        assert ullage("refresh", "--force", environ=laptop).returncode == 0
        wait_until(lambda: knows(box, "remote:laptop"), what="the laptop's number")
        wait_until(lambda: pushes.load_last(laptop["ULLAGE_CACHE_DIR"]).succeeded_at, what="the end of the push")
    assert known(box).account.id == ACCOUNT_ID
    assert ullage("prompt", environ=box).stdout
    assert not (tmp_path / "touched").exists()
    # The box asks nobody, as nobody is signed in, and that is no fault of it.
    done = ullage("usage", environ=box)
    assert done.returncode == 0
    assert "claude" not in done.stdout + done.stderr


def test_a_status_line_hands_its_news_on_at_most_once_a_minute(
    environ: dict[str, str], box: dict[str, str], tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    program = tmp_path / "hand-on"
    settings = " ".join(f"{name}='{value}'" for name, value in box.items())
    program.write_text(f"#!/bin/sh\necho x >> '{runs}'\nexec env -i {settings} ullage receive --from here\n")
    program.chmod(0o755)
    with open(environ["ULLAGE_CONFIG"], "w", encoding="utf-8") as file:
        file.write(f'[push]\ncommands = [["{program}"]]\n')
    resets_at = int(time.time()) + 7200
    for used in (40, 41, 42):
        limits = {"five_hour": {"used_percentage": used, "resets_at": resets_at}}
        payload = json.dumps({"session_id": "one", "rate_limits": limits, "cost": {"total_cost_usd": used}})
        assert run([f"{SCRIPTS}/ullage", "statusline"], environ, input=payload).returncode == 0
        if used == 40:
            wait_until(lambda: knows(box, "remote:here"), what="the first number")
    assert runs.read_text() == "x\n"
    # The process that waits for its minute has the newest number; the minute need not pass for that to be seen.
    pushed = pushes.load_last(environ["ULLAGE_CACHE_DIR"])
    assert 0 < pushed.find_wait_seconds(datetime.now(UTC)) <= 60
    waits: list[float] = []
    wait_until(lambda: _pushing(environ), what="the process that waits")
    for process in _pushing(environ):
        os.kill(process, 15)
    wait_until(lambda: not _pushing(environ), what="the end of the waiting one")
    push.push_news(environ, sleep=waits.append)
    assert runs.read_text() == "x\nx\n"
    assert [each.used_percent for each in known(box).windows] == [42.0]
    push.push_news(environ, sleep=waits.append)
    assert runs.read_text() == "x\nx\n"


def _pushing(environ: Mapping[str, str]) -> list[int]:
    found = []
    for name in os.listdir("/proc"):
        try:
            with open(f"/proc/{name}/environ", "rb") as file:
                own = file.read()
            with open(f"/proc/{name}/cmdline", "rb") as file:
                command = file.read()
        except (OSError, ValueError):
            continue
        if environ["ULLAGE_CACHE_DIR"].encode() + b"\0" in own and b"ullage.refresh.push" in command:
            found.append(int(name))
    return found


def test_a_machine_that_takes_nothing_is_tried_less_and_doctor_says_so(environ: dict[str, str]) -> None:
    with open(environ["ULLAGE_CONFIG"], "w", encoding="utf-8") as file:
        file.write('[push]\ncommands = [["sh", "-c", "echo no room >&2; exit 3"]]\n')
    cache = ProfileCache(environ)
    cache.make_private()
    now = datetime.now(UTC)
    for used in (1.0, 2.0):
        cache.save_reading(reading(window(used=used, as_of=now), as_of=now))
        push.push_news(environ, sleep=lambda _seconds: None)
    pushed = pushes.load_last(environ["ULLAGE_CACHE_DIR"])
    assert (pushed.failures, pushed.succeeded_at, pushed.problem) == (1, None, "sh ended with status 3: no room.")
    assert pushed.find_wait_seconds(datetime.now(UTC)) > 60
    assert "no room" in ullage("doctor", environ=environ).stdout


@pytest.mark.parametrize(
    ("given", "code", "says"),
    [
        ("", 5, "stdin is empty. `ullage receive` reads"),
        ("x" * (1 << 20) + "x", 2, "more than a MiB"),
        ('{"schema": 1, "windows": []}', 5, "knows no numbers"),
        ("\033]0;owned\007", 5, "stdin begins with ']0;owned' and holds no report of usage."),
        ("hi", 5, "stdin begins with 'hi' and holds no report of usage. `ullage receive` reads what another machine's"),
        ('{"a": 1}', 5, "ullage usage --json | ssh box ullage receive"),
    ],
)
def test_junk_is_not_received(box: dict[str, str], given: str, code: int, says: str) -> None:
    done = run([f"{SCRIPTS}/ullage", "receive"], box, input=given)
    assert done.returncode == code
    assert says in done.stderr
    assert "\033" not in done.stderr
    assert ProfileCache(box).load_reading() is None


def test_a_socket_is_asked_and_starts_no_refresh(
    laptop: dict[str, str], box: dict[str, str], simulate: Simulate, tmp_path: Path
) -> None:
    simulator = simulate("busy-day")
    path = str(tmp_path / "s")
    with serving(laptop, "--unix", path):
        make_due(laptop)
        done = ullage("setup", "remote", "host", "--socket", path, "--yes", environ=box)
        assert done.returncode == 0, done.stdout + done.stderr
        assert known(box).source == "remote:host"
        # A refresh that had been started would hold its claim by now.
        assert not os.path.exists(os.path.join(ProfileCache(laptop).directory, "claim.lock"))
    assert simulator.requests == 0


def test_a_socket_that_ssh_forwards_is_as_good(laptop: dict[str, str], box: dict[str, str], tmp_path: Path) -> None:
    path, forwarded = str(tmp_path / "s"), str(tmp_path / "f")
    with serving(laptop, "--unix", path), reachable(tmp_path, box, laptop):
        ssh = subprocess.Popen(["ssh", "-N", "-R", f"{forwarded}:{path}", "box"], env=laptop)
        try:
            wait_until(lambda: os.path.exists(forwarded), what="the forwarded socket")
            done = ullage("setup", "remote", "laptop", "--socket", forwarded, "--yes", environ=box)
        finally:
            ssh.terminate()
            ssh.wait()
    assert done.returncode == 0, done.stdout + done.stderr
    assert known(box).source == "remote:laptop"


def test_an_address_is_asked_with_its_token(laptop: dict[str, str], box: dict[str, str]) -> None:
    token = ullage("serve", "token", "create", "--name", "box", environ=laptop).stdout.strip()
    with serving(laptop, "--port", "0") as served:
        address = f"http://127.0.0.1:{served.port}"
        box["TEAM_TOKEN"] = token
        arguments = ("setup", "remote", "team", "--url", address, "--token-variable", "TEAM_TOKEN", "--yes")
        done = ullage(*arguments, environ=box)
        assert done.returncode == 0, done.stdout + done.stderr
        assert known(box).source == "remote:team"
        wrong = machine_with(box, "wrong", TEAM_TOKEN="x" * 40)
        refused = ullage(*arguments, environ=wrong)
        assert refused.returncode == 5
        assert "does not accept the access token" in refused.stdout
    for path in (box["ULLAGE_CONFIG"], os.path.join(box["ULLAGE_CACHE_DIR"], "remotes", "team.json")):
        with open(path, encoding="utf-8") as file:
            assert token not in file.read()


def machine_with(environ: Mapping[str, str], name: str, **more: str) -> dict[str, str]:
    places = {key: f"{environ[key]}-{name}" for key in ("ULLAGE_CACHE_DIR", "ULLAGE_STATE_DIR", "ULLAGE_CONFIG")}
    return {**environ, **places, **more}


def test_five_machines_that_tell_of_one_account_count_once(box: dict[str, str], tmp_path: Path) -> None:
    now = datetime.now(UTC)
    for name, used, minutes in (("a", 10, 9), ("b", 30, 1), ("c", 20, 5), ("d", 30, 1), ("e", 5, 60)):
        there, as_of = machine(tmp_path, box, name), now - timedelta(minutes=minutes)
        resets_at = now + timedelta(hours=3)
        stated = window(used=float(used), as_of=as_of, resets_at=resets_at)
        ProfileCache(there).make_private()
        ProfileCache(there).save_reading(reading(stated, as_of=as_of, account=Account(id="one")))
        publish_anew(ProfileCache(there), config.load(there)[0])
        document = ullage("usage", "--all", "--json", "--no-refresh", environ=there).stdout
        assert run([f"{SCRIPTS}/ullage", "receive", "--from", name], box, input=document).returncode == 0
    [profile] = json.loads(ullage("usage", "--all", "--json", "--no-refresh", environ=box).stdout)["profiles"]
    assert [each["used_percent"] for each in profile["usage"]["windows"]] == [30.0]
    assert profile["machines"] == ["a", "b", "c", "d", "e"]
    assert ullage("guard", "--max", "29", environ=box).returncode == 1
    assert ullage("guard", "--max", "31", environ=box).returncode == 0
    shown = ullage("usage", "--all", "--no-refresh", environ=box).stdout
    assert "from a, b, c, d, e" in shown
    assert shown.count("Session 5h") == 1


def test_another_account_of_another_machine_is_shown_once_and_apart(laptop: dict[str, str], tmp_path: Path) -> None:
    now = datetime.now(UTC)
    for name in ("x", "y"):
        there = machine(tmp_path, laptop, name)
        ProfileCache(there).make_private()
        stated = window(used=77.0, as_of=now, resets_at=now + timedelta(hours=3))
        ProfileCache(there).save_reading(reading(stated, as_of=now, account=Account(id="two", plan="team")))
        document = ullage("usage", "--json", "--no-refresh", environ=there).stdout
        assert run([f"{SCRIPTS}/ullage", "receive", "--from", name], laptop, input=document).returncode == 0
    assert known(laptop).account.id == ACCOUNT_ID
    shown = json.loads(ullage("usage", "--all", "--json", "--no-refresh", environ=laptop).stdout)["profiles"]
    assert [(each["usage"]["account"]["id"], each["machines"]) for each in shown] == [
        (ACCOUNT_ID, []),
        ("two", ["x", "y"]),
    ]
    assert len(RemoteStore(laptop).load_all([])) == 2

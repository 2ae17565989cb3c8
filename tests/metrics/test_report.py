"""A refresh has metrics sent and does not wait for it; what goes wrong is told and disturbs nobody."""

from __future__ import annotations

import os
import re
import signal
import stat
from typing import TYPE_CHECKING

import pytest

from tests.support.receivers import Receiver
from tests.support.tools import processes, ullage, wait_until
from ullage.metrics import outcomes
from ullage.store.cache import ProfileCache

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ullage.simulate import Simulator

    Simulate = Callable[..., Simulator]


def configure(environ: dict[str, str], **options: str) -> None:
    lines = [f'{name} = "{value}"' for name, value in options.items()]
    with open(environ["ULLAGE_CONFIG"], "w", encoding="utf-8") as file:
        file.write("\n".join(["[metrics]", *lines, ""]))


def test_what_is_sent_is_what_is_printed(environ: dict[str, str], simulate: Simulate) -> None:
    simulate("models")
    assert ullage("refresh", environ=environ).returncode == 0
    with Receiver().running() as gateway:
        assert ullage("metrics", "--push", gateway.address, environ=environ).returncode == 0
    printed = ullage("metrics", environ=environ)
    assert (printed.returncode, printed.stderr) == (0, "")
    numbers = [line for line in printed.stdout.splitlines() if "projected" not in line and "exhausts" not in line]
    sent = gateway.requests[0].body.decode().splitlines()
    assert [line for line in sent if "projected" not in line and "exhausts" not in line] == numbers


def test_a_refresh_does_not_wait_for_a_gateway_that_says_nothing(environ: dict[str, str], simulate: Simulate) -> None:
    simulate("models")
    with Receiver(stalls=True).running() as gateway:
        configure(environ, push=gateway.address)
        done = ullage("refresh", environ=environ)
        assert (done.returncode, done.stderr) == (0, "")
        assert not gateway.go_on.is_set()
        wait_until(gateway.arrived.is_set, what="the metrics at the gateway")
        gateway.go_on.set()
        wait_until(
            lambda: [one.problem for one in outcomes.load_last(environ)] == [""], what="the note that they arrived"
        )
    wait_until(lambda: not processes(environ), what="the end of the process that sent them")


def test_a_process_that_is_killed_while_it_sends_loses_nothing(environ: dict[str, str], simulate: Simulate) -> None:
    simulate("models")
    with Receiver(stalls=True).running() as gateway:
        configure(environ, push=gateway.address)
        assert ullage("refresh", environ=environ).returncode == 0
        wait_until(gateway.arrived.is_set, what="the metrics at the gateway")
        for process in processes(environ):
            os.kill(process, signal.SIGKILL)
        wait_until(lambda: not processes(environ), what="its end")
        before = ProfileCache(environ).load_reading()
        assert before is not None
        gateway.go_on.set()
        sent = ullage("metrics", "--send", environ=environ)
        assert (sent.returncode, sent.stdout, sent.stderr) == (0, "push     sent\n", "")
    assert ProfileCache(environ).load_reading() == before
    assert len(gateway.requests) == 2


@pytest.mark.parametrize("way", ["push", "otlp", "textfile"])
def test_what_went_wrong_is_told_until_it_works(
    way: str, environ: dict[str, str], simulate: Simulate, tmp_path: Path
) -> None:
    simulate("models")
    with Receiver(500).running() as receiver:
        configure(environ, **{way: str(tmp_path / "absent") if way == "textfile" else receiver.address})
        assert ullage("refresh", environ=environ).returncode == 0
        wait_until(lambda: outcomes.load_last(environ), what="the note of a failure")
        told = ullage("metrics", environ=environ)
        assert told.returncode == 0
        assert told.stderr.startswith(f"ullage: metrics.{way}: ")
        assert len(told.stderr.splitlines()) == 1
        again = ullage("metrics", "--send", environ=environ)
        assert (again.returncode, again.stdout) == (5, "")
        doctor = ullage("doctor", environ=environ)
        assert re.search(f"^✗ metrics +{way}, ", doctor.stdout, re.MULTILINE)
        receiver.status = 200
        (tmp_path / "absent").mkdir()
        assert ullage("metrics", "--send", environ=environ).stdout == f"{way:8} sent\n"
        assert ullage("metrics", environ=environ).stderr == ""


def test_without_a_place_nothing_is_sent_and_that_is_told(environ: dict[str, str]) -> None:
    done = ullage("metrics", "--send", environ=environ)
    assert (done.returncode, done.stdout) == (2, "")
    assert "set textfile, push or otlp under [metrics]" in done.stderr


def test_nothing_known_is_told_as_that(environ: dict[str, str]) -> None:
    done = ullage("metrics", environ=environ)
    assert done.returncode == 0
    assert "ullage_build_info" in done.stdout
    assert "ullage_window" not in done.stdout


def test_a_password_is_in_no_output_and_no_argument(
    environ: dict[str, str], simulate: Simulate, tmp_path: Path
) -> None:
    simulate("models")
    auth = tmp_path / "auth"
    auth.write_text("sam:open-sesame")
    auth.chmod(0o600)
    with Receiver(500, stalls=True).running() as gateway:
        configure(environ, push=gateway.address, auth_file=str(auth))
        refreshed = ullage("refresh", environ=environ)
        wait_until(gateway.arrived.is_set, what="the metrics at the gateway")
        (process,) = processes(environ)
        with open(f"/proc/{process}/cmdline", "rb") as file:
            assert b"open-sesame" not in file.read()
        with open(f"/proc/{process}/environ", "rb") as file:
            assert b"open-sesame" not in file.read()
        gateway.go_on.set()
        wait_until(lambda: outcomes.load_last(environ), what="the note of a failure")
        outputs = [refreshed, *(ullage(*words, environ=environ) for words in (["metrics"], ["doctor"], ["config"]))]
    assert "open-sesame" not in "".join(done.stdout + done.stderr for done in outputs)
    assert gateway.requests[0].headers["Authorization"].startswith("Basic ")


def test_a_damaged_note_is_none(environ: dict[str, str], tmp_path: Path) -> None:
    os.makedirs(environ["ULLAGE_STATE_DIR"])
    for text in (b"", b"{", b"[]", b'{"format": 1}', b'{"format": 1, "ways": {"push": 3}}', b"[" * 100_000):
        with open(os.path.join(environ["ULLAGE_STATE_DIR"], "metrics.json"), "wb") as file:
            file.write(text)
        assert outcomes.load_last(environ) == ()


def test_what_is_kept_is_the_users_alone(environ: dict[str, str]) -> None:
    with Receiver().running() as gateway:
        configure(environ, push=gateway.address)
        assert ullage("metrics", "--send", environ=environ).returncode == 0
    for name in os.listdir(environ["ULLAGE_STATE_DIR"]):
        assert stat.S_IMODE(os.stat(os.path.join(environ["ULLAGE_STATE_DIR"], name)).st_mode) == 0o600, name


def test_mistakes_in_the_file_are_found(environ: dict[str, str]) -> None:
    configure(environ, push="push.example.com", account="sam@example.com")
    checked = ullage("config", "check", environ=environ)
    assert checked.returncode == 2
    assert "metrics.push is no address of the form https://host" in checked.stdout + checked.stderr
    assert "metrics.account is 'sam@example.com'; it can be pseudonym, address" in checked.stdout + checked.stderr


@pytest.mark.parametrize("way", ["--textfile", "--push", "--forget"])
def test_a_format_for_the_eye_is_not_ignored_where_something_is_sent(
    way: str, environ: dict[str, str], tmp_path: Path
) -> None:
    done = ullage("metrics", "--openmetrics", way, str(tmp_path), environ=environ)
    assert done.returncode == 2
    assert "is for what is printed" in done.stderr
    assert not list(tmp_path.glob("*.prom"))


def test_one_way_that_fails_keeps_no_other_from_its_numbers(
    environ: dict[str, str], simulate: Simulate, tmp_path: Path
) -> None:
    simulate("models")
    assert ullage("refresh", environ=environ).returncode == 0
    with Receiver().running() as gateway:
        ways = ["--textfile", str(tmp_path / "missing"), "--push", "http://127.0.0.1:9", "--otlp", gateway.address]
        done = ullage("metrics", *ways, environ=environ)
    assert (done.returncode, done.stdout) == (5, "")
    assert [line.split(" ")[:2] for line in done.stderr.splitlines()] == [
        ["ullage:", "--textfile:"],
        ["ullage:", "--push:"],
    ]
    assert len(gateway.requests) == 1


def test_an_address_that_nothing_is_sent_to_is_wrong_usage(environ: dict[str, str], tmp_path: Path) -> None:
    done = ullage("metrics", "--push", "ftp://host", "--textfile", str(tmp_path), environ=environ)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("ullage: --push: The address for metrics is no address of the form https://host")
    assert (tmp_path / "ullage.prom").exists()


def test_a_directory_that_is_not_there_is_wrong_usage(environ: dict[str, str], tmp_path: Path) -> None:
    done = ullage("metrics", "--textfile", str(tmp_path / "missing"), environ=environ)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "is no directory" in done.stderr

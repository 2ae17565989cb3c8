"""`ullage panel --follow` as a bar's child: at once when something changes, asleep otherwise, gone with its reader."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.bars import know, stand_in_for_the_browser
from tests.support.tools import ULLAGE, need, ullage, wait_until
from ullage.quota.schedule import LONGEST_INTERVAL, LONGEST_REFRESH
from ullage.store.cache import ProfileCache

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ullage.simulate import Simulator


class Follower:
    """A running `ullage panel`, and the lines that it has printed so far."""

    def __init__(self, environ: dict[str, str], *arguments: str) -> None:
        self.process = subprocess.Popen(
            [ULLAGE, "panel", *arguments, "--follow"],
            env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.lines: list[str] = []
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.decode().rstrip("\n"))

    def says(self, text: str) -> None:
        wait_until(lambda: any(text in line for line in list(self.lines)), what=f"{text!r} among {self.lines}")

    def hears(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()


@pytest.fixture
def follow(environ: dict[str, str]) -> Iterator[Callable[..., Follower]]:
    started: list[Follower] = []

    def start(*arguments: str, **changes: str) -> Follower:
        started.append(Follower({**environ, **changes}, *arguments))
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.process.wait()
        each.reader.join()
        for stream in (each.process.stdin, each.process.stdout, each.process.stderr):
            assert stream is not None
            stream.close()


def test_a_change_is_printed_at_once_and_only_once(environ: dict[str, str], follow: Callable[..., Follower]) -> None:
    know(environ, 40.0)
    follower = follow("plain")
    follower.says("5h 40%")
    for used in (41.0, 42.0, 43.0):
        know(environ, used)
        follower.says(f"5h {used:.0f}%")
    assert follower.lines == ["5h 40%", "5h 41%", "5h 42%", "5h 43%"]


def test_a_first_reading_makes_the_text_appear(environ: dict[str, str], follow: Callable[..., Follower]) -> None:
    follower = follow("polybar", NO_COLOR="1")
    wait_until(lambda: follower.lines == [""], what="an empty line")
    know(environ, 12.0)
    follower.says("5h 12%")


def test_a_number_turns_old_without_any_change(environ: dict[str, str], follow: Callable[..., Follower]) -> None:
    # Within the cadence of a bar that nobody looks at a number is not old.
    know(environ, 40.0, ago=LONGEST_INTERVAL + LONGEST_REFRESH - timedelta(seconds=6))
    follower = follow("plain")
    follower.says("5h ~40%")
    assert set(follower.lines) <= {"5h 40%", "5h ~40%"}


def test_a_cache_that_was_removed_is_followed_when_it_is_back(
    environ: dict[str, str], follow: Callable[..., Follower]
) -> None:
    know(environ, 40.0)
    follower = follow("plain")
    follower.says("5h 40%")
    # It may be making a directory anew while the last ones are removed.
    shutil.rmtree(environ["ULLAGE_CACHE_DIR"], ignore_errors=True)
    wait_until(lambda: follower.lines[-1] == "", what="an empty line")
    know(environ, 41.0)
    follower.says("5h 41%")


@pytest.mark.parametrize("format", ["waybar", "i3bar"])
def test_it_sleeps_until_something_happens(
    environ: dict[str, str], follow: Callable[..., Follower], tmp_path: Path, format: str
) -> None:
    strace = need("strace")
    know(environ, 40.0)
    follower = follow(format)
    follower.says("40%")
    # Attached while it sleeps, for a stretch that an answer to a change ends.
    calls = tmp_path / "calls"
    attach = [strace, "-f", "-qq", "-tt", "-o", str(calls), "-p", str(follower.process.pid)]
    with subprocess.Popen(attach, stderr=subprocess.DEVNULL) as tracer:
        wait_until(lambda: calls.exists() and calls.read_text().count("\n") >= 1, what="strace")
        before = calls.read_text().count("\n")
        # As long as a poller would need to show itself a few times.
        with pytest.raises(subprocess.TimeoutExpired):
            follower.process.wait(4)
        asleep = calls.read_text().splitlines()[before:]
        tracer.terminate()
    assert len([line for line in asleep if "resumed" not in line]) <= 60, asleep[:40]
    assert follower.process.poll() is None


def test_a_widget_asks_by_a_word(environ: dict[str, str], follow: Callable[..., Follower], tmp_path: Path) -> None:
    opened = stand_in_for_the_browser(environ, tmp_path)
    know(environ, 40.0)
    follower = follow("json")
    follower.says('"text":"5h 40%"')
    follower.hears(b"close\nopen")
    follower.hears(b"\n")
    wait_until(opened.exists, what="the usage page")
    assert json.loads(follower.lines[0])["rows"][0]["used_percent"] == 40.0


def test_a_file_is_replaced_by_every_update(
    environ: dict[str, str], follow: Callable[..., Follower], tmp_path: Path
) -> None:
    written = tmp_path / "written"
    know(environ, 40.0)
    follower = follow("plain", "--write", str(written))
    wait_until(written.exists, what="the file")
    assert written.read_text() == "5h 40%\n"
    know(environ, 41.0)
    wait_until(lambda: written.read_text() == "5h 41%\n", what="the change in the file")
    assert follower.lines == []
    assert sorted(path.name for path in tmp_path.iterdir() if "written" in path.name) == ["written"]


def test_a_file_that_cannot_be_written_is_said(environ: dict[str, str], tmp_path: Path) -> None:
    done = ullage("panel", "plain", "--write", str(tmp_path / "none" / "written"), environ=environ)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"ullage: Cannot write {tmp_path}/none/written: No such file")
    assert done.stderr.count("\n") == 1


def test_one_update_is_waited_for(environ: dict[str, str]) -> None:
    know(environ, 40.0)
    shown = json.loads(ullage("panel", "json", environ=environ).stdout)
    assert json.loads(ullage("panel", "json", "--after", "", environ=environ).stdout) == shown
    waiting = subprocess.Popen(
        [ULLAGE, "panel", "json", "--after", shown["revision"]], env=environ, stdout=subprocess.PIPE, text=True
    )
    assert waiting.stdout is not None
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(2)
        know(environ, 41.0)
        assert json.loads(waiting.stdout.readline())["text"] == "5h 41%"
        assert waiting.wait(90) == 0
    finally:
        waiting.kill()
        waiting.wait()
        waiting.stdout.close()


@pytest.mark.parametrize("arguments", [["plain", "--after", "0"], ["json", "--follow", "--after", "0"]])
def test_waiting_for_one_update_is_for_json_alone(environ: dict[str, str], arguments: list[str]) -> None:
    done = ullage("panel", *arguments, environ=environ)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "ullage: --after is for json, and in the place of --follow: it waits for one update.\n"


@pytest.mark.parametrize(("count", "text"), [("used", "5h 40%"), ("left", "5h 60%")])
def test_what_the_numbers_count_can_be_said(environ: dict[str, str], count: str, text: str) -> None:
    know(environ, 40.0)
    shown = json.loads(ullage("panel", "json", "--count", count, environ=environ).stdout)
    assert (shown["text"], shown["counts"], shown["used_percent"]) == (text, count, 40.0)


def test_it_ends_when_nobody_reads_it(environ: dict[str, str]) -> None:
    know(environ, 40.0)
    process = subprocess.Popen(
        [ULLAGE, "panel", "plain", "--follow"], env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == b"5h 40%\n"
    process.stdout.close()
    assert process.wait(90) == 0
    assert process.stderr.read() == b""
    process.stderr.close()


def test_the_i3bar_stream_is_json_as_far_as_it_goes(environ: dict[str, str], follow: Callable[..., Follower]) -> None:
    know(environ, 40.0)
    follower = follow("i3bar")
    follower.says("40%")
    know(environ, 41.0)
    follower.says("41%")
    header, *rest = follower.lines
    assert json.loads(header) == {"version": 1, "click_events": True}
    array: list[Any] = json.loads("\n".join(rest) + "]")
    assert [len(line) for line in array] == [0, 1, 1]
    assert "41%" in array[-1][0]["full_text"]


def test_clicks(
    environ: dict[str, str], follow: Callable[..., Follower], simulate: Callable[..., Simulator], tmp_path: Path
) -> None:
    simulator = simulate("busy-day")
    opened = stand_in_for_the_browser(environ, tmp_path)
    assert ullage("refresh", environ=environ).returncode == 0
    follower = follow("i3bar")
    follower.says("full_text")
    follower.hears(b'[\n{"name":"other"}\nno json\n,{"button":"1"}\n,{"button":true}\n,[[[[\n')
    follower.hears(b',{"name":"ullage","button":3,"x":1,"y":2}\n')
    wait_until(opened.exists, what="the usage page")
    # Within five minutes of the last attempt a click asks nobody.
    follower.hears(b',{"name":"ullage","button":1}\n' * 5)
    cache = ProfileCache(environ)
    schedule = cache.load_schedule()
    assert schedule.attempted_at is not None
    assert ullage("refresh", "--early", environ=environ).returncode == 0
    assert simulator.requests == 1
    cache.save_schedule(schedule.replace(attempted_at=schedule.attempted_at - timedelta(minutes=6)))
    follower.hears(b',{"name":"ullage","button":1}\n' * 5)
    wait_until(lambda: simulator.requests > 1, what="a request")
    assert ullage("refresh", "--early", environ=environ).returncode == 0
    assert simulator.requests == 2
    follower.hears(b"x" * 200_000 + b"\n")
    follower.process.stdin.close()  # type: ignore[union-attr]  # a pipe
    know(environ, 77.0)
    follower.says("77%")


def test_a_refresh_that_is_due_is_started_and_its_answer_shown(
    environ: dict[str, str], follow: Callable[..., Follower], simulate: Callable[..., Simulator]
) -> None:
    simulator = simulate("busy-day")
    follower = follow("plain")
    wait_until(lambda: any("%" in line for line in list(follower.lines)), what="a number")
    assert simulator.requests == 1


@pytest.mark.parametrize("format", ["conky", "py3status", "genmon", "argos", "xbar", "sketchybar"])
def test_a_bar_that_reads_no_stream_gets_none(environ: dict[str, str], format: str) -> None:
    done = ullage("panel", format, "--follow", environ=environ)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"ullage: {format} runs its command at intervals and reads no stream. Leave --follow away.\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["waybra"], "'waybra' is none of waybar, i3bar"),
        (["waybra"], "; did you mean waybar?"),
        (["waybar", "--template", "{5h"], "has a { without its }"),
        (["waybar", "--template", "{5h.colour}"], "colour"),
        (["waybar", "--window", "5h.used"], "is no window's name"),
        (["waybar", "--window", "age"], "is no window's name"),
        ([], "FORMAT"),
    ],
)
def test_wrong_usage(environ: dict[str, str], arguments: list[str], words: str) -> None:
    done = ullage("panel", *arguments, environ=environ)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr


@pytest.mark.parametrize("name", ["Session (5h)", "5H", "week"])
def test_a_window_may_be_named_as_people_read_it(environ: dict[str, str], name: str) -> None:
    know(environ, 40.0)
    done = ullage("panel", "plain", "--window", name, environ=environ)
    assert (done.returncode, done.stdout) == (0, "7d 5%\n" if name == "week" else "5h 40%\n")


def test_an_unknown_window_is_said_and_hidden(environ: dict[str, str]) -> None:
    know(environ, 40.0)
    done = ullage("panel", "plain", "--window", "opus", environ=environ)
    assert (done.returncode, done.stdout) == (0, "\n")
    assert done.stderr == "ullage: There is no window 'opus'. Known are 5h, 7d.\n"


@pytest.mark.parametrize("follow", [[], ["--follow"]], ids=["once", "follow"])
@pytest.mark.parametrize("slip", [["--window", "5hx"], ["--template", "{7d} {5hx}"]], ids=["window", "template"])
def test_a_slip_of_a_windows_name_ends_it_and_is_said(
    environ: dict[str, str], slip: list[str], follow: list[str]
) -> None:
    know(environ, 40.0)
    done = ullage("panel", "plain", *slip, *follow, environ=environ, seconds=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "ullage: There is no window '5hx'; did you mean 5h? Known are 5h, 7d.\n"


def test_another_version_of_a_window_is_said_and_ends_nothing(environ: dict[str, str]) -> None:
    """A model's week gets another version while a bar shows it: `sonnet 4`, then `sonnet 5`."""
    know(environ, 40.0)
    done = ullage("panel", "plain", "--window", "5h_2", environ=environ)
    assert (done.returncode, done.stdout) == (0, "\n")
    assert done.stderr == "ullage: There is no window '5h_2'; did you mean 5h? Known are 5h, 7d.\n"


def test_another_windows_name_in_a_template_is_said_and_shown_as_unknown(environ: dict[str, str]) -> None:
    know(environ, 40.0)
    done = ullage("panel", "plain", "--template", "{opus} {5h}", environ=environ)
    assert (done.returncode, done.stdout) == (0, "? 40%\n")
    assert done.stderr == "ullage: There is no window 'opus'. Known are 5h, 7d.\n"


def test_a_cache_that_cannot_be_made_is_said(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    environ["ULLAGE_CACHE_DIR"] = str(tmp_path / "file" / "cache")
    done = ullage("panel", "waybar", "--follow", environ=environ)
    assert done.returncode == 5
    assert done.stderr.startswith("ullage: Cannot make the directory")
    once = ullage("panel", "waybar", environ=environ)
    assert once.returncode == 0
    assert json.loads(once.stdout)["text"] == ""


def test_what_is_printed_is_utf_8_whatever_the_locale(environ: dict[str, str]) -> None:
    know(environ, 100.0)
    environ |= {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run([ULLAGE, "panel", "xbar"], env=environ, capture_output=True, check=True)
    assert done.stdout.decode().startswith("5h 100%× ")
    # What a terminal or a bar of text shows as it comes is plain where the locale has no other signs.
    done = subprocess.run([ULLAGE, "panel", "plain"], env=environ, capture_output=True, check=True)
    assert done.stdout.startswith(b"5h 100%X ")


def test_a_menu_refreshes_the_profile_that_it_shows(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    done = ullage("panel", "xbar", "--profile", str(tmp_path / "work"), environ=environ)
    assert f'param4="--profile" param5="{tmp_path}/work"' in done.stdout
    assert f'shell="{os.path.realpath(os.path.dirname(ULLAGE))}/ullage"' in done.stdout or f'"{ULLAGE}"' in done.stdout

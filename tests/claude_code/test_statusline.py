"""`ullage statusline` as Claude Code runs it: real processes, payloads in its shapes, and whatever else may come."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import tools
from tests.support.tools import ULLAGE, is_running, postpone, processes, ullage, wait_until
from ullage.claude_code import statusline
from ullage.config.default_file import write_default
from ullage.quota import timeline
from ullage.quota.schedule import Schedule
from ullage.quota.timeline import TIMELINES
from ullage.store import history, overview
from ullage.store.cache import ProfileCache
from ullage.system import detach

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ACCOUNT_ID = "5e000000-0000-4000-8000-000000000001"


def soon(**distance: float) -> int:
    return int((datetime.now(UTC) + timedelta(**distance)).timestamp())


def payload(five_hour: object = 37, seven_day: object = 61, **more: Any) -> dict[str, Any]:
    """Return what Claude Code 2.1.330 pipes, with values of our own."""
    limits = {"five_hour": (five_hour, soon(hours=2, minutes=30)), "seven_day": (seven_day, soon(days=3))}
    return {
        "session_id": "0d9d5b1e-0000-4000-8000-000000000001",
        "transcript_path": "/nonexistent/transcript.jsonl",
        "cwd": "/home/sam/barrel",
        "model": {"id": "claude-test-5", "display_name": "Test 5.5"},
        "workspace": {"current_dir": "/home/sam/barrel", "project_dir": "/home/sam/barrel", "added_dirs": []},
        "version": "2.1.330",
        "effort": {"level": "medium"},
        "cost": {"total_cost_usd": 1.5, "total_duration_ms": 6518, "total_api_duration_ms": 330},
        "context_window": {"total_input_tokens": 10, "total_output_tokens": 3, "used_percentage": 8},
        "rate_limits": {
            name: {"used_percentage": used, "resets_at": reset} for name, (used, reset) in limits.items() if used != {}
        },
        **more,
    }


def after_an_answer(stated: dict[str, Any], answers: int = 1) -> dict[str, Any]:
    """Return what the session pipes when it has had answers from the server since."""
    return {**stated, "cost": {**stated["cost"], "total_api_duration_ms": 330 + 100 * answers}}


@pytest.fixture(autouse=True)
def _no_refresh_is_due(environ: dict[str, str]) -> None:
    """The schedule says that somebody has just asked; what these tests look at is the status line's own work."""
    environ |= {"NO_COLOR": "1", "ULLAGE_SOURCE": "statusline"}
    cache = ProfileCache(environ)
    cache.make_private()
    now = datetime.now(UTC)
    later = now + timedelta(hours=1)
    cache.save_schedule(Schedule(attempted_at=now, refresh_at=later, idle_refresh_at=later))
    postpone(cache.environ, int(later.timestamp()))


def pipe(
    stated: object, environ: Mapping[str, str], *arguments: str, raw: bytes | None = None
) -> subprocess.CompletedProcess[bytes]:
    data = json.dumps(stated).encode() if raw is None else raw
    done = subprocess.run(
        [ULLAGE, "statusline", *arguments], env=dict(environ), input=data, capture_output=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stderr
    return done


def line(stated: object, environ: Mapping[str, str], *arguments: str) -> str:
    done = pipe(stated, environ, *arguments)
    assert not done.stderr
    return done.stdout.decode()


def wait_for_prompt(environ: Mapping[str, str], text: str) -> None:
    """Wait until the prompt shows what a status line has left to be published behind it."""
    wait_until(lambda: ullage("prompt", environ=environ).stdout == text, what=f"the prompt {text!r}")


def wait_for_publication(environ: Mapping[str, str], text: bytes) -> None:
    """Wait until a number stands in the timeline that is written last."""
    cache = ProfileCache(environ)
    wait_until(lambda: text in timeline.find_text(cache.read_timeline(TIMELINES[-1]), int(time.time())), what="it all")


def used(environ: Mapping[str, str]) -> dict[str, float | None]:
    reading = ProfileCache(environ).load_reading()
    return {window.id: window.used_percent for window in reading.windows} if reading else {}


def test_it_shows_this_reading_and_keeps_it(environ: dict[str, str]) -> None:
    assert line(payload(), environ) == "Test 5.5  5h 37% 2h30  7d 61% 3d00h  context 8%\n"
    assert used(environ) == {"five_hour": 37.0, "seven_day": 61.0}
    wait_for_prompt(environ, "7d 61%\n")
    told = json.loads(ullage("usage", "--json", "--no-refresh", environ=environ).stdout)
    assert {window["source"] for window in told["windows"]} == {"statusline"}


def test_the_next_answer_shows_at_once(environ: dict[str, str]) -> None:
    line(payload(five_hour=37), environ)
    assert "5h 92%!!" in line(after_an_answer(payload(five_hour=92)), environ)
    wait_for_prompt(environ, "5h 92%!!\n")


@pytest.mark.parametrize("lower", [70, 3])
def test_what_the_session_says_now_takes_the_place_of_what_it_said(environ: dict[str, str], lower: int) -> None:
    line(payload(five_hour=80), environ)
    assert f"5h {lower}% " in line(after_an_answer(payload(five_hour=lower)), environ)
    assert used(environ)["five_hour"] == lower


def test_every_field_of_the_session_can_be_shown(environ: dict[str, str]) -> None:
    Path(environ["ULLAGE_CONFIG"]).write_text(
        '[statusline]\ntemplate = "{model}|{context}|{cost}|{folder}|{version}|{effort}|{top.name} {top}|{fable}"\n'
    )
    assert line(payload(), environ) == "Test 5.5|8%|$1.50|barrel|2.1.330|medium|7d 61%|?\n"


def test_its_colours_are_those_of_a_terminal(environ: dict[str, str]) -> None:
    del environ["NO_COLOR"]
    assert "\033[33m78%!\033[39m" in line(payload(five_hour=78), environ)


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({}, {}),
        ({"five_hour": None, "seven_day": None}, {}),
        ({"five_hour": {"used_percentage": 20}}, {"five_hour": 20.0}),
        ({"seven_day": {"used_percentage": 14.000000000000002, "resets_at": 4102444800}}, {"seven_day": 14.0}),
        ({"five_hour": {"used_percentage": 30, "resets_at": "2096-10-02T07:06:40Z"}}, {"five_hour": 30.0}),
        ({"five_hour": {"used_percentage": 1780000000, "resets_at": 4102444800}}, {}),
        ({"five_hour": {"used_percentage": "37", "resets_at": True}}, {}),
        ({"five_hour": [37], "seven_day": 61}, {}),
        (
            {
                "five_hour": {"used_percentage": 3, "resets_at": 4102444800},
                "spend_limit": {"used_percentage": 104, "resets_at": 4102444800, "used_usd": 52, "limit_usd": 50},
            },
            {"five_hour": 3.0, "spend_limit": 104.0},
        ),
    ],
)
def test_what_is_there_is_read_and_what_is_not_is_not_made_up(
    environ: dict[str, str], limits: object, expected: dict[str, float]
) -> None:
    assert "Test 5.5" in line(payload(rate_limits=limits), environ)
    assert used(environ) == pytest.approx(expected)


def test_a_payload_from_before_the_first_answer_costs_no_known_number(environ: dict[str, str]) -> None:
    line(payload(), environ)
    started = payload(session_id="another")
    del started["rate_limits"]
    assert "5h 37%" in line(started, environ)
    assert used(environ) == {"five_hour": 37.0, "seven_day": 61.0}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n",
        b"not json",
        b"[]",
        b"null",
        b"{}",
        b'{"rate_limits": 3, "model": [], "cost": "x", "context_window": null, "workspace": 7, "session_id": {}}',
        b'{"session_id": "../../../etc/x\\u0000", "rate_limits": {"five_hour": {"used_percentage": NaN}}}',
        b"[" * 100_000,
        b'{"a": ' * 50_000,
        b"\xff\xfe{}",
        b'{"model": {"display_name": "\\ud800"}}',
        b'{"cost": {"total_cost_usd": ' + b"9" * 5000 + b"}}",
        b"\0" * 4096,
    ],
    ids=lambda raw: repr(raw[:24]),
)
def test_nothing_that_comes_is_a_traceback(environ: dict[str, str], raw: bytes) -> None:
    done = pipe(None, environ, raw=raw)
    assert done.stderr == b""
    assert used(environ) == {}
    assert not list(Path(environ["ULLAGE_CACHE_DIR"]).rglob("*.new"))


def test_a_megabyte_is_read(environ: dict[str, str]) -> None:
    assert "5h 37%" in line(payload(padding="x" * (1 << 20)), environ)


def test_what_is_too_much_is_drained_and_left(environ: dict[str, str]) -> None:
    assert line(payload(padding="x" * (9 << 20)), environ) == ""


def test_a_hostile_name_is_only_text(environ: dict[str, str]) -> None:
    name = "Evil\x1b]0;title\x07\x1b[2J\n\u202e\x9b31m$(touch pwned)\u200b" + "W" * 500
    stated = payload(model={"display_name": name}, cwd="/tmp/\x1b[31mred", workspace={}, version="\r\x1b[A")
    Path(environ["ULLAGE_CONFIG"]).write_text('[statusline]\ntemplate = "{model} {folder} {version}"\n')
    shown = line(stated, environ)
    assert shown.rstrip("\n").isprintable()
    assert shown.startswith("Evil]0;title[2J 31m$(touch pwned)WW")
    assert len(shown) < 120


def test_a_hostile_session_writes_nowhere_else(environ: dict[str, str]) -> None:
    line(payload(session_id="../../escape/\x1b\n" + "x" * 5000), environ)
    written = [path.name for path in Path(environ["ULLAGE_CACHE_DIR"]).rglob("reading.*")]
    assert len(written) == 1
    assert len(written[0]) < 100
    assert used(environ)["five_hour"] == 37.0


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (200, "Test 5.5  5h 37% 2h30  7d 61% 3d00h  context 8%"),
        (50, "Test 5.5  5h 37% 2h30  7d 61% 3d00h  context 8%"),
        (49, "Test 5.5  5h 37% 2h30  7d 61% 3d00h"),
        (38, "Test 5.5  5h 37% 2h30  7d 61% 3d00h"),
        (37, "Test 5.5  5h 37%  7d 61%"),
        (27, "Test 5.5  5h 37%  7d 61%"),
        (26, "5h 37%  7d 61%"),
        (17, "5h 37%  7d 61%"),
        (16, "5h 37%  7d 6…"),
        (5, "5…"),
        (1, "…"),
    ],
)
def test_a_narrow_line_does_without_the_context_the_resets_and_the_model_before_it_is_cut(
    environ: dict[str, str], columns: int, expected: str
) -> None:
    # Claude Code draws in three columns fewer than it names.
    assert line(payload(), {**environ, "COLUMNS": str(columns)}) == f"{expected}\n"


def test_what_is_missing_leaves_no_blanks(environ: dict[str, str]) -> None:
    limits = payload()["rate_limits"]
    assert line(payload(rate_limits={"seven_day": limits["seven_day"]}), environ) == (
        "Test 5.5  7d 61% 3d00h  context 8%\n"
    )
    assert line(
        payload(rate_limits=None, session_id="another"), {**environ, "ULLAGE_CACHE_DIR": f"{environ['HOME']}/c"}
    ) == ("Test 5.5  context 8%\n")


@pytest.mark.parametrize("columns", ["", "0", "-3", "many", "１２"])
def test_columns_that_are_none_are_not_kept_to(environ: dict[str, str], columns: str) -> None:
    assert "context 8%" in line(payload(), {**environ, "COLUMNS": columns})


def test_behind_a_gateway_the_spend_limit_is_shown_with_its_amounts(environ: dict[str, str]) -> None:
    limit = {"used_percentage": 104.2, "resets_at": None, "used_usd": 521.0, "limit_usd": 500, "period": "monthly"}
    stated = payload(rate_limits={"spend_limit": limit})
    assert line(stated, environ) == "Test 5.5  Spend limit (monthly) 100%×  context 8%\n"
    reading = ProfileCache(environ).load_reading()
    assert reading is not None
    [window] = reading.windows
    assert window.used is not None
    assert (window.used.amount_minor, window.label, window.period) == (52_100, "Spend limit (monthly)", "monthly")


def test_a_models_week_is_shown_where_it_is_the_fuller_one(environ: dict[str, str]) -> None:
    line(payload(), environ)
    cache, reading = ProfileCache(environ), ProfileCache(environ).load_reading()
    assert reading is not None
    for used, shown in ((62.0, True), (60.0, False)):
        model = reading.windows[1].replace(
            id="seven_day_fable_5_1", label="Week (Fable 5.1)", kind="model", used_percent=used, source="claude-cli"
        )
        windows = (*(window.replace(source="claude-cli") for window in reading.windows), model)
        cache.save_reading(reading.replace(source="claude-cli", windows=windows))
        assert (f"fable 5.1 {used:.0f}%" in line(payload(), environ)) is shown


class TestThen:
    @pytest.mark.parametrize("variable", ["ULLAGE_CONFIG", "ULLAGE_CACHE_DIR"])
    def test_the_previous_line_is_shown_where_ours_cannot_be_made(self, environ: dict[str, str], variable: str) -> None:
        done = pipe(payload(), {**environ, variable: "relative"}, "--then", "echo mine")
        assert done.stdout == b"mine\n"
        assert done.stderr.decode().startswith(f"ullage: {variable} must be an absolute path")

    def test_the_previous_line_stands_first(self, environ: dict[str, str]) -> None:
        shown = line(payload(), environ, "--then", "printf 'mine \\033[1mbold\\033[0m\\nsecond\\n'")
        assert shown.startswith("mine \033[1mbold\033[0m  Test 5.5  5h 37%")
        assert shown.endswith("context 8%\nsecond\n")

    def test_it_gets_the_same_input(self, environ: dict[str, str], tmp_path: Path) -> None:
        raw = json.dumps(payload(padding="é" * (1 << 19))).encode()
        pipe(None, environ, "--then", f"cat > {tmp_path}/copy", raw=raw)
        assert (tmp_path / "copy").read_bytes() == raw

    def test_quiet_prints_it_alone(self, environ: dict[str, str]) -> None:
        assert line(payload(), environ, "--quiet", "--then", "echo mine") == "mine\n"
        assert used(environ)["five_hour"] == 37.0

    def test_quiet_alone_prints_nothing(self, environ: dict[str, str]) -> None:
        assert line(payload(), environ, "--quiet") == ""
        assert used(environ)["five_hour"] == 37.0

    @pytest.mark.parametrize("command", ["exit 7", "no-such-program 2>/dev/null", "kill -9 $$", "exec 0<&- 1>&-"])
    def test_one_that_fails_costs_nothing_of_ours(self, environ: dict[str, str], command: str) -> None:
        assert "5h 37%" in pipe(payload(padding="x" * 300_000), environ, "--then", command).stdout.decode()

    def test_it_prints_even_where_ours_has_nothing_to_read(self, environ: dict[str, str]) -> None:
        assert pipe(None, environ, "--then", "echo mine", raw=b"junk").stdout == b"mine\n"

    def test_without_room_ours_has_a_line_of_its_own(self, environ: dict[str, str]) -> None:
        shown = line(payload(), {**environ, "COLUMNS": "50"}, "--then", "echo mine")
        assert shown == "mine\nTest 5.5  5h 37% 2h30  7d 61% 3d00h  context 8%\n"

    def test_bytes_that_are_no_text_pass_through(self, environ: dict[str, str]) -> None:
        shown = pipe(payload(), environ, "--quiet", "--then", "printf '\\377\\376'").stdout
        assert shown == b"\xff\xfe\n"

    @pytest.mark.parametrize(
        "command",
        [
            "printf 'mine\\n'; sleep 1000",
            "trap '' TERM; printf 'mine\\n'; (trap '' TERM; sleep 1000); sleep 1000",
            "printf 'mine\\n'; exec 1>&-; sleep 1000",
        ],
        ids=["hangs", "ignores the signal", "closes its output"],
    )
    def test_one_that_hangs_is_stopped_and_ours_is_printed(self, environ: dict[str, str], command: str) -> None:
        done = pipe(payload(), environ, "--then", command)
        shown = done.stdout.decode()
        assert shown.startswith("mine  Test 5.5  5h 37%")
        assert shown.endswith("(your own line is late)\n")
        assert used(environ)["five_hour"] == 37.0
        wait_until(lambda: not processes(environ), what="the end of all that it started")

    def test_one_that_leaves_something_running_is_not_late(self, environ: dict[str, str], tmp_path: Path) -> None:
        command = f"sleep 1000 2>/dev/null & echo $! > {tmp_path}/pid; echo mine"
        assert line(payload(), environ, "--quiet", "--then", command) == "mine\n"
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)

    def test_a_pipe_that_closes_ends_it_as_anywhere(self, environ: dict[str, str]) -> None:
        assert line(payload(), environ, "--quiet", "--then", "yes | head -n 1") == "y\n"

    def test_it_is_cancelled_with_us(self, environ: dict[str, str], tmp_path: Path) -> None:
        command = f"echo $$ > {tmp_path}/pid; exec sleep 1000"
        process = subprocess.Popen([ULLAGE, "statusline", "--then", command], env=environ, stdin=subprocess.PIPE)
        assert process.stdin is not None
        process.stdin.write(json.dumps(payload()).encode())
        process.stdin.close()
        wait_until(lambda: used(environ), what="the reading, while the previous line is slow")
        wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip(), what="the command")
        process.terminate()
        process.wait(90)
        pid = int((tmp_path / "pid").read_text())
        wait_until(lambda: not is_running(pid), what="the end of the command")


def files(environ: Mapping[str, str]) -> dict[str, tuple[int, int]]:
    directory = Path(ProfileCache(environ).directory)
    return {path.name: (path.stat().st_ino, path.stat().st_ctime_ns) for path in directory.iterdir()}


def test_nothing_is_written_while_nothing_changes(environ: dict[str, str]) -> None:
    stated = payload()
    line(stated, environ)
    wait_for_publication(environ, b"61%")
    before = files(environ)
    for _ in range(3):
        line({**stated, "cost": {**stated["cost"], "total_duration_ms": random.randrange(10**6)}}, environ)
    assert files(environ) == before


def test_an_idle_session_does_not_renew_its_age(environ: dict[str, str]) -> None:
    stated = payload()
    line(stated, environ)
    path = next(Path(ProfileCache(environ).directory).glob("reading.*"))
    old = (datetime.now(UTC) - timedelta(minutes=40)).isoformat()
    kept = json.loads(path.read_text())
    kept["as_of"] = old
    for window in kept["windows"]:
        window["as_of"] = old
    path.write_text(json.dumps(kept))
    assert "5h ~37%" in line(stated, environ)
    assert "5h 37%" in line(after_an_answer(stated), environ)
    told = json.loads(ullage("usage", "--json", "--no-refresh", environ=environ).stdout)
    assert told["state"] == "fresh"


def test_a_session_seen_for_the_first_time_is_as_old_as_its_transcript(environ: dict[str, str], tmp_path: Path) -> None:
    transcript = tmp_path / "transcript.jsonl"
    transcript.write_text("{}\n")
    hours_ago = time.time() - 2 * 3600
    os.utime(transcript, (hours_ago, hours_ago))
    assert "5h ~37%" in line(payload(transcript_path=str(transcript)), environ)


def test_frozen_sessions_do_not_pull_the_number_back(environ: dict[str, str]) -> None:
    line(payload(five_hour=45, session_id="active"), environ)
    for session in range(4):
        assert "5h 45%" in line(payload(five_hour=20 + session, session_id=f"idle-{session}"), environ)
    assert used(environ)["five_hour"] == 45.0
    assert "5h 46%" in line(after_an_answer(payload(five_hour=46, session_id="active")), environ)


def test_a_session_from_before_the_reset_shows_none_of_its_number(environ: dict[str, str]) -> None:
    limits = {"five_hour": {"used_percentage": 97, "resets_at": soon(minutes=-20)}}
    assert "97" not in line(payload(rate_limits=limits), environ)


def test_many_sessions_at_once_lose_nothing(environ: dict[str, str]) -> None:
    numbers = list(range(10, 34))
    random.shuffle(numbers)
    running = [
        subprocess.Popen([ULLAGE, "statusline"], env=environ, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        for _ in numbers
    ]
    for number, process in zip(numbers, running, strict=True):
        assert process.stdin is not None
        process.stdin.write(json.dumps(payload(five_hour=number, session_id=f"session-{number}")).encode())
        process.stdin.close()
    assert [process.wait(180) for process in running] == [0] * len(running)
    assert used(environ)["five_hour"] == 33.0
    wait_for_prompt(environ, "7d 61%\n")
    decoded = timeline.decode(ProfileCache(environ).read_timeline("plain"))
    assert decoded is not None
    wait_until(lambda: not list(Path(environ["ULLAGE_CACHE_DIR"]).rglob("*.new")), what="the end of every write")


def test_being_killed_at_any_moment_loses_nothing(environ: dict[str, str]) -> None:
    line(payload(five_hour=10), environ)
    for round in range(1, 25):
        stated = after_an_answer(payload(five_hour=10 + round), round)
        process = subprocess.Popen(
            [ULLAGE, "statusline"], env=environ, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        )
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps(stated).encode())
            process.stdin.close()
        time.sleep(random.uniform(0, 0.08))
        process.send_signal(signal.SIGKILL)
        process.wait(90)
        assert used(environ)["five_hour"] in (10.0 + round, 10.0 + round - 1)
        for surface in ("plain", "ansi", "starship"):
            assert timeline.decode(ProfileCache(environ).read_timeline(surface)) is not None
        line(stated, environ)
        assert used(environ)["five_hour"] == 10.0 + round
    assert f"5h {10 + round}%" in line(stated, environ)
    written = timeline.decode(ProfileCache(environ).read_timeline("starship"))
    assert written is not None


def test_what_a_killed_run_did_not_publish_the_next_one_does(environ: dict[str, str]) -> None:
    stated = payload(seven_day=70)
    line(stated, environ)
    wait_for_publication(environ, b"70%")
    cache = ProfileCache(environ)
    postpone(cache.environ, soon(hours=1))
    for surface in ("plain", "starship"):
        old = timeline.encode([], written=0, refresh_after=soon(hours=1), checkpoint=0, clock=None)
        cache.save_timeline(surface, old, None)
    statement = next(Path(cache.directory).glob("reading.*"))
    statement.write_bytes(statement.read_bytes())
    line(stated, environ)
    wait_for_prompt(environ, "7d 70%\n")


def test_a_copy_that_comes_late_brings_no_older_number_back(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    late: list[Callable[[], object]] = []
    monkeypatch.setattr(detach, "run_in_fork", late.append)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    stated = payload(seven_day=61)
    statusline._take_in(json.dumps(stated).encode(), environ, shows=False, prints=False)
    line(after_an_answer({**stated, "rate_limits": payload(seven_day=62)["rate_limits"]}), environ)
    wait_for_publication(environ, b"62%")
    (publish,) = late
    publish()
    assert ullage("prompt", environ=environ).stdout == "7d 62%\n"


def test_the_account_is_noted_with_the_statement(environ: dict[str, str]) -> None:
    history = [{"display": "x" * 1000, "pastedContents": {"oauthAccount": {"accountUuid": "decoy"}}}] * 2000
    state = {
        "projects": {"/p": {"history": history, "oauthAccount": {"accountUuid": "decoy"}}},
        "oauthAccount": {"accountUuid": ACCOUNT_ID, "emailAddress": "sam@example.com"},
    }
    Path(environ["HOME"], ".claude.json").write_text(json.dumps(state, indent=2))
    line(payload(), environ)
    reading = ProfileCache(environ).load_reading()
    assert reading is not None
    assert reading.account.id == ACCOUNT_ID
    stored = next(Path(ProfileCache(environ).directory).glob("reading.*")).read_text()
    assert "example.com" not in stored


def test_another_account_starts_afresh_at_once(environ: dict[str, str]) -> None:
    state = Path(environ["HOME"], ".claude.json")
    state.write_text(json.dumps({"oauthAccount": {"accountUuid": "first"}}, indent=2))
    line(payload(five_hour=88, seven_day=90), environ)
    state.write_text(json.dumps({"oauthAccount": {"accountUuid": "second"}}, indent=2))
    shown = line(payload(five_hour=3, seven_day=4, session_id="new"), environ)
    assert shown.startswith("Test 5.5  5h 3% 2h30  7d 4%")
    assert used(environ) == {"five_hour": 3.0, "seven_day": 4.0}


def test_a_cache_that_cannot_be_written_is_said_and_costs_no_line(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = pipe(payload(), {**environ, "ULLAGE_CACHE_DIR": str(tmp_path / "file" / "cache")})
    assert "5h 37%" in done.stdout.decode()
    assert done.stderr.startswith(b"ullage: Cannot make the directory")
    assert done.stderr.count(b"\n") == 1


def test_a_profile_has_numbers_of_its_own(environ: dict[str, str], tmp_path: Path) -> None:
    line(payload(five_hour=11), {**environ, "CLAUDE_CONFIG_DIR": str(tmp_path / "work")})
    line(payload(five_hour=55), environ)
    shown = json.loads(
        ullage("usage", "--json", "--no-refresh", "--profile", str(tmp_path / "work"), environ=environ).stdout
    )
    assert shown["windows"][0]["used_percent"] == 11.0


def test_it_says_what_it_is_for_when_nobody_pipes_to_it(environ: dict[str, str]) -> None:
    primary, secondary = os.openpty()
    done = subprocess.run([ULLAGE, "statusline"], env=environ, stdin=secondary, capture_output=True, check=False)
    os.close(primary)
    os.close(secondary)
    assert done.returncode == 2
    assert b"settings.json" in done.stderr


def test_a_reader_that_goes_away_is_no_trouble(environ: dict[str, str]) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    process = subprocess.Popen([ULLAGE, "statusline"], env=environ, stdin=subprocess.PIPE, stdout=write_end)
    os.close(write_end)
    process.communicate(json.dumps(payload()).encode())
    assert process.returncode == 0
    assert used(environ)["five_hour"] == 37.0


# Everything: what is added here is paid for at every answer of everybody's.
IMPORTED = {"__future__", "_datetime", "_json", "gc"} | tools.modules(
    base="arguments dates errors jsontext record text values",
    claude_code="statusline",
    config="palette settings template",
    prompt="",
    quota="model serial timeline",
    render="segment surfaces words",
    sources="statusline wire_windows",
    store="statements",
    system="files places",
)
BY_A_CONFIG = tools.modules(config="file plain", system="directories")
BY_AN_OPTION = tools.modules(base="shipped", config="checks judging options wishes", system="secret")


def is_published(environ: Mapping[str, str]) -> bool:
    """Say whether the last timeline that a statement's copy writes is newer than every statement."""
    directory = Path(ProfileCache(environ).directory)
    written = directory / f"{TIMELINES[-1]}.timeline"
    stated = [path.stat().st_ctime_ns for path in directory.glob("reading.*.json")]
    return written.exists() and written.stat().st_ctime_ns >= max(stated)


def imported(environ: Mapping[str, str]) -> set[str]:
    """Return what a line imports that says what its session has said before."""
    first = payload()
    line(first, environ)
    wait_until(lambda: is_published(environ), what="the timelines of what was said")
    shown, modules = tools.imported("statusline", environ=environ, given=json.dumps(first))
    assert "5h 37%" in shown
    return modules


def test_an_unchanged_line_imports_this_and_nothing_else(environ: dict[str, str]) -> None:
    assert imported(environ) == IMPORTED


@pytest.mark.parametrize("options", ["", 'show = "used"', "template = '{top}'"], ids=["explained", "set", "not plain"])
def test_what_a_config_toml_sets_adds_its_checks_and_seldom_the_reader_of_toml(
    options: str, environ: dict[str, str]
) -> None:
    Path(environ["ULLAGE_CONFIG"]).write_text(write_default().replace("[segment]", f"[segment]\n{options}", 1))
    modules = imported(environ)
    assert ("tomllib" in modules) == ("'" in options)
    if "tomllib" not in modules:
        assert modules == IMPORTED | BY_A_CONFIG | (BY_AN_OPTION if options else set())


def test_a_second_statement_and_a_width_add_what_they_need(environ: dict[str, str]) -> None:
    line(payload(session_id="another"), environ)
    environ["COLUMNS"] = "80"
    assert imported(environ) == IMPORTED | tools.modules(quota="merge meters", render="cells") | {"unicodedata"}


def test_the_pace_goes_by_the_history(environ: dict[str, str]) -> None:
    Path(environ["ULLAGE_CONFIG"]).write_text('[statusline]\ntemplate = "{5h} {5h.pace}[ {fable.pace}]"\n')
    assert line(payload(five_hour=75), environ) == "75%! 1.5×\n"


def kept(environ: Mapping[str, str], window: str = "five_hour") -> list[float]:
    cache = ProfileCache(environ)
    reading = cache.load_reading()
    if reading is None:
        return []
    since, path = datetime(2020, 1, 1, tzinfo=UTC), overview.locate_history(cache.environ)
    found = history.load_samples(path, overview.name_owner(cache, reading), since, datetime.now(UTC))
    return [sample.used_percent for sample in found.get(window, ())]


@pytest.mark.parametrize("arguments", [[], ["--quiet"], ["--then", "echo mine"]])
def test_what_it_says_is_kept_in_the_history(environ: dict[str, str], arguments: list[str]) -> None:
    line(payload(), environ, *arguments)
    wait_until(lambda: kept(environ) == [37.0], what="the reading in the history")
    assert kept(environ, "seven_day") == [61.0]


def test_a_changed_number_adds_what_keeps_it_and_leaves_the_rest_to_a_copy(environ: dict[str, str]) -> None:
    _, modules = tools.imported("statusline", environ=environ, given=json.dumps(payload()))
    assert modules == IMPORTED | tools.modules(
        claude_code="session", quota="merge", sources="claude_state", system="detach directories"
    )
    wait_until(lambda: kept(environ), what="the reading in the history")


def test_a_damaged_history_is_told_by_the_next_refresh(environ: dict[str, str]) -> None:
    path = Path(environ["ULLAGE_STATE_DIR"], "history.sqlite3")
    path.parent.mkdir()
    path.write_bytes(b"rubbish" * 500)
    before = ProfileCache(environ).load_schedule()
    line(payload(), environ)
    notice = Path(f"{path}.notice")
    wait_until(notice.exists, what="the notice")
    assert ProfileCache(environ).load_schedule() == before
    told = ullage("refresh", "--force", environ=environ)
    assert told.returncode == 0
    problem = ProfileCache(environ).load_schedule().problem
    assert problem is not None
    assert problem.code == "history_damaged"
    assert not notice.exists()


def test_a_session_that_no_longer_mentions_a_window_has_not_emptied_it(environ: dict[str, str]) -> None:
    def say(**windows: object) -> None:
        resets_at = int(time.time()) + 7200
        limits = {name: {"used_percentage": used, "resets_at": resets_at} for name, used in windows.items()}
        cost = {"total_cost_usd": len(str(windows))}
        given = json.dumps({"session_id": "one", "cost": cost, "rate_limits": limits})
        tools.run([tools.ULLAGE, "statusline"], environ, input=given)

    say(five_hour=99, seven_day=10)
    say(five_hour="x", seven_day=11)
    reading = ProfileCache(environ).load_reading()
    assert reading is not None
    assert {window.id: window.used_percent for window in reading.windows} == {"five_hour": 99.0, "seven_day": 11.0}

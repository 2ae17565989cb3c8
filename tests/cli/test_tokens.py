"""`ullage tokens` as people and programs run it, also over files that nobody should have to read."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import socket
import stat
import subprocess
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.samples import reading, window
from tests.support.terminal import Terminal
from tests.support.tools import PYTHON, ULLAGE, need, run, ullage
from tests.support.transcript import line, write
from tests.tokens.test_prices import listed
from ullage.config.rates import RATES
from ullage.render import cells
from ullage.store import history, overview
from ullage.store.cache import ProfileCache
from ullage.tokens import prices

if TYPE_CHECKING:
    from collections.abc import Mapping

HOUR = timedelta(hours=1)
NOTE = "not a percentage of the quota"


@pytest.fixture
def config(environ: dict[str, str]) -> Path:
    return Path(environ["HOME"], ".claude")


@pytest.fixture
def used(config: Path) -> Path:
    """Two days, two projects, two models, one of them without a price."""
    write(
        config,
        "-home-ada-p/s1.jsonl",
        line() + line("msg_2", request="req_2", at="2026-11-21T08:00:00Z", gitBranch="fix", read=1000),
    )
    odd = line("msg_3", request="req_3", session="s2", model="claude-nope-9", cwd="/home/ada/q", output=5)
    write(config, "-home-ada-q/s2.jsonl", odd)
    return config


def tokens(*arguments: str, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return ullage("tokens", *arguments, environ=environ)


def document(*arguments: str, environ: Mapping[str, str]) -> dict[str, Any]:
    done = tokens(*arguments, "--json", environ=environ)
    assert done.stderr == ""
    decoded = json.loads(done.stdout)
    assert isinstance(decoded, dict)
    return decoded


def test_the_table_says_what_it_is_not(used: Path, environ: dict[str, str]) -> None:
    done = tokens(environ=environ)
    assert (done.returncode, done.stderr) == (0, "")
    title, _, heading, first, second, rule, total, blank, *remarks = done.stdout.splitlines()
    assert title == "Tokens by day  2026-11-20 to 2026-11-21"
    assert set(rule) == {"─"}
    assert heading.split()[:3] == ["day", "input", "output"]
    assert first.split()[0] == "2026-11-20"
    assert second.split()[0] == "2026-11-21"
    assert total.split()[0] == "total"
    assert total.endswith("$0.01+?")
    assert blank == ""
    assert any(NOTE in remark for remark in remarks)
    assert any("claude-nope-9 (15)" in remark for remark in remarks)


def test_json_has_stable_names(used: Path, environ: dict[str, str]) -> None:
    found = document(environ=environ)
    assert found["schema"] == 1
    assert "not a percentage" in found["note"]
    assert set(found) == {
        *("schema", "note", "by", "timezone", "since", "until", "rows", "total", "running_window", "prices"),
        *("unpriced", "roots", "skipped"),
    }
    assert found["rows"][1] == {
        "day": "2026-11-21",
        "responses": 1,
        "input_tokens": 10,
        "output_tokens": 100,
        "thinking_tokens": 0,
        "cache_write_5m_tokens": 0,
        "cache_write_1h_tokens": 0,
        "cache_read_tokens": 1000,
        "total_tokens": 1110,
        "web_searches": 0,
        "cost_usd": 0.00305,
        "costs_usd": {
            "input": 0.00005,
            "output": 0.0025,
            "thinking": 0,
            "cache_write_5m": 0,
            "cache_write_1h": 0,
            "cache_read": 0.0005,
            "web_search": 0,
        },
        "unpriced_tokens": 0,
        "models": ["claude-opus-4-6"],
        "first_at": "2026-11-21T08:00:00Z",
        "last_at": "2026-11-21T08:00:00Z",
    }
    assert found["unpriced"] == [{"model": "claude-nope-9", "tokens": 15}]
    assert found["total"]["unpriced_tokens"] == 15
    assert found["prices"]["date"] == prices.load_bundled().date
    assert [root["files"] for root in found["roots"]] == [2, 0]


@pytest.mark.parametrize(
    ("by", "keys"),
    [
        ("day", [{"day": "2026-11-20"}, {"day": "2026-11-21"}]),
        ("week", [{"week": "2026-11-16"}]),
        ("month", [{"month": "2026-11"}]),
        ("session", [{"session": "s1", "project": "/home/ada/p"}, {"session": "s2", "project": "/home/ada/q"}]),
        ("project", [{"project": "/home/ada/p"}, {"project": "/home/ada/q"}]),
        ("model", [{"model": "claude-nope-9", "speed": "standard"}, {"model": "claude-opus-4-6"}]),
        (
            "branch",
            [
                {"project": "/home/ada/p", "branch": "fix"},
                {"project": "/home/ada/p", "branch": "main"},
                {"project": "/home/ada/q", "branch": "main"},
            ],
        ),
        (
            "window",
            [
                {"starts_at": "2026-11-20T10:00:00Z", "ends_at": "2026-11-20T15:00:00Z", "basis": "estimate"},
                {"starts_at": "2026-11-21T08:00:00Z", "basis": "estimate", "used_percent": None},
            ],
        ),
        ("machine", [{"machine": "this machine"}]),
    ],
)
def test_every_grouping_names_its_keys(
    used: Path, environ: dict[str, str], by: str, keys: list[dict[str, Any]]
) -> None:
    found = document("--by", by, environ=environ)
    assert [{name: row[name] for name in key} for row, key in zip(found["rows"], keys, strict=True)] == keys
    for name in ("total_tokens", "responses", "unpriced_tokens"):
        assert sum(row[name] for row in found["rows"]) == found["total"][name]
    [headings, *rows] = csv.reader(io.StringIO(tokens("--by", by, "--csv", environ=environ).stdout))
    assert [row[headings.index("total_tokens")] for row in rows] == [str(row["total_tokens"]) for row in found["rows"]]
    assert set(keys[0]) <= set(headings)
    assert len(rows) == len(keys)


def test_no_name_is_a_formula_in_a_spreadsheet(config: Path, environ: dict[str, str]) -> None:
    write(config, "-p/s1.jsonl", line(gitBranch="=cmd|'/C calc'!A0", model="@SUM(1)"))
    [_, row] = csv.reader(io.StringIO(tokens("--by", "branch", "--csv", environ=environ).stdout))
    assert "'=cmd|'/C calc'!A0" in row
    assert "'@SUM(1)" in row
    assert not [field for field in row if field[:1] in ("=", "+", "-", "@")]


def test_days_are_those_of_the_zone(config: Path, environ: dict[str, str]) -> None:
    write(
        config,
        "p/s1.jsonl",
        line(at="2026-11-20T23:30:00Z") + line("msg_2", request="req_2", at="2026-11-21T22:59:00Z"),
    )
    assert [row["day"] for row in document(environ=environ)["rows"]] == ["2026-11-20", "2026-11-21"]
    berlin = document("--timezone", "Europe/Berlin", environ=environ)
    assert ([row["day"] for row in berlin["rows"]], berlin["timezone"]) == (["2026-11-21"], "Europe/Berlin")
    assert [row["day"] for row in document(environ={**environ, "TZ": "Asia/Kathmandu"})["rows"]] == [
        "2026-11-21",
        "2026-11-22",
    ]


@pytest.mark.parametrize(
    ("arguments", "responses"),
    [
        (["--since", "2026-11-21"], 1),
        (["--until", "2026-11-20"], 2),
        (["--since", "2026-11-20", "--until", "2026-11-21"], 3),
        (["--since", "2026-11-20T10:00:00Z", "--until", "2026-11-20T10:00:01Z"], 2),
        (["--since", "2026-11-20T10:00:01Z", "--until", "2026-11-21T07:59:59Z"], 0),
        (["--until", "2026-11-21", "--timezone", "America/Los_Angeles"], 3),
        (["--until", "2026-11-20", "--timezone", "Pacific/Kiritimati"], 0),
    ],
)
def test_a_stretch_of_time(used: Path, environ: dict[str, str], arguments: list[str], responses: int) -> None:
    assert document(*arguments, environ=environ)["total"]["responses"] == responses


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--since", "soon"], "--since"),
        (["--since", "2026-11-21", "--until", "2026-11-20"], "before --until"),
        (["--timezone", "Mars/Base"], "no time zone"),
        (["--timezone", "../../etc/passwd"], "no time zone"),
        (["--by", "moon"], "moon"),
        (["--json", "--csv"], "exclude each other"),
        (["--root", "here"], "NAME=DIR"),
        (["--root", "here=/nowhere"], "NAME=DIR"),
        (["prices", "--update", "/nowhere.json"], "cannot be read"),
        (["prices", "--update", ""], "names nothing"),
        (["prices", "--update", "http://example.com/prices.json"], "neither an https"),
        (["prices", "--update", "ftp://127.0.0.1/prices.json"], "neither an https"),
        (["prices", "--update", "https://me:secret@example.com/"], "name and password"),
        (["prices", "--update", "x", "--bundled"], "exclude each other"),
    ],
)
def test_wrong_usage_is_said(environ: dict[str, str], arguments: list[str], words: str) -> None:
    done = tokens(*arguments, environ=environ)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_there_says_where_it_looked(environ: dict[str, str]) -> None:
    done = tokens(environ=environ)
    assert done.returncode == 3
    assert f"{environ['HOME']}/.config/claude" in done.stdout


def test_every_configuration_directory_is_read_once(environ: dict[str, str], tmp_path: Path) -> None:
    places = [
        Path(environ["HOME"], ".claude"),
        Path(environ["HOME"], ".config", "claude"),
        tmp_path / "a",
        tmp_path / "b",
    ]
    for number, place in enumerate(places):
        write(place, "p/s.jsonl", line(f"msg_{number}", request=f"req_{number}"))
    (tmp_path / "link").symlink_to(tmp_path / "a")
    several = f"{tmp_path}/a, {tmp_path}/b,{tmp_path}/link"
    assert document(environ={**environ, "CLAUDE_CONFIG_DIR": several})["total"]["responses"] == 4
    assert document("--profile", str(tmp_path / "b"), environ=environ)["total"]["responses"] == 1
    assert document("--profile", "default", environ=environ)["total"]["responses"] == 1
    profile = ProfileCache({**environ, "CLAUDE_CONFIG_DIR": str(tmp_path / "b")})
    profile.make_private()
    profile.save_timeline("plain", b"", None)
    assert document(environ=environ)["total"]["responses"] == 3


def known_window(environ: Mapping[str, str], used: float, left: timedelta) -> datetime:
    """Let the server have stated a five-hour window now; return when it began."""
    now = datetime.now(UTC).replace(microsecond=0)
    session = window("five_hour", used, as_of=now, resets_at=now + left)
    stated = reading(session, as_of=now)
    cache = ProfileCache(environ)
    cache.make_private()
    cache.save_reading(stated)
    history.record(overview.locate_history(environ), overview.name_owner(cache, stated), [session], now)
    return now + left - 5 * HOUR


def test_the_running_window_is_the_server_s_and_machines_have_shares_of_what_we_see(
    environ: dict[str, str], config: Path, tmp_path: Path
) -> None:
    begun = known_window(environ, 42.0, 2 * HOUR)
    inside, before = (f"{begun + step:%Y-%m-%dT%H:%M:%SZ}" for step in (timedelta(seconds=1), -timedelta(seconds=1)))
    write(config, "p/a.jsonl", line(at=inside, fresh=0, output=41) + line("msg_2", request="r2", at=before, output=500))
    write(tmp_path / "desk", "p/b.jsonl", line("msg_3", request="r3", at=inside, fresh=0, output=59))
    desk = ["--root", f"desktop={tmp_path / 'desk'}"]
    found = document(*desk, "--by", "machine", environ=environ)
    running = found["running_window"]
    assert (running["basis"], running["visible_tokens"]) == ("server", 100)
    assert running["machines"] == [
        {"machine": "this machine", "tokens": 41, "percent_of_visible_tokens": 41.0},
        {"machine": "desktop", "tokens": 59, "percent_of_visible_tokens": 59.0},
    ]
    assert [row["machine"] for row in found["rows"]] == ["desktop", "this machine"]
    printed = tokens(*desk, environ=environ).stdout
    assert "this machine 41%, desktop 59% of the 100 tokens that we can see" in printed
    assert "claude.ai, the apps and other machines are not in it" in printed
    first, second = document("--by", "window", environ=environ)["rows"]
    assert (first["basis"], first["used_percent"], first["total_tokens"]) == ("estimate", None, 510)
    assert (second["basis"], second["used_percent"], second["total_tokens"]) == ("server", 42.0, 41)
    assert second["starts_at"] == f"{begun:%Y-%m-%dT%H:%M:%SZ}"
    assert first["ends_at"] <= second["starts_at"]
    assert "41 tokens here, all that we can see" in tokens(environ=environ).stdout


def test_a_window_is_estimated_where_the_server_told_none(environ: dict[str, str], config: Path) -> None:
    write(config, "p/a.jsonl", line(at=datetime.now(UTC).isoformat()))
    assert document(environ=environ)["running_window"]["basis"] == "estimate"
    assert "an estimated five-hour window" in tokens(environ=environ).stdout


@pytest.mark.parametrize("columns", [40, 80, 160])
@pytest.mark.parametrize("by", ["day", "session", "model", "window"])
def test_a_table_fits_the_terminal(used: Path, environ: dict[str, str], columns: int, by: str) -> None:
    with Terminal(
        [ULLAGE, "tokens", "--by", by, "--since", "2026-11-01"], environ, columns=columns, rows=40
    ) as terminal:
        terminal.wait_for_end()
        rows = [row for row in terminal.lines if "$" in row or "API price" in row]
        assert len(rows) >= 2
        assert "tokens" in rows[0] or columns == 40
        # Nothing is broken over two lines: headings, rows and total end in one column, and bars stand behind it.
        ends = {cells.measure_width(row.rstrip("━╸").rstrip()) for row in rows if "+?" in row or "API" in row}
        assert ends == {cells.measure_width(rows[-1])}
        assert ("cache read" in rows[0]) is (columns >= 80)
        assert "of the quota" in terminal.text.replace("\n", " ")


def put_everything_bad(project: Path) -> None:
    os.mkfifo(project / "fifo.jsonl")
    (project / "folder.jsonl").mkdir()
    (project / "folder.jsonl" / "inner.jsonl").write_text(line("msg_inner", request="r1"))
    os.mknod(project / "socket.jsonl", stat.S_IFSOCK | 0o600)
    (project / "dead.jsonl").symlink_to("nowhere")
    (project / "loop").symlink_to(".")
    (project / "up").symlink_to("..")
    (project / "round-1.jsonl").symlink_to("round-2.jsonl")
    (project / "round-2.jsonl").symlink_to("round-1.jsonl")
    (project / "endless.jsonl").symlink_to("/dev/zero")
    (project / "empty.jsonl").write_bytes(b"")
    (project / "zeros.jsonl").write_bytes(bytes(9 << 20) + b"\n" + line("msg_zeros", request="r2").encode())
    with (project / "long.jsonl").open("wb") as file:
        file.write(line("msg_before", request="r3").encode())
        file.write(b'{"type":"user","message":"' + b"x" * (100 << 20) + b'"}\n')
        file.write(line("msg_after", request="r4").encode())
    (project / "half.jsonl").write_text(line("msg_half", request="r5") + line("msg_no", request="r6")[:120])
    (project / "clock.jsonl").write_text(line(at=None) + line(at="noon"))
    (project / "broken.jsonl").write_text(
        '{"output_tokens":{{{\n' + line(usage={"input_tokens": "many"}) + line(output=-5)
    )
    (project / "deep.jsonl").write_bytes(b'{"output_tokens":' + b"[" * 100_000 + b"\n")
    named = line("msg_utf8", request="r7").encode().replace(b'"main"', b'"m\xff\xfein"')
    (project / "utf8.jsonl").write_bytes(
        named + line("msg_text", request="r8", pad="@").encode().replace(b"@", b"\xff")
    )
    (project / os.fsdecode(b"name\xff\n\x1b[2J.jsonl")).write_text(line("msg_name", request="r9"))
    for locked in (project / "locked.jsonl", project / "locked" / "a.jsonl"):
        locked.parent.mkdir(exist_ok=True)
        locked.write_text(line("msg_locked", request="r0"))
    (project / "locked.jsonl").chmod(0)
    (project / "locked").chmod(0)


def test_what_cannot_be_read_is_counted_and_stops_nothing(config: Path, environ: dict[str, str]) -> None:
    project = config / "projects" / "-home-ada-p"
    project.mkdir(parents=True)
    put_everything_bad(project)
    # Root reads everything, unless it is without the right to.
    powers = "-dac_override,-dac_read_search"
    command = [ULLAGE, "tokens", "--json"]
    if os.geteuid() == 0:
        command = [need("setpriv"), f"--bounding-set={powers}", *command]
    try:
        for _ in range(2):
            done = run(command, environ)
            assert (done.returncode, done.stderr) == (0, "")
            found = json.loads(done.stdout)
            assert {kind: number for kind, number in found["skipped"].items() if number} == {
                "unreadable_folders": 1,
                "unreadable_files": 4,
                "not_files": 4,
                "folders_seen_before": 2,
                "broken_lines": 4,
                "long_lines": 2,
                "clockless_lines": 2,
                "half_written_lines": 1,
                "mended_lines": 1,
            }
            assert found["total"]["responses"] == 8
        said = tokens(environ=environ).stdout
        assert "skipped: " in said
        assert "4 broken lines, 2 lines longer than 4 MiB" in said
        assert "\x1b" not in said
    finally:
        (project / "locked").chmod(0o700)


def test_a_file_that_is_written_while_it_is_read_comes_right_in_the_end(config: Path, environ: dict[str, str]) -> None:
    file = write(config, "p/a.jsonl", "")
    rounds = 200

    def work() -> None:
        for number in range(rounds):
            whole = line(f"msg_{number}", request=f"r{number}", output=1)
            with file.open("a") as appended:
                appended.write(whole[:50])
                appended.flush()
                time.sleep(0.001)
                appended.write(whole[50:])
            if number == rounds // 2:
                os.truncate(file, 0)

    writer = threading.Thread(target=work)
    writer.start()
    while writer.is_alive():
        done = tokens("--json", environ=environ)
        assert (done.returncode, done.stderr) == (0, "")
        assert json.loads(done.stdout)["total"]["responses"] <= rounds
    writer.join()
    assert document(environ=environ)["total"]["responses"] == rounds - rounds // 2 - 1


def test_two_looks_at_once_do_not_count_twice(config: Path, environ: dict[str, str]) -> None:
    for number in range(60):
        write(config, f"p/{number}.jsonl", line(f"msg_{number}", request=f"r{number}") * 50)
    looks = [
        subprocess.Popen([ULLAGE, "tokens", "--json"], env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    for look in looks:
        out, err = look.communicate(timeout=180)
        assert (look.returncode, err) == (0, b"")
        assert json.loads(out)["total"]["responses"] == 60


def test_an_index_that_is_damaged_is_made_again(used: Path, environ: dict[str, str]) -> None:
    before = document(environ=environ)["total"]
    [index] = Path(environ["ULLAGE_CACHE_DIR"], "tokens").glob("*.sqlite3")
    index.write_bytes(b"rubbish" * 3000)
    done = tokens("--json", environ=environ)
    assert json.loads(done.stdout)["total"] == before
    assert "was damaged" in done.stderr
    assert document(environ=environ)["total"] == before


def test_without_a_place_for_an_index_everything_is_read_and_that_is_said(used: Path, environ: dict[str, str]) -> None:
    Path(environ["ULLAGE_CACHE_DIR"]).write_text("a file")
    done = tokens("--json", environ=environ)
    assert (done.returncode, json.loads(done.stdout)["total"]["responses"]) == (0, 3)
    assert "ULLAGE_CACHE_DIR" in done.stderr
    assert "every look reads all" in done.stderr


def test_names_from_outside_are_harmless(config: Path, environ: dict[str, str]) -> None:
    evil = "\x1b]0;owned\x07\x1b[31mred\u202e\n"
    write(config, "p/a.jsonl", line(model=evil, gitBranch=evil, session=evil, cwd=evil))
    for by in ("model", "branch", "session", "project"):
        for form in ([], ["--json"], ["--csv"]):
            said = tokens("--by", by, *form, environ=environ).stdout
            assert "red" in said or by == "project"
            assert not set(said) & set("\x1b\x07\u202e")
            assert "u001b" not in said


def test_own_prices_and_their_mistakes(used: Path, environ: dict[str, str]) -> None:
    file = Path(environ["ULLAGE_CONFIG"])
    own = ", ".join(f"{rate} = 1000" for rate in RATES)
    file.write_text(f'[tokens.prices]\n"claude-nope-9" = {{ {own} }}\n')
    found = document(environ=environ)
    assert found["unpriced"] == []
    assert found["prices"]["overridden"] == ["claude-nope-9"]
    assert found["total"]["cost_usd"] == pytest.approx(0.0206, abs=1e-4)
    assert "claude-nope-9 *" in tokens("prices", environ=environ).stdout
    assert "claude-nope-9" in ullage("config", environ=environ).stdout
    file.write_text('[tokens.prices."claude-nope-9"]\ninput = 3\n')
    done = tokens(environ=environ)
    assert (done.returncode, done.stdout) == (2, "")
    assert "gives no output" in done.stderr
    file.write_text('\n[tokens.prices."claude-opus-4-6"]\ninput = "three"\n')
    done = tokens("--json", environ=environ)
    assert done.returncode == 0
    assert f"{file}:3: tokens.prices of claude-opus-4-6 gives input" in done.stderr


def test_prices_are_updated_from_a_file_and_go_back(used: Path, environ: dict[str, str], tmp_path: Path) -> None:
    printed = tokens("prices", "--json", environ=environ).stdout
    mine = tmp_path / "mine.json"
    mine.write_text(json.dumps(listed(**{"claude-nope-9": dict.fromkeys(RATES, 100)})))
    done = tokens("prices", "--update", str(mine), environ=environ)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Of 2026-11-22. a test." in done.stdout
    assert {one["model"] for one in document(environ=environ)["unpriced"]} == {"claude-opus-4-6"}
    for bad in (b"rubbish", b"{}", json.dumps(listed(a={})).encode(), b"x" * (prices.LARGEST_FILE + 1)):
        mine.write_bytes(bad)
        done = tokens("prices", "--update", str(mine), environ=environ)
        assert (done.returncode, done.stdout) == (2, "")
        assert str(mine) in done.stderr
        assert "Of 2026-11-22" in tokens("prices", environ=environ).stdout
    assert tokens("prices", "--bundled", "--json", environ=environ).stdout == printed
    mine.write_text(printed)
    assert tokens("prices", "--update", str(mine), "--json", environ=environ).stdout == printed


class _Prices(threading.Thread):
    """Answer each connection to a loopback address with the same bytes."""

    def __init__(self, answer: bytes) -> None:
        super().__init__(daemon=True)
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}/prices.json"
        self.asked = b""

    def run(self) -> None:
        connection, _ = self._socket.accept()
        with connection, self._socket:
            self.asked = connection.recv(65536)
            # Whoever has read enough hangs up.
            with contextlib.suppress(OSError):
                connection.sendall(self._answer)


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        ("200 OK", json.dumps(listed()).encode(), ""),
        ("302 Found\r\nLocation: http://127.0.0.1:1/", b"", "status 302"),
        ("404 Not Found", b"", "status 404"),
        ("200 OK", b"<html>sign in</html>", "no JSON"),
        ("200 OK", b"x" * (prices.LARGEST_FILE + 1), "more than 16 MiB"),
    ],
)
def test_prices_are_updated_from_an_address(environ: dict[str, str], status: str, body: bytes, words: str) -> None:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    server = _Prices(head.encode() + body)
    server.start()
    done = tokens("prices", "--update", server.address, environ=environ)
    assert words in done.stderr
    assert done.returncode == (5 if words else 0)
    assert b"GET /prices.json" in server.asked
    assert b"uthorization" not in server.asked
    assert ("a test" in tokens("prices", environ=environ).stdout) is (not words)


PROGRESS = """
import os, sys, time, tty
from ullage.cli.progress import ProgressBar
with ProgressBar("reading transcripts") as bar:
    bar.advance(1 << 20, 4 << 20)
    if sys.argv[1] == "long":
        time.sleep(0.6)
        if sys.stdin.isatty():
            tty.setcbreak(0)
        bar.advance(2 << 20, 4 << 20)
        os.read(0, 1)
print("end")
"""


@pytest.mark.parametrize("columns", [30, 80])
def test_a_bar_is_drawn_on_a_terminal_when_it_takes_long(environ: dict[str, str], columns: int) -> None:
    with Terminal([PYTHON, "-c", PROGRESS, "long"], environ, columns=columns) as terminal:
        terminal.wait_for("reading transcripts ━━")
        if columns == 80:
            assert "50% of 4 MiB" in terminal.text
        assert len(terminal.text.splitlines()) == 1
        terminal.send("\n")
        terminal.wait_for_end()
        assert terminal.text.split() == ["end"]


def test_no_bar_is_drawn_when_it_is_soon_done_or_nobody_looks(environ: dict[str, str]) -> None:
    with Terminal([PYTHON, "-c", PROGRESS, "short"], environ) as terminal:
        terminal.wait_for_end()
        assert terminal.text == "end"
    done = run([PYTHON, "-c", PROGRESS, "long"], environ, input="\n")
    assert (done.stdout, done.stderr) == ("end\n", "")


def test_what_costs_most_stands_first_and_sessions_stand_in_the_order_of_time(
    config: Path, environ: dict[str, str]
) -> None:
    later, dearer = (f"{letter}0000000-0000-4000-8000-000000000000" for letter in "12")
    write(
        config, f"-a-q/{later}.jsonl", line("msg_1", request="r1", session=later, at="2026-11-21T10:00:00Z", cwd="/a/q")
    )
    write(
        config,
        f"-a-p/{dearer}.jsonl",
        line("msg_2", request="r2", session=dearer, at="2026-11-20T10:00:00Z", cwd="/a/p", output=9000),
    )
    rows = tokens("--by", "session", environ=environ).stdout.splitlines()[3:5]
    assert [row.split()[:4] for row in rows] == [
        ["2026-11-20", "10:00", "p", "20000000"],
        ["2026-11-21", "10:00", "q", "10000000"],
    ]
    rows = tokens("--by", "project", environ=environ).stdout.splitlines()[3:5]
    assert [row.split()[0] for row in rows] == ["/a/p", "/a/q"]

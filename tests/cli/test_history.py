"""`ullage history` and `ullage chart`: what they print and write, and what they say about what they cannot."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.samples import reading, window
from tests.support.terminal import Terminal
from tests.support.tools import PYTHON, ULLAGE, run, ullage
from ullage.base.errors import UsageError
from ullage.base.moments import parse_beginning
from ullage.quota.model import Credits, Money, Reading, Window, list_named_limits
from ullage.quota.schedule import Schedule
from ullage.store import history, overview
from ullage.store.cache import ProfileCache

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def known(environ: dict[str, str]) -> datetime:
    """A cache with a reading, and its history since three hours ago and, for the week, since twenty days ago."""
    now = datetime.now(UTC).replace(microsecond=0)
    session = window("five_hour", 60.0, label="Session (5h)", as_of=now, resets_at=now + 2 * HOUR)
    week = window("seven_day", 30.0, label="Week (all models)", as_of=now, resets_at=now + 5 * DAY)
    other = window("tangelo", 5.0, as_of=now, resets_at=now + 5 * DAY)
    before = [session.replace(as_of=now - (6 - n) * HOUR / 2, used_percent=10.0 * n) for n in range(6)]
    before += [
        week.replace(as_of=now - n * DAY, used_percent=20.0, resets_at=now + (5 - 7 * (n // 7)) * DAY) for n in (20, 1)
    ]
    cache = ProfileCache(environ)
    cache.make_private()
    stated = reading(session, week, other, as_of=now)
    cache.save_reading(stated)
    cache.save_schedule(Schedule().begun(now))
    history.record(
        overview.locate_history(cache.environ), overview.name_owner(cache, stated), [*before, session, week], now
    )
    return now


NOW = datetime(2026, 11, 22, 10, 38, 49, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90m", NOW - 1.5 * HOUR),
        ("12h", NOW - 12 * HOUR),
        (" 7d ", NOW - 7 * DAY),
        ("2w", NOW - 14 * DAY),
        ("0d", NOW),
        ("2026-11-22T10:30:00Z", NOW.replace(minute=30, second=0)),
        ("2026-11-22T10:30+01:00", NOW.replace(hour=9, minute=30, second=0)),
    ],
)
def test_since_is_a_span_or_a_time_with_its_zone(text: str, moment: datetime) -> None:
    assert parse_beginning(text, NOW) == moment


def test_a_date_without_a_zone_is_local() -> None:
    local = datetime(2026, 11, 20).astimezone()  # as a person types it
    assert parse_beginning("2026-11-20", NOW) == local
    assert parse_beginning("2026-11-20", NOW).tzinfo is UTC


@pytest.mark.parametrize("text", ["", "tomorrow", "7", "-7d", "7 parsecs", "2026-13-01", "2030-01-01", "0001-01-01"])
def test_what_since_cannot_be_is_explained(text: str) -> None:
    with pytest.raises(UsageError, match=r"is none of 90m|lies in the future|lies outside"):
        parse_beginning(text, NOW)


def test_the_list_has_a_line_for_each_sample(environ: dict[str, str], known: datetime) -> None:
    printed = ullage("history", environ=environ)
    assert (printed.returncode, printed.stderr) == (0, "")
    heading, *lines = printed.stdout.splitlines()
    assert heading.split() == ["when", "window", "used", "resets"]
    assert len(lines) == 9
    assert lines[-1].startswith(f"{known:%Y-%m-%d %H:%M}  7d")
    assert lines[-1].endswith(f"{known + 5 * DAY:%a %H:%M}")
    assert [line.split()[3] for line in lines if "  5h  " in line] == [
        "0%",
        "10%",
        "20%",
        "30%",
        "40%",
        "50%",
        "60%",
    ]


@pytest.mark.parametrize(("columns", "day"), [(40, "%m-%d"), (80, "%Y-%m-%d")])
def test_history_fits_into_the_terminal(environ: dict[str, str], known: datetime, columns: int, day: str) -> None:
    lines = ullage("history", environ={**environ, "COLUMNS": str(columns)}).stdout.splitlines()
    assert max(map(len, lines)) <= columns
    assert lines[-1].startswith(f"{known:{day} %H:%M}  7d")


def test_since_and_window_choose(environ: dict[str, str], known: datetime) -> None:
    everything = ullage("history", "--since", "30d", "--window", "7d", environ=environ).stdout.splitlines()
    assert [line.split()[2:4] for line in everything[1:]] == [["7d", "20%"], ["7d", "20%"], ["7d", "30%"]]
    assert len(ullage("history", "--since", "50m", environ=environ).stdout.splitlines()) == 1 + 3


def test_json_and_csv_say_the_same(environ: dict[str, str], known: datetime) -> None:
    parsed = json.loads(ullage("history", "--json", environ=environ).stdout)
    assert parsed["schema"] == 1
    assert parsed["samples"][-1] == {
        "at": f"{known:%Y-%m-%dT%H:%M:%SZ}",
        "window": "seven_day",
        "used_percent": 30.0,
        "resets_at": f"{known + 5 * DAY:%Y-%m-%dT%H:%M:%SZ}",
    }
    rows = list(csv.DictReader(io.StringIO(ullage("history", "--csv", environ=environ).stdout)))
    assert [{**row, "used_percent": float(row["used_percent"])} for row in rows] == parsed["samples"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["history", "--since", "soon"], "is none of 90m, 12h"),
        (["history", "--window", "opus"], "There is no window 'opus'. Known are 5h, 7d, tangelo."),
        (["history", "--json", "--csv"], "exclude each other"),
        (["chart", "opus"], "Known are 5h, 7d, tangelo"),
        (["chart", "--theme", "pink"], "'pink' is none of auto, light, dark."),
        (["watch"], "needs a terminal"),
        (["setup", "remote", "bad name", "--ssh", "x"], "The machine needs a name of letters, digits"),
        (["setup", "remote", "x", "--url", "http://quota.example.org", "--yes"], "is neither an https:// address"),
    ],
)
def test_wrong_usage_is_explained(environ: dict[str, str], known: datetime, arguments: list[str], words: str) -> None:
    said = ullage(*arguments, environ=environ)
    assert (said.returncode, said.stdout) == (2, "")
    assert words in " ".join(said.stderr.split())
    assert "Traceback" not in said.stderr


@pytest.mark.parametrize("command", ["history", "chart"])
def test_knowing_nothing_is_exit_code_3(environ: dict[str, str], command: str) -> None:
    said = ullage(command, environ=environ)
    assert said.returncode == 3
    assert "Nothing" in said.stdout + said.stderr
    assert not os.path.exists(environ["ULLAGE_STATE_DIR"])


def test_a_state_directory_that_is_not_absolute_is_refused(environ: dict[str, str]) -> None:
    said = ullage("history", environ={**environ, "ULLAGE_STATE_DIR": "here"})
    assert (said.returncode, "ULLAGE_STATE_DIR must be an absolute path" in said.stderr) == (2, True)


def test_a_damaged_history_is_told_and_a_chart_is_drawn_without_it(environ: dict[str, str], known: datetime) -> None:
    Path(environ["ULLAGE_STATE_DIR"], "history.sqlite3").write_bytes(b"rubbish" * 1000)
    said = ullage("history", environ=environ)
    assert (said.returncode, "set aside" in said.stderr, "Traceback" in said.stderr) == (5, True, False)
    assert ullage("chart", environ=environ).returncode == 0
    assert ullage("usage", "--no-refresh", environ=environ).returncode == 0


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(("rows", "columns"), [(24, 40), (20, 80), (18, 80)])
def test_the_heading_of_a_chart_stays_above_the_next_prompt(environ: dict[str, str], rows: int, columns: int) -> None:
    environ = {name: value for name, value in environ.items() if name != "COLUMNS"}
    with Terminal(
        ["/bin/sh", "-c", f"{ULLAGE} chart; printf '\\n$ '"], environ, rows=rows, columns=columns
    ) as terminal:
        terminal.wait_for_end()
        assert terminal.lines[0].startswith("Session (5h)  60%")
        assert terminal.line == "$"


def test_the_chart_is_of_the_window_nearest_to_its_limit(environ: dict[str, str], known: datetime) -> None:
    drawn = ullage("chart", environ={**environ, "COLUMNS": "70"})
    assert (drawn.returncode, drawn.stderr) == (0, "")
    assert drawn.stdout.startswith("Session (5h)  60%")
    assert "\033" not in drawn.stdout
    assert max(map(len, drawn.stdout.splitlines())) <= 70
    assert ullage("chart", "7d", environ=environ).stdout.startswith("Week (all models)  30%")


def test_colour_comes_only_where_it_is_wanted(environ: dict[str, str], known: datetime) -> None:
    forced = {**environ, "CLICOLOR_FORCE": "1"}
    for command in (["chart"], ["usage", "--no-refresh"]):
        assert "\033[3" in ullage(*command, environ=forced).stdout
        assert "\033[3" not in ullage(*command, environ={**forced, "NO_COLOR": "1"}).stdout


def test_a_window_without_a_course_is_exit_code_3(environ: dict[str, str], known: datetime) -> None:
    said = ullage("chart", "tangelo", environ=environ)
    assert (said.returncode, said.stdout) == (3, "")
    assert "cannot be drawn" in said.stderr


def dollars(cents: int) -> Money:
    return Money(amount_minor=cents, currency="USD", exponent=2)


def keep(environ: dict[str, str], *statements: Reading) -> None:
    """Keep readings in the history, in order of time, and the last in the cache."""
    cache = ProfileCache(environ)
    cache.make_private()
    for stated in statements:
        owner = overview.name_owner(cache, stated)
        history.record(overview.locate_history(environ), owner, list_named_limits(stated), stated.as_of)
    cache.save_reading(statements[-1])
    cache.save_schedule(Schedule().begun(statements[-1].as_of))


def budgets(now: datetime, *cents: int, windows: tuple[Window, ...] = (), enabled: bool = True) -> list[Reading]:
    """Readings of a budget of 500 dollars, six hours apart, the last of now."""
    return [
        reading(
            *windows,
            credits=Credits(enabled=enabled, used=dollars(used), limit=dollars(50000), used_percent=used / 500),
            as_of=now - (len(cents) - 1 - number) * 6 * HOUR,
        )
        for number, used in enumerate(cents)
    ]


@pytest.mark.parametrize("name", [[], ["credits"]])
def test_a_budget_is_drawn_by_its_history(environ: dict[str, str], name: list[str]) -> None:
    """An Enterprise plan, or a work account with nothing but `spend`: its budget binds."""
    keep(environ, *budgets(datetime.now(UTC), 1000, 2000, 2100, 3000, 4631))
    drawn = ullage("chart", *name, environ={**environ, "COLUMNS": "80"})
    assert (drawn.returncode, drawn.stderr) == (0, "")
    heading, *plot, legend = drawn.stdout.splitlines()
    assert heading == "Credits  9%  $46.31 of $500.00  no reset time known"
    assert sum("▄" in row or "█" in row or "▂" in row for row in plot) >= 1
    assert legend == "█ used"


def test_credits_that_are_off_have_no_course(environ: dict[str, str]) -> None:
    keep(environ, *budgets(datetime.now(UTC), 0, windows=(window("five_hour", 60.0),), enabled=False))
    said = ullage("chart", "credits", environ=environ)
    assert (said.returncode, said.stdout) == (3, "")
    assert said.stderr == "The credits are off or have no limit, so that there is no course to draw.\n"


def test_nothing_known_has_no_history(environ: dict[str, str]) -> None:
    said = ullage("history", environ=environ)
    assert (said.returncode, said.stdout) == (3, "")
    assert said.stderr == "Nothing is known yet. `ullage usage` asks.\n"


def test_a_budget_that_was_passed_is_used_up(environ: dict[str, str]) -> None:
    keep(environ, *budgets(datetime.now(UTC), 30000, 50100))
    drawn = ullage("chart", "credits", environ={**environ, "COLUMNS": "80"})
    assert drawn.stdout.startswith("Credits  100%×  $501.00 of $500.00  used up\n")


def test_a_gateways_spend_limit_is_drawn_over_its_period(environ: dict[str, str]) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    limits = [
        window("spend_limit", used / 500, label="Spend limit (monthly)", as_of=at, resets_at=now + 10 * DAY).replace(
            period="monthly", used=dollars(used), limit=dollars(50000)
        )
        for at, used in ((now - 5 * DAY, 10000), (now, 23450))
    ]
    keep(environ, *(reading(limit, as_of=limit.as_of) for limit in limits))
    drawn = ullage("chart", "spend_limit", environ={**environ, "COLUMNS": "120"})
    assert drawn.stdout.startswith("Spend limit (monthly)  46%  $234.50 of $500.00  resets ")
    assert "just lasts" in drawn.stdout
    assert "four cases of five" not in drawn.stdout


def test_a_budget_without_a_history_says_when_it_will_be_drawn(environ: dict[str, str]) -> None:
    keep(environ, *budgets(datetime.now(UTC), 4631))
    said = ullage("chart", "credits", environ=environ)
    assert (said.returncode, said.stdout) == (3, "")
    assert said.stderr.startswith("Credits: 9% used, $46.31 of $500.00. It is the first reading of it that is kept")


def test_pictures_are_written_and_written_over(environ: dict[str, str], known: datetime, tmp_path: Path) -> None:
    svg, png = tmp_path / "burn.svg", tmp_path / "burn.png"
    for _ in range(2):
        written = ullage("chart", "--svg", str(svg), "--png", str(png), "--theme", "dark", environ=environ)
        assert (written.returncode, written.stdout) == (0, "")
    assert svg.read_bytes().startswith(b"<svg")
    assert png.read_bytes().startswith(b"\x89PNG\r\n")
    assert sorted(path.name for path in tmp_path.glob("burn*")) == ["burn.png", "burn.svg"]
    assert ullage("chart", "--svg", "-", environ=environ).stdout.endswith("</svg>\n")


def test_a_card_shows_every_window_and_nobody(environ: dict[str, str], known: datetime, tmp_path: Path) -> None:
    svg, png = tmp_path / "card.svg", tmp_path / "card.png"
    written = ullage("chart", "--all", "--svg", str(svg), "--png", str(png), environ=environ)
    assert (written.returncode, written.stdout) == (0, "")
    shown = svg.read_text()
    for text in ("Max 20x", "Session (5h)", "60%", "Week (all models)", "30%", 'width="1200" height="630"'):
        assert text in shown
    assert "a1b2" not in shown
    assert struct.unpack(">II", png.read_bytes()[16:24]) == (2400, 1260)
    assert ullage("chart", "--all", "--account", "--svg", str(svg), environ=environ).returncode == 0
    assert "a1b2" in svg.read_text()


def test_every_chart_is_printed_below_the_other(environ: dict[str, str], known: datetime) -> None:
    drawn = ullage("chart", "--all", environ={**environ, "COLUMNS": "100"})
    assert (drawn.returncode, drawn.stderr) == (0, "")
    headings = [line.split("  ")[0] for line in drawn.stdout.splitlines() if "resets" in line]
    assert headings == ["Session (5h)", "Week (all models)"]


@pytest.mark.parametrize("arguments", [["7d", "--all"], ["--account"], ["--all", "--account"]])
def test_what_a_card_is_not_made_of_is_explained(
    environ: dict[str, str], known: datetime, arguments: list[str]
) -> None:
    said = ullage("chart", *arguments, environ=environ)
    assert (said.returncode, said.stdout) == (2, "")
    assert "--all" in said.stderr


@pytest.mark.parametrize("option", ["--svg", "--png"])
def test_a_file_that_is_no_picture_stays(environ: dict[str, str], known: datetime, tmp_path: Path, option: str) -> None:
    precious = tmp_path / "thesis.txt"
    precious.write_text("ten years")
    said = ullage("chart", option, str(precious), environ=environ)
    assert (said.returncode, "stays as it is" in said.stderr) == (2, True)
    assert precious.read_text() == "ten years"
    nowhere = ullage("chart", option, str(tmp_path / "missing" / "x"), environ=environ)
    assert (nowhere.returncode, "Name another file." in nowhere.stderr) == (2, True)
    nameless = ullage("chart", option, str(tmp_path), environ=environ)
    assert (nameless.returncode, "is a directory. Name a file." in nameless.stderr) == (2, True)


def test_without_pillow_a_png_is_explained(environ: dict[str, str], known: datetime, tmp_path: Path) -> None:
    script = "import sys; sys.modules['PIL'] = None; from ullage.cli import run; sys.exit(run(sys.argv[1:]))"
    said = run([PYTHON, "-c", script, "chart", "--png", str(tmp_path / "x.png")], environ)
    assert (said.returncode, "pip install pillow" in said.stderr, "Traceback" in said.stderr) == (2, True, False)


def test_usage_shows_outlook_and_course(environ: dict[str, str], known: datetime) -> None:
    heading, _, session, *_ = ullage("usage", "--no-refresh", environ={**environ, "COLUMNS": "110"}).stdout.splitlines()
    assert heading.startswith("Max 20x ")
    assert re.search(r"▸ Session 5h  ━+[━╾─┃]+  60%  ▁▂[▁-█]+ +\S+.* in 2h00 +\S", session)
    assert re.search(r"lasts|runs out", session)
    parsed = json.loads(ullage("usage", "--no-refresh", "--json", environ=environ).stdout)
    paces = {each["id"]: each["pace"] for each in parsed["windows"]}
    assert paces["five_hour"]["ratio"] == 1.0
    assert paces["tangelo"] is None


def test_each_account_has_a_title(environ: dict[str, str], known: datetime) -> None:
    printed = ullage("usage", "--no-refresh", "--all", environ={**environ, "COLUMNS": "80"}).stdout
    assert re.fullmatch("default ─+", printed.splitlines()[0])


@pytest.mark.parametrize("ascii_only", [False, True])
def test_usage_fits_into_forty_columns(environ: dict[str, str], known: datetime, ascii_only: bool) -> None:
    Path(environ["ULLAGE_CONFIG"]).write_text('[segment]\nglyphs = "ascii"' if ascii_only else "")
    printed = ullage("usage", "--no-refresh", environ={**environ, "COLUMNS": "40"}).stdout
    assert max(map(len, printed.splitlines())) <= 40
    assert printed.isascii() == ascii_only
    assert "Session 5h" in printed


@pytest.mark.parametrize("columns", ["9" * 12, "1" * 5000])
def test_a_width_that_no_terminal_has_is_not_drawn(environ: dict[str, str], known: datetime, columns: str) -> None:
    drawn = ullage("chart", environ={**environ, "COLUMNS": columns})
    assert (drawn.returncode, drawn.stderr) == (0, "")
    assert max(map(len, drawn.stdout.splitlines())) <= 80

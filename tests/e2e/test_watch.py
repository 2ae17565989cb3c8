"""`ullage watch` on a real terminal: what it draws, what its keys do, and that it gives the terminal back."""

from __future__ import annotations

import os
import re
import signal
import termios
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pexpect
import pyte
import pytest

from tests.support.samples import reading, window
from tests.support.tools import ULLAGE, postpone, wait_until
from ullage.cli.screen import _keys
from ullage.quota.model import Credits, Money, list_named_limits
from ullage.quota.schedule import Schedule
from ullage.store import history, overview
from ullage.store.cache import ProfileCache

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


class Terminal:
    """A pty with `ullage watch` in it, and the screen that a person would see."""

    def __init__(self, environ: dict[str, str], columns: int, lines: int) -> None:
        # Under a shell, as in life: it gets the terminal back, and must find it as it was.
        self.child: pexpect.spawn[bytes] = pexpect.spawn(
            "/bin/sh", ["-c", f'read -r _; "{ULLAGE}" watch; echo "ended with $?"; exec cat'],
            env=environ, dimensions=(lines, columns), timeout=90,
        )  # fmt: skip
        self.screen = pyte.HistoryScreen(columns, lines)
        self.received = b""
        self._stream = pyte.ByteStream(self.screen)
        self.before = termios.tcgetattr(self.child.child_fd)
        self.child.send(b"\n")

    def text(self) -> str:
        while True:
            try:
                data = self.child.read_nonblocking(65536, timeout=0.05)
            except (pexpect.TIMEOUT, pexpect.EOF):
                return "\n".join(self.screen.display)
            self.received += data
            self._stream.feed(data)

    def shows(self, *texts: str) -> None:
        wait_until(lambda: all(text in self.text() for text in texts), what=f"a screen with {texts}")

    def process(self) -> int:
        """The id of `ullage watch`."""
        children = f"/proc/{self.child.pid}/task/{self.child.pid}/children"
        with open(children) as file:
            return int(file.read().split()[0])

    def is_given_back(self, code: int) -> None:
        self.shows(f"ended with {code}")
        assert b"\x1b[?1049h" in self.received
        assert self.received.rindex(b"\x1b[?1049l") > self.received.rindex(b"\x1b[?1049h")
        assert self.received.rindex(b"\x1b[?25h") > self.received.rindex(b"\x1b[?25l")
        assert termios.tcgetattr(self.child.child_fd) == self.before


def save(environ: dict[str, str], used: float = 60.0) -> None:
    now = datetime.now(UTC)
    cache = ProfileCache(environ)
    cache.make_private()
    cache.save_schedule(Schedule().begun(now))
    postpone(cache.environ, int((now + HOUR).timestamp()))
    save_reading(cache, used, now)


def save_reading(cache: ProfileCache, used: float, now: datetime) -> None:
    """Keep a reading alone, as a status line does."""
    cache.save_reading(
        reading(
            window("five_hour", used, label="Session (5h)", as_of=now, resets_at=now + 2 * HOUR),
            window("seven_day", 30.0, label="Week (all models)", as_of=now, resets_at=now + 4 * DAY),
            window("seven_day_opus", 5.0, label="Week (Opus)", as_of=now, resets_at=None),
            as_of=now,
        )
    )


@pytest.fixture
def terminal(environ: dict[str, str]) -> Iterator[Callable[..., Terminal]]:
    save(environ)
    opened: list[Terminal] = []

    def start(columns: int = 80, lines: int = 40, **changes: str) -> Terminal:
        opened.append(Terminal({**environ, **changes}, columns, lines))
        return opened[-1]

    yield start
    for each in opened:
        each.child.close(force=True)


def test_it_shows_the_table_and_a_chart_until_q(terminal: Callable[..., Terminal]) -> None:
    watch = terminal()
    watch.shows("1 Session 5h", "2 Week 7d", "Session (5h)  60%", "100% ", "q quits")
    watch.child.send(b"q")
    watch.is_given_back(0)


@pytest.mark.parametrize(
    ("keys", "title"),
    [
        (b"2", "Week (all models)  30%"),
        (b"\x1b[B", "Week (all models)  30%"),
        (b"\x1b[C\x1b[C", "Week (Opus): no course to draw"),
        (b"\x1b[A", "Week (Opus): no course to draw"),
        (b"\x1b[A\x1b[B\x1bOB", "Week (all models)  30%"),
        (b"23x1", "Session (5h)  60%"),
        (b"5", "Week (all models)  30%"),
    ],
)
def test_keys_choose_the_window(terminal: Callable[..., Terminal], keys: bytes, title: str) -> None:
    watch = terminal()
    watch.shows("q quits")
    watch.child.send(keys)
    watch.shows(title)


def test_it_begins_with_the_window_nearest_to_its_limit(
    terminal: Callable[..., Terminal], environ: dict[str, str]
) -> None:
    save(environ, used=20.0)
    terminal().shows("Week (all models)  30%")


def test_a_new_reading_is_drawn_before_the_minute_has_passed(
    terminal: Callable[..., Terminal], environ: dict[str, str]
) -> None:
    watch = terminal()
    watch.shows("Session (5h)  60%")
    # What a new minute draws is no answer: another reading follows, until one was drawn in its own minute.
    for used in range(70, 80):
        saved = datetime.now(UTC)
        save_reading(ProfileCache(environ), float(used), saved)
        watch.shows(f"Session (5h)  {used}%")
        if datetime.now(UTC).replace(second=0, microsecond=0) == saved.replace(second=0, microsecond=0):
            return
    pytest.fail("no reading was drawn before a new minute began")


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)], ids=["term", "hup", "int"]
)
def test_a_signal_ends_it_and_the_terminal_is_given_back(
    terminal: Callable[..., Terminal], number: int, code: int
) -> None:
    watch = terminal()
    watch.shows("q quits")
    os.kill(watch.process(), number)
    watch.is_given_back(code)


def test_an_error_gives_the_terminal_back(terminal: Callable[..., Terminal], environ: dict[str, str]) -> None:
    watch = terminal()
    watch.shows("q quits")
    cache = ProfileCache(environ)
    os.rename(cache.directory, cache.directory + ".gone")
    with open(cache.directory, "w"):
        pass
    watch.shows("Nothing is known yet.")
    watch.child.send(b"q")
    watch.is_given_back(0)


def test_control_z_gives_the_terminal_back_for_as_long_as_it_lasts(
    environ: dict[str, str],
) -> None:
    save(environ)
    shell: pexpect.spawn[bytes] = pexpect.spawn(
        "bash", ["--noprofile", "--norc", "-i"], env={**environ, "PS1": "$ "}, dimensions=(40, 80), timeout=90
    )
    try:
        shell.expect_exact("$ ")
        before = termios.tcgetattr(shell.child_fd)
        shell.sendline("ullage watch")
        shell.expect_exact("q quits")
        shell.send(b"\x1a")
        shell.expect_exact("\x1b[?1049l")
        shell.expect("Stopped.*ullage watch")
        shell.sendline("stty -a | grep -c -w -e '-icanon'; echo here")
        shell.expect("0\r\nhere")
        shell.sendline("fg")
        shell.expect_exact("\x1b[?1049h")
        shell.expect_exact("q quits")
        shell.send(b"q")
        shell.expect_exact("\x1b[?1049l")
        shell.sendline("echo back $?")
        shell.expect("back 0")
        # Only at its prompt has the shell set the terminal up again.
        shell.expect_exact("$ ")
        assert termios.tcgetattr(shell.child_fd) == before
    finally:
        shell.close(force=True)


def test_another_size_is_drawn_anew(terminal: Callable[..., Terminal]) -> None:
    watch = terminal(columns=100)
    watch.shows("q quits")
    watch.screen.resize(lines=30, columns=40)
    watch.screen.reset()
    watch.child.setwinsize(30, 40)
    watch.shows("Session (5h)  60%", "q quits")


@pytest.mark.parametrize(("columns", "lines"), [(40, 24), (40, 12), (20, 5), (200, 60)])
def test_it_stays_within_its_terminal(
    terminal: Callable[..., Terminal], environ: dict[str, str], columns: int, lines: int
) -> None:
    Path(environ["ULLAGE_CONFIG"]).write_text('[segment]\nglyphs = "ascii"')
    watch = terminal(columns, lines)
    watch.shows("Session")
    assert watch.text().splitlines()[0].startswith("Max 20x")
    assert len(watch.screen.history.top) == 0
    assert watch.text().isascii()


def save_five(environ: dict[str, str]) -> None:
    """A plan with five windows, credits and half an hour of history, as a subscriber may have."""
    now = datetime.now(UTC)
    cache = ProfileCache(environ)
    ids = ("five_hour", "seven_day", "seven_day_fable", "seven_day_opus", "seven_day_oauth_apps")
    windows = [
        window(
            id,
            20.0 * number + 15,
            label=f"Weekly window no. {number}",
            as_of=now,
            resets_at=now + (2 * HOUR if id == "five_hour" else 4 * DAY),
        )
        for number, id in enumerate(ids)
    ]
    money = Money(amount_minor=1234, currency="USD", exponent=2)
    credits = Credits(enabled=True, used=money, limit=money, used_percent=24.0)
    cache.save_reading(reading(*windows, as_of=now, credits=credits))


@pytest.mark.parametrize("changes", [{}, {"NO_COLOR": "1"}, {"LC_ALL": "C"}], ids=["colour", "plain", "ascii"])
@pytest.mark.parametrize(("columns", "lines", "least"), [(80, 24, 6), (120, 40, 12), (40, 24, 3)])
def test_five_windows_leave_room_for_a_chart(
    terminal: Callable[..., Terminal],
    environ: dict[str, str],
    columns: int,
    lines: int,
    least: int,
    changes: dict[str, str],
) -> None:
    save_five(environ)
    watch = terminal(columns, lines, **changes)
    watch.shows("1-6 or arrows choose")
    text = watch.text()
    titles = ["1 Session 5h", "2 Week 7d", *(f"{number + 1}   Weekly window no. {number}" for number in (2, 3, 4))]
    assert [title in text for title in titles] == [True] * 5
    # The chosen window is marked, and the keys stand at the foot of the whole screen.
    assert re.search(r"[▸>] 5 ", text)
    assert "q quits" in text.splitlines()[lines - 1]
    plot = text[text.index("no. 4  95%") : text.index("  0% ")].count("\n")
    assert plot >= least
    assert "just lasts" in text
    assert len(watch.screen.history.top) == 0
    assert not changes.get("LC_ALL") or text.isascii()


def test_a_budget_can_be_chosen(terminal: Callable[..., Terminal], environ: dict[str, str]) -> None:
    now = datetime.now(UTC)
    used, limit = (Money(amount_minor=amount, currency="USD", exponent=2) for amount in (4631, 50000))
    cache = ProfileCache(environ)
    for days in (2, 0):
        stated = reading(
            window("five_hour", 60.0, label="Session (5h)", as_of=now, resets_at=now + 2 * HOUR),
            credits=Credits(enabled=True, used=used, limit=limit, used_percent=9.262 - days),
            as_of=now - days * DAY,
        )
        owner = overview.name_owner(cache, stated)
        history.record(overview.locate_history(environ), owner, list_named_limits(stated), now)
    cache.save_reading(stated)
    watch = terminal()
    watch.shows("2 Credits")
    watch.child.send(b"2")
    watch.shows("Credits  9%  $46.31 of $500.00")


def test_a_dumb_terminal_is_not_drawn_on(terminal: Callable[..., Terminal]) -> None:
    watch = terminal(TERM="dumb")
    watch.shows("ullage: watch needs a terminal to draw on. `ullage usage` prints once.", "ended with 2")
    assert b"\x1b" not in watch.received


def test_no_colour_is_drawn_where_none_is_wanted(terminal: Callable[..., Terminal]) -> None:
    coloured, plain = terminal(), terminal(NO_COLOR="1")
    for watch in (coloured, plain):
        watch.shows("q quits")
    assert b"\x1b[32m" in coloured.received
    assert b"\x1b[32m" not in plain.received


@pytest.mark.parametrize(
    ("typed", "keys"),
    [("q", ["q"]), ("\033[A\033OB1", ["up", "down", "1"]), ("\033[Z", []), ("\033", ["\033"]), ("", [])],
)
def test_keys(typed: str, keys: list[Any]) -> None:
    assert _keys(typed) == keys


def test_charts_stand_side_by_side_where_there_is_room(terminal: Callable[..., Terminal]) -> None:
    watch = terminal(columns=130, lines=30)
    watch.shows("Session (5h)  60%", "Week (all models)  30%")
    heading = next(line for line in watch.text().splitlines() if "Session (5h)  60%" in line)
    assert heading.index("Week (all models)  30%") > 60


def test_the_foot_has_the_time_and_the_next_reading(terminal: Callable[..., Terminal]) -> None:
    watch = terminal()
    watch.shows("q quits")
    wait_until(lambda: re.search(r"\d\d:\d\d · next reading in \d+m", watch.text().splitlines()[-1]), what="the foot")

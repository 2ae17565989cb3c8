"""Refreshes with other machines: real commands and sockets, asked politely, beside this machine's sources or alone."""

from __future__ import annotations

import json
import stat
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.clock import set_clock
from tests.support.samples import reading, window
from tests.support.tools import PATIENCES, ullage
from ullage import config, refresh
from ullage.base.values import format_time
from ullage.quota import contract, timeline
from ullage.quota.model import Account, Thresholds
from ullage.quota.schedule import Schedule
from ullage.refresh import remotes
from ullage.simulate import ACCOUNT_ID
from ullage.sources import remote as source
from ullage.store.cache import ProfileCache
from ullage.store.remotes import RemoteStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.clock import Clock
    from ullage.quota.model import Reading
    from ullage.simulate import Simulator

    Simulate = Callable[..., Simulator]

pytestmark = pytest.mark.process
OTHER = Account(id="other")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    # Whatever a test lets pass is still the past of the clock that dates files.
    return set_clock(monkeypatch, datetime.now(UTC) - timedelta(hours=2))


class Machine:
    """Another machine: a program that prints what it was given last, and counts how often it was run."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name, self._said, self._runs = name, folder / f"{name}.json", folder / f"{name}.runs"
        self.program = folder / name
        self.program.write_text(f"#!/bin/sh\necho x >> '{self._runs}'\ncat '{self._said}'\n")
        self.program.chmod(self.program.stat().st_mode | stat.S_IXUSR)

    @property
    def runs(self) -> int:
        return len(self._runs.read_text().split()) if self._runs.exists() else 0

    def say(self, used: float, now: datetime, *, age: float = 0, account: Account = OTHER, **changes: Any) -> None:
        as_of = now - timedelta(minutes=age)
        resets_at = now + timedelta(hours=3)
        known = reading(window(used=used, as_of=as_of, resets_at=resets_at), as_of=as_of, account=account)
        document = contract.build_document(known, Schedule(), Thresholds(), now)
        self._said.write_text(json.dumps({**json.loads(contract.encode(document)), **changes}))

    def entry(self) -> str:
        return f'[[remote]]\nname = "{self.name}"\ncommand = ["{self.program}"]\n'


def configure(environ: dict[str, str], text: str) -> None:
    with open(environ["ULLAGE_CONFIG"], "w", encoding="utf-8") as file:
        file.write(text)


def known(environ: dict[str, str]) -> Reading:
    found = ProfileCache(environ).load_reading()
    assert found is not None
    return found


def shown(environ: dict[str, str], now: datetime) -> str:
    return timeline.find_text(ProfileCache(environ).read_timeline("plain"), int(now.timestamp())).decode()


def test_another_machine_may_be_the_only_source(environ: dict[str, str], tmp_path: Path, clock: Clock) -> None:
    laptop = Machine(tmp_path, "laptop")
    laptop.say(82.0, clock.now)
    configure(environ, laptop.entry())
    outcome = refresh.refresh(environ)
    assert (outcome.result, outcome.problem) == ("refreshed", None)
    assert (known(environ).source, known(environ).account.id) == ("remote:laptop", "other")
    assert "82%" in shown(environ, clock.now)


def test_a_machine_is_asked_once_a_minute_and_less_while_nothing_changes(
    environ: dict[str, str], tmp_path: Path, clock: Clock
) -> None:
    laptop = Machine(tmp_path, "laptop")
    configure(environ, laptop.entry())
    runs = []
    for minute in range(8):
        laptop.say(10.0 + min(minute, 3), clock.now)
        for force in (False, True, True):
            refresh.refresh(environ, force=force)
        runs.append(laptop.runs)
        clock.pass_by(minutes=1)
    assert runs == [1, 2, 3, 4, 5, 6, 7, 8]
    clock.pass_by(minutes=6)
    laptop.say(13.0, clock.now, age=6)
    asked = []
    for _ in range(12):
        refresh.refresh(environ)
        asked.append(laptop.runs)
        clock.pass_by(minutes=1)
    assert asked == [9, 9 + 1, 10, 11, 11, 11, 11, 12, 12, 12, 12, 12]


def test_the_freshest_word_wins_and_saves_a_question_to_the_server(
    environ: dict[str, str], simulate: Simulate, tmp_path: Path, clock: Clock
) -> None:
    simulator = simulate("busy-day")
    laptop = Machine(tmp_path, "laptop")
    laptop.say(50.0, clock.now, age=20, account=Account(id=ACCOUNT_ID))
    configure(environ, laptop.entry())
    refresh.refresh(environ)
    assert (known(environ).source, simulator.requests) == ("oauth", 1)
    clock.pass_by(minutes=2)
    laptop.say(91.0, clock.now, account=Account(id=ACCOUNT_ID))
    refresh.refresh(environ)
    five_hour = next(each for each in known(environ).windows if each.id == "five_hour")
    assert (five_hour.used_percent, five_hour.source, simulator.requests) == (91.0, "remote:laptop", 1)


def test_another_account_is_never_shown_as_the_one_that_is_signed_in(
    environ: dict[str, str], simulate: Simulate, tmp_path: Path, clock: Clock
) -> None:
    simulate("busy-day")
    laptop = Machine(tmp_path, "laptop")
    laptop.say(99.0, clock.now, account=OTHER)
    unknown = Machine(tmp_path, "unknown")
    unknown.say(98.0, clock.now, account=Account())
    configure(environ, laptop.entry() + unknown.entry())
    refresh.refresh(environ)
    assert known(environ).account.id == ACCOUNT_ID
    assert all(each.used_percent not in (98.0, 99.0) for each in known(environ).windows)
    assert not list((tmp_path / "cache").rglob("reading.remote-*"))


@pytest.mark.parametrize(
    ("program", "code", "says"),
    [
        ("exec sleep 600", "remote_late", "Is the machine awake?"),
        ("yes", "remote_flood", "more than 1024 KiB"),
        ("echo 'no route\033[31m' >&2; exit 255", "remote_failed", "status 255: no route"),
        ("echo '<html>'", "remote_unreadable", "no JSON"),
        ("exit 0", "remote_unreadable", "empty"),
    ],
)
def test_a_machine_that_gives_nothing_is_named_and_costs_little(
    environ: dict[str, str],
    tmp_path: Path,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    program: str,
    code: str,
    says: str,
) -> None:
    bad, good = Machine(tmp_path, "bad"), Machine(tmp_path, "good")
    bad.program.write_text(f"#!/bin/sh\n{program}\n")
    good.say(30.0, clock.now)
    configure(environ, bad.entry() + good.entry())
    began = time.monotonic()
    for seconds in PATIENCES if code == "remote_late" else (60.0,):
        monkeypatch.setattr(source, "ANSWER_SECONDS", seconds)
        outcome = refresh.refresh(environ, force=True)
        # The good machine has no longer than the bad.
        if ProfileCache(environ).load_reading() is not None:
            break
    assert time.monotonic() - began < 300
    assert known(environ).source == "remote:good"
    assert outcome.problem is not None
    assert outcome.problem.code == code
    told = ullage("usage", "--no-refresh", environ=environ).stdout
    assert "remote:bad" in told
    assert says in " ".join(told.split())
    assert "\033" not in told


def test_a_machine_that_went_away_grows_stale_by_its_own_age(
    environ: dict[str, str], tmp_path: Path, clock: Clock
) -> None:
    laptop = Machine(tmp_path, "laptop")
    laptop.say(40.0, clock.now, age=10)
    configure(environ, laptop.entry())
    refresh.refresh(environ)
    laptop.program.write_text("#!/bin/sh\nexit 255\n")
    clock.pass_by(minutes=6)
    outcome = refresh.refresh(environ)
    assert outcome.problem is not None
    assert format_time(known(environ).as_of) == format_time(clock.now - timedelta(minutes=16))
    assert "~" in shown(environ, clock.now)


def test_a_machine_that_is_named_no_more_is_forgotten(environ: dict[str, str], tmp_path: Path, clock: Clock) -> None:
    one, two = Machine(tmp_path, "one"), Machine(tmp_path, "two")
    one.say(40.0, clock.now, age=10)
    two.say(50.0, clock.now, age=2)
    configure(environ, one.entry() + two.entry())
    refresh.refresh(environ)
    assert known(environ).source == "remote:two"
    configure(environ, one.entry())
    clock.pass_by(minutes=5)
    refresh.refresh(environ)
    assert known(environ).source == "remote:one"


def test_two_machines_that_ask_each_other_make_no_number_younger(
    environ: dict[str, str], tmp_path: Path, clock: Clock
) -> None:
    """Each tells what it knows of the other's: the date of the first statement stays."""
    began, here = clock.now, Machine(tmp_path, "here")
    here.say(25.0, clock.now)
    configure(environ, here.entry())
    settings = config.load(environ)[0]
    for _ in range(4):
        refresh.refresh(environ)
        document = contract.build_document(known(environ), Schedule(), settings.thresholds, clock.now)
        (tmp_path / "here.json").write_text(contract.encode(document))
        clock.pass_by(minutes=6)
    assert here.runs == 4
    assert format_time(known(environ).as_of) == format_time(began)


def test_no_key_of_another_reaches_a_command(
    environ: dict[str, str], tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop = Machine(tmp_path, "laptop")
    laptop.program.write_text(f"#!/bin/sh\nenv > '{tmp_path}/env'\n")
    url = '[[remote]]\nname = "server"\nurl = "http://127.0.0.1:9"\ntoken_variable = "SERVER_TOKEN"\n'
    configure(environ, laptop.entry() + url)
    refresh.refresh({**environ, "SERVER_TOKEN": "a-secret-token", "ANTHROPIC_API_KEY": "sk-ant-x"})
    assert "PATH=" in (tmp_path / "env").read_text()
    assert "secret" not in (tmp_path / "env").read_text()
    assert "sk-ant" not in (tmp_path / "env").read_text()
    answers = RemoteStore(environ).load_all(["laptop", "server"])
    assert [answer.problem.code for answer in answers if answer.problem] == ["remote_unreadable", "remote_unreachable"]
    assert "secret" not in "".join(path.read_text() for path in (tmp_path / "cache" / "remotes").glob("*.json"))


def test_a_fault_of_ours_in_what_a_machine_says_stops_nothing(
    environ: dict[str, str], tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop, good = Machine(tmp_path, "laptop"), Machine(tmp_path, "good")
    laptop.say(40.0, clock.now)
    good.say(30.0, clock.now)
    configure(environ, laptop.entry() + good.entry())
    parse = source.parse

    def fail(document: bytes, name: str, exchange: source.Exchange) -> tuple[Reading, ...]:
        if name == "laptop":
            raise ZeroDivisionError
        return parse(document, name, exchange)

    monkeypatch.setattr(source, "parse", fail)
    outcome = refresh.refresh(environ)
    assert outcome.problem is not None
    assert (outcome.result, outcome.problem.code) == ("refreshed", "remote_fault")
    assert known(environ).source == "remote:good"


def test_what_was_asked_meanwhile_is_not_asked_again(environ: dict[str, str], tmp_path: Path, clock: Clock) -> None:
    laptop = Machine(tmp_path, "laptop")
    laptop.say(40.0, clock.now)
    configure(environ, laptop.entry())
    settings, store = config.load(environ)[0], RemoteStore(environ)
    for _ in range(2):
        remotes.ask_all(settings.remotes, settings, environ, store, clock.now)
    assert laptop.runs == 1


def test_a_process_that_asks_keeps_others_from_it(environ: dict[str, str], tmp_path: Path, clock: Clock) -> None:
    laptop = Machine(tmp_path, "laptop")
    laptop.say(40.0, clock.now)
    configure(environ, laptop.entry())
    settings, store = config.load(environ)[0], RemoteStore(environ)
    with store.lock("laptop") as alone:
        assert alone
        [answer] = remotes.ask_all(settings.remotes, settings, environ, store, clock.now)
    assert (laptop.runs, answer.readings) == (0, ())

"""A simulated team: what each seat's windows stood at, hour by hour, and what its machines told of it.

Everything follows from a seat's number, so that whoever asks a question of the metrics can work out the answer without
them.
"""

from __future__ import annotations

import bisect
import itertools
from datetime import UTC, datetime, timedelta
from functools import cache

from ullage.base.record import Record
from ullage.metrics import formats, samples
from ullage.metrics.names import Names
from ullage.metrics.samples import Family
from ullage.quota import pace
from ullage.quota.model import Account, Credits, Money, Problem, Reading, Thresholds, Window
from ullage.quota.pace import Sample
from ullage.quota.schedule import Schedule
from ullage.store.overview import Overview

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

HOUR = timedelta(hours=1)
WEEK = timedelta(days=7)
# A Friday at three, and the week before it.
ENDS = datetime(2026, 11, 20, 15, tzinfo=UTC)
BEGINS = ENDS - WEEK
_ORIGIN = BEGINS - 3 * WEEK
LIMITS = Thresholds()
WINDOWS = ("five_hour", "seven_day", "seven_day_fable")
WALL = 100.0


def is_worked(hour: datetime) -> bool:
    """Nine to five, Monday to Friday."""
    return hour.weekday() < 5 and 9 <= hour.hour < 17


@cache
def _worked_until() -> list[int]:
    """How many hours were worked before each hour since _ORIGIN."""
    hours = int((ENDS + WEEK - _ORIGIN) / HOUR)
    return [0, *itertools.accumulate(is_worked(_ORIGIN + number * HOUR) for number in range(hours))]


def worked_hours(since: datetime, until: datetime) -> int:
    """How many hours were worked in between."""
    counted = _worked_until()
    return counted[(until - _ORIGIN) // HOUR] - counted[(since - _ORIGIN) // HOUR]


@cache
def _attempts(number: int, machine: str) -> list[datetime]:
    """The hours at which a machine asks, from the week before on: every second one while somebody works."""
    seat = Seat(number=number)
    hours = (BEGINS - WEEK + number * HOUR for number in range(int(2 * WEEK / HOUR) + 1))
    return [hour for hour in hours if hour.hour % 2 and is_worked(hour) and seat.asks(machine, hour)]


@cache
def _answers(number: int, machine: str) -> list[datetime]:
    seat = Seat(number=number)
    return [hour for hour in _attempts(number, machine) if not seat.fails(hour)]


def _last(moments: list[datetime], at: datetime) -> datetime | None:
    place = bisect.bisect_right(moments, at)
    return moments[place - 1] if place else None


class Machine(Record):
    """One installation."""

    seat: Seat
    name: str


class Seat(Record):
    """One account. Of a hundred, ten never use it, five left on Wednesday, three get no readings since Thursday."""

    number: int

    @property
    def account_id(self) -> str:
        return f"5e000000-0000-4000-8000-{self.number:012d}"

    @property
    def user(self) -> str:
        return f"user-{self.number:04d}"

    @property
    def kind(self) -> str:
        place = self.number % 100
        return "idle" if place < 10 else "gone" if place < 15 else "failing" if place < 18 else "working"

    @property
    def machines(self) -> tuple[Machine, ...]:
        """A laptop, and for every twentieth seat a desktop that takes over on Thursday."""
        names = ("laptop", "desktop") if self.number % 20 == 19 else ("laptop",)
        return tuple(Machine(seat=self, name=name) for name in names)

    def begun_at(self, window: str, at: datetime) -> datetime | None:
        """When the running window began; None where none runs."""
        if self.kind == "idle":
            return None
        if window != "five_hour":
            offset = timedelta(hours=self.number * 37 % 168)
            return at - (at - BEGINS - offset) % WEEK
        if not is_worked(at):
            return None
        return at.replace(hour=9 if at.hour < 14 else 14)

    def resets_at(self, window: str, at: datetime) -> datetime | None:
        begun = self.begun_at(window, at)
        return begun + (5 * HOUR if window == "five_hour" else WEEK) if begun else None

    def used_percent(self, window: str, at: datetime) -> float:
        begun = self.begun_at(window, at)
        if begun is None:
            return 0.0
        an_hour = 0.5 + self.number % 29 * 0.1
        scale = {"five_hour": 6.0, "seven_day": 1.0, "seven_day_fable": 0.5}[window]
        return min(WALL, round(worked_hours(begun, at) * an_hour * scale, 1))

    def answered_at(self, machine: str, at: datetime) -> datetime | None:
        """When this machine's source last answered, by `at`."""
        return _last(_answers(self.number, machine), at)

    def told_at(self, machine: str, at: datetime) -> datetime | None:
        """When this machine last sent metrics, by `at`: after each attempt, with success or not."""
        return _last(_attempts(self.number, machine), at)

    def failures(self, machine: str, at: datetime) -> int:
        """How many attempts have failed in a row."""
        answered = self.answered_at(machine, at) or _ORIGIN
        return sum(answered < hour <= at for hour in _attempts(self.number, machine))

    def fails(self, hour: datetime) -> bool:
        return self.kind == "failing" and hour >= ENDS.replace(hour=10) - timedelta(days=1)

    def asks(self, machine: str, hour: datetime) -> bool:
        thursday = ENDS.replace(hour=0) - timedelta(days=1)
        if self.kind == "gone" and hour >= thursday - timedelta(days=1):
            return False
        return (machine == "desktop") == (len(self.machines) > 1 and hour >= thursday)

    def reading(self, at: datetime) -> Reading:
        """What the server answered at a moment."""
        windows = tuple(
            Window(
                id=window,
                label=window,
                kind="session" if window == "five_hour" else "weekly" if window == "seven_day" else "model",
                used_percent=self.used_percent(window, at),
                resets_at=self.resets_at(window, at),
                source="claude-cli",
                as_of=at,
            )
            for window in WINDOWS
        )
        used = Money(amount_minor=self.number * 100, currency="USD", exponent=2)
        return Reading(
            account=Account(id=self.account_id, plan="team", tier="default_claude_max_5x"),
            source="claude-cli",
            as_of=at,
            windows=windows,
            credits=Credits(enabled=True, used=used) if self.number % 10 == 7 else None,
        )

    def history(self, window: str, until: datetime) -> list[Sample]:
        hours = int((until - BEGINS) / HOUR)
        moments = [BEGINS + number * HOUR for number in range(hours + 1)]
        return [
            Sample(at=at, used_percent=self.used_percent(window, at), resets_at=self.resets_at(window, at))
            for at in moments
            if is_worked(at)
        ]

    def overview(self, machine: str, at: datetime, *, with_forecasts: bool) -> Overview:
        """What this machine's cache holds at a moment, as `overview.load` finds it."""
        answered = self.answered_at(machine, at)
        reading = self.reading(answered) if answered else None
        failures = self.failures(machine, at)
        problem = Problem(code="unreachable", message="The server could not be reached.") if failures else None
        schedule = Schedule(attempted_at=at, succeeded_at=answered, failures=failures, problem=problem)
        known = {window: self.history(window, at) for window in WINDOWS[:2]} if with_forecasts else {}
        forecasts = pace.forecast_windows(reading.windows, known, LIMITS, at) if reading and with_forecasts else {}
        return Overview(reading=reading, schedule=schedule, samples={}, forecasts=forecasts)


def team(seats: int) -> list[Seat]:
    return [Seat(number=number) for number in range(seats)]


def pseudonym(seat: Seat) -> str:
    return Names().name_account(seat.account_id, None)


def told(machine: Machine, at: datetime, *, with_forecasts: bool = False) -> tuple[Family, ...]:
    """The metrics that an installation sends at a moment."""
    names = Names(user=machine.seat.user)
    known = machine.seat.overview(machine.name, at, with_forecasts=with_forecasts)
    return samples.build_families([known], LIMITS, at, names)


def instance(machine: Machine) -> str:
    return f"{machine.seat.number:012x}{machine.name[:4].encode().hex()[:4]}"


def pushed_lines(machine: Machine, at: datetime, *, with_forecasts: bool) -> list[str]:
    """The same as a Pushgateway tells it, with the labels that it adds."""
    more = {"job": "ullage", "instance": instance(machine)}
    families = [
        Family(metric=family.metric, samples=tuple(({**labels, **more}, value) for labels, value in family.samples))
        for family in told(machine, at, with_forecasts=with_forecasts)
    ]
    text = formats.encode(families).decode()
    return [line for line in text.splitlines() if not line.startswith("#")]


def week(seats: list[Seat], step: timedelta = HOUR, begins: datetime = BEGINS) -> Iterator[str]:
    """Every sample of the week, or of its end, as OpenMetrics: each step tells what each installation sent last."""
    machines = [machine for seat in seats for machine in seat.machines]
    last: dict[str, tuple[datetime, list[str]]] = {}
    at = begins
    while at <= ENDS:
        for machine in machines:
            told_at = machine.seat.told_at(machine.name, at)
            if told_at is None:
                continue
            known = last.get(instance(machine))
            if known is None or known[0] != told_at:
                # Only the last forecasts are looked at, and they take the time of everything else together.
                final = told_at == machine.seat.told_at(machine.name, ENDS)
                known = last[instance(machine)] = told_at, pushed_lines(machine, told_at, with_forecasts=final)
            yield "".join(f"{line} {at.timestamp():.0f}\n" for line in known[1])
        at += step
    yield "# EOF\n"

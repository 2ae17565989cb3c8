"""What is known about a plan's quota: pure values, no clock, no I/O.

Percentages run from 0 to 100 and may exceed 100. Times are aware datetimes in UTC.
"""

from __future__ import annotations

from ullage.base.dates import datetime, timedelta
from ullage.base.record import Record
from ullage.base.text import make_slug

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    Severity = Literal["normal", "warning", "critical", "exhausted"]
    State = Literal["fresh", "stale", "expired", "none"]
    Kind = Literal["session", "weekly", "model", "other"]
    Period = Literal["daily", "weekly", "monthly"]

SEVERITIES: tuple[Severity, ...] = ("normal", "warning", "critical", "exhausted")

# A reading may claim to be this much younger than now before its age counts as unknowable.
CLOCK_SLACK = timedelta(minutes=1)

# For so long Claude Code repeats what it keeps: what comes without a date may be as old.
_UNKNOWN_AGE = timedelta(hours=1)

# Sources, and one source from one answer to the next, tell the same reset with so much difference; the resets of two
# windows lie hours apart.
RESET_SLACK = timedelta(minutes=10)

# Sources that are sessions of Claude Code: they hear numbers beside their answers, and speak by themselves.
SESSION_SOURCES = ("statusline", "tee")
# Before the name of another machine, what its statements are tagged with.
REMOTE_PREFIX = "remote:"

SESSION, WEEK = timedelta(hours=5), timedelta(days=7)
FULL_PERCENT = 100.0
# No currency has more digits behind the point than four.
LARGEST_EXPONENT = 6
CREDITS_ID = "credits"
# What counts money against a limit.
BUDGET_IDS = (CREDITS_ID, "spend_limit")
_OF_WEEK = "seven_day_"
# The names that a person may write, and a prompt shows.
ALIASES = {"5h": "five_hour", "7d": "seven_day"}
# In the order of every list.
KINDS: tuple[Kind, ...] = ("session", "weekly", "model", "other")
_LENGTHS: dict[Kind, timedelta] = {"session": SESSION, "weekly": WEEK, "model": WEEK}
MONTH, LONGEST_MONTH = timedelta(days=30), timedelta(days=31)
PERIODS: dict[Period, timedelta] = {"daily": timedelta(days=1), "weekly": WEEK, "monthly": MONTH}


class Account(Record):
    """Whose quota it is: a person (`id`, the account's UUID) in an organisation, each as far as a source names it.

    One person may hold a plan of their own and a seat in a team, each with windows of its own. `organization` is the
    organisation's name.
    """

    id: str | None = None
    plan: str | None = None
    tier: str | None = None
    organization_id: str | None = None
    organization: str | None = None

    @property
    def key(self) -> str | None:
        """The key that identifies this account; None where the person is not known."""
        if self.id is None or self.organization_id is None:
            return self.id
        return f"{self.id} {self.organization_id}"

    def may_be(self, other: Account) -> bool:
        """Say whether two accounts may be the same: an unknown field matches any value, known ones must be equal."""
        pairs = ((self.id, other.id), (self.organization_id, other.organization_id))
        return all(one is None or another is None or one == another for one, another in pairs)


class Window(Record):
    """One quota window as a source stated it at `as_of`.

    `kind` says what fills it: the five-hour session, the week over all models, the week of one model, or something
    that this version does not know. `severity` is the server's own word, None where it gave none. `headline` marks the
    window that the server would show if it could show one. `is_listed` is False for a code name that no list of the
    server's names: such a window is kept, never shown, and never binds. `used` and `limit` are amounts, where it is
    money that is counted, and `period` is over which time, where a source tells. `is_dated` is False where the source
    does not tell when the server said so: `as_of` is the earliest possible moment then. `is_heard` where a session of
    another machine heard it beside an answer.
    """

    id: str
    label: str
    kind: Kind
    used_percent: float | None
    resets_at: datetime | None
    severity: Severity | None = None
    headline: bool = False
    source: str
    as_of: datetime
    is_listed: bool = True
    used: Money | None = None
    limit: Money | None = None
    period: Period | None = None
    is_dated: bool = True
    is_heard: bool = False


class Money(Record):
    """An amount in minor units: 1234 with exponent 2 is 12.34."""

    amount_minor: int
    currency: str
    exponent: int


class Credits(Record):
    """Pay-as-you-go usage beyond the plan, or the budget that takes a plan's place.

    `as_of` is set where it was stated at another time than the reading. `disabled_reason` is the server's word for why
    the credits are off, as in `out_of_credits`.
    """

    enabled: bool
    used: Money | None = None
    limit: Money | None = None
    used_percent: float | None = None
    as_of: datetime | None = None
    disabled_reason: str | None = None

    @property
    def pay(self) -> bool:
        """Whether work goes on for money when a window is used up."""
        return self.enabled and (self.used_percent is None or self.used_percent < FULL_PERCENT)


class Pool(Record):
    """Money that was granted once: it is used up or expires, never resets, and never binds."""

    id: str
    label: str
    used_percent: float | None = None
    used: Money | None = None
    limit: Money | None = None
    ends_at: datetime | None = None
    as_of: datetime | None = None


class Share(Record):
    """A surface's share of the week, in percent of the week's limit or of what was used, as the server words it."""

    label: str
    percent: float


class Problem(Record):
    """What went wrong, in a stable word and in a sentence that says what to do."""

    code: str
    message: str
    retry_at: datetime | None = None


class Reading(Record):
    """Everything that one source said at `as_of`; `problem` notes what it said that cannot be true.

    `is_listing` is False where it does not tell every window there is; `is_dated` and `is_heard` as of a window.
    `breakdown` is the week by surface. `is_apart` marks what a session says of another account than the one that is
    signed in.
    """

    account: Account
    source: str
    as_of: datetime
    windows: tuple[Window, ...]
    credits: Credits | None = None
    problem: Problem | None = None
    pools: tuple[Pool, ...] = ()
    breakdown: tuple[Share, ...] = ()
    is_listing: bool = True
    is_dated: bool = True
    is_apart: bool = False
    is_heard: bool = False


class Thresholds(Record):
    """Where a person draws the lines: severity by percent, age by time."""

    warning_percent: float = 75.0
    critical_percent: float = 90.0
    stale_after: timedelta = timedelta(minutes=15)
    expire_after: timedelta = timedelta(hours=6)


def is_remote(source: str) -> bool:
    """Say whether a statement of this source came from another machine."""
    return source.startswith(REMOTE_PREFIX)


def choose_graver(severity: Severity, other: Severity | None) -> Severity:
    """Return the graver of the two."""
    return severity if other is None else max(severity, other, key=SEVERITIES.index)


def has_reset(window: Window, now: datetime) -> bool:
    """Say whether the window's reset has passed, so that its percentage is no longer known."""
    return window.resets_at is not None and now >= window.resets_at


def find_length(window: Window) -> timedelta | None:
    """Return how long a window runs from its start to its reset; None for a kind that this version does not know.

    The provider does not publish it, but for a gateway's spend limit; this is what its windows have been seen to do. A
    month is the one that ends with the reset.
    """
    if window.period is None:
        return _LENGTHS.get(window.kind)
    if window.period == "monthly" and window.resets_at is not None:
        return window.resets_at - _month_before(window.resets_at)
    return PERIODS[window.period]


def _month_before(moment: datetime) -> datetime:
    """Return the same time a month before, or on that month's last day where it has no such day."""
    last_of_month_before = moment - timedelta(days=moment.day)
    return last_of_month_before.replace(day=min(moment.day, last_of_month_before.day))


def is_budget(window: Window) -> bool:
    """Say whether it is money that a window counts."""
    return window.id in BUDGET_IDS


def is_same_reset(one: datetime | None, other: datetime | None) -> bool:
    """Say whether two statements name the same reset; two that name none do."""
    if one is None or other is None:
        return one is other
    return abs(one - other) <= RESET_SLACK


def find_used_percent(window: Window, now: datetime, thresholds: Thresholds) -> float | None:
    """Return the percentage that may still be shown at `now`: None after a reset or when the statement is too old."""
    if has_reset(window, now) or judge_state(window, now, thresholds) == "expired":
        return None
    return window.used_percent


def grade_window(window: Window, now: datetime, thresholds: Thresholds) -> Severity:
    """Return the graver of the server's severity and the person's thresholds; `normal` for an unknown percentage."""
    used = find_used_percent(window, now, thresholds)
    return "normal" if used is None else grade_percent(used, window.severity, thresholds)


def grade_percent(used: float, stated: Severity | None, thresholds: Thresholds) -> Severity:
    """Return the graver of the server's severity, where it gave one, and the thresholds' for a percentage."""
    if used >= FULL_PERCENT:
        return "exhausted"
    if used >= thresholds.critical_percent:
        return "critical"
    return choose_graver("warning" if used >= thresholds.warning_percent else "normal", stated)


def judge_age(as_of: datetime, now: datetime, thresholds: Thresholds) -> State:
    """Return whether a statement of `as_of` is fresh, stale or expired at `now`; one from the future is stale."""
    if as_of > now + CLOCK_SLACK:
        return "stale"
    if now >= as_of + thresholds.expire_after:
        return "expired"
    return "stale" if now >= as_of + thresholds.stale_after else "fresh"


def leave_undated(reading: Reading, now: datetime) -> Reading:
    """Return a reading whose age is not known: it counts as an hour old."""
    as_of = now - _UNKNOWN_AGE
    windows = tuple(window.replace(as_of=min(window.as_of, as_of), is_dated=False) for window in reading.windows)
    credits = reading.credits.replace(as_of=None) if reading.credits else None
    return reading.replace(as_of=as_of, windows=windows, credits=credits, is_dated=False)


def judge_state(stated: Window | Reading, now: datetime, thresholds: Thresholds) -> State:
    """Return whether a statement is fresh, stale or expired at `now`; one of unknown age is never fresh."""
    state = judge_age(stated.as_of, now, thresholds)
    return state if stated.is_dated or state != "fresh" else "stale"


def list_windows(reading: Reading) -> tuple[Window, ...]:
    """Return the windows to show: all but the code names that the server lists nowhere."""
    return tuple(window for window in reading.windows if window.is_listed)


def list_limits(reading: Reading) -> tuple[Window, ...]:
    """Return everything that may stop work: the windows, and credits or a budget where there is no window.

    In a plan that is counted in money there may be windows too, of which nothing is used: a budget goes beside those.
    """
    windows, budget = list_windows(reading), find_credits_window(reading)
    if budget is None or reading.credits is None:
        return windows
    is_counted_in_windows = any(window.used_percent for window in windows) or not reading.credits.enabled
    return windows if windows and is_counted_in_windows else (*windows, budget)


def list_named_limits(reading: Reading) -> tuple[Window, ...]:
    """Return everything that a limit of a person's own may name: every window, and the credits where they are known."""
    budget = find_credits_window(reading)
    return reading.windows if budget is None else (*reading.windows, budget)


def find_credits_window(reading: Reading) -> Window | None:
    """Return credits or a budget with a limit as a window without a known reset; None where there is no limit."""
    known = reading.credits
    if known is None or known.limit is None or known.used_percent is None:
        return None
    if not (known.enabled or known.disabled_reason):
        return None
    return Window(
        id=CREDITS_ID,
        label="Credits",
        kind="other",
        used_percent=known.used_percent,
        resets_at=None,
        source=reading.source,
        as_of=known.as_of or reading.as_of,
        used=known.used,
        limit=known.limit,
        is_dated=reading.is_dated,
    )


def find_binding_window(windows: tuple[Window, ...], now: datetime, thresholds: Thresholds) -> Window | None:
    """Return the window nearest to its limit: the highest percentage, and of equals the server's headline.

    What the server lists nowhere never binds. Where no percentage is known, the first window stands for all.
    """
    candidates = [window for window in windows if window.is_listed]

    def rank(window: Window) -> tuple[float, bool]:
        used = find_used_percent(window, now, thresholds)
        return (-1.0 if used is None else used, window.headline)

    return max(candidates, key=rank, default=None)


def find_windows_named(windows: tuple[Window, ...], name: str) -> tuple[Window, ...]:
    """Return the windows that a name stands for, whatever its case.

    That is an id, `5h`, `7d`, the first word or words of a model's label, or a label as people read it: Week (Fable),
    Session.
    """
    slug = make_slug(name)
    exact = tuple(window for window in windows if window.id in (name, ALIASES.get(slug, slug)))
    models = exact or tuple(window for window in windows if window.kind == "model" and is_named(window.id, name))
    return models or tuple(window for window in windows if slug and slug in _slug_label(window))


def _slug_label(window: Window) -> tuple[str, str]:
    """Return a window's label as names, whole and, unless it is one model's, without what is in brackets: week."""
    return make_slug(window.label), "" if window.kind == "model" else make_slug(window.label.partition("(")[0])


def is_named(window_id: str, name: str) -> bool:
    """Say whether a name stands for a window of this id, whatever version of a model the id is of."""
    if window_id in (name, ALIASES.get(name)):
        return True
    words = make_slug(name).split("_") if name else []
    return bool(words) and window_id.startswith(_OF_WEEK) and split_model_name(window_id)[: len(words)] == words


def find_window(
    windows: tuple[Window, ...], name: str, now: datetime | None = None, thresholds: Thresholds | None = None
) -> Window | None:
    """Return the window of this name; of several versions of a model the fullest, as far as it may be shown."""
    found = find_windows_named(windows, name)
    if len(found) < 2:
        return found[0] if found else None

    def used(window: Window) -> float:
        known = window.used_percent if now is None else find_used_percent(window, now, thresholds or Thresholds())
        return -1.0 if known is None else known

    return max(found, key=used)


def split_model_name(window_id: str) -> list[str]:
    """Return the words of the model that a week is of, without the maker's: fable, 5, 1 of "Claude Fable 5.1"."""
    return [word for word in window_id.removeprefix(_OF_WEEK).split("_") if word not in ("claude", "only")]

"""Turn overviews into samples for a monitoring system: one table of metrics, and their values at a moment. Pure.

The values are those of the JSON contract: an unknown value has no sample, and is never 0.
"""

from __future__ import annotations

from datetime import datetime

from ullage import __version__
from ullage.base.record import Record
from ullage.quota import contract

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Literal

    from ullage.metrics.names import Names
    from ullage.quota.contract import CreditsDocument, MoneyDocument, UsageDocument, WindowDocument
    from ullage.quota.model import Thresholds
    from ullage.quota.schedule import Schedule
    from ullage.store.overview import Overview

    Sample = tuple[str, Mapping[str, str], float]

# A server that invents windows must not fill a monitoring system. The contract lists the session and the weeks first,
# so they are within the limit.
MOST_WINDOWS = 32


class Metric(Record):
    """One metric; an info metric is always 1 and holds its content in labels. `unit` is UCUM's, as OTLP wants it."""

    name: str
    help: str
    labels: tuple[str, ...] = ("account",)
    unit: Literal["1", "s", ""] = ""


class Family(Record):
    """A metric with its samples, each of labels and a value."""

    metric: Metric
    samples: tuple[tuple[Mapping[str, str], float], ...]


_WINDOW = ("account", "window")
_MONEY = ("account", "currency")

METRICS: tuple[Metric, ...] = (
    Metric(name="ullage_build_info", help="The version that says all this.", labels=("version",)),
    Metric(
        name="ullage_account_info",
        help="The plan and its tier, and the name that the user gave to metrics.user.",
        labels=("account", "plan", "tier", "user"),
    ),
    Metric(name="ullage_source_info", help="The source of the newest statement.", labels=("account", "source")),
    Metric(name="ullage_reading_timestamp_seconds", help="When the newest statement was made.", unit="s"),
    Metric(
        name="ullage_window_used_ratio",
        help="The used share of a window; more than 1 when the limit was passed. Absent where it is not known.",
        labels=_WINDOW,
        unit="1",
    ),
    Metric(name="ullage_window_resets_timestamp_seconds", help="When the window is reset.", labels=_WINDOW, unit="s"),
    Metric(
        name="ullage_window_reading_timestamp_seconds",
        help="When a source stated what the window stands at.",
        labels=_WINDOW,
        unit="s",
    ),
    Metric(
        name="ullage_window_projected_ratio",
        help="The share that is expected to be used when the window is reset. Absent where too little is known.",
        labels=_WINDOW,
        unit="1",
    ),
    Metric(
        name="ullage_window_exhausts_timestamp_seconds",
        help="When the window is expected to run out. Absent where it is expected to last.",
        labels=_WINDOW,
        unit="s",
    ),
    Metric(
        name="ullage_credits_used",
        help="Credits used beyond the plan, in whole units of the currency.",
        labels=_MONEY,
    ),
    Metric(name="ullage_credits_limit", help="The limit of the credits, in whole units.", labels=_MONEY),
    Metric(
        name="ullage_credits_used_ratio",
        help="The used share of the credits or the budget; more than 1 when the limit was passed.",
        unit="1",
    ),
    Metric(name="ullage_credits_enabled", help="1 where credits may be used beyond the plan, else 0."),
    Metric(
        name="ullage_refresh_attempt_timestamp_seconds",
        help="When a source was last asked, with success or not.",
        unit="s",
    ),
    Metric(name="ullage_refresh_success_timestamp_seconds", help="When a source last answered.", unit="s"),
    Metric(name="ullage_refresh_failures", help="Attempts that failed since the last success, counted to 16."),
    Metric(
        name="ullage_refresh_held_until_timestamp_seconds",
        help="Until when the server has asked not to be asked. Absent where it has not.",
        unit="s",
    ),
    Metric(
        name="ullage_problem_info",
        help="What is wrong, in a stable word. Absent while all is well.",
        labels=("account", "code"),
    ),
)


def build_families(
    overviews: Iterable[Overview], thresholds: Thresholds, now: datetime, names: Names
) -> tuple[Family, ...]:
    """Return every metric that has samples at `now`, in the table's order."""
    found: dict[str, dict[tuple[str, ...], tuple[Mapping[str, str], float]]] = {}
    for name, labels, value in _yield_all(overviews, thresholds, now, names):
        # Two samples with the same labels would make the whole exposition invalid: the first is kept.
        found.setdefault(name, {}).setdefault(tuple(labels.values()), (labels, value))
    return tuple(
        Family(metric=metric, samples=tuple(found[metric.name].values())) for metric in METRICS if metric.name in found
    )


def _yield_all(overviews: Iterable[Overview], thresholds: Thresholds, now: datetime, names: Names) -> Iterator[Sample]:
    yield "ullage_build_info", {"version": __version__}, 1.0
    for one in overviews:
        account = {"account": names.name_account(one.account.key, one.profile)}
        usage = contract.build_document(one.reading, one.schedule, thresholds, now, one.forecasts)
        yield from _describe_account(account, usage, names)
        for window in usage.windows[:MOST_WINDOWS]:
            yield from _describe_window({**account, "window": window.id}, window)
        yield from _describe_credits(account, usage.credits)
        yield from _describe_refresh(account, one.schedule, now)


def _describe_account(account: Mapping[str, str], usage: UsageDocument, names: Names) -> Iterator[Sample]:
    plan, tier = usage.account.plan or "", usage.account.tier or ""
    yield "ullage_account_info", {**account, "plan": plan, "tier": tier, "user": names.user}, 1.0
    if usage.source is not None:
        yield "ullage_source_info", {**account, "source": usage.source}, 1.0
    yield from _moment("ullage_reading_timestamp_seconds", account, usage.as_of)
    if usage.problem is not None:
        yield "ullage_problem_info", {**account, "code": usage.problem.code}, 1.0


def _describe_window(labels: Mapping[str, str], window: WindowDocument) -> Iterator[Sample]:
    yield from _share("ullage_window_used_ratio", labels, window.used_percent)
    yield from _moment("ullage_window_resets_timestamp_seconds", labels, window.resets_at)
    yield from _moment("ullage_window_reading_timestamp_seconds", labels, window.as_of)
    if window.pace is not None:
        yield from _share("ullage_window_projected_ratio", labels, window.pace.projected_percent)
        yield from _moment("ullage_window_exhausts_timestamp_seconds", labels, window.pace.exhausts_at)


def _describe_credits(account: Mapping[str, str], credits: CreditsDocument | None) -> Iterator[Sample]:
    if credits is None:
        return
    yield "ullage_credits_enabled", account, float(credits.enabled)
    yield from _share("ullage_credits_used_ratio", account, credits.used_percent)
    yield from _amount("ullage_credits_used", account, credits.used)
    yield from _amount("ullage_credits_limit", account, credits.limit)


def _describe_refresh(account: Mapping[str, str], schedule: Schedule, now: datetime) -> Iterator[Sample]:
    yield from _moment("ullage_refresh_attempt_timestamp_seconds", account, schedule.attempted_at)
    yield from _moment("ullage_refresh_success_timestamp_seconds", account, schedule.succeeded_at)
    if schedule.attempted_at is not None:
        yield "ullage_refresh_failures", account, float(schedule.failures)
    if schedule.hold_until is not None and schedule.hold_until > now:
        yield from _moment("ullage_refresh_held_until_timestamp_seconds", account, schedule.hold_until)


def _share(name: str, labels: Mapping[str, str], percent: float | None) -> Iterator[Sample]:
    if percent is not None:
        # Rounded, since a division by 100 leaves digits that no source stated.
        yield name, labels, round(percent / 100, 6)


def _moment(name: str, labels: Mapping[str, str], moment: str | datetime | None) -> Iterator[Sample]:
    if moment is not None:
        known = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
        yield name, labels, float(int(known.timestamp()))


def _amount(name: str, account: Mapping[str, str], money: MoneyDocument | None) -> Iterator[Sample]:
    if money is not None:
        yield name, {**account, "currency": money.currency}, money.amount_minor / 10**money.exponent

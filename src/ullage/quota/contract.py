"""The JSON contract: what `ullage usage --json` says. Pure.

Version 1. Fields are added, never renamed or removed. Scripts call it at every turn, so what a field may hold is words
until `schemas` makes a schema of them: msgspec takes three times as long to import as Python to start.
"""

from __future__ import annotations

from ullage.base import jsontext
from ullage.base.record import Record
from ullage.base.values import format_time
from ullage.quota.model import (
    CLOCK_SLACK,
    SESSION_SOURCES,
    find_length,
    find_used_percent,
    grade_percent,
    grade_window,
    has_reset,
    judge_age,
    judge_state,
)
from ullage.quota.model import Credits as KnownCredits
from ullage.quota.model import Money as KnownMoney

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Annotated, Any, Literal

    from msgspec import Meta

    from ullage.quota.fields import Moment, Percent, Severity, State
    from ullage.quota.model import Account, Pool, Problem, Reading, Thresholds, Window
    from ullage.quota.pace import Forecast
    from ullage.quota.schedule import Schedule

VERSION = 1
_NONE: Mapping[str, Forecast] = {}


class AccountDocument(Record):
    id: str | None
    plan: str | None
    tier: str | None
    organization_id: str | None
    organization: Annotated[str | None, Meta(description="the organisation's name")]


class MoneyDocument(Record):
    amount_minor: Annotated[int, Meta(description="in minor units: 1234 with exponent 2 is 12.34")]
    currency: Annotated[str, Meta(description="ISO 4217; XXX when the source named none")]
    exponent: int


class PaceDocument(Record):
    ratio: Annotated[float | None, Meta(description="used share against elapsed share; 1 would just last")]
    projected_percent: Annotated[Percent | None, Meta(description="at the reset; low and high enclose 4 cases of 5")]
    projected_low: Percent | None
    projected_high: Percent | None
    exhausts_at: Annotated[Moment | None, Meta(description="when it runs out; null when it is expected to last")]
    exhausts_earliest: Annotated[Moment | None, Meta(description="null when it lasts in all likelihood")]
    exhausts_latest: Annotated[Moment | None, Meta(description="null when it may last")]
    verdict: Annotated[
        Literal["lasts", "probably_lasts", "just_about_lasts", "runs_out"] | None,
        Meta(description="whether it lasts until its reset; null when nobody can say"),
    ]


class WindowDocument(Record):
    id: str
    label: str
    used_percent: Annotated[Percent | None, Meta(description="null when it is not known, never 0 for unknown")]
    left_percent: Percent | None
    resets_at: Moment | None
    resets_in_seconds: Annotated[int, Meta(ge=0)] | None
    severity: Severity
    headline: bool
    source: str
    as_of: Moment
    state: Annotated[State, Meta(description="of this window's own statement")]
    has_reset: Annotated[bool, Meta(description="its reset has passed since: what is used now is not known")]
    pace: PaceDocument | None
    listed: Annotated[bool, Meta(description="false for a code name that no list of the server's names")]
    used: MoneyDocument | None
    limit: Annotated[MoneyDocument | None, Meta(description="where it is money that is counted")]
    dated: Annotated[bool, Meta(description="false when its age is not known; as_of is the earliest possible then")]
    stated_severity: Annotated[Severity | None, Meta(description="the server's own word; null when it gave none")]
    heard: Annotated[bool, Meta(description="true when a session heard it beside an answer: it may be older than that")]
    starts_at: Annotated[Moment | None, Meta(description="null when its reset or its length is not known")]


class CreditsDocument(Record):
    enabled: bool
    used: MoneyDocument | None
    limit: MoneyDocument | None
    used_percent: Percent | None
    as_of: Moment
    disabled_reason: Annotated[str | None, Meta(description="the server's word for why they are off")]
    severity: Annotated[
        Literal["normal", "warning", "critical", "exhausted"] | None, Meta(description="null when no limit is known")
    ]


class PoolDocument(Record):
    """Money that was given once: it is used up or ends, and never resets."""

    id: str
    label: str
    used_percent: Percent | None
    used: MoneyDocument | None
    limit: MoneyDocument | None
    ends_at: Moment | None
    as_of: Moment


class ShareDocument(Record):
    label: str
    percent: Percent


class ProblemDocument(Record):
    code: str
    message: str
    retry_at: Moment | None


class UsageDocument(Record):
    schema: Literal[1]
    account: AccountDocument
    source: str | None
    as_of: Moment | None
    age_seconds: Annotated[int, Meta(ge=0)] | None
    state: State
    windows: list[WindowDocument]
    credits: CreditsDocument | None
    next_refresh_at: Moment | None
    problem: ProblemDocument | None
    pools: list[PoolDocument]
    breakdown: Annotated[list[ShareDocument], Meta(description="the week by where it was used")]
    generated_at: Annotated[Moment, Meta(description="when this was written, by the same clock as as_of")]
    listing: Annotated[bool, Meta(description="false when there may be windows that are not in it")]


class ProfileDocument(Record):
    profile: Annotated[
        str, Meta(description="the configuration directory, `default`, or `remote:NAME` for what others alone tell")
    ]
    usage: UsageDocument
    machines: Annotated[list[str], Meta(description="the other machines that reported this account, by name")]


class ProfilesDocument(Record):
    """What `ullage usage --all --json` prints: each account once."""

    schema: Literal[1]
    profiles: list[ProfileDocument]


class FindingDocument(Record):
    id: str
    label: str
    outcome: Literal["under", "over", "unknown"]
    used_percent: Percent | None
    limit_percent: Percent
    need_percent: Percent
    projected_percent: Percent | None
    as_of: Moment | None
    room_at: Moment | None


class GuardDocument(Record):
    schema: Literal[1]
    allowed: bool
    outcome: Literal["under", "over", "unknown"]
    exit_code: Literal[0, 1, 3, 4, 5]
    message: str
    room_at: Moment | None
    windows: list[FindingDocument]


# Each after those that it holds.
DOCUMENTS: tuple[type[Record], ...] = (
    AccountDocument,
    MoneyDocument,
    PaceDocument,
    WindowDocument,
    CreditsDocument,
    PoolDocument,
    ShareDocument,
    ProblemDocument,
    UsageDocument,
    ProfileDocument,
    ProfilesDocument,
    FindingDocument,
    GuardDocument,
)


def build_document(
    reading: Reading | None,
    schedule: Schedule,
    thresholds: Thresholds,
    now: datetime,
    forecasts: Mapping[str, Forecast] = _NONE,
) -> UsageDocument:
    """Build the document of what is known at `now`."""
    problem = schedule.problem or (reading.problem if reading else None)
    due = schedule.find_due(reading)
    common: dict[str, Any] = {
        "schema": VERSION,
        "generated_at": format_time(now),
        "next_refresh_at": format_time(due) if due else None,
        "problem": describe_problem(problem) if problem else None,
    }
    if reading is None:
        return UsageDocument(
            account=_account(schedule.account),
            source=None,
            as_of=None,
            age_seconds=None,
            state="none",
            windows=[],
            credits=None,
            pools=[],
            breakdown=[],
            listing=False,
            **common,
        )
    is_aged = reading.is_dated and reading.as_of <= now + CLOCK_SLACK
    return UsageDocument(
        account=_account(reading.account),
        source=reading.source,
        as_of=format_time(reading.as_of) if reading.is_dated else None,
        age_seconds=max(0, int((now - reading.as_of).total_seconds())) if is_aged else None,
        state=judge_state(reading, now, thresholds),
        windows=[_window(window, thresholds, now, forecasts.get(window.id)) for window in reading.windows],
        credits=_credits(reading.credits, reading, thresholds, now) if reading.credits else None,
        pools=[_pool(pool, reading) for pool in reading.pools],
        breakdown=[ShareDocument(label=share.label, percent=share.percent) for share in reading.breakdown],
        listing=reading.is_listing,
        **common,
    )


def _account(account: Account) -> AccountDocument:
    return AccountDocument(
        id=account.id,
        plan=account.plan,
        tier=account.tier,
        organization_id=account.organization_id,
        organization=account.organization,
    )


def omit_passing(usage: UsageDocument) -> UsageDocument:
    """Return the document without its ages and countdowns: two of these differ only when something has happened."""
    windows = [window.replace(resets_in_seconds=None) for window in usage.windows]
    return usage.replace(age_seconds=None, generated_at="", windows=windows)


def encode(document: UsageDocument | ProfilesDocument | GuardDocument) -> str:
    """Return the document as indented JSON, with the end of its last line."""
    return f"{jsontext.indented(document)}\n"


def _window(window: Window, thresholds: Thresholds, now: datetime, forecast: Forecast | None) -> WindowDocument:
    used = find_used_percent(window, now, thresholds)
    resets_at, whole = None if has_reset(window, now) else window.resets_at, find_length(window)
    return WindowDocument(
        id=window.id,
        label=window.label,
        used_percent=used,
        left_percent=None if used is None else max(0.0, 100.0 - used),
        resets_at=format_time(resets_at) if resets_at else None,
        resets_in_seconds=int((resets_at - now).total_seconds()) if resets_at else None,
        severity=grade_window(window, now, thresholds),
        headline=window.headline,
        source=window.source,
        as_of=format_time(window.as_of),
        state=judge_state(window, now, thresholds),
        has_reset=has_reset(window, now),
        pace=_pace(forecast, window) if forecast else None,
        listed=window.is_listed,
        used=_money(window.used) if window.used else None,
        limit=_money(window.limit) if window.limit else None,
        dated=window.is_dated,
        stated_severity=window.severity,
        heard=window.is_heard or window.source in SESSION_SOURCES,
        starts_at=format_time(resets_at - whole) if resets_at and whole else None,
    )


def _pace(forecast: Forecast, window: Window) -> PaceDocument:
    moments = (forecast.exhausts_at, forecast.exhausts_earliest, forecast.exhausts_latest)
    exhausts_at, earliest, latest = (format_time(moment) if moment else None for moment in moments)
    return PaceDocument(
        ratio=_rounded(forecast.ratio),
        projected_percent=_rounded(forecast.projected_percent),
        projected_low=_rounded(forecast.projected_low),
        projected_high=_rounded(forecast.projected_high),
        exhausts_at=exhausts_at,
        exhausts_earliest=earliest,
        exhausts_latest=latest,
        verdict=forecast.judge(window),
    )


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 2)


def _credits(credits: KnownCredits, reading: Reading, thresholds: Thresholds, now: datetime) -> CreditsDocument | None:
    as_of = credits.as_of or reading.as_of
    if judge_age(as_of, now, thresholds) == "expired":
        return None
    return CreditsDocument(
        enabled=credits.enabled,
        used=_money(credits.used) if credits.used else None,
        limit=_money(credits.limit) if credits.limit else None,
        used_percent=credits.used_percent,
        as_of=format_time(as_of),
        disabled_reason=credits.disabled_reason,
        severity=None if credits.used_percent is None else grade_percent(credits.used_percent, None, thresholds),
    )


def _pool(pool: Pool, reading: Reading) -> PoolDocument:
    return PoolDocument(
        id=pool.id,
        label=pool.label,
        used_percent=pool.used_percent,
        used=_money(pool.used) if pool.used else None,
        limit=_money(pool.limit) if pool.limit else None,
        ends_at=format_time(pool.ends_at) if pool.ends_at else None,
        as_of=format_time(pool.as_of or reading.as_of),
    )


def _money(money: KnownMoney) -> MoneyDocument:
    return MoneyDocument(amount_minor=money.amount_minor, currency=money.currency, exponent=money.exponent)


def describe_problem(problem: Problem) -> ProblemDocument:
    """Return what went wrong on a refresh as the contract words it."""
    return ProblemDocument(
        code=problem.code, message=problem.message, retry_at=format_time(problem.retry_at) if problem.retry_at else None
    )

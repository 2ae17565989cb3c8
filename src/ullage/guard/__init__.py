"""Judge a reading against limits, to say whether there is room. Pure.

Until its reset a window's utilization only grows. So a number at its limit counts until it expires, whatever --max-age
says; a number below its limit must be young enough to prove that there is room.
"""

from __future__ import annotations

from ullage.base.dates import timedelta
from ullage.base.record import Record
from ullage.base.text import clean
from ullage.base.values import format_time
from ullage.guard import limits as limiting
from ullage.quota.exits import NOTHING_KNOWN, OVER, TOO_OLD, UNDER, choose_exit_code
from ullage.quota.model import (
    CLOCK_SLACK,
    CREDITS_ID,
    FULL_PERCENT,
    has_reset,
    judge_state,
    list_limits,
    list_named_limits,
)
from ullage.render import words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from typing import Any, Literal

    from ullage.guard.limits import Limit
    from ullage.quota.contract import GuardDocument
    from ullage.quota.exits import ExitCode
    from ullage.quota.model import Problem, Reading, Thresholds, Window
    from ullage.quota.pace import Forecast

    Outcome = Literal["under", "over", "unknown"]

_HINT = " Limits of your own: --max 5h=80, --need 20%."


class Question(Record):
    """A question to judge: the limits `most`, the percentages `need` that must fit, and the highest age of a number.

    With `allow_credits` a window that is used up has room as long as credits pay for more; a limit below 100 holds all
    the same.
    """

    most: tuple[Limit, ...] = ()
    need: tuple[Limit, ...] = ()
    max_age: timedelta | None = None
    allow_credits: bool = False


class WindowVerdict(Record):
    """One window judged against its limit: percentages, and the reason `why`; `room_at` is its reset when over."""

    id: str
    label: str
    outcome: Outcome
    exit_code: ExitCode
    limit: float
    why: str
    need: float = 0.0
    used: float | None = None
    projected: float | None = None
    as_of: datetime | None = None
    room_at: datetime | None = None


class Verdict(Record):
    """The verdict on all windows: over when any is over, else unknown when any is, else under.

    `room_at` is when every window that is over has reset; None where one of these resets is not known.
    """

    outcome: Outcome
    exit_code: ExitCode
    message: str
    findings: tuple[WindowVerdict, ...] = ()
    room_at: datetime | None = None

    @property
    def allowed(self) -> bool:
        """Whether there is room for the caller to go on."""
        return self.outcome == "under"


def judge(
    question: Question,
    reading: Reading | None,
    problem: Problem | None,
    forecasts: Mapping[str, Forecast],
    thresholds: Thresholds,
    now: datetime,
) -> Verdict:
    """Judge the reading at `now` by the question; raise UsageError for a limit that names no known window.

    `problem` is that of the last refresh, `forecasts` are by window id. Without limits, no window may be used up.
    """
    if reading is None:
        why = problem.message if problem else "Nothing is known yet. --refresh asks for a reading."
        return Verdict(
            outcome="unknown", exit_code=choose_exit_code(None, problem, thresholds, now), message=clean(why, 500)
        )
    named, every = list_named_limits(reading), list_limits(reading)
    most = limiting.assign_limits(question.most, named, every)
    need = limiting.assign_limits(question.need, named, every)
    unlimited = limiting.assign_limits([limiting.Limit(window=None, percent=FULL_PERCENT)], named, every)
    chosen = {**dict.fromkeys(need, FULL_PERCENT), **most} or unlimited
    known = {window.id: window for window in named}
    findings = []
    for key, limit in chosen.items():
        demand = _Demand(id=key, limit=limit, need=need.get(key, 0.0), max_age=question.max_age)
        finding = _judge_window(demand, known.get(key), forecasts.get(key), thresholds, now)
        findings.append(_count_credits(finding, reading) if question.allow_credits else finding)
    if not findings:
        return Verdict(outcome="unknown", exit_code=NOTHING_KNOWN, message="The last reading names nothing that binds.")
    verdict = _combine(findings)
    if verdict.outcome == "under" and not (question.most or question.need):
        return verdict.replace(message=verdict.message + _HINT)
    return verdict


class _Demand(Record):
    """The demands on one window: the limit, the percentage that must fit below it, and a number's highest age."""

    id: str
    limit: float
    need: float
    max_age: timedelta | None


def _judge_window(
    demand: _Demand, window: Window | None, forecast: Forecast | None, thresholds: Thresholds, now: datetime
) -> WindowVerdict:
    """Judge one window.

    A number at its limit is judged over before its age is looked at: until the reset it can only have grown.
    """
    limit, need, max_age = demand.limit, demand.need, demand.max_age
    common: dict[str, Any] = {"id": demand.id, "limit": limit, "need": need}
    if window is None or window.used_percent is None:
        label = clean(window.label) if window else demand.id
        why = f"nothing is known of {label}"
        return WindowVerdict(label=label, outcome="unknown", exit_code=NOTHING_KNOWN, why=why, **common)
    label, used = clean(window.label), window.used_percent
    common |= {"label": label, "as_of": window.as_of}
    if has_reset(window, now):
        why = f"{label} has reset, and there is no newer reading"
        return WindowVerdict(outcome="unknown", exit_code=TOO_OLD, why=why, **common)
    if judge_state(window, now, thresholds) == "expired":
        why = f"what is known of {label} is {words.format_age(now - window.as_of)} old"
        return WindowVerdict(outcome="unknown", exit_code=TOO_OLD, why=why, **common)
    projected = forecast.projected_percent if forecast else None
    common |= {"used": used, "projected": projected}
    why = _format_standing(window, limit, need, projected, now)
    if judge_state(window, now, thresholds) != "fresh":
        why += f", {words.format_freshness(window, thresholds, now)}"
    if used >= limit or used + need > limit or (need and projected is not None and projected + need > limit):
        return WindowVerdict(outcome="over", exit_code=OVER, why=why, room_at=window.resets_at, **common)
    if max_age is not None and not window.is_dated:
        why = f"{label} is at {words.format_percent(used)}, and the source does not say since when"
        return WindowVerdict(outcome="unknown", exit_code=TOO_OLD, why=why, **common)
    if max_age is not None and not (timedelta(0) - CLOCK_SLACK <= now - window.as_of <= max_age):
        since = _format_since(now - window.as_of)
        why = f"{label} was at {words.format_percent(used)} {since} ago, older than --max-age allows"
        return WindowVerdict(outcome="unknown", exit_code=TOO_OLD, why=why, **common)
    return WindowVerdict(outcome="under", exit_code=UNDER, why=why, **common)


def _count_credits(finding: WindowVerdict, reading: Reading) -> WindowVerdict:
    """Return the finding as under where it is over and credits pay for more; a limit below 100 % holds all the same."""
    credits = reading.credits
    if finding.outcome != "over" or finding.limit < FULL_PERCENT or finding.id == CREDITS_ID:
        return finding
    if credits is None or not credits.pay:
        return finding
    return finding.replace(
        outcome="under", exit_code=UNDER, why=f"{finding.why}; credits pay for what comes", room_at=None
    )


def _format_standing(window: Window, limit: float, need: float, projected: float | None, now: datetime) -> str:
    label, used = clean(window.label), window.used_percent
    assert used is not None
    if used >= FULL_PERCENT:
        # No limit and no need matters beside that.
        return f"{label} is {words.format_used_up(window.resets_at, now)}{_format_amounts(window)}"
    why = f"{label} is at {words.format_percent(used)}{_format_amounts(window)}"
    if need and projected is not None and projected > used:
        why += f" and heads for {words.format_percent(projected)}"
    why += f", limit {limit:g}%"
    if need:
        why += f", {need:g}% wanted"
    return f"{why}, {words.format_reset(window.resets_at, now)}" if window.resets_at is not None else why


def _format_since(elapsed: timedelta) -> str:
    # A --max-age of less than a minute counts seconds.
    seconds = max(0, elapsed // timedelta(seconds=1))
    return f"{seconds}s" if seconds < 60 else words.format_age(elapsed)


def _format_amounts(window: Window) -> str:
    if window.used is None or window.limit is None:
        return ""
    return f" ({words.format_money(window.used)} of {words.format_money(window.limit)})"


def _combine(findings: Sequence[WindowVerdict]) -> Verdict:
    """Return the verdict on all findings: those that are over decide, else those that are unknown, else all."""
    over = [finding for finding in findings if finding.outcome == "over"]
    unknown = [finding for finding in findings if finding.outcome == "unknown"]
    deciding = over or unknown or findings
    outcome = deciding[0].outcome
    resets = [finding.room_at for finding in over]
    return Verdict(
        outcome=outcome,
        exit_code=min(finding.exit_code for finding in deciding),
        message=_format_message(outcome, deciding),
        findings=tuple(findings),
        room_at=max((reset for reset in resets if reset is not None), default=None) if all(resets) else None,
    )


def _format_message(outcome: Outcome, deciding: Sequence[WindowVerdict]) -> str:
    """Return the message of a verdict: every window that is over, else the window that matters most."""
    if outcome == "over":
        return f"No room: {'; '.join(finding.why for finding in deciding)}."
    count = len(deciding) - 1
    others = f"{count} other window{'s' if count > 1 else ''}"
    if outcome == "unknown":
        first = min(deciding, key=lambda finding: finding.exit_code)
        return f"Cannot tell: {first.why}{f'; nor of {others}' if count else ''}."
    nearest = min(deciding, key=_measure_room)
    also = f"; {others} {'have' if count > 1 else 'has'} room too" if count else ""
    return f"Room: {nearest.why}{also}."


def _measure_room(finding: WindowVerdict) -> float:
    # A window that credits pay for is over its limit: its room is negative, and it sorts first.
    expected = finding.projected if finding.need else None
    return finding.limit - max(finding.used or 0.0, expected or 0.0)


def describe_verdict(verdict: Verdict, *, allowed: bool) -> GuardDocument:
    """Return the document of `ullage guard --json`."""
    # Most callers want the exit code alone.
    from ullage.quota.contract import FindingDocument, GuardDocument

    return GuardDocument(
        schema=1,
        allowed=allowed,
        outcome=verdict.outcome,
        exit_code=verdict.exit_code,
        message=verdict.message,
        room_at=format_time(verdict.room_at) if verdict.room_at else None,
        windows=[
            FindingDocument(
                id=finding.id,
                label=finding.label,
                outcome=finding.outcome,
                used_percent=finding.used,
                limit_percent=finding.limit,
                need_percent=finding.need,
                projected_percent=finding.projected,
                as_of=format_time(finding.as_of) if finding.as_of else None,
                room_at=format_time(finding.room_at) if finding.room_at else None,
            )
            for finding in verdict.findings
        ],
    )

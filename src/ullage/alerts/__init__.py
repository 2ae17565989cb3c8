"""Decide which alerts are due, given the marks of those already sent. Pure; `outbox` keeps both on disk and sends.

An alert is sent once per window and threshold until that window resets. An alert that falls into quiet hours is sent
after them, if it still holds then.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from ullage.base.record import Record
from ullage.base.text import clean
from ullage.quota.model import find_used_percent, has_reset, is_same_reset, judge_state, list_limits
from ullage.render import words
from ullage.system.statefile import Kept, Moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from ullage.config.wishes import Wishes
    from ullage.quota.model import Reading, Thresholds, Window
    from ullage.quota.pace import Forecast
    from ullage.quota.schedule import Schedule


Kind = Literal["threshold", "forecast", "reset", "failing", "test"]
MarkKind = Literal["threshold", "forecast", "blocked", "failing"]

# A reset that was not announced for so long is no news any more.
LONGEST_NEWS = timedelta(hours=12)
_LONGEST_MESSAGE = 500


class Alert(Kept, frozen=True):
    """One alert to send; the title may hold a window's label, the message a problem's text: both are cleaned."""

    kind: Kind
    title: str
    message: str
    at: Moment
    window_id: str | None = None
    label: str | None = None
    used_percent: float | None = None
    threshold: float | None = None
    resets_at: Moment | None = None


class Mark(Kept, frozen=True):
    """A sent alert, so that it is not sent again before `resets_at`; `blocked` marks a window that was used up.

    `percent` is the highest threshold passed, `as_of` the time of the window's statement that was used.
    """

    kind: MarkKind
    window_id: str = ""
    percent: float = 0.0
    resets_at: Moment | None = None
    as_of: Moment | None = None


class _Situation(Record):
    window: Window
    windows: tuple[Window, ...]
    wishes: Wishes
    forecast: Forecast | None
    thresholds: Thresholds
    now: datetime

    @property
    def used(self) -> float | None:
        return find_used_percent(self.window, self.now, self.thresholds)


class News(Record):
    """What alerts are decided by at `now`: the reading, its forecasts by window id, and the schedule of refreshes."""

    reading: Reading | None
    schedule: Schedule
    forecasts: Mapping[str, Forecast]
    thresholds: Thresholds
    now: datetime


def find_due(news: News, told: tuple[Mark, ...], wishes: Wishes) -> tuple[tuple[Alert, ...], tuple[Mark, ...]]:
    """Return the alerts that are due, and the marks to keep; `told` are the marks kept so far.

    In quiet hours no alert is sent, and the mark of a suppressed alert stays as it was; `blocked` is marked all the
    same.
    """
    reading, thresholds, now = news.reading, news.thresholds, news.now
    windows = list_limits(reading) if reading else ()
    pairs = []
    for window in windows:
        marks = {mark.kind: mark for mark in told if mark.window_id == window.id}
        situation = _Situation(
            window=window,
            windows=windows,
            wishes=wishes,
            forecast=news.forecasts.get(window.id),
            thresholds=thresholds,
            now=now,
        )
        for kind, rule in _RULES.items():
            before = marks.get(kind)
            # Another profile of the account has sent alerts by a newer statement than this profile has.
            is_old = before is not None and before.as_of is not None and window.as_of < before.as_of
            pairs.append((before, None, before) if is_old else (before, *rule(situation, before)))
    failing = next((mark for mark in told if mark.kind == "failing"), None)
    pairs.append((failing, *_failing(news, failing, wishes)))
    if wishes.quiet is not None and wishes.quiet.cover(now):
        pairs = [(before, None, before if alert else after) for before, alert, after in pairs]
    here = {window.id for window in windows}
    absent = [mark for mark in told if mark.window_id and mark.window_id not in here and _is_running(mark, now)]
    alerts = tuple(alert for _, alert, _ in pairs if alert)
    return alerts, (*(after for _, _, after in pairs if after), *absent)


def _threshold(at: _Situation, before: Mark | None) -> tuple[Alert | None, Mark | None]:
    """Return the alert for the highest threshold passed, unless this window's mark has it already, and the new mark."""
    used, window = at.used, at.window
    if used is None:
        return None, before if before and _is_running(before, at.now) else None
    same = before if before and _is_same_period(before, window, at.now) else None
    passed = max((threshold for threshold in at.wishes.thresholds if used >= threshold), default=None)
    if passed is None or (same and passed <= same.percent):
        return None, same
    label = clean(window.label)
    title = f"{label}: {words.format_percent(used)} used" if used < 100 else f"{label} is {words.USED_UP}"
    mark = Mark(kind="threshold", window_id=window.id, percent=passed, resets_at=window.resets_at, as_of=window.as_of)
    return _about(at, "threshold", title, _resets(window, at.now), passed), mark


def _forecast(at: _Situation, before: Mark | None) -> tuple[Alert | None, Mark | None]:
    """Return the alert, once a window, that it will run out before its reset, by a fresh and certain forecast."""
    window, forecast = at.window, at.forecast
    same = before if before and is_same_reset(before.resets_at, window.resets_at) else None
    if same or not at.wishes.forecast or forecast is None or judge_state(window, at.now, at.thresholds) != "fresh":
        return None, same
    # A forecast has a latest time of exhaustion only where the window is all but sure to run out.
    ends, certain = forecast.exhausts_at, forecast.exhausts_latest is not None
    if not certain or ends is None or window.resets_at is None or not at.now < ends < window.resets_at:
        return None, None
    if at.used is None or at.used >= 100:
        return None, None
    title = f"{clean(window.label)} runs out {words.format_forecast_clock(ends, at.now)}"
    early = words.format_countdown(window.resets_at - ends)
    message = f"At this pace it is used up {early} before its reset; {words.format_percent(at.used)} are used."
    return _about(at, "forecast", title, message), Mark(
        kind="forecast", window_id=window.id, resets_at=window.resets_at, as_of=window.as_of
    )


def _reset(at: _Situation, before: Mark | None) -> tuple[Alert | None, Mark | None]:
    """Mark a window that is used up; once it has reset, return the alert for that and drop the mark."""
    used, window = at.used, at.window
    if used is not None and used >= 100:
        return None, Mark(kind="blocked", window_id=window.id, resets_at=window.resets_at, as_of=window.as_of)
    if before is None or (used is None and not has_reset(window, at.now)):
        return None, before
    if before.resets_at is not None and at.now - before.resets_at > LONGEST_NEWS:
        return None, None
    has_later_reset = window.resets_at is not None and not is_same_reset(before.resets_at, window.resets_at)
    if before.resets_at is not None and at.now < before.resets_at and not has_later_reset:
        # The utilization was only corrected downwards: the window has not reset.
        return None, before
    others = [other for other in at.windows if other.id != window.id]
    blocked = any((find_used_percent(other, at.now, at.thresholds) or 0) >= 100 for other in others)
    message = "Another window is still used up." if blocked else "There is room again."
    return _about(at, "reset", f"{clean(window.label)} has reset", message), None


_RULES: dict[MarkKind, Callable[[_Situation, Mark | None], tuple[Alert | None, Mark | None]]] = {
    "threshold": _threshold,
    "forecast": _forecast,
    "blocked": _reset,
}


def _failing(news: News, before: Mark | None, wishes: Wishes) -> tuple[Alert | None, Mark | None]:
    """Return the alert, once until a refresh succeeds, that refreshes fail and the reading is `failing_after` old."""
    reading, schedule, now = news.reading, news.schedule, news.now
    if not schedule.failures or schedule.problem is None or reading is None or wishes.failing_after is None:
        return None, None
    if before or now - reading.as_of < wishes.failing_after:
        return None, before
    title = f"No new reading for {words.format_age(now - reading.as_of)}"
    alert = Alert(kind="failing", title=title, message=clean(schedule.problem.message, _LONGEST_MESSAGE), at=now)
    return alert, Mark(kind="failing")


def _about(at: _Situation, kind: Kind, title: str, message: str, threshold: float | None = None) -> Alert:
    return Alert(
        kind=kind,
        title=title,
        message=message,
        at=at.now,
        window_id=at.window.id,
        label=clean(at.window.label),
        used_percent=at.used,
        threshold=threshold,
        resets_at=at.window.resets_at,
    )


def _resets(window: Window, now: datetime) -> str:
    if window.resets_at is None:
        return "Its reset is not known."
    if window.used_percent is not None and window.used_percent >= 100:
        return f"It is {words.format_return(window.resets_at, now)}."
    return f"It {words.format_reset(window.resets_at, now)}."


def _is_same_period(mark: Mark, window: Window, now: datetime) -> bool:
    """Say whether a mark is of the window's present period; a reset that a source leaves out does not end it."""
    if mark.resets_at is None or window.resets_at is None or is_same_reset(mark.resets_at, window.resets_at):
        return True
    return now < mark.resets_at


def _is_running(mark: Mark, now: datetime) -> bool:
    """Say whether a mark of an absent or unread window is kept: until well after its reset."""
    return mark.resets_at is None or now < mark.resets_at + LONGEST_NEWS


def make_test_alert(now: datetime) -> Alert:
    """Return the alert that `ullage alerts test` sends."""
    return Alert(kind="test", title="ullage: a test", message="Alerts reach you this way.", at=now)

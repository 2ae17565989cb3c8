"""Word numbers, times, states and the sentences about a window, for all surfaces. Pure.

Rounding never overstates: used percents go down, so that 99.9 is not yet 100, and time left goes up.
"""

from __future__ import annotations

from ullage.base.dates import timedelta
from ullage.base.record import Record
from ullage.base.text import clean
from ullage.quota.model import has_reset, judge_state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime, tzinfo
    from decimal import Decimal

    from ullage.config import Settings
    from ullage.quota.model import Account, Money, Reading, Thresholds, Window
    from ullage.quota.pace import Forecast, Verdict
    from ullage.quota.timeline import Level
    from ullage.store.sign_in import SignInFacts

NOTHING = "Nothing is known yet."
USED_UP = "used up"
HAS_RESET = "has reset; a new reading is due"
NOT_STARTED = "not started"
NO_RESET_TIME = "no reset time known"
UNKNOWN = "unknown"
# Of a chart: what was used, when nothing was read, the line of even use, the forecast.
USED, UNSEEN, JUST_LASTS, EXPECTED = "used", "unseen", "just lasts", "expected"
STATES = {"stale": "stale", "expired": "too old to show"}
# Sentences; a page in a browser, which has the reader's time zone and clock, fills them in by itself.
AT, BACK, RESETS, ENDS = "at {clock}", "back {when}, in {left}", "resets {when}, in {left}", "ends {day}"
READ, AGO, JUST_NOW = "read {ago}", "{age} ago", "just now"
NEXT_READING, READING_DUE = "next reading in {left}", "next reading due"
VERDICTS: dict[Verdict, str] = {
    "lasts": "lasts, about {percent}",
    "probably_lasts": "probably lasts, about {percent}",
    "just_about_lasts": "just about lasts",
    "runs_out": "runs out {when}, {early}",
}
AT_THE_RESET, EARLY, BEFORE_THE_RESET = "{expected} at the reset", "{time} early", "{time} before the reset"
ABOUT_TO_RUN_OUT, SO_FAR = "about to run out", "{pace} so far"
SPENT, SPENT_UNLIMITED = "{spent} of {limit}", "{spent}, no limit known"
# Why credits are off, by the server's word.
REASONS = {
    "out_of_credits": "out of credits",
    "org_spend_cap_reached": "the organisation's cap is reached",
    "spend_limit_reached": "the limit is reached",
    "user_disabled": "you have turned them off",
    "org_disabled": "the organisation has turned them off",
}

FORMS: dict[Level, str] = {"normal": "", "warning": "!", "critical": "!!", "exhausted": "×", "stale": "~", "none": ""}
_ASCII_FORMS: dict[Level, str] = {**FORMS, "exhausted": "X"}
BAR_CELLS, DOTS = 8, 5
# From empty to full; the second are of a Nerd Font: an outline, and a circle in eight slices.
_RING, _ASCII_RING = "○◔◑◕●", ".oOQ@"
_NERD_RING = "\U000f0766" + "".join(chr(0xF0A9E + slice) for slice in range(8))
_ICON, _NERD_ICON = "◆", "\U000f029a"

_MINUTE, _DAY = timedelta(minutes=1), timedelta(days=1)
# From here on the end of a sign-in is worth a sentence.
_LAST_DAYS = timedelta(days=3)
PARTS_OF_DAY = ((5, "early {day}"), (12, "{day} morning"), (17, "{day} afternoon"), (24, "{day} evening"))
# From so many days on a weekday is ambiguous.
_WEEK_DAYS = 7


def format_percent(used: float, *, left: bool = False) -> str:
    """Return whole percents: what is used rounded down, 100 at most, and what is left rounded up."""
    whole = min(100, int(used + 1e-9))
    return f"{100 - whole if left else whole}%"


def choose_form(level: Level, *, ascii_only: bool) -> str:
    """Return the form that goes with a level's colour, so that no level is shown by colour alone."""
    return (_ASCII_FORMS if ascii_only else FORMS)[level]


def choose_reset_mark(*, ascii_only: bool) -> str:
    """Return what stands for a number that a reset has made unknown."""
    return "reset" if ascii_only else "↺"


def draw_bar(used: float, *, left: bool = False, ascii_only: bool = False, cells: int = BAR_CELLS) -> str:
    """Return a bar of fixed width; it is full only from 100 % on and empty only at 0 %."""
    full, empty = ("#", "-") if ascii_only else ("▰", "▱")
    return _filled(used, full, empty, cells, left=left)


def draw_dots(used: float, *, left: bool = False, ascii_only: bool = False, cells: int = DOTS) -> str:
    """Draw dots of fixed width; all are filled only from 100 % on, and none only at 0 %."""
    full, empty = ("*", ".") if ascii_only else ("●", "○")
    return _filled(used, full, empty, cells, left=left)


def draw_ring(used: float, *, left: bool = False, ascii_only: bool = False, nerd: bool = False) -> str:
    """Return a ring in a cell, filled by quarters, or by eighths with a Nerd Font; full and empty as a bar is."""
    steps = _ASCII_RING if ascii_only else _NERD_RING if nerd else _RING
    return steps[_steps(used, len(steps) - 1, left=left)]


def choose_icon(*, ascii_only: bool = False, nerd: bool = False) -> str:
    """Return the sign of ullage; none where there are plain characters only."""
    return "" if ascii_only else _NERD_ICON if nerd else _ICON


def _filled(used: float, full: str, empty: str, cells: int, *, left: bool) -> str:
    filled = _steps(used, cells, left=left)
    return full * filled + empty * (cells - filled)


def _steps(used: float, steps: int, *, left: bool) -> int:
    """Return how many steps are filled: all only from 100 % on, and none only at 0 %."""
    share = min(max((100 - used if left else used) / 100, 0.0), 1.0)
    filled = round(share * steps)
    return min(max(filled, 1), max(1, steps - 1)) if 0 < share < 1 else filled


def format_countdown(remaining: timedelta) -> str:
    """Return the time until something in at most two units, rounded up to the smaller: 3d04h, 2h13, 48m."""
    minutes = max(0, -(-remaining // _MINUTE))
    if minutes < 60:
        return f"{minutes}m"
    if minutes < 24 * 60:
        return f"{minutes // 60}h{minutes % 60:02}"
    hours = -(-minutes // 60)
    return f"{hours // 24}d{hours % 24:02}h"


def format_age(elapsed: timedelta) -> str:
    """Return how long ago something was, in one unit, rounded down."""
    minutes = max(0, elapsed // _MINUTE)
    if minutes < 60:
        return f"{minutes}m"
    return f"{minutes // 60}h" if minutes < 48 * 60 else f"{minutes // (24 * 60)}d"


def format_ago(elapsed: timedelta) -> str:
    """Word how long ago something was: just now, 5m ago."""
    since = format_age(elapsed)
    return JUST_NOW if since == "0m" else AGO.format(age=since)


def format_clock(moment: datetime, now: datetime, timezone: tzinfo | None = None) -> str:
    """Return the local time of day, with the weekday when that is not today's, or the date when a week away."""
    local = moment.astimezone(timezone)
    days = (local.date() - now.astimezone(timezone).date()).days
    if days == 0:
        return local.strftime("%H:%M")
    return f"{_format_near_day(moment, now, timezone)} {local:%H:%M}"


def format_sign_in_end(sign_in: SignInFacts, now: datetime) -> str:
    """Word the end of Claude Code's sign-in, with the time of that statement; empty but in its last three days.

    A person who has signed in since sees by that time that the former sign-in is meant.
    """
    ends = sign_in.expires_at
    if ends is None or not timedelta() < ends - now <= _LAST_DAYS:
        return ""
    seen, end = format_clock(sign_in.looked_at, now), format_clock(ends, now)
    left = format_countdown(ends - now)
    return f"As told at {seen}, Claude Code's sign-in ends {end}, in {left}: /login in it renews it."


def format_forecast_clock(moment: datetime, now: datetime, timezone: tzinfo | None = None) -> str:
    """Return when something is expected, no finer than a forecast can be: beyond a day a part of the day."""
    if moment - now < _DAY:
        return format_clock(moment, now, timezone)
    hour = moment.astimezone(timezone).hour
    part = next(part for ends, part in PARTS_OF_DAY if hour < ends)
    return part.format(day=_format_near_day(moment, now, timezone))


def _format_near_day(moment: datetime, now: datetime, timezone: tzinfo | None) -> str:
    local = moment.astimezone(timezone)
    near = abs((local.date() - now.astimezone(timezone).date()).days) < _WEEK_DAYS
    return f"{local:%a}" if near else f"{local.day} {local:%b}"


def format_day(moment: datetime, timezone: tzinfo | None = None) -> str:
    """Return the local day of a moment, as in a menu: 18 Dec."""
    local = moment.astimezone(timezone)
    return f"{local.day} {local:%b}"


def format_date(moment: datetime, timezone: tzinfo | None = None) -> str:
    """Return a moment in full, for what is kept: 25 Nov 2026, 14:32."""
    local = moment.astimezone(timezone)
    return f"{local.day} {local:%b %Y, %H:%M}"


def format_pace(ratio: float, *, ascii_only: bool = False) -> str:
    """Return the used share against the elapsed share: 1.3×; under 1 the window would last."""
    return f"{ratio:.1f}{'x' if ascii_only else '×'}"


def format_money(amount: Money) -> str:
    """Return an amount with its currency: $12.34, 12.34 EUR."""
    sign = "-" if amount.amount_minor < 0 else ""
    digits = str(abs(amount.amount_minor)).rjust(amount.exponent + 1, "0")
    number = f"{digits[: -amount.exponent]}.{digits[-amount.exponent :]}" if amount.exponent else digits
    return sign + format_price(number, amount.currency)


def format_amounts(used: Money | None, limit: Money | None) -> str:
    """Return the money spent and its limit: $46.31 of $500.00."""
    spent = format_money(used) if used else "?"
    return SPENT.format(spent=spent, limit=format_money(limit)) if limit else SPENT_UNLIMITED.format(spent=spent)


def describe_use(window: Window) -> str:
    """Return what of a window is used, of a budget with the amounts: 9% used, $46.31 of $500.00."""
    used = UNKNOWN if window.used_percent is None else f"{format_percent(window.used_percent)} used"
    return ", ".join([used, *([format_amounts(window.used, window.limit)] if window.used or window.limit else ())])


def format_price(number: str | Decimal, currency: str) -> str:
    """Return a number with its currency, as every surface writes it: $12.34, 12.34 EUR."""
    if currency == "USD":
        return f"${number}"
    return str(number) if currency == "XXX" else f"{number} {currency}"


def format_plan(account: Account) -> str:
    """Return what a person pays for, in the provider's words for people: Max 20x, Pro, Team; nothing where unknown."""
    if not account.plan:
        return ""
    factor = (account.tier or "").rpartition("_")[2]
    sized = factor[:-1].isdigit() and factor.endswith("x")
    return clean(account.plan).title() + (f" {clean(factor)}" if sized else "")


def format_title(window: Window) -> str:
    """Return a window's name in a list where its kind can be seen: Session, Week, a model's name."""
    label = clean(window.label)
    inside = label.partition("(")[2].rstrip(")").strip()
    if window.kind == "session":
        return "Session"
    if window.kind == "weekly":
        return "Week"
    return inside if window.kind == "model" and inside else label


def format_used_up(resets_at: datetime | None, now: datetime, timezone: tzinfo | None = None) -> str:
    """Return the sentence about a window that is used up: used up; back at 15:48, in 27m."""
    return USED_UP if resets_at is None or resets_at <= now else f"{USED_UP}; {format_return(resets_at, now, timezone)}"


def format_return(resets_at: datetime, now: datetime, timezone: tzinfo | None = None) -> str:
    """Return when a window that is used up can be used again: back at 15:48, in 27m."""
    return BACK.format(when=_moment(resets_at, now, timezone), left=format_countdown(resets_at - now))


def format_reset(resets_at: datetime, now: datetime, timezone: tzinfo | None = None) -> str:
    """Return when a window resets, in a sentence: resets at 15:48, in 1h04."""
    return RESETS.format(when=_moment(resets_at, now, timezone), left=format_countdown(resets_at - now))


def format_next_reading(due: datetime | None, now: datetime) -> str:
    """Return when the next reading is due, in a sentence: next reading in 4m."""
    if due is None or due <= now:
        return READING_DUE
    return NEXT_READING.format(left=format_countdown(due - now))


def describe_reset(window: Window, now: datetime, timezone: tzinfo | None = None) -> str:
    """Return when a window resets, as far as that is known; nothing once it has."""
    if window.resets_at is None:
        return NO_RESET_TIME
    return "" if window.resets_at <= now else format_reset(window.resets_at, now, timezone)


def _moment(moment: datetime, now: datetime, timezone: tzinfo | None) -> str:
    when = format_clock(moment, now, timezone)
    return when if " " in when else AT.format(clock=when)


class Outlook(Record):
    """The outlook of a window in words, and whether it is a warning."""

    text: str = ""
    warns: bool = False


def describe_outlook(
    window: Window,
    forecast: Forecast | None,
    now: datetime,
    timezone: tzinfo | None = None,
    *,
    brief: bool = False,
    left: bool = False,
) -> Outlook:
    """Word whether a window lasts; empty where that is unknown, and the used-up sentence where it is used up.

    The percentage that is expected is of what is used, or where numbers say what is `left`, of that, and says so.
    """
    if window.used_percent is not None and window.used_percent >= 100 and not has_reset(window, now):
        return Outlook(text=format_used_up(window.resets_at, now, timezone), warns=True)
    if forecast is None or forecast.projected_percent is None or window.resets_at is None:
        return Outlook()
    verdict, ends = forecast.judge(window), forecast.exhausts_at
    if verdict is None or verdict == "just_about_lasts":
        return Outlook(text=VERDICTS[verdict] if verdict else "")
    if verdict != "runs_out" or ends is None:
        percent = format_percent(forecast.projected_percent, left=left)
        expected = VERDICTS[verdict].format(percent=f"{percent} left" if left else percent)
        return Outlook(text=expected if brief else AT_THE_RESET.format(expected=expected))
    if ends <= now:
        return Outlook(text=ABOUT_TO_RUN_OUT, warns=True)
    time = _rough(window.resets_at - ends, far=ends - now >= _DAY)
    early = (EARLY if brief else BEFORE_THE_RESET).format(time=time)
    when = format_forecast_clock(ends, now, timezone)
    return Outlook(text=VERDICTS["runs_out"].format(when=when, early=early), warns=True)


def _rough(remaining: timedelta, *, far: bool) -> str:
    """Return a time in hours where a forecast a day away or more knows no minutes."""
    if not far:
        return format_countdown(remaining)
    hours = max(1, round(remaining.total_seconds() / 3600))
    return f"{hours}h" if hours < 48 else f"{round(hours / 24)}d"


def format_interval(forecast: Forecast, now: datetime, timezone: tzinfo | None = None) -> str:
    """Word the forecast's interval; empty where the window very probably lasts."""
    if forecast.exhausts_earliest is None:
        return ""
    earliest = format_forecast_clock(max(forecast.exhausts_earliest, now), now, timezone)
    if forecast.exhausts_latest is None:
        return f"{earliest} at the earliest, or not at all"
    latest = format_forecast_clock(max(forecast.exhausts_latest, now), now, timezone)
    return f"between {earliest} and {latest}" if earliest != latest else earliest


def format_origin(reading: Reading, settings: Settings, now: datetime) -> str:
    """Word a reading's account, plan, age and source."""
    parts = [
        format_plan(reading.account) and f"{format_plan(reading.account)} plan",
        "percent left" if settings.show_left else "",
    ]
    parts += [format_freshness(reading, settings.thresholds, now), f"from {reading.source}"]
    return ", ".join(filter(None, parts))


def format_freshness(stated: Window | Reading, thresholds: Thresholds, now: datetime) -> str:
    """Return when a statement was made, and whether it is stale or too old to show."""
    state = STATES.get(judge_state(stated, now, thresholds))
    if not stated.is_dated:
        return "read at a time that is not known"
    return format_read_time(stated.as_of, now) + (f" ({state})" if state else "")


def format_breakdown(reading: Reading) -> str:
    """Return where the week was used, in a line: week by surface: Claude Code 31%, Chat 9%."""
    return "week by surface: " + ", ".join(
        f"{clean(share.label)} {format_percent(share.percent)}" for share in reading.breakdown
    )


def format_read_time(as_of: datetime, now: datetime) -> str:
    """Return when a number was read."""
    return READ.format(ago=format_ago(now - as_of))

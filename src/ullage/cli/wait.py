"""`ullage wait`."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from ullage.base.errors import UsageError
from ullage.base.text import clean
from ullage.cli import countdown, options
from ullage.cli.known import Known
from ullage.cli.parameters import parse_with
from ullage.cli.say import remark
from ullage.guard import Question, limits
from ullage.guard.limits import Limit, parse_duration, parse_percent
from ullage.guard.waiting import WaitState
from ullage.quota.exits import NOTHING_KNOWN, OVER, TOO_OLD, UNDER
from ullage.quota.model import (
    FULL_PERCENT,
    find_binding_window,
    has_reset,
    is_same_reset,
    judge_state,
    list_limits,
    list_named_limits,
)
from ullage.render import words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from ullage.quota.model import Reading, Window
    from ullage.quota.timeline import Level


@click.command(name="wait")
@click.argument("window", required=False, shell_complete=options.complete_window)
@click.option(
    "--below",
    callback=parse_with(parse_percent),
    metavar="PERCENT",
    help="Wait until less than this is used, instead of for the reset.",
)
@click.option(
    "--timeout",
    callback=parse_with(parse_duration),
    metavar="TIME",
    help="Wait no longer than this: 2h. Exits with 1 then.",
)
@click.option("--quiet", "-q", is_flag=True, help="Say nothing when the wait ends as it should.")
@options.add_profile_option
def command(window: str | None, below: float | None, timeout: timedelta | None, quiet: bool) -> int:
    """Wait until WINDOW resets, or until less than a percentage of it is used, for cron and scripts.

    WINDOW is five_hour, 5h, seven_day, 7d or a model's name; without it, the one nearest to its limit. A window that
    has not started has nothing to wait for. Exits with 3, 4 or 5 when nothing is known to wait for.
    """
    if below == 0:
        raise UsageError("Less than 0 % is never used. Name more, or leave out --below to wait for the reset.")
    known = Known()
    known.print_issues()
    known.refresh()
    now = datetime.now(UTC)
    reading = known.load_reading()
    if reading is None:
        verdict = known.judge(Question(), now)
        remark(verdict.message)
        return verdict.exit_code
    chosen = _chosen(reading, window, known, now)
    if chosen is None:
        remark(f"Nothing is known of {clean(window) or 'any window'}.")
        return NOTHING_KNOWN
    look = _until_reset(known, chosen) if below is None else _until_below(known, chosen, below)
    seen = countdown.wait(look, timeout, known.settings.palette)
    if not (quiet and seen.over and seen.exit_code == UNDER):
        level: Level = "normal" if seen.over and seen.exit_code == UNDER else "warning"
        remark(f"{seen.words}{'' if seen.over else ' The time is up.'}", level, known.settings.palette)
    return seen.exit_code if seen.over else OVER


def _chosen(reading: Reading, name: str | None, known: Known, now: datetime) -> Window | None:
    if name is None:
        return find_binding_window(list_limits(reading), now, known.settings.thresholds)
    return limits.find_named_window(name, list_named_limits(reading))


def _until_reset(known: Known, first: Window) -> Callable[[datetime], WaitState]:
    """Return the look that waits for a window's reset: its time has passed, or a newer reading states a later reset."""
    label, resets_at = clean(first.label), first.resets_at

    def look(now: datetime) -> WaitState:
        if resets_at is None:
            old = judge_state(first, now, known.settings.thresholds) == "expired"
            why = (
                f"had not started {words.format_age(now - first.as_of)} ago"
                if not first.used_percent
                else "has no known reset"
            )
            text = f"{label} {why}; there is no reset to wait for."
            return WaitState(over=True, words=text, exit_code=TOO_OLD if old else UNDER)
        if has_reset(first, now):
            return WaitState(over=True, words=f"{label} has reset.")
        known.refresh(attended=False)
        latest = _latest(known, first).resets_at
        if latest is None or (latest > resets_at and not is_same_reset(latest, resets_at)):
            return WaitState(over=True, words=f"{label} has reset.")
        return WaitState(over=False, words=f"{label} {_ahead(first, resets_at, now)}.", until=resets_at)

    return look


def _ahead(window: Window, resets_at: datetime, now: datetime) -> str:
    if window.used_percent is not None and window.used_percent >= FULL_PERCENT:
        return f"is {words.format_used_up(resets_at, now)}"
    return words.format_reset(resets_at, now)


def _until_below(known: Known, first: Window, below: float) -> Callable[[datetime], WaitState]:
    """Return the look that waits until a window has room under `below`, or waiting cannot help."""
    # `--below N` asks for the verdict under a limit of N.
    question = Question(most=(Limit(window=first.id, percent=below),))

    def look(_now: datetime) -> WaitState:
        known.refresh(attended=False)
        verdict = known.judge(question, datetime.now(UTC))
        until = verdict.room_at or known.find_next_refresh()
        over = verdict.allowed or known.is_hopeless(verdict)
        return WaitState(over=over, words=verdict.message, until=until, exit_code=verdict.exit_code)

    return look


def _latest(known: Known, first: Window) -> Window:
    reading = known.load_reading()
    return next((window for window in list_named_limits(reading) if window.id == first.id), first) if reading else first

"""The table of `ullage usage`, for people: the only module that imports rich."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ullage.model import has_reset, severity_at, state_at, used_percent_at
from ullage.render import words
from ullage.text import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

    from ullage.config import Settings
    from ullage.model import Credits, Reading, Window
    from ullage.schedule import Schedule


def print_usage(reading: Reading | None, plan: Schedule, settings: Settings, now: datetime) -> None:
    """Print what is known, how old it is, who said so and what went wrong."""
    ascii_only = settings.ascii_only or not (sys.stdout.encoding or "").lower().startswith("utf")
    settings = settings.replace(ascii_only=ascii_only)
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=False)
    if reading is None:
        console.print("Nothing is known yet.")
    else:
        console.print(_windows(reading, settings, now))
        console.print(_origin(reading, settings, now))
    problem = plan.problem or (reading.problem if reading else None)
    if problem is not None:
        retry = f" Next attempt {words.clock(problem.retry_at, now)}." if problem.retry_at else ""
        console.print(Text(f"{clean(problem.message, 500)}{retry}", style="yellow"))


def _windows(reading: Reading, settings: Settings, now: datetime) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(overflow="ellipsis", no_wrap=True, min_width=8, max_width=24)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right", min_width=5)
    table.add_column()
    for window in reading.windows:
        table.add_row(*_window(window, settings, now))
    credits = reading.credits
    if credits is not None and state_at(credits.as_of or reading.as_of, now, settings.limits) != "expired":
        table.add_row(*_credits(credits, settings))
    return table


def _window(window: Window, settings: Settings, now: datetime) -> tuple[Text, Text, Text, Text]:
    label = Text(clean(window.label))
    used = used_percent_at(window, now, settings.limits)
    if has_reset(window, now):
        return label, Text(""), Text("?"), Text("has reset; a new reading is due", style="dim")
    if used is None:
        return label, Text(""), Text("?"), Text("not known", style="dim")
    severity = severity_at(window, now, settings.limits)
    stale = "~" if state_at(window.as_of, now, settings.limits) == "stale" else ""
    style = settings.palette.get("stale" if stale else severity, "")
    left = settings.show_left
    resets = "not started"
    if window.resets_at is not None:
        when = words.clock(window.resets_at, now)
        resets = f"resets in {words.countdown(window.resets_at - now)}, {when}"
    elif used > 0:
        resets = "reset not told"
    return (
        label,
        Text(words.bar(used, left=left, ascii_only=settings.ascii_only, cells=12), style=style),
        Text(
            stale + words.percent(used, left=left) + words.mark(severity, ascii_only=settings.ascii_only), style=style
        ),
        Text(resets),
    )


def _credits(credits: Credits, settings: Settings) -> tuple[Text, Text, Text, Text]:
    label = Text("Credits")
    if not credits.enabled:
        return label, Text(""), Text(""), Text("off", style="dim")
    used = words.money(credits.used) if credits.used else "?"
    amount = f"{used} of {words.money(credits.limit)}" if credits.limit else f"{used}, no limit told"
    if credits.used_percent is None:
        return label, Text(""), Text(""), Text(amount)
    return (
        label,
        Text(words.bar(credits.used_percent, left=settings.show_left, ascii_only=settings.ascii_only, cells=12)),
        Text(words.percent(credits.used_percent, left=settings.show_left)),
        Text(amount),
    )


def _origin(reading: Reading, settings: Settings, now: datetime) -> Text:
    plan = f"{clean(reading.account.plan)} plan, " if reading.account.plan else ""
    state = state_at(reading.as_of, now, settings.limits)
    state_word = {"stale": " (stale)", "expired": " (too old to show)"}.get(state, "")
    counted = "left" if settings.show_left else "used"
    return Text(
        f"{plan}percent {counted}, {_ago(reading, now)}{state_word}, from {reading.source}",
        style="dim",
    )


def _ago(reading: Reading, now: datetime) -> str:
    elapsed = words.age(now - reading.as_of)
    return "read just now" if elapsed == "0m" else f"read {elapsed} ago"

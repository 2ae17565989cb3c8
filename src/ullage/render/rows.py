"""Build the rows of lists: each window's name, number, course, reset and outlook. Pure."""

from __future__ import annotations

from ullage.base.record import Record
from ullage.base.text import clean
from ullage.quota.model import (
    CREDITS_ID,
    KINDS,
    find_binding_window,
    find_credits_window,
    find_length,
    find_used_percent,
    has_reset,
    judge_age,
    list_limits,
    list_windows,
)
from ullage.render import burnup, words
from ullage.render.segment import format_number, shorten_name
from ullage.render.surfaces import Span
from ullage.render.words import Outlook

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ullage.config import Settings
    from ullage.quota.model import Credits, Pool, Reading, Window
    from ullage.store.overview import Overview

_BAR_CELLS = 12
COURSE_CELLS = 10
_NONE = Span(text="")


class Row(Record):
    """The row of a window, of the credits, or of a pool; an unknown value is empty. `source` stated it at `as_of`.

    Of the credits and of pools `window_id` is None; `is_limit` says whether it is one of `list_shown_limits`.

    `number` is the percentage with its forms, which `percent` and `form` are the parts of; `share` is how
    full the bar is, and `tick` where on it the present stands between the window's start and its reset, both from 0 to
    1 and counted as the number is: used or left. `sentence` says why there is no number, or that it is used up;
    `outlook` has all of it for lists without columns.
    """

    label: str
    title: str
    name: str = ""
    is_model: bool = False
    binds: bool = False
    is_limit: bool = False
    number: Span = _NONE
    percent: str = ""
    form: str = ""
    share: float | None = None
    tick: float | None = None
    bar: Span = _NONE
    course: Span = _NONE
    resets_at: datetime | None = None
    expected: Outlook = Outlook()
    sentence: str = ""
    outlook: tuple[Span, ...] = ()
    source: str = ""
    as_of: datetime | None = None
    window_id: str | None = None
    used_percent: float | None = None


def build_rows(overview: Overview, settings: Settings, now: datetime) -> list[Row]:
    """Return a row for each window that the server lists, for the credits, and for each pool, where they are known."""
    reading = overview.reading
    assert reading is not None
    binding = find_binding_window(list_limits(reading), now, settings.thresholds)
    found = [
        _window(window, overview, settings, now).replace(
            source=window.source,
            as_of=window.as_of,
            window_id=window.id,
            used_percent=find_used_percent(window, now, settings.thresholds),
            binds=window is binding,
            is_limit=True,
        )
        for window in sort_by_kind(list_windows(reading))
    ]
    credits = reading.credits
    if credits is not None:
        as_of = credits.as_of or reading.as_of
        if judge_age(as_of, now, settings.thresholds) != "expired":
            found.append(
                _credits(credits, reading, settings, now).replace(
                    source=reading.source,
                    as_of=as_of,
                    used_percent=credits.used_percent,
                    binds=binding is not None and binding.id == CREDITS_ID,
                    is_limit=find_credits_window(reading) is not None,
                )
            )
    for pool in reading.pools:
        as_of = pool.as_of or reading.as_of
        if judge_age(as_of, now, settings.thresholds) != "expired" and not _has_ended(pool, now):
            row = _pool(pool, settings, now)
            found.append(row.replace(source=reading.source, as_of=as_of, used_percent=pool.used_percent))
    return found


def list_shown_limits(reading: Reading, settings: Settings, now: datetime) -> list[Window]:
    """Return the limits that have a row, in the order of the rows: the windows, and credits with a limit."""
    windows, budget = sort_by_kind(list_windows(reading)), find_credits_window(reading)
    if budget is None or judge_age(budget.as_of, now, settings.thresholds) == "expired":
        return windows
    return [*windows, budget]


def _has_ended(pool: Pool, now: datetime) -> bool:
    return pool.ends_at is not None and now >= pool.ends_at


def sort_by_kind(windows: Sequence[Window]) -> list[Window]:
    """Return windows as lists show them: the session, the week, its models, and what is of another kind."""
    return sorted(windows, key=lambda window: KINDS.index(window.kind))


def _window(window: Window, overview: Overview, settings: Settings, now: datetime) -> Row:
    name = shorten_name(window)
    row = Row(
        label=clean(window.label),
        title=words.format_title(window),
        name=name if window.kind in ("session", "weekly") else "",
        is_model=window.kind == "model",
    )
    used = find_used_percent(window, now, settings.thresholds)
    if used is None:
        passed = has_reset(window, now)
        why = words.HAS_RESET if passed else words.UNKNOWN
        mark = words.choose_reset_mark(ascii_only=settings.ascii_only) if passed else "?"
        return row.replace(number=Span(text="?"), percent=mark, sentence=why, outlook=(Span(text=why, level="faint"),))
    row = _with_share(row, window, used, settings, now)
    expected = words.describe_outlook(
        window, overview.forecasts.get(window.id), now, brief=True, left=settings.show_left
    )
    is_used_up = used >= 100
    without_reset = words.NO_RESET_TIME if used > 0 else words.NOT_STARTED
    sentence = expected.text if is_used_up else "" if window.resets_at else without_reset
    if window.used and window.limit:
        amount = words.format_amounts(window.used, window.limit)
        sentence = sentence if is_used_up else amount if sentence else ""
        expected = expected if expected.text else Outlook(text=amount)
    course = burnup.draw_window_course(
        window, overview.samples.get(window.id, ()), COURSE_CELLS, ascii_only=settings.ascii_only
    )
    return row.replace(
        tick=_place_tick(window, now, settings),
        course=Span(text=course, level=row.number.level),
        resets_at=window.resets_at,
        expected=expected,
        sentence=sentence,
        outlook=(*_amount(window), *_in_sentences(window, expected, sentence, now)),
    )


def _place_tick(window: Window, now: datetime, settings: Settings) -> float | None:
    whole = find_length(window)
    if whole is None or window.resets_at is None:
        return None
    left = min(max((window.resets_at - now) / whole, 0.0), 1.0)
    return left if settings.show_left else 1 - left


def _amount(window: Window) -> tuple[Span, ...]:
    return (Span(text=words.format_amounts(window.used, window.limit)),) if window.used and window.limit else ()


def _in_sentences(window: Window, expected: Outlook, sentence: str, now: datetime) -> tuple[Span, ...]:
    if sentence:
        return (Span(text=sentence, level="exhausted" if expected.warns else "faint"),)
    assert window.resets_at is not None
    after = (Span(text=expected.text, level="warning" if expected.warns else None),) if expected.text else ()
    return Span(text=words.format_reset(window.resets_at, now)), *after


def _credits(credits: Credits, reading: Reading, settings: Settings, now: datetime) -> Row:
    row = Row(label="Credits", title="Credits")
    why = clean(words.REASONS.get(credits.disabled_reason or "", (credits.disabled_reason or "").replace("_", " ")))
    amount = words.format_amounts(credits.used, credits.limit) if credits.used or credits.limit else ""
    if not credits.enabled and find_credits_window(reading) is None:
        off = Span(text="off", level="stale")
        return _with_money(row.replace(number=off, percent=off.text), amount, why)
    if credits.used_percent is None:
        return _with_money(row, amount or "?, no limit known", why)
    row = _with_share(row, find_credits_window(reading), credits.used_percent, settings, now)
    return _with_money(row, amount, why)


def _with_money(row: Row, amount: str, why: str) -> Row:
    spans = [Span(text=amount), Span(text=why, level="warning")]
    text = ", ".join(filter(None, (amount, why)))
    return row.replace(expected=Outlook(text=text, warns=bool(why)), outlook=tuple(span for span in spans if span.text))


def _pool(pool: Pool, settings: Settings, now: datetime) -> Row:
    amount = words.format_amounts(pool.used, pool.limit) if pool.used or pool.limit else ""
    ends = words.ENDS.format(day=words.format_day(pool.ends_at)) if pool.ends_at else ""
    row = _with_money(
        Row(label=clean(pool.label), title=clean(pool.label)), ", ".join(filter(None, (amount, ends))), ""
    )
    return row if pool.used_percent is None else _with_share(row, None, pool.used_percent, settings, now)


def _with_share(row: Row, counted: Window | None, used_percent: float, settings: Settings, now: datetime) -> Row:
    bar = words.draw_bar(used_percent, left=settings.show_left, ascii_only=settings.ascii_only, cells=_BAR_CELLS)
    percent = words.format_percent(used_percent, left=settings.show_left)
    number = Span(text=percent)
    if counted is not None:
        number = format_number(
            counted, used_percent, now, settings.thresholds, left=settings.show_left, ascii_only=settings.ascii_only
        )
    share = min(max(used_percent / 100, 0.0), 1.0)
    return row.replace(
        bar=Span(text=bar, level=number.level),
        number=number,
        percent=percent,
        form=number.text.replace(percent, ""),
        share=1 - share if settings.show_left else share,
    )

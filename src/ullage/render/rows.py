"""What lists say of each window: its name, its number, its course, when it resets, what to expect. Pure."""

from __future__ import annotations

from ullage.base.record import Record
from ullage.base.text import clean
from ullage.quota.model import binding_window, has_reset, length, state_at, used_percent_at
from ullage.render import burnup, segment, words
from ullage.render.surfaces import Span
from ullage.render.words import Outlook

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ullage.config import Settings
    from ullage.quota.model import Credits, Window
    from ullage.store.overview import Overview

_BAR_CELLS = 12
COURSE_CELLS = 10
_NONE = Span(text="")
_ORDER = ("session", "weekly", "model", "other")


class Row(Record):
    """One window, or the credits; what is unknown is empty.

    `number` is the percentage with its forms, which `percent` and `form` are the parts of; `share` is what the bar
    shows and `elapsed` how much of the window's time has passed, both from 0 to 1. `sentence` says why there is no
    number, or that it is used up; `outlook` has all of it for lists without columns.
    """

    label: str
    title: str
    name: str = ""
    is_model: bool = False
    binds: bool = False
    number: Span = _NONE
    percent: str = ""
    form: str = ""
    share: float | None = None
    elapsed: float | None = None
    bar: Span = _NONE
    course: Span = _NONE
    resets_at: datetime | None = None
    expected: Outlook = Outlook()
    sentence: str = ""
    outlook: tuple[Span, ...] = ()


def rows(overview: Overview, settings: Settings, now: datetime, *, bar_cells: int = _BAR_CELLS) -> list[Row]:
    """Return a row for each window in the order of the reading, and one for the credits where they are known."""
    assert overview.reading is not None
    windows = overview.reading.windows
    binding = binding_window(windows, now, settings.thresholds)
    found = [_window(window, overview, settings, now, bar_cells).replace(binds=window is binding) for window in windows]
    credits = overview.reading.credits
    if credits is not None and state_at(credits.as_of or overview.reading.as_of, now, settings.thresholds) != "expired":
        found.append(_credits(credits, settings, bar_cells))
    return found


def by_kind(windows: Sequence[Window]) -> list[Window]:
    """Return windows as lists show them: the session, the week, its models, and what is of another kind."""
    return sorted(windows, key=lambda window: _ORDER.index(window.kind))


def _window(window: Window, overview: Overview, settings: Settings, now: datetime, bar_cells: int) -> Row:
    name = segment.short_name(window)
    row = Row(
        label=clean(window.label),
        title=words.window_title(window),
        name=name if window.kind in ("session", "weekly") else "",
        is_model=window.kind == "model",
    )
    used = used_percent_at(window, now, settings.thresholds)
    if used is None:
        passed = has_reset(window, now)
        why = words.HAS_RESET if passed else words.UNKNOWN
        mark = words.reset_mark(ascii_only=settings.ascii_only) if passed else "?"
        return row.replace(number=Span(text="?"), percent=mark, sentence=why, outlook=(Span(text=why, level="faint"),))
    number = segment.number(
        window, used, now, settings.thresholds, left=settings.show_left, ascii_only=settings.ascii_only
    )
    percent = words.percent(used, left=settings.show_left)
    expected = words.outlook(window, overview.forecasts.get(window.id), now, brief=True)
    is_used_up = used >= 100
    sentence = expected.text if is_used_up else "" if window.resets_at else _without_reset(used)
    share = min(max(used / 100, 0.0), 1.0)
    return row.replace(
        number=number,
        percent=percent,
        form=number.text.replace(percent, ""),
        share=1 - share if settings.show_left else share,
        elapsed=_elapsed(window, now, settings),
        bar=Span(
            text=words.bar(used, left=settings.show_left, ascii_only=settings.ascii_only, cells=bar_cells),
            level=number.level,
        ),
        course=Span(
            text=burnup.window_course(
                window, overview.samples.get(window.id, ()), COURSE_CELLS, ascii_only=settings.ascii_only
            ),
            level=number.level,
        ),
        resets_at=window.resets_at,
        expected=expected,
        sentence=sentence,
        outlook=_in_sentences(window, expected, sentence, now),
    )


def _elapsed(window: Window, now: datetime, settings: Settings) -> float | None:
    whole = length(window)
    if whole is None or window.resets_at is None:
        return None
    left = min(max((window.resets_at - now) / whole, 0.0), 1.0)
    return left if settings.show_left else 1 - left


def _without_reset(used: float) -> str:
    return words.NO_RESET_TIME if used > 0 else words.NOT_STARTED


def _in_sentences(window: Window, expected: Outlook, sentence: str, now: datetime) -> tuple[Span, ...]:
    if sentence:
        return (Span(text=sentence, level="exhausted" if expected.warns else "faint"),)
    assert window.resets_at is not None
    after = (Span(text=expected.text, level="warning" if expected.warns else None),) if expected.text else ()
    return Span(text=words.resets(window.resets_at, now)), *after


def _credits(credits: Credits, settings: Settings, bar_cells: int) -> Row:
    row = Row(label="Credits", title="Credits")
    if not credits.enabled:
        return row.replace(number=Span(text="off", level="stale"), percent="off")
    used = words.money(credits.used) if credits.used else "?"
    amount = f"{used} of {words.money(credits.limit)}" if credits.limit else f"{used}, no limit known"
    row = row.replace(expected=Outlook(text=amount), outlook=(Span(text=amount),))
    if credits.used_percent is None:
        return row
    bar = words.bar(credits.used_percent, left=settings.show_left, ascii_only=settings.ascii_only, cells=bar_cells)
    percent = words.percent(credits.used_percent, left=settings.show_left)
    share = min(max(credits.used_percent / 100, 0.0), 1.0)
    return row.replace(
        bar=Span(text=bar),
        number=Span(text=percent),
        percent=percent,
        share=1 - share if settings.show_left else share,
    )

"""A card to show to others: every window with its bar, the plan, and the course of the week. Pure.

It names nobody unless that is asked for.
"""

from __future__ import annotations

from ullage.base.record import Record
from ullage.base.text import clean
from ullage.config.palette import COLOURS
from ullage.quota.model import find_binding_window, list_limits
from ullage.render import words
from ullage.render.burnup import format_title, plot_known
from ullage.render.rows import build_rows
from ullage.render.svg import Area, Shape, draw_legend, draw_plot, format_caption, make_background, make_label
from ullage.render.usage import list_owner_parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, tzinfo

    from ullage.config import Settings
    from ullage.render.burnup import Burnup
    from ullage.render.rows import Row
    from ullage.store.overview import Overview

CARD_SIZE = (1200, 630)
_MARGIN, _TOP, _FLOOR = 56.0, 150.0, 584.0
_RIGHT = CARD_SIZE[0] - _MARGIN
# With a chart beside them, rows end here, and the chart begins there.
_ROWS_END, _CHART_BEGINS = 560.0, 632.0
_TALLEST_ROW, _ROOMY_ROW, _CLOSE_ROW = 104.0, 62.0, 38.0
_MOST_ROWS = 16
_LONGEST_LABEL, _LONGEST_PLAN = 26, 40


class _Metrics(Record):
    """Sizes of a row: of the texts, of the bar, and where each lies below the row's top."""

    label: float
    note: float
    bar: float
    base: float
    bar_at: float


_ROOMY = _Metrics(label=22, note=15, bar=10, base=20, bar_at=36)
_CLOSE = _Metrics(label=17, note=13, bar=7, base=17, bar_at=29)
_TIGHT = _Metrics(label=13, note=12, bar=4, base=13, bar_at=20)


def draw_card(
    overview: Overview, settings: Settings, now: datetime, *, names_account: bool, timezone: tzinfo | None = None
) -> list[Shape]:
    """Draw the card on a sheet of CARD_SIZE; the organisation's name is on it only with `names_account`."""
    assert overview.reading is not None
    found = build_rows(overview, settings, now)
    drawn = _choose_course(overview, settings, now)
    is_alone = len(found) == 1
    right = _RIGHT if drawn is None or is_alone else _ROWS_END
    shapes = [make_background(*CARD_SIZE), *_heading(overview, names_account=names_account, timezone=timezone)]
    shown = found[:_MOST_ROWS]
    height = min(_TALLEST_ROW, (_FLOOR - _TOP) / max(1, len(shown)))
    metrics = _ROOMY if height >= _ROOMY_ROW else _CLOSE if height >= _CLOSE_ROW else _TIGHT
    for number, row in enumerate(shown):
        shapes += _draw_row(row, _TOP + number * height, right, metrics, now)
    if len(found) > len(shown):
        shapes.append(make_label(_MARGIN, _FLOOR + 16, f"and {len(found) - len(shown)} more", size=12))
    if drawn is not None:
        # One row leaves room for a chart below it, as wide as the card.
        left, top = (_MARGIN, _TOP + height) if is_alone else (_CHART_BEGINS, _TOP)
        shapes += _draw_course(drawn.replace(timezone=timezone), left, top)
    return shapes


def describe_card(overview: Overview, settings: Settings, now: datetime) -> str:
    """Return in words what the card shows."""
    found = build_rows(overview, settings, now)
    return "; ".join(f"{row.label}: {row.percent} used" for row in found if row.percent)


def _heading(overview: Overview, *, names_account: bool, timezone: tzinfo | None) -> Iterator[Shape]:
    reading = overview.reading
    assert reading is not None
    plan = words.format_plan(reading.account) or "Claude"
    title = make_label(_MARGIN, 86, clean(plan, _LONGEST_PLAN), role="text", size=40)
    yield title.replace(bold=True)
    whose = list_owner_parts(reading.account) or [clean(reading.account.id)]
    if names_account and whose[0]:
        yield make_label(_MARGIN, 118, clean(whose[0], _LONGEST_PLAN), size=18)
    yield make_label(_RIGHT, 70, "ullage", size=22, anchor="end").replace(bold=True)
    if reading.is_dated:
        yield make_label(_RIGHT, 96, words.format_date(reading.as_of, timezone), size=16, anchor="end")


def _draw_row(row: Row, top: float, right: float, metrics: _Metrics, now: datetime) -> Iterator[Shape]:
    base = top + metrics.base
    role = _choose_role(row)
    name = row.label if len(row.label) <= _LONGEST_LABEL else row.label[: _LONGEST_LABEL - 1] + "…"
    label = make_label(_MARGIN, base, name, role="text", size=metrics.label)
    yield label.replace(bold=row.binds)
    # That a window is used up is said in words below.
    number = row.percent if row.number.text == "?" else row.number.text.rstrip(words.FORMS["exhausted"])
    yield make_label(right, base, number, role=role, size=metrics.label, anchor="end").replace(bold=True)
    bar_at = top + metrics.bar_at
    if row.share is not None:
        yield from _draw_bar(row.share, row.tick, role, (right, bar_at, metrics.bar))
    note = row.sentence or row.expected.text
    shown = "faint" if not row.expected.warns else "exhausted" if role == "exhausted" else "warning"
    if metrics is _ROOMY:
        yield make_label(_MARGIN, bar_at + 24, note, role=shown, size=metrics.note)
        reset = "" if row.resets_at is None or row.sentence else words.format_reset(row.resets_at, now)
        yield make_label(right, bar_at + 24, reset, size=metrics.note, anchor="end")
    else:
        yield make_label(right - 76, base, note, role=shown, size=metrics.note, anchor="end")


def _choose_role(row: Row) -> str:
    level = row.number.level
    return level if level in COLOURS["light"] else "faint"


def _draw_bar(share: float, elapsed: float | None, role: str, place: tuple[float, float, float]) -> Iterator[Shape]:
    """Draw a bar with rounded ends from the margin on, filled by a share, with a tick where the elapsed time stands."""
    right, at, width = place
    left, whole = _MARGIN + width / 2, right - _MARGIN - width
    yield Shape(kind="line", role="grid", points=((left, at), (left + whole, at)), width=width, rounded=True)
    if share > 0:
        yield Shape(kind="line", role=role, points=((left, at), (left + whole * share, at)), width=width, rounded=True)
    if elapsed is not None:
        tick = left + whole * elapsed
        yield Shape(kind="line", role="text", points=((tick, at - width), (tick, at + width)), width=2)


def _choose_course(overview: Overview, settings: Settings, now: datetime) -> Burnup | None:
    """Return the chart of the week or of a model's week, whichever is fuller, else of what binds and can be drawn."""
    assert overview.reading is not None
    windows = tuple(
        window
        for window in list_limits(overview.reading)
        if plot_known(window, overview, settings.thresholds, now) is not None
    )
    weeks = tuple(window for window in windows if window.kind in ("weekly", "model"))
    chosen = find_binding_window(weeks or windows, now, settings.thresholds)
    return None if chosen is None else plot_known(chosen, overview, settings.thresholds, now)


def _draw_course(burnup: Burnup, left: float, top: float) -> Iterator[Shape]:
    yield make_label(left, top + 22, format_title(burnup), role="text", size=20)
    yield make_label(left, top + 46, format_caption(burnup), size=14)
    yield from draw_plot(burnup, Area(left=left + 48, top=top + 62, right=_RIGHT, floor=_FLOOR - 52, size=14))
    yield from draw_legend(burnup, left, _FLOOR)

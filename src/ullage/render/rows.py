"""What a table says of each window, in spans: the numbers, the course so far, the outlook. Pure."""

from __future__ import annotations

from ullage.base.record import Record
from ullage.base.text import clean
from ullage.quota import pace
from ullage.quota.model import has_reset, length, state_at, used_percent_at
from ullage.render import burnup, segment, words
from ullage.render.surfaces import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ullage.config import Settings
    from ullage.quota.model import Credits, Window
    from ullage.quota.pace import Forecast, Sample
    from ullage.store.overview import Overview

_FEWEST_SAMPLES = 4
_BAR_CELLS = 12
COURSE_CELLS = 10
_NONE = Span(text="")


class Row(Record):
    """One window, or the credits; what is not known is empty.

    `outlook` is one line or two of whole words, `resets_in` and `runs_out` the same for a narrow column.
    """

    label: str
    bar: Span = _NONE
    number: Span = _NONE
    course: Span = _NONE
    pace: str = ""
    outlook: tuple[Span, ...] = ()
    resets_in: str = ""
    runs_out: Span = _NONE


def rows(overview: Overview, settings: Settings, now: datetime, *, bar_cells: int = _BAR_CELLS) -> list[Row]:
    """Return a row for each window, and one for the credits where they are known."""
    assert overview.reading is not None
    found = [_window(window, overview, settings, now, bar_cells) for window in overview.reading.windows]
    credits = overview.reading.credits
    if credits is not None and state_at(credits.as_of or overview.reading.as_of, now, settings.thresholds) != "expired":
        found.append(_credits(credits, settings, bar_cells))
    return found


def _window(window: Window, overview: Overview, settings: Settings, now: datetime, bar_cells: int) -> Row:
    label = clean(window.label)
    used = used_percent_at(window, now, settings.thresholds)
    if used is None:
        why, short = (words.HAS_RESET, "has reset") if has_reset(window, now) else (words.UNKNOWN, "")
        return Row(label=label, number=Span(text="?"), outlook=(Span(text=why, level="stale"),), resets_in=short)
    number = segment.number(
        window, used, now, settings.thresholds, left=settings.show_left, ascii_only=settings.ascii_only
    )
    bar = words.bar(used, left=settings.show_left, ascii_only=settings.ascii_only, cells=bar_cells)
    forecast = overview.forecasts.get(window.id)
    ratio = forecast.ratio if forecast else None
    return Row(
        label=label,
        bar=Span(text=bar, level=number.level),
        number=number,
        course=Span(text=_course(window, overview.samples.get(window.id, ()), settings), level=number.level),
        pace="" if ratio is None else words.pace(ratio, ascii_only=settings.ascii_only),
        outlook=_outlook(window, used, forecast, now),
        resets_in=_resets_in(window, used, now),
        runs_out=_runs_out(used, forecast, now),
    )


def _course(window: Window, samples: Sequence[Sample], settings: Settings) -> str:
    whole = length(window)
    own = pace.of_window(window, samples)
    # Of a course that is known from a few readings alone there is nothing to draw.
    if whole is None or window.resets_at is None or len(own) < _FEWEST_SAMPLES:
        return ""
    return burnup.sparkline(
        own, window.resets_at - whole, window.resets_at, COURSE_CELLS, ascii_only=settings.ascii_only
    )


def _resets_in(window: Window, used: float, now: datetime) -> str:
    if window.resets_at is None:
        return words.NO_RESET_TIME if used > 0 else words.NOT_STARTED
    return words.countdown(window.resets_at - now)


def _outlook(window: Window, used: float, forecast: Forecast | None, now: datetime) -> tuple[Span, ...]:
    if window.resets_at is None:
        return (Span(text=words.NO_RESET_TIME if used > 0 else words.NOT_STARTED),)
    expected = words.outlook(window, forecast, now, brief=True)
    if used >= 100:
        return (Span(text=expected.text, level="exhausted"),)
    after = (Span(text=expected.text, level="warning" if expected.warns else None),) if expected.text else ()
    return Span(text=words.resets(window.resets_at, now)), *after


def _runs_out(used: float, forecast: Forecast | None, now: datetime) -> Span:
    if used >= 100:
        return Span(text=words.USED_UP, level="exhausted")
    if forecast is None or forecast.projected_percent is None:
        return _NONE
    if forecast.exhausts_at is None:
        return Span(text="lasts" if forecast.exhausts_earliest is None else "probably lasts")
    ends = forecast.exhausts_at
    return Span(text="about now" if ends <= now else words.clock(ends, now), level="warning")


def _credits(credits: Credits, settings: Settings, bar_cells: int) -> Row:
    if not credits.enabled:
        return Row(label="Credits", number=Span(text="off", level="stale"))
    used = words.money(credits.used) if credits.used else "?"
    amount = Span(text=f"{used} of {words.money(credits.limit)}" if credits.limit else f"{used}, no limit known")
    if credits.used_percent is None:
        return Row(label="Credits", outlook=(amount,), runs_out=amount)
    bar = words.bar(credits.used_percent, left=settings.show_left, ascii_only=settings.ascii_only, cells=bar_cells)
    number = Span(text=words.percent(credits.used_percent, left=settings.show_left))
    return Row(label="Credits", bar=Span(text=bar), number=number, outlook=(amount,))

"""What a table says of each window, in spans: the numbers, the course so far, the outlook. Pure."""

from __future__ import annotations

from ullage.base.record import Record
from ullage.base.text import clean
from ullage.quota import pace
from ullage.quota.model import credits_window, has_reset, length, listed_windows, state_at, used_percent_at
from ullage.render import burnup, segment, words
from ullage.render.surfaces import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ullage.config import Settings
    from ullage.quota.model import Credits, Money, Pool, Reading, Window
    from ullage.quota.pace import Forecast, Sample
    from ullage.store.overview import Overview

_FEWEST_SAMPLES = 4
_BAR_CELLS = 12
COURSE_CELLS = 10
_NONE = Span(text="")


class Row(Record):
    """One window, the credits, or a pool of money; what is not known is empty. `source` said so at `as_of`.

    Of the credits and of pools `window_id` is None.

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
    source: str = ""
    as_of: datetime | None = None
    window_id: str | None = None
    used_percent: float | None = None


def rows(overview: Overview, settings: Settings, now: datetime, *, bar_cells: int = _BAR_CELLS) -> list[Row]:
    """Return a row for each window that the server lists, for the credits, and for each pool, where they are known."""
    reading = overview.reading
    assert reading is not None
    found = [
        _window(window, overview, settings, now, bar_cells).replace(
            source=window.source,
            as_of=window.as_of,
            window_id=window.id,
            used_percent=used_percent_at(window, now, settings.thresholds),
        )
        for window in listed_windows(reading)
    ]
    credits = reading.credits
    if credits is not None:
        as_of = credits.as_of or reading.as_of
        if state_at(as_of, now, settings.thresholds) != "expired":
            found.append(
                _credits(credits, reading, settings, now, bar_cells).replace(
                    source=reading.source, as_of=as_of, used_percent=credits.used_percent
                )
            )
    for pool in reading.pools:
        as_of = pool.as_of or reading.as_of
        if state_at(as_of, now, settings.thresholds) != "expired" and not _has_ended(pool, now):
            found.append(_pool(pool, settings, now, bar_cells).replace(source=reading.source, as_of=as_of))
    return found


def _has_ended(pool: Pool, now: datetime) -> bool:
    return pool.ends_at is not None and now >= pool.ends_at


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
    amount = (Span(text=_amounts(window.used, window.limit)),) if window.used and window.limit else ()
    return Row(
        label=label,
        bar=Span(text=bar, level=number.level),
        number=number,
        course=Span(text=_course(window, overview.samples.get(window.id, ()), settings), level=number.level),
        pace="" if ratio is None else words.pace(ratio, ascii_only=settings.ascii_only),
        outlook=(*amount, *_outlook(window, used, forecast, now)),
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


def _credits(credits: Credits, reading: Reading, settings: Settings, now: datetime, bar_cells: int) -> Row:
    why = _REASONS.get(credits.disabled_reason or "", (credits.disabled_reason or "").replace("_", " "))
    after = (Span(text=clean(why), level="warning"),) if why else ()
    amount = (Span(text=_amounts(credits.used, credits.limit)),) if credits.used or credits.limit else ()
    if not credits.enabled and credits_window(reading) is None:
        return Row(label="Credits", number=Span(text="off", level="stale"), outlook=(*amount, *after))
    if credits.used_percent is None:
        amount = amount or (Span(text="?, no limit known"),)
        return Row(label="Credits", outlook=(*amount, *after), runs_out=amount[0])
    bar, number = _money_share(credits_window(reading), credits.used_percent, settings, now, bar_cells)
    return Row(label="Credits", bar=bar, number=number, outlook=(*amount, *after))


# Why credits are off, as the server words it.
_REASONS = {
    "out_of_credits": "out of credits",
    "org_spend_cap_reached": "the organisation's cap is reached",
    "spend_limit_reached": "the limit is reached",
    "user_disabled": "you have turned them off",
    "org_disabled": "the organisation has turned them off",
}


def _amounts(used: Money | None, limit: Money | None) -> str:
    spent = words.money(used) if used else "?"
    return f"{spent} of {words.money(limit)}" if limit else f"{spent}, no limit known"


def _pool(pool: Pool, settings: Settings, now: datetime, bar_cells: int) -> Row:
    amount = _amounts(pool.used, pool.limit) if pool.used or pool.limit else ""
    ends = f"ends {words.day(pool.ends_at)}" if pool.ends_at else ""
    outlook = (Span(text=", ".join(filter(None, (amount, ends)))),)
    if pool.used_percent is None:
        return Row(label=clean(pool.label), outlook=outlook, resets_in=ends)
    bar, number = _money_share(None, pool.used_percent, settings, now, bar_cells)
    return Row(label=clean(pool.label), bar=bar, number=number, outlook=outlook, resets_in=ends)


def _money_share(
    counted: Window | None, used_percent: float, settings: Settings, now: datetime, bar_cells: int
) -> tuple[Span, Span]:
    bar = words.bar(used_percent, left=settings.show_left, ascii_only=settings.ascii_only, cells=bar_cells)
    if counted is None:
        return Span(text=bar), Span(text=words.percent(used_percent, left=settings.show_left))
    number = segment.number(
        counted, used_percent, now, settings.thresholds, left=settings.show_left, ascii_only=settings.ascii_only
    )
    return Span(text=bar, level=number.level), number

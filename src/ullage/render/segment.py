"""Fill a segment's template from what a reading still says at one moment. Pure.

    {top.name} {top}[ {top.blocked_for}]

`config.template` has the grammar. Outside of a group an unknown value is `?`. A window whose reset has passed shows the
reset mark instead of a number.
"""

from __future__ import annotations

from ullage.base.record import Record
from ullage.base.text import clean, quote, replace_signs, suggest
from ullage.config.template import COURSES, FORECASTS, PLAIN_SUBJECTS, Field, Group, list_fields
from ullage.quota.model import (
    ALIASES,
    BUDGET_IDS,
    CLOCK_SLACK,
    CREDITS_ID,
    SEVERITIES,
    find_binding_window,
    find_credits_window,
    find_used_percent,
    find_window,
    grade_window,
    has_reset,
    judge_age,
    judge_state,
    list_limits,
    list_named_limits,
    list_windows,
)
from ullage.render import words
from ullage.render.surfaces import Span, join_spans

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime, tzinfo

    from ullage.config import Settings
    from ullage.config.template import Node
    from ullage.quota.model import Reading, Thresholds, Window
    from ullage.quota.pace import Forecast, Sample
    from ullage.quota.timeline import Level

LONGEST_NAME = 20
_SHORT_NAMES = {id: name for name, id in ALIASES.items()}
_NO_FORECASTS: Mapping[str, Forecast] = {}
_NO_SAMPLES: Mapping[str, Sequence[Sample]] = {}


class View(Record):
    """A reading at one moment, with the person's settings for showing it."""

    reading: Reading
    now: datetime
    thresholds: Thresholds
    show_left: bool = False
    ascii_only: bool = False
    timezone: tzinfo | None = None
    session: Mapping[str, str] | None = None
    forecasts: Mapping[str, Forecast] = _NO_FORECASTS
    samples: Mapping[str, Sequence[Sample]] = _NO_SAMPLES
    nerd: bool = False


def build_view(
    reading: Reading,
    settings: Settings,
    now: datetime,
    forecasts: Mapping[str, Forecast] = _NO_FORECASTS,
    samples: Mapping[str, Sequence[Sample]] = _NO_SAMPLES,
) -> View:
    """Return the view of a reading at `now`, with the settings that say how numbers are shown."""
    return View(
        reading=reading,
        now=now,
        thresholds=settings.thresholds,
        show_left=settings.show_left,
        ascii_only=settings.ascii_only,
        forecasts=forecasts,
        samples=samples,
        nerd=settings.nerd and not settings.ascii_only,
    )


def fill(nodes: Iterable[Node], view: View) -> list[Span]:
    """Fill the template for the view's moment; each number carries its level."""
    nodes = tuple(nodes)
    if view.session is None and not list_limits(view.reading) and any(map(_is_limit, list_fields(nodes))):
        # Where nothing is counted, a question mark would stand for a number that does not exist.
        return []
    spans: list[Span] = []
    for node in nodes:
        if isinstance(node, Group):
            parts = [_part(part, view) for part in node.nodes if not isinstance(part, Group)]
            spans += [_with_style(part, node.style) for part in parts if part] if None not in parts else []
        else:
            spans.append(_part(node, view) or Span(text="?"))
    return join_spans(spans)


def _part(node: str | Field, view: View) -> Span | None:
    """Return the text or the value of a field; None for a value that is unknown."""
    if isinstance(node, Field):
        return _value(node, view)
    return Span(text=replace_signs(node) if view.ascii_only else node)


def _with_style(span: Span, style: str) -> Span:
    return span.replace(style=style) if style and span.level is None else span


def _is_limit(field: Field) -> bool:
    return field.subject not in (*PLAIN_SUBJECTS, "credits")


def grade_view(spans: Iterable[Span]) -> Level:
    """Return the level of the whole, for surfaces that colour it themselves: stale if a part is, else the gravest."""
    levels = {span.level for span in spans}
    gravest_first: tuple[Level, ...] = ("stale", *reversed(SEVERITIES))
    return next((level for level in gravest_first if level in levels), "none")


def _value(field: Field, view: View) -> Span | None:
    if field.subject == "credits":
        return _credits_value(field, view)
    if view.session and field.subject in view.session:
        text = view.session[field.subject]
        return Span(text=text) if text else None
    if field.subject in PLAIN_SUBJECTS:
        return _plain_value(field.subject, view)
    if field.subject == "top":
        window = find_binding_window(list_limits(view.reading), view.now, view.thresholds)
    elif field.subject == "model_week":
        window = _fuller_model(view)
    elif field.subject == "budget":
        window = _binding_budget(view)
    else:
        window = find_window(list_named_limits(view.reading), field.subject, view.now, view.thresholds)
    return None if window is None else _window_value(window, field, view)


def _fuller_model(view: View) -> Window | None:
    """Return a model's week that is fuller than the week over all models."""
    windows = list_windows(view.reading)
    weeks = tuple(window for window in windows if window.kind in ("weekly", "model"))
    fullest = find_binding_window(weeks, view.now, view.thresholds)
    return fullest if fullest is not None and fullest.kind == "model" else None


def _binding_budget(view: View) -> Window | None:
    """Return the budget or the spend limit where that is what binds."""
    window = find_binding_window(list_limits(view.reading), view.now, view.thresholds)
    return window if window is not None and window.id in BUDGET_IDS else None


def _window_value(window: Window, field: Field, view: View) -> Span | None:
    attribute = field.attribute
    if attribute in ("name", "label"):
        return Span(text=_shown(shorten_name(window) if attribute == "name" else clean(window.label), view))
    if attribute in ("", "used", "left", "bar", "dots", "ring"):
        return _share(window, field, view)
    if attribute in COURSES:
        return _course(window, field, view)
    if attribute in FORECASTS:
        return _forecast(window, attribute, view)
    if attribute == "on_credits":
        return _on_credits(window, view)
    if window.resets_at is None or has_reset(window, view.now):
        return None
    # A timeline's last frame has no successor, so a countdown in it would stand still.
    if judge_state(window, view.now, view.thresholds) == "expired":
        return None
    if attribute == "blocked_for" and (not _is_used_up(window, view) or _on_credits(window, view)):
        return None
    if attribute == "resets_at":
        return Span(text=words.format_clock(window.resets_at, view.now, view.timezone))
    return Span(text=words.format_countdown(window.resets_at - view.now))


def _is_used_up(window: Window, view: View) -> bool:
    return grade_window(window, view.now, view.thresholds) == "exhausted"


def _on_credits(window: Window, view: View) -> Span | None:
    """Say that work goes on for money though the window is used up."""
    credits = view.reading.credits
    if credits is None or not credits.pay or window.id == CREDITS_ID or not _is_used_up(window, view):
        return None
    return Span(text="on credits" if view.ascii_only else "· credits")


def _share(window: Window, field: Field, view: View) -> Span | None:
    if has_reset(window, view.now) and judge_state(window, view.now, view.thresholds) != "expired":
        return Span(text=words.choose_reset_mark(ascii_only=view.ascii_only))
    used = find_used_percent(window, view.now, view.thresholds)
    if used is None:
        return None
    left = field.attribute == "left" if field.attribute in ("used", "left") else view.show_left
    shown = format_number(window, used, view.now, view.thresholds, left=left, ascii_only=view.ascii_only)
    drawn = _drawn(used, field, view)
    if drawn is None:
        return shown
    return Span(text=f"~{drawn}" if shown.level == "stale" else drawn, level=shown.level)


def _drawn(used: float, field: Field, view: View) -> str | None:
    """Draw a share as a bar, dots or a ring; None for a field that is a number."""
    form = {"left": view.show_left, "ascii_only": view.ascii_only}
    if field.attribute == "bar":
        return words.draw_bar(used, **form, cells=field.cells or words.BAR_CELLS)
    if field.attribute == "dots":
        return words.draw_dots(used, **form, cells=field.cells or words.DOTS)
    return words.draw_ring(used, **form, nerd=view.nerd) if field.attribute == "ring" else None


def _course(window: Window, field: Field, view: View) -> Span | None:
    """Draw the window's course so far; the history is read only for templates that show it."""
    used = find_used_percent(window, view.now, view.thresholds)
    if used is None:
        return None
    from ullage.render import burnup

    text = burnup.draw_window_course(
        window, view.samples.get(window.id, ()), field.cells or words.BAR_CELLS, ascii_only=view.ascii_only
    )
    level = format_number(window, used, view.now, view.thresholds, left=False, ascii_only=view.ascii_only).level
    # The future is empty, and would be invisible space in a prompt.
    return Span(text=text.rstrip(), level=level) if text.strip() else None


def format_number(
    window: Window, used: float, now: datetime, thresholds: Thresholds, *, left: bool, ascii_only: bool
) -> Span:
    """Format a percentage with its marks: ~ for stale, and the severity's form."""
    severity = grade_window(window, now, thresholds)
    text = words.format_percent(used, left=left) + words.choose_form(severity, ascii_only=ascii_only)
    if judge_state(window, now, thresholds) == "stale":
        return Span(text=words.choose_form("stale", ascii_only=ascii_only) + text, level="stale")
    return Span(text=text, level=severity)


def _shown(name: str, view: View) -> str:
    # A terminal that is not UTF-8 may take a byte of a foreign letter for a control character.
    return name.encode("ascii", "replace").decode() if view.ascii_only else name


def _forecast(window: Window, attribute: str, view: View) -> Span | None:
    """Format the forecast of a fresh statement; a time that has passed unfulfilled is not shown."""
    known = view.forecasts.get(window.id)
    if known is None or has_reset(window, view.now) or judge_state(window, view.now, view.thresholds) != "fresh":
        return None
    if attribute == "pace":
        return None if known.ratio is None else Span(text=words.format_pace(known.ratio, ascii_only=view.ascii_only))
    if known.exhausts_at is None or known.exhausts_at <= view.now or known.judge(window) != "runs_out":
        return None
    return Span(text=words.format_forecast_clock(known.exhausts_at, view.now, view.timezone))


def shorten_name(window: Window) -> str:
    """Return the name that a prompt uses for a window: 5h, 7d, or the model's with its version: fable 5.1."""
    known = _SHORT_NAMES.get(window.id)
    if known:
        return known
    scope = window.label.rpartition("(")[2].rstrip(")") if window.kind == "model" and "(" in window.label else ""
    name = clean(scope).lower().removeprefix("claude ") or window.id.removeprefix("seven_day_").replace("_", " ")
    return name[:LONGEST_NAME].rstrip()


def explain_unknown(name: str, windows: Iterable[Window]) -> str:
    """Return the sentences for a name that no window has: the nearest name, and all that there are."""
    # Before a reading: the two that every plan has.
    names = [shorten_name(window) for window in windows] or [*ALIASES]
    return f"There is no window {quote(name)}{suggest(name, names)} Known are {', '.join(names)}."


def _credits_value(field: Field, view: View) -> Span | None:
    credits, attribute = view.reading.credits, field.attribute
    if credits is None:
        return None
    state = judge_age(credits.as_of or view.reading.as_of, view.now, view.thresholds)
    if state == "expired":
        return None
    old = "~" if state == "stale" else ""
    counted = find_credits_window(view.reading)
    severity = grade_window(counted, view.now, view.thresholds) if counted else "normal"
    level: Level | None = "stale" if old else severity if severity != "normal" else None
    if attribute in ("used", "limit"):
        amount = credits.used if attribute == "used" else credits.limit
        return None if amount is None else Span(text=old + words.format_money(amount), level=level)
    if attribute == "left":
        return _credits_left(view, old, level)
    if credits.used_percent is None:
        return None
    drawn = _drawn(credits.used_percent, field, view)
    if drawn is not None:
        return Span(text=old + drawn, level=level)
    marked = "" if old else words.choose_form(severity, ascii_only=view.ascii_only)
    return Span(text=old + words.format_percent(credits.used_percent, left=view.show_left) + marked, level=level)


def _credits_left(view: View, old: str, level: Level | None) -> Span | None:
    credits = view.reading.credits
    if credits is None or credits.used is None or credits.limit is None:
        return None
    if (credits.used.currency, credits.used.exponent) != (credits.limit.currency, credits.limit.exponent):
        return None
    left = credits.limit.replace(amount_minor=max(0, credits.limit.amount_minor - credits.used.amount_minor))
    return Span(text=old + words.format_money(left), level=level)


def _plain_value(subject: str, view: View) -> Span | None:
    reading = view.reading
    state = judge_age(reading.as_of, view.now, view.thresholds)
    if subject == "age":
        known = state != "expired" and reading.as_of <= view.now + CLOCK_SLACK
        return Span(text=words.format_age(view.now - reading.as_of)) if known else None
    if subject == "icon":
        icon = words.choose_icon(ascii_only=view.ascii_only, nerd=view.nerd)
        return Span(text=icon) if icon else None
    if subject == "state":
        return Span(text=state)
    text = clean(reading.account.plan if subject == "plan" else reading.source)
    return Span(text=text) if text else None

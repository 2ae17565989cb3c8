"""Build a timeline's frames from a reading: everything that time alone will change, rendered ahead of time. Pure."""

from __future__ import annotations

import math

from ullage.base.dates import UTC, datetime, timedelta
from ullage.config.template import COUNTDOWNS, FORECASTS, MOMENTS, list_fields, parse_template
from ullage.quota.changes import list_turns, round_up_to_second
from ullage.quota.timeline import LEAD_SECONDS, TIMELINES, Frame, find_surface, is_ascii, is_coloured
from ullage.render import segment
from ullage.render.surfaces import choose_form, paint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ullage.config import Settings
    from ullage.config.template import Node
    from ullage.quota.model import Reading, Window
    from ullage.quota.pace import Forecast, Sample
    from ullage.render.segment import View
    from ullage.render.surfaces import Span

MOST_FRAMES = 120
_NEAR_SECONDS = 3600
_FAR_STEP_SECONDS = 300
_FEWEST_FAR_STEPS = 24
_DAY_SECONDS = 86400
_NO_FORECASTS: Mapping[str, Forecast] = {}
_NO_SAMPLES: Mapping[str, Sequence[Sample]] = {}


def build(
    reading: Reading | None,
    settings: Settings,
    now: datetime,
    forecasts: Mapping[str, Forecast] = _NO_FORECASTS,
    samples: Mapping[str, Sequence[Sample]] = _NO_SAMPLES,
) -> dict[tuple[str, ...], list[Frame]]:
    """Build the frames from `now` until the reading expires; timelines that have the same frames share them."""
    written = math.floor(now.timestamp())
    if reading is None:
        return {TIMELINES: [Frame(starts_at=written - LEAD_SECONDS, level="none", text="")]}
    view = segment.build_view(reading, settings, now, forecasts, samples)
    alike: dict[tuple[str, str], list[str]] = {}
    for name in TIMELINES:
        alike.setdefault((settings.templates[find_surface(name)], choose_form(name)), []).append(name)
    scenes = {
        (template, ascii): _scenes(view, template, written, ascii=ascii)
        for template, ascii in {(template, is_ascii(form)) for template, form in alike}
    }
    return {
        tuple(names): [_frame(second, spans, form, settings) for second, spans in scenes[template, is_ascii(form)]]
        for (template, form), names in alike.items()
    }


def _frame(second: int, spans: Sequence[Span], form: str, settings: Settings) -> Frame:
    level = segment.grade_view(spans)
    if settings.shape and is_coloured(form):
        from ullage.render.shapes import shape_spans

        spans = shape_spans(spans, settings.shape, level, settings.colouring, nerd=settings.nerd and not is_ascii(form))
    return Frame(starts_at=second, level=level, text=paint(spans, form, settings.choose_palette(find_surface(form))))


def is_any_shown(attributes: Iterable[str], settings: Settings) -> bool:
    """Say whether a template shows one of these attributes."""
    return any(_asks_for(attributes, parse_template(template)) for template in {*settings.templates.values()})


def _asks_for(attributes: Iterable[str], nodes: Iterable[Node]) -> bool:
    return any(field.attribute in attributes for field in list_fields(nodes))


def _exhaustions(forecasts: Mapping[str, Forecast], written: int, horizon: int) -> set[int]:
    """Return the seconds at which a forecast vanishes unfulfilled, or is near enough to be shown to the minute."""
    moments = [forecast.exhausts_at for forecast in forecasts.values() if forecast.exhausts_at is not None]
    days_before = {math.floor(moment.timestamp()) + 1 - _DAY_SECONDS for moment in moments}
    return {second for second in {*map(round_up_to_second, moments), *days_before} if written < second < horizon}


def _midnights(written: int, horizon: int) -> set[int]:
    """Return the local midnights in between, at which a time of day gains or loses its weekday."""
    local = datetime.fromtimestamp(written, UTC).astimezone()
    # Without a zone it is the local midnight on both sides of a change of the clocks.
    today = local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    days = range(1, (horizon - written) // _DAY_SECONDS + 2)
    midnights = {round_up_to_second(today + timedelta(days=number)) for number in days}
    return {second for second in midnights if written < second < horizon}


def _steps(reading: Reading, nodes: Iterable[Node], written: int, horizon: int) -> list[int]:
    """Return the seconds at which a countdown or an age is redrawn: each minute at first, later every five minutes."""
    steps: set[int] = set()
    fields = list_fields(nodes)
    for window in _list_counted_down(reading, {field.attribute for field in fields}):
        if window.resets_at is not None:
            steps |= _every_step(round_up_to_second(window.resets_at), written, horizon)
    if any(field.subject == "age" for field in fields):
        steps |= _every_step(round_up_to_second(reading.as_of), written, horizon)
    return sorted(steps)


def _list_counted_down(reading: Reading, attributes: set[str]) -> list[Window]:
    """List the windows whose countdown a template with these attributes may show."""
    countdowns = attributes & {*COUNTDOWNS}
    # `blocked_for` shows only for a window that is used up, and time alone never makes another window that.
    return [
        window for window in reading.windows if countdowns - {"blocked_for"} or (countdowns and _is_used_up(window))
    ]


def _is_used_up(window: Window) -> bool:
    return window.used_percent is not None and window.used_percent >= 100


def _every_step(phase: int, written: int, horizon: int) -> set[int]:
    near_end = min(written + _NEAR_SECONDS, horizon)
    near = range(written + 1 + (phase - written - 1) % 60, near_end, 60)
    far = range(near_end + 1 + (phase - near_end - 1) % _FAR_STEP_SECONDS, horizon, _FAR_STEP_SECONDS)
    return {*near, *far}


def _thinned(steps: list[int], written: int) -> list[int]:
    """Drop every other far step while there are too many, then every other later near one: coarser, never frozen."""
    near = [step for step in steps if step < written + _NEAR_SECONDS]
    far = steps[len(near) :]
    if len(far) > _FEWEST_FAR_STEPS:
        return [*near, *far[::2]]
    half = len(near) // 2
    return [*near[:half], *near[half + 1 :: 2], *far] if near else far[1::2]


def _scenes(view: View, template: str, written: int, *, ascii: bool) -> list[tuple[int, list[Span]]]:
    """Return the seconds at which the template's text changes, with the text from then on."""
    if ascii:
        view = view.replace(ascii_only=True)
    nodes = parse_template(template)
    fixed = {written, *list_turns(view.reading, view.thresholds, written)}
    horizon = max(fixed)
    if _asks_for(FORECASTS, nodes):
        fixed |= _exhaustions(view.forecasts, written, horizon)
    if _asks_for(MOMENTS, nodes):
        fixed |= _midnights(written, horizon)
    steps = [step for step in _steps(view.reading, nodes, written, horizon) if step not in fixed]
    seconds = (*fixed, *steps)
    filled = {second: segment.fill(nodes, view.replace(now=datetime.fromtimestamp(second, UTC))) for second in seconds}
    if ascii:
        filled = {second: _without_signs(spans) for second, spans in filled.items()}
    scenes = _changes(filled)
    while len(scenes) > MOST_FRAMES and steps:
        steps = _thinned(steps, written)
        scenes = _changes({second: filled[second] for second in (*fixed, *steps)})
    return [(written - LEAD_SECONDS, scenes[0][1]), *scenes[1:]]


def _without_signs(spans: Iterable[Span]) -> list[Span]:
    """Drop what is not ASCII from a template's own words, which `glyphs = "ascii"` leaves alone."""
    return [span.replace(text=span.text.encode("ascii", "ignore").decode()) for span in spans]


def _changes(filled: Mapping[int, list[Span]]) -> list[tuple[int, list[Span]]]:
    scenes: list[tuple[int, list[Span]]] = []
    for second, spans in sorted(filled.items()):
        if not scenes or scenes[-1][1] != spans:
            scenes.append((second, spans))
    return scenes

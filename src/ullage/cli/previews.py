"""What a preset looks like: with the person's own numbers, or with made-up ones where none are known."""

from __future__ import annotations

import itertools
import re
from datetime import timedelta

from ullage.base.text import is_private
from ullage.cli.say import has_colours
from ullage.config.template import parse_template
from ullage.quota import pace
from ullage.quota.model import (
    SESSION,
    WEEK,
    Account,
    Reading,
    Window,
    find_binding_window,
    find_used_percent,
    list_limits,
)
from ullage.quota.pace import Sample
from ullage.render import segment
from ullage.render.shapes import shape_spans
from ullage.render.surfaces import Span, join_spans, paint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from ullage.config import Settings
    from ullage.config.presets import Preset
    from ullage.render.segment import View
    from ullage.store.overview import Overview

# The rest of a prompt, where the person's own is not known.
PROMPT = Span(text="~/project $", level="faint")
_STEPS = 40
# An escape that changes colours, in a group of its own so that it is kept where a text is split at it.
_COLOURS = re.compile(r"(\x1b\[[0-9;:]*m)")
# What a preset shows from the first use to the last: in percent of the session, of the week, and of a model's week.
STAGES = {
    "normal": (24.0, 40.0, 46.0),
    "warning": (64.0, 74.0, 81.0),
    "critical": (88.0, 80.0, 93.0),
    "used up": (71.0, 92.0, 100.0),
}


def print_before(lines: Iterable[Sequence[Span]], rest: str, settings: Settings) -> None:
    """Print lines of spans, each before a text from outside, of which only letters and colours get through."""
    coloured = has_colours()
    letters = "".join(
        (part if coloured else "") if at % 2 else "".join(c for c in part if c.isprintable() or is_private(c))
        for at, part in enumerate(_COLOURS.split(rest))
    )
    end = "\033[0m" if "\033" in letters else ""
    for line in lines:
        print(f"{paint(join_spans(line), 'ansi' if coloured else 'plain', settings.palette)}{letters}{end}")


def load_own_view(known: Overview, settings: Settings, now: datetime) -> View | None:
    """Return the person's own numbers; None where none can be shown now."""
    reading = known.reading
    binding = find_binding_window(list_limits(reading), now, settings.thresholds) if reading else None
    if reading is None or binding is None or find_used_percent(binding, now, settings.thresholds) is None:
        return None
    return segment.build_view(reading, settings, now, known.forecasts, known.samples)


def build_demo_view(stage: str, settings: Settings, now: datetime) -> View:
    """Return made-up numbers of a stage, with a course that leads to them."""
    session, week, model = STAGES[stage]
    windows = (
        _window("five_hour", "Session (5h)", session, now + timedelta(minutes=64), now),
        _window("seven_day", "Week (all models)", week, now + timedelta(days=2, hours=7), now),
        _window("seven_day_fable", "Week (Fable)", model, now + timedelta(days=2, hours=7), now),
    )
    samples = {each.id: made_up_course(each, now) for each in windows}
    reading = Reading(account=Account(plan="max"), source="demo", as_of=now, windows=windows)
    forecasts = pace.forecast_windows(windows, samples, settings.thresholds, now)
    return segment.build_view(reading, settings, now, forecasts, samples)


def preview(preset: Preset, view: View, settings: Settings) -> list[Span]:
    """Return the segment as the preset shows it."""
    spans = segment.fill(parse_template(preset.template), view)
    return shape_spans(spans, preset.shape, segment.grade_view(spans), settings.colouring, nerd=view.nerd)


def list_lines(previews: Iterable[tuple[str, list[Span]]], chosen: str) -> list[list[Span]]:
    """Return each preview behind its name, the chosen one's marked; the rest of a prompt follows."""
    named = list(previews)
    widest = max(len(name) for name, _ in named)
    return [
        [
            Span(text="* " if name == chosen else "  "),
            Span(text=name.ljust(widest + 2), level="faint", style="bold" if name == chosen else ""),
            *spans,
            Span(text=" "),
        ]
        for name, spans in named
    ]


def _window(id: str, label: str, used: float, resets_at: datetime, now: datetime) -> Window:
    kind = {"five_hour": "session", "seven_day": "weekly"}.get(id, "model")
    return Window(
        id=id,
        label=label,
        kind=kind,  # type: ignore[arg-type]  # one of the kinds, by the line above
        used_percent=used,
        resets_at=resets_at,
        source="demo",
        as_of=now,
    )


def made_up_course(window: Window, now: datetime) -> list[Sample]:
    """Return a course that leads to what a window stands at, still in every fourth step, as at night."""
    assert window.resets_at is not None and window.used_percent is not None
    begins = window.resets_at - (SESSION if window.kind == "session" else WEEK)
    used = list(itertools.accumulate(0.0 if number % 4 == 3 else 1.0 + number / _STEPS for number in range(_STEPS)))
    return [
        Sample(
            at=begins + (now - begins) * (number + 1) / _STEPS,
            used_percent=window.used_percent * share / used[-1],
            resets_at=window.resets_at,
        )
        for number, share in enumerate(used)
    ]

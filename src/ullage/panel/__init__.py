"""Compute what a bar, a menu or a tray shows at one moment: the segment, and a row for every window. Pure.

`lines`, `objects` and `menus` render a Panel in each bar's own format; `formats` lists them.
"""

from __future__ import annotations

from ullage.base.record import Record
from ullage.base.text import clean
from ullage.config.settings import DEFAULTS
from ullage.config.template import Field, Group, parse_template
from ullage.quota.model import (
    find_binding_window,
    find_used_percent,
    find_window,
    grade_window,
    judge_state,
    list_limits,
    list_named_limits,
)
from ullage.render import rows, segment, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from ullage.config import Settings
    from ullage.config.template import Node
    from ullage.quota.model import Severity, State, Window
    from ullage.quota.timeline import Level
    from ullage.render.rows import Row
    from ullage.render.segment import View
    from ullage.render.surfaces import Span
    from ullage.store.overview import Overview

USAGE_PAGE = "https://claude.ai/settings/usage"
# The timeline of this surface says when a refresh is due where no prompt is waiting: a bar is unattended.
UNATTENDED = ("plain",)
_LONGEST_PROBLEM = 500


class Wanted(Record):
    """The options of a bar: a template, and the window that `{top}` stands for; None is the default."""

    template: str | None = None
    window: str | None = None


class PanelRow(Record):
    """One window, or the credits: label, utilization with its marks, sparkline, forecast, and the statement's origin.

    `window` is its id, None for the credits.
    """

    window: str | None
    label: str
    used_percent: float | None
    elapsed_percent: float | None
    share: Span
    bar: str
    course: str
    outlook: str
    stated: str


class Panel(Record):
    """What a bar shows; without a reading it has no spans.

    `used_percent`, `severity` and `state` are those of the window that the options name, else of the binding window.
    """

    spans: tuple[Span, ...] = ()
    short: tuple[Span, ...] = ()
    used_percent: float | None = None
    severity: Severity = "normal"
    state: State = "none"
    rows: tuple[PanelRow, ...] = ()
    origin: str = "Nothing is known yet."
    problem: str = ""
    palette: Mapping[str, str]
    tooltip_palette: Mapping[str, str] = {}
    ascii_only: bool = False
    counts_left: bool = False

    @property
    def level(self) -> Level:
        """The level for a bar that takes one colour only."""
        return segment.grade_view(self.spans)


def look_at(known: Overview, settings: Settings, wanted: Wanted, now: datetime) -> Panel:
    """Return the panel at `now`."""
    problem = clean(known.problem.message, _LONGEST_PROBLEM) if known.problem else ""
    nothing = Panel(
        problem=problem,
        palette=settings.palette,
        # A tooltip brings a dark ground, whatever that of the bar is.
        tooltip_palette=settings.colouring.replace(background="dark").in_bar() if settings.palette else {},
        ascii_only=settings.ascii_only,
        counts_left=settings.show_left,
    )
    reading = known.reading
    if reading is None:
        return nothing
    view = segment.build_view(reading, settings, now, known.forecasts, known.samples)
    shown = nothing.replace(
        rows=_rows(known, settings, now),
        origin=words.format_origin(reading, settings, now),
    )
    window = _chosen(view, wanted.window)
    if window is None:
        return shown
    return shown.replace(
        spans=tuple(segment.fill(_nodes(wanted, settings), view)),
        short=tuple(segment.fill([Field(subject=wanted.window or "top", attribute="")], view)),
        used_percent=find_used_percent(window, now, settings.thresholds),
        severity=grade_window(window, now, settings.thresholds),
        state=judge_state(window, now, settings.thresholds),
    )


def _chosen(view: View, name: str | None) -> Window | None:
    if name:
        return find_window(list_named_limits(view.reading), name, view.now, view.thresholds)
    return find_binding_window(list_limits(view.reading), view.now, view.thresholds)


def _nodes(wanted: Wanted, settings: Settings) -> tuple[Node, ...]:
    if wanted.template is None and wanted.window is None:
        return parse_template(settings.templates["plain"])
    nodes = parse_template(wanted.template or DEFAULTS["segment.template"])
    return _about(nodes, wanted.window) if wanted.window else nodes


def _about(nodes: Sequence[Node], window: str) -> tuple[Node, ...]:
    """Replace `{top}` in a template by one window's name."""
    about: list[Node] = []
    for node in nodes:
        if isinstance(node, Group):
            about.append(Group(nodes=_about(node.nodes, window)))
        elif isinstance(node, Field) and node.subject == "top":
            about.append(node.replace(subject=window))
        else:
            about.append(node)
    return tuple(about)


def _rows(known: Overview, settings: Settings, now: datetime) -> tuple[PanelRow, ...]:
    return tuple(
        PanelRow(
            window=row.window_id,
            used_percent=row.used_percent,
            elapsed_percent=_find_elapsed_percent(row, settings),
            label=row.label.encode("ascii", "replace").decode() if settings.ascii_only else row.label,
            share=row.number,
            bar=row.bar.text,
            course=row.course.text,
            outlook="; ".join(span.text for span in row.outlook),
            stated=f"{words.format_read_time(row.as_of, now)}, from {row.source}" if row.as_of else "",
        )
        for row in rows.build_rows(known, settings, now)
    )


def _find_elapsed_percent(row: Row, settings: Settings) -> float | None:
    if row.tick is None:
        return None
    return round(100 * (1 - row.tick if settings.show_left else row.tick), 1)

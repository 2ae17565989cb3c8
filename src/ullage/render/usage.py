"""`ullage usage` in lines: a heading, and each window on a line as long as there is room for one. Pure."""

from __future__ import annotations

from ullage.base.record import Record
from ullage.base.text import clean
from ullage.quota.model import judge_age
from ullage.render import words
from ullage.render.cells import fit, fit_words, measure_spans, measure_width, trim_end
from ullage.render.gauge import draw_gauge
from ullage.render.rows import build_rows
from ullage.render.surfaces import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ullage.config import Settings
    from ullage.quota.model import Account, Problem
    from ullage.quota.timeline import Level
    from ullage.render.rows import Row
    from ullage.store.overview import Overview

    Line = list[Span]

NARROWEST_LINE = 60
_LONGEST_BAR = 24
_LONGEST_TITLE = 24
_ROOM_FOR_MARKS, _SHORTEST_TITLE = 24, 8
_GAP = "  "
_LONGEST_PROBLEM = 500


class _Layout(Record):
    """Which columns a line has, and the shortest bar that is worth them."""

    course: bool
    clock: bool
    early: bool
    bar: int


# The first layout that fits is taken; the last one is cut where it does not fit.
_LAYOUTS = (
    _Layout(course=True, clock=True, early=True, bar=14),
    _Layout(course=True, clock=True, early=False, bar=12),
    _Layout(course=False, clock=True, early=False, bar=10),
    _Layout(course=False, clock=False, early=False, bar=5),
)


def lay_out_page(
    overview: Overview, settings: Settings, now: datetime, width: int, chosen: int | None = None
) -> list[Line]:
    """Return the lines: whose numbers, each window, and what went wrong; `chosen` numbers the rows and marks one."""
    lines: list[Line] = []
    if overview.reading is None:
        lines.append([Span(text=words.NOTHING)])
    else:
        found = build_rows(overview, settings, now)
        layout = _wide if width >= NARROWEST_LINE else _narrow
        body = layout(found, settings, now, width, chosen) if found else []
        content = max([measure_spans(line) for line in body], default=0)
        body = [trim_end(line) for line in body]
        lines += [*lay_out_heading(overview, settings, now, min(width, max(content, NARROWEST_LINE))), [], *body]
        if overview.reading.breakdown and chosen is None:
            lines += [[], [Span(text=_shown(words.format_breakdown(overview.reading), settings), level="faint")]]
    problem = overview.problem
    if problem is not None:
        text = f"{clean(problem.message, _LONGEST_PROBLEM)}{_retry(problem, now)}"
        lines += [[], [Span(text=text, level="warning")]]
    ending = words.format_sign_in_end(overview.sign_in, now) if overview.sign_in else ""
    if ending:
        lines += [[], [Span(text=ending, level="warning")]]
    return lines


def lay_out_title(name: str, settings: Settings, width: int) -> list[Line]:
    """Return the name of a profile as a title with a rule behind it."""
    text = clean(name, width)
    rule = ("-" if settings.ascii_only else "─") * max(0, min(width, NARROWEST_LINE) - measure_width(text) - 1)
    return [[Span(text=text, style="bold"), Span(text=f" {rule}" if rule else "", level="faint")]]


def lay_out_heading(overview: Overview, settings: Settings, now: datetime, width: int) -> list[Line]:
    """Return whose numbers these are, how old they are and who said so: one line where they fit, else two."""
    reading = overview.reading
    assert reading is not None
    state = judge_age(reading.as_of, now, settings.thresholds)
    whose = [Span(text=_shown(words.format_plan(reading.account) or "Claude", settings), style="bold")]
    whose += [
        Span(text=_dot(settings) + _shown(part, settings), level="faint") for part in list_owner_parts(reading.account)
    ]
    age: Level | None = "warning" if state in ("stale", "expired") else None
    said = [
        Span(text=f"percent left{_dot(settings)}" if settings.show_left else "", level="faint"),
        Span(text=words.format_freshness(reading, settings.thresholds, now), level=age or "faint"),
        Span(text=f"{_dot(settings)}{clean(reading.source)}", level="faint"),
    ]
    room = width - measure_spans(whose) - measure_spans(said)
    if room >= len(_GAP):
        return [[*whose, Span(text=" " * room), *said]]
    return [fit(line, width, ascii_only=settings.ascii_only) for line in (whose, said)]


def list_owner_parts(account: Account) -> list[str]:
    """Return the parts that identify an account, beside its plan."""
    return [text for text in (clean(account.organization),) if text]


def _dot(settings: Settings) -> str:
    return " - " if settings.ascii_only else " · "


def _retry(problem: Problem, now: datetime) -> str:
    at = problem.retry_at
    if at is None:
        return ""
    if at <= now:
        return " The next attempt is due now."
    # A pause that the server asked for holds for the whole account.
    forced = "" if problem.code == "rate_limited" else "; `ullage refresh --force` asks now"
    return f" Next attempt {words.format_clock(at, now)}{forced}."


def _wide(found: Sequence[Row], settings: Settings, now: datetime, room: int, chosen: int | None) -> list[Line]:
    """Return a line for each row, in the first layout that fits."""
    start = _starts(found, settings, chosen)
    for layout in _LAYOUTS:
        ends = _ends(found, now, layout)
        fixed = (
            max(map(measure_spans, start)) + len(_GAP) + _number_width(found) + max(map(measure_spans, ends), default=0)
        )
        bar = min(_LONGEST_BAR, room - fixed)
        if bar >= layout.bar or layout is _LAYOUTS[-1]:
            return [
                fit(
                    [
                        *_padded(begin, max(map(measure_spans, start)) + len(_GAP)),
                        *_bar(row, max(bar, layout.bar), settings),
                        *_number(row, found),
                        *end,
                    ],
                    room,
                    ascii_only=settings.ascii_only,
                )
                for begin, row, end in zip(start, found, ends, strict=True)
            ]
    return []


def _starts(found: Sequence[Row], settings: Settings, chosen: int | None) -> list[Line]:
    """Return the marker of the window that binds, or of the one chosen with its number, and the name."""
    several = sum(1 for row in found if row.title != "Credits") > 1
    starts = []
    for number, row in enumerate(found):
        marked = row.binds if chosen is None else number == chosen
        sign = (">" if settings.ascii_only else "▸") if marked else " "
        digit = "" if chosen is None else f"{number + 1} " if number < 9 and row.is_limit else "  "
        title = fit_words(_shown(row.title, settings), _LONGEST_TITLE, ascii_only=settings.ascii_only)
        starts.append(
            [
                *([Span(text=f"{sign} "), Span(text=digit, level="faint")] if several or digit else ()),
                Span(text=("  " if row.is_model else "") + title, style="bold" if row.binds else ""),
                Span(text=f" {row.name}" if row.name else "", level="faint"),
            ]
        )
    return starts


def _shown(text: str, settings: Settings) -> str:
    return text.encode("ascii", "replace").decode() if settings.ascii_only else text


def _padded(line: Line, cells: int) -> Line:
    return [*line, Span(text=" " * (cells - measure_spans(line)))]


def _bar(row: Row, cells: int, settings: Settings) -> Line:
    if row.share is None:
        return [Span(text=" " * cells)]
    return draw_gauge(row.share, row.tick, cells, row.number.own_level, ascii_only=settings.ascii_only)


def _form_width(found: Sequence[Row]) -> int:
    return max((len(row.form) for row in found), default=0)


def _number_width(found: Sequence[Row]) -> int:
    return 1 + max([4, *(len(row.percent) for row in found)]) + _form_width(found)


def _number(row: Row, found: Sequence[Row]) -> Line:
    """Return the percentage with its digits under each other, and its form in a column of its own."""
    digits = _number_width(found) - _form_width(found)
    return [
        Span(text=row.percent.rjust(digits), level=row.number.level, style="bold" if row.binds else ""),
        Span(text=row.form.ljust(_form_width(found)), level=row.number.level),
    ]


def _ends(found: Sequence[Row], now: datetime, layout: _Layout) -> list[Line]:
    """Return the columns behind a number: course, reset and outlook."""
    times = _times(found, now, layout)
    course = layout.course and any(row.course.text for row in found)
    widest = [max((measure_width(part[column]) for part in times), default=0) for column in (0, 1)]
    ends = []
    for row, (clock, countdown) in zip(found, times, strict=True):
        end: Line = []
        if course:
            end += [Span(text=_GAP), *_padded([row.course], max(measure_width(each.course.text) for each in found))]
        if row.sentence:
            warns = row.expected.warns
            end += [
                Span(text=_GAP),
                Span(text=_short(row.sentence, layout), level=row.number.level if warns else "faint"),
            ]
        else:
            if layout.clock and widest[0]:
                end += [Span(text=_GAP), *_padded([Span(text=clock)], widest[0])]
            if widest[1]:
                end += [Span(text=_GAP), *_padded([Span(text=countdown)], widest[1])]
            text = row.expected.text
            if row.expected.warns and not layout.early:
                text = text.partition(",")[0]
            end += [Span(text=_GAP), Span(text=text, level="warning" if row.expected.warns else "faint")]
        ends.append(end)
    return ends


def _short(sentence: str, layout: _Layout) -> str:
    return sentence if layout.clock else sentence.rpartition(",")[0] or sentence


def _times(found: Sequence[Row], now: datetime, layout: _Layout) -> list[tuple[str, str]]:
    """Return when each row resets, by the clock and as a countdown; of rows that reset together the first alone."""
    times, before = [], None
    for row in found:
        if row.resets_at is None or row.sentence or (row.is_model and row.resets_at == before):
            times.append(("", ""))
        else:
            countdown = words.format_countdown(row.resets_at - now)
            times.append(
                (words.format_clock(row.resets_at, now), f"in {countdown:<5}" if layout.clock else f"in {countdown}")
            )
        before = row.resets_at or before
    return times


def _narrow(found: Sequence[Row], settings: Settings, now: datetime, room: int, chosen: int | None) -> list[Line]:
    """Return the essentials for a pane of forty cells or less: name, number, time left, and a line for a warning."""
    start = _starts(found, settings, chosen)
    if room < _ROOM_FOR_MARKS:
        start = [
            [Span(text=fit_words(_shown(row.title, settings), _SHORTEST_TITLE, ascii_only=settings.ascii_only))]
            for row in found
        ]
    head = max((measure_spans(begin) for begin in start), default=0) + 1
    times = [
        f" {words.format_countdown(row.resets_at - now)}" if row.resets_at and not row.sentence else "" for row in found
    ]
    bar = min(_LONGEST_BAR, room - head - _number_width(found) - max(map(len, times), default=0))
    lines: list[Line] = []
    for begin, row, time in zip(start, found, times, strict=True):
        drawn = _bar(row, bar, settings) if bar >= 4 else []
        lines.append(
            fit(
                [*_padded(begin, head), *drawn, *_number(row, found), Span(text=time)],
                room,
                ascii_only=settings.ascii_only,
            )
        )
        below = row.sentence or (row.expected.text if row.expected.warns else "")
        if below:
            level = (row.number.level if row.sentence else "warning") if row.expected.warns else "faint"
            indent = " " * (len(_GAP) * (2 if row.is_model else 1))
            lines.append(fit([Span(text=f"{indent}{below}", level=level)], room, ascii_only=settings.ascii_only))
    return lines

"""The segment: a template filled with what a reading still says at one moment. Pure.

    {top.name} {top}[ {top.blocked_for}]

A field is `{subject}` or `{subject.attribute}`; a group in square brackets vanishes when a value in it is unknown.
Outside of a group an unknown value is `?`. A window whose reset has passed shows the reset mark instead of a number.
"""

from __future__ import annotations

from ullage.base.record import Record
from ullage.base.text import clean
from ullage.quota.model import (
    CLOCK_SLACK,
    SEVERITIES,
    binding_window,
    find_window,
    has_reset,
    severity_at,
    state_at,
    used_percent_at,
)
from ullage.render import words
from ullage.render.surfaces import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime, tzinfo
    from typing import TypeAlias

    from ullage.quota.model import Limits, Reading, Window
    from ullage.quota.pace import Forecast
    from ullage.quota.timeline import Level

    Node: TypeAlias = "str | Field | Group"

LONGEST_TEMPLATE = 1000
LONGEST_NAME = 20

WINDOW_ATTRIBUTES = (
    "",
    "used",
    "left",
    "bar",
    "name",
    "label",
    "resets_in",
    "resets_at",
    "blocked_for",
    "pace",
    "runs_out",
)
CREDITS_ATTRIBUTES = ("", "percent", "used", "limit", "left", "bar")
PLAIN_SUBJECTS = ("age", "state", "plan", "source")
# What Claude Code tells its status line about the session, beside the windows.
SESSION_SUBJECTS = ("model", "context", "cost", "folder", "version", "effort")

# What minutes change: a timeline needs steps for these alone.
COUNTDOWNS = ("resets_in", "blocked_for")

# What a forecast is made for.
FORECASTS = ("pace", "runs_out")


class Field(Record):
    """A value to fill in."""

    subject: str
    attribute: str


class Group(Record):
    """What vanishes together."""

    nodes: tuple[Node, ...]


class View(Record):
    """A reading at one moment, and how the person wants to see it."""

    reading: Reading
    now: datetime
    limits: Limits
    show_left: bool = False
    ascii_only: bool = False
    timezone: tzinfo | None = None
    session: Mapping[str, str] | None = None
    forecasts: Mapping[str, Forecast] = {}


class TemplateError(ValueError):
    """A template that cannot be read, in words."""


def check(template: str) -> str | None:
    """Return what is wrong with a template, in words, or None."""
    try:
        parse(template)
    except TemplateError as error:
        return str(error)
    return None


def check_status_line(template: str) -> str | None:
    """Return what is wrong with a template for Claude Code's status line, in words, or None."""
    try:
        parse(template, PLAIN_SUBJECTS + SESSION_SUBJECTS)
    except TemplateError as error:
        return str(error)
    return None


def parse(template: str, plain: tuple[str, ...] = PLAIN_SUBJECTS) -> tuple[Node, ...]:
    """Read a template into its nodes; raise TemplateError with the place and the nearest known word.

    `plain` are the subjects that have no attributes.
    """
    if len(template) > LONGEST_TEMPLATE or clean(template, LONGEST_TEMPLATE) != " ".join(template.split()):
        raise TemplateError(f"holds a control character or more than {LONGEST_TEMPLATE} characters")
    nodes, at = _parse_nodes(template, 0, plain, inside=False)
    assert at == len(template)
    return nodes


def _parse_nodes(template: str, at: int, plain: tuple[str, ...], *, inside: bool) -> tuple[tuple[Node, ...], int]:
    nodes: list[Node] = []
    while at < len(template):
        character = template[at]
        if character in "{}[]" and template[at : at + 2] == character * 2:
            nodes.append(character)
            at += 2
        elif character == "{":
            end = template.find("}", at)
            if end < 0:
                raise TemplateError(f"has a {{ without its }} at character {at + 1}")
            nodes.append(_field(template[at + 1 : end], at, plain))
            at = end + 1
        elif character == "[" and not inside:
            group, at = _parse_nodes(template, at + 1, plain, inside=True)
            nodes.append(Group(nodes=group))
        elif character == "]" and inside:
            return tuple(nodes), at + 1
        elif character in "}[]":
            raise TemplateError(
                f"has a {character} without its counterpart at character {at + 1}; to show it, double it"
            )
        else:
            nodes.append(" " if character.isspace() else character)
            at += 1
    if inside:
        raise TemplateError("has a [ without its ]")
    return tuple(nodes), at


def _field(text: str, at: int, plain: tuple[str, ...]) -> Field:
    subject, dot, attribute = text.strip().partition(".")
    if dot and not attribute:
        raise TemplateError(f"has a field that ends with a dot at character {at + 1}")
    if not subject or not subject.replace("_", "").replace("-", "").isalnum():
        raise TemplateError(f"has a field without a name at character {at + 1}")
    for name in (*plain, "credits", "top", "5h", "7d"):
        # Any other word may be a model's name.
        if subject != name and (sorted(subject) == sorted(name) or subject in (name + name[-1], name[:-1])):
            raise TemplateError(f"asks for {{{clean(subject)}}} at character {at + 1}; did you mean {name}?")
    known = CREDITS_ATTRIBUTES if subject == "credits" else ("",) if subject in plain else WINDOW_ATTRIBUTES
    if attribute not in known:
        import difflib

        near = difflib.get_close_matches(attribute, known, 1, 0.5)
        options = f"did you mean {near[0]}?" if near else f"it can be {', '.join(filter(None, known)) or 'nothing'}"
        raise TemplateError(f"asks for {{{subject}.{clean(attribute)}}} at character {at + 1}; {options}")
    return Field(subject=subject, attribute=attribute)


def fields(nodes: Iterable[Node]) -> list[Field]:
    """Return every field of a template, groups included."""
    found: list[Field] = []
    for node in nodes:
        if isinstance(node, Group):
            found += fields(node.nodes)
        elif isinstance(node, Field):
            found.append(node)
    return found


def fill(nodes: Iterable[Node], view: View) -> list[Span]:
    """Return the template's text at the view's moment, with the level of each number."""
    spans: list[Span] = []
    for node in nodes:
        if isinstance(node, Group):
            if all(_value(field, view) is not None for field in fields(node.nodes)):
                spans += fill(node.nodes, view)
        elif isinstance(node, Field):
            spans.append(_value(node, view) or Span(text="?"))
        else:
            spans.append(Span(text=node))
    return _joined(spans)


def level_of(spans: Iterable[Span]) -> Level:
    """Return what a reader that colours by itself should know: stale where anything is, else the gravest."""
    levels = {span.level for span in spans}
    for level in ("stale", *reversed(SEVERITIES)):
        if level in levels:
            return level
    return "none"


def _joined(spans: list[Span]) -> list[Span]:
    joined: list[Span] = []
    for span in spans:
        if joined and joined[-1].level == span.level:
            joined[-1] = Span(text=joined[-1].text + span.text, level=span.level)
        else:
            joined.append(span)
    return joined


def _value(field: Field, view: View) -> Span | None:
    if field.subject == "credits":
        return _credits_value(field.attribute, view)
    if view.session and field.subject in view.session:
        text = view.session[field.subject]
        return Span(text=text) if text else None
    if field.subject in PLAIN_SUBJECTS:
        return _plain_value(field.subject, view)
    windows = view.reading.windows
    if field.subject == "top":
        window = binding_window(windows, view.now, view.limits)
    else:
        window = find_window(windows, field.subject)
    return None if window is None else _window_value(window, field.attribute, view)


def _window_value(window: Window, attribute: str, view: View) -> Span | None:
    if attribute in ("name", "label"):
        return Span(text=_shown(short_name(window) if attribute == "name" else clean(window.label), view))
    if attribute in ("", "used", "left", "bar"):
        return _share(window, attribute, view)
    if attribute in FORECASTS:
        return _forecast(window, attribute, view)
    if window.resets_at is None or has_reset(window, view.now):
        return None
    # The last frame of a timeline has no successor: a countdown in it would stand still.
    if state_at(window.as_of, view.now, view.limits) == "expired":
        return None
    if attribute == "blocked_for" and severity_at(window, view.now, view.limits) != "exhausted":
        return None
    if attribute == "resets_at":
        return Span(text=words.clock(window.resets_at, view.now, view.timezone))
    return Span(text=words.countdown(window.resets_at - view.now))


def _share(window: Window, attribute: str, view: View) -> Span | None:
    if has_reset(window, view.now) and state_at(window.as_of, view.now, view.limits) != "expired":
        return Span(text="reset" if view.ascii_only else "↺")
    used = used_percent_at(window, view.now, view.limits)
    if used is None:
        return None
    left = view.show_left if attribute in ("", "bar") else attribute == "left"
    shown = number(window, used, view.now, view.limits, left=left, ascii_only=view.ascii_only)
    if attribute != "bar":
        return shown
    bar = words.bar(used, left=left, ascii_only=view.ascii_only)
    return Span(text=f"~{bar}" if shown.level == "stale" else bar, level=shown.level)


def number(window: Window, used: float, now: datetime, limits: Limits, *, left: bool, ascii_only: bool) -> Span:
    """Return a percentage that may be shown with its marks: ~ for stale, and the severity's form."""
    severity = severity_at(window, now, limits)
    text = words.percent(used, left=left) + words.mark(severity, ascii_only=ascii_only)
    if state_at(window.as_of, now, limits) == "stale":
        return Span(text="~" + text, level="stale")
    return Span(text=text, level=severity)


def _shown(name: str, view: View) -> str:
    # A terminal that is not UTF-8 may take a byte of a foreign letter for a control character.
    return name.encode("ascii", "replace").decode() if view.ascii_only else name


def _forecast(window: Window, attribute: str, view: View) -> Span | None:
    """Show what a fresh statement let expect; a time that has passed without coming true is not shown."""
    known = view.forecasts.get(window.id)
    if known is None or has_reset(window, view.now) or state_at(window.as_of, view.now, view.limits) != "fresh":
        return None
    if attribute == "pace":
        return None if known.ratio is None else Span(text=words.pace(known.ratio, ascii_only=view.ascii_only))
    if known.exhausts_at is None or known.exhausts_at <= view.now:
        return None
    return Span(text=words.clock(known.exhausts_at, view.now, view.timezone))


def short_name(window: Window) -> str:
    """Return the name that a template and a prompt use for a window: 5h, 7d, or the model's."""
    return {"five_hour": "5h", "seven_day": "7d"}.get(window.id, window.id.removeprefix("seven_day_")[:LONGEST_NAME])


def _credits_value(attribute: str, view: View) -> Span | None:
    credits = view.reading.credits
    if credits is None:
        return None
    state = state_at(credits.as_of or view.reading.as_of, view.now, view.limits)
    if state == "expired":
        return None
    old = "~" if state == "stale" else ""
    level: Level | None = "stale" if old else None
    if attribute in ("used", "limit"):
        amount = credits.used if attribute == "used" else credits.limit
        return None if amount is None else Span(text=old + words.money(amount), level=level)
    if attribute == "left":
        return _credits_left(view, old, level)
    if credits.used_percent is None:
        return None
    if attribute == "bar":
        text = words.bar(credits.used_percent, left=view.show_left, ascii_only=view.ascii_only)
    else:
        text = words.percent(credits.used_percent, left=view.show_left)
    return Span(text=old + text, level=level)


def _credits_left(view: View, old: str, level: Level | None) -> Span | None:
    credits = view.reading.credits
    if credits is None or credits.used is None or credits.limit is None:
        return None
    if (credits.used.currency, credits.used.exponent) != (credits.limit.currency, credits.limit.exponent):
        return None
    left = credits.limit.replace(amount_minor=max(0, credits.limit.amount_minor - credits.used.amount_minor))
    return Span(text=old + words.money(left), level=level)


def _plain_value(subject: str, view: View) -> Span | None:
    reading = view.reading
    state = state_at(reading.as_of, view.now, view.limits)
    if subject == "age":
        known = state != "expired" and reading.as_of <= view.now + CLOCK_SLACK
        return Span(text=words.age(view.now - reading.as_of)) if known else None
    if subject == "state":
        return Span(text=state)
    text = clean(reading.account.plan if subject == "plan" else reading.source)
    return Span(text=text) if text else None

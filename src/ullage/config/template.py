"""The grammar of a template: its fields, groups and styles, and what is wrong with a bad one. Pure.

    {top.name} {top}[ {top.blocked_for}]
    [5h ](dim){5h.bar:5} {5h}

A field is `{subject}` or `{subject.attribute}`, with a number of cells where it is drawn; a group in square brackets
vanishes when a value in it is unknown, and may have a style in parentheses. A bracket that is to be shown is doubled.
"""

from __future__ import annotations

from ullage.base.record import Record
from ullage.base.text import clean, find_near, quote
from ullage.config.palette import check_style
from ullage.quota.model import ALIASES, find_window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TypeAlias

    from ullage.quota.model import Window

    Node: TypeAlias = "str | Field | Group"

LONGEST_TEMPLATE = 1000

WINDOW_ATTRIBUTES = (
    "",
    "used",
    "left",
    "bar",
    "dots",
    "ring",
    "course",
    "name",
    "label",
    "resets_in",
    "resets_at",
    "blocked_for",
    "on_credits",
    "pace",
    "runs_out",
)
CREDITS_ATTRIBUTES = ("", "percent", "used", "limit", "left", "bar", "dots", "ring")
PLAIN_SUBJECTS = ("age", "state", "plan", "source", "icon")
# Other subjects that always have the same name; any other one may be a model's.
_NAMES = ("credits", "top", "model_week", "budget", "5h", "7d")
# Attributes that may be drawn in any number of cells.
DRAWN = ("bar", "dots", "course")
_MOST_CELLS = 40
# What Claude Code's payload says about the session, beside the windows.
SESSION_SUBJECTS = ("model", "context", "cost", "folder", "version", "effort")

# Attributes that change with the minutes, for which a timeline needs steps.
COUNTDOWNS = ("resets_in", "blocked_for")

# Attributes that are a time of day, with the weekday unless that is today's.
MOMENTS = ("resets_at", "runs_out")

# Attributes that need a forecast, and those that need the history.
FORECASTS = ("pace", "runs_out")
COURSES = ("course",)


class Field(Record):
    """A value to fill in; `cells` is how wide it is drawn where the template says so."""

    subject: str
    attribute: str
    cells: int | None = None


class Group(Record):
    """What vanishes together; `style` is that of what has no level of its own."""

    nodes: tuple[Node, ...]
    style: str = ""


class TemplateError(ValueError):
    """A template that cannot be read, in words."""


def check_template(template: str, plain: tuple[str, ...] = PLAIN_SUBJECTS) -> str | None:
    """Return what is wrong with a template, in words, or None."""
    try:
        parse_template(template, plain)
    except TemplateError as error:
        return str(error)
    return None


def parse_template(template: str, plain: tuple[str, ...] = PLAIN_SUBJECTS) -> tuple[Node, ...]:
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
            style, at = _parse_style(template, at)
            nodes.append(Group(nodes=group, style=style))
        elif character == "]" and inside:
            return tuple(nodes), at + 1
        elif character in "}[]":
            raise TemplateError(
                f"has a {character} without its counterpart at character {at + 1}; to show it, double it"
            )
        else:
            text = template[at:]
            for sign in "{}[]":
                text = text.partition(sign)[0]
            nodes.append(text if text.isprintable() else "".join(" " if c.isspace() else c for c in text))
            at += len(text)
    if inside:
        raise TemplateError("has a [ without its ]")
    return tuple(nodes), at


def _parse_style(template: str, at: int) -> tuple[str, int]:
    """Return the style behind a group and where it ends; parentheses around anything else are text."""
    end = template.find(")", at)
    style = template[at + 1 : end].strip() if template[at : at + 1] == "(" and end > at else ""
    return (style, end + 1) if style and check_style(style) is None else ("", at)


def _cells(text: str, attribute: str, at: int) -> int | None:
    if not text:
        return None
    if attribute not in DRAWN:
        raise TemplateError(f"asks for a width at character {at + 1}; {', '.join(DRAWN)} have one")
    digits = text[1:]
    if not (digits.isascii() and digits.isdigit() and 1 <= int(digits[:4]) <= _MOST_CELLS):
        raise TemplateError(f"asks for {quote(digits)} cells at character {at + 1}; it can be 1 to {_MOST_CELLS}")
    return int(digits)


def _field(text: str, at: int, plain: tuple[str, ...]) -> Field:
    text, colon, width = text.strip().partition(":")
    subject, dot, attribute = text.strip().partition(".")
    if dot and not attribute:
        raise TemplateError(f"has a field that ends with a dot at character {at + 1}")
    if not subject or not subject.replace("_", "").replace("-", "").isalnum():
        raise TemplateError(f"has a field without a name at character {at + 1}")
    names = (*plain, *_NAMES)
    near = None if subject in names else next((name for name in names if _is_slip(subject, name)), None)
    if near:
        raise TemplateError(f"asks for {{{clean(subject)}}} at character {at + 1}; did you mean {near}?")
    known = CREDITS_ATTRIBUTES if subject == "credits" else ("",) if subject in plain else WINDOW_ATTRIBUTES
    if attribute not in known:
        near = find_near(attribute, known)
        options = f"did you mean {near}?" if near else f"it can be {', '.join(filter(None, known)) or 'nothing'}"
        raise TemplateError(f"asks for {{{subject}.{clean(attribute)}}} at character {at + 1}; {options}")
    return Field(subject=subject, attribute=attribute, cells=_cells(colon + width, attribute, at))


def _is_slip(word: str, name: str) -> bool:
    """Say whether a word has a name's letters in another order, one too many or too few; others may name a model."""
    is_as_long = len(word) == len(name)
    return sorted(word) == sorted(name) if is_as_long else word in (name + name[-1], name[:-1])


def list_unknown_windows(
    nodes: Iterable[Node], windows: tuple[Window, ...], plain: Sequence[str] = PLAIN_SUBJECTS
) -> list[str]:
    """Return the names, each once, that the fields of a template have and none of the windows."""
    known = (*plain, "credits", "top", *ALIASES)
    asked = dict.fromkeys(field.subject for field in list_fields(nodes) if field.subject not in known)
    return [name for name in asked if find_window(windows, name) is None]


def list_fields(nodes: Iterable[Node]) -> list[Field]:
    """Return every field of a template, groups included."""
    found: list[Field] = []
    for node in nodes:
        if isinstance(node, Group):
            found += list_fields(node.nodes)
        elif isinstance(node, Field):
            found.append(node)
    return found

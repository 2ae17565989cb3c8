"""The grammar of a template: which fields there are, and what is wrong with one that cannot be read. Pure.

    {top.name} {top}[ {top.blocked_for}]

A field is `{subject}` or `{subject.attribute}`; a group in square brackets vanishes when a value in it is unknown. A
bracket that is to be shown is doubled.
"""

from __future__ import annotations

from ullage.base.record import Record
from ullage.base.text import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeAlias

    Node: TypeAlias = "str | Field | Group"

LONGEST_TEMPLATE = 1000

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
    "on_credits",
    "pace",
    "runs_out",
)
CREDITS_ATTRIBUTES = ("", "percent", "used", "limit", "left", "bar")
PLAIN_SUBJECTS = ("age", "state", "plan", "source")
# What Claude Code tells its status line about the session, beside the windows.
SESSION_SUBJECTS = ("model", "context", "cost", "folder", "version", "effort")

# What minutes change: a timeline needs steps for these alone.
COUNTDOWNS = ("resets_in", "blocked_for")

# What is shown as a time of day, with its weekday unless that is today's.
MOMENTS = ("resets_at", "runs_out")

# What a forecast is made for.
FORECASTS = ("pace", "runs_out")


class Field(Record):
    """A value to fill in."""

    subject: str
    attribute: str


class Group(Record):
    """What vanishes together."""

    nodes: tuple[Node, ...]


class TemplateError(ValueError):
    """A template that cannot be read, in words."""


def check_template(template: str) -> str | None:
    """Return what is wrong with a template, in words, or None."""
    try:
        parse_template(template)
    except TemplateError as error:
        return str(error)
    return None


def check_status_line(template: str) -> str | None:
    """Return what is wrong with a template for Claude Code's status line, in words, or None."""
    try:
        parse_template(template, PLAIN_SUBJECTS + SESSION_SUBJECTS)
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


def list_fields(nodes: Iterable[Node]) -> list[Field]:
    """Return every field of a template, groups included."""
    found: list[Field] = []
    for node in nodes:
        if isinstance(node, Group):
            found += list_fields(node.nodes)
        elif isinstance(node, Field):
            found.append(node)
    return found

"""A segment on a background of its own: a pill, or a link of a powerline. Pure."""

from __future__ import annotations

from ullage.render.surfaces import Span, join_spans

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ullage.config.palette import Colouring
    from ullage.quota.timeline import Level

# The round ends and the arrow of a powerline, which a Nerd Font has.
_ROUND = ("\ue0b6", "\ue0b4")
_ARROW = "\ue0b0"


def shape_spans(spans: Iterable[Span], shape: str, level: Level, colouring: Colouring, *, nerd: bool) -> list[Span]:
    """Return the spans in their shape, each with all of its style; without colours or a shape as they are."""
    badges = colouring.in_badge()
    shown = list(spans)
    if not shape or not badges or not shown:
        return shown
    badge = badges[level if level in badges and shape == "pill" else "normal"]
    ground = badge.rpartition("on_")[2]
    on_grey = colouring.on_grey()
    inside = [
        span.replace(level=None, style=badge if shape == "pill" else on_grey.get(span.level or "", badge))
        for span in [Span(text=" "), *shown, Span(text=" ")]
    ]
    if not nerd:
        return join_spans(inside)
    if shape == "pill":
        left, right = (Span(text=end, style=ground) for end in _ROUND)
        return join_spans([left, *inside[1:-1], right])
    return join_spans([*inside, Span(text=_ARROW, style=ground)])

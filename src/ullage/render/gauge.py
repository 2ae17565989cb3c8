"""Bars and rings that show a share in few cells. Pure."""

from __future__ import annotations

import math

from ullage.render.surfaces import Span, join_spans

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ullage.quota.timeline import Level


def draw_gauge(share: float, elapsed: float | None, cells: int, level: Level | None, *, ascii_only: bool) -> list[Span]:
    """Draw a bar with a tick at the elapsed time: a bar filled past its tick burns faster than evenly.

    It is full only from 100 % on, and empty only at 0 %.
    """
    full, half, rest, tick = ("=", "=", "-", "|") if ascii_only else ("━", "╾", "─", "┃")
    halves = _kept_apart(share, cells * 2)
    filled = full * (halves // 2) + half * (halves % 2)
    at = None if elapsed is None else min(math.floor(elapsed * cells), cells - 1)
    spans = []
    for number, sign in enumerate(filled + rest * (cells - len(filled))):
        if number == at:
            spans.append(Span(text=tick, style="bold"))
        else:
            spans.append(Span(text=sign, level="faint" if sign == rest else level))
    return join_spans(spans)


def _kept_apart(share: float, steps: int) -> int:
    """Return a share in steps, of which the first and the last stand only for 0 and 1."""
    filled = round(share * steps)
    return min(max(filled, 1), steps - 1) if 0 < share < 1 else filled

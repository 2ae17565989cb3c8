"""Formats of one JSON object a line: waybar, i3status-rust, persistent i3blocks, the i3bar protocol. Pure."""

from __future__ import annotations

import json
import math

from ullage.panel import markup
from ullage.panel.lines import pango_tooltip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ullage.panel import Panel

# The header of the i3bar protocol, and the beginning of an array that never ends.
I3BAR_PRELUDE = '{"version":1,"click_events":true}\n[\n[]'

_I3STATUS_STATES = {"normal": "Idle", "warning": "Warning", "critical": "Critical", "exhausted": "Critical"}


def waybar(panel: Panel) -> str:
    """Return waybar's JSON; its texts are Pango markup, so `escape` stays off, and an empty text hides the module."""
    level = panel.level
    shown: dict[str, object] = {
        "text": markup.pango(panel.spans, panel.palette),
        "tooltip": pango_tooltip(panel),
        "alt": level,
        "class": [level] if level == "none" else [panel.severity, panel.state],
    }
    if panel.used_percent is not None:
        shown["percentage"] = math.floor(panel.used_percent)
    return _line(shown)


def i3status_rust(panel: Panel) -> str:
    """Return the JSON of i3status-rust's custom block; a stale number has the state Info, not Warning."""
    level = panel.level
    return _line(
        {
            "icon": "",
            "state": "Info" if level == "stale" else _I3STATUS_STATES.get(level, "Idle"),
            "text": markup.plain(panel.spans),
            "short_text": markup.plain(panel.short),
        }
    )


def i3blocks(panel: Panel) -> str:
    """Return the JSON of an i3blocks block with `format=json`; an empty text hides the block."""
    return _line(_block(panel))


def i3bar(panel: Panel) -> str:
    """Return one status line of the i3bar protocol, which i3bar and swaybar read."""
    return _line([{"name": "ullage", **_block(panel)}] if panel.spans else [])


def _block(panel: Panel) -> dict[str, object]:
    urgent = panel.level == "exhausted"
    # The bar paints an urgent block on a ground of its own, with a colour that can be read on it.
    palette = {} if urgent else panel.palette
    return {
        "full_text": markup.pango(panel.spans, palette),
        "short_text": markup.pango(panel.short, palette),
        "markup": "pango",
        "urgent": urgent,
    }


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

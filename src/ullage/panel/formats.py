"""The table of formats by name: how each renders a panel, and how it streams. Pure."""

from __future__ import annotations

from ullage.base.record import Record
from ullage.panel import clicks, document, lines, markup, menus, objects

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ullage.panel import Panel
    from ullage.panel.clicks import Request
    from ullage.panel.menus import Command
    from ullage.render.surfaces import Span

    Render = Callable[[Panel, Command], str]


class Format(Record):
    """A bar's format; in a stream, `update` renders every panel after `prelude`, None where the bar reads no stream.

    `read` decodes a line on stdin, None where the bar writes none.
    """

    render: Render
    update: Render | None = None
    prelude: str = ""
    read: Callable[[bytes], Request | None] | None = None


def _repeated(render: Callable[[Panel], str], update: Callable[[Panel], str] | None = None) -> Format:
    """Return a format whose stream has a line for every update."""
    following = update or render
    return Format(render=lambda panel, refresh: render(panel), update=lambda panel, refresh: following(panel))


def _once(render: Callable[[Panel], str]) -> Format:
    return Format(render=lambda panel, refresh: render(panel))


def _marked_up(write: Callable[[Iterable[Span], Mapping[str, str]], str]) -> Callable[[Panel], str]:
    """Return what renders a panel as a line in a dialect of `markup`."""
    return lambda panel: write(panel.spans, panel.palette)


FORMATS: dict[str, Format] = {
    "waybar": _repeated(objects.waybar),
    "i3bar": _repeated(objects.i3bar, lambda panel: f",{objects.i3bar(panel)}").replace(
        prelude=objects.I3BAR_PRELUDE, read=clicks.read_click
    ),
    "i3blocks": _repeated(lines.i3blocks, objects.i3blocks),
    "i3status-rust": _repeated(objects.i3status_rust),
    "py3status": _once(lines.py3status),
    "polybar": _repeated(_marked_up(markup.polybar)),
    "lemonbar": _repeated(_marked_up(markup.lemonbar)),
    "xmobar": _repeated(_marked_up(markup.xmobar)),
    "screen": _repeated(_marked_up(markup.screen)),
    "conky": _once(_marked_up(markup.conky)),
    "genmon": _once(lines.genmon),
    "argos": Format(render=menus.argos),
    "xbar": Format(render=menus.xbar),
    "swiftbar": Format(render=menus.swiftbar, update=lambda panel, refresh: f"~~~\n{menus.swiftbar(panel, refresh)}"),
    "sketchybar": _once(lines.sketchybar),
    "plain": _repeated(lines.plain),
    "json": Format(render=document.write_json, update=document.write_json, read=clicks.read_word),
}

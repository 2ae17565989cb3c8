"""Ready-made segments by name: a template, and the shape that it stands in. Pure."""

from __future__ import annotations

from ullage.base.record import Record


class Preset(Record):
    """What `[segment] preset` chooses, and what it is in a few words."""

    template: str
    shape: str = ""
    words: str


PRESETS: dict[str, Preset] = {
    "plain": Preset(
        template="{top.name} {top}[ {top.on_credits}][ {top.blocked_for}]",
        words="the window nearest to its limit, and its number",
    ),
    "minimal": Preset(template="{top}", words="the number alone"),
    "bar": Preset(template="{top.name} {top.bar:8} {top}", words="with a bar"),
    "spark": Preset(
        template="{top.name} [{top.course:8} ]{top}[ → {top.runs_out}](dim)",
        words="with its course, and when it runs out",
    ),
    "dots": Preset(template="[5h ](dim){5h.dots:5}[  7d {7d.dots:5}](dim)", words="session and week in dots"),
    "pair": Preset(template="[5h ](dim){5h}[  7d ](dim){7d}", words="session and week in numbers"),
    "ring": Preset(template="{top.ring} {top.name} {top}", words="with a ring that fills"),
    "until": Preset(template="{top.name} {top}[ {top.resets_in}](dim)", words="with the time until its reset"),
    "powerline": Preset(
        template="[{icon} ]{top.name} {top}", shape="powerline", words="on a background, for powerlines"
    ),
    "pill": Preset(template="{top.name} {top}", shape="pill", words="a badge in its level's colour"),
}

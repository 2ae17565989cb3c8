"""A terminal's screen as an SVG, in dark and in light, by what the reader prefers; and several as a film."""

from __future__ import annotations

from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

from ullage.config.palette import COLOURS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pyte
    from pyte.screens import Char

    from ullage.config.palette import Background

CELL, LINE, SIZE, MARGIN, BAR = 8.4, 18, 14, 14, 30
FONTS = "ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace"
# The emulator's names of the sixteen colours; those that ullage uses are its own, which can be read on both grounds.
NAMED = {
    "green": "normal",
    "brown": "warning",
    "red": "critical",
    "magenta": "exhausted",
    "brightblack": "faint",
    "black": "background",
    "default": "text",
}
OTHERS = {"blue": ("#79c0ff", "#0550ae"), "cyan": ("#76e3ea", "#1b7c83"), "white": ("#e6edf3", "#1f2328")}
BLOCKS = "\N{LOWER ONE EIGHTH BLOCK}", "\N{FULL BLOCK}", "\N{LEFT ONE EIGHTH BLOCK}"


def draw(screen: Sequence[Sequence[Char]], title: str) -> str:
    """Return a picture of the rows of a screen under a title."""
    columns, rows = max(map(len, screen)), len(screen)
    return _frame(columns, rows, title, _rows(screen))


def film(screens: Sequence[Sequence[Sequence[Char]]], title: str, seconds: float) -> str:
    """Return screens that follow each other, each for so many seconds; where nothing moves, the last one."""
    columns, rows = max(len(row) for screen in screens for row in screen), max(map(len, screens))
    share, body = 100 / len(screens), []
    style = [f".s{{animation:{len(screens) * seconds:g}s step-end infinite;visibility:hidden}}"]
    for number, screen in enumerate(screens):
        begins, ends = number * share, (number + 1) * share
        shown = "" if begins == 0 else "0%{visibility:hidden}"
        hidden = "" if number == len(screens) - 1 else f"{ends:.3f}%{{visibility:hidden}}"
        style.append(f"@keyframes f{number}{{{shown}{begins:.3f}%{{visibility:visible}}{hidden}}}")
        style.append(f".f{number}{{animation-name:f{number}}}")
        body.append(f'<g class="s f{number}">{_rows(screen)}</g>')
    last = len(screens) - 1
    # Also for viewers that know no animation, which would show an empty frame.
    style.append(f".f{last}{{visibility:visible}}@media(prefers-reduced-motion:reduce){{.s{{animation:none}}}}")
    return _frame(columns, rows, title, "".join(body), "".join(style))


def rows_of(screen: pyte.Screen, first: int = 0, last: int | None = None) -> list[list[Char]]:
    """Return the cells of a screen's lines, the empty ones at the end left out."""
    lines = [[screen.buffer[y][x] for x in range(screen.columns)] for y in range(first, last or screen.lines)]
    while lines and all(cell.data == " " and cell.bg == "default" for cell in lines[-1]):
        lines.pop()
    return lines


def _frame(columns: int, rows: int, title: str, body: str, style: str = "") -> str:
    width, height = columns * CELL + 2 * MARGIN, rows * LINE + MARGIN + BAR + MARGIN / 2
    dots = "".join(f'<circle class="g" cx="{18 + 18 * n}" cy="15" r="5"/>' for n in range(3))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" xml:space="preserve" font-family="{FONTS}" font-size="{SIZE}" role="img" '
        f'aria-label="{escape(title)}">'
        f"<style>{_palette()}{style}</style>"
        f'<rect class="w" x=".5" y=".5" width="{width - 1:g}" height="{height - 1:g}" rx="8"/>{dots}'
        f'<text class="c-brightblack" x="{width / 2:g}" y="20" text-anchor="middle">{escape(title)}</text>'
        f'<g transform="translate({MARGIN} {BAR + 4})">{body}</g></svg>\n'
    )


def _palette() -> str:
    dark, light = (_rules(side) for side in ("dark", "light"))
    # Browsers go by this, other viewers by xml:space.
    shapes = ".r,path{shape-rendering:crispEdges}text{white-space:pre}.b{font-weight:700}"
    return f"{shapes}{dark}@media(prefers-color-scheme:light){{{light}}}"


def _rules(side: Background) -> str:
    colours = COLOURS[side]
    named = {name: colours[key] for name, key in NAMED.items()}
    named |= {name: pair[side == "light"] for name, pair in OTHERS.items()}
    rules = [f".c-{name}{{fill:{colour}}}" for name, colour in named.items()]
    rules.append(f".w{{fill:{colours['background']};stroke:{colours['grid']}}}.g{{fill:{colours['grid']}}}")
    return "".join(rules)


def _rows(screen: Sequence[Sequence[Char]]) -> str:
    return "".join(_row(row, LINE * number) for number, row in enumerate(screen))


def _row(row: Sequence[Char], top: int) -> str:
    drawn, column = [], 0
    for (colour, ground, bold, is_block), group in groupby(row, _look):
        cells = list(group)
        text = "".join(cell.data for cell in cells)
        left, width = column * CELL, len(cells) * CELL
        if ground != "default":
            drawn.append(f'<rect {_fill(ground, " r")} x="{left:g}" y="{top}" width="{width:g}" height="{LINE}"/>')
        if is_block:
            drawn.append(f'<path {_fill(colour)} d="{"".join(_blocks(text, left, top))}"/>')
        elif text.strip():
            shown, begins = text.rstrip(), len(text) - len(text.lstrip())
            left, width = left + begins * CELL, (len(shown) - begins) * CELL
            weight = " b" if bold else ""
            drawn.append(
                f'<text {_fill(colour, weight)} x="{left:g}" y="{top + 13.5:g}" textLength="{width:g}">'
                f"{escape(shown.lstrip())}</text>"
            )
        column += len(cells)
    return "".join(drawn)


def _look(cell: Char) -> tuple[str, str, bool, bool]:
    colour, ground = (cell.bg, cell.fg) if cell.reverse else (cell.fg, cell.bg)
    if cell.reverse:
        colour, ground = ("black" if colour == "default" else colour), ("white" if ground == "default" else ground)
    return colour, ground, cell.bold, BLOCKS[0] <= cell.data <= BLOCKS[2]


def _fill(colour: str, more: str = "") -> str:
    if len(colour) == 6 and colour not in NAMED and colour not in OTHERS:
        return f'fill="#{colour}"' + (f' class="{more.strip()}"' if more else "")
    return f'class="c-{colour}{more}"'


def _blocks(text: str, left: float, top: int) -> Iterable[str]:
    """Yield the outlines of block elements, which fonts draw with gaps between the lines."""
    for number, sign in enumerate(text):
        eighths = ord(sign) - ord(BLOCKS[0]) + 1
        wide, high = (CELL, LINE * eighths / 8) if eighths <= 8 else (CELL * (16 - eighths) / 8, LINE)
        yield f"M{left + number * CELL:g} {top + LINE - high:g}h{wide:g}v{high:g}h-{wide:g}z"

"""Write menus line by line: Argos (GNOME, and KDE by kargos), xbar and SwiftBar (macOS). Pure.

The first line is the bar's; after `---` come the menu's entries, each with parameters after a `|`. In labels, `|` and a
leading dash are replaced by similar characters, so that no label adds parameters, submenus or separators.
"""

from __future__ import annotations

import re
import shlex

from ullage.panel import USAGE_PAGE, markup
from ullage.panel.colours import paint
from ullage.panel.lines import align_rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ullage.panel import Panel, PanelRow
    from ullage.panel.lines import Columns
    from ullage.quota.timeline import Level

    # The words of the command that an entry runs to start a refresh.
    Command = Sequence[str]

# Words that the quoting of each of these bars passes on unchanged.
_SAFE_WORD = re.compile(r"[A-Za-z0-9/._+@~= -]+\Z")


def argos(panel: Panel, refresh: Command) -> str:
    """Return a menu for Argos, which runs a command line in a shell and reads Pango markup."""
    action = f'bash="{shlex.join(refresh)}"'
    return "\n".join(_menu(panel, refresh, action, markup.pango_text, "monospace", "emojize=false"))


def xbar(panel: Panel, refresh: Command) -> str:
    """Return a menu for xbar, which runs a program with parameters."""
    return "\n".join(
        _menu(panel, refresh, f"shell={_parameters(refresh)}", _as_it_is, "Menlo", "emojize=false ansi=false")
    )


def swiftbar(panel: Panel, refresh: Command) -> str:
    """Return a menu for SwiftBar, which runs a program with parameters."""
    plain = "emojize=false symbolize=false ansi=false md=false"
    return "\n".join(_menu(panel, refresh, f"bash={_parameters(refresh)}", _as_it_is, "Menlo", plain))


def _as_it_is(text: str) -> str:
    return text


def _parameters(refresh: Command) -> str:
    program, *words = refresh
    return " ".join([f'"{program}"', *(f'param{number}="{word}"' for number, word in enumerate(words, 1))])


def _menu(
    panel: Panel, refresh: Command, action: str, escape: Callable[[str], str], font: str, plain: str
) -> Iterator[str]:
    def entry(text: str, *parameters: str, level: Level | None = None, depth: str = "") -> str:
        colour = paint(panel.palette, level).colour
        coloured = [f"color={colour}"] if colour else []
        return f"{depth}{escape(_harmless(text))} | {' '.join([*coloured, *parameters, plain])}"

    yield entry(markup.plain(panel.spans) or "?", level=panel.level)
    yield "---"
    for row, columns in zip(panel.rows, align_rows(panel), strict=True):
        yield from _window(row, columns, font, entry)
    yield entry(panel.origin)
    if panel.problem:
        yield entry(panel.problem)
    yield "---"
    if all(_SAFE_WORD.match(word) for word in refresh):
        yield entry("Refresh now", action, "terminal=false refresh=true")
    yield entry("Open usage page", f"href={USAGE_PAGE}")


def _window(row: PanelRow, columns: Columns, font: str, entry: Callable[..., str]) -> Sequence[str]:
    numbers = f"{columns.label}  {columns.bar}  {columns.share}  {row.course}"
    more = [entry(text, depth="--") for text in (row.outlook, row.stated) if text]
    return [entry(numbers, f"font={font}", level=row.share.level), *more]


def _harmless(text: str) -> str:
    """Return text that starts no parameters, no separator and no submenu."""
    text = text.replace("|", "¦").strip()
    return "‐" + text[1:] if text.startswith("-") else text

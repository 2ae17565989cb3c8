"""Print text with paths, variables or values of this machine, which may hold any characters, and lines in colours."""

from __future__ import annotations

import os
import sys

from ullage.base.text import is_private, make_visible
from ullage.system.streams import measure_terminal, wants_colour

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ullage.config import Settings
    from ullage.config.palette import Background
    from ullage.quota.timeline import Level
    from ullage.render.surfaces import Span

_NARROWEST, _UNBROKEN = 20, 10_000


def say(text: str, *, err: bool = False) -> None:
    """Print lines, on a terminal broken between words; characters that it acts on or hides are shown as escapes.

    They are there at once: what reads the output of `simulate` or `serve` waits for the address.
    """
    _print("\n".join(break_lines("\n".join(map(make_visible, text.split("\n"))), err=err)), err=err, flush=True)


def _print(text: str, *, err: bool, flush: bool = False) -> None:
    print(text, file=sys.stderr if err else sys.stdout, flush=flush)


def say_lines(
    lines: Iterable[Sequence[Span]],
    palette: Mapping[str, str] | None = None,
    *,
    err: bool = False,
    folded: bool = False,
) -> None:
    """Print lines of spans as `say` does, in a palette's colours where the stream has any; fold what is too wide.

    Without a palette those of the defaults are used: where there are no settings yet, or none that could be read.
    """
    from ullage.render.cells import trim_end, wrap
    from ullage.render.surfaces import join_spans, paint

    form = "ansi" if has_colours(err=err) else "plain"
    styles = choose_palette() if palette is None and form == "ansi" else palette or {}
    for line in lines:
        # Blanks at the end would be copied along.
        shown = trim_end([span.replace(text=_keep_signs(span.text)) for span in line])
        for part in wrap(shown, measure_terminal()) if folded else [shown]:
            _print(paint(join_spans(part), form, styles), err=err)


def _keep_signs(text: str) -> str:
    """Return a text as `make_visible` does, but for a Nerd Font's signs, which a segment may have."""
    return "".join(c if is_private(c) else make_visible(c) for c in text)


def say_styled(lines: Iterable[Sequence[Span]], settings: Settings) -> None:
    """Print lines of spans in the palette of the settings, and in ASCII alone where these ask for it."""
    from ullage.render.cells import replace_all_signs

    say_lines(replace_all_signs(lines) if settings.ascii_only else lines, settings.palette)


def remark(text: str, level: Level = "warning", palette: Mapping[str, str] | None = None) -> None:
    """Print a remark for the person on stderr, after our name in a level's colour."""
    lines = break_lines(f"ullage: {text}", err=True)
    if not has_colours(err=True):
        say("\n".join(lines), err=True)
        return
    # Imported late, as above: a guard on a pipe needs no colours.
    from ullage.render.surfaces import Span

    head = [Span(text="ullage:", level=level), Span(text=lines[0].removeprefix("ullage:"))]
    say_lines([head, *([Span(text=line)] for line in lines[1:])], palette, err=True)


def break_lines(text: str, *, err: bool = False, spare: int = 0) -> list[str]:
    """Return the lines of a text, on a terminal broken between words with `spare` cells left free."""
    lines = text.split("\n")
    if not (sys.stderr if err else sys.stdout).isatty():
        return lines
    import textwrap

    width = find_width(err=err) - spare
    return [
        part
        for line in lines
        for part in textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False) or [""]
    ]


def find_width(*, err: bool = False) -> int:
    """Return how many cells a sentence may take: those of the terminal; elsewhere it stays in one line."""
    if not (sys.stderr if err else sys.stdout).isatty():
        return _UNBROKEN
    # Some terminals wrap a line that fills the last column.
    return max(_NARROWEST, measure_terminal() - 1)


def has_colours(*, err: bool = False) -> bool:
    """Say whether a standard stream is to have colours."""
    return wants_colour(os.environ, is_terminal=(sys.stderr if err else sys.stdout).isatty())


def find_painters() -> tuple[Callable[[str], str], Callable[[str], str]]:
    """Return what colours a heading and a name on standard output; nothing where it is to have no colours."""
    if not has_colours():
        return str, str
    from ullage.render.surfaces import Span, paint
    from ullage.system.terminal import ask_background

    palette = choose_palette(ask_background)
    return (
        lambda text: paint([Span(text=text, style="bold")], "ansi", palette),
        lambda text: paint([Span(text=text, level="accent")], "ansi", palette),
    )


def choose_palette(ask: Callable[[Mapping[str, str]], Background | None] | None = None) -> Mapping[str, str]:
    """Return the default colours, for texts printed without settings; `ask` asks a terminal for its background."""
    from ullage.config.palette import Colouring, find_background

    background = find_background(os.environ) or (ask(os.environ) if ask else None)
    return Colouring(background=background).in_terminal()


def say_csv(rows: Iterable[Sequence[object]]) -> None:
    """Print the rows of a table as CSV in UTF-8, whatever the locale."""
    import csv
    import io

    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(rows)
    sys.stdout.flush()
    sys.stdout.buffer.write(written.getvalue().encode())

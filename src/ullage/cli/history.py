"""`ullage history`."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import click

from ullage.base import moments
from ullage.base.errors import UsageError
from ullage.base.text import disarm_formula
from ullage.base.values import format_time
from ullage.cli import options
from ullage.cli.parameters import parse_with
from ullage.cli.say import say, say_csv, say_lines
from ullage.cli.settings import load_settings, load_terminal_settings
from ullage.quota import model
from ullage.quota.model import grade_percent, list_named_limits
from ullage.render import words
from ullage.render.gauge import draw_gauge
from ullage.render.segment import explain_unknown, shorten_name
from ullage.render.surfaces import Span
from ullage.store import history, overview
from ullage.store.cache import ProfileCache
from ullage.system.streams import measure_terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ullage.config import Settings
    from ullage.quota.model import Reading, Window
    from ullage.quota.pace import Sample

    Rows = list[tuple[str, Sample]]

_LONGEST_BAR, _SHORTEST_BAR = 20, 6
_COLUMNS = ("at", "window", "used_percent", "resets_at")


def _since(text: str) -> datetime:
    return moments.parse_beginning(text, datetime.now(UTC))


@click.command(name="history")
@click.option(
    "--since",
    default="7d",
    show_default=True,
    callback=parse_with(_since),
    metavar="WHEN",
    help=f"From when on: {moments.FORMS}.",
)
@click.option(
    "--window",
    "name",
    metavar="NAME",
    shell_complete=options.complete_window,
    help="One window alone: 5h, 7d, a model's name or an id.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, with a line of headings.")
@options.add_profile_option
def command(since: datetime, name: str | None, as_json: bool, as_csv: bool) -> int:
    """List what the windows stood at, reading by reading.

    What stays the same is kept as the first and the last time it was seen; after 30 days one sample an hour is kept,
    after a year one a day. Exits with 3 when nothing is known of the account yet.
    """
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other.")
    cache = ProfileCache(os.environ)
    path = overview.locate_history(cache.environ)
    for aside in history.list_damaged_files(path):
        say(f"ullage: A damaged history was set aside as {os.path.join(os.path.dirname(path), aside)}.", err=True)
    reading = cache.load_reading()
    found = history.load_samples(path, overview.name_owner(cache, reading), since, datetime.now(UTC)) if reading else {}
    if name is not None:
        found = _only(found, name, list_named_limits(reading) if reading else ())
    rows = sorted(((window, sample) for window in found for sample in found[window]), key=lambda row: row[1].at)
    if as_json:
        from ullage.quota import schemas

        samples = [schemas.describe_sample(*row) for row in rows]
        click.echo(schemas.encode(schemas.HistoryDocument(schema=1, samples=samples)), nl=False)
    elif as_csv:
        say_csv([_COLUMNS, *map(_cells, rows)])
    else:
        _print(rows, reading, datetime.now(UTC))
    return 0 if rows or reading else 3


def _only(found: dict[str, list[Sample]], name: str, windows: Sequence[Window]) -> dict[str, list[Sample]]:
    """Return one window's samples; raise UsageError for a name that neither these nor the last reading know."""
    named = {window.id for window in model.find_windows_named(tuple(windows), name)}
    chosen = {window: samples for window, samples in found.items() if window in named or model.is_named(window, name)}
    if not chosen and windows and not named:
        raise UsageError(explain_unknown(name, windows))
    return chosen


def _cells(row: tuple[str, Sample]) -> list[object]:
    window, sample = row
    resets_at = format_time(sample.resets_at) if sample.resets_at else ""
    return [format_time(sample.at), disarm_formula(window), sample.used_percent, resets_at]


def _print(rows: Rows, reading: Reading | None, now: datetime) -> None:
    if not rows:
        unknown = "Nothing is known yet. `ullage usage` asks."
        say("Nothing was recorded in that time." if reading else unknown, err=reading is None)
        return
    settings = load_terminal_settings(load_settings()[0])
    names = {window.id: shorten_name(window) for window in (list_named_limits(reading) if reading else ())}
    say_lines(_lines(rows, names, settings, now, measure_terminal()), settings.palette)


def _lines(rows: Rows, names: Mapping[str, str], settings: Settings, now: datetime, width: int) -> Iterator[list[Span]]:
    """Yield a line for each sample: its day faint where it is that of the line before, a bar in the level's colour."""
    widest = max(len("window"), *(len(names.get(window, window)) for window, _ in rows))
    resets = [words.format_clock(sample.resets_at, now) if sample.resets_at else "" for _, sample in rows]
    others = len(f"  {'':{widest}}   used  ") + max(map(len, resets))
    # The year goes where the line would be too long with it.
    day_form = "%Y-%m-%d" if len("2026-11-28 10:30") + others <= width else "%m-%d"
    when = len(f"{rows[0][1].at:{day_form} %H:%M}")
    bar = min(_LONGEST_BAR, width - when - others - len("  "))
    bar = bar if bar >= _SHORTEST_BAR else 0
    gap = "  " if bar else ""
    yield [Span(text=f"{'when':{when}}  {'window':{widest}}   used{gap}{'':{bar}}  resets", level="faint")]
    before = ""
    for (window, sample), reset in zip(rows, resets, strict=True):
        local = sample.at.astimezone()
        day = f"{local:{day_form}}"
        level = grade_percent(sample.used_percent, None, settings.thresholds)
        share = min(sample.used_percent / 100, 1.0)
        yield [
            Span(text=day, level="faint" if day == before else None),
            Span(text=f" {local:%H:%M}  {names.get(window, window):{widest}}  "),
            Span(text=f"{words.format_percent(sample.used_percent):>5}", level=level),
            Span(text=gap),
            *(draw_gauge(share, None, bar, level, ascii_only=settings.ascii_only) if bar else ()),
            Span(text=f"  {reset}", level="faint"),
        ]
        before = day

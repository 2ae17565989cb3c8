"""`ullage history`."""

from __future__ import annotations

import csv
import json
import os
import sys
from datetime import UTC, datetime

import click

from ullage.base import moments
from ullage.base.text import clean, disarm_formula
from ullage.base.values import format_time
from ullage.cli import options
from ullage.quota import model
from ullage.render import words
from ullage.store import history, overview
from ullage.store.cache import ProfileCache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ullage.quota.pace import Sample

    Rows = list[tuple[str, Sample]]

_COLUMNS = ("at", "window", "used_percent", "resets_at")


def _since(_context: click.Context, _parameter: click.Parameter, value: str) -> datetime:
    try:
        return moments.parse_beginning(value, datetime.now(UTC))
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from error


@click.command(name="history")
@click.option(
    "--since", default="7d", show_default=True, callback=_since, metavar="WHEN", help=f"From when on: {moments.FORMS}."
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
        click.echo(
            f"ullage: A damaged history was set aside as {os.path.join(os.path.dirname(path), aside)}.", err=True
        )
    reading = cache.load_reading()
    found = history.load_samples(path, overview.name_owner(cache, reading), since, datetime.now(UTC)) if reading else {}
    if name is not None:
        found = _only(found, name)
    rows = sorted(((window, sample) for window in found for sample in found[window]), key=lambda row: row[1].at)
    if as_json:
        click.echo(json.dumps({"schema": 1, "samples": [_plain(*row) for row in rows]}, indent=1))
    elif as_csv:
        table = csv.writer(sys.stdout, lineterminator="\n")
        table.writerow(_COLUMNS)
        table.writerows(map(_cells, rows))
    else:
        _print(rows)
    return 0 if rows or reading else 3


def _only(found: dict[str, list[Sample]], name: str) -> dict[str, list[Sample]]:
    chosen = {window: samples for window, samples in found.items() if model.is_named(window, name)}
    if found and not chosen:
        known = ", ".join(sorted(found))
        words = f"no window {clean(name)!r} was recorded since then; known are {known}."
        raise click.BadParameter(words, param_hint="--window")
    return chosen


def _plain(window: str, sample: Sample) -> dict[str, object]:
    return {
        "at": format_time(sample.at),
        "window": window,
        "used_percent": sample.used_percent,
        "resets_at": format_time(sample.resets_at) if sample.resets_at else None,
    }


def _cells(row: tuple[str, Sample]) -> list[object]:
    values = _plain(*row).values()
    return [disarm_formula(value) if isinstance(value, str) else "" if value is None else value for value in values]


def _print(rows: Rows) -> None:
    if not rows:
        click.echo("Nothing was recorded in that time.")
    widest = max((len(window) for window, _ in rows), default=0)
    for window, sample in rows:
        at = sample.at.astimezone().strftime("%Y-%m-%d %H:%M")
        resets = f"resets {sample.resets_at.astimezone():%a %H:%M}" if sample.resets_at else ""
        click.echo(f"{at}  {window:{widest}}  {words.format_percent(sample.used_percent):>5}  {resets}".rstrip())

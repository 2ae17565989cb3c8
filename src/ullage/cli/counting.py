"""What `ullage tokens` counts and prints."""

from __future__ import annotations

import os
import sys

from ullage.base.record import Record
from ullage.cli.progress import ProgressBar
from ullage.cli.say import say
from ullage.cli.settings import load_settings, tell_issues
from ullage.tokens import document, tally
from ullage.tokens import words as render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from ullage.render.surfaces import Span
    from ullage.tokens.tally import TokenQuery, TokenUsage

DEFAULT_GROUPING = "day"
_PIPE_WIDTH = 120


class Form(Record):
    """What a report is printed as; a table where it is neither JSON nor CSV."""

    as_json: bool = False
    as_csv: bool = False


def count(question: TokenQuery, now: datetime, form: Form) -> int:
    """Answer a query over the transcripts, print the report and return the exit code."""
    settings, issues = load_settings()
    tell_issues(issues)
    with ProgressBar("reading transcripts") as bar:
        answer = tally.count_usage(os.environ, question, settings.prices, bar.show, now)
    for notice in answer.notices:
        say(f"ullage: {notice}", err=True)
    if form.as_json or form.as_csv:
        _print_for_programs(answer, _name(question.zone), as_json=form.as_json)
    else:
        _print(answer, now)
    return 0 if answer.found.transcripts else 3


def _name(zone: tzinfo | None) -> str:
    return str(zone) if zone is not None else "local"


def _print(answer: TokenUsage, now: datetime) -> None:
    if not answer.found.transcripts:
        looked = ", ".join(root.directory for root in answer.found.roots)
        say(f"No transcripts are there. Looked below: {looked}")
        skipped = render.word_skipped(answer.skipped)
        print(f"skipped: {skipped}" if skipped else render.NOTE)
        return
    if sys.stdout.isatty():
        _print_coloured(answer, render.write_remarks(answer, now))
    else:
        lines = ["".join(span.text for span in line).rstrip() for line in render.lay_out(answer, _PIPE_WIDTH)]
        print("\n".join([*lines, "", *render.write_remarks(answer, now)]))


def _print_for_programs(answer: TokenUsage, zone_name: str, *, as_json: bool) -> None:
    if as_json:
        print(document.encode(document.build_document(answer, zone_name)))
        return
    import csv
    import io

    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(document.build_csv_rows(answer))
    print(written.getvalue(), end="")


def _print_coloured(answer: TokenUsage, remarks: list[str]) -> None:
    # Imported late: on a pipe, the 60 ms and 10 MiB of rich are not needed.
    import shutil

    from ullage.render import table
    from ullage.render.surfaces import Span

    settings, _ = load_settings()
    lines = render.lay_out(answer, shutil.get_terminal_size().columns)
    below: list[list[Span]] = [[], *([Span(text=remark, level="stale")] for remark in remarks)]
    table.print_lines([*lines, *below], table.adapt_to_output(settings))

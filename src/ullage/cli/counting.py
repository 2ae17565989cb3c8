"""What `ullage tokens` counts and prints."""

from __future__ import annotations

import os
import sys

from ullage.base.record import Record
from ullage.cli.progress import ProgressBar
from ullage.cli.say import break_lines, remark, say, say_csv, say_lines
from ullage.cli.settings import load_settings, load_terminal_settings, tell_issues
from ullage.render.cells import wrap_parts
from ullage.render.surfaces import Span
from ullage.tokens import document, tally
from ullage.tokens import words as render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from ullage.config import Settings
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
        remark(notice)
    if form.as_json or form.as_csv:
        _print_for_programs(answer, _name(question.zone), as_json=form.as_json)
    else:
        _print(answer, settings, now)
    return 0 if answer.found.transcripts else 3


def _name(zone: tzinfo | None) -> str:
    return str(zone) if zone is not None else "local"


def _print(answer: TokenUsage, settings: Settings, now: datetime) -> None:
    if not answer.found.transcripts:
        looked = ", ".join(root.directory for root in answer.found.roots)
        say(f"No transcripts are there. Looked below: {looked}")
        skipped = render.word_skipped(answer.skipped)
        print(f"skipped: {skipped}" if skipped else render.NOTE)
        return
    settings, width = load_terminal_settings(settings), find_width()
    lines, left_out = render.lay_out(answer, width, ascii_only=settings.ascii_only)
    remarks = [*([render.word_left_out(left_out)] if left_out else []), *render.write_remarks(answer, now)]
    below = [[Span(text=line, level="faint")] for text in remarks for line in break_lines(text)]
    say_lines([*wrap_parts(render.lay_out_title(answer), width, "  "), [], *lines, [], *below], settings.palette)


def find_width() -> int:
    """Return how many cells a line may take: as many as the terminal has, or as a person reads with ease."""
    from ullage.render import table

    return table.measure_width() if sys.stdout.isatty() else _PIPE_WIDTH


def _print_for_programs(answer: TokenUsage, zone_name: str, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.buffer.write(document.encode(document.build_document(answer, zone_name)).encode() + b"\n")
        return
    say_csv(document.build_csv_rows(answer))

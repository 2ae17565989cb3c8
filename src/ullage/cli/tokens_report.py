"""Print what `ullage tokens` counts; `cli/tokens.py` and `cli/quick.py` parse its options."""

from __future__ import annotations

import os
import sys

from ullage.base.record import Record
from ullage.cli.progress import ProgressBar
from ullage.cli.say import remark, say, say_csv
from ullage.cli.settings import load_settings, print_issues
from ullage.tokens import document, tally

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from ullage.config import Settings
    from ullage.tokens.tally import TokenQuery, TokenUsage

DEFAULT_GROUPING = "day"


class Form(Record):
    """What a report is printed as; a table where it is neither JSON nor CSV."""

    as_json: bool = False
    as_csv: bool = False


def show(question: TokenQuery, now: datetime, form: Form) -> int:
    """Answer a query over the transcripts, print the report and return the exit code."""
    settings, issues = load_settings()
    print_issues(issues)
    with ProgressBar("reading transcripts") as bar:
        answer = tally.count_usage(os.environ, question, settings.prices, bar.advance, now)
    for notice in answer.notices:
        remark(notice)
    if form.as_json:
        text = document.encode(document.build_document(answer, _name(question.zone)))
        sys.stdout.flush()
        sys.stdout.buffer.write(f"{text}\n".encode())
    elif form.as_csv:
        say_csv(document.build_csv_rows(answer))
    else:
        _print(answer, settings, now)
    return 0 if answer.found.transcripts else 3


def _name(zone: tzinfo | None) -> str:
    return str(zone) if zone is not None else "local"


def _print(answer: TokenUsage, settings: Settings, now: datetime) -> None:
    # Imported late: programs, which read JSON or CSV, need no look.
    from ullage.tokens import words as render

    if not answer.found.transcripts:
        looked = ", ".join(root.directory for root in answer.found.roots)
        say(f"No transcripts are there. Looked below: {looked}")
        skipped = render.word_skipped(answer.skipped)
        say(f"skipped: {skipped}" if skipped else render.NOTE)
        return
    from ullage.cli.say import break_lines, say_lines
    from ullage.cli.settings import load_terminal_settings
    from ullage.render.cells import wrap_parts
    from ullage.render.surfaces import Span
    from ullage.system.streams import measure_terminal

    settings, width = load_terminal_settings(settings), measure_terminal()
    lines, left_out = render.lay_out(answer, width, ascii_only=settings.ascii_only)
    remarks = [*([render.word_left_out(left_out)] if left_out else []), *render.write_remarks(answer, now)]
    below = [[Span(text=line, level="faint")] for text in remarks for line in break_lines(text)]
    say_lines([*wrap_parts(render.lay_out_title(answer), width, "  "), [], *lines, [], *below], settings.palette)

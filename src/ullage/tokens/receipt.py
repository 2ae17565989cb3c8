"""`ullage tokens` for programs: what is asked most often, without the library of the command line.

To import that takes longer than all the rest of a look that finds nothing new.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime

from ullage import config
from ullage.base.errors import UllageError
from ullage.prompt import parse_options
from ullage.tokens import document, tally
from ullage.tokens import words as render
from ullage.tokens.report import GROUPINGS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ullage.tokens.tally import Answer

_PIPE_WIDTH = 120
_FORMS = {"--json": "json", "--csv": "csv"}


def run(arguments: Sequence[str], environ: Mapping[str, str]) -> int | None:
    """Print the report and return the exit code; None when it is for the full command line, or for a terminal."""
    options = parse_options(arguments, valued=("--by",), flags=tuple(_FORMS))
    if options is None or os.isatty(1) or os.isatty(2):
        return None
    by, forms = options.get("--by", "day"), [_FORMS[flag] for flag in _FORMS if flag in options]
    try:
        settings, issues = config.load(environ)
    except UllageError:
        return None
    if by not in GROUPINGS or len(forms) > 1 or issues or config.wrong_source(settings):
        return None
    now = datetime.now(UTC)
    try:
        question = tally.Question(by=by, roots=tally.roots_of(environ))
        answer = tally.ask(environ, question, settings.prices, lambda *_: None, now)
    except UllageError as error:
        print(f"ullage: {error}", file=sys.stderr)
        return error.exit_code
    if not answer.found.transcripts and not forms:
        # There is something else to say than a table.
        return None
    for notice in answer.notices:
        print(f"ullage: {notice}", file=sys.stderr)
    return _print(text(answer, forms[0] if forms else "table", now)) or (0 if answer.found.transcripts else 3)


def text(answer: Answer, form: str, now: datetime, zone_name: str = "local") -> str:
    """Return the report as JSON, as CSV, or as a table for a pipe, with the end of its last line."""
    if form == "json":
        return document.encode(document.document(answer, zone_name)) + "\n"
    if form == "csv":
        import csv
        import io

        written = io.StringIO()
        csv.writer(written, lineterminator="\n").writerows(document.csv_rows(answer))
        return written.getvalue()
    lines = ["".join(span.text for span in line).rstrip() for line in render.table(answer, _PIPE_WIDTH)]
    return "\n".join([*lines, "", *render.remarks(answer, now), ""])


def _print(report: str) -> int:
    try:
        # What the encoding lacks becomes a question mark.
        sys.stdout.buffer.write(report.encode(sys.stdout.encoding, "replace"))
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read has had enough.
        return 0
    except OSError as error:
        print(f"ullage: {error.filename or 'output'}: {error.strerror}", file=sys.stderr)
        return 5
    return 0

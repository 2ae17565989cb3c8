"""`ullage statusline`, for Claude Code's `statusLine` setting: store the piped statement, and print the line.

Claude Code runs it after every answer and cancels a run that has not ended, so its imports are kept few, and files are
replaced whole: a kill at any moment loses nothing.
"""

from __future__ import annotations

import os

from ullage.base.arguments import find_last_value, parse_options
from ullage.base.dates import UTC, datetime
from ullage.base.errors import UllageError
from ullage.base.text import make_visible
from ullage.config.template import (
    COURSES,
    FORECASTS,
    PLAIN_SUBJECTS,
    SESSION_SUBJECTS,
    Group,
    list_fields,
    parse_template,
)
from ullage.prompt import start_refresh_if_due
from ullage.quota.model import Account
from ullage.quota.timeline import TIMELINES, choose_timeline
from ullage.sources import statusline
from ullage.store import statements
from ullage.system.places import choose_profile, locate_profile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping, Sequence

    from ullage.config import Settings
    from ullage.config.template import Node
    from ullage.quota.model import Reading
    from ullage.quota.pace import Forecast, Sample
    from ullage.render.surfaces import Span
    from ullage.sources.statusline import Session
    from ullage.store.statements import Stated, Statement

_LARGEST_PAYLOAD = 8 << 20
_GAP = "  "
# Claude Code gives the line this many columns fewer than COLUMNS says.
_CLAIMED_COLUMNS = 3
# Subjects and attributes of fields that a narrow line drops, in this order.
_SHED = ("context", "resets_in", "resets_at", "model")
# Shown for a previous line that was stopped; repeating its last output would hide how old that is.
_LATE = "(your own line is late)"


def run(arguments: Sequence[str], environ: MutableMapping[str, str]) -> int | None:
    """Print the line and return the exit code; None for arguments that the click command must explain or refuse."""
    options = parse_options("statusline", arguments)
    if options is None or os.isatty(0):
        return None
    choose_profile(find_last_value(options, "--profile"), environ)
    payload = _read_all(0)
    previous = None
    then = find_last_value(options, "--then")
    if then:
        from ullage.claude_code.previous import Previous
        from ullage.system import secret

        previous = Previous(then, payload, secret.withhold_own_keys(environ, _list_named_keys(environ)))
    shows = "--quiet" not in options
    try:
        line = _take_in(payload, environ, shows=shows, prints=previous is None)
    except UllageError as error:
        line = ""
        _print(f"ullage: {make_visible(str(error))}", 2)
    if previous is not None:
        said, is_late = previous.read_output()
        ours = _GAP.join(filter(None, (line if shows else "", _LATE if is_late else "")))
        _print(_beside(said.decode(errors="surrogateescape"), ours, _columns(environ)))
    return 0


def _list_named_keys(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the variables of keys that config.toml names; none where it cannot be found, which our own line says."""
    from ullage import config

    try:
        return config.load(environ)[0].key_variables
    except UllageError:
        return ()


def _take_in(payload: bytes, environ: MutableMapping[str, str], *, shows: bool, prints: bool) -> str:
    """Return the line; print it first where `shows` and `prints`, since a person waits for it, then write the news."""
    from ullage import config

    now = datetime.now(UTC)
    session = statusline.parse_payload(payload, now)
    if session is None:
        return ""
    settings, _ = config.load(environ)
    directory = locate_profile(environ)
    statement = _statement(session, directory, environ, now)
    said = {os.path.basename(statement.path): statement.reading} if statement else {}
    known = statements.load(directory, now, said)
    line = ""
    if shows:
        line = _line(_shown(statement, known.reading), session, settings, environ, now)
    if shows and prints:
        _print(line)
    is_due = statement is not None and (statement.is_news or _is_unpublished(statement.path, directory))
    if statement is None or not is_due or not _keep(statement, known, settings, environ):
        start_refresh_if_due(environ, ("ansi",))
    return line


def _keep(statement: Statement, known: Stated, settings: Settings, environ: Mapping[str, str]) -> bool:
    """Keep a statement, have a copy of this process publish it, and return whether it was kept."""
    from ullage.claude_code import session
    from ullage.system import detach

    written = session.keep(statement, environ)
    if written is None:
        return False

    def publish() -> None:
        session.publish(statement, written, known, settings, environ)
        start_refresh_if_due(environ, ("ansi",))

    # Claude Code shows the line when this process ends. What a killed fork does not publish, the next run does.
    detach.run_in_fork(publish)
    return True


def _statement(session: Session, directory: str, environ: Mapping[str, str], now: datetime) -> Statement | None:
    """Return the session's statement, dated by when the server can have made it; None where it states no windows."""
    if session.reading is None:
        return None
    path = os.path.join(directory, statements.name_file(statusline.NAME, session.id))
    last = statements.load_last(path, now)
    if last is not None and last.mark == session.mark:
        # No answer since: the session repeats its last statement, which keeps its date and its account.
        return last
    as_of = statusline.date_payload(session, last.mark if last else None, last.reading.as_of if last else None, now)
    windows = tuple(window.replace(as_of=as_of) for window in session.reading.windows)
    reading = session.reading.replace(as_of=as_of, windows=windows)
    # Most runs repeat what the session said before.
    from ullage.claude_code.session import follow

    return follow(last, statements.Statement(reading=reading, mark=session.mark, path=path, is_news=True), environ)


def _shown(statement: Statement | None, merged: Reading | None) -> Reading | None:
    """Return the reading for this session's line: its own statement where that is of another quota than the rest."""
    own = statement.reading if statement else None
    if own is None or merged is None or own == merged:
        return merged or own
    from ullage.quota import merge

    return own if own.is_apart or merge.are_two_quotas(merged, own) else merged


def _line(
    merged: Reading | None, session: Session, settings: Settings, environ: MutableMapping[str, str], now: datetime
) -> str:
    """Return the painted line; where it is too wide, drop the groups of _SHED one after the other, then cut it."""
    from ullage.quota.model import Reading
    from ullage.render import segment
    from ullage.render.surfaces import paint

    known = merged or Reading(account=Account(), source=statusline.NAME, as_of=now, windows=())
    nodes = parse_template(settings.status_line_template, PLAIN_SUBJECTS + SESSION_SUBJECTS)
    asked = {field.attribute for field in list_fields(nodes)}
    forecasts = _forecasts(known, settings, environ, now) if asked & {*FORECASTS} else {}
    samples = _samples(known, environ, now) if asked & {*COURSES} else {}
    view = segment.build_view(known, settings, now, forecasts, samples).replace(session=session.fields)
    columns = _columns(environ)
    spans = _without_gaps(segment.fill(nodes, view))
    if columns is not None:
        from ullage.render import cells

        for count in range(1, len(_SHED) + 1):
            if cells.measure_spans(spans) <= columns:
                break
            kept = [node for node in nodes if not _is_shed(node, _SHED[:count])]
            spans = _without_gaps(segment.fill(kept, view))
        spans = cells.fit(spans, columns, ascii_only=settings.ascii_only)
    return paint(spans, choose_timeline("ansi", environ), settings.palette).strip()


def _is_shed(node: Node, shed: Sequence[str]) -> bool:
    """Say whether a group of a template shows one of the fields in `shed`."""
    fields = list_fields([node]) if isinstance(node, Group) else []
    return any(field.subject in shed or field.attribute in shed for field in fields)


def _without_gaps(spans: Sequence[Span]) -> list[Span]:
    """Return the spans without the blanks that empty fields leave: at the start, and more than two in a row."""
    kept, blanks = [], len(_GAP)
    for span in spans:
        text = ""
        for character in span.text:
            blanks = blanks + 1 if character == " " else 0
            text += character if blanks <= len(_GAP) else ""
        kept.append(span.replace(text=text))
    return kept


def _forecasts(reading: Reading, settings: Settings, environ: Mapping[str, str], now: datetime) -> dict[str, Forecast]:
    from ullage.store import overview
    from ullage.store.cache import ProfileCache

    return overview.load_forecasts(ProfileCache(environ), reading, settings.thresholds, now)


def _samples(reading: Reading, environ: Mapping[str, str], now: datetime) -> dict[str, list[Sample]]:
    from ullage.store import overview
    from ullage.store.cache import ProfileCache

    return overview.load_samples(ProfileCache(environ), reading, now)


def _is_unpublished(path: str, directory: str) -> bool:
    """Say whether the timelines are older than this statement, as after a run that was killed before it published."""
    try:
        return os.stat(os.path.join(directory, f"{TIMELINES[-1]}.timeline")).st_ctime < os.stat(path).st_ctime
    except OSError:
        return os.path.exists(path)


def _beside(theirs: str, ours: str, columns: int | None) -> str:
    """Return the previous line's output with our line behind its first line, or below where that is too wide."""
    from ullage.render.cells import measure_width

    theirs = theirs.rstrip("\n")
    if not theirs or not ours:
        return theirs or ours
    first, newline, rest = theirs.partition("\n")
    if columns is None or measure_width(first) + len(_GAP) + measure_width(ours) <= columns:
        return f"{first}{_GAP}{ours}{newline}{rest}"
    return f"{theirs}\n{ours}"


def _columns(environ: Mapping[str, str]) -> int | None:
    columns = environ.get("COLUMNS", "")
    known = int(columns[:6]) if columns.isascii() and columns.isdigit() else 0
    return max(1, known - _CLAIMED_COLUMNS) if known > 0 else None


def _read_all(descriptor: int) -> bytes:
    """Read to the end, so that the writer can finish; return the payload, empty where it is too large."""
    chunks, size = [], 0
    try:
        while chunk := os.read(descriptor, 1 << 16):
            size += len(chunk)
            if size <= _LARGEST_PAYLOAD:
                chunks.append(chunk)
    except OSError:
        return b""
    return b"".join(chunks) if size <= _LARGEST_PAYLOAD else b""


def _print(text: str, descriptor: int = 1) -> None:
    data = text.encode(errors="surrogateescape") + b"\n" if text else b""
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    except OSError:
        # The reader of the line has gone.
        return

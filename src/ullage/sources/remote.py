"""Read the reading of another ullage: the contract of `ullage usage --json`, of one account or of all, unverified.

A field counts as far as it can be checked. Its numbers keep the dates that they have there; where
its clock is ahead of ours they count as older by that much, and where it is behind, or what it says was written long
ago, they keep a date that makes them older too: of two clocks that differ none can tell which one is wrong.
"""

from __future__ import annotations

from itertools import islice

from ullage.base import jsontext
from ullage.base.dates import timedelta
from ullage.base.errors import SourceError
from ullage.base.record import Record
from ullage.base.text import clean, make_slug
from ullage.base.values import parse_percent, parse_time
from ullage.quota.model import SESSION_SOURCES, Account, Credits, Pool, Problem, Reading, Share, Window
from ullage.quota.remotes import name_source
from ullage.sources import wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from typing import Any

    from ullage.config.outside import Remote
    from ullage.quota.model import Kind, Severity
    from ullage.system.http import Response

NAME = "remote"
LARGEST_DOCUMENT = 1 << 20
# The time for all requests to one machine; a person may be waiting for this refresh to end.
ANSWER_SECONDS = 10.0
_ALL_PATH = "/v1/profiles"
# RFC 9111: answer from what is stored, and ask no provider because of this request.
_HEADERS = {"Cache-Control": "only-if-cached"}

_MOST_ACCOUNTS = 16
_MOST_STATED = 2048
_MOST_WINDOWS = 32
_MOST_POOLS = 16
_MOST_SHARES = 16
# Clocks that are set by the network differ by less.
_CLOCK_SLACK = timedelta(seconds=5)
_NOTABLE = timedelta(minutes=2)
# A statement without a date that can be true counts as this old.
_UNDATED_AGE = timedelta(hours=1)
# No clock makes a number older than this: by one that is centuries ahead it had a date that no file of ours could hold.
_OLDEST_AGE = timedelta(days=3650)
_SEVERITIES: tuple[Severity, ...] = ("normal", "warning", "critical")
_KINDS: dict[str, Kind] = {"five_hour": "session", "seven_day": "weekly"}


class Exchange(Record):
    """When a machine was asked and when its answer arrived, by the clock of this machine."""

    asked_at: datetime
    answered_at: datetime


class _Dating(Record):
    """How to correct a document's dates: its clock runs `ahead` of ours; `generated_at` is when it was written."""

    exchange: Exchange
    generated_at: datetime | None
    ahead: timedelta = timedelta()

    def date(self, stated: datetime | None) -> datetime:
        """Return the date of a statement by our clock, never later than the question."""
        if stated is None or not self.is_possible(stated):
            return self.exchange.asked_at - _UNDATED_AGE
        oldest = min(stated, self.exchange.asked_at - _OLDEST_AGE)
        return max(min(stated - self.ahead, self.exchange.asked_at), oldest)

    def is_possible(self, stated: datetime | None) -> bool:
        """Say whether a date can be true: no statement is newer than the document that it stands in."""
        latest = self.generated_at or self.exchange.asked_at
        return stated is not None and stated <= latest + _CLOCK_SLACK


def fetch_document(remote: Remote, environ: Mapping[str, str]) -> bytes:
    """Ask a machine once and return its answer; raise SourceError, which says what to do, where there is none.

    The environment may hold the variable of this machine's access token, and no other key.
    """
    try:
        if remote.command:
            return _run_command(remote, environ)
        return _get(remote, environ)
    except SourceError as error:
        code = error.code if error.code.startswith("remote_") else f"remote_{error.code}"
        raise SourceError(code, f"{name_source(remote.name)}: {error}") from error


def parse(document: bytes, name: str, exchange: Exchange) -> tuple[Reading, ...]:
    """Return the readings in a document, one an account; raise SourceError where it holds none."""
    try:
        said = jsontext.loads(document) if len(document) <= LARGEST_DOCUMENT else None
    except ValueError as error:
        shown = clean(document[:400].decode(errors="replace"), 80)
        words = f"It begins: {shown}" if shown else "It is empty"
        raise _unreadable(name, f"answered what is no JSON. {words}") from error
    documents = list(islice(_documents(said), _MOST_ACCOUNTS))
    if not documents:
        raise _unreadable(name, "answered what is no report of `ullage usage --json`")
    known = [_reading(usage, name_source(name), exchange) for usage in documents]
    readings = tuple(reading for reading in known if reading is not None)
    if not readings:
        raise SourceError("remote_knows_nothing", f"{name_source(name)} knows no numbers{_reason(documents[0])}.")
    return readings


def _unreadable(name: str, what: str) -> SourceError:
    return SourceError(
        "remote_unreadable", f"{name_source(name)} {what}. Run what asks it in a terminal, or update ullage there."
    )


def _reason(usage: Mapping[str, Any]) -> str:
    problem = usage.get("problem")
    words = clean(problem.get("message"), 200).rstrip(".") if isinstance(problem, dict) else ""
    return f": {words}" if words else " yet"


def _documents(said: object) -> Iterator[Mapping[str, Any]]:
    """Yield each account's report, by whatever version: fields are added to the contract, never renamed."""
    if not isinstance(said, dict):
        return
    profiles = said.get("profiles")
    entries = [each.get("usage") for each in profiles if isinstance(each, dict)] if isinstance(profiles, list) else []
    for usage in entries or [said]:
        if not isinstance(usage, dict) or not isinstance(usage.get("windows"), list):
            continue
        version = usage.get("schema")
        if type(version) is int and version >= 1:
            yield usage


def _reading(usage: Mapping[str, Any], source: str, exchange: Exchange) -> Reading | None:
    dating = _dating(usage, exchange)
    windows = tuple(_windows(usage["windows"], source, dating))
    credits = _credits(usage.get("credits"), dating)
    pools = tuple(islice(_pools(usage.get("pools"), dating), _MOST_POOLS))
    if not windows and credits is None and not pools:
        return None
    stated = parse_time(usage.get("as_of"))
    moments = [window.as_of for window in windows] or [dating.date(stated)]
    as_of = max(moments)
    newest = [window for window in windows if window.as_of == as_of]
    return Reading(
        account=_account(usage.get("account")),
        source=source,
        as_of=as_of,
        windows=windows,
        credits=credits,
        problem=_find_clock_problem(source, dating),
        pools=pools,
        breakdown=tuple(islice(_breakdown(usage.get("breakdown")), _MOST_SHARES)),
        is_listing=usage.get("listing") is not False,
        is_dated=any(window.is_dated for window in newest) if newest else dating.is_possible(stated),
        is_heard=bool(newest) and all(window.is_heard for window in newest),
    )


def _dating(usage: Mapping[str, Any], exchange: Exchange) -> _Dating:
    generated_at, as_of = parse_time(usage.get("generated_at")), parse_time(usage.get("as_of"))
    age = usage.get("age_seconds")
    if generated_at is None and as_of is not None and type(age) is int and 0 <= age < 1 << 32:
        # Versions without `generated_at` round both down.
        generated_at = as_of + timedelta(seconds=age)
    ahead = timedelta()
    if generated_at is not None and generated_at > exchange.answered_at + _CLOCK_SLACK:
        ahead = generated_at - exchange.asked_at
    return _Dating(exchange=exchange, generated_at=generated_at, ahead=ahead)


def _find_clock_problem(source: str, dating: _Dating) -> Problem | None:
    if dating.generated_at is None:
        return None
    behind = dating.exchange.asked_at - dating.generated_at
    if dating.ahead >= _NOTABLE:
        what = f"is {_minutes(dating.ahead)} ahead of this machine's"
    elif behind >= _NOTABLE:
        what = f"is {_minutes(behind)} behind this machine's, or its answer was written then"
    else:
        return None
    return Problem(
        code="remote_clock",
        message=f"The clock of {source} {what}: its numbers count as that much older. Set both clocks by the network.",
    )


def _minutes(span: timedelta) -> str:
    return f"{span // timedelta(minutes=1)} min"


def _account(stated: object) -> Account:
    fields = stated if isinstance(stated, dict) else {}
    names = ("id", "plan", "tier", "organization_id", "organization")
    return Account(**{name: clean(fields.get(name)) or None for name in names})


def _windows(stated: list[Any], source: str, dating: _Dating) -> Iterator[Window]:
    known: set[str] = set()
    for fields in islice(stated, _MOST_STATED):
        name = make_slug(clean(fields.get("id"))) if isinstance(fields, dict) else ""
        if not name or name in known:
            continue
        known.add(name)
        yield _window(name, fields, source, dating)
        if len(known) == _MOST_WINDOWS:
            return


def _window(name: str, fields: Mapping[str, Any], source: str, dating: _Dating) -> Window:
    stated = parse_time(fields.get("as_of"))
    severity = fields.get("stated_severity")
    return Window(
        id=name,
        label=clean(fields.get("label")) or name.replace("_", " ").capitalize(),
        kind=_KINDS.get(name, "model" if name.startswith("seven_day_") else "other"),
        used_percent=parse_percent(fields.get("used_percent")),
        resets_at=parse_time(fields.get("resets_at")),
        severity=next((word for word in _SEVERITIES if word == severity), None),
        headline=fields.get("headline") is True,
        source=source,
        as_of=dating.date(stated),
        is_listed=fields.get("listed") is not False,
        used=wire.parse_money(fields.get("used")),
        limit=wire.parse_money(fields.get("limit")),
        is_dated=fields.get("dated") is not False and dating.is_possible(stated),
        is_heard=fields.get("heard") is True or fields.get("source") in SESSION_SOURCES,
    )


def _credits(fields: object, dating: _Dating) -> Credits | None:
    if not isinstance(fields, dict):
        return None
    return Credits(
        enabled=fields.get("enabled") is True,
        used=wire.parse_money(fields.get("used")),
        limit=wire.parse_money(fields.get("limit")),
        used_percent=parse_percent(fields.get("used_percent")),
        as_of=dating.date(parse_time(fields.get("as_of"))),
        disabled_reason=clean(fields.get("disabled_reason")) or None,
    )


def _pools(stated: object, dating: _Dating) -> Iterator[Pool]:
    for fields in islice(stated, _MOST_STATED) if isinstance(stated, list) else ():
        name = make_slug(clean(fields.get("id"))) if isinstance(fields, dict) else ""
        if name:
            yield Pool(
                id=name,
                label=clean(fields.get("label")) or name.replace("_", " ").capitalize(),
                used_percent=parse_percent(fields.get("used_percent")),
                used=wire.parse_money(fields.get("used")),
                limit=wire.parse_money(fields.get("limit")),
                ends_at=parse_time(fields.get("ends_at")),
                as_of=dating.date(parse_time(fields.get("as_of"))),
            )


def _breakdown(stated: object) -> Iterator[Share]:
    for fields in islice(stated, _MOST_STATED) if isinstance(stated, list) else ():
        label = clean(fields.get("label")) if isinstance(fields, dict) else ""
        percent = parse_percent(fields.get("percent")) if label else None
        if percent is not None:
            yield Share(label=label, percent=percent)


def _run_command(remote: Remote, environ: Mapping[str, str]) -> bytes:
    from ullage.system import programs

    try:
        done = programs.run_named(remote.command, environ, seconds=ANSWER_SECONDS, largest_bytes=LARGEST_DOCUMENT)
    except programs.NotRunError as error:
        hint = " Is the machine awake?" if error.how == "late" else ""
        raise SourceError(f"remote_{error.how}", f"{error}.{hint}") from error
    # The exit codes of `usage` for nothing known and too old come with a document.
    if not done.output.strip() and done.status != 0:
        raise SourceError("remote_failed", f"{programs.explain_end(remote.command, done)}.")
    return done.output


def _get(remote: Remote, environ: Mapping[str, str]) -> bytes:
    # Imported late: a remote with a command needs no HTTP.
    from ullage.system import http, keys

    headers = dict(_HEADERS)
    if remote.socket:
        answer, host = _get_from_socket(remote.socket), remote.socket
    else:
        address = http.check_address(remote.url.rstrip("/") + _ALL_PATH)
        token = keys.fetch_key(remote.token, environ, "access token")
        if token is not None:
            headers["Authorization"] = f"Bearer {token.reveal()}"
        answer = http.get_response(address, address.path, headers, ANSWER_SECONDS, largest=LARGEST_DOCUMENT)
        host = address.host
    if answer.status in (401, 403):
        raise SourceError(
            "remote_refused",
            f"{host} does not accept the access token. `ullage serve token create` there makes one of scope read.",
        )
    if answer.status != 200:
        raise SourceError("remote_status", f"{host} answered {answer.status}, which no `ullage serve` would.")
    return answer.body


def _get_from_socket(path: str) -> Response:
    from ullage.system import http

    try:
        return http.get_from_socket(path, _ALL_PATH, _HEADERS, ANSWER_SECONDS, largest=LARGEST_DOCUMENT)
    except SourceError as error:
        if error.code != "unreachable":
            raise
        raise SourceError(
            error.code,
            f"Nobody listens at {path}. Is `ullage serve --unix` running, and its socket forwarded or mounted?",
        ) from error

"""What another machine's ullage says, read: ages that no clock makes younger, bounds, and text that stays text."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.samples import NOW, reading, readings, window
from ullage.base.errors import SourceError, UllageError
from ullage.config.outside import KeyNames, Remote
from ullage.quota import contract, serial
from ullage.quota.model import Account, Credits, Money, Pool, Reading, Share, Thresholds
from ullage.quota.remotes import RemoteAnswer
from ullage.quota.schedule import Schedule
from ullage.sources.remote import LARGEST_DOCUMENT, Exchange, fetch_document, parse

if TYPE_CHECKING:
    from collections.abc import Callable

DOLLARS = Money(amount_minor=5000, currency="USD", exponent=2)
EVERYTHING = reading(
    window("five_hour", 37.0, severity="warning", headline=True),
    window("seven_day", 104.0, resets_at=None),
    window("seven_day_fable", 82.5, label="Week (Fable)"),
    window("tangelo", 3.0),
    window("spend_limit", 10.0).replace(used=DOLLARS, limit=DOLLARS),
    account=Account(id="a1b2", plan="max", tier="20x", organization_id="o1", organization="Acme"),
    credits=Credits(enabled=True, used=DOLLARS, limit=DOLLARS, used_percent=24.5, disabled_reason="why"),
    pools=(Pool(id="cinder_cove", label="Credit", used_percent=5.0, used=DOLLARS, ends_at=NOW + timedelta(days=3)),),
    breakdown=(Share(label="Claude Code", percent=61.0),),
)


def said_there(known: Reading | None, at: datetime = NOW, **changes: Any) -> dict[str, Any]:
    """The document of a machine whose clock says `at`."""
    document = contract.build_document(known, Schedule(), Thresholds(), at)
    said: dict[str, Any] = json.loads(contract.encode(document))
    return {**said, **changes}


def heard(said: object, asked_at: datetime = NOW, took: float = 0.4) -> Reading:
    exchange = Exchange(asked_at=asked_at, answered_at=asked_at + timedelta(seconds=took))
    [known] = parse(json.dumps(said).encode(), "laptop", exchange)
    return known


def test_all_that_the_contract_tells_arrives() -> None:
    known = heard(said_there(EVERYTHING))
    assert known.source == "remote:laptop"
    assert {each.source for each in known.windows} == {"remote:laptop"}
    windows = tuple(each.replace(source="oauth") for each in known.windows)
    credits = known.credits.replace(as_of=None) if known.credits else None
    pools = tuple(each.replace(as_of=None) for each in known.pools)
    assert known.replace(source="oauth", windows=windows, credits=credits, pools=pools) == EVERYTHING


@pytest.mark.parametrize("year", [2027, 2100, 2199])
def test_what_a_clock_of_another_century_dates_can_be_kept_and_is_old(year: int) -> None:
    known = heard(said_there(EVERYTHING, NOW.replace(year=year)))
    assert known.as_of < NOW - timedelta(days=180)
    answer = RemoteAnswer(name="laptop", asked_at=NOW, readings=(known,))
    assert serial.decode_remote(serial.encode(answer)) == answer


@given(readings())
def test_no_statement_is_younger_than_where_it_was_made(made: Reading) -> None:
    try:
        known = heard(said_there(made))
    except SourceError:
        assert not made.windows
        return
    stated = {each.id: each.as_of for each in made.windows}
    assert all(each.as_of <= stated[each.id] for each in known.windows)
    assert all(stated[each.id] - each.as_of < timedelta(seconds=1) for each in known.windows)


@given(
    ahead=st.integers(-2 * 86400, 2 * 86400).map(lambda seconds: timedelta(seconds=seconds)),
    age=st.integers(0, 86400).map(lambda seconds: timedelta(seconds=seconds)),
    took=st.floats(0, 10),
    tells=st.booleans(),
)
@example(ahead=timedelta(seconds=7), age=timedelta(seconds=8), took=3.0, tells=False)
def test_no_clock_makes_a_number_look_fresh(ahead: timedelta, age: timedelta, took: float, tells: bool) -> None:
    there = NOW + timedelta(seconds=took / 2) + ahead
    said = said_there(reading(window(as_of=there - age), as_of=there - age), there)
    if not tells:
        del said["generated_at"]
    known = heard(said, took=took)
    # The slack of two clocks, what each of them rounds, and the request, in any moment of which the document was made.
    assert NOW - known.as_of >= age - timedelta(seconds=took + 6)
    assert known.as_of <= NOW
    if abs(ahead) > timedelta(minutes=3):
        assert known.problem is not None
        assert known.problem.code == "remote_clock"


def test_a_document_that_lay_around_is_as_old_as_it_is() -> None:
    said = said_there(reading(window(used=10.0)))
    assert heard(said, NOW + timedelta(hours=3)).as_of == NOW


@pytest.mark.parametrize("relays", [1, 5])
def test_a_statement_that_is_handed_round_keeps_its_date(relays: int) -> None:
    known, now = reading(window(used=10.0)), NOW
    for _ in range(relays):
        now += timedelta(minutes=7)
        known = heard(said_there(known, now), now)
    assert (known.as_of, known.windows[0].as_of) == (NOW, NOW)


def test_what_a_session_heard_stays_what_a_session_heard() -> None:
    here = reading(window(source="statusline"), source="statusline", is_listing=False)
    known = heard(said_there(here))
    assert (known.is_heard, known.is_listing, known.windows[0].is_heard) == (True, False, True)
    twice = heard(said_there(known))
    assert (twice.is_heard, twice.is_listing, twice.windows[0].is_heard) == (True, False, True)


def test_a_date_that_cannot_be_true_is_no_date() -> None:
    said = said_there(reading(window(used=10.0)))
    said["windows"][0]["as_of"] = "2100-01-01T00:00:00Z"
    known = heard(said)
    assert (known.is_dated, known.windows[0].is_dated) == (False, False)
    assert known.as_of == NOW - timedelta(hours=1)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"schema": 7, "more": {"deep": [1]}}, "remote:laptop"),
        ({"schema": 1, "generated_at": None, "listing": None, "pools": "none", "breakdown": 3}, "remote:laptop"),
        ({"schema": 1, "account": None, "credits": [], "age_seconds": "old"}, "remote:laptop"),
    ],
)
def test_a_newer_or_an_older_version_is_understood_as_far_as_it_goes(changes: dict[str, Any], says: str) -> None:
    known = heard(said_there(reading(window(used=10.0)), **changes))
    assert (known.source, known.windows[0].used_percent) == (says, 10.0)


def test_every_account_of_a_machine_is_told() -> None:
    accounts = [said_there(reading(window(), account=Account(id=name))) for name in ("one", "two")]
    profiles = [{"profile": "x", "usage": usage} for usage in [*accounts, said_there(None), {"schema": 0}]]
    exchange = Exchange(asked_at=NOW, answered_at=NOW)
    known = parse(json.dumps({"schema": 1, "profiles": profiles}).encode(), "box", exchange)
    assert [each.account.id for each in known] == ["one", "two"]


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (b"", "remote_unreadable"),
        (b"Welcome to laptop!\x1b[31m\r\nLast login", "remote_unreadable"),
        (b"[" * 400_000, "remote_unreadable"),
        (b"[]", "remote_unreadable"),
        (b'{"schema": "1", "windows": []}', "remote_unreadable"),
        (b'{"schema": true, "windows": []}', "remote_unreadable"),
        (b'{"schema": 1, "windows": {}}', "remote_unreadable"),
        (b'{"schema": 1, "windows": []}', "remote_knows_nothing"),
        (b'{"schema": 1, "windows": [], "problem": {"message": "Sign in\\u001b[31m."}}', "remote_knows_nothing"),
        (b'{"schema": 1, "windows": [' + b"0," * (LARGEST_DOCUMENT // 2) + b"0]}", "remote_unreadable"),
    ],
)
def test_what_is_no_report_says_so_and_speaks_to_no_terminal(document: bytes, code: str) -> None:
    with pytest.raises(SourceError) as caught:
        parse(document, "laptop", Exchange(asked_at=NOW, answered_at=NOW))
    assert caught.value.code == code
    assert "remote:laptop" in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_hostile_report_is_bounded_and_stays_text() -> None:
    evil = "\x1b]0;owned\x07\u202e$(reboot)`%F{red}#[fg=red]\n" * 9
    fields = {"label": evil, "used_percent": 1e300, "resets_at": 9e99, "as_of": evil, "headline": "yes", "listed": 1}
    windows: list[object] = [{"id": f"w{number}", **fields} for number in range(500)]
    said = {
        "schema": 1,
        "windows": [None, 3, {"id": evil, **fields}, *windows],
        "account": dict.fromkeys(("id",), evil),
    }
    pools = [{"id": f"p{number}", "label": evil, "used": {"amount_minor": 1e400}} for number in range(99)]
    known = heard({**said, "pools": pools, "breakdown": [{"label": evil, "percent": 3}] * 99})
    assert (len(known.windows), len(known.pools), len(known.breakdown)) == (32, 16, 16)
    named = [(each.id, each.label) for each in known.windows] + [(each.id, each.label) for each in known.pools]
    texts = [known.account.id, *(text for pair in named for text in pair)]
    assert all(text is not None and text.isprintable() and len(text) <= 48 for text in texts)
    assert not any(each.is_dated or each.used_percent is not None or each.headline for each in known.windows)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    ["schema", "windows", "profiles", "usage", "as_of", "account", "id", "credits", "problem"]
                ),
                inner,
            )
        ),
    )
)
def test_anything_is_a_reading_or_an_error(said: object) -> None:
    exchange = Exchange(asked_at=datetime.now(UTC), answered_at=datetime.now(UTC))
    try:
        parse(json.dumps(said).encode(), "laptop", exchange)
    except SourceError as error:
        assert error.code in ("remote_unreadable", "remote_knows_nothing")


class Server:
    """A server on the loopback that answers each request with the bytes of a function, and keeps what it was sent."""

    def __init__(self, answer: Callable[[socket.socket], None]) -> None:
        self.asked: list[bytes] = []
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            with contextlib.suppress(OSError):
                connection, _ = self._listener.accept()
                with connection:
                    self.asked.append(connection.recv(1 << 16))
                    self._answer(connection)


def endless(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b'{"schema": 1, "windows": [' * 1000)


def trickling(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
    while True:
        connection.sendall(b" ")
        time.sleep(0.05)


def test_a_token_goes_to_its_address_alone_and_follows_nobody() -> None:
    elsewhere = Server(lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"))
    redirect = f"HTTP/1.1 302 Found\r\nLocation: {elsewhere.address}/v1/profiles\r\nContent-Length: 0\r\n\r\n"
    server = Server(lambda connection: connection.sendall(redirect.encode()))
    remote = Remote(name="team", url=server.address, token=KeyNames(variable="TEAM_TOKEN"))
    with pytest.raises(SourceError) as caught:
        fetch_document(remote, {"TEAM_TOKEN": "a-secret-token"})
    assert caught.value.code == "remote_status"
    assert "secret" not in str(caught.value)
    assert b"Authorization: Bearer a-secret-token" in server.asked[0]
    assert b"only-if-cached" in server.asked[0]
    assert elsewhere.asked == []


@pytest.mark.parametrize(("behaviour", "code"), [(endless, "remote_too_large"), (trickling, "remote_timeout")])
def test_a_server_without_an_end_is_left(
    behaviour: Callable[[socket.socket], None], code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ullage.sources.remote.ANSWER_SECONDS", 2.0 if behaviour is trickling else 60.0)
    with pytest.raises(SourceError) as caught:
        fetch_document(Remote(name="team", url=Server(behaviour).address), {})
    assert caught.value.code == code


@pytest.mark.parametrize("url", ["http://example.com", "http://localhost:7733", "https://a:b@example.com", "https://"])
def test_an_address_that_others_could_read_is_not_asked(url: str) -> None:
    with pytest.raises(UllageError, match="https://"):
        fetch_document(Remote(name="team", url=url, token=KeyNames(variable="TEAM_TOKEN")), {"TEAM_TOKEN": "x"})

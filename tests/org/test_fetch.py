"""Reports over real sockets: pages, retries, the deadline, and days that are asked for once."""

from __future__ import annotations

import json
import ssl
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from ullage.base.errors import CacheError, SourceError, UllageError, UsageError
from ullage.org import client, days, fetch, reports, store, totals
from ullage.org.reports import Query
from ullage.simulate import Reply, Simulator
from ullage.simulate import org as stand_in
from ullage.system.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from ullage.org.fetch import Fetched

    Simulate = Callable[..., Simulator]

pytestmark = pytest.mark.usefixtures("one_day")

ADMIN, ANALYTICS = Secret(stand_in.ADMIN_KEY), Secret(stand_in.ANALYTICS_KEY)
USAGE = Query(report=reports.USAGE, groups=("model",))


def today() -> date:
    return datetime.now(UTC).date()


def last(count: int) -> days.Days:
    return days.Days(first=today() - timedelta(days=count - 1), last=today())


def before_today(count: int) -> days.Days:
    """Days that have been over for more than two."""
    end = today() - timedelta(days=4)
    return days.Days(first=end - timedelta(days=count - 1), last=end)


class Asked:
    """What the stand-in is asked: the query strings, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.queries: list[str] = []
        answer = stand_in.answer_admin

        def note(simulator: Simulator, path: str, query: str, key: str) -> Reply:
            self.queries.append(query)
            return answer(simulator, path, query, key)

        monkeypatch.setattr(stand_in, "answer_admin", note)


def ask(
    environ: dict[str, str], query: Query = USAGE, wanted: days.Days | None = None, key: Secret = ADMIN, **more: Any
) -> Fetched:
    more.setdefault("pause", lambda seconds: pytest.fail(f"a pause of {seconds} s"))
    return fetch.fetch_report(query, wanted or last(3), key, environ, **more)


def refusal(environ: dict[str, str], kind: type[UllageError] = SourceError, **more: Any) -> UllageError:
    with pytest.raises(kind) as caught:
        ask(environ, **more)
    assert stand_in.ADMIN_KEY not in f"{caught.value} {caught.value.__dict__}"
    return caught.value


def code_of(error: UllageError) -> str:
    assert isinstance(error, SourceError)
    return error.code


def test_a_report_of_some_days(environ: dict[str, str], simulate: Simulate) -> None:
    simulate("busy-day")
    found = ask(environ)
    assert {row.day for row in found.rows} == set(last(3))
    assert {row.labels["model"] for row in found.rows} == {"claude-opus-5", "claude-sonnet-5"}
    assert today() in found.unfinished


@pytest.mark.parametrize("report", reports.REPORTS, ids=lambda report: report.kind)
@pytest.mark.parametrize("largest", [1000, 1, 2, 3])
def test_all_pages_are_read_whatever_their_size(
    report: reports.Report, largest: int, environ: dict[str, str], simulate: Simulate
) -> None:
    simulator = simulate("busy-day")
    key = ADMIN if report.key == "admin" else ANALYTICS
    query = Query(report=report)
    whole = totals.add_all(ask(environ, query, last(4), key).rows)
    environ["ULLAGE_CACHE_DIR"] += "-other"
    simulator.largest_page = largest
    assert totals.add_all(ask(environ, query, last(4), key).rows) == whole
    assert whole.counts or whole.costs


def test_it_works_over_tls(
    environ: dict[str, str], simulate: Simulate, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    simulator = simulate("busy-day", tls=context)
    assert code_of(refusal(environ)) == "bad_certificate"
    assert simulator.requests == 0
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    assert ask(environ).rows


def test_finished_days_are_asked_for_once_and_today_each_time(
    environ: dict[str, str], simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator = simulate("busy-day")
    asked = Asked(monkeypatch)
    wanted = last(10)
    first = ask(environ, wanted=wanted)
    assert simulator.requests == 1
    second = ask(environ, wanted=wanted)
    assert simulator.requests == 2
    # Yesterday is finished some hours into today.
    begins = min(second.unfinished).isoformat()
    assert begins >= (today() - timedelta(days=1)).isoformat()
    assert f"starting_at={begins}T" in asked.queries[1]
    assert totals.add_up(first.rows, ["day"]) == totals.add_up(second.rows, ["day"])
    ask(environ, wanted=before_today(3))
    assert simulator.requests == 2
    # What was not asked for yet is asked for in one go, and nothing else.
    ask(environ, wanted=before_today(20))
    assert simulator.requests == 3


def test_claude_code_is_one_request_a_day(environ: dict[str, str], simulate: Simulate) -> None:
    simulator = simulate("busy-day")
    query = Query(report=reports.CLAUDE_CODE)
    ask(environ, query, before_today(5))
    assert simulator.requests == 5
    ask(environ, query, before_today(5))
    assert simulator.requests == 5


@pytest.mark.parametrize(
    "other",
    [
        Query(report=reports.USAGE),
        Query(report=reports.USAGE, groups=("model", "service_tier")),
        Query(report=reports.USAGE, width="1h", groups=("model",)),
        Query(report=reports.USAGE, groups=("model",), filters=(("model", "claude-opus-5"),)),
        Query(report=reports.COST),
    ],
)
def test_another_question_is_not_answered_from_what_is_kept(
    other: Query, environ: dict[str, str], simulate: Simulate
) -> None:
    simulator = simulate("busy-day")
    ask(environ, USAGE, before_today(2))
    ask(environ, other, before_today(2))
    assert simulator.requests == 2


def test_another_key_or_address_is_another_organisation(
    environ: dict[str, str], simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator = simulate("busy-day")
    ask(environ, wanted=before_today(2))
    assert code_of(refusal(environ, wanted=before_today(2), key=Secret("sk-ant-admin01-other"))) == "unauthorized"
    with Simulator("busy-day").running() as second:
        ask({**environ, "ULLAGE_API_BASE": second.address}, wanted=before_today(2))
        assert second.requests == 1
    assert simulator.requests == 1


@pytest.mark.parametrize(
    ("report", "hours", "refreshed", "final"),
    [
        (reports.USAGE, 2.9, None, False),
        (reports.USAGE, 3.1, None, True),
        (reports.CLAUDE_CODE, 2.9, None, False),
        (reports.CLAUDE_CODE, 3.1, None, True),
        (reports.PEOPLE_COST, 24, 23, False),
        (reports.PEOPLE_COST, 47, 40, False),
        (reports.PEOPLE_COST, 49, 25, True),
        (reports.PEOPLE_COST, 49, -1, False),
        (reports.USAGE, -1, None, False),
    ],
)
def test_a_day_is_final_when_what_comes_late_has_come(
    report: reports.Report, hours: float, refreshed: float | None, final: bool
) -> None:
    end = datetime(2026, 11, 21, tzinfo=UTC)
    data = None if refreshed is None else end + timedelta(hours=refreshed)
    assert store.is_final(report, date(2026, 11, 20), end + timedelta(hours=hours), data) is final


def test_a_day_that_the_answer_says_nothing_of_is_asked_for_again(environ: dict[str, str], simulate: Simulate) -> None:
    simulator = simulate("empty")
    wanted = before_today(2)
    assert ask(environ, wanted=wanted) == fetch.Fetched(rows=(), unfinished=tuple(wanted))
    ask(environ, wanted=wanted)
    assert simulator.requests == 2


def test_what_is_kept_is_private_exact_and_holds_no_key(environ: dict[str, str], simulate: Simulate) -> None:
    simulate("busy-day")
    query = Query(report=reports.COST)
    first = ask(environ, query, before_today(3))
    root = Path(environ["ULLAGE_CACHE_DIR"], "org")
    files = [path for path in root.rglob("*") if path.is_file()]
    assert len([path for path in files if path.suffix == ".json"]) == 3
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in root.rglob("*") if path.is_dir()} == {0o700}
    assert stand_in.ADMIN_KEY.encode() not in b"".join(path.read_bytes() for path in files)
    again = ask(environ, query, before_today(3))
    assert again == first
    assert all(isinstance(row.cost, Decimal) for row in again.rows)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'{"format": 2, "rows": []}',
        b'{"format": 1}',
        b'{"format": 1, "rows": [{"at": "2026-11-20T00:00:00"}]}',
        b'{"format": 1, "rows": [{"at": "x", "labels": [], "counts": {}, "cost": "?", "currency": 5}]}',
        b"[" * 100_000,
    ],
)
def test_a_kept_day_that_is_damaged_is_asked_for_again(
    content: bytes, environ: dict[str, str], simulate: Simulate
) -> None:
    simulator = simulate("busy-day")
    first = ask(environ, wanted=before_today(1))
    [path] = Path(environ["ULLAGE_CACHE_DIR"], "org").rglob("*.json")
    path.write_bytes(content)
    assert ask(environ, wanted=before_today(1)) == first
    assert simulator.requests == 2


def test_a_cache_that_others_write_to_is_refused(environ: dict[str, str], simulate: Simulate) -> None:
    simulate("busy-day")
    root = Path(environ["ULLAGE_CACHE_DIR"], "org")
    root.mkdir(parents=True)
    root.chmod(0o777)
    assert "chmod go-w" in str(refusal(environ, CacheError))


def test_a_busy_server_is_asked_again_after_the_pause_that_it_wants(
    environ: dict[str, str], simulate: Simulate
) -> None:
    simulator = simulate("flaky")
    pauses: list[float] = []
    assert ask(environ, pause=pauses.append).rows
    assert simulator.requests == 3
    wanted, own = pauses
    assert 0 < wanted <= 1
    assert 1 <= own <= 2


def test_patience_has_an_end(environ: dict[str, str], simulate: Simulate) -> None:
    simulator = simulate("outage")
    simulator.requests = 1
    pauses: list[float] = []
    error = refusal(environ, pause=pauses.append)
    assert code_of(error) == "server_error"
    assert str(error).startswith("127.0.0.1 has a fault of its own. Ask later. What was read is kept")
    assert simulator.requests == 1 + client._MOST_TRIES
    assert len(pauses) == client._MOST_TRIES - 1
    assert [0.5 * 2**attempt <= pause <= 2**attempt for attempt, pause in enumerate(pauses)] == [True] * len(pauses)


def test_a_pause_that_is_longer_than_all_patience_is_not_waited_for(
    environ: dict[str, str], simulate: Simulate
) -> None:
    simulator = simulate("429-storm")
    simulator.requests = 1
    error = refusal(environ)
    assert code_of(error) == "rate_limited"
    assert "Ask again, but not before 20" in str(error)
    assert "goes on from there" in str(error)
    assert isinstance(error, SourceError)
    assert error.retry_at is not None
    assert simulator.requests == 2


def test_days_that_were_read_before_a_failure_are_kept(
    environ: dict[str, str], simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator = simulate("busy-day")
    healthy = simulator.scenario
    simulator.scenario = lambda moment: healthy(moment) if moment.request <= 3 else Reply(status=401)
    query = Query(report=reports.CLAUDE_CODE)
    assert code_of(refusal(environ, query=query, wanted=before_today(5))) == "unauthorized"
    simulator.scenario = healthy
    simulator.requests = 0
    ask(environ, query, before_today(5))
    assert simulator.requests == 2


@pytest.mark.parametrize(
    ("reply", "code", "words"),
    [
        (Reply(status=401, body=b'{"error":{"message":"invalid x-api-key"}}'), "unauthorized", "invalid x-api-key"),
        (
            Reply(status=401, body=json.dumps({"error": {"message": f"no key: {stand_in.ADMIN_KEY}"}}).encode()),
            "unauthorized",
            "no key: <secret>",
        ),
        (Reply(status=401, body=b'{"error":{"message":7}}'), "unauthorized", "does not accept"),
        (Reply(status=403, body=b"<html>"), "forbidden", "sk-ant-admin"),
        (Reply(status=404, body=b"{}"), "not_found", "no such report"),
        (Reply(status=302, headers={"Location": "http://127.0.0.1:9/"}), "redirected", "does not follow with a key"),
        (Reply(status=418), "unexpected_status", "418"),
        (Reply(headers={"Content-Type": "text/html"}, body=b"<html>Sign in"), "not_json", "a web page"),
    ],
)
def test_what_is_refused_for_good_is_not_asked_again(
    reply: Reply, code: str, words: str, environ: dict[str, str], simulate: Simulate
) -> None:
    simulator = simulate("busy-day")
    simulator.scenario = lambda moment: reply
    error = refusal(environ)
    assert code_of(error) == code
    assert words in str(error)
    assert error.exit_code == 5
    assert simulator.requests == 1


def test_a_server_that_is_not_there_is_asked_once(environ: dict[str, str]) -> None:
    error = refusal({**environ, "ULLAGE_API_BASE": "http://127.0.0.1:9"})
    assert code_of(error) == "unreachable"
    assert "Check the network" in str(error)
    assert "by itself" not in str(error)


def test_what_the_server_says_of_a_wrong_question_is_told_in_clean_words(
    environ: dict[str, str], simulate: Simulate
) -> None:
    body = {"error": {"message": "group_by: no\x1b[31m \u202e such thing."}}
    simulate("busy-day").scenario = lambda moment: Reply(status=400, body=json.dumps(body).encode())
    error = refusal(environ, UsageError)
    assert str(error) == "127.0.0.1 does not take the question: group_by: no[31m such thing."
    assert error.exit_code == 2


def test_pages_that_go_round_in_circles_are_left(
    environ: dict[str, str], simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator = simulate("busy-day")
    page = json.dumps({"data": [], "has_more": True, "next_page": "page_0"}).encode()
    monkeypatch.setattr(stand_in, "answer_admin", lambda *_: (simulator.next_moment(), Reply(body=page))[1])
    assert code_of(refusal(environ)) == "endless_pages"
    assert simulator.requests == 2


def test_pages_without_an_end_are_left(
    environ: dict[str, str], simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_MOST_PAGES", 5)
    simulator = simulate("busy-day")

    def endless(*_arguments: object) -> Reply:
        number = simulator.next_moment().request
        return Reply(body=json.dumps({"data": [], "has_more": True, "next_page": f"page_{number}"}).encode())

    monkeypatch.setattr(stand_in, "answer_admin", endless)
    assert code_of(refusal(environ)) == "endless_pages"
    assert simulator.requests == 6


@pytest.mark.parametrize(("most_rows", "page_seconds"), [(5, 0), (client._MOST_ROWS, 200)])
def test_a_report_that_fills_the_memory_or_the_day_is_left(
    environ: dict[str, str], simulate: Simulate, monkeypatch: pytest.MonkeyPatch, most_rows: int, page_seconds: int
) -> None:
    monkeypatch.setattr(client, "_MOST_ROWS", most_rows)
    simulator = simulate("busy-day")
    rows = [{"starting_at": "2026-11-20T00:00:00Z", "results": [{"output_tokens": 1}, {"output_tokens": 1}]}]
    clock = SimpleNamespace(seconds=0)
    monkeypatch.setattr(client, "time", SimpleNamespace(monotonic=lambda: clock.seconds))

    def endless(*_arguments: object) -> Reply:
        number = simulator.next_moment().request
        clock.seconds += page_seconds
        return Reply(body=json.dumps({"data": rows, "has_more": True, "next_page": f"page_{number}"}).encode())

    monkeypatch.setattr(stand_in, "answer_admin", endless)
    assert code_of(refusal(environ)) == "too_large"
    assert simulator.requests <= 3


@pytest.mark.parametrize("base", ["https://evil.example", "http://api.anthropic.com", "http://localhost:1"])
def test_the_key_goes_to_nobody_else(base: str, environ: dict[str, str]) -> None:
    error = refusal({**environ, "ULLAGE_API_BASE": base})
    assert code_of(error) == "base_refused"


def test_every_question_names_its_version_and_its_key_in_headers_alone(
    environ: dict[str, str], simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ullage.system import http

    given: list[tuple[str, dict[str, str]]] = []
    get = http.Connection.get

    def note(self: http.Connection, path: str, headers: dict[str, str], seconds: float = 0) -> http.Response:
        given.append((path, headers))
        return get(self, path, headers, seconds)

    monkeypatch.setattr(http.Connection, "get", note)
    simulate("busy-day")
    ask(environ, Query(report=reports.USAGE, groups=("speed",), filters=(("model", "a&b=c d"),)))
    [(path, headers)] = given
    assert headers == {
        "x-api-key": stand_in.ADMIN_KEY,
        "anthropic-version": "2023-06-01",
        "anthropic-beta": "fast-mode-2026-02-01",
    }
    assert stand_in.ADMIN_KEY not in path
    assert "models%5B%5D=a%26b%3Dc+d" in path
    assert "group_by%5B%5D=speed" in path
    assert "limit=31" in path

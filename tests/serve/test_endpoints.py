"""What each address answers, from a real server over a socket."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import jsonschema
import msgspec
import pytest

from tests.support.samples import reading
from tests.support.serving import Served, serving
from tests.support.tools import REPOSITORY, make_due, need, run, ullage, wait_until
from ullage.metrics import formats
from ullage.quota import schemas
from ullage.quota.model import Credits, Money, list_named_limits
from ullage.serve import documents
from ullage.serve.routes import ROUTES
from ullage.store import history, overview
from ullage.store.cache import ProfileCache

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ullage.simulate import Simulator


def test_usage_is_the_document_of_the_command(shared: Served) -> None:
    answer = shared.ask("/v1/usage", shared.token())
    assert answer.status == 200
    jsonschema.validate(answer.json, schemas.build_schema("usage"))
    shown = json.loads(ullage("usage", "--json", "--no-refresh", environ=shared.environ).stdout)
    for document in (shown, answer.json):
        document["age_seconds"] = None
        for window in document["windows"]:
            window["resets_in_seconds"] = None
    assert answer.json.keys() == shown.keys()
    assert [window["used_percent"] for window in answer.json["windows"]] == [
        window["used_percent"] for window in shown["windows"]
    ]


def test_profiles_names_each_account(shared: Served) -> None:
    kind: Any = schemas.CONTRACT["ProfilesDocument"]
    document = msgspec.convert(shared.ask("/v1/profiles", shared.token()).json, kind)
    assert [one.profile for one in document.profiles] == [shared.environ["CLAUDE_CONFIG_DIR"]]
    named = shared.ask(f"/v1/usage?profile={document.profiles[0].profile}", shared.token())
    assert named.json["account"] == shared.ask("/v1/usage", shared.token()).json["account"]


def test_history_has_what_was_read(shared: Served) -> None:
    token = shared.token()
    document = msgspec.convert(shared.ask("/v1/history", token).json, documents.SamplesDocument)
    assert {sample.window for sample in document.samples} >= {"five_hour", "seven_day", "seven_day_opus"}
    assert not document.truncated
    one = shared.ask("/v1/history?window=five_hour&since=1h&limit=1", token).json
    assert [sample["window"] for sample in one["samples"]] == ["five_hour"]
    few = shared.ask("/v1/history?limit=2", token).json
    assert (len(few["samples"]), few["truncated"]) == (2, True)


def test_burnup_goes_from_the_start_to_the_reset(shared: Served) -> None:
    document = msgspec.convert(shared.ask("/v1/burnup?window=five_hour", shared.token()).json, documents.BurnupDocument)
    assert document.resets_at is not None
    assert document.begins_at < document.used[-1].at < document.resets_at
    assert document.expected[-1].at == document.resets_at == document.ends_at
    assert all(point.low <= point.middle <= point.high for point in document.expected)
    assert not document.used[0].seen


def test_burnup_of_a_budget_is_its_history_up_to_now(environ: dict[str, str]) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    cache = ProfileCache(environ)
    cache.make_private()
    for days, cents in ((3, 40000), (2, 2000), (0, 4631)):
        money = [Money(amount_minor=amount, currency="USD", exponent=2) for amount in (cents, 50000)]
        budget = Credits(enabled=True, used=money[0], limit=money[1], used_percent=cents / 500)
        stated = reading(as_of=now - timedelta(days=days), credits=budget)
        owner = overview.name_owner(cache, stated)
        history.record(overview.locate_history(environ), owner, list_named_limits(stated), stated.as_of)
    cache.save_reading(stated)
    with serving(environ) as served:
        found = served.ask("/v1/burnup?window=credits", served.token()).json
    document = msgspec.convert(found, documents.BurnupDocument)
    assert (document.label, document.resets_at, document.expected) == ("Credits", None, [])
    assert [(point.used_percent, point.joined) for point in document.used] == [
        (80.0, False),
        (4.0, False),
        (9.262, True),
    ]
    assert document.begins_at == document.used[0].at
    assert document.ends_at >= document.used[-1].at


def test_events_tell_of_a_change_at_once(served: Served, simulate: Callable[..., Simulator]) -> None:
    stream = served.follow(served.token())
    assert stream.headers["content-type"].startswith("text/event-stream")
    first = stream.event()
    assert first is not None
    assert {window["id"] for window in first["windows"]} >= {"five_hour", "seven_day_opus"}
    simulator = simulate("over-limit")
    assert (
        ullage("refresh", "--force", environ={**served.environ, "ULLAGE_API_BASE": simulator.address}).returncode == 0
    )
    while (following := stream.event()) is not None and following["windows"][0]["used_percent"] != 104.0:
        pass
    assert following is not None
    stream.close()


def test_an_event_is_not_repeated_for_a_file_that_says_nothing_new(served: Served, tmp_path: Path) -> None:
    stream = served.follow(served.token())
    first = stream.event()
    cache = tmp_path / "cache" / "default"
    cache.mkdir(exist_ok=True)
    (cache / "a").write_text("")
    (cache / "a").rename(cache / "b")
    assert ullage("refresh", "--force", environ=served.environ).returncode == 0
    second = stream.event()
    assert first is not None
    assert second is not None
    assert first["as_of"] <= second["as_of"]
    assert (first["as_of"], first["next_refresh_at"]) != (second["as_of"], second["next_refresh_at"])
    stream.close()


def test_last_event_id_changes_nothing(shared: Served) -> None:
    with shared.connect() as connection:
        connection.sendall(
            f"GET /v1/events HTTP/1.1\r\nHost: localhost:{shared.port}\r\nLast-Event-ID: 7\r\n"
            f"Authorization: Bearer {shared.token()}\r\n\r\n".encode()
        )
        received = b""
        while b"event: usage" not in received:
            received += connection.recv(65536)


def test_a_request_starts_a_refresh_that_is_due_and_no_second_one(
    known: dict[str, str], simulate: Callable[..., Simulator]
) -> None:
    simulator = simulate("models")
    make_due(known)
    with serving(known) as served:
        token = served.token()
        for _ in range(30):
            assert served.ask("/v1/usage", token).status == 200
        wait_until(lambda: simulator.requests, what="a refresh")
        for _ in range(30):
            served.ask("/v1/usage", token)
    assert simulator.requests == 1


def test_nothing_is_known_yet(environ: dict[str, str]) -> None:
    with serving(environ) as served:
        token = served.token()
        answer = served.ask("/v1/usage", token)
        assert (answer.status, answer.json["state"], answer.json["windows"]) == (200, "none", [])
        assert served.ask("/v1/burnup?window=five_hour", token).status == 404
        assert served.ask("/v1/history", token).json["samples"] == []


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
def test_head_and_options_and_other_methods(shared: Served, route: object) -> None:
    path, method = route.path, route.method  # type: ignore[attr-defined]  # pytest's parameter
    token = shared.token()
    needed = "?window=five_hour" if path == "/v1/burnup" else ""
    if method == "GET":
        head = shared.ask(path + needed, token, "HEAD")
        assert (head.status, head.body) == (200, b"")
    options = shared.ask(path, None, "OPTIONS")
    assert (options.status, method in options.headers["allow"]) == (204, True)
    assert not any(name.startswith("access-control") for name in options.headers)
    for other in {"DELETE", "PUT", "TRACE", "BREW", "POST", "GET"} - {method}:
        refused = shared.ask(path, token, other)
        assert (refused.status, refused.json["status"]) == (405, 405)
        assert method in refused.headers["allow"]


@pytest.mark.parametrize(
    ("target", "status", "words"),
    [
        ("/nowhere", 404, "/openapi.json"),
        ("/v1/usage/", 404, "/openapi.json"),
        ("/v1/../../../etc/passwd", 404, "nothing at this address"),
        ("/%2e%2e/%2e%2e/etc/passwd", 404, "nothing at this address"),
        ("/v1/usage?profile=/etc", 404, "no such profile"),
        ("/v1/usage?profile=../../x", 404, "no such profile"),
        ("/v1/usage?profile=default%00", 404, "no such profile"),
        ("/v1/usage?windw=five_hour", 400, "It takes profile"),
        ("/v1/burnup", 400, "needs window"),
        ("/v1/burnup?window=nine_hour", 404, "no such window"),
        ("/v1/history?since=yesterday", 400, "such as 90m"),
        ("/v1/history?limit=0", 400, "from 1 to 10000"),
        ("/v1/history?limit=1e3", 400, "whole number"),
        ("/v1/history?limit=5&limit=6", 400, "twice"),
        ("/v1/history?window=", 400, "window is not as it should be"),
        ("/v1/history?window=%3Cscript%3E", 200, '"samples": []'),
    ],
)
def test_what_is_wrong_is_said(shared: Served, target: str, status: int, words: str) -> None:
    answer = shared.ask(target, shared.token())
    assert answer.status == status
    assert words in answer.body.decode()
    if status != 200:
        assert answer.headers["content-type"] == "application/problem+json"
        msgspec.convert(answer.json, documents.FaultDocument)


def test_the_history_that_cannot_be_read_is_a_fault_in_words(served: Served, tmp_path: Path) -> None:
    (tmp_path / "state" / "history.sqlite3").write_bytes(b"no database" * 200)
    for companion in ("-wal", "-shm"):
        (tmp_path / "state" / f"history.sqlite3{companion}").unlink(missing_ok=True)
    answer = served.ask("/v1/history", served.token())
    assert (answer.status, answer.headers["retry-after"]) == (503, "60")
    assert str(tmp_path) not in answer.body.decode()
    assert served.ask("/v1/usage", served.token()).status == 200


def test_the_guides_examples_work(known: dict[str, str], tmp_path: Path) -> None:
    need("curl")
    guide = (REPOSITORY / "docs" / "serve.md").read_text()
    section = guide.partition("## With curl")[2]
    lines = section.partition("```sh\n")[2].partition("```")[0].splitlines()
    (tmp_path / "runtime").mkdir(mode=0o700)
    known["XDG_RUNTIME_DIR"] = str(tmp_path / "runtime")
    with serving(known) as served, serving(known, "--unix"):
        # The stream goes on: the example is cut off when it has shown something.
        script = [line.replace("127.0.0.1:7733", f"127.0.0.1:{served.port}") for line in lines]
        script = [f"{line} -s -f{' --max-time 2 || [ $? = 28 ]' if ' -N ' in line else ''}" for line in script[1:]]
        ran = run(["sh", "-euc", "\n".join([lines[0], *script])], known)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count('"schema": 1') == 3
    assert "event: usage" in ran.stdout


def test_metrics_are_those_of_the_command(shared: Served) -> None:
    token = shared.token("metrics")
    plain = shared.ask("/metrics", token)
    assert (plain.status, plain.headers["content-type"]) == (200, formats.PLAIN_TYPE)
    printed = ullage("metrics", environ=shared.environ).stdout

    def names(text: str) -> list[str]:
        return [line.rpartition(" ")[0] for line in text.splitlines()]

    assert names(plain.body.decode()) == names(printed)
    assert "ullage_window_used_ratio{" in printed
    opened = shared.ask("/metrics", token, Accept="application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
    assert opened.headers["content-type"] == formats.OPENMETRICS_TYPE
    assert opened.body.endswith(b"# EOF\n")
    assert shared.ask("/metrics", shared.token()).status == 200

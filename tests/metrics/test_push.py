"""What is sent reaches the address that the user named and no other, or one sentence says why not."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import urlsplit

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from tests.support.receivers import Receiver
from tests.support.samples import NOW, reading, window
from ullage.base.errors import MissingExtraError, UsageError
from ullage.metrics import MetricsError, formats, otlp, push, samples
from ullage.metrics.names import Names
from ullage.metrics.push import PushRoute
from ullage.quota.model import Thresholds
from ullage.quota.schedule import Schedule
from ullage.store.overview import Overview
from ullage.system import addresses, http

OURS = "0123456789abcdef"


def test_a_gateway_is_given_everything_anew_under_this_installations_name() -> None:
    with Receiver(202).running() as gateway:
        push.push_to_gateway(f"{gateway.address}/", b"a 1\n", OURS, PushRoute())
    (request,) = gateway.requests
    assert (request.method, request.path, request.body) == ("PUT", f"/metrics/job/ullage/instance/{OURS}", b"a 1\n")
    assert request.headers["Content-Type"] == formats.PLAIN_TYPE
    assert "Authorization" not in request.headers


def test_a_gateway_is_told_to_forget_this_installation() -> None:
    with Receiver(202).running() as gateway:
        push.forget_pushed(gateway.address, OURS, PushRoute())
    assert [(one.method, one.path) for one in gateway.requests] == [("DELETE", f"/metrics/job/ullage/instance/{OURS}")]


@pytest.mark.parametrize(
    ("status", "said", "words"),
    [
        (400, b"pushed metrics are invalid\n", "answered 400: pushed metrics are invalid."),
        (401, b"", "answered 401. Set metrics.auth_file, or ULLAGE_METRICS_AUTH."),
        (403, b"", "does not open it"),
        (404, b"<html>", "answered 404. Is the path of the address right?"),
        (302, b"", "Redirects are not followed"),
        (503, b"\x1b[31mred", "answered 503: [31mred. Another attempt may do better."),
    ],
)
def test_a_refusal_is_told_with_what_to_do(status: int, said: bytes, words: str) -> None:
    with Receiver(status, said).running() as gateway, pytest.raises(MetricsError) as caught:
        push.push_to_gateway(gateway.address, b"", OURS, PushRoute())
    assert words in str(caught.value)
    assert len(gateway.requests) == 1


def test_what_was_not_removed_is_not_said_to_be_unsent() -> None:
    with Receiver(501).running() as gateway, pytest.raises(MetricsError, match="did not remove the metrics"):
        push.forget_pushed(gateway.address, OURS, PushRoute())
    with pytest.raises(MetricsError, match="were not removed"):
        push.forget_pushed("http://127.0.0.1:9", OURS, PushRoute())


def test_a_gateway_that_repeats_the_password_does_not_get_it_into_an_error() -> None:
    secret = "Basic " + base64.b64encode(b"sam:open-sesame").decode()
    with Receiver(401, secret.encode()).running() as gateway, pytest.raises(MetricsError) as caught:
        push.push_to_gateway(gateway.address, b"", OURS, PushRoute(authorization=secret))
    assert gateway.requests[0].headers["Authorization"] == secret
    assert secret.split()[1] not in str(caught.value)
    assert "holds does not open it" in str(caught.value)


def test_a_gateway_that_never_answers_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "WHOLE_CALL_SECONDS", 0.3)
    with Receiver(stalls=True).running() as gateway, pytest.raises(MetricsError, match="were not sent"):
        push.push_to_gateway(gateway.address, b"", OURS, PushRoute())


def test_nobody_there_is_told() -> None:
    with pytest.raises(MetricsError, match=r"127\.0\.0\.1 could not be reached"):
        push.push_to_gateway("http://127.0.0.1:9", b"", OURS, PushRoute())


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", "no address"),
        ("push.example.com", "no address"),
        ("ftp://push.example.com", "no address"),
        ("https://", "no address"),
        ("https://push.example.com:0", "no address"),
        ("https://push.example.com:99999", "no address"),
        ("https://[::1", "no address"),
        ("https://sam:secret@push.example.com", "a name or a password"),
        ("https://push.example.com/?token=secret", "more than"),
        ("https://push.example.com/#x", "more than"),
        ("https://push.example.com/\x1b[31m", "more than"),
        ("http://push.example.com", "unencrypted"),
        ("http://localhost:9091", "unencrypted"),
        ("http://127.0.0.1.example.com", "unencrypted"),
    ],
)
def test_an_address_that_nothing_should_be_sent_to_is_refused_before(address: str, words: str) -> None:
    wrong = addresses.find_wrong(address, plain_http=False)
    assert wrong is not None
    assert words in wrong
    assert "secret" not in wrong
    assert "\x1b" not in wrong
    with pytest.raises(UsageError):
        push.push_to_gateway(address, b"", OURS, PushRoute())


@pytest.mark.parametrize("address", ["https://push.example.com/prefix", "http://127.0.0.1:9091", "http://[::1]:9091"])
def test_an_address_that_is_private_is_taken(address: str) -> None:
    assert addresses.find_wrong(address, plain_http=False) is None
    parts = urlsplit(address)
    assert addresses.is_private(parts.scheme, parts.hostname or "")


def test_plain_http_is_used_when_told_so_but_never_with_a_password() -> None:
    assert addresses.find_wrong("http://192.0.2.1:9091", plain_http=True) is None
    with pytest.raises(UsageError, match="only sent by https"):
        push.push_to_gateway("http://192.0.2.1:9091", b"", OURS, PushRoute(plain_http=True, authorization="Bearer x"))


def known() -> tuple[samples.Family, ...]:
    one = Overview(
        reading=reading(window(), window("seven_day", 82.0)),
        schedule=Schedule(attempted_at=NOW, succeeded_at=NOW),
        samples={},
        forecasts={},
    )
    return samples.build_families([one], Thresholds(), NOW, Names())


def test_an_otlp_receiver_reads_the_same_numbers() -> None:
    families = known()
    with Receiver().running() as receiver:
        push.push_to_receiver(
            f"{receiver.address}/v1/metrics", otlp.encode(families, NOW, OURS), otlp.CONTENT_TYPE, PushRoute()
        )
    (request,) = receiver.requests
    assert (request.method, request.path) == ("POST", "/v1/metrics")
    assert request.headers["Content-Type"] == "application/x-protobuf"
    (resource,) = ExportMetricsServiceRequest.FromString(request.body).resource_metrics
    attributes = {attribute.key: attribute.value.string_value for attribute in resource.resource.attributes}
    assert attributes["service.name"] == "ullage"
    assert attributes["service.instance.id"] == OURS
    (scope,) = resource.scope_metrics
    read = {metric.name: (metric.unit, _points(metric)) for metric in scope.metrics}
    assert read == {
        family.metric.name: (family.metric.unit, [(dict(labels), value) for labels, value in family.samples])
        for family in families
    }
    assert {point.time_unix_nano for metric in scope.metrics for point in metric.gauge.data_points} == {
        int(NOW.timestamp()) * 10**9
    }


def _points(metric: Any) -> list[tuple[dict[str, str], float]]:
    return [
        ({label.key: label.value.string_value for label in point.attributes}, point.as_double)
        for point in metric.gauge.data_points
    ]


def test_without_the_extra_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "opentelemetry.exporter.otlp.proto.common.metrics_encoder", None)
    with pytest.raises(MissingExtraError, match=r"the extra `otel` brings: .+ -m pip install "):
        otlp.encode(known(), NOW, OURS)

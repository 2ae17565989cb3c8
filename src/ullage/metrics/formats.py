"""Encode samples in Prometheus' text formats; the only module that imports prometheus_client."""

from __future__ import annotations

from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.registry import Collector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from prometheus_client.core import Metric as Wire

    from ullage.metrics.samples import Family

PLAIN_TYPE = CONTENT_TYPE_PLAIN_0_0_4
OPENMETRICS_TYPE = CONTENT_TYPE_LATEST
_INFO = "_info"


class _Collected(Collector):
    def __init__(self, families: Iterable[Family]) -> None:
        self._families = families

    def collect(self) -> Iterator[Wire]:
        for family in self._families:
            yield _wire(family)


def encode(families: Iterable[Family], *, openmetrics: bool = False) -> bytes:
    """Return the samples in Prometheus' plain text format, or in OpenMetrics."""
    collected = _Collected(families)
    if openmetrics:
        text: bytes = generate_openmetrics(collected)  # type: ignore[no-untyped-call]  # the library's
        return text
    return generate_latest(collected)


def _wire(family: Family) -> Wire:
    metric = family.metric
    if metric.name.endswith(_INFO):
        info = InfoMetricFamily(metric.name.removesuffix(_INFO), metric.help, labels=())
        for labels, value in family.samples:
            info.add_sample(metric.name, dict(labels), value)
        return info
    gauge = GaugeMetricFamily(metric.name, metric.help, labels=())
    for labels, value in family.samples:
        gauge.add_sample(metric.name, dict(labels), value)
    return gauge

"""Encode samples as an OTLP message; the only module that imports opentelemetry (the extra ullage[otel]).

The library only encodes: `push` sends, under the limits and messages of every other request. OTEL_EXPORTER_OTLP_* is
ignored: users set it for Claude Code's own telemetry, which is no consent to send these metrics.
"""

from __future__ import annotations

from ullage import __version__
from ullage.base.errors import MissingExtraError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from ullage.metrics.samples import Family

CONTENT_TYPE = "application/x-protobuf"


def encode(families: Iterable[Family], now: datetime, installation: str) -> bytes:
    """Return an ExportMetricsServiceRequest with every sample as a gauge; raise MissingExtraError without the extra."""
    try:
        from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
        from opentelemetry.sdk.metrics.export import MetricsData, ResourceMetrics, ScopeMetrics
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    except ImportError as error:
        packages = "opentelemetry-sdk opentelemetry-exporter-otlp-proto-common"
        raise MissingExtraError("OTLP", "otel", packages) from error
    resource = Resource({"service.name": "ullage", "service.version": __version__, "service.instance.id": installation})
    scope = ScopeMetrics(
        scope=InstrumentationScope("ullage", __version__),
        metrics=[_gauge(family, int(now.timestamp()) * 10**9) for family in families],
        schema_url="",
    )
    data = MetricsData(resource_metrics=[ResourceMetrics(resource=resource, scope_metrics=[scope], schema_url="")])
    message: bytes = encode_metrics(data).SerializeToString()
    return message


def _gauge(family: Family, nanoseconds: int):  # type: ignore[no-untyped-def]  # an optional library's
    from opentelemetry.sdk.metrics.export import Gauge, Metric, NumberDataPoint

    points = [
        NumberDataPoint(
            attributes=dict(labels), start_time_unix_nano=nanoseconds, time_unix_nano=nanoseconds, value=value
        )
        for labels, value in family.samples
    ]
    metric = family.metric
    return Metric(name=metric.name, description=metric.help, unit=metric.unit, data=Gauge(data_points=points))

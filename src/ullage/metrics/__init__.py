"""Expose what the cache holds as metrics for Prometheus and OTLP; no source is asked.

`expose_metrics` writes the text for /metrics, for node_exporter's textfile collector and for a Pushgateway.
"""

from __future__ import annotations

from ullage.base.errors import UllageError
from ullage.metrics.names import PSEUDONYMS, Names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from ullage.quota.model import Thresholds
    from ullage.store.overview import Overview

__all__ = ["PSEUDONYMS", "MetricsError", "Names", "expose_metrics"]


class MetricsError(UllageError):
    """Metrics did not get where they were sent."""


def expose_metrics(
    overviews: Iterable[Overview],
    thresholds: Thresholds,
    now: datetime,
    names: Names = PSEUDONYMS,
    *,
    openmetrics: bool = False,
) -> bytes:
    """Return every metric as text of formats.PLAIN_TYPE, or of OPENMETRICS_TYPE with `openmetrics`.

    `names` gives the label `account`; `identity.name_accounts` makes it from config.toml.
    """
    # Imported late: doctor wants to know what was sent last, and not how.
    from ullage.metrics import formats, samples

    return formats.encode(samples.build_families(overviews, thresholds, now, names), openmetrics=openmetrics)

"""Expose what the cache holds as metrics for Prometheus and OTLP; no source is asked.

`expose_metrics` writes the text for /metrics, for node_exporter's textfile collector and for a Pushgateway.
"""

from __future__ import annotations

from ullage.metrics import formats, samples
from ullage.metrics.formats import OPENMETRICS_TYPE
from ullage.metrics.formats import PLAIN_TYPE as CONTENT_TYPE
from ullage.metrics.names import PSEUDONYMS, Names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from ullage.quota.model import Thresholds
    from ullage.store.overview import Overview

__all__ = ["CONTENT_TYPE", "OPENMETRICS_TYPE", "PSEUDONYMS", "Names", "expose_metrics"]


def expose_metrics(
    overviews: Iterable[Overview],
    thresholds: Thresholds,
    now: datetime,
    names: Names = PSEUDONYMS,
    *,
    openmetrics: bool = False,
) -> bytes:
    """Return every metric as text of CONTENT_TYPE, or of OPENMETRICS_TYPE with `openmetrics`.

    `names` gives the label `account`; `identity.name_accounts` makes it from config.toml.
    """
    return formats.encode(samples.build_families(overviews, thresholds, now, names), openmetrics=openmetrics)
